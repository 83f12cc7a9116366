//! What the user should hear although no call failed.

use serde::{Deserialize, Serialize};

/// The kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Something was accepted that Neargate does not act on.
    NotSimulated,
    /// Something asynchronous failed: an invocation was denied, a task could not start.
    Failed,
    /// Something asynchronous took place: a rule fired, a task started.
    Progress,
}

/// One line for the user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Notice {
    /// Its kind.
    pub kind: NoticeKind,
    /// What it is about: an ARN, a logical id, `service:Operation`.
    pub subject: String,
    /// One line.
    pub text: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
}
