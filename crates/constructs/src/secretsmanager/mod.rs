//! AWS Secrets Manager: secrets that containers find in their environment ([`crate::ecs::Secret`]) or read by themselves.
//!
//! Follows <https://docs.aws.amazon.com/secretsmanager/latest/userguide/>.

mod secret;

pub use secret::{Secret, SecretAttributes, SecretProps, SecretStringGenerator};
