//! Who asks: what policies can tell of a principal, and the condition keys that speak of it.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.

use neargate_decide::{Caller, Context};
use neargate_kernel::{Access, Principal, Store};

use crate::state::{self, RoleRecord};

/// The role of a session; `None` where it is gone, one made anew under its name being another.
pub(crate) fn role_of<'s>(store: &'s Store, principal: &Principal) -> Option<&'s RoleRecord> {
    let Principal::Role { account, role_name, session, .. } = principal else { return None };
    let role = state::find_role(store, account, role_name)?;
    session.role_id.as_ref().is_none_or(|id| *id == role.id).then_some(role)
}

/// A principal, as policies name it.
pub(crate) fn caller(principal: &Principal, role: Option<&RoleRecord>) -> Caller {
    match principal {
        Principal::Root { account } => Caller { account: Some(account.to_string()), ..Caller::default() },
        Principal::Service { name } => Caller { service: Some(name.clone()), ..Caller::default() },
        Principal::Role { account, .. } => Caller {
            account: Some(account.to_string()),
            role_arn: role.map(|role| role.arn(account)),
            role_id: role.map(|role| role.id.clone()),
            session_arn: Some(principal.arn()),
            service: None,
            has_boundary: role.is_some_and(|role| role.boundary.is_some()),
        },
    }
}

/// The condition keys of a request, and those that say who makes it.
pub(crate) fn context(access: &Access, principal: &Principal, caller: &Caller, role: Option<&RoleRecord>) -> Context {
    let mut context = Context::open(&access.action, &access.resource);
    for (key, values) in &access.context {
        context = context.with(key, values.clone());
    }
    context = access.complete.iter().fold(context, |context, key| context.complete(key));
    let one = |value: &str| vec![value.to_owned()];
    context = context.with("aws:PrincipalIsAWSService", one(&caller.service.is_some().to_string()));
    if let Some(service) = &caller.service {
        let context = context.with("aws:PrincipalServiceName", one(service));
        return context.with("aws:PrincipalServiceNamesList", one(service));
    }
    for key in ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"] {
        context = context.complete(key);
    }
    let account = caller.account.as_deref().unwrap_or_default();
    context = context.with("aws:PrincipalAccount", one(account));
    let (Some(role), Principal::Role { session_name, session, .. }) = (role, principal) else {
        let context = context.with("aws:PrincipalArn", one(&principal.arn())).with("aws:PrincipalType", one("Account"));
        return context.with("aws:userid", one(account));
    };
    context = context
        .with("aws:PrincipalArn", caller.role_arn.iter().cloned().collect())
        .with("aws:PrincipalType", one("AssumedRole"))
        .with("aws:userid", one(&format!("{}:{session_name}", role.id)));
    for tag in &role.tags {
        context = context.with(&format!("aws:PrincipalTag/{}", tag.key), one(&tag.value));
    }
    for (key, value) in &session.tags {
        context = context.with(&format!("aws:PrincipalTag/{key}"), one(value));
    }
    if let Some(issued) = session.issued {
        context = context.with("aws:TokenIssueTime", one(&issued.to_iso_seconds()));
    }
    if let Some(source) = &session.source_identity {
        context = context.with("aws:SourceIdentity", one(source));
    }
    context
}
