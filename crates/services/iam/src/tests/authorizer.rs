use expect_test::{Expect, expect};
use neargate_base::Scope;
use neargate_kernel::{Access, Authorizer, Principal, Session};
use serde_json::{Value as Json, json};

use super::{World, trust};
use crate::{AUTHORIZER, explain_access};

fn statement(effect: &str, action: &str, resource: &str) -> Json {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]})
}

fn world() -> World {
    let mut world = World::new();
    let role = |name: &str, trust: Json| json!({"RoleName": name, "AssumeRolePolicyDocument": trust});
    world.call("CreateRole", &role("tasks", trust("ecs-tasks.amazonaws.com"))).unwrap();
    let document = statement("Allow", "iam:Get*", "arn:aws:iam::000000000000:role/${aws:PrincipalTag/own}");
    let inline =
        |name: &str, document: &Json| json!({"RoleName": "tasks", "PolicyName": name, "PolicyDocument": document});
    world.call("PutRolePolicy", &inline("own", &document)).unwrap();
    world.call("TagRole", &json!({"RoleName": "tasks", "Tags": [{"Key": "own", "Value": "tasks"}]})).unwrap();
    world
}

fn decide(world: &World, principal: &Principal, access: &Access) -> String {
    format!("{}", AUTHORIZER.authorize(world.core.store(), principal, access))
}

