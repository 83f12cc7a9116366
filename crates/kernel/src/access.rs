//! What an operation needs to be allowed, and who decides.

use std::collections::BTreeMap;
use std::fmt;

use neargate_base::Account;

use crate::{Principal, Session, Store};

/// One (action, resource, context) triple that the caller must be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The action, such as `ecs:RunTask`.
    pub action: String,
    /// The ARN it is asked for, or `*`.
    pub resource: String,
    /// Condition keys and their values, such as `ecs:cluster`.
    pub context: Vec<(String, Vec<String>)>,
    /// The condition keys of which `context` has every value: one without a value is absent from the request. A key that ends with
    /// `/` or `:` stands for all that begin so. The value of any other key that AWS fills for the action is not known, and decides
    /// against the caller.
    pub complete: Vec<String>,
    /// The policy that the resource itself has, where it has one.
    pub policy: Option<ResourcePolicy>,
}

/// The policy of a resource: who may do what to it. Its account is the one in the resource's ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// The document, in JSON.
    pub text: String,
    /// Whether nothing is allowed but by this policy, the account's own root included: keys of KMS. Where it names the account,
    /// it leaves the decision to the identity's policies.
    pub governs: bool,
    /// The unique ids of the roles that the document names, by ARN, when it was stored: see [`Authorizer::principal_ids`].
    pub principals: BTreeMap<String, String>,
}

impl Access {
    /// An action on a resource, without context.
    pub fn new(action: &str, resource: impl Into<String>) -> Self {
        Self { action: action.to_owned(), resource: resource.into(), context: vec![], complete: vec![], policy: None }
    }

    /// Adds a condition key with its value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.push((key.to_owned(), vec![value.into()]));
        self
    }

    /// Adds a condition key of several values.
    #[must_use]
    pub fn with_all(mut self, key: &str, values: Vec<String>) -> Self {
        self.context.push((key.to_owned(), values));
        self
    }

    /// Adds a condition key whose value the request has or has not: without one it is absent.
    #[must_use]
    pub fn with_option(mut self, key: &str, value: Option<impl Into<String>>) -> Self {
        self.complete.push(key.to_owned());
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Says that every value of a key, or of all keys that begin so, is given.
    #[must_use]
    pub fn complete(mut self, key: &str) -> Self {
        self.complete.push(key.to_owned());
        self
    }

    /// Adds the tags that the request brings: `aws:RequestTag/…` and `aws:TagKeys`.
    #[must_use]
    pub fn with_request_tags(mut self, tags: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut keys = vec![];
        for (key, value) in tags {
            self = self.with(&format!("aws:RequestTag/{key}"), value);
            keys.push(key);
        }
        self.complete("aws:RequestTag/").with_tag_keys(keys)
    }

    /// Adds the keys of tags that the request names: `aws:TagKeys`.
    #[must_use]
    pub fn with_tag_keys(self, keys: Vec<String>) -> Self {
        let access = self.complete("aws:TagKeys");
        if keys.is_empty() { access } else { access.with_all("aws:TagKeys", keys) }
    }

    /// Adds the tags that the resource has: `aws:ResourceTag/…`, and the service's own key, such as `ecs:ResourceTag/`, where
    /// one is given.
    #[must_use]
    pub fn with_resource_tags(mut self, own: Option<&str>, tags: impl IntoIterator<Item = (String, String)>) -> Self {
        for (key, value) in tags {
            if let Some(own) = own {
                self = self.with(&format!("{own}{key}"), value.as_str());
            }
            self = self.with(&format!("aws:ResourceTag/{key}"), value);
        }
        self.complete.extend(own.map(str::to_owned));
        self.complete("aws:ResourceTag/")
    }

    /// Adds the policy of the resource: it allows beside the identity's policies.
    #[must_use]
    pub fn under(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(ResourcePolicy { text: policy.into(), governs: false, principals: BTreeMap::new() });
        self
    }

    /// Adds the policy of the resource, without which nobody may anything: a key's.
    #[must_use]
    pub fn governed_by(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(ResourcePolicy { text: policy.into(), governs: true, principals: BTreeMap::new() });
        self
    }

    /// Adds the unique ids that the roles in the resource's policy had when it was stored.
    #[must_use]
    pub fn naming(mut self, principals: &BTreeMap<String, String>) -> Self {
        if let Some(policy) = &mut self.policy {
            policy.principals.clone_from(principals);
        }
        self
    }
}

/// Everything that an operation must be allowed.
///
/// Never empty by accident: an operation that needs no permission gives the reason with [`Accesses::none`], and a list that depends
/// on the input names what is needed where the input lists nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accesses {
    needed: Vec<Access>,
    /// Why nothing is needed; empty where something is.
    reason: &'static str,
}

impl Accesses {
    /// One access.
    pub fn new(access: Access) -> Self {
        Self { needed: vec![access], reason: "" }
    }

    /// No access at all: every caller may. `reason` says why AWS asks for none.
    pub const fn none(reason: &'static str) -> Self {
        assert!(!reason.is_empty(), "an operation without accesses gives a reason");
        Self { needed: vec![], reason }
    }

    /// One access for each item of an input; where the input lists nothing, `otherwise`.
    pub fn each(accesses: impl IntoIterator<Item = Access>, otherwise: impl FnOnce() -> Access) -> Self {
        let needed: Vec<_> = accesses.into_iter().collect();
        if needed.is_empty() { Self::new(otherwise()) } else { Self { needed, reason: "" } }
    }

