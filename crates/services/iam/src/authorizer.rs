//! The kernel's question «may they?», answered from roles and policies.
//!
//! Invariant: the account's root may do everything in its account; a role may do what its policies allow and its permissions
//! boundary and the session's policies do not keep from it; an AWS service may do what a resource's policy allows it, for all else it
//! assumes a role.
//!
//! Invariant: a session is of the role that it was made of, by the role's unique id: a role made anew under the same name is another.

use std::borrow::Cow;
use std::collections::BTreeMap;

use neargate_base::Account;
use neargate_decide::{Document, Identity, Kind, Layer, Outcome, Policy, Question, Request, explain};
use neargate_kernel::{Access, AssumedRole, Authorizer, Decision, PolicyFlaw, Principal, SessionPolicy, Store};

use crate::access::pairs;
use crate::caller::{caller, context, role_of};
use crate::policies;
use crate::principals::{role_ids, role_of_arn, shown};
use crate::resource_policy::{self, NAME};
use crate::state::RoleRecord;

/// IAM behind the kernel's port.
#[derive(Debug)]
pub struct Iam;

impl Authorizer for Iam {
    fn authorize(&self, store: &Store, principal: &Principal, access: &Access) -> Decision {
        let document = match access.policy.as_ref().map(resource_policy::parse).transpose() {
            Ok(document) => document,
            Err(flaw) => {
                return Decision::NotInResourcePolicy { looked_at: vec![format!("{NAME} is malformed: {flaw}")] };
            }
        };
        let policy = document.as_ref().map(|document| Policy { name: NAME, document });
        let governs = access.policy.as_ref().is_some_and(|policy| policy.governs);
        decide(store, principal, access, policy.map(|policy| neargate_decide::ResourcePolicy { policy, governs }))
    }

    fn check_resource_policy(&self, store: &Store, text: &str) -> Result<(), PolicyFlaw> {
        resource_policy::check(store, text)
    }

    fn principal_ids(&self, store: &Store, text: &str) -> BTreeMap<String, String> {
        let document = Document::load(text, Kind::Resource);
        document.map(|document| role_ids(store, &document)).unwrap_or_default()
    }

    fn shown_policy(&self, store: &Store, text: &str, principals: &BTreeMap<String, String>) -> String {
        shown(store, text, principals)
    }

    fn may_assume(
        &self,
        store: &Store,
        role_arn: &str,
        service: &str,
        context: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
        let mut access = Access::new("sts:AssumeRole", role_arn);
        access.context = context.to_vec();
        // What a service itself sends with its call is not for a trust policy to ask about.
        let access = access.complete("sts:").complete("aws:RequestTag/").complete("aws:TagKeys");
        let role = self.assume(store, &Principal::service(service), role_arn, &[access])?;
        Ok(role.session(service.split('.').next().unwrap_or(service), neargate_kernel::Session::default()))
    }

    fn user_id(&self, store: &Store, principal: &Principal) -> Option<String> {
        match principal {
            Principal::Root { account } => Some(account.to_string()),
            Principal::Service { name } => Some(name.clone()),
            Principal::Role { session_name, .. } => Some(format!("{}:{session_name}", role_of(store, principal)?.id)),
        }
    }

    fn assume(
        &self,
        store: &Store,
        caller_principal: &Principal,
        role_arn: &str,
        asked: &[Access],
    ) -> Result<AssumedRole, String> {
        let refusal = |action: &str, why: &str| {
            let who = caller_principal.arn();
            format!("User: {who} is not authorized to perform: {action} on resource: {role_arn} ({why})")
        };
        let not_there = || refusal("sts:AssumeRole", "the role does not exist");
        let (account, role) = role_of_arn(store, role_arn).ok_or_else(not_there)?;
        for access in asked {
            let tags = role.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
            let access = access.clone().with_resource_tags(Some("iam:ResourceTag/"), tags);
            let policy = Policy { name: "the trust policy", document: role.trust.document() };
            let trust = neargate_decide::ResourcePolicy { policy, governs: true };
            match decide(store, caller_principal, &access, Some(trust)) {
                Decision::Allowed => {}
                Decision::NotInResourcePolicy { looked_at } => {
                    return Err(refusal(&access.action, &looked_at.join("; ")));
                }
                decision @ Decision::ImplicitlyDenied { .. } => {
                    let why = format!("the trust policy leaves it to the caller's account, and {decision}");
                    return Err(refusal(&access.action, &why));
                }
                decision => return Err(refusal(&access.action, &decision.to_string())),
            }
        }
        let (role_name, role_id) = (role.name.clone(), role.id.clone());
        Ok(AssumedRole { account, role_name, role_id, session_s_max: role.session_s_max })
    }
}

