//! How a command ends: exit codes and what is said about a failure.

use std::process::ExitCode;

use neargate_base::Diagnostic;

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: a check, a stack or the engine failed.
    Failed,
    /// 2: wrong usage or bad input.
    Usage,
    /// What a container ended with; never 0.
    Container(u8),
    /// 123: `try` fired something that came to nothing: an event matched no rule, a rule started no task.
    Unfired,
    /// 125: `run` or `try` failed on its own account, not a container of it.
    Tool,
    /// 128 and the number of the signal that broke it off.
    Signal(i32),
}

/// The exit code of `try` where what was fired came to nothing: no container engine, shell or `timeout` has it.
const UNFIRED: u8 = 123;
/// The exit code of `run` and `try` for failures of their own, as container engines have it.
const TOOL: u8 = 125;
/// What a shell adds to the number of a signal.
const SIGNAL_BASE: i32 = 128;

impl Exit {
    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Container(code) => code,
            Self::Unfired => UNFIRED,
            Self::Tool => TOOL,
            Self::Signal(signal) => u8::try_from(SIGNAL_BASE + signal).unwrap_or(u8::MAX),
        }
    }

    /// For `main`.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The end of a container as an exit of ours. Codes beyond a byte do not exist; a failure stays one.
    pub(crate) fn of_container(code: i32) -> Self {
        match u8::try_from(code) {
            Ok(0) => Self::Done,
            Ok(code) => Self::Container(code),
            Err(_) => Self::Tool,
        }
    }

    /// The same exit where a container's own code may be 1 or 2, so that a failure of ours must be another.
    pub(crate) fn beside_containers(self) -> Self {
        if matches!(self, Self::Failed | Self::Usage) { Self::Tool } else { self }
    }
}

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What went wrong, at least one finding.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// The user's input is wrong.
    pub(crate) fn usage(diagnostic: Diagnostic) -> Self {
        Self { exit: Exit::Usage, diagnostics: vec![diagnostic] }
    }

    /// The input was fine; doing it failed.
    pub(crate) fn failed(diagnostic: Diagnostic) -> Self {
        Self { exit: Exit::Failed, diagnostics: vec![diagnostic] }
    }

    /// The same failure as one of `run` or `try`.
    pub(crate) fn beside_containers(self) -> Self {
        Self { exit: self.exit.beside_containers(), ..self }
    }
}

/// Diagnostics of our own crates are about doing things unless said otherwise.
impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::failed(diagnostic)
    }
}

/// What a command, or a part of one, comes to.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn no_failure_of_run_and_try_looks_like_a_container() {
        for (exit, elsewhere, beside_containers) in [
            (Exit::Done, 0, 0),
            (Exit::Failed, 1, 125),
            (Exit::Usage, 2, 125),
            (Exit::Container(1), 1, 1),
            (Exit::Container(2), 2, 2),
            (Exit::Container(255), 255, 255),
            (Exit::Unfired, 123, 123),
            (Exit::Tool, 125, 125),
            (Exit::Signal(1), 129, 129),
            (Exit::Signal(13), 141, 141),
        ] {
            assert_eq!((exit.number(), exit.beside_containers().number()), (elsewhere, beside_containers), "{exit:?}");
        }
        assert_eq!([0, 1, 255, 256, -1].map(|code| Exit::of_container(code).number()), [0, 1, 255, 125, 125]);
    }
}