    /// These accesses besides.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = Access>) -> Self {
        self.extend(more);
        self
    }

    /// Changes every access.
    #[must_use]
    pub fn map(self, change: impl FnMut(Access) -> Access) -> Self {
        Self { needed: self.needed.into_iter().map(change).collect(), ..self }
    }

    /// Adds an access.
    pub fn push(&mut self, access: Access) {
        self.needed.push(access);
    }

    /// The accesses, in the order in which they are decided.
    pub fn iter(&self) -> impl Iterator<Item = &Access> {
        self.needed.iter()
    }

    /// Why nothing is needed, where nothing is.
    pub fn reason(&self) -> Option<&'static str> {
        self.needed.is_empty().then_some(self.reason)
    }
}

impl From<Access> for Accesses {
    fn from(access: Access) -> Self {
        Self::new(access)
    }
}

impl Extend<Access> for Accesses {
    fn extend<T: IntoIterator<Item = Access>>(&mut self, more: T) {
        self.needed.extend(more);
    }
}

/// Why a resource's policy must not be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyFlaw {
    /// The document is no policy, or lacks something.
    Document {
        /// AWS's text.
        text: String,
        /// What the text does not say; may be empty.
        hint: String,
    },
    /// It names a principal that does not exist.
    Principal(String),
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
    /// Policies of the role allow it, the policies of the session do not.
    OutsideSession {
        /// What was looked at, a line per statement.
        looked_at: Vec<String>,
    },
    /// A statement of the identity's policies denies it.
    ExplicitlyDenied {
        /// The policy and the statement.
        by: String,
    },
    /// A statement of the permissions boundary denies it.
    DeniedByBoundary {
        /// The policy and the statement.
        by: String,
    },
    /// A statement of the session's policies denies it.
    DeniedBySession {
        /// The policy and the statement.
        by: String,
    },
    /// The resource's policy does not allow it, and nothing else suffices.
    NotInResourcePolicy {
        /// What was looked at, a line per statement.
        looked_at: Vec<String>,
    },
    /// A statement of the resource's policy denies it.
    DeniedByResource {
        /// The statement.
        by: String,
    },
}

impl Decision {
    /// Whether the access may go ahead.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }

    /// The end of AWS's sentence about a denial.
    pub fn because(&self, action: &str) -> String {
        let missing = |policy: &str| format!("because no {policy} allows the {action} action");
        match self {
            Self::Allowed => String::new(),
            Self::ImplicitlyDenied { .. } => missing("identity-based policy"),
            Self::OutsideBoundary { .. } => missing("permissions boundary"),
            Self::OutsideSession { .. } => missing("session policy"),
            Self::NotInResourcePolicy { .. } => missing("resource-based policy"),
            Self::ExplicitlyDenied { .. } => "with an explicit deny in an identity-based policy".to_owned(),
            Self::DeniedByBoundary { .. } => "with an explicit deny in a permissions boundary".to_owned(),
            Self::DeniedBySession { .. } => "with an explicit deny in a session policy".to_owned(),
            Self::DeniedByResource { .. } => "with an explicit deny in a resource-based policy".to_owned(),
        }
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
            Self::OutsideSession { looked_at } => {
                write_looked_at(f, "the session's policies do not allow it", looked_at)
            }
            Self::NotInResourcePolicy { looked_at } => {
                write_looked_at(f, "the resource's policy does not allow it", looked_at)
            }
            Self::ExplicitlyDenied { by }
            | Self::DeniedByBoundary { by }
            | Self::DeniedBySession { by }
            | Self::DeniedByResource { by } => write!(f, "denied by {by}"),
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
    /// The principal of a session of the role. `session` is what else it is made with.
    pub fn session(&self, session_name: &str, session: Session) -> Principal {
        let (account, role_name) = (self.account.clone(), self.role_name.clone());
        let session = Box::new(Session { role_id: Some(self.role_id.clone()), ..session });
        Principal::Role { account, role_name, session_name: session_name.to_owned(), session }
    }
}

/// The port through which every operation asks whether its caller may; the IAM service stands behind it.
pub trait Authorizer: Sync {
    /// Whether `principal` may do `access`, by the policies in `store`.
    fn authorize(&self, store: &Store, principal: &Principal, access: &Access) -> Decision;

    /// Whether a resource may be given this policy.
    fn check_resource_policy(&self, _store: &Store, _text: &str) -> Result<(), PolicyFlaw> {
        Ok(())
    }

    /// The unique ids of the roles that a resource's policy names, by ARN. Kept beside the policy, they tell a role from one that is made
    /// later under the same name.
    fn principal_ids(&self, _store: &Store, _text: &str) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// The policy as AWS shows it: a role that does not exist any more stands there by its unique id.
    fn shown_policy(&self, _store: &Store, text: &str, _principals: &BTreeMap<String, String>) -> String {
        text.to_owned()
    }

    /// Whether the role's trust policy lets `service` assume it: see [`Cx::assume_for_service`](crate::Cx::assume_for_service).
    /// `context` holds condition keys such as `aws:SourceArn`. `Err` says why not, in AWS's words.
    fn may_assume(
        &self,
        store: &Store,
        role_arn: &str,
        service: &str,
        context: &[(String, Vec<String>)],
    ) -> Result<Principal, String>;

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
    /// policies. `asked` are the accesses to the role, `sts:AssumeRole` first; all must be allowed. `Err` is AWS's text.
    fn assume(
        &self,
        _store: &Store,
        caller: &Principal,
        role_arn: &str,
        _asked: &[Access],
    ) -> Result<AssumedRole, String> {
        Err(format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}", caller.arn()))
    }
}
