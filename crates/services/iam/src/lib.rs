//! AWS IAM, as deep as Fargate workloads need: roles, policies, and the answer to every «may they?» of the engine.
//!
//! - [`explain_access`] says which statements were looked at for an access, and why each did or did not apply.
//! - [`AUTHORIZER`] stands behind the kernel's `Authorizer` port: operations of every service are decided here.
//! - `AWS::IAM::Role`, `AWS::IAM::Policy`, `AWS::IAM::ManagedPolicy`, `AWS::IAM::RolePolicy` for CloudFormation.
//!
//! Invariant: a document is refused when it is stored or evaluated in full, nothing in between.
//!
//! Invariant: no users, groups or instance profiles: their operations answer 501.

mod access;
mod authorizer;
mod aws_managed;
mod caller;
mod errors;
mod ops;
mod policies;
mod principals;
mod resource_policy;
mod resources;
mod state;

pub use authorizer::{Iam, explain_access};

use neargate_api::iam as api;
use neargate_kernel::{Service, Store};

/// IAM behind the kernel's port.
pub static AUTHORIZER: Iam = Iam;

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: ops::all(),
        resources: resources::all(),
        jobs: vec![],
        reports: vec![],
        records: register,
    }
}

fn register(store: &mut Store) {
    store.register::<state::RoleRecord>();
    store.register::<state::PolicyRecord>();
}

#[cfg(test)]
mod tests;
