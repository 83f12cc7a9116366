//! `AssumeRole`.
//!
//! Follows <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::{Account, Arn};
use neargate_decide::{Document, Kind};
use neargate_kernel::{Access, Accesses, Cx, Fault, Operation, Principal, Session, SessionPolicy};
use neargate_shape::OperationShape;

use crate::errors::StsError;
use crate::{api, credentials};

const DURATION_S_DEFAULT: i32 = 3600;
/// The longest session of a role that another role assumes.
const CHAINED_DURATION_S_MAX: i32 = 3600;
const SESSION_POLICIES_MAX: usize = 10;

pub(crate) struct AssumeRole;

impl Operation for AssumeRole {
    const SHAPE: &'static OperationShape = &api::ASSUME_ROLE;
    type Input = api::AssumeRoleInput;
    type Output = api::AssumeRoleOutput;

    /// The role's trust policy can suffice without a policy of the caller's.
    fn access(_cx: &Cx<'_>, _input: &Self::Input) -> Accesses {
        Accesses::none(
            "the role's trust policy and the caller's policies are weighed together when the role is assumed",
        )
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if !input.role_arn.parse().is_ok_and(|arn: Arn| Account::is_valid(&arn.account)) {
            return Err(StsError::RoleArn(input.role_arn).into());
        }
        let session = session(cx, &input)?;
        let asked: Vec<_> = asked(&input).iter().map(|access| cx.in_request(access)).collect();
        let authorizer = cx.registry.ports.authorizer;
        let role =
            authorizer.assume(cx.store(), &cx.principal, &input.role_arn, &asked).map_err(StsError::NotTrusted)?;
        let duration_s = input.duration_seconds.unwrap_or(DURATION_S_DEFAULT);
        if matches!(cx.principal, Principal::Role { .. }) && duration_s > CHAINED_DURATION_S_MAX {
            return Err(StsError::ChainedDuration.into());
        }
        if duration_s > role.session_s_max {
            return Err(StsError::RoleDuration.into());
        }
        say_what_is_not_enforced(cx, &input);
        let source_identity = session.source_identity.clone();
        let principal = role.session(&input.role_session_name, session);
        let assumed_role_user = api::AssumedRoleUser {
            assumed_role_id: format!("{}:{}", role.role_id, input.role_session_name),
            arn: principal.arn(),
        };
        let made = credentials::make(cx, principal, duration_s)?;
        Ok(api::AssumeRoleOutput {
            credentials: Some(api::Credentials {
                access_key_id: made.access_key_id,
                secret_access_key: made.secret_access_key,
                session_token: made.session_token,
                expiration: made.expiration,
            }),
            assumed_role_user: Some(assumed_role_user),
            packed_policy_size: None,
            source_identity,
            session_token_utilization: None,
            session_token_size: None,
        })
    }
}

/// What the session is made with: the caller's transitive tags and source identity go over to it.
fn session(cx: &Cx<'_>, input: &api::AssumeRoleInput) -> Result<Session, StsError> {
    let inherited = match &cx.principal {
        Principal::Role { session, .. } => session.as_ref().clone(),
        _ => Session::default(),
    };
    let is_same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let given: Vec<_> = input.tags.iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let keys: BTreeSet<_> = given.iter().map(|(key, _)| key.to_lowercase()).collect();
    if keys.len() < given.len() {
        return Err(StsError::DuplicateTags);
    }
    if inherited.transitive.iter().any(|key| given.iter().any(|(given, _)| is_same(given, key))) {
        return Err(StsError::TransitiveConflict);
    }
    let transitive: BTreeSet<_> = input.transitive_tag_keys.iter().flatten().cloned().collect();
    if transitive.iter().any(|key| !given.iter().any(|(given, _)| is_same(given, key))) {
        return Err(StsError::TransitiveUnknown);
    }
    let is_transitive = |key: &String| inherited.transitive.contains(key);
    let mut tags: BTreeMap<_, _> = inherited.tags.into_iter().filter(|(key, _)| is_transitive(key)).collect();
    tags.extend(given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Ok(Session {
        role_id: None,
        issued: Some(cx.time()),
        policies: policies(input)?,
        tags,
        transitive: inherited.transitive.into_iter().chain(transitive).collect(),
        source_identity: source_identity(inherited.source_identity, input, &cx.principal)?,
    })
}

/// The policies that limit the session.
fn policies(input: &api::AssumeRoleInput) -> Result<Vec<SessionPolicy>, StsError> {
    let arns = input.policy_arns.iter().flatten().filter_map(|policy| policy.arn.clone());
    let mut policies: Vec<_> = arns.map(SessionPolicy::Managed).collect();
    if policies.len() > SESSION_POLICIES_MAX {
        return Err(StsError::SessionPolicies);
    }
    if let Some(text) = &input.policy {
        Document::parse(text, Kind::Inline).map_err(StsError::MalformedPolicy)?;
        policies.push(SessionPolicy::Document(text.clone()));
    }
    Ok(policies)
}

/// Who stands behind the session: once set, it goes through all sessions made from it and cannot be changed.
fn source_identity(
    inherited: Option<String>,
    input: &api::AssumeRoleInput,
    caller: &Principal,
) -> Result<Option<String>, StsError> {
    match (inherited, &input.source_identity) {
        (Some(inherited), Some(given)) if inherited != *given => {
            let (who, role) = (caller.arn(), &input.role_arn);
            let text = format!("User: {who} is not authorized to perform: sts:SetSourceIdentity on resource: {role}");
            Err(StsError::NotTrusted(format!("{text} (the session's source identity is `{inherited}` and stays so)")))
        }
        (Some(inherited), _) => Ok(Some(inherited)),
        (None, given) => Ok(given.clone()),
    }
}

/// What the trust policy and the caller's policies must allow, with the condition keys that they can ask for.
fn asked(input: &api::AssumeRoleInput) -> Vec<Access> {
    let tags = input.tags.iter().flatten().map(|tag| (tag.key.clone(), tag.value.clone()));
    let transitive = input.transitive_tag_keys.clone().unwrap_or_default();
    let duration_s = input.duration_seconds.unwrap_or(DURATION_S_DEFAULT);
    let mut assume = Access::new("sts:AssumeRole", &input.role_arn)
        .with("sts:RoleSessionName", input.role_session_name.as_str())
        .with("sts:DurationSeconds", duration_s.to_string())
        .with_option("sts:ExternalId", input.external_id.as_deref())
        .with_option("sts:SourceIdentity", input.source_identity.as_deref())
        .with_request_tags(tags)
        // What web identities, SAML and the like bring is not in this call.
        .complete("sts:");
    if !transitive.is_empty() {
        assume = assume.with_all("sts:TransitiveTagKeys", transitive);
    }
    let beside = |action: &str| Access { action: action.to_owned(), ..assume.clone() };
    let tag = input.tags.as_ref().is_some_and(|tags| !tags.is_empty()).then(|| beside("sts:TagSession"));
    let source = input.source_identity.is_some().then(|| beside("sts:SetSourceIdentity"));
    std::iter::once(assume.clone()).chain(tag).chain(source).collect()
}

fn say_what_is_not_enforced(cx: &mut Cx<'_>, input: &api::AssumeRoleInput) {
    if input.serial_number.is_some() {
        let text = "`SerialNumber` is accepted; the session does not count as made with a second factor";
        cx.not_simulated(format!("sts:AssumeRole {}", input.role_arn), text);
    }
}
