//! The faults of the CloudWatch Logs API.
//!
//! Follows <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::{Fault, JournalError};

/// What CloudWatch Logs refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogsError {
    GroupNotFound,
    GroupExists,
    GroupProtected,
    StreamNotFound,
    StreamExists,
    ResourceNotFound,
    InvalidParameter(String),
    TooManyTags,
    /// Something of AWS that Neargate does not have yet.
    NotImplemented(&'static str),
    /// Events that cannot be written or read.
    Storage(String),
}

impl From<LogsError> for Fault {
    fn from(error: LogsError) -> Self {
        match error {
            LogsError::GroupNotFound => {
                Self::sender("ResourceNotFoundException", "The specified log group does not exist.")
            }
            LogsError::GroupExists => {
                Self::sender("ResourceAlreadyExistsException", "The specified log group already exists")
            }
            LogsError::GroupProtected => {
                Self::sender("ValidationException", "The specified log group has deletion protection enabled.")
            }
            LogsError::StreamNotFound => {
                Self::sender("ResourceNotFoundException", "The specified log stream does not exist.")
            }
            LogsError::StreamExists => {
                Self::sender("ResourceAlreadyExistsException", "The specified log stream already exists")
            }
            LogsError::ResourceNotFound => {
                Self::sender("ResourceNotFoundException", "The specified resource does not exist.")
            }
            LogsError::InvalidParameter(text) => Self::sender("InvalidParameterException", text),
            LogsError::TooManyTags => Self::sender("TooManyTagsException", "A resource can have no more than 50 tags."),
            LogsError::NotImplemented(what) => {
                Self::sender("NotImplemented", format!("Neargate does not implement {what}")).with_status(501)
            }
            LogsError::Storage(text) => Self::internal(text),
        }
    }
}

impl From<JournalError> for LogsError {
    fn from(error: JournalError) -> Self {
        Self::Storage(error.to_string())
    }
}