/// The access with the tags of the role that is passed, where one is.
fn of_passed_role<'a>(store: &Store, access: &'a Access) -> Cow<'a, Access> {
    if access.action != "iam:PassRole" {
        return Cow::Borrowed(access);
    }
    let role = role_of_arn(store, &access.resource).map(|(_, role)| pairs(Some(&role.tags)));
    Cow::Owned(access.clone().with_resource_tags(Some("iam:ResourceTag/"), role.unwrap_or_default()))
}

/// Decides on an access to a resource, with the resource's policy where it has one.
fn decide(
    store: &Store,
    principal: &Principal,
    access: &Access,
    resource: Option<neargate_decide::ResourcePolicy<'_>>,
) -> Decision {
    let role = role_of(store, principal);
    if let (Principal::Role { role_name, .. }, None) = (principal, role) {
        return Decision::ImplicitlyDenied { looked_at: vec![gone(role_name)] };
    }
    let caller = caller(principal, role);
    let context = context(&of_passed_role(store, access), principal, &caller, role);
    let question = Question { caller: &caller, action: &access.action, resource: &access.resource, context: &context };
    let side = Side::of(store, principal, role);
    let (policies, boundary, session) = side.policies();
    let identity = match principal {
        Principal::Root { .. } => Identity::Root,
        Principal::Service { .. } => Identity::Service,
        Principal::Role { .. } => {
            Identity::Role { policies: &policies, boundary: boundary.as_deref(), session: session.as_deref() }
        }
    };
    let is_own = caller.account.as_deref().is_none_or(|account| owns(account, &access.resource));
    let outcome = neargate_decide::authorize(&Request { question: &question, identity, resource, is_own });
    decision(outcome, principal, &side)
}

fn decision(outcome: Outcome, principal: &Principal, side: &Side<'_>) -> Decision {
    match outcome {
        Outcome::Allowed => Decision::Allowed,
        Outcome::Denied { layer: Layer::Identity, by } => Decision::ExplicitlyDenied { by },
        Outcome::Denied { layer: Layer::Boundary, by } => Decision::DeniedByBoundary { by },
        Outcome::Denied { layer: Layer::Session, by } => Decision::DeniedBySession { by },
        Outcome::Denied { layer: Layer::Resource, by } => Decision::DeniedByResource { by },
        Outcome::NotAllowed { layer: Layer::Identity, mut looked_at } => {
            match principal {
                Principal::Service { name } => looked_at.push(no_identity(name)),
                Principal::Role { role_name, .. } if looked_at.is_empty() && side.absent.is_empty() => {
                    looked_at.push(format!("role `{role_name}` has no policies"));
                }
                _ => looked_at.extend(side.absent.iter().cloned()),
            }
            Decision::ImplicitlyDenied { looked_at }
        }
        Outcome::NotAllowed { layer: Layer::Boundary, mut looked_at } => {
            looked_at.extend(side.absent.iter().cloned());
            Decision::OutsideBoundary { looked_at }
        }
        Outcome::NotAllowed { layer: Layer::Session, mut looked_at } => {
            looked_at.extend(side.absent.iter().cloned());
            Decision::OutsideSession { looked_at }
        }
        Outcome::NotAllowed { layer: Layer::Resource, looked_at } => Decision::NotInResourcePolicy { looked_at },
    }
}

/// A document under the name a reader knows it by.
type Named<'s> = (String, Cow<'s, Document>);

/// Every document on the side of who asks.
#[derive(Debug, Default)]
struct Side<'s> {
    own: Vec<Named<'s>>,
    boundary: Option<Vec<Named<'s>>>,
    session: Option<Vec<Named<'s>>>,
    /// A line for each policy that is named and gives no document.
    absent: Vec<String>,
}

