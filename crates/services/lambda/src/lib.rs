//! AWS Lambda, recorded and not run: what stacks of Fargate workloads bring along.
//!
//! A function, made by `CreateFunction` or as `AWS::Lambda::Function`, is a record that `GetFunction` and `ListFunctions` answer
//! from. Nothing invokes it: `Invoke` and all other operations answer 501. What the CDK's own functions do for custom resources is done
//! by [`providers`].
//!
//! Invariant: a record says of itself that it is not run; no size, hash or address of code is made up.

mod errors;
mod functions;
mod ops;
mod providers;
mod resources;
mod state;

use neargate_api::lambda as api;
use neargate_kernel::{OperationEntry, Service, Store};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![
            OperationEntry::of::<ops::get_function::GetFunction>(),
            OperationEntry::of::<ops::list_functions::ListFunctions>(),
            OperationEntry::of::<ops::create_function::CreateFunction>(),
            OperationEntry::of::<ops::update_function::UpdateFunctionCode>(),
            OperationEntry::of::<ops::update_function::UpdateFunctionConfiguration>(),
            OperationEntry::of::<ops::update_function::DeleteFunction>(),
            OperationEntry::of::<ops::apart::PutFunctionConcurrency>(),
            OperationEntry::of::<ops::apart::DeleteFunctionConcurrency>(),
            OperationEntry::of::<ops::apart::TagResource>(),
            OperationEntry::of::<ops::apart::UntagResource>(),
        ],
        resources: vec![
            &resources::Function,
            &providers::CustomResource,
            &providers::ExportReader,
            &providers::ExportWriter,
            &providers::LogRetention,
            &providers::SdkCall,
        ],
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
