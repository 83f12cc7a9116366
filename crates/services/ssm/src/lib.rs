//! AWS Systems Manager, as deep as Fargate workloads need: Parameter Store with `String` and `StringList`.
//!
//! `AWS::SSM::Parameter` for CloudFormation. AWS's public parameters (`/aws/service/…`) are not here.
//!
//! Invariant: no secret is kept in the clear: `SecureString` answers 501 until there is a key service.
//! Invariant: a parameter's earlier versions are records of their own, so that a change writes two small rows.

pub mod api;
mod errors;
mod filter;
mod name;
mod ops;
mod resources;
mod state;

use neargate_kernel::{Service, Store};

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
