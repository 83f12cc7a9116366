//! What evaluation asks of the world around a template.
//!
//! Invariant: every question may be answered with `None`, which makes the value *unknown*, never wrong.

use std::fmt;

use neargate_base::Scope;
use serde_json::Value as Json;

/// Answers what a template alone cannot say.
pub trait Environment {
    /// A pseudo parameter such as `AWS::Region`; [`pseudo`] answers all of them. `AWS::NoValue` is never asked for.
    fn pseudo(&self, name: &str) -> Option<Json>;

    /// What `Ref` yields for a resource: its physical id, once it has been made.
    fn reference(&self, logical_id: &str) -> Option<Json>;

    /// What `Fn::GetAtt` yields for a resource, once it has been made.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Json>;

    /// The value of an export in this account and region.
    fn import(&self, _export: &str) -> Option<Json> {
        None
    }

    /// The value of another stack's output.
    fn stack_output(&self, _output: &StackOutput) -> Option<Json> {
        None
    }

    /// The availability zones of a region, in order.
    fn availability_zones(&self, _region: &str) -> Option<Vec<String>> {
        None
    }

    /// The value of an SSM parameter, for parameters of type `AWS::SSM::Parameter::Value<…>`.
    fn ssm_parameter(&self, _name: &str) -> Option<String> {
        None
    }

    /// What a dynamic reference such as `{{resolve:ssm:/path}}` stands for.
    fn dynamic_reference(&self, _reference: &DynamicReference) -> Option<String> {
        None
    }
}

/// What `Fn::GetStackOutput` asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackOutput {
    /// The stack's name, or its ARN.
    pub stack: String,
    /// The output's name.
    pub output: String,
    /// The stack's region; this stack's own where absent.
    pub region: Option<String>,
    /// The role to assume for it.
    pub role_arn: Option<String>,
}

/// `{{resolve:service:key}}`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DynamicReference {
    /// `ssm`: a parameter's name and version.
    Ssm {
        /// The parameter's name.
        name: String,
        /// The version; the latest where absent.
        version: Option<u64>,
    },
    /// `ssm-secure`: a secure parameter's name and version.
    SsmSecure {
        /// The parameter's name.
        name: String,
        /// The version; the latest where absent.
        version: Option<u64>,
    },
    /// `secretsmanager`.
    Secret {
        /// The secret's name or ARN.
        secret_id: String,
        /// A key of the secret's JSON; the whole secret string where absent.
        json_key: Option<String>,
        /// `AWSCURRENT` where absent.
        version_stage: Option<String>,
        /// The version's id.
        version_id: Option<String>,
    },
}

/// What a value depends on that is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unknown {
    /// A pseudo parameter.
    Pseudo(String),
    /// A parameter without a value.
    Parameter(String),
    /// An SSM parameter that a parameter's value names.
    SsmParameter(String),
    /// A resource's physical id.
    Reference(String),
    /// A resource's attribute.
    Attribute(String, String),
    /// A resource that its condition excludes.
    Excluded(String),
    /// An export.
    Import(String),
    /// Another stack's output.
    StackOutput(StackOutput),
    /// A region's availability zones.
    AvailabilityZones(String),
    /// A dynamic reference.
    Dynamic(DynamicReference),
    /// A rules function that asks AWS about a parameter's value, by its name.
    Lookup(&'static str),
}

impl Unknown {
    /// What AWS answers where this is not only unknown but does not exist.
    pub fn refusal(&self) -> String {
        match self {
            Self::Import(name) => format!("No export named {name} found."),
            Self::StackOutput(StackOutput { stack, output, .. }) => {
                format!("Output {output} of stack {stack} does not exist")
            }
            Self::Reference(name) | Self::Excluded(name) => format!(
                "Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
            ),
            Self::Attribute(resource, attribute) => {
                format!("Attribute '{attribute}' does not exist for resource {resource}")
            }
            Self::Parameter(name) => format!("Parameters: [{name}] must have values"),
            Self::SsmParameter(name) => {
                format!("Unable to fetch parameters [{name}] from parameter store for this account.")
            }
            Self::Dynamic(DynamicReference::Secret { .. }) => {
                "Secrets Manager can't find the specified secret.".to_owned()
            }
            Self::Dynamic(DynamicReference::Ssm { name, .. } | DynamicReference::SsmSecure { name, .. }) => {
                format!("Unable to fetch parameters [{name}] from parameter store for this account.")
            }
            Self::Pseudo(_) | Self::AvailabilityZones(_) | Self::Lookup(_) => {
                format!("Template error: {self} is not known")
            }
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pseudo(name) | Self::Parameter(name) | Self::Reference(name) => write!(f, "`{name}`"),
            Self::Attribute(resource, attribute) => write!(f, "`{resource}.{attribute}`"),
            Self::SsmParameter(name) => write!(f, "the SSM parameter `{name}`"),
            Self::Excluded(name) => write!(f, "`{name}`, which its condition excludes"),
            Self::Import(name) => write!(f, "the export `{name}`"),
            Self::StackOutput(StackOutput { stack, output, .. }) => write!(f, "the output `{output}` of `{stack}`"),
            Self::AvailabilityZones(region) => write!(f, "the availability zones of `{region}`"),
            Self::Dynamic(reference) => write!(f, "`{reference}`"),
            Self::Lookup(function) => write!(f, "what `{function}` asks for"),
        }
    }
}

/// The pseudo parameters of a stack; `None` for a name that is none, and for `AWS::StackId` without a `stack_id`.
pub fn pseudo(scope: &Scope, stack_name: &str, stack_id: Option<&str>, name: &str) -> Option<Json> {
    let partition = scope.region.partition();
    Some(match name {
        "AWS::AccountId" => scope.account.as_str().into(),
        "AWS::NotificationARNs" => Json::Array(vec![]),
        "AWS::Partition" => partition.as_str().into(),
        "AWS::Region" => scope.region.as_str().into(),
        "AWS::StackId" => stack_id?.into(),
        "AWS::StackName" => stack_name.into(),
        "AWS::URLSuffix" => partition.url_suffix().into(),
        _ => return None,
    })
}

/// An environment that knows where a stack is to live and nothing else: for checking before anything is made.
#[derive(Clone, Debug)]
pub struct Undeployed {
    /// The account and region.
    pub scope: Scope,
    /// The stack's name.
    pub stack_name: String,
}

impl Environment for Undeployed {
    fn pseudo(&self, name: &str) -> Option<Json> {
        pseudo(&self.scope, &self.stack_name, None, name)
    }

    fn reference(&self, _logical_id: &str) -> Option<Json> {
        None
    }

    fn attribute(&self, _logical_id: &str, _attribute: &str) -> Option<Json> {
        None
    }
}
