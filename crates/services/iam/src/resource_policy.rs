//! Policies of resources: what they add to, and take from, what an identity may.
//!
//! ```text
//!                       same account                      another account
//! ordinary resource     either policy suffices            both must allow
//! key of KMS            its policy names the caller, or   both must allow
//!                       names the account and the
//!                       identity's policies allow
//! ```
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html> and
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>.
//!
//! Invariant: a deny that applies wins, in whichever policy. An AWS service is allowed by the resource's policy alone.
//! Invariant: where a resource's policy names a session by its own ARN, the role's permissions boundary still limits it, which
//! is stricter than AWS.

use neargate_kernel::{Access, Decision, PolicyFlaw, Principal, ResourcePolicy, Store};

use crate::authorizer::{by_identity, caller, with_caller, within_boundary};
use crate::policy::{Document, Kind, Policy, Question, Verdict, decide, explain as lines_of};
use crate::state;

const NAME: &str = "the resource's policy";

/// Decides on an access to a resource that has a policy.
pub(crate) fn authorize(store: &Store, principal: &Principal, access: &Access, policy: &ResourcePolicy) -> Decision {
    let document = match Document::parse(&policy.text, Kind::Resource) {
        Ok(document) => document,
        Err(flaw) => return Decision::NotInResourcePolicy { looked_at: vec![format!("{NAME} is malformed: {flaw}")] },
    };
    let caller = caller(store, principal);
    let role = match principal {
        Principal::Role { account, role_name, .. } => state::find_role(store, account, role_name),
        _ => None,
    };
    let context = with_caller(&access.context, principal, &caller, role);
    let question = Question { caller: &caller, action: &access.action, resource: &access.resource, context: &context };
    let policies = [Policy { name: NAME, document: &document }];
    let verdict = decide(&policies, &question);
    if let Verdict::Denied { by } = verdict {
        return Decision::DeniedByResource { by };
    }
    let identity = by_identity(store, principal, access);
    if matches!(identity, Decision::ExplicitlyDenied { .. }) {
        return identity;
    }
    let is_own = caller.account.as_deref().is_some_and(|account| owns(account, &access.resource));
    match verdict {
        Verdict::Allowed { .. } if caller.service.is_some() => Decision::Allowed,
        Verdict::Allowed { directly: true } if is_own => match (principal, role) {
            (Principal::Role { account, .. }, Some(role)) => within_boundary(store, account, role, &question),
            (Principal::Role { .. }, None) => identity,
            _ => Decision::Allowed,
        },
        Verdict::Allowed { .. } => identity,
        _ if policy.governs || !is_own => Decision::NotInResourcePolicy { looked_at: lines_of(&policies, &question) },
        _ => identity,
    }
}

/// A line for each statement of a resource's policy.
pub(crate) fn explain(store: &Store, principal: &Principal, access: &Access, policy: &ResourcePolicy) -> Vec<String> {
    let document = match Document::parse(&policy.text, Kind::Resource) {
        Ok(document) => document,
        Err(flaw) => return vec![format!("{NAME} is malformed: {flaw}")],
    };
    let caller = caller(store, principal);
    let context = with_caller(&access.context, principal, &caller, None);
    let question = Question { caller: &caller, action: &access.action, resource: &access.resource, context: &context };
    lines_of(&[Policy { name: NAME, document: &document }], &question)
}

/// Whether a resource's policy may be stored.
pub(crate) fn check(store: &Store, text: &str) -> Result<(), PolicyFlaw> {
    let document = Document::parse(text, Kind::Resource).map_err(|flaw| PolicyFlaw::Document {
        text: flaw.to_string(),
        hint: flaw.hint().unwrap_or_default().to_owned(),
    })?;
    let exists = |arn: &str| {
        let mut parts = arn.split(':').skip(4);
        let (Some(account), Some(resource)) = (parts.next(), parts.next()) else { return false };
        let account = neargate_base::Account::new(account);
        match resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next()) {
            // Roles of accounts that have none here belong to somebody else's installation.
            Some(name) if state::roles(store, &account).next().is_some() => {
                state::find_role(store, &account, name).is_some_and(|role| role.arn(&account) == arn)
            }
            _ => arn.starts_with("arn:"),
        }
    };
    match document.arns_named().find(|arn| !exists(arn)) {
        Some(arn) => Err(PolicyFlaw::Principal(arn.to_owned())),
        None => Ok(()),
    }
}

fn owns(account: &str, arn: &str) -> bool {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    owner.is_empty() || owner == account
}
