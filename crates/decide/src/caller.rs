//! Who asks, and whom a policy names.

/// Who asks, as far as policies can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account, unless an AWS service asks for itself.
    pub account: Option<String>,
    /// The ARN of the role whose session asks.
    pub role_arn: Option<String>,
    /// That role's unique id, `AROA…`.
    pub role_id: Option<String>,
    /// The session's own ARN.
    pub session_arn: Option<String>,
    /// The service principal, where an AWS service asks for itself.
    pub service: Option<String>,
    /// Whether the role has a permissions boundary.
    pub has_boundary: bool,
}

/// How closely a policy names a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// By the account, whose own policies decide.
    Account,
    /// By the role: the role's permissions boundary and session policies still limit it.
    Role,
    /// By the session itself, or as anyone: nothing but a deny limits it.
    Session,
}

/// One entry of a `Principal` or `NotPrincipal` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalPattern {
    /// `*`, or `{"AWS": "*"}`.
    Anyone,
    /// An account: its id, or its root's ARN. Hands the decision to that account's own policies.
    Account(String),
    /// A role, a user or a session, by ARN.
    Arn(String),
    /// A role that had this ARN when the document was stored: another role of that name, made later, is not meant.
    Role {
        /// The role's ARN.
        arn: String,
        /// Its unique id.
        id: String,
    },
    /// A role by its unique id alone.
    Id(String),
    /// An AWS service, by its service principal.
    Service(String),
    /// An identity provider or a canonical user: never the caller here.
    Other(String),
}

impl PrincipalPattern {
    /// The pattern of one value under a principal type; `None` where the type does not exist.
    pub(crate) fn read(kind: &str, value: &str) -> Option<Self> {
        Some(match kind {
            "AWS" if value == "*" => Self::Anyone,
            "AWS" if is_unique_id(value) => Self::Id(value.to_owned()),
            "AWS" => match account_of_root(value) {
                Some(account) => Self::Account(account.to_owned()),
                None => Self::Arn(value.to_owned()),
            },
            "Service" => Self::Service(value.to_owned()),
            "Federated" | "CanonicalUser" => Self::Other(value.to_owned()),
            _ => return None,
        })
    }

    /// How closely the caller is named, where it is meant.
    pub fn reach(&self, caller: &Caller) -> Option<Reach> {
        let of_role = |means: bool| means.then_some(Reach::Role);
        match self {
            Self::Anyone => Some(Reach::Session),
            Self::Account(account) => (caller.account.as_ref() == Some(account)).then_some(Reach::Account),
            Self::Arn(arn) if caller.session_arn.as_ref() == Some(arn) => Some(Reach::Session),
            Self::Arn(arn) => of_role(caller.role_arn.as_ref() == Some(arn)),
            Self::Role { id, .. } | Self::Id(id) => of_role(caller.role_id.as_ref() == Some(id)),
            Self::Service(name) => (caller.service.as_ref() == Some(name)).then_some(Reach::Session),
            Self::Other(_) => None,
        }
    }

    /// The entry as a reader knows it.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Anyone => "*",
            Self::Account(text) | Self::Arn(text) | Self::Id(text) | Self::Service(text) | Self::Other(text) => text,
            Self::Role { arn, .. } => arn,
        }
    }
}

impl Caller {
    /// Every facet that a deny with `NotPrincipal` must except: the account, the role and the session, or the service.
    pub(crate) fn facets(&self) -> Vec<Self> {
        let account = self.account.clone().map(|it| Self { account: Some(it), ..Self::default() });
        let role = self.role_arn.clone().map(|it| {
            let (role_arn, role_id) = (Some(it), self.role_id.clone());
            Self { role_arn, role_id, ..Self::default() }
        });
        let session = self.session_arn.clone().map(|it| Self { session_arn: Some(it), ..Self::default() });
        let service = self.service.clone().map(|it| Self { service: Some(it), ..Self::default() });
        [account, role, session, service].into_iter().flatten().collect()
    }
}

/// Whether a principal is a unique id, such as AWS shows for a role that was deleted.
fn is_unique_id(value: &str) -> bool {
    let is_id = |text: &str| text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    ["AROA", "AIDA"].iter().any(|kind| value.starts_with(kind)) && is_id(value)
}

/// The account that `123456789012` or `arn:aws:iam::123456789012:root` names.
fn account_of_root(value: &str) -> Option<&str> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if is_account(value) {
        return Some(value);
    }
    let mut parts = value.splitn(6, ':');
    let (arn, service, region) = (parts.next()?, parts.nth(1)?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    (arn == "arn" && service == "iam" && region.is_empty() && resource == "root" && is_account(account))
        .then_some(account)
}
