//! What a backend reports, in the order in which it happened per task.
//!
//! Invariant: a container's output comes before its exit, every exit before the task's end; after [`EventKind::TaskGone`]
//! nothing more is reported of a task.
//!
//! Invariant: after [`EventKind::Output`] nothing more is reported of the task until that output is released with
//! [`crate::Backend::release_output`]; a backend without real output may go on.

use std::fmt;
use std::sync::Arc;

use neargate_base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::spec::TaskId;

/// Where a backend reports to. Called from the backend's own threads, which read on when it returns.
pub type EventSink = Arc<dyn Fn(RuntimeEvent) + Send + Sync>;

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeEvent {
    /// The task.
    pub task_id: TaskId,
    /// What happened.
    pub kind: EventKind,
}

/// The kinds of report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The task's network interface is up.
    NetworkReady,
    /// A container's process runs: the exec succeeded.
    ContainerStarted {
        /// The container.
        name: String,
        /// Its process id on the host; 0 where there is none (fake).
        pid: u32,
        /// When.
        at: Timestamp,
    },
    /// A container could not be started. No exit follows.
    ContainerFailed {
        /// The container.
        name: String,
        /// Why.
        failure: StartFailure,
        /// When.
        at: Timestamp,
    },
    /// Lines that a container wrote.
    Output {
        /// The container.
        name: String,
        /// The lines, oldest first; none where what was written could not be read, which a remark says.
        lines: OutputLines,
        /// Where the reader stands in the spool after these lines; given back at [`crate::Backend::adopt`] and to
        /// [`crate::Backend::release_output`].
        next_offset: u64,
    },
    /// A container's first process ended.
    ContainerExited {
        /// The container.
        name: String,
        /// The exit code; 128 + n when ended by signal n.
        exit_code: i32,
        /// Whether the kernel killed a process of the container for want of memory.
        oom_killed: bool,
        /// When.
        at: Timestamp,
    },
    /// A command started by [`crate::Backend::exec`] ended.
    ExecExited {
        /// The id given with the order.
        exec_id: String,
        /// The exit code; 126 or 127 when it could not be started.
        exit_code: i32,
    },
    /// Something is less than was asked for, and the task runs all the same.
    Remark {
        /// What, in one line.
        text: String,
    },
    /// The task is no more.
    TaskGone {
        /// Why.
        reason: GoneReason,
    },
}

/// Lines of a container's output, their bytes one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputLines {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

/// One line: where it ends, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    at: Timestamp,
    end: usize,
    stream: Stream,
    partial: bool,
}

/// One line of a container's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLine<'a> {
    /// Standard output or error.
    pub stream: Stream,
    /// When it was read from the pipe.
    pub at: Timestamp,
    /// The bytes, without the newline.
    pub bytes: &'a [u8],
    /// Whether the line goes on in the next one: lines are cut at 16 KiB.
    pub partial: bool,
}

impl OutputLines {
    /// Without any, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), marks: vec![] }
    }

    /// Adds a line.
    pub fn push(&mut self, line: OutputLine<'_>) {
        let OutputLine { stream, at, bytes, partial } = line;
        self.bytes.extend_from_slice(bytes);
        self.marks.push(Mark { at, end: self.bytes.len(), stream, partial });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The lines, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = OutputLine<'_>> {
        let mut begin = 0;
        self.marks.iter().map(move |mark| {
            let bytes = self.bytes.get(begin..mark.end).unwrap_or_default();
            begin = mark.end;
            OutputLine { stream: mark.stream, at: mark.at, bytes, partial: mark.partial }
        })
    }

    /// All bytes in a row, and of each line its time and where it ends in them.
    pub fn into_parts(self) -> (Vec<u8>, impl Iterator<Item = (Timestamp, usize)> + Clone) {
        (self.bytes, self.marks.into_iter().map(|mark| (mark.at, mark.end)))
    }
}

/// One of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a task is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoneReason {
    /// It was removed by order.
    Removed,
    /// Its shim was killed or never came up; containers without an exit before this were killed, exit code unknown.
    Lost(String),
}

/// Why a container did not start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFailure {
    /// What kind of failure.
    pub kind: StartFailureKind,
    /// One line, in the words of an OCI runtime where there are such.
    pub message: String,
}

/// The kinds of start failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StartFailureKind {
    /// The program is not in the image.
    CommandNotFound,
    /// The program may not be executed.
    PermissionDenied,
    /// The program is for another processor, or no program.
    ExecFormat,
    /// The user or group is not in the image.
    UnknownUser,
    /// The root file system or a mount could not be made.
    RootFs,
    /// The network interface could not be made.
    Network,
    /// A control group could not be made.
    Resources,
    /// A setting is not valid: capability, kernel parameter, limit.
    InvalidSetting,
    /// The container was stopped before it started.
    Cancelled,
}

impl StartFailure {
    /// A failure with its text.
    pub fn new(kind: StartFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The text that ECS shows as the container's reason on Fargate.
    pub fn reason(&self) -> String {
        match self.kind {
            StartFailureKind::Network => {
                format!("ResourceInitializationError: unable to set up the network interface: {}", self.message)
            }
            StartFailureKind::Cancelled => format!("CannotStartContainerError: {}", self.message),
            _ => format!(
                "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: \
                 failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                 process: {}: unknown",
                self.message
            ),
        }
    }

    /// The exit code that container engines give for such a failure: 127 not found, 126 not executable, else 128.
    pub fn exit_code(&self) -> i32 {
        match self.kind {
            StartFailureKind::CommandNotFound => 127,
            StartFailureKind::PermissionDenied | StartFailureKind::ExecFormat => 126,
            _ => 128,
        }
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
