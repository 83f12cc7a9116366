//! The faults of the STS API.
//!
//! Follows <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::Fault;

/// What STS refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StsError {
    /// A session whose role is gone.
    InvalidToken,
    /// Carries AWS's text, with the reason in parentheses after it.
    NotTrusted(String),
    RoleArn(String),
    RoleDuration,
    ChainedDuration,
}

impl From<StsError> for Fault {
    fn from(error: StsError) -> Self {
        let invalid = |text: String| Self::sender("ValidationError", text);
        match error {
            StsError::InvalidToken => {
                Self::sender("InvalidClientTokenId", "The security token included in the request is invalid.")
                    .with_status(403)
                    .with_hint("the session's role was deleted")
            }
            StsError::NotTrusted(text) => {
                let denied = |text: &str| Self::sender("AccessDenied", text).with_status(403);
                match text.split_once(" (") {
                    Some((text, reason)) => denied(text).with_hint(reason.strip_suffix(')').unwrap_or(reason)),
                    None => denied(&text),
                }
            }
            StsError::RoleArn(text) => invalid(format!("{text} is invalid")),
            StsError::RoleDuration => {
                invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned())
            }
            StsError::ChainedDuration => invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
                    .to_owned(),
            ),
        }
    }
}
