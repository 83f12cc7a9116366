//! Functions as they are kept.

use std::collections::BTreeMap;

use neargate_base::Scope;
use neargate_kernel::Record;
use serde::{Deserialize, Serialize};

use crate::api::{FunctionCodeLocation, FunctionConfiguration};

/// A function. Kept under its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FunctionRecord {
    pub(crate) configuration: FunctionConfiguration,
    pub(crate) code: FunctionCodeLocation,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) reserved_concurrent_executions: Option<i32>,
    /// What it is called in the template of the stack that made it; none for one that a caller made, and for one of an older build.
    #[serde(default)]
    pub(crate) logical_id: Option<String>,
}

impl Record for FunctionRecord {
    const TABLE: &'static str = "lambda.function";
}

/// The ARN of a function.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("lambda", &format!("function:{name}"))
}
