//! `CreateGrant`, `ListGrants`, `ListRetirableGrants`, `RevokeGrant`, `RetireGrant`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation, PolicyFlaw, Principal};
use neargate_shape::OperationShape;
use neargate_shape::scalar::base64_decode;
use serde_json::json;

use super::data_keys::stop_at_dry_run;
use super::page::page;
use crate::access::{on_key, with_caller};
use crate::errors::KmsError;
use crate::state::GrantRecord;
use crate::{api, reference};

pub(crate) struct CreateGrant;

impl Operation for CreateGrant {
    const SHAPE: &'static OperationShape = &api::CREATE_GRANT;
    type Input = api::CreateGrantInput;
    type Output = api::CreateGrantOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let mut access = on_key(cx, "CreateGrant", &input.key_id)
            .with_all("kms:GrantOperations", input.operations.clone())
            .with("kms:GrantIsForAWSResource", cx.called_via().is_some().to_string());
        if let Some(grantee) = input.grantee_principal.as_ref().or(input.grantee_service_principal.as_ref()) {
            access = access.with("kms:GranteePrincipal", grantee.as_str());
        }
        if let Some(retiring) = input.retiring_principal.as_ref().or(input.retiring_service_principal.as_ref()) {
            access = access.with("kms:RetiringPrincipal", retiring.as_str());
        }
        let constraints = input.constraints.as_ref();
        let kinds = [
            ("EncryptionContextEquals", constraints.is_some_and(|it| it.encryption_context_equals.is_some())),
            ("EncryptionContextSubset", constraints.is_some_and(|it| it.encryption_context_subset.is_some())),
        ];
        for (kind, _) in kinds.into_iter().filter(|(_, is_given)| *is_given) {
            access = access.with("kms:GrantConstraintType", kind);
        }
        access.into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let key = reference::own_key(cx, &input.key_id)?;
        key.usable(&cx.scope)?;
        if let Some(arn) = input.grantee_principal.as_ref().filter(|arn| !arn.starts_with("arn:")) {
            return Err(KmsError::GranteePrincipal(arn.clone()).into());
        }
        if let Some(arn) = input.grantee_principal.as_ref().filter(|arn| !exists(cx, arn)) {
            return Err(KmsError::GranteePrincipal(arn.clone()).into());
        }
        let grantee = input.grantee_principal.or(input.grantee_service_principal).ok_or(KmsError::GranteeMissing)?;
        let retiring = input.retiring_principal.or(input.retiring_service_principal);
        stop_at_dry_run(input.dry_run)?;
        if let Some(same) = same_grant(cx, &key.id, input.name.as_deref(), &grantee, &input.operations) {
            return Ok(api::CreateGrantOutput { grant_token: Some(same.token()), grant_id: Some(same.id) });
        }
        let grant = GrantRecord {
            id: cx.rng.hex(64),
            key_id: key.id,
            name: input.name,
            created: cx.time(),
            grantee,
            retiring,
            operations: input.operations,
            constraints: input.constraints,
            issuer: cx.scope.global_arn("iam", "root"),
        };
        let output = api::CreateGrantOutput { grant_token: Some(grant.token()), grant_id: Some(grant.id.clone()) };
        cx.put(&grant.place(), grant);
        Ok(output)
    }
}

/// Whether there is a principal of this ARN, as far as a key policy may name it.
fn exists(cx: &Cx<'_>, arn: &str) -> bool {
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let checked = cx.registry.ports.authorizer.check_resource_policy(cx.store(), &policy);
    !matches!(checked, Err(PolicyFlaw::Principal(_)))
}

/// A grant of this name that says the same: naming it makes the call repeatable.
fn same_grant(
    cx: &Cx<'_>,
    key_id: &str,
    name: Option<&str>,
    grantee: &str,
    operations: &[String],
) -> Option<GrantRecord> {
    let name = name?;
    let mut grants = cx.scan::<GrantRecord>(&format!("{key_id}/")).map(|(_, grant)| grant);
    let same = |grant: &&GrantRecord| {
        grant.name.as_deref() == Some(name) && grant.grantee == grantee && grant.operations == operations
    };
    grants.find(same).cloned()
}

pub(crate) struct ListGrants;

