//! `CreateRole`, `GetRole`, `ListRoles`, `UpdateRole`, `DeleteRole`, and the instance profiles that no role has.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::encoded;
use super::page::page;
use super::trust::checked_trust;
use crate::access::{on_path, on_role, pairs};
use crate::errors::IamError;
use crate::policies::find_policy;
use crate::state::{self, RoleRecord, find_role, put_role};
use crate::{api, aws_managed};

const SESSION_S_DEFAULT: i32 = 3600;

pub(crate) struct CreateRole;

impl Operation for CreateRole {
    const SHAPE: &'static OperationShape = &api::CREATE_ROLE;
    type Input = api::CreateRoleInput;
    type Output = api::CreateRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let arn = on_path(cx, "role", input.path.as_deref(), &input.role_name);
        let on = |action: &str| {
            Access::new(action, &arn)
                .with_option("iam:PermissionsBoundary", input.permissions_boundary.as_deref())
                .with_resource_tags(Some("iam:ResourceTag/"), [])
                .with_request_tags(pairs(input.tags.as_deref()))
        };
        let tag = input.tags.as_ref().is_some_and(|tags| !tags.is_empty()).then(|| on("iam:TagRole"));
        Accesses::new(on("iam:CreateRole")).and(tag)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let trust = checked_trust(cx, &input.assume_role_policy_document)?;
        let same = |role: &&RoleRecord| role.name.eq_ignore_ascii_case(&input.role_name);
        if state::roles(cx.store(), &cx.scope.account).any(|role| same(&role)) {
            return Err(IamError::RoleExists(input.role_name).into());
        }
        if let Some(arn) = &input.permissions_boundary
            && find_policy(cx.store(), &cx.scope.account, arn).is_none()
        {
            return Err(IamError::PolicyNotAttachable(arn.clone()).into());
        }
        if let Some(arn) = &input.permissions_boundary {
            aws_managed::say_if_unknown(cx, "CreateRole", arn);
        }
        let record = RoleRecord {
            name: input.role_name,
            path: input.path.unwrap_or_else(|| "/".to_owned()),
            id: format!("AROA{}", cx.rng.upper_alphanumeric(17)),
            created: cx.time(),
            description: input.description,
            session_s_max: input.max_session_duration.unwrap_or(SESSION_S_DEFAULT),
            boundary: input.permissions_boundary,
            tags: input.tags.unwrap_or_default(),
            trust,
            inline: BTreeMap::new(),
            attached: vec![],
        };
        let role = api::Role { max_session_duration: None, ..shown(cx, &record, true) };
        put_role(cx, record);
        Ok(api::CreateRoleOutput { role })
    }
}

pub(crate) struct GetRole;

impl Operation for GetRole {
    const SHAPE: &'static OperationShape = &api::GET_ROLE;
    type Input = api::GetRoleInput;
    type Output = api::GetRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:GetRole", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let record = state::role(cx, &input.role_name)?;
        // When a role was used last is not recorded.
        let role_last_used = Some(api::RoleLastUsed::default());
        Ok(api::GetRoleOutput { role: api::Role { role_last_used, ..shown(cx, &record, true) } })
    }
}

pub(crate) struct ListRoles;

impl Operation for ListRoles {
    const SHAPE: &'static OperationShape = &api::LIST_ROLES;
    type Input = api::ListRolesInput;
    type Output = api::ListRolesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:ListRoles", on_path(cx, "role", input.path_prefix.as_deref(), "")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let roles = state::roles(cx.store(), &cx.scope.account).filter(|role| role.path.starts_with(prefix));
        let listed = roles.map(|role| (role.name.to_lowercase(), shown(cx, role, false)));
        let page = page(listed, input.marker.as_deref(), input.max_items);
        Ok(api::ListRolesOutput { roles: page.items, is_truncated: Some(page.marker.is_some()), marker: page.marker })
    }
}

pub(crate) struct UpdateRole;

impl Operation for UpdateRole {
    const SHAPE: &'static OperationShape = &api::UPDATE_ROLE;
    type Input = api::UpdateRoleInput;
    type Output = api::UpdateRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:UpdateRole", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        role.description = input.description.or(role.description);
        role.session_s_max = input.max_session_duration.unwrap_or(role.session_s_max);
        put_role(cx, role);
        Ok(api::UpdateRoleOutput {})
    }
}

pub(crate) struct DeleteRole;

impl Operation for DeleteRole {
    const SHAPE: &'static OperationShape = &api::DELETE_ROLE;
    type Input = api::DeleteRoleInput;
    type Output = api::DeleteRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:DeleteRole", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let role = state::role(cx, &input.role_name)?;
        if !role.attached.is_empty() {
            return Err(IamError::RoleHasAttachedPolicies.into());
        }
        if !role.inline.is_empty() {
            return Err(IamError::RoleHasInlinePolicies.into());
        }
        cx.in_global(|cx| cx.delete::<RoleRecord>(&role.name.to_lowercase()));
        Ok(api::DeleteRoleOutput {})
    }
}

pub(crate) struct ListInstanceProfilesForRole;

impl Operation for ListInstanceProfilesForRole {
    const SHAPE: &'static OperationShape = &api::LIST_INSTANCE_PROFILES_FOR_ROLE;
    type Input = api::ListInstanceProfilesForRoleInput;
    type Output = api::ListInstanceProfilesForRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:ListInstanceProfilesForRole", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if find_role(cx.store(), &cx.scope.account, &input.role_name).is_none() {
            return Err(IamError::RoleNotFound(input.role_name).into());
        }
        Ok(api::ListInstanceProfilesForRoleOutput {
            instance_profiles: vec![],
            is_truncated: Some(false),
            marker: None,
        })
    }
}

/// A role as it is answered. Lists leave the tags and the boundary out.
fn shown(cx: &Cx<'_>, role: &RoleRecord, in_full: bool) -> api::Role {
    let boundary = role.boundary.clone().filter(|_| in_full).map(|arn| api::AttachedPermissionsBoundary {
        permissions_boundary_type: Some("PermissionsBoundaryPolicy".to_owned()),
        permissions_boundary_arn: Some(arn),
    });
    api::Role {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(&cx.scope.account),
        create_date: role.created,
        assume_role_policy_document: Some(encoded(&role.trust.shown(cx.store()))),
        description: role.description.clone(),
        max_session_duration: Some(role.session_s_max),
        permissions_boundary: boundary,
        tags: Some(role.tags.clone()).filter(|tags| in_full && !tags.is_empty()),
        role_last_used: None,
        source_role_template: None,
    }
}
