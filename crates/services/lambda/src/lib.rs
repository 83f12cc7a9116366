//! AWS Lambda, recorded and not run: what stacks of Fargate workloads bring along.
//!
//! `AWS::Lambda::Function` becomes a record that `GetFunction` and `ListFunctions` answer from. Nothing invokes it: `Invoke` and
//! all other operations answer 501.
//!
//! Invariant: a record says of itself that it is not run; no size, hash or address of code is made up.

pub mod api;
mod errors;
mod ops;
mod resources;
mod state;

use neargate_kernel::{OperationEntry, Service, Store};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![
            OperationEntry::of::<ops::get_function::GetFunction>(),
            OperationEntry::of::<ops::list_functions::ListFunctions>(),
        ],
        resources: vec![&resources::Function],
        jobs: vec![],
        reports: vec![],
        records: register,
    }
}

fn register(store: &mut Store) {
    store.register::<state::FunctionRecord>();
}

#[cfg(test)]
mod tests;
