//! The faults of the STS API.
//!
//! Follows <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_decide::Malformed;
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
    DuplicateTags,
    TransitiveConflict,
    TransitiveUnknown,
    SessionPolicies,
    MalformedPolicy(Malformed),
}

impl From<StsError> for Fault {
    fn from(error: StsError) -> Self {
        let invalid = |text: String| Self::sender("ValidationError", text);
        let parameter = |text: &str| Self::sender("InvalidParameterValue", text);
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
            StsError::DuplicateTags => {
                parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
            }
            StsError::TransitiveConflict => parameter(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
            ),
            StsError::TransitiveUnknown => {
                parameter("The specified transitive tag key must be included in the requested tags.")
            }
            StsError::SessionPolicies => invalid("The number of policy ARNs exceeds the limit of 10.".to_owned()),
            StsError::MalformedPolicy(malformed) => {
                let fault = Self::sender("MalformedPolicyDocument", malformed.to_string());
                match malformed.hint() {
                    Some(hint) => fault.with_hint(hint),
                    None => fault,
                }
            }
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
