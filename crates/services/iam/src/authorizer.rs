//! The kernel's question «may they?», answered from roles and policies.
//!
//! Invariant: the account's root may do everything in its account; a role may do what its policies allow and its permissions
//! boundary does not keep from it; an AWS service may do what a resource's policy allows it, for all else it assumes a role.

use neargate_base::Account;
use neargate_kernel::{Access, AssumedRole, Authorizer, Decision, PolicyFlaw, Principal, Store};

use crate::policy::{Caller, Context, Document, Policy, Question, Verdict, decide, explain};
use crate::resource_policy;
use crate::state::{self, RoleRecord};

/// IAM behind the kernel's port.
#[derive(Debug)]
pub struct Iam;

impl Authorizer for Iam {
    fn authorize(&self, store: &Store, principal: &Principal, access: &Access) -> Decision {
        match &access.policy {
            Some(policy) => resource_policy::authorize(store, principal, access, policy),
            None => by_identity(store, principal, access),
        }
    }

    fn check_resource_policy(&self, store: &Store, text: &str) -> Result<(), PolicyFlaw> {
        resource_policy::check(store, text)
    }

    fn may_assume(&self, store: &Store, role_arn: &str, service: &str) -> Result<Principal, String> {
        let role = self.assume(store, &Principal::service(service), role_arn, &[])?;
        Ok(role.session(service.split('.').next().unwrap_or(service)))
    }

    fn user_id(&self, store: &Store, principal: &Principal) -> Option<String> {
        match principal {
            Principal::Root { account } => Some(account.to_string()),
            Principal::Service { name } => Some(name.clone()),
            Principal::Role { account, role_name, session_name } => {
                let role = state::find_role(store, account, role_name)?;
                Some(format!("{}:{session_name}", role.id))
            }
        }
    }

    fn assume(
        &self,
        store: &Store,
        caller_principal: &Principal,
        role_arn: &str,
        context: &[(String, Vec<String>)],
    ) -> Result<AssumedRole, String> {
        let refusal = |why: &str| {
            let who = caller_principal.arn();
            format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {role_arn} ({why})")
        };
        let (account, role) = role_of_arn(store, role_arn).ok_or_else(|| refusal("the role does not exist"))?;
        let caller = caller(store, caller_principal);
        let mut context = with_caller(context, caller_principal, &caller, None);
        if caller.service.is_some() && context.get("aws:SourceAccount").is_none() {
            context = context.with("aws:SourceAccount", vec![account.to_string()]);
        }
        let question = Question { caller: &caller, action: "sts:AssumeRole", resource: role_arn, context: &context };
        let trust = [Policy { name: "the trust policy", document: role.trust.document() }];
        let directly = match decide(&trust, &question) {
            Verdict::Allowed { directly } => directly,
            Verdict::Denied { by } => return Err(refusal(&format!("denied by {by}"))),
            Verdict::NotAllowed => return Err(refusal(&explain(&trust, &question).join("; "))),
        };
        if caller.service.is_none() {
            let suffices = directly && caller.account.as_deref() == Some(account.as_str());
            match self.authorize(store, caller_principal, &Access::new("sts:AssumeRole", role_arn)) {
                Decision::ExplicitlyDenied { by } => return Err(refusal(&format!("denied by {by}"))),
                decision if !decision.is_allowed() && !suffices => {
                    return Err(refusal(&format!(
                        "the trust policy leaves it to the caller's account, and {decision}"
                    )));
                }
                _ => {}
            }
        }
        let (role_name, role_id) = (role.name.clone(), role.id.clone());
        Ok(AssumedRole { account, role_name, role_id, session_s_max: role.session_s_max })
    }
}

/// What the identity's own policies say to an access.
pub(crate) fn by_identity(store: &Store, principal: &Principal, access: &Access) -> Decision {
    let Access { action, resource, context, .. } = access;
    match principal {
        Principal::Root { .. } => Decision::Allowed,
        Principal::Service { name } => Decision::ImplicitlyDenied { looked_at: vec![no_identity(name)] },
        Principal::Role { account, role_name, .. } => {
            let Some(role) = state::find_role(store, account, role_name) else {
                return Decision::ImplicitlyDenied { looked_at: vec![gone(role_name)] };
            };
            let caller = caller(store, principal);
            let context = with_caller(context, principal, &caller, Some(role));
            let question = Question { caller: &caller, action, resource, context: &context };
            authorize_role(store, account, role, &question)
        }
    }
}

/// What was looked at to decide on an access, allowed or not: a line per statement of the resource's policy, of every policy of the
/// identity and of the permissions boundary.
pub fn explain_access(store: &Store, principal: &Principal, access: &Access) -> Vec<String> {
    let of_resource =
        access.policy.iter().flat_map(|policy| resource_policy::explain(store, principal, access, policy));
    of_resource.chain(explain_identity(store, principal, access)).collect()
}

fn explain_identity(store: &Store, principal: &Principal, access: &Access) -> Vec<String> {
    let (account, role_name) = match principal {
        Principal::Root { account } => return vec![format!("the root of account {account} may do everything in it")],
        Principal::Service { name } => return vec![no_identity(name)],
        Principal::Role { account, role_name, .. } => (account, role_name),
    };
    let Some(role) = state::find_role(store, account, role_name) else { return vec![gone(role_name)] };
    let caller = caller(store, principal);
    let context = with_caller(&access.context, principal, &caller, Some(role));
    let question = Question { caller: &caller, action: &access.action, resource: &access.resource, context: &context };
    let named = documents(store, account, role);
    let boundary = boundary(store, account, role);
    let all = named.iter().chain(boundary.iter().flatten());
    let policies: Vec<_> = all.map(|(name, document)| Policy { name, document }).collect();
    explain(&policies, &question)
}

