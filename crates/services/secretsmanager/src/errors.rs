//! The faults of Secrets Manager.
//!
//! Follows <https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html> and each operation's page.

use neargate_kernel::{Fault, PolicyFlaw};

/// What Secrets Manager refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretError {
    NotFound,
    StageNotFound(String),
    VersionNotFound(String),
    VersionOfStageNotFound,
    Exists(String),
    TokenInUse { token: String, arn: String },
    Deleted,
    AlreadyDeleted,
    NameIsDeleted,
    NameSpelling,
    ValueMissing,
    ValueTwice,
    ValueSize,
    RecoveryWindow,
    RecoveryWindowAndForce,
    StageIsElsewhere { stage: String, version: String },
    StageIsNotThere { stage: String, version: String },
    CurrentIsRemoved,
    NothingToMove,
    TagReserved,
    TagTwice,
    TagLimit,
    NextToken,
    ListAndFilters,
    NeitherListNorFilters,
    PasswordLength,
    PasswordAlphabet,
    Policy(PolicyFlaw),
    PublicPolicy,
    KmsDenied(String),
    Encryption(String),
    Decryption(String),
}

impl From<SecretError> for Fault {
    fn from(error: SecretError) -> Self {
        let (code, text) = (error.code(), error.text());
        match error {
            SecretError::Policy(flaw) => malformed(flaw),
            SecretError::KmsDenied(cause) | SecretError::Encryption(cause) | SecretError::Decryption(cause) => {
                Self::sender(code, text).with_hint(cause)
            }
            _ => Self::sender(code, text),
        }
    }
}

impl SecretError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::StageNotFound(_) | Self::VersionNotFound(_) => "ResourceNotFoundException",
            Self::Exists(_) | Self::TokenInUse { .. } => "ResourceExistsException",
            Self::VersionOfStageNotFound | Self::Deleted | Self::AlreadyDeleted | Self::NameIsDeleted => {
                "InvalidRequestException"
            }
            Self::NameSpelling => "ValidationException",
            Self::ValueMissing
            | Self::ValueTwice
            | Self::ValueSize
            | Self::RecoveryWindow
            | Self::RecoveryWindowAndForce
            | Self::StageIsElsewhere { .. }
            | Self::StageIsNotThere { .. }
            | Self::CurrentIsRemoved
            | Self::NothingToMove
            | Self::TagReserved
            | Self::TagTwice
            | Self::ListAndFilters
            | Self::NeitherListNorFilters
            | Self::PasswordLength
            | Self::PasswordAlphabet => "InvalidParameterException",
            Self::TagLimit => "LimitExceededException",
            Self::NextToken => "InvalidNextTokenException",
            Self::Policy(_) => "MalformedPolicyDocumentException",
            Self::PublicPolicy => "PublicPolicyException",
            Self::KmsDenied(_) => "AccessDeniedException",
            Self::Encryption(_) => "EncryptionFailure",
            Self::Decryption(_) => "DecryptionFailure",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::StageNotFound(stage) => {
                format!("Secrets Manager can't find the specified secret value for staging label: {stage}")
            }
            Self::VersionNotFound(id) => {
                format!("Secrets Manager can't find the specified secret value for VersionId: {id}")
            }
            Self::Exists(name) => format!("The operation failed because the secret {name} already exists."),
            Self::TokenInUse { token, arn } => format!(
                "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
            ),
            Self::StageIsElsewhere { stage, version } => format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version \
                 {version}, so you must explicitly reference that version in RemoveFromVersionId."
            ),
            Self::StageIsNotThere { stage, version } => {
                format!("The staging label {stage} isn't attached to version {version}.")
            }
            fixed => fixed.fixed_text().to_owned(),
        }
    }

    /// The text of an error that has only one.
    fn fixed_text(&self) -> &'static str {
        match self {
            Self::NotFound => "Secrets Manager can't find the specified secret.",
            Self::VersionOfStageNotFound => {
                "You provided a VersionStage that is not associated to the provided VersionId."
            }
            Self::Deleted => "You can't perform this operation on the secret because it was marked for deletion.",
            Self::AlreadyDeleted => {
                "You can't perform this operation on the secret because it was already scheduled for deletion."
            }
            Self::NameIsDeleted => {
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            }
            Self::NameSpelling => {
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
            }
            Self::ValueMissing => "You must provide either SecretString or SecretBinary.",
            Self::ValueTwice => {
                "You can't specify both a binary secret value and a string secret value in the same secret."
            }
            Self::ValueSize => "The secret value can't be longer than 65536 bytes.",
            Self::RecoveryWindow => "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            Self::RecoveryWindowAndForce => {
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            }
            Self::CurrentIsRemoved => {
                "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
            }
            Self::NothingToMove => "You must provide RemoveFromVersionId, MoveToVersionId or both.",
            Self::TagReserved => "Tag keys that begin with aws: are reserved.",
            Self::TagTwice => "A tag key may be given once only.",
            Self::TagLimit => "A secret can have at most 50 tags.",
            Self::NextToken => "Invalid NextToken.",
            Self::ListAndFilters => "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
            Self::NeitherListNorFilters => "You must include Filters or SecretIdList.",
            Self::PasswordLength => "The password length is too short to include a character of each required type.",
            Self::PasswordAlphabet => "No characters are left to make a password of.",
            Self::PublicPolicy => "The resource policy grants broad access to the secret and BlockPublicPolicy is set.",
            Self::KmsDenied(_) => "Access to KMS is not allowed",
            Self::Encryption(_) => {
                "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is \
                 available, enabled, and not in an invalid state."
            }
            Self::Decryption(_) => {
                "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
            }
            Self::StageNotFound(_)
            | Self::VersionNotFound(_)
            | Self::Exists(_)
            | Self::TokenInUse { .. }
            | Self::StageIsElsewhere { .. }
            | Self::StageIsNotThere { .. }
            | Self::Policy(_) => "",
        }
    }
}

fn malformed(flaw: PolicyFlaw) -> Fault {
    let fault = |text: String| Fault::sender("MalformedPolicyDocumentException", text);
    match flaw {
        PolicyFlaw::Document { text, hint } if hint.is_empty() => fault(text),
        PolicyFlaw::Document { text, hint } => fault(text).with_hint(hint),
        PolicyFlaw::Principal(arn) => fault("This resource policy contains an unsupported principal.".to_owned())
            .with_hint(format!("`{arn}` does not exist")),
    }
}
