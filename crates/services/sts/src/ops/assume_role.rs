//! `AssumeRole`.
//!
//! Follows <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.

use neargate_base::Arn;
use neargate_kernel::{Accesses, Cx, Fault, Operation, Principal};
use neargate_shape::OperationShape;

use crate::errors::StsError;
use crate::{api, credentials};

const DURATION_S_DEFAULT: i32 = 3600;
/// The longest session of a role that another role assumes.
const CHAINED_DURATION_S_MAX: i32 = 3600;

pub(crate) struct AssumeRole;

impl Operation for AssumeRole {
    const SHAPE: &'static OperationShape = &api::ASSUME_ROLE;
    type Input = api::AssumeRoleInput;
    type Output = api::AssumeRoleOutput;

    /// The role's trust policy can suffice without a policy of the caller's: both are weighed when the role is assumed.
    fn access(_cx: &Cx<'_>, _input: &Self::Input) -> Accesses {
        Accesses::none(
            "the role's trust policy and the caller's policies are weighed together when the role is assumed",
        )
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.role_arn.parse::<Arn>().is_err() {
            return Err(StsError::RoleArn(input.role_arn).into());
        }
        let authorizer = cx.registry.ports.authorizer;
        let role = authorizer
            .assume(cx.store(), &cx.principal, &input.role_arn, &context(&input))
            .map_err(StsError::NotTrusted)?;
        let duration_s = input.duration_seconds.unwrap_or(DURATION_S_DEFAULT);
        if matches!(cx.principal, Principal::Role { .. }) && duration_s > CHAINED_DURATION_S_MAX {
            return Err(StsError::ChainedDuration.into());
        }
        if duration_s > role.session_s_max {
            return Err(StsError::RoleDuration.into());
        }
        say_what_is_not_enforced(cx, &input);
        let principal = role.session(&input.role_session_name);
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
            source_identity: input.source_identity,
            session_token_utilization: None,
            session_token_size: None,
        })
    }
}

/// The condition keys that a trust policy can ask for.
fn context(input: &api::AssumeRoleInput) -> Vec<(String, Vec<String>)> {
    let mut context = vec![("sts:RoleSessionName".to_owned(), vec![input.role_session_name.clone()])];
    let mut add = |key: &str, value: &Option<String>| {
        context.extend(value.iter().map(|value| (key.to_owned(), vec![value.clone()])));
    };
    add("sts:ExternalId", &input.external_id);
    add("sts:SourceIdentity", &input.source_identity);
    let tags = input.tags.iter().flatten();
    context.extend(tags.clone().map(|tag| (format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()])));
    let keys: Vec<_> = tags.map(|tag| tag.key.clone()).collect();
    if !keys.is_empty() {
        context.push(("aws:TagKeys".to_owned(), keys));
    }
    context
}

fn say_what_is_not_enforced(cx: &mut Cx<'_>, input: &api::AssumeRoleInput) {
    let given = [
        ("Policy", input.policy.is_some()),
        ("PolicyArns", input.policy_arns.is_some()),
        ("Tags", input.tags.as_ref().is_some_and(|tags| !tags.is_empty())),
        ("SerialNumber", input.serial_number.is_some()),
    ];
    for (member, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        let text = format!("`{member}` is accepted and does not change what the session may do");
        cx.not_simulated(format!("sts:AssumeRole {}", input.role_arn), text);
    }
}
