//! Background jobs: removes secrets whose recovery window has passed (service time).

use neargate_kernel::{Cx, Fault, Job};

use crate::state::{self, SecretRecord};

/// A secret's recovery window is over.
pub(crate) const DELETE: &str = "secretsmanager.delete";

/// Forgets a secret for good.
pub(crate) fn delete(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let name = job.payload.as_str().unwrap_or_default();
    if let Some(secret) = cx.get::<SecretRecord>(name).filter(|secret| secret.deletion.is_some()).cloned() {
        state::remove(cx, &secret);
    }
    Ok(())
}
