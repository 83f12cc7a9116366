//! What an operation needs to be allowed, and who decides.

use std::fmt;

use neargate_base::Account;

use crate::{Principal, Store};

/// One (action, resource, context) triple that the caller must be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The action, such as `ecs:RunTask`.
    pub action: String,
    /// The ARN it is asked for, or `*`.
    pub resource: String,
    /// Condition keys and their values, such as `ecs:cluster`.
    pub context: Vec<(String, Vec<String>)>,
}

impl Access {
    /// An action on a resource, without context.
    pub fn new(action: &str, resource: impl Into<String>) -> Self {
        Self { action: action.to_owned(), resource: resource.into(), context: vec![] }
    }

    /// Adds a condition key with its value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.push((key.to_owned(), vec![value.into()]));
        self
    }
}

/// The verdict on one access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement allows it.
    ImplicitlyDenied {
        /// What was looked at, a line per statement: for `explain`.
        looked_at: Vec<String>,
    },
    /// Policies of the role allow it, the role's permissions boundary does not.
    OutsideBoundary {
        /// What was looked at, a line per statement.
        looked_at: Vec<String>,
    },
    /// A statement denies it.
    ExplicitlyDenied {
        /// The policy and the statement.
        by: String,
    },
}

impl Decision {
    /// Whether the access may go ahead.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::ImplicitlyDenied { looked_at } => write_looked_at(f, "no identity-based policy allows it", looked_at),
            Self::OutsideBoundary { looked_at } => {
                write_looked_at(f, "the permissions boundary does not allow it", looked_at)
            }
            Self::ExplicitlyDenied { by } => write!(f, "denied by {by}"),
        }
    }
}

fn write_looked_at(f: &mut fmt::Formatter<'_>, verdict: &str, looked_at: &[String]) -> fmt::Result {
    f.write_str(verdict)?;
    looked_at.iter().enumerate().try_for_each(|(at, line)| write!(f, "{}{line}", if at == 0 { ": " } else { "; " }))
}

/// A role that a caller may assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role's account.
    pub account: Account,
    /// The role's name, without its path.
    pub role_name: String,
    /// `AROA…`.
    pub role_id: String,
    /// The longest a session of it may last, in seconds.
    pub session_s_max: i32,
}

impl AssumedRole {
    /// The principal of a session of the role.
    pub fn session(&self, session_name: &str) -> Principal {
        let (account, role_name) = (self.account.clone(), self.role_name.clone());
        Principal::Role { account, role_name, session_name: session_name.to_owned() }
    }
}

/// The port through which every operation asks whether its caller may; the IAM service stands behind it.
pub trait Authorizer: Sync {
    /// Whether `principal` may do `access`, by the policies in `store`.
    fn authorize(&self, store: &Store, principal: &Principal, access: &Access) -> Decision;

    /// Whether the role's trust policy lets `service` assume it. `Err` says why not, in AWS's words.
    fn may_assume(&self, store: &Store, role_arn: &str, service: &str) -> Result<Principal, String>;

    /// The principal's unique id, as `aws:userid` and `GetCallerIdentity` show it: `AROA…:session`. `None` for a session of a role
    /// that is gone.
    fn user_id(&self, _store: &Store, principal: &Principal) -> Option<String> {
        match principal {
            Principal::Root { account } => Some(account.to_string()),
            Principal::Service { name } => Some(name.clone()),
            Principal::Role { .. } => None,
        }
    }

    /// Whether `caller` may assume the role: by its trust policy and, where that leaves it to the account, by the caller's own
    /// policies. `context` holds condition keys such as `aws:SourceArn` or `sts:ExternalId`. `Err` is AWS's text.
    fn assume(
        &self,
        _store: &Store,
        caller: &Principal,
        role_arn: &str,
        _context: &[(String, Vec<String>)],
    ) -> Result<AssumedRole, String> {
        Err(format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}", caller.arn()))
    }
}