#[test]
fn a_role_may_what_its_policies_say_and_hears_why_not() {
    let world = &mut world();
    world.as_role("tasks");
    assert!(world.call("GetRole", &json!({"RoleName": "tasks"})).is_ok());
    expect![[r#"
        403 AccessDenied: User: arn:aws:sts::000000000000:assumed-role/tasks/s is not authorized to perform: iam:GetRole on resource: arn:aws:iam::000000000000:role/other because no identity-based policy allows the iam:GetRole action
          hint: no identity-based policy allows it: inline policy `own`, statement 1: is for resource `arn:aws:iam::000000000000:role/${aws:PrincipalTag/own}`"#]].assert_eq(&world.told("GetRole", &json!({"RoleName": "other"})));
    expect![[r#"
        403 AccessDenied: User: arn:aws:sts::000000000000:assumed-role/tasks/s is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::000000000000:role/ because no identity-based policy allows the iam:ListRoles action
          hint: no identity-based policy allows it: inline policy `own`, statement 1: is for action `iam:Get*`"#]].assert_eq(&world.told("ListRoles", &json!({})));
    expect![[r#"
        403 AccessDenied: User: arn:aws:sts::000000000000:assumed-role/nobody/s is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::000000000000:role/ because no identity-based policy allows the iam:ListRoles action
          hint: no identity-based policy allows it: role `nobody` does not exist"#]].assert_eq(&world.as_role("nobody").told("ListRoles", &json!({})));
}

#[test]
fn a_restart_changes_no_decision() {
    let mut world = world().restarted();
    world.as_role("tasks");
    assert!(world.call("GetRole", &json!({"RoleName": "tasks"})).is_ok());
    assert!(world.call("GetRole", &json!({"RoleName": "other"})).is_err());
}

#[test]
fn an_explicit_deny_and_a_boundary_overrule() {
    let world = &mut world();
    let document = statement("Allow", "iam:List*", "*");
    world.call("CreatePolicy", &json!({"PolicyName": "list", "PolicyDocument": document})).unwrap();
    let list = "arn:aws:iam::000000000000:policy/list";
    world.call("PutRolePermissionsBoundary", &json!({"RoleName": "tasks", "PermissionsBoundary": list})).unwrap();
    let root = world.principal.clone();
    expect![[r#"
        403 AccessDenied: User: arn:aws:sts::000000000000:assumed-role/tasks/s is not authorized to perform: iam:GetRole on resource: arn:aws:iam::000000000000:role/tasks because no permissions boundary allows the iam:GetRole action
          hint: the permissions boundary does not allow it: permissions boundary `arn:aws:iam::000000000000:policy/list`, statement 1: is for action `iam:List*`"#]].assert_eq(&world.as_role("tasks").told("GetRole", &json!({"RoleName": "tasks"})));
    world.principal = root.clone();
    world.call("DeleteRolePermissionsBoundary", &json!({"RoleName": "tasks"})).unwrap();
    let deny = statement("Deny", "iam:GetRole", "*");
    world.call("PutRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "deny", "PolicyDocument": deny})).unwrap();
    expect![[r#"
        403 AccessDenied: User: arn:aws:sts::000000000000:assumed-role/tasks/s is not authorized to perform: iam:GetRole on resource: arn:aws:iam::000000000000:role/tasks with an explicit deny in an identity-based policy
          hint: denied by statement 1 of inline policy `deny`"#]].assert_eq(&world.as_role("tasks").told("GetRole", &json!({"RoleName": "tasks"})));
}

#[test]
fn the_conditions_of_every_request_are_there() {
    let world = &mut world();
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:PrincipalAccount": "000000000000"},
            "DateGreaterThan": {"aws:CurrentTime": "2027-01-15T07:59:59Z"}, "NumericLessThan": {"aws:EpochTime": "1800000001"},
            "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/tasks"}, "StringLike": {"aws:userid": "AROA*:s"}}}});
    world.call("PutRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "c", "PolicyDocument": document})).unwrap();
    assert!(world.as_role("tasks").call("ListRoles", &json!({})).is_ok());
}

#[test]
fn an_access_is_explained_statement_by_statement() {
    let world = &mut world();
    let boundary = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    world.call("PutRolePermissionsBoundary", &json!({"RoleName": "tasks", "PermissionsBoundary": boundary})).unwrap();
    let root = world.principal.clone();
    let role = world.as_role("tasks").principal.clone();
    let access = Access::new("iam:GetRole", "arn:aws:iam::000000000000:role/tasks");
    let explain = |principal: &Principal| explain_access(world.core.store(), principal, &access).join("\n");
    expect![[r#"
        inline policy `own`, statement 1: allows it
        permissions boundary `arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess`, statement 1: is for action `s3:Get*`, `s3:List*`, `s3:Describe*`, `s3-object-lambda:Get*`, `s3-object-lambda:List*`"#]].assert_eq(&explain(&role));
    expect!["the root of account 000000000000 may do everything in it"].assert_eq(&explain(&root));
}

#[test]
fn root_may_everything_and_a_service_nothing_by_itself() {
    let world = world();
    let access = Access::new("ecs:RunTask", "*");
    expect!["allowed"].assert_eq(&decide(&world, &world.principal, &access));
    expect!["no identity-based policy allows it: `events.amazonaws.com` is an AWS service: it acts through a role it assumes"].assert_eq(&decide(&world, &Principal::service("events.amazonaws.com"), &access));
}

#[test]
fn a_service_assumes_a_role_that_trusts_it() {
    let world = world();
    let assume = |arn: &str, service: &str, expected: Expect| {
        expected.assert_eq(&match AUTHORIZER.may_assume(world.core.store(), arn, service, &[]) {
            Ok(principal) => principal.arn(),
            Err(text) => text,
        });
    };
    let arn = "arn:aws:iam::000000000000:role/tasks";
    assume(arn, "ecs-tasks.amazonaws.com", expect!["arn:aws:sts::000000000000:assumed-role/tasks/ecs-tasks"]);
    assume(
        arn,
        "events.amazonaws.com",
        expect![
            "User: events.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/tasks (the trust policy, statement 1: is for principal `ecs-tasks.amazonaws.com`)"
        ],
    );
    assume(
        "arn:aws:iam::000000000000:role/path/tasks",
        "ecs-tasks.amazonaws.com",
        expect![
            "User: ecs-tasks.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/path/tasks (the role does not exist)"
        ],
    );
    assume(
        "tasks",
        "ecs-tasks.amazonaws.com",
        expect![
            "User: ecs-tasks.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: tasks (the role does not exist)"
        ],
    );
}

#[test]
fn trust_in_the_source_and_in_other_roles() {
    let world = &mut world();
    let source = "arn:aws:scheduler:eu-west-1:000000000000:schedule-group/default";
    let scheduler = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000", "aws:SourceArn": source}},
        "Principal": {"Service": "scheduler.amazonaws.com"}}]});
    world.call("CreateRole", &json!({"RoleName": "schedules", "AssumeRolePolicyDocument": scheduler})).unwrap();
    let trusting = |principal: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": principal}}]})
    };
    let direct = trusting("arn:aws:iam::000000000000:role/tasks");
    world.call("CreateRole", &json!({"RoleName": "direct", "AssumeRolePolicyDocument": direct})).unwrap();
    let account = trusting("arn:aws:iam::000000000000:root");
    world.call("CreateRole", &json!({"RoleName": "account", "AssumeRolePolicyDocument": account})).unwrap();

    let arn = |role: &str| format!("arn:aws:iam::000000000000:role/{role}");
    let check = |world: &World, caller: &Principal, role: &str, source: Option<&str>, expected: Expect| {
        let access = Access::new("sts:AssumeRole", arn(role)).with("aws:SourceAccount", "000000000000");
        let access = source.iter().fold(access, |access, source| access.with("aws:SourceArn", *source));
        let answer = AUTHORIZER.assume(world.core.store(), caller, &arn(role), &[access]);
        expected.assert_eq(&answer.map_or_else(|text| text, |role| role.session("s", Session::default()).arn()));
    };
    let service = Principal::service("scheduler.amazonaws.com");
    check(world, &service, "schedules", Some(source), expect!["arn:aws:sts::000000000000:assumed-role/schedules/s"]);
    check(
        world,
        &service,
        "schedules",
        None,
        expect![
            "User: scheduler.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/schedules (the trust policy, statement 1: does not allow it, since it depends on `aws:SourceArn`, whose value Neargate does not have)"
        ],
    );
    let tasks = Principal::role(&Scope::default().account, "tasks", "s");
    let root = world.principal.clone();
    check(world, &tasks, "direct", None, expect!["arn:aws:sts::000000000000:assumed-role/direct/s"]);
    check(
        world,
        &tasks,
        "account",
        None,
        expect![
            "User: arn:aws:sts::000000000000:assumed-role/tasks/s is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/account (the trust policy leaves it to the caller's account, and no identity-based policy allows it: inline policy `own`, statement 1: is for action `iam:Get*`)"
        ],
    );
    check(world, &root, "account", None, expect!["arn:aws:sts::000000000000:assumed-role/account/s"]);
    check(
        world,
        &root,
        "direct",
        None,
        expect![
            "User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/direct (the trust policy, statement 1: is for principal `arn:aws:iam::000000000000:role/tasks`)"
        ],
    );
    let allow = statement("Allow", "sts:AssumeRole", &arn("account"));
    world.call("PutRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "a", "PolicyDocument": allow})).unwrap();
    check(world, &tasks, "account", None, expect!["arn:aws:sts::000000000000:assumed-role/account/s"]);
    let deny = statement("Deny", "sts:*", "*");
    world.call("PutRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "d", "PolicyDocument": deny})).unwrap();
    check(
        world,
        &tasks,
        "direct",
        None,
        expect![
            "User: arn:aws:sts::000000000000:assumed-role/tasks/s is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/direct (denied by statement 1 of inline policy `d`)"
        ],
    );
}
