//! What makes a document unacceptable, in AWS's words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the last part of an ARN of IAM may begin.
pub(crate) const IAM_PATHS: &[&str] = &[
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// What a document is for. Decides which elements it must and must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Says what its roles may do, as a managed policy.
    Identity,
    /// Says what its role or its session may do, as a policy of theirs alone.
    Inline,
    /// Says who may assume its role.
    Trust,
    /// Says who may do what to its resource.
    Resource,
}

/// Why a document is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// No JSON, or another structure than a policy's. Carries what is wrong, for the hint.
    Syntax(Kind, String),
    /// What AWS's first parser of policies does not take. Carries what is wrong, for the hint.
    Legacy(String),
    /// An identity policy in the old version of the language.
    Version,
    /// Two statements of one id.
    Sid,
    /// A statement without actions.
    NoActions,
    /// A statement without resources.
    NoResources,
    /// An action that is neither `*` nor `service:action`.
    Vendor,
    /// An action with more than one colon.
    Colons,
    /// An action's service that no service can have.
    VendorName(String),
    /// A resource that is neither `*` nor an ARN.
    Resource(String),
    /// A resource in a partition that does not exist.
    Partition {
        /// The partition.
        partition: String,
        /// The resource, what it lacks of an ARN filled in.
        shown: String,
    },
    /// A resource that ends before its service.
    ResourceVendor,
    /// A resource of IAM with a region.
    IamRegion(String),
    /// A resource of S3 with a region.
    S3Region(String),
    /// A resource of IAM that nothing of IAM can have.
    IamPath,
    /// An identity policy that names principals.
    Principal,
    /// A trust policy without principals.
    NoPrincipal,
    /// A trust policy with an element that it must not have.
    Prohibited(&'static str),
    /// A trust policy that allows something else than assuming the role.
    NotAssumeRole,
    /// A condition operator that does not exist.
    Operator(String),
    /// A principal that does not exist.
    InvalidPrincipal(String),
}

impl Malformed {
    /// What the text does not say.
    pub fn hint(&self) -> Option<&str> {
        if let Self::Syntax(_, hint) | Self::Legacy(hint) = self { Some(hint) } else { None }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(Kind::Identity | Kind::Inline | Kind::Resource, _) => f.write_str("Syntax errors in policy."),
            Self::Syntax(Kind::Trust, _) => f.write_str("This policy contains invalid Json"),
            Self::Legacy(_) => f.write_str("The policy failed legacy parsing"),
            Self::Version => f.write_str("Policy document must be version 2012-10-17 or greater."),
            Self::Sid => f.write_str("Statement IDs (SID) in a single policy must be unique."),
            Self::NoActions => f.write_str("Policy statement must contain actions."),
            Self::NoResources => f.write_str("Policy statement must contain resources."),
            Self::Vendor => f.write_str("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
            Self::Colons => f.write_str("Actions/Condition can contain only one colon."),
            Self::VendorName(name) => write!(f, "Vendor {name} is not valid"),
            Self::Resource(text) => write!(f, "Resource {text} must be in ARN format or \"*\"."),
            Self::Partition { partition, shown } => {
                write!(f, "Partition \"{partition}\" is not valid for resource \"{shown}\".")
            }
            Self::ResourceVendor => f.write_str("Resource vendor must be fully qualified and cannot contain regexes."),
            Self::IamRegion(arn) => write!(f, "IAM resource {arn} cannot contain region information."),
            Self::S3Region(arn) => write!(f, "Resource {arn} can not contain region information."),
            Self::IamPath => {
                let starts = IAM_PATHS.join(", ");
                write!(f, "IAM resource path must either be \"*\" or start with {starts}.")
            }
            Self::Principal => f.write_str("Policy document should not specify a principal."),
            Self::NoPrincipal => f.write_str("Missing required field Principal"),
            Self::Prohibited(name) => write!(f, "Has prohibited field {name}"),
            Self::NotAssumeRole => f.write_str("AssumeRole policy may only specify STS AssumeRole actions."),
            Self::Operator(name) => write!(f, "Invalid Condition type : {name}."),
            Self::InvalidPrincipal(arn) => write!(f, "Invalid principal in policy: \"AWS\":\"{arn}\""),
        }
    }
}

impl std::error::Error for Malformed {}
