//! AWS KMS, as deep as Fargate workloads need: symmetric keys with policies, grants, aliases, rotation and deletion.
//!
//! - Ciphertexts are real: AES-256-GCM with the encryption context as associated data. A ciphertext names its key and the version
//!   of the key's material, so that rotation leaves earlier ciphertexts readable.
//! - `alias/aws/secretsmanager` and `alias/aws/ssm` come into being when they are first used, with AWS's policies for them.
//! - `AWS::KMS::Key` and `AWS::KMS::Alias` for CloudFormation.
//!
//! Invariant: key material lies in the state only sealed under the installation's root key, and never leaves this crate.
//!
//! Invariant: whatever is done with a key is decided by the key's policy, to which the grants that apply are added.
//!
//! Invariant: no asymmetric, HMAC, imported or multi-region keys: making one answers 501 by name.

mod access;
mod cipher;
mod errors;
mod grants;
mod jobs;
mod managed;
mod material;
mod ops;
mod policy;
mod reference;
mod resources;
mod rotation;
mod state;

use neargate_api::kms as api;
use neargate_kernel::{Service, Store};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: ops::all(),
        resources: vec![&resources::Key, &resources::Alias],
        jobs: vec![(jobs::ROTATE, jobs::rotate), (jobs::DELETE, jobs::delete)],
        reports: vec![],
        records: register,
    }
}

fn register(store: &mut Store) {
    store.register::<state::KeyRecord>();
    store.register::<state::AliasRecord>();
    store.register::<state::GrantRecord>();
}

#[cfg(test)]
mod tests;
