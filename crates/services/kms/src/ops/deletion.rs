//! `ScheduleKeyDeletion`, `CancelKeyDeletion`.

use neargate_kernel::{Accesses, Cx, Due, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::on_key;
use crate::errors::KmsError;
use crate::state::{KeyState, MS_PER_DAY};
use crate::{api, jobs, reference};

const WINDOW_DAYS: i32 = 30;

pub(crate) struct ScheduleKeyDeletion;

impl Operation for ScheduleKeyDeletion {
    const SHAPE: &'static OperationShape = &api::SCHEDULE_KEY_DELETION;
    type Input = api::ScheduleKeyDeletionInput;
    type Output = api::ScheduleKeyDeletionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let days = input.pending_window_in_days.unwrap_or(WINDOW_DAYS);
        let access = on_key(cx, "ScheduleKeyDeletion", &input.key_id);
        access.with("kms:ScheduleKeyDeletionPendingWindowInDays", days.to_string()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let days = input.pending_window_in_days.unwrap_or(WINDOW_DAYS);
        if !(7..=30).contains(&days) {
            return Err(KmsError::DeletionWindow.into());
        }
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.lasting(&cx.scope)?;
        let at = cx.time().plus_ms(i64::from(days) * MS_PER_DAY);
        let job = cx.schedule(Due::Service(at), jobs::DELETE, serde_json::Value::from(key.id.as_str()));
        key.state = KeyState::PendingDeletion { at, job };
        let arn = key.arn(&cx.scope);
        cx.put(&key.id.clone(), key);
        Ok(api::ScheduleKeyDeletionOutput {
            key_id: Some(arn),
            deletion_date: Some(at),
            key_state: Some("PendingDeletion".to_owned()),
            pending_window_in_days: Some(days),
        })
    }
}

pub(crate) struct CancelKeyDeletion;

impl Operation for CancelKeyDeletion {
    const SHAPE: &'static OperationShape = &api::CANCEL_KEY_DELETION;
    type Input = api::CancelKeyDeletionInput;
    type Output = api::CancelKeyDeletionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "CancelKeyDeletion", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        let arn = key.arn(&cx.scope);
        let KeyState::PendingDeletion { job, .. } = &key.state else {
            return Err(KmsError::NotPendingDeletion(arn).into());
        };
        cx.cancel(job);
        // As on AWS, the key comes back disabled.
        key.state = KeyState::Disabled;
        cx.put(&key.id.clone(), key);
        Ok(api::CancelKeyDeletionOutput { key_id: Some(arn) })
    }
}
