//! AWS KMS: keys that data is encrypted with, and their aliases.
//!
//! Symmetric keys only: they are what log groups and secrets take. The typed escape hatch ([`crate::CfnResource::modify`]) reaches the
//! others.
//!
//! Follows <https://docs.aws.amazon.com/kms/latest/developerguide/>.

mod alias;
mod key;

pub use alias::{Alias, AliasProps};
pub(crate) use key::SecretUse;
pub use key::{Key, KeyProps};
