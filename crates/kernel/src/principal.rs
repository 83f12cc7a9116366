//! Who makes a call.

use neargate_base::{Account, Partition};
use serde::{Deserialize, Serialize};

/// The identity a request is evaluated for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// The account itself: allowed everything in it.
    Root {
        /// The account.
        account: Account,
    },
    /// A role, assumed under a session name.
    Role {
        /// The role's account.
        account: Account,
        /// The role's name, without its path.
        role_name: String,
        /// The session's name.
        session_name: String,
    },
    /// An AWS service acting for itself, such as `events.amazonaws.com`.
    Service {
        /// The service principal.
        name: String,
    },
}

impl Principal {
    /// The account's root.
    pub fn root(account: &Account) -> Self {
        Self::Root { account: account.clone() }
    }

    /// An AWS service, by its service principal.
    pub fn service(name: &str) -> Self {
        Self::Service { name: name.to_owned() }
    }

    /// The ARN that `GetCallerIdentity` and denials show.
    pub fn arn(&self) -> String {
        let partition = Partition::Aws.as_str();
        match self {
            Self::Root { account } => format!("arn:{partition}:iam::{account}:root"),
            Self::Role { account, role_name, session_name } => {
                format!("arn:{partition}:sts::{account}:assumed-role/{role_name}/{session_name}")
            }
            Self::Service { name } => name.clone(),
        }
    }
}
