//! The faults of KMS.
//!
//! Follows <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::{Fault, PolicyFlaw};

/// What KMS refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KmsError {
    KeyNotFound(String),
    AliasNotFound(String),
    InvalidKeyId(String),
    InvalidArn(String),
    Disabled(String),
    PendingDeletion(String),
    NotPendingDeletion(String),
    InvalidCiphertext,
    IncorrectKey,
    AliasExists(String),
    AliasPrefix,
    AliasReserved,
    AliasSpelling(String),
    AliasOfManagedKey,
    NumberOfBytesOrKeySpec,
    NumberOfBytesMissing,
    CiphertextMissing,
    DeletionWindow,
    RotationLimit(String),
    PolicyName,
    Policy(PolicyFlaw),
    PolicySize,
    PolicyLockout,
    TagKeyReserved,
    TagKeyTwice,
    TagLimit,
    Marker,
    GrantNotFound(String),
    GrantToken,
    GranteeMissing,
    GranteePrincipal(String),
    RetireWhat,
    DryRun,
}

impl From<KmsError> for Fault {
    fn from(error: KmsError) -> Self {
        use KmsError as E;
        let invalid = |text: &str| Self::validation(text);
        let state = |text: String| Self::sender("KMSInvalidStateException", text);
        let not_found = |text: String| Self::sender("NotFoundException", text);
        match error {
            E::KeyNotFound(arn) => not_found(format!("Key '{arn}' does not exist")),
            E::AliasNotFound(arn) => not_found(format!("Alias {arn} is not found.")),
            E::InvalidKeyId(id) => not_found(format!("Invalid keyId '{id}'")),
            E::InvalidArn(arn) => Self::sender("InvalidArnException", format!("Invalid arn {arn}")),
            E::Disabled(arn) => Self::sender("DisabledException", format!("{arn} is disabled.")),
            E::PendingDeletion(arn) => state(format!("{arn} is pending deletion.")),
            E::NotPendingDeletion(arn) => state(format!("{arn} is not pending deletion.")),
            // AWS says no more than the code.
            E::InvalidCiphertext => Self::sender("InvalidCiphertextException", ""),
            E::IncorrectKey => Self::sender(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            ),
            E::AliasExists(arn) => {
                Self::sender("AlreadyExistsException", format!("An alias with the name {arn} already exists"))
            }
            E::AliasPrefix => Self::sender("InvalidAliasNameException", "Alias must start with the prefix \"alias/\"."),
            E::AliasReserved => {
                Self::sender("NotAuthorizedException", "Aliases that begin with \"alias/aws/\" are reserved.")
            }
            E::AliasSpelling(name) => {
                Self::sender("InvalidAliasNameException", format!("{name} contains invalid characters for an alias"))
            }
            E::AliasOfManagedKey => {
                Self::sender("NotAuthorizedException", "The alias of an AWS managed key cannot be changed.")
            }
            E::NumberOfBytesOrKeySpec => invalid("Please specify either number of bytes or key spec."),
            E::NumberOfBytesMissing => invalid("NumberOfBytes is required."),
            E::CiphertextMissing => invalid("CiphertextBlob is required."),
            E::DeletionWindow => invalid("PendingWindowInDays must be between 7 and 30 days."),
            E::RotationLimit(arn) => Self::sender(
                "LimitExceededException",
                format!("The on-demand rotations limit has been reached for the given keyId {arn}."),
            ),
            E::PolicyName => not_found("No such policy exists".to_owned()),
            E::Policy(flaw) => malformed(flaw),
            E::PolicySize => Self::sender("LimitExceededException", "The key policy exceeds the quota of 32768 bytes."),
            E::PolicyLockout => Self::sender(
                "MalformedPolicyDocumentException",
                "The new key policy will not allow you to update the key policy in the future.",
            ),
            E::TagKeyReserved => Self::sender("TagException", "Tags beginning with aws: are reserved"),
            E::TagKeyTwice => Self::sender("TagException", "Duplicate tag keys"),
            E::TagLimit => Self::sender("LimitExceededException", "Too many tags"),
            E::Marker => Self::sender("InvalidMarkerException", "Could not deserialize marker"),
            E::GrantNotFound(id) => not_found(format!("Grant ID {id} not found")),
            E::GrantToken => Self::sender("InvalidGrantTokenException", "Invalid grant token"),
            E::GranteeMissing => invalid("GranteePrincipal is required."),
            E::GranteePrincipal(arn) => {
                Self::sender("InvalidArnException", format!("ARN does not refer to a valid principal: {arn}"))
            }
            E::RetireWhat => invalid("Must specify either grant token or both the key id and the grant id."),
            E::DryRun => Self::sender(
                "DryRunOperationException",
                "The request would have succeeded, but the DryRun option is set.",
            )
            .with_status(412),
        }
    }
}

fn malformed(flaw: PolicyFlaw) -> Fault {
    let fault = |text: String| Fault::sender("MalformedPolicyDocumentException", text);
    match flaw {
        PolicyFlaw::Document { text, hint } if hint.is_empty() => fault(text),
        PolicyFlaw::Document { text, hint } => fault(text).with_hint(hint),
        PolicyFlaw::Principal(arn) => {
            fault("Policy contains a statement with one or more invalid principals.".to_owned())
                .with_hint(format!("`{arn}` does not exist"))
        }
    }
}
