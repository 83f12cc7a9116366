//! The faults of Parameter Store.
//!
//! Follows <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html> and each operation's page.

use neargate_kernel::Fault;

/// What Parameter Store refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SsmError {
    NotFound(String),
    VersionNotFound {
        name: String,
        version: String,
    },
    LabelNotFound {
        name: String,
        label: String,
    },
    AlreadyExists,
    ReservedName(String),
    NameNotQualified,
    NameSpelling,
    NamePrefix,
    HierarchyLevels,
    PathSpelling,
    EmptyValue,
    NestedValue,
    StandardSize,
    AdvancedSize,
    TierDowngrade,
    TypeMissing,
    TypeChanged {
        from: String,
        to: String,
    },
    TagsAndOverwrite,
    DataType(String),
    KeyIdNotSecure,
    SecureStringInStack,
    /// The caller may not use the key; in KMS's words.
    KmsDenied(String),
    /// The key does not serve; in KMS's words.
    InvalidKeyId(String),
    NextToken,
    FilterKey(String),
    FilterOption(String),
    ResourceId,
}

const NAME_PARTS: &str = "If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed \
                          as a mix of letters, numbers and the following 3 symbols .-_";
const TIERS: &str =
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html";
const PATH_SPELLING: &str = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a \
                             forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must \
                             use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). \
                             Special characters are not allowed. All sub-paths, if specified, must use the forward slash \
                             symbol \"/\". Valid example: /get/parameters2-/by1./path0_.";
const EMPTY_VALUE: &str = "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length \
                           greater than or equal to 1.";
/// From memory.
const NESTED_VALUE: &str = "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.";
const TAGS_AND_OVERWRITE: &str = "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, \
                                  please remove overwrite flag. To update tags for an existing parameter, please use \
                                  AddTagsToResource or RemoveTagsFromResource.";

impl From<SsmError> for Fault {
    fn from(error: SsmError) -> Self {
        use SsmError as E;
        let invalid = |text: String| Self::validation(text);
        let no_version = |what: String, which: &str| {
            let text = format!("Systems Manager could not find {what}. Verify the {which} and try again.");
            Self::sender("ParameterVersionNotFound", text)
        };
        match error {
            E::NotFound(name) => not_found(&name),
            E::VersionNotFound { name, version } => no_version(format!("version {version} of {name}"), "version"),
            E::LabelNotFound { name, label } => no_version(format!("the label {label} for {name}"), "label"),
            E::AlreadyExists => Self::sender(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ),
            E::ReservedName(name) => {
                Self::sender("AccessDeniedException", format!("No access to reserved parameter name: {name}."))
            }
            E::NameNotQualified => invalid("Parameter name must be a fully qualified name.".to_owned()),
            E::NamePrefix => {
                invalid("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).".to_owned())
            }
            E::NameSpelling => {
                invalid(format!("Parameter name: can't be prefixed with \"ssm\" (case-insensitive). {NAME_PARTS}"))
            }
            E::HierarchyLevels => Self::sender(
                "HierarchyLevelLimitExceededException",
                "A hierarchy can have a maximum of 15 levels. Reduce the number of levels in the parameter name.",
            ),
            E::PathSpelling => invalid(PATH_SPELLING.to_owned()),
            E::EmptyValue => invalid(EMPTY_VALUE.to_owned()),
            E::NestedValue => invalid(NESTED_VALUE.to_owned()),
            E::StandardSize => invalid(format!(
                "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter \
                 value, upgrade the parameter to use the advanced-parameter tier. For more information, see {TIERS}"
            )),
            E::AdvancedSize => {
                invalid("Advanced tier parameters support a maximum parameter value of 8192 characters.".to_owned())
            }
            E::TierDowngrade => invalid(format!(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter \
                 tier to the standard-parameter tier. For more information, see {TIERS}"
            )),
            E::TypeMissing => invalid("A parameter type is required when you create a parameter.".to_owned()),
            E::TypeChanged { from, to } => Self::sender(
                "HierarchyTypeMismatchException",
                format!(
                    "The parameter type can't be changed from {from} to {to}. Create a new parameter with a unique name."
                ),
            ),
            E::TagsAndOverwrite => invalid(TAGS_AND_OVERWRITE.to_owned()),
            E::DataType(name) => invalid(format!(
                "The following data type is not supported: {name} (Data type names are all lowercase.)"
            )),
            E::KeyIdNotSecure => invalid("KeyId is required for SecureString type parameter only.".to_owned()),
            E::SecureStringInStack => {
                invalid("SSM Parameters of type SecureString cannot be created using CloudFormation".to_owned())
                    .with_hint("make it with `PutParameter`, or use a secret of Secrets Manager")
            }
            E::KmsDenied(text) => Self::sender("AccessDeniedException", text),
            E::InvalidKeyId(text) => Self::sender("InvalidKeyId", text),
            E::NextToken => Self::sender("InvalidNextToken", "The specified token isn't valid."),
            E::FilterKey(key) => Self::sender("InvalidFilterKey", format!("The filter key {key} is not valid here.")),
            E::FilterOption(option) => {
                Self::sender("InvalidFilterOption", format!("The filter option {option} is not valid."))
            }
            E::ResourceId => Self::sender(
                "InvalidResourceId",
                "The resource ID is not valid. Verify that you entered the correct ID and try again.",
            ),
        }
    }
}

/// AWS says no more than the code.
fn not_found(name: &str) -> Fault {
    let fault = Fault::sender("ParameterNotFound", "");
    if name.starts_with("/aws/") {
        return fault.with_hint(format!(
            "`{name}` is a public parameter of AWS; Neargate has those that `[fixtures.ssm]` provides"
        ));
    }
    fault.with_hint(format!("no parameter `{name}` in this account and region"))
}
