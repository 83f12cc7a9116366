//! AWS Systems Manager, as deep as Fargate workloads need: Parameter Store with its three types.
//!
//! `AWS::SSM::Parameter` for CloudFormation. Of AWS's public parameters (`/aws/service/…`) there are
//! those that the user provides.
//!
//! Invariant: values of type `SecureString` are kept as ciphertexts of KMS only, see [`secure`].
//!
//! Invariant: a parameter's earlier versions are records of their own, so that a change writes two small rows.

mod errors;
mod filter;
mod name;
mod ops;
mod public;
mod resources;
mod secure;
mod state;

use neargate_api::ssm as api;
use neargate_kernel::{Service, Store};

pub use public::provide;

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: ops::all(),
        resources: vec![&resources::Parameter],
        jobs: vec![],
        reports: vec![],
        records: register,
    }
}

fn register(store: &mut Store) {
    store.register::<state::ParameterRecord>();
    store.register::<state::EarlierVersion>();
}

#[cfg(test)]
mod tests;
