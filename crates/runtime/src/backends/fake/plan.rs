//! What a pretended container does.

use crate::event::{StartFailure, Stream};

/// A container's life. All times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakePlan {
    /// From order to start, or to the failure.
    pub start_delay_ms: u64,
    /// What it writes, with times from its start.
    pub output: Vec<FakeOutput>,
    /// How it ends.
    pub end: FakeEnd,
    /// From the stop signal to its end; [`None`] ignores the signal and waits for SIGKILL.
    pub stop_delay_ms: Option<u64>,
}

/// A line that a pretended container writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeOutput {
    /// When, from the container's start.
    pub after_ms: u64,
    /// Where to.
    pub stream: Stream,
    /// What, without newline.
    pub line: String,
}

/// How a pretended container ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FakeEnd {
    /// It runs until it is stopped, and then exits with this code.
    WhenStopped {
        /// The exit code after the stop signal.
        exit_code: i32,
    },
    /// It exits by itself.
    After {
        /// When, from its start.
        after_ms: u64,
        /// With what.
        exit_code: i32,
        /// Whether for want of memory.
        oom_killed: bool,
    },
    /// It does not start.
    FailsToStart(StartFailure),
}

impl FakePlan {
    /// Runs until stopped, exits with 143 as an unhandled SIGTERM gives.
    pub fn until_stopped() -> Self {
        let end = FakeEnd::WhenStopped { exit_code: 143 };
        Self { start_delay_ms: 10, output: Vec::new(), end, stop_delay_ms: Some(10) }
    }

    /// Exits with the code after some time.
    pub fn exits(exit_code: i32, after_ms: u64) -> Self {
        Self { end: FakeEnd::After { after_ms, exit_code, oom_killed: false }, ..Self::until_stopped() }
    }

    /// Does not start.
    pub fn fails(failure: StartFailure) -> Self {
        Self { end: FakeEnd::FailsToStart(failure), ..Self::until_stopped() }
    }

    /// The same, writing a line to standard output at that time from its start.
    #[must_use]
    pub fn says(mut self, after_ms: u64, line: &str) -> Self {
        self.output.push(FakeOutput { after_ms, stream: Stream::Stdout, line: line.to_owned() });
        self
    }

    /// The same, deaf to the stop signal.
    #[must_use]
    pub fn ignores_stop(mut self) -> Self {
        self.stop_delay_ms = None;
        self
    }
}
