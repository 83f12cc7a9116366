//! `DeleteSecret`, `RestoreSecret`.

use neargate_kernel::{Accesses, Cx, Due, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::on_secret;
use crate::errors::SecretError;
use crate::state::{Deletion, MS_PER_DAY};
use crate::{api, jobs, state};

const WINDOW_DAYS: i64 = 30;

pub(crate) struct DeleteSecret;

impl Operation for DeleteSecret {
    const SHAPE: &'static OperationShape = &api::DELETE_SECRET;
    type Input = api::DeleteSecretInput;
    type Output = api::DeleteSecretOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let days = input.recovery_window_in_days.unwrap_or(WINDOW_DAYS);
        let force = (input.force_delete_without_recovery == Some(true)).to_string();
        let access = on_secret(cx, "DeleteSecret", &input.secret_id);
        access
            .with("secretsmanager:RecoveryWindowInDays", days.to_string())
            .with("secretsmanager:ForceDeleteWithoutRecovery", force)
            .into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let is_forced = input.force_delete_without_recovery == Some(true);
        if is_forced && input.recovery_window_in_days.is_some() {
            return Err(SecretError::RecoveryWindowAndForce.into());
        }
        let days = input.recovery_window_in_days.unwrap_or(WINDOW_DAYS);
        if !(7..=30).contains(&days) {
            return Err(SecretError::RecoveryWindow.into());
        }
        let now = cx.time();
        let mut secret = match state::own(cx, &input.secret_id) {
            Ok(secret) => secret,
            // Forced, it is gone either way.
            Err(SecretError::NotFound) if is_forced => {
                let (arn, name) = (state::arn(cx, &input.secret_id), input.secret_id);
                return Ok(api::DeleteSecretOutput { arn: Some(arn), name: Some(name), deletion_date: Some(now) });
            }
            Err(error) => return Err(error.into()),
        };
        let (arn, name) = (Some(secret.arn.clone()), Some(secret.name.clone()));
        if is_forced {
            if let Some(deletion) = &secret.deletion {
                cx.cancel(&deletion.job);
            }
            state::remove(cx, &secret);
            return Ok(api::DeleteSecretOutput { arn, name, deletion_date: Some(now) });
        }
        if secret.deletion.is_some() {
            return Err(SecretError::AlreadyDeleted.into());
        }
        let at = now.plus_ms(days * MS_PER_DAY);
        let job = cx.schedule(Due::Service(at), jobs::DELETE, serde_json::Value::from(secret.name.as_str()));
        secret.deletion = Some(Deletion { at, job });
        cx.put(&secret.name.clone(), secret);
        Ok(api::DeleteSecretOutput { arn, name, deletion_date: Some(at) })
    }
}

pub(crate) struct RestoreSecret;

impl Operation for RestoreSecret {
    const SHAPE: &'static OperationShape = &api::RESTORE_SECRET;
    type Input = api::RestoreSecretInput;
    type Output = api::RestoreSecretOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "RestoreSecret", &input.secret_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut secret = state::own(cx, &input.secret_id)?;
        let (arn, name) = (Some(secret.arn.clone()), Some(secret.name.clone()));
        if let Some(deletion) = secret.deletion.take() {
            cx.cancel(&deletion.job);
            cx.put(&secret.name.clone(), secret);
        }
        Ok(api::RestoreSecretOutput { arn, name })
    }
}
