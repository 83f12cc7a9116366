//! The faults of the ECS API.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::Fault;
use neargate_kit::TagFlaw;

/// What ECS refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EcsError {
    ClusterNotFound,
    ClusterContainsTasks,
    Conflict(Vec<String>),
    InvalidParameter(String),
    InvalidRole(String),
    Client(String),
    UnknownSize { cpu: String, memory: String, hint: String },
    SecretName(String),
    TaskDefinitionNotFound,
    TaskNotFound,
    UnknownProvider(String),
    ProviderNotOfCluster { provider: String, has: Vec<String> },
    ProviderInUse,
    NoWeight,
    PlatformUnknown,
    PlatformIncompatible,
    ResourceNotFound,
}

impl From<TagFlaw> for EcsError {
    fn from(flaw: TagFlaw) -> Self {
        Self::InvalidParameter(match flaw {
            TagFlaw::Reserved(_) => "aws: prefixed tag key names are not allowed for external use.".to_owned(),
            TagFlaw::Twice(key) => format!("Duplicate tag key: {key}"),
            TagFlaw::TooMany => "A resource can have up to 50 tags.".to_owned(),
        })
    }
}

impl From<EcsError> for Fault {
    fn from(error: EcsError) -> Self {
        use EcsError::{
            Client, ClusterContainsTasks, ClusterNotFound, Conflict, InvalidParameter, InvalidRole, NoWeight,
            PlatformIncompatible, PlatformUnknown, ProviderInUse, ProviderNotOfCluster, ResourceNotFound, SecretName,
            TaskDefinitionNotFound, TaskNotFound, UnknownProvider, UnknownSize,
        };
        match error {
            ClusterNotFound => Self::sender("ClusterNotFoundException", "Cluster not found."),
            ClusterContainsTasks => {
                Self::sender("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
            }
            Conflict(tasks) => Self::sender(
                "ConflictException",
                "The provided clientToken is already in use with a different RunTask request.",
            )
            .with_hint(format!("it has started {}", tasks.join(", "))),
            InvalidRole(role) => Self::sender("ClientException", "Role is not valid")
                .with_hint(format!("got `{role}`, expected the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME")),
            InvalidParameter(text) => Self::sender("InvalidParameterException", text),
            Client(text) => Self::sender("ClientException", text),
            UnknownSize { cpu, memory, hint } => {
                Self::sender("ClientException", "No Fargate configuration exists for given values.")
                    .with_hint(format!("cpu `{cpu}` and memory `{memory}`: {hint}"))
            }
            SecretName(name) => Self::sender(
                "ClientException",
                format!(
                    "The secret name must be unique and not shared with any new or existing environment variables set on the \
                     container, such as '{name}'."
                ),
            ),
            TaskDefinitionNotFound => Self::sender("ClientException", "Unable to describe task definition."),
            UnknownProvider(name) => Self::sender(
                "InvalidParameterException",
                "The specified capacity provider was not found. Specify a valid capacity provider and try again.",
            )
            .with_hint(format!("there is no `{name}`: Fargate's are FARGATE and FARGATE_SPOT")),
            ProviderNotOfCluster { provider, has } => Self::sender(
                "InvalidParameterException",
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the \
                 cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.",
            )
            .with_hint(format!(
                "the cluster has {}; associate `{provider}` with `AWS::ECS::ClusterCapacityProviderAssociations` (CDK: \
                 `enableFargateCapacityProviders`) or PutClusterCapacityProviders",
                if has.is_empty() { "no capacity provider".to_owned() } else { format!("`{}`", has.join("`, `")) }
            )),
            ProviderInUse => Self::sender(
                "ResourceInUseException",
                "The specified capacity provider is in use and cannot be removed.",
            ),
            NoWeight => Self::sender(
                "InvalidParameterException",
                "There are no capacity providers with a weight value greater than zero defined in the capacity provider \
                 strategy. At least one capacity provider must have a weight value greater than zero specified.",
            ),
            PlatformUnknown => {
                Self::sender("PlatformUnknownException", "The specified platform does not exist.")
            }
            PlatformIncompatible => Self::sender(
                "PlatformTaskDefinitionIncompatibilityException",
                "The specified platform version does not satisfy the task definition's required capabilities.",
            ),
            TaskNotFound => Self::sender("InvalidParameterException", "The referenced task was not found."),
            ResourceNotFound => Self::sender(
                "InvalidParameterException",
                "The specified resource cannot be found. Check the ARN and try again.",
            ),
        }
    }
}
