use neargate_constructs::iam::{
    Conditions, Effect, FromRoleArnOptions, ManagedPolicy, ManagedPolicyProps, Policy, PolicyDocument, PolicyProps,
    PolicyStatement, Principal, Role, RoleProps,
};
use neargate_constructs::{Duration, Json, Stack, StackProps, Value};

use super::{app, check, fixed};

fn allow(actions: &[&str], resources: &[&str]) -> PolicyStatement {
    PolicyStatement {
        actions: actions.iter().map(ToString::to_string).collect(),
        resources: resources.iter().map(|arn| Value::from(*arn)).collect(),
        ..Default::default()
    }
}

fn condition(operator: &str, key: &str, value: &str) -> Conditions {
    [(operator.to_owned(), [(key.to_owned(), Json::from(value))].into())].into()
}

fn full_role(stack: &Stack) -> Role {
    let boundary = ManagedPolicy::Arn("arn:aws:iam::123456789012:policy/boundary".into());
    let assumed_by = Principal::Composite(vec![
        Principal::service("ecs-tasks.amazonaws.com"),
        Principal::service("lambda.amazonaws.com"),
        Principal::WithConditions(
            Box::new(Principal::Account("210987654321".into())),
            condition("Bool", "aws:MultiFactorAuthPresent", "true"),
        ),
        Principal::WithConditions(
            Box::new(Principal::Federated {
                provider: "cognito-identity.amazonaws.com".into(),
                assume_role_action: "sts:AssumeRoleWithWebIdentity".into(),
            }),
            condition("StringEquals", "aud", "x"),
        ),
    ]);
    let managed = ManagedPolicy::from_aws_managed_policy_name("service-role/AmazonECSTaskExecutionRolePolicy");
    let inline = PolicyDocument { statements: vec![allow(&["s3:Get*"], &["*"])] };
    let props = RoleProps {
        assumed_by: Some(assumed_by),
        description: Some("everything".into()),
        max_session_duration: Some(Duration::hours(2)),
        path: Some("/jobs/".into()),
        role_name: Some("full".into()),
        permissions_boundary: Some(boundary.clone()),
        managed_policies: vec![managed, boundary.clone(), boundary],
        inline_policies: [("one".to_owned(), inline)].into(),
        external_ids: vec![],
    };
    Role::new(stack, "Full", props)
}

#[test]
fn roles_and_policies_with_every_prop() {
    let app = app();
    let stack = Stack::new(&app, "Roles", fixed());
    let role = full_role(&stack);
    let assumed = |by: Principal, ids: &[&str]| RoleProps {
        assumed_by: Some(by),
        external_ids: ids.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    Role::new(&stack, "External", assumed(Principal::AccountRoot, &["a", "b"]));
    Role::new(&stack, "Anyone", assumed(Principal::AnyAws, &["a"]));
    Role::new(&stack, "ByArn", assumed(Principal::Arn("arn:aws:iam::210987654321:role/x".into()), &[]));
    role.add_to_policy(allow(&["sqs:SendMessage"], &["arn:b"]));
    role.add_to_policy(allow(&["sqs:SendMessage"], &["arn:a", "arn:b"]));
    role.add_to_policy(allow(&["sqs:ReceiveMessage"], &["arn:a", "arn:b"]));
    let within = || condition("StringEquals", "aws:SourceVpc", "vpc-1");
    role.add_to_policy(PolicyStatement { conditions: within(), ..allow(&["sqs:ReceiveMessage"], &["arn:a"]) });
    role.add_to_policy(PolicyStatement { conditions: within(), ..allow(&["sqs:DeleteMessage"], &["arn:a"]) });
    role.add_to_policy(PolicyStatement { sid: Some("Kept".into()), ..allow(&["sqs:SendMessage"], &["arn:a"]) });
    role.add_to_policy(PolicyStatement {
        effect: Effect::Deny,
        not_actions: vec!["sqs:*".into(), "iam:*".into()],
        not_resources: vec!["arn:a".into()],
        ..Default::default()
    });
    role.add_to_policy(allow(&["sqs:SendMessage"], &["arn:b"]));
    let import = |id: &str, arn: &str, mutable| Role::from_role_arn(&stack, id, arn, FromRoleArnOptions { mutable });
    let taken = import("Taken", "arn:aws:iam::123456789012:role/path/taken", true);
    let list = PolicyStatement { resources: vec![role.role_arn()], ..allow(&["s3:ListBucket"], &[]) };
    taken.add_to_policy(list);
    import("Foreign", "arn:aws:iam::210987654321:role/foreign", true).add_to_policy(allow(&["s3:ListBucket"], &["*"]));
    import("Fixed", "arn:aws:iam::123456789012:role/fixed", false).add_to_policy(allow(&["s3:ListBucket"], &["*"]));
    let managed = ManagedPolicyProps {
        roles: vec![role.clone()],
        managed_policy_name: Some("managed".into()),
        description: Some("shared".into()),
        path: Some("/p/".into()),
        statements: vec![allow(&["s3:ListBucket"], &["*"])],
    };
    ManagedPolicy::new(&stack, "Managed", managed);
    let own = ManagedPolicyProps { statements: vec![allow(&["s3:ListBucket"], &["*"])], ..Default::default() };
    role.add_managed_policy(ManagedPolicy::new(&stack, "Own", own));
    let inline = PolicyProps { policy_name: Some("inline".into()), roles: vec![role], ..Default::default() };
    Policy::new(&stack, "Inline", inline).add_statement(allow(&["s3:ListBucket"], &["*"]));
    check(&app, &["Roles"]);
}

#[test]
fn what_iam_would_refuse_is_reported() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let props = RoleProps {
        role_name: Some("no spaces".into()),
        path: Some("jobs".into()),
        max_session_duration: Some(Duration::minutes(1)),
        description: Some("x".repeat(1001)),
        ..Default::default()
    };
    Role::new(&stack, "Role", props);
    Policy::new(&stack, "Policy", PolicyProps::default());
    Role::from_role_arn(&stack, "Import", "role", FromRoleArnOptions::default())
        .add_managed_policy(ManagedPolicy::AwsManaged("X".into()));
    let found: Vec<String> = app.assemble().unwrap_err().iter().map(|d| d.message.clone()).collect();
    assert_eq!(
        found,
        [
            "the role has no `assumed_by`",
            "`no spaces` is no role name: expected 1 to 64 letters, digits and `_+=,.@-`",
            "`jobs` is no role path: expected at most 512 characters that begin and end with `/`",
            "`max_session_duration` is 60 seconds: expected 3600 to 43200",
            "`description` is longer than 1000 characters",
            "`role` is no ARN of a role",
            "ManagedPolicy(X) cannot be attached to a role that was only taken in",
            "policy is empty",
            "policy belongs to no role",
        ]
    );
}
