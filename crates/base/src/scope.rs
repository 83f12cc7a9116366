//! Where a resource lives: the account and region that key all state.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The account that the endpoint's default credentials belong to.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// The region used where neither a signature nor a setting names one.
pub const DEFAULT_REGION: &str = "us-east-1";

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A twelve-digit AWS account id.
    Account
}
name! {
    /// An AWS region such as `eu-west-1`.
    Region
}

impl Account {
    /// Whether the text is twelve ASCII digits.
    pub fn is_valid(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
    }
}

/// The partition a region belongs to, as it appears in ARNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// Commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// GovCloud.
    AwsUsGov,
}

impl Partition {
    /// The name in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }

    /// The domain of service endpoints and service principals.
    pub fn url_suffix(self) -> &'static str {
        match self {
            Self::AwsCn => "amazonaws.com.cn",
            _ => "amazonaws.com",
        }
    }
}

impl Region {
    /// Whether AWS has a region of this name, as far as is known here.
    pub fn exists(text: &str) -> bool {
        crate::REGIONS.contains(&text)
    }

    /// The partition that the region belongs to, by its prefix.
    pub fn partition(&self) -> Partition {
        if self.0.starts_with("cn-") {
            Partition::AwsCn
        } else if self.0.starts_with("us-gov-") {
            Partition::AwsUsGov
        } else {
            Partition::Aws
        }
    }
}

/// One account in one region: the key of all regional state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The account.
    pub account: Account,
    /// The region.
    pub region: Region,
}

impl Scope {
    /// A scope from its two names.
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: Account::new(account), region: Region::new(region) }
    }

    /// `arn:<partition>:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.region.partition().as_str(), self.region, self.account)
    }

    /// An ARN of a global service, which carries no region: `arn:<partition>:<service>::<account>:<resource>`.
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.region.partition().as_str(), self.account)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::new(DEFAULT_ACCOUNT, DEFAULT_REGION)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}
