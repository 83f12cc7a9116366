//! The faults of the Lambda API.
//!
//! Follows <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html#API_GetFunction_Errors> and its siblings.

use neargate_kernel::Fault;

/// What Lambda refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LambdaError {
    /// Carries the ARN, with the qualifier where one was asked for.
    NotFound(String),
    Exists(String),
    /// Carries the reason.
    RoleNotAssumable(String),
    CodeSource,
}

impl From<LambdaError> for Fault {
    fn from(error: LambdaError) -> Self {
        match error {
            LambdaError::NotFound(arn) => {
                Self::sender("ResourceNotFoundException", format!("Function not found: {arn}")).with_status(404)
            }
            LambdaError::Exists(name) => {
                Self::sender("ResourceConflictException", format!("Function already exist: {name}")).with_status(409)
            }
            LambdaError::CodeSource => {
                let text = "Please provide exactly one source for function code: an S3 bucket and key, an image or a zip file.";
                Self::sender("InvalidParameterValueException", text)
            }
            LambdaError::RoleNotAssumable(reason) => {
                let text = "The role defined for the function cannot be assumed by Lambda.";
                Self::sender("InvalidParameterValueException", text).with_hint(reason)
            }
        }
    }
}
