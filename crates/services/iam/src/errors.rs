//! The faults of the IAM API.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::Fault;

use crate::aws_managed::known::{is_arn, like};
use neargate_decide::Malformed;

/// What IAM refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IamError {
    RoleNotFound(String),
    RolePolicyNotFound(String),
    PolicyNotFound(String),
    PolicyNotAttachable(String),
    PolicyNotAttached(String),
    TextUnknown(String),
    VersionNotFound { policy: String, version: String },
    RoleExists(String),
    PolicyExists(String),
    RoleHasAttachedPolicies,
    RoleHasInlinePolicies,
    PolicyIsAttached,
    PolicyHasVersions,
    DefaultVersion,
    Versions,
    AwsManaged,
    Quota { name: &'static str, max: usize },
    InlineSize { role: String, max: usize },
    Malformed(Malformed),
}

impl From<Malformed> for IamError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<IamError> for Fault {
    fn from(error: IamError) -> Self {
        use IamError as E;
        let missing = |text: String| Self::sender("NoSuchEntity", text).with_status(404);
        let exists = |text: String| Self::sender("EntityAlreadyExists", text).with_status(409);
        let conflict = |text: &str| Self::sender("DeleteConflict", text).with_status(409);
        let limit = |text: String| Self::sender("LimitExceeded", text).with_status(409);
        match error {
            E::RoleNotFound(name) => missing(format!("The role with name {name} cannot be found.")),
            E::RolePolicyNotFound(name) => missing(format!("The role policy with name {name} cannot be found.")),
            E::PolicyNotFound(arn) => known_policies(&arn, missing(format!("Policy {arn} was not found."))),
            E::PolicyNotAttachable(arn) => {
                known_policies(&arn, missing(format!("Policy {arn} does not exist or is not attachable.")))
            }
            E::PolicyNotAttached(arn) => missing(format!("Policy {arn} was not found.")),
            E::TextUnknown(arn) => Self::sender("NotImplemented", format!("Neargate does not have the text of {arn}"))
                .with_status(501),
            E::VersionNotFound { policy, version } => {
                missing(format!("Policy {policy} version {version} does not exist or is not attachable."))
            }
            E::RoleExists(name) => exists(format!("Role with name {name} already exists.")),
            E::PolicyExists(name) => {
                exists(format!("A policy called {name} already exists. Duplicate names are not allowed."))
            }
            E::RoleHasAttachedPolicies => conflict("Cannot delete entity, must detach all policies first."),
            E::RoleHasInlinePolicies => conflict("Cannot delete entity, must delete policies first."),
            E::PolicyIsAttached => conflict("Cannot delete a policy attached to entities."),
            E::PolicyHasVersions => conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy.",
            ),
            E::DefaultVersion => conflict("Cannot delete the default version of a policy."),
            E::Versions => limit(
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
                    .to_owned(),
            ),
            E::AwsManaged => Self::sender("AccessDenied", "Only resources owned by the caller's account can be changed.")
                .with_status(403),
            E::Quota { name, max } => limit(format!("Cannot exceed quota for {name}: {max}")),
            E::InlineSize { role, max } => limit(format!("Maximum policy size of {max} bytes exceeded for role {role}")),
            E::Malformed(malformed) => {
                let fault = Self::sender("MalformedPolicyDocument", malformed.to_string());
                match malformed.hint() {
                    Some(hint) => fault.with_hint(hint),
                    None => fault,
                }
            }
        }
    }
}

/// Tells which AWS-managed policies have like names, where one that is not was asked for.
fn known_policies(arn: &str, fault: Fault) -> Fault {
    if !is_arn(arn) {
        return fault;
    }
    let like = like(arn.rsplit('/').next().unwrap_or_default());
    match like.as_slice() {
        [] => fault.with_hint("AWS has no managed policy of this name"),
        like => fault.with_hint(format!("AWS's managed policies with such a name: {}", like.join(", "))),
    }
}