fn no_identity(service: &str) -> String {
    format!("`{service}` is an AWS service: it acts through a role it assumes")
}

fn gone(role: &str) -> String {
    format!("role `{role}` does not exist")
}

fn authorize_role(store: &Store, account: &Account, role: &RoleRecord, question: &Question<'_>) -> Decision {
    let named = documents(store, account, role);
    let policies: Vec<_> = named.iter().map(|(name, document)| Policy { name: name.as_str(), document }).collect();
    match decide(&policies, question) {
        Verdict::Denied { by } => Decision::ExplicitlyDenied { by },
        Verdict::NotAllowed => {
            let mut looked_at = explain(&policies, question);
            if looked_at.is_empty() {
                looked_at.push(format!("role `{}` has no policies", role.name));
            }
            Decision::ImplicitlyDenied { looked_at }
        }
        Verdict::Allowed { .. } => within_boundary(store, account, role, question),
    }
}

/// What the role's permissions boundary says to an access that some policy allows.
pub(crate) fn within_boundary(
    store: &Store,
    account: &Account,
    role: &RoleRecord,
    question: &Question<'_>,
) -> Decision {
    let boundary = match boundary(store, account, role) {
        None => return Decision::Allowed,
        Some(None) => {
            let arn = role.boundary.as_deref().unwrap_or_default();
            return Decision::OutsideBoundary { looked_at: vec![format!("policy `{arn}` does not exist")] };
        }
        Some(Some(boundary)) => boundary,
    };
    let boundary = [Policy { name: &boundary.0, document: boundary.1 }];
    match decide(&boundary, question) {
        Verdict::Allowed { .. } => Decision::Allowed,
        Verdict::Denied { by } => Decision::ExplicitlyDenied { by },
        Verdict::NotAllowed => Decision::OutsideBoundary { looked_at: explain(&boundary, question) },
    }
}

/// Every document that speaks for a role, under the name a reader knows it by.
fn documents<'s>(store: &'s Store, account: &Account, role: &'s RoleRecord) -> Vec<(String, &'s Document)> {
    let inline = role.inline.iter().map(|(name, stored)| (format!("inline policy `{name}`"), stored.document()));
    let attached = role.attached.iter().filter_map(|arn| {
        let policy = state::find_policy(store, account, arn)?;
        Some((format!("policy `{}`", policy.name), policy.document()?.document()))
    });
    inline.chain(attached).collect()
}

/// The permissions boundary of a role that has one; `Some(None)` where its policy does not exist.
fn boundary<'s>(store: &'s Store, account: &Account, role: &RoleRecord) -> Option<Option<(String, &'s Document)>> {
    let arn = role.boundary.as_ref()?;
    let document = state::find_policy(store, account, arn).and_then(|policy| policy.document());
    Some(document.map(|document| (format!("permissions boundary `{arn}`"), document.document())))
}

/// The account and the role that an ARN names.
fn role_of_arn<'s>(store: &'s Store, arn: &str) -> Option<(Account, &'s RoleRecord)> {
    let mut parts = arn.splitn(6, ':');
    let (_, _) = (parts.next().filter(|arn| *arn == "arn")?, parts.next()?);
    let (_, _) = (parts.next().filter(|service| *service == "iam")?, parts.next()?);
    let account = Account::new(parts.next()?);
    let path_and_name = parts.next()?.strip_prefix("role")?;
    let (_, name) = path_and_name.rsplit_once('/')?;
    let role = state::find_role(store, &account, name)?;
    let is_it = path_and_name.strip_suffix(name) == Some(role.path.as_str());
    is_it.then_some((account, role))
}

pub(crate) fn caller(store: &Store, principal: &Principal) -> Caller {
    match principal {
        Principal::Root { account } => {
            Caller { account: Some(account.to_string()), arns: vec![principal.arn()], service: None }
        }
        Principal::Service { name } => Caller { service: Some(name.clone()), ..Caller::default() },
        Principal::Role { account, role_name, .. } => {
            let role = state::find_role(store, account, role_name).map(|role| role.arn(account));
            let arns = role.into_iter().chain([principal.arn()]).collect();
            Caller { account: Some(account.to_string()), arns, service: None }
        }
    }
}

/// The condition keys of a request, and those that say who makes it.
pub(crate) fn with_caller(
    given: &[(String, Vec<String>)],
    principal: &Principal,
    caller: &Caller,
    role: Option<&RoleRecord>,
) -> Context {
    let mut context = Context::default();
    for (key, values) in given {
        context = context.with(key, values.clone());
    }
    let is_service = caller.service.is_some();
    context = context.with("aws:PrincipalIsAWSService", vec![is_service.to_string()]);
    if let Some(service) = &caller.service {
        return context.with("aws:PrincipalServiceName", vec![service.clone()]);
    }
    if let Some(arn) = caller.arns.first() {
        context = context.with("aws:PrincipalArn", vec![arn.clone()]);
    }
    if let Some(account) = &caller.account {
        context = context.with("aws:PrincipalAccount", vec![account.clone()]);
    }
    let kind = if matches!(principal, Principal::Root { .. }) { "Account" } else { "AssumedRole" };
    context = context.with("aws:PrincipalType", vec![kind.to_owned()]);
    if let (Some(role), Principal::Role { session_name, .. }) = (role, principal) {
        context = context.with("aws:userid", vec![format!("{}:{session_name}", role.id)]);
        for tag in &role.tags {
            context = context.with(&format!("aws:PrincipalTag/{}", tag.key), vec![tag.value.clone()]);
        }
    }
    context
}
