//! Who asks, and whom a policy names.

/// Who asks, as far as policies can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account, unless an AWS service asks for itself.
    pub account: Option<String>,
    /// Every ARN that stands for the caller: a session's own, and its role's.
    pub arns: Vec<String>,
    /// The service principal, where an AWS service asks for itself.
    pub service: Option<String>,
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
            "AWS" => match account_of_root(value) {
                Some(account) => Self::Account(account.to_owned()),
                None => Self::Arn(value.to_owned()),
            },
            "Service" => Self::Service(value.to_owned()),
            "Federated" | "CanonicalUser" => Self::Other(value.to_owned()),
            _ => return None,
        })
    }

    /// Whether the caller is meant.
    pub fn matches(&self, caller: &Caller) -> bool {
        match self {
            Self::Anyone => true,
            Self::Account(account) => caller.account.as_ref() == Some(account),
            Self::Arn(arn) => caller.arns.contains(arn),
            Self::Service(name) => caller.service.as_ref() == Some(name),
            Self::Other(_) => false,
        }
    }

    /// The entry as a reader knows it.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Anyone => "*",
            Self::Account(text) | Self::Arn(text) | Self::Service(text) | Self::Other(text) => text,
        }
    }
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
