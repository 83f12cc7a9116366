//! How long a group keeps its events.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::on_group;
use crate::api;
use crate::errors::LogsError;
use crate::expire::wait_for_sweep;
use crate::state::LogGroup;

/// The numbers of days that AWS knows.
const RETENTION_DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// `PutRetentionPolicy` lets a group's events expire. They are not shown from then on, and removed within a day.
pub(crate) struct PutRetentionPolicy;

impl Operation for PutRetentionPolicy {
    const SHAPE: &'static OperationShape = &api::PUT_RETENTION_POLICY;
    type Input = api::PutRetentionPolicyInput;
    type Output = api::PutRetentionPolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_group(cx, "logs:PutRetentionPolicy", &input.log_group_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let days = input.retention_in_days;
        if !RETENTION_DAYS.contains(&days) {
            let text = format!(
                "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy \
                 enum value set: {RETENTION_DAYS:?}"
            );
            return Err(LogsError::InvalidParameter(text).into());
        }
        set(cx, &input.log_group_name, Some(days))?;
        wait_for_sweep(cx);
        Ok(api::PutRetentionPolicyOutput::default())
    }
}

/// `DeleteRetentionPolicy` lets a group keep its events for ever.
pub(crate) struct DeleteRetentionPolicy;

impl Operation for DeleteRetentionPolicy {
    const SHAPE: &'static OperationShape = &api::DELETE_RETENTION_POLICY;
    type Input = api::DeleteRetentionPolicyInput;
    type Output = api::DeleteRetentionPolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_group(cx, "logs:DeleteRetentionPolicy", &input.log_group_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        set(cx, &input.log_group_name, None)?;
        Ok(api::DeleteRetentionPolicyOutput::default())
    }
}

fn set(cx: &mut Cx<'_>, name: &str, days: Option<i32>) -> Result<(), LogsError> {
    cx.update::<LogGroup, _>(name, |group| group.retention_days = days).ok_or(LogsError::GroupNotFound)
}
