//! AWS STS, as deep as Fargate workloads need: who calls, and temporary credentials for roles.
//!
//! Whether a role may be assumed is IAM's to say, through the kernel's port. What `AssumeRole` hands out is kept here until it
//! expires; the HTTP edge finds out with [`credential`] whom an access key id stands for.
//!
//! Invariant: credentials live on process time: the clock that clients see, that cannot be turned.
//!
//! Invariant: an access key id is one in all accounts and regions.

mod credentials;
mod errors;
mod ops;

pub use credentials::{Credential, credential};

use neargate_api::sts as api;
use neargate_kernel::{OperationEntry, Service, Store};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![
            OperationEntry::of::<ops::assume_role::AssumeRole>(),
            OperationEntry::of::<ops::get_caller_identity::GetCallerIdentity>(),
        ],
        resources: vec![],
        jobs: vec![(credentials::EXPIRE, credentials::expire)],
        reports: vec![],
        records: register,
    }
}

fn register(store: &mut Store) {
    store.register::<Credential>();
}

#[cfg(test)]
mod tests;
