//! What the engine and a shim say to each other: one JSON object per line, on one connection per task; on the connection
//! that a shim begins with, after the first message ([`super::handover`]).
//!
//! The connection stands in for a doorbell: the shim says on it when output was written and when something happened;
//! its end means that one side is gone. The output itself is read from the spool.
//!
//! Invariant: reports say what is so, not what changed: a report that comes twice does no harm.

use std::collections::BTreeMap;

use neargate_base::Timestamp;
use serde::{Deserialize, Serialize};

use super::paths::Layout;
use crate::backend::{ContainerState, ExecSpec};
use crate::event::StartFailure;
use crate::spec::TaskSpec;

/// What the engine leaves for the shim before it starts it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) layout: Layout,
    pub(super) spec: TaskSpec,
    /// How much output of a container is kept for an engine that does not take it.
    pub(super) spool_bytes_max: u64,
}

/// Who the shim is, for whoever finds it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ShimRecord {
    pub(super) format: u32,
    pub(super) pid: u32,
    /// In clock ticks since boot, as in `/proc/<pid>/stat`: tells a process from a later one of the same id.
    pub(super) start_time: u64,
}

/// An exit that is kept on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExitRecord {
    pub(super) format: u32,
    pub(super) state: ContainerState,
}

/// [`ShimRecord`]'s and [`ExitRecord`]'s version.
pub(super) const RECORD_FORMAT: u32 = 1;

/// Engine to shim.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(super) enum Order {
    /// Say how everything stands ([`Report::Standing`]).
    Hello,
    /// Start a container.
    Start { name: String },
    /// Stop a container.
    Stop { name: String, timeout_s: u32 },
    /// Kill a container.
    Kill { name: String },
    /// Run a command in a container.
    Exec { name: String, exec: ExecSpec },
    /// End the task.
    Remove,
}

/// Shim to engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub(super) enum Report {
    /// How everything stands; the answer to [`Order::Hello`].
    Standing { network_ready: bool, containers: BTreeMap<String, Standing> },
    /// The network interface is up.
    NetworkReady,
    /// A container runs.
    Started { name: String, pid: u32, at: Timestamp },
    /// A container could not be started.
    Failed { name: String, failure: StartFailure, at: Timestamp },
    /// A container's spool ends here now.
    Output { name: String, end: u64 },
    /// A container has ended; its spool is complete up to `end`.
    Exited { name: String, exit_code: i32, oom_killed: bool, at: Timestamp, end: u64 },
    /// A command has ended.
    ExecExited { exec_id: String, exit_code: i32 },
    /// Something is less than was asked for.
    Remark { text: String },
    /// All traces are removed; the shim ends now.
    Removed,
}

/// A container in [`Report::Standing`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) state: ContainerState,
    pub(super) end: u64,
}

/// One line for the connection.
pub(super) fn line(message: &impl Serialize) -> Vec<u8> {
    // Only maps with keys that are not text cannot be written, and no message has one.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Takes the complete lines out of a buffer.
pub(super) fn take_lines(buffer: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let Some(last) = buffer.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
    let rest = buffer.split_off(last + 1);
    let complete = std::mem::replace(buffer, rest);
    complete.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_when_complete() {
        let mut buffer = b"one\ntwo\nthr".to_vec();
        assert_eq!(take_lines(&mut buffer), [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(buffer, b"thr");
        assert!(take_lines(&mut buffer).is_empty());
    }
}
