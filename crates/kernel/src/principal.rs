//! Who makes a call.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use neargate_base::{Account, Partition, Timestamp};
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
        /// What the session was made with.
        #[serde(default)]
        session: Box<Session>,
    },
    /// An AWS service acting for itself, such as `events.amazonaws.com`.
    Service {
        /// The service principal.
        name: String,
    },
}

/// What a session of a role was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// The role's unique id, `AROA…`: a role that was made anew under the same name is another. `None` in records of versions that did not
    /// keep it, which name a role by its name alone.
    pub role_id: Option<String>,
    /// When the session was made, in service time.
    pub issued: Option<Timestamp>,
    /// The policies that limit it; empty where the role's own decide.
    pub policies: Vec<SessionPolicy>,
    /// The session's tags, over those of the role.
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that sessions made from this one take over.
    pub transitive: BTreeSet<String>,
    /// Who stands behind the session, as its maker said.
    pub source_identity: Option<String>,
}

/// A policy that limits a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionPolicy {
    /// A document, in JSON.
    Document(String),
    /// A managed policy, by ARN.
    Managed(String),
}

impl Principal {
    /// A session of a role of which nothing else is known.
    pub fn role(account: &Account, role_name: &str, session_name: &str) -> Self {
        let (role_name, session_name) = (role_name.to_owned(), session_name.to_owned());
        Self::Role { account: account.clone(), role_name, session_name, session: Box::default() }
    }

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
            Self::Role { account, role_name, session_name, .. } => {
                format!("arn:{partition}:sts::{account}:assumed-role/{role_name}/{session_name}")
            }
            Self::Service { name } => name.clone(),
        }
    }
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The address it was sent from.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Referer`.
    pub referer: Option<String>,
}
