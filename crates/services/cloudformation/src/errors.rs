//! The faults of the CloudFormation API.

use neargate_kernel::Fault;

/// The code of a fault about an export that does not exist. It fails a stack as a whole, so it never leaves this crate.
pub(crate) const NO_EXPORT: &str = "NoExport";

/// What CloudFormation refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloudFormationError {
    Validation(String),
    StackMissing(String),
    NoExport(String),
    StackExists(String),
    Capabilities(&'static str),
}

impl From<CloudFormationError> for Fault {
    fn from(error: CloudFormationError) -> Self {
        match error {
            CloudFormationError::Validation(text) => Self::sender("ValidationError", text),
            CloudFormationError::StackMissing(name) => {
                Self::sender("ValidationError", format!("Stack with id {name} does not exist"))
            }
            CloudFormationError::NoExport(text) => Self::sender(NO_EXPORT, text),
            CloudFormationError::StackExists(name) => {
                Self::sender("AlreadyExistsException", format!("Stack [{name}] already exists"))
            }
            CloudFormationError::Capabilities(name) => {
                Self::sender("InsufficientCapabilitiesException", format!("Requires capabilities : [{name}]"))
            }
        }
    }
}
