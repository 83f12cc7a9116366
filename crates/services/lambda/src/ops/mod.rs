//! The operations, a file each; those that change a function beside each other.

pub(crate) mod apart;
pub(crate) mod create_function;
pub(crate) mod get_function;
pub(crate) mod list_functions;
pub(crate) mod update_function;

use neargate_kernel::{Access, Cx, Fault};

use crate::api;
use crate::errors::LambdaError;
use crate::functions::{self, NOT_RUN};
use crate::state::{FunctionRecord, arn};

/// The parts of `name`, `name:qualifier`, `account:function:name`, or an ARN of either.
fn name_and_qualifier(text: &str) -> (&str, Option<&str>) {
    let parts: Vec<_> = text.split(':').collect();
    let after = parts.iter().position(|part| *part == "function").map_or(0, |at| at + 1);
    match parts.get(after..) {
        Some([name, qualifier, ..]) => (name, Some(qualifier)),
        Some([name]) => (name, None),
        _ => (text, None),
    }
}

/// An action on a function, with its tags.
fn on(cx: &Cx<'_>, action: &str, reference: &str) -> Access {
    let (name, _) = name_and_qualifier(reference);
    let tags = cx.get::<FunctionRecord>(name).map(|record| record.tags.clone()).unwrap_or_default();
    Access::new(&format!("lambda:{action}"), arn(&cx.scope, name)).with_resource_tags(None, tags)
}

/// An access with the layers and the network that its request gives the function. The VPC follows from the subnets, and is not told.
fn with_parts(mut access: Access, layers: Option<&[String]>, vpc: Option<&api::VpcConfig>) -> Access {
    let subnets = vpc.and_then(|vpc| vpc.subnet_ids.as_deref());
    let groups = vpc.and_then(|vpc| vpc.security_group_ids.as_deref());
    let parts = [("lambda:Layer", layers), ("lambda:SubnetIds", subnets), ("lambda:SecurityGroupIds", groups)];
    for (key, values) in parts {
        access = access.complete(key);
        if let Some(values) = values.filter(|values| !values.is_empty()) {
            access = access.with_all(key, values.to_vec());
        }
    }
    if subnets.is_some_and(|subnets| !subnets.is_empty()) { access } else { access.complete("lambda:VpcIds") }
}

/// That a role is handed to Lambda.
fn pass_role(role: &str) -> Access {
    Access::new("iam:PassRole", role).with("iam:PassedToService", "lambda.amazonaws.com")
}

/// A function's name and a copy of it.
fn found(cx: &Cx<'_>, reference: &str) -> Result<(String, FunctionRecord), Fault> {
    let (name, _) = name_and_qualifier(reference);
    let record = cx.get::<FunctionRecord>(name).cloned();
    record.map(|record| (name.to_owned(), record)).ok_or_else(|| LambdaError::NotFound(arn(&cx.scope, name)).into())
}

/// Says that a function does not run; for a resource of a stack its type says so.
fn say_not_run(cx: &mut Cx<'_>, operation: &str, name: &str) {
    if cx.system_tags().is_empty() {
        cx.not_simulated(format!("lambda:{operation} {name}"), NOT_RUN);
    }
}