impl<'s> Side<'s> {
    fn of(store: &'s Store, principal: &'s Principal, role: Option<&'s RoleRecord>) -> Self {
        let (Principal::Role { account, session, .. }, Some(role)) = (principal, role) else { return Self::default() };
        let mut side = Self::default();
        for (name, stored) in &role.inline {
            side.own.push((format!("inline policy `{name}`"), Cow::Borrowed(stored.document())));
        }
        for arn in &role.attached {
            let found = side.managed(store, account, arn, "policy");
            side.own.extend(found);
        }
        if let Some(arn) = &role.boundary {
            let found = side.managed(store, account, arn, "permissions boundary");
            side.boundary = Some(found.into_iter().collect());
        }
        if !session.policies.is_empty() {
            let mut found = vec![];
            for policy in &session.policies {
                match policy {
                    SessionPolicy::Managed(arn) => found.extend(side.managed(store, account, arn, "session policy")),
                    SessionPolicy::Document(text) => match Document::load(text, Kind::Inline) {
                        Ok(document) => found.push(("the session policy".to_owned(), Cow::Owned(document))),
                        Err(flaw) => side.absent.push(format!("the session policy is malformed: {flaw}")),
                    },
                }
            }
            side.session = Some(found);
        }
        side
    }

    fn managed(&mut self, store: &'s Store, account: &Account, arn: &str, what: &str) -> Option<Named<'s>> {
        let Some(policy) = policies::find_policy(store, account, arn) else {
            self.absent.push(format!("policy `{arn}` does not exist"));
            return None;
        };
        let Some(document) = policy.document() else {
            self.absent
                .push(format!("the text of AWS's policy `{}` is not known: it grants nothing here", policy.name));
            return None;
        };
        let name = if what == "policy" { &policy.name } else { arn };
        Some((format!("{what} `{name}`"), Cow::Borrowed(document.document())))
    }

    /// The three kinds of policies.
    fn policies(&self) -> (Vec<Policy<'_>>, Option<Vec<Policy<'_>>>, Option<Vec<Policy<'_>>>) {
        (vec_of(&self.own), self.boundary.as_deref().map(vec_of), self.session.as_deref().map(vec_of))
    }
}

fn vec_of<'a>(named: &'a [Named<'_>]) -> Vec<Policy<'a>> {
    named.iter().map(|(name, document)| Policy { name, document }).collect()
}

/// What was looked at to decide on an access, allowed or not: a line per statement of the resource's policy, of every policy of the
/// identity, of the permissions boundary and of the session.
pub fn explain_access(store: &Store, principal: &Principal, access: &Access) -> Vec<String> {
    let role = role_of(store, principal);
    let caller = caller(principal, role);
    let context = context(access, principal, &caller, role);
    let question = Question { caller: &caller, action: &access.action, resource: &access.resource, context: &context };
    let mut lines = match access.policy.as_ref().map(resource_policy::parse) {
        Some(Ok(document)) => explain(&[Policy { name: NAME, document: &document }], &question),
        Some(Err(flaw)) => vec![format!("{NAME} is malformed: {flaw}")],
        None => vec![],
    };
    match (principal, role) {
        (Principal::Root { account }, _) => {
            lines.push(format!("the root of account {account} may do everything in it"));
        }
        (Principal::Service { name }, _) => lines.push(no_identity(name)),
        (Principal::Role { role_name, .. }, None) => lines.push(gone(role_name)),
        (Principal::Role { .. }, Some(_)) => {
            let side = Side::of(store, principal, role);
            let (policies, boundary, session) = side.policies();
            let all = [Some(policies), boundary, session];
            lines.extend(all.iter().flatten().flat_map(|policies| explain(policies, &question)));
            lines.extend(side.absent);
        }
    }
    lines
}

fn no_identity(service: &str) -> String {
    format!("`{service}` is an AWS service: it acts through a role it assumes")
}

fn gone(role: &str) -> String {
    format!("role `{role}` does not exist")
}

/// Whether a resource is in an account. What belongs to no account, or to AWS, is in every one.
fn owns(account: &str, arn: &str) -> bool {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    owner == account || !Account::is_valid(owner)
}
