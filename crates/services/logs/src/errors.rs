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
    /// The policy of a group's key does not let CloudWatch Logs do this with it.
    KeyDenied {
        group: String,
        key: String,
        service: String,
        action: String,
    },
    /// A statement forbids CloudWatch Logs to do this with a group's key.
    KeyForbidden {
        group: String,
        key: String,
        action: String,
        by: String,
    },
    /// A group's key is gone or switched off.
    KeyUnusable {
        group: String,
        cause: String,
    },
    /// What is given as a key is no ARN of one.
    KeyNotFound(String),
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
            // AWS's reference has `InvalidParameterException` for keys that do not exist or are disabled; what its service answers
            // when the key policy lacks it is a denial of the same text. Reading and writing are said to fail, not how: as this.
            LogsError::KeyDenied { group, key, service, action } => {
                Self::sender("AccessDeniedException", key_text(&group)).with_hint(format!(
                    "CloudWatch Logs may not kms:{action}: the policy of key `{key}` lacks the statement {{\"Effect\": \"Allow\", \
                     \"Principal\": {{\"Service\": \"{service}\"}}, \"Action\": [\"kms:Encrypt*\", \"kms:Decrypt*\", \
                     \"kms:ReEncrypt*\", \"kms:GenerateDataKey*\", \"kms:Describe*\"], \"Resource\": \"*\", \"Condition\": \
                     {{\"ArnEquals\": {{\"kms:EncryptionContext:aws:logs:arn\": \"{group}\"}}}}}}; \
                     `neargate try APP --fix-log-key` adds it"
                ))
            }
            LogsError::KeyForbidden { group, key, action, by } => {
                Self::sender("AccessDeniedException", key_text(&group))
                    .with_hint(format!("CloudWatch Logs may not kms:{action} with key `{key}`: {by}"))
            }
            LogsError::KeyUnusable { group, cause } => {
                Self::sender("InvalidParameterException", key_text(&group)).with_hint(cause)
            }
            LogsError::KeyNotFound(key) => {
                Self::sender("InvalidParameterException", "The specified KMS Key Id could not be found.")
                    .with_hint(format!("got `{key}`, expected the ARN of a key or of an alias"))
            }
            LogsError::NotImplemented(what) => {
                Self::sender("NotImplemented", format!("Neargate does not implement {what}")).with_status(501)
            }
            LogsError::Storage(text) => Self::internal(text),
        }
    }
}

fn key_text(group: &str) -> String {
    format!("The specified KMS key does not exist or is not allowed to be used with Arn '{group}'")
}

impl From<JournalError> for LogsError {
    fn from(error: JournalError) -> Self {
        Self::Storage(error.to_string())
    }
}
