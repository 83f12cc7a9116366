//! Principals: who a statement speaks about.

use neargate_l1::{Json, Value};

use super::conditions::{Conditions, merge_conditions};
use crate::Stack;

/// Who a policy speaks about.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// An AWS service, such as `ecs-tasks.amazonaws.com`.
    Service(Value<String>),
    /// A user, role or account by ARN.
    Arn(Value<String>),
    /// All of an account, as its administrators allow.
    Account(Value<String>),
    /// All of the stack's account, as its administrators allow.
    AccountRoot,
    /// Anyone with AWS credentials (`{"AWS": "*"}`).
    AnyAws,
    /// Anyone at all (`"*"`).
    Star,
    /// An identity provider, and the action it assumes a role with (`sts:AssumeRoleWithWebIdentity`).
    Federated {
        /// The provider's ARN or domain.
        provider: Value<String>,
        /// The action by which it assumes a role.
        assume_role_action: String,
    },
    /// A canonical user id of Amazon S3.
    CanonicalUser(Value<String>),
    /// All of these.
    Composite(Vec<Principal>),
    /// A principal under conditions.
    WithConditions(Box<Principal>, Conditions),
}

/// What a principal is in a policy: kind (`Service`), name, and the conditions and action it brings along.
pub(super) struct Fragment {
    /// `*` for [`Principal::Star`].
    pub(super) kind: &'static str,
    pub(super) name: Json,
    pub(super) conditions: Conditions,
    pub(super) assume_role_action: String,
}

impl Principal {
    /// An AWS service, such as `ecs-tasks.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::Service(name.into())
    }

    /// The simple principals that this one is made of.
    pub(super) fn fragments(&self, stack: &Stack) -> Vec<Fragment> {
        let root = |account: &Value<String>| format!("arn:{}:iam::{account}:root", stack.partition());
        let (kind, name) = match self {
            Self::Service(name) => ("Service", Json::from(name.clone())),
            Self::Arn(arn) => ("AWS", Json::from(arn.clone())),
            Self::Account(account) => ("AWS", Json::from(root(account))),
            Self::AccountRoot => ("AWS", Json::from(root(&stack.account()))),
            Self::AnyAws => ("AWS", Json::from("*")),
            Self::Star => ("*", Json::from("*")),
            Self::Federated { provider, .. } => ("Federated", Json::from(provider.clone())),
            Self::CanonicalUser(id) => ("CanonicalUser", Json::from(id.clone())),
            Self::Composite(all) => return all.iter().flat_map(|principal| principal.fragments(stack)).collect(),
            Self::WithConditions(principal, conditions) => {
                let mut fragments = principal.fragments(stack);
                for fragment in &mut fragments {
                    merge_conditions(&mut fragment.conditions, conditions);
                }
                return fragments;
            }
        };
        let assume_role_action = match self {
            Self::Federated { assume_role_action, .. } => assume_role_action.clone(),
            _ => "sts:AssumeRole".to_owned(),
        };
        vec![Fragment { kind, name, conditions: Conditions::new(), assume_role_action }]
    }
}
