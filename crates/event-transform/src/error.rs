//! Why a target's input is refused when it is put, and why nothing is delivered for an event.
//!
//! Invariant: `Display` is for our own output; [`TransformError::aws_message`] is what the API answers.

use std::fmt;

/// Why `PutTargets` refuses a target's `Input`, `InputPath` or `InputTransformer`. Always a `ValidationException`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformError {
    /// More than one of `Input`, `InputPath` and `InputTransformer` is given.
    NotExclusive,
    /// `Input` is not JSON.
    InputNotJson {
        /// What the parser stumbled over.
        reason: String,
    },
    /// A text is longer than EventBridge takes.
    TooLong {
        /// `Input`, `InputPath`, `InputTemplate` or `InputPathsMap`.
        member: &'static str,
        /// How long it is.
        chars: usize,
        /// How long it may be.
        chars_max: usize,
    },
    /// `InputTemplate` has no character at all.
    EmptyTemplate,
    /// `InputPathsMap` has more than [`crate::PATHS_MAX`] entries.
    TooManyPaths {
        /// How many it has.
        paths: usize,
    },
    /// A variable's name has characters outside `A-Z a-z 0-9 _ -`, or is empty or too long.
    InvalidName {
        /// The name.
        name: String,
    },
    /// A variable's name is one that EventBridge keeps for itself.
    ReservedName {
        /// The name.
        name: String,
    },
    /// A path is outside the subset of JSONPath that EventBridge takes.
    InvalidPath {
        /// The path.
        path: String,
        /// The first character, counted from 0, that is wrong.
        column: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The template names a variable that is neither in `InputPathsMap` nor predefined.
    UndefinedPlaceholder {
        /// The variable.
        name: String,
        /// The variables there are, predefined ones last.
        known: Vec<String>,
    },
    /// The template can never become JSON, nor does it start with a quoted string.
    InvalidTemplate {
        /// What the parser stumbled over.
        reason: String,
    },
}

impl TransformError {
    /// The error message `PutTargets` answers for the target called `target_id`.
    pub fn aws_message(&self, target_id: &str) -> String {
        match self {
            Self::NotExclusive => {
                format!("Only one of Input, InputPath, or InputTransformer must be provided for target {target_id}.")
            }
            Self::InputNotJson { .. } => format!("Input for target {target_id} is not a valid JSON text."),
            Self::TooLong { member, chars_max, .. } => format!(
                "1 validation error detected: Value at 'targets.1.member.{}' failed to satisfy constraint: Member must have length less than or equal to {chars_max}",
                lower_first(member)
            ),
            Self::EmptyTemplate => "1 validation error detected: Value at 'targets.1.member.inputTransformer.inputTemplate' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned(),
            Self::TooManyPaths { .. } => format!(
                "1 validation error detected: Value at 'targets.1.member.inputTransformer.inputPathsMap' failed to satisfy constraint: Member must have length less than or equal to {}",
                crate::PATHS_MAX
            ),
            Self::InvalidName { .. } => "1 validation error detected: Value at 'targets.1.member.inputTransformer.inputPathsMap' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [A-Za-z0-9\\_\\-]+]".to_owned(),
            Self::ReservedName { name } => {
                format!("InputPathsMap for target {target_id} contains the reserved key {name}.")
            }
            Self::InvalidPath { path, .. } => format!("Invalid JSON path {path} for target {target_id}."),
            Self::UndefinedPlaceholder { name, .. } => {
                format!("InputTemplate for target {target_id} contains invalid placeholder {name}.")
            }
            Self::InvalidTemplate { reason } => format!("Invalid InputTemplate for target {target_id} : {reason}."),
        }
    }
}

fn lower_first(member: &str) -> String {
    let mut chars = member.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExclusive => {
                f.write_str("got more than one of `Input`, `InputPath` and `InputTransformer`, expected at most one")
            }
            Self::InputNotJson { reason } => write!(f, "`Input` is not JSON: {reason}"),
            Self::TooLong { member, chars, chars_max } => {
                write!(f, "`{member}` has {chars} characters, expected at most {chars_max}")
            }
            Self::EmptyTemplate => f.write_str("`InputTemplate` is empty"),
            Self::TooManyPaths { paths } => {
                write!(f, "`InputPathsMap` has {paths} entries, expected at most {}", crate::PATHS_MAX)
            }
            Self::InvalidName { name } => {
                write!(f, "variable `{name}` is not a name: expected 1 to 256 of `A-Z a-z 0-9 _ -`")
            }
            Self::ReservedName { name } => {
                write!(f, "variable `{name}` is reserved: names that start with `AWS` belong to EventBridge")
            }
            Self::InvalidPath { path, column, reason } => {
                write!(f, "path `{path}` is not supported at column {column}: {reason}")
            }
            Self::UndefinedPlaceholder { name, known } => {
                write!(f, "placeholder `<{name}>` is not defined, expected one of `{}`", known.join("`, `"))
            }
            Self::InvalidTemplate { reason } => write!(
                f,
                "`InputTemplate` is neither JSON nor a quoted string: {reason}; quote a text as `\"... <name> ...\"`"
            ),
        }
    }
}

impl std::error::Error for TransformError {}

/// Why EventBridge drops an event for a target after its input was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDelivered {
    /// With the values filled in, a JSON template is no longer JSON.
    NotJson {
        /// What came out.
        text: String,
        /// What the parser stumbled over.
        reason: String,
        /// The variable that most likely broke it, and how.
        culprit: Option<String>,
    },
    /// The values make more of the template than [`crate::RENDERED_BYTES_MAX`].
    TooLarge,
}

impl fmt::Display for NotDelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NotJson { reason, culprit, .. } = self else {
            let bytes_max = crate::RENDERED_BYTES_MAX;
            return write!(
                f,
                "not delivered: the filled template has more than {bytes_max} bytes; put in less of the event"
            );
        };
        write!(f, "not delivered: the filled template is not JSON: {reason}")?;
        culprit.as_ref().map_or(Ok(()), |culprit| write!(f, "; {culprit}"))
    }
}

impl std::error::Error for NotDelivered {}
