//! The key under which a task's output lies on disk between its containers and the log: made with the task, kept sealed.

use neargate_kernel::{Cx, Fault};
use neargate_shape::scalar::{base64_decode, base64_encode};
use zeroize::Zeroizing;

use crate::state::Task;

const BYTES: usize = 32;

/// A new task's key, as the task's record has it.
pub(crate) fn make(cx: &mut Cx<'_>, task: &str) -> Result<String, Fault> {
    let key = cx.secret_bytes(BYTES)?;
    Ok(base64_encode(&cx.seal(&purpose(task), &key)?))
}

/// A task's key, for its driver.
pub fn open(cx: &mut Cx<'_>, task: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let sealed = cx.get::<Task>(task).and_then(|task| base64_decode(&task.spool_key));
    let sealed = sealed.ok_or_else(|| Fault::internal(format!("there is no spool key of task `{task}`")))?;
    let key = cx.unseal(&purpose(task), &sealed)?;
    key.as_slice().try_into().map(Zeroizing::new).map_err(|_| Fault::internal("the spool's key is not 32 bytes long"))
}

fn purpose(task: &str) -> String {
    format!("ecs.spool/{task}")
}
