//! The faults of the ECS API.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::Fault;

/// What ECS refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EcsError {
    ClusterNotFound,
    ClusterContainsTasks,
    Conflict(Vec<String>),
    InvalidParameter(String),
    Client(String),
    UnknownSize { cpu: String, memory: String, hint: String },
    SecretName(String),
    TaskDefinitionNotFound,
    TaskNotFound,
    ResourceNotFound,
}

impl From<EcsError> for Fault {
    fn from(error: EcsError) -> Self {
        use EcsError::{
            Client, ClusterContainsTasks, ClusterNotFound, Conflict, InvalidParameter, ResourceNotFound, SecretName,
            TaskDefinitionNotFound, TaskNotFound, UnknownSize,
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
            TaskNotFound => Self::sender("InvalidParameterException", "The referenced task was not found."),
            ResourceNotFound => Self::sender(
                "InvalidParameterException",
                "The specified resource cannot be found. Check the ARN and try again.",
            ),
        }
    }
}