impl Operation for ListGrants {
    const SHAPE: &'static OperationShape = &api::LIST_GRANTS;
    type Input = api::ListGrantsInput;
    type Output = api::ListGrantsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "ListGrants", &input.key_id)
            .with("kms:GrantIsForAWSResource", cx.called_via().is_some().to_string())
            .into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let key = reference::own_key(cx, &input.key_id)?;
        let grantee = input.grantee_principal.as_ref().or(input.grantee_service_principal.as_ref());
        let grants = cx.scan::<GrantRecord>(&format!("{}/", key.id)).map(|(_, grant)| grant);
        let grants = grants.filter(|grant| {
            input.grant_id.as_ref().is_none_or(|id| *id == grant.id) && grantee.is_none_or(|who| *who == grant.grantee)
        });
        let grants = grants.map(|grant| grant.shown(&cx.scope)).collect();
        let page = page(grants, input.marker.as_deref(), input.limit, 50)?;
        Ok(api::ListGrantsOutput { grants: page.items, next_marker: page.next, truncated: page.truncated })
    }
}

pub(crate) struct ListRetirableGrants;

impl Operation for ListRetirableGrants {
    const SHAPE: &'static OperationShape = &api::LIST_RETIRABLE_GRANTS;
    type Input = api::ListRetirableGrantsInput;
    type Output = api::ListRetirableGrantsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("kms:ListRetirableGrants", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let retiring = input.retiring_principal.or(input.retiring_service_principal);
        let grants = cx.scan::<GrantRecord>("").map(|(_, grant)| grant);
        let grants = grants.filter(|grant| grant.retiring.is_some() && grant.retiring == retiring);
        let grants = grants.map(|grant| grant.shown(&cx.scope)).collect();
        let page = page(grants, input.marker.as_deref(), input.limit, 50)?;
        Ok(api::ListRetirableGrantsOutput { grants: page.items, next_marker: page.next, truncated: page.truncated })
    }
}

pub(crate) struct RevokeGrant;

impl Operation for RevokeGrant {
    const SHAPE: &'static OperationShape = &api::REVOKE_GRANT;
    type Input = api::RevokeGrantInput;
    type Output = api::RevokeGrantOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "RevokeGrant", &input.key_id)
            .with("kms:GrantIsForAWSResource", cx.called_via().is_some().to_string())
            .into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let key = reference::own_key(cx, &input.key_id)?;
        let place = format!("{}/{}", key.id, input.grant_id);
        if cx.get::<GrantRecord>(&place).is_none() {
            return Err(KmsError::GrantNotFound(input.grant_id).into());
        }
        stop_at_dry_run(input.dry_run)?;
        cx.delete::<GrantRecord>(&place);
        Ok(api::RevokeGrantOutput {})
    }
}

pub(crate) struct RetireGrant;

impl Operation for RetireGrant {
    const SHAPE: &'static OperationShape = &api::RETIRE_GRANT;
    type Input = api::RetireGrantInput;
    type Output = api::RetireGrantOutput;

    /// The retiring principal, and a grantee whom the grant lets retire it, need no permission.
    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        match retired(cx, input) {
            Ok(grant) if may_retire(&cx.principal, &grant) => {
                Accesses::none("the grant lets its retiring principal, and its grantee, retire it without a policy")
            }
            Ok(grant) => on_key(cx, "RetireGrant", &grant.key_id).into(),
            Err(_) => with_caller(cx, Access::new("kms:RetireGrant", "*")).into(),
        }
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let grant = retired(cx, &input)?;
        stop_at_dry_run(input.dry_run)?;
        cx.delete::<GrantRecord>(&grant.place());
        Ok(api::RetireGrantOutput {})
    }
}

fn may_retire(principal: &Principal, grant: &GrantRecord) -> bool {
    let role = match principal {
        // The path of the role is not known here; its name is unique in the account.
        Principal::Role { account, role_name, .. } => Some((format!(":iam::{account}:role/"), format!("/{role_name}"))),
        _ => None,
    };
    let is = |arn: &String| {
        *arn == principal.arn()
            || role.as_ref().is_some_and(|(start, end)| arn.contains(start.as_str()) && arn.ends_with(end.as_str()))
    };
    let grantee_may = grant.operations.iter().any(|operation| operation == "RetireGrant");
    grant.retiring.as_ref().is_some_and(is) || (grantee_may && is(&grant.grantee))
}

fn retired(cx: &Cx<'_>, input: &api::RetireGrantInput) -> Result<GrantRecord, KmsError> {
    let place = match (&input.grant_token, &input.key_id, &input.grant_id) {
        (Some(token), ..) => base64_decode(token).and_then(|bytes| String::from_utf8(bytes).ok()),
        (None, Some(key), Some(grant)) => Some(format!("{}/{grant}", reference::own_key(cx, key)?.id)),
        _ => return Err(KmsError::RetireWhat),
    };
    let grant = place.and_then(|place| cx.get::<GrantRecord>(&place));
    let missing = || match (&input.grant_token, &input.grant_id) {
        (None, Some(id)) => KmsError::GrantNotFound(id.clone()),
        _ => KmsError::GrantToken,
    };
    grant.cloned().ok_or_else(missing)
}
