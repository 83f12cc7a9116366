//! AWS Secrets Manager, as deep as Fargate workloads need: secrets with versions and stages, resource policies, random passwords.
//!
//! Values are encrypted as on AWS: each version under a data key of its own, which KMS makes and opens for the caller
//! (`kms:ViaService`) with the secret's ARN and the version's id as encryption context. A caller without `kms:Decrypt` on the key,
//! or a key that is disabled, makes a value unreadable here too.
//!
//! `AWS::SecretsManager::Secret` and `AWS::SecretsManager::ResourcePolicy` for CloudFormation.
//!
//! Invariant: a value lies in the state only encrypted, and is in the clear only while a request is at work on it.
//!
//! Invariant: no rotation and no replicas: their operations and parameters answer 501 by name.

mod access;
mod envelope;
mod errors;
mod jobs;
mod ops;
mod password;
mod policy;
mod resources;
mod state;
mod versions;

use neargate_api::secretsmanager as api;
use neargate_kernel::{Cx, Fault, Service, Store};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: ops::all(),
        resources: vec![&resources::Secret, &resources::ResourcePolicy],
        jobs: vec![(jobs::DELETE, jobs::delete)],
        reports: vec![],
        records: register,
    }
}

/// Puts a value into the secret at a complete ARN of the context's account and region; makes the secret where there is none.
pub fn import(cx: &mut Cx<'_>, arn: &str, value: String) -> Result<(), Fault> {
    ops::import(cx, arn, value)
}

fn register(store: &mut Store) {
    store.register::<state::SecretRecord>();
    store.register::<state::SealedVersion>();
}

#[cfg(test)]
mod tests;
