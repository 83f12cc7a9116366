//! `PutRolePermissionsBoundary`, `DeleteRolePermissionsBoundary`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::on_role;
use crate::errors::IamError;
use crate::policies::find_policy;
use crate::state::{self, put_role};
use crate::{api, aws_managed};

pub(crate) struct PutRolePermissionsBoundary;

impl Operation for PutRolePermissionsBoundary {
    const SHAPE: &'static OperationShape = &api::PUT_ROLE_PERMISSIONS_BOUNDARY;
    type Input = api::PutRolePermissionsBoundaryInput;
    type Output = api::PutRolePermissionsBoundaryOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let access = on_role(cx, "iam:PutRolePermissionsBoundary", &input.role_name);
        access.with("iam:PermissionsBoundary", &input.permissions_boundary).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        if find_policy(cx.store(), &cx.scope.account, &input.permissions_boundary).is_none() {
            return Err(IamError::PolicyNotAttachable(input.permissions_boundary).into());
        }
        aws_managed::say_if_unknown(cx, "PutRolePermissionsBoundary", &input.permissions_boundary);
        role.boundary = Some(input.permissions_boundary);
        put_role(cx, role);
        Ok(api::PutRolePermissionsBoundaryOutput {})
    }
}

pub(crate) struct DeleteRolePermissionsBoundary;

impl Operation for DeleteRolePermissionsBoundary {
    const SHAPE: &'static OperationShape = &api::DELETE_ROLE_PERMISSIONS_BOUNDARY;
    type Input = api::DeleteRolePermissionsBoundaryInput;
    type Output = api::DeleteRolePermissionsBoundaryOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:DeleteRolePermissionsBoundary", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        role.boundary = None;
        put_role(cx, role);
        Ok(api::DeleteRolePermissionsBoundaryOutput {})
    }
}
