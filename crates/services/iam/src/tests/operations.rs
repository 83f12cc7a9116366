//! Transcripts: a call per line, the answer or the fault beneath it.

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use super::{World, trust};

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

/// Plays `Operation {input}` lines. `ALLOW` stands for a policy and `TRUST` for a trust policy; `! ` before a line leaves its
/// answer out, and wants one.
fn check(world: &mut World, calls: &str, expected: Expect) {
    let mut transcript = String::new();
    for line in calls.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (is_quiet, line) = line.strip_prefix("! ").map_or((false, line), |line| (true, line));
        let (operation, input) = line.split_once(' ').unwrap();
        let input = input.replace("ALLOW", ALLOW).replace("TRUST", &trust("ecs-tasks.amazonaws.com").to_string());
        let input: Json = serde_json::from_str(&input).unwrap();
        if is_quiet {
            world.call(operation, &input).unwrap();
        } else {
            transcript += &format!("{line}\n  {}\n", world.told(operation, &input));
        }
    }
    expected.assert_eq(&transcript);
}

fn world() -> World {
    let mut world = World::new();
    let input = json!({"RoleName": "tasks", "Path": "/app/", "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com"),
        "Description": "d", "Tags": [{"Key": "stage", "Value": "dev"}]});
    world.call("CreateRole", &input).unwrap();
    world
}

#[test]
fn a_role_is_created_read_changed_and_deleted() {
    let calls = r#"
        GetRole {"RoleName": "tasks"}
        GetRole {"RoleName": "Tasks"}
        CreateRole {"RoleName": "TASKS", "AssumeRolePolicyDocument": TRUST}
        ! UpdateRole {"RoleName": "tasks", "MaxSessionDuration": 7200}
        ! TagRole {"RoleName": "tasks", "Tags": [{"Key": "Stage", "Value": "prod"}, {"Key": "a", "Value": "b"}]}
        ! UntagRole {"RoleName": "tasks", "TagKeys": ["a"]}
        ListRoleTags {"RoleName": "tasks"}
        ! UpdateAssumeRolePolicy {"RoleName": "tasks", "PolicyDocument": TRUST}
        UpdateAssumeRolePolicy {"RoleName": "tasks", "PolicyDocument": ALLOW}
        ListRoles {"PathPrefix": "/app/"}
        ListRoles {"PathPrefix": "/other/"}
        ListInstanceProfilesForRole {"RoleName": "tasks"}
        ! DeleteRole {"RoleName": "tasks"}
        DeleteRole {"RoleName": "tasks"}
    "#;
    check(
        &mut world(),
        calls,
        expect![[r#"
            GetRole {"RoleName": "tasks"}
              {"Role":{"Path":"/app/","RoleName":"tasks","RoleId":"AROAOHOWAWV0LKDJA1GZI","Arn":"arn:aws:iam::000000000000:role/app/tasks","CreateDate":1800000000,"AssumeRolePolicyDocument":"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ecs-tasks.amazonaws.com%22%7D%7D%5D%7D","Description":"d","MaxSessionDuration":3600,"Tags":[{"Key":"stage","Value":"dev"}],"RoleLastUsed":{}}}
            GetRole {"RoleName": "Tasks"}
              404 NoSuchEntity: The role with name Tasks cannot be found.
            CreateRole {"RoleName": "TASKS", "AssumeRolePolicyDocument": TRUST}
              409 EntityAlreadyExists: Role with name TASKS already exists.
            ListRoleTags {"RoleName": "tasks"}
              {"Tags":[{"Key":"Stage","Value":"prod"}],"IsTruncated":false}
            UpdateAssumeRolePolicy {"RoleName": "tasks", "PolicyDocument": ALLOW}
              400 MalformedPolicyDocument: Has prohibited field Resource
            ListRoles {"PathPrefix": "/app/"}
              {"Roles":[{"Path":"/app/","RoleName":"tasks","RoleId":"AROAOHOWAWV0LKDJA1GZI","Arn":"arn:aws:iam::000000000000:role/app/tasks","CreateDate":1800000000,"AssumeRolePolicyDocument":"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ecs-tasks.amazonaws.com%22%7D%7D%5D%7D","Description":"d","MaxSessionDuration":7200}],"IsTruncated":false}
            ListRoles {"PathPrefix": "/other/"}
              {"Roles":[],"IsTruncated":false}
            ListInstanceProfilesForRole {"RoleName": "tasks"}
              {"InstanceProfiles":[],"IsTruncated":false}
            DeleteRole {"RoleName": "tasks"}
              404 NoSuchEntity: The role with name tasks cannot be found.
        "#]],
    );
}

#[test]
fn inline_policies_keep_their_role_from_being_deleted() {
    let calls = r#"
        ! PutRolePolicy {"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": ALLOW}
        GetRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
        ListRolePolicies {"RoleName": "tasks"}
        DeleteRole {"RoleName": "tasks"}
        ! DeleteRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
        GetRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
        DeleteRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
        PutRolePolicy {"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": {}}
    "#;
    let world = &mut world();
    check(
        world,
        calls,
        expect![[r#"
        GetRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
          {"RoleName":"tasks","PolicyName":"p","PolicyDocument":"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"}
        ListRolePolicies {"RoleName": "tasks"}
          {"PolicyNames":["p"],"IsTruncated":false}
        DeleteRole {"RoleName": "tasks"}
          409 DeleteConflict: Cannot delete entity, must delete policies first.
        GetRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
          404 NoSuchEntity: The role policy with name p cannot be found.
        DeleteRolePolicy {"RoleName": "tasks", "PolicyName": "p"}
          404 NoSuchEntity: The role policy with name p cannot be found.
        PutRolePolicy {"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": {}}
          400 MalformedPolicyDocument: Syntax errors in policy.
          hint: `Statement` must be an object or a list of objects
    "#]],
    );
    let long = ALLOW.replace("s3:*", &format!("s3:{}", "a".repeat(10_240)));
    let input = json!({"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": long});
    expect!["409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role tasks"]
        .assert_eq(&world.told("PutRolePolicy", &input));
}

#[test]
fn managed_policies_have_versions_and_attachments() {
    let calls = r#"
        CreatePolicy {"PolicyName": "p", "PolicyDocument": ALLOW, "Description": "d"}
        CreatePolicy {"PolicyName": "P", "PolicyDocument": ALLOW}
        ! AttachRolePolicy {"RoleName": "tasks", "PolicyArn": "POLICY"}
        DeletePolicy {"PolicyArn": "POLICY"}
        DeleteRole {"RoleName": "tasks"}
        ! CreatePolicyVersion {"PolicyArn": "POLICY", "PolicyDocument": ALLOW}
        ! CreatePolicyVersion {"PolicyArn": "POLICY", "PolicyDocument": ALLOW}
        ! CreatePolicyVersion {"PolicyArn": "POLICY", "PolicyDocument": ALLOW}
        CreatePolicyVersion {"PolicyArn": "POLICY", "PolicyDocument": ALLOW, "SetAsDefault": true}
        CreatePolicyVersion {"PolicyArn": "POLICY", "PolicyDocument": ALLOW}
        DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v5"}
        DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v6"}
        ! DetachRolePolicy {"RoleName": "tasks", "PolicyArn": "POLICY"}
        DetachRolePolicy {"RoleName": "tasks", "PolicyArn": "POLICY"}
        DeletePolicy {"PolicyArn": "POLICY"}
        ! SetDefaultPolicyVersion {"PolicyArn": "POLICY", "VersionId": "v2"}
        ! DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v1"}
        ! DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v3"}
        ! DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v4"}
        ! DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v5"}
        ListPolicyVersions {"PolicyArn": "POLICY"}
        ! CreatePolicyVersion {"PolicyArn": "POLICY", "PolicyDocument": ALLOW}
        ListPolicyVersions {"PolicyArn": "POLICY"}
        ! DeletePolicyVersion {"PolicyArn": "POLICY", "VersionId": "v6"}
        ! DeletePolicy {"PolicyArn": "POLICY"}
        GetPolicy {"PolicyArn": "POLICY"}
    "#;
    check(
        &mut world(),
        &calls.replace("POLICY", "arn:aws:iam::000000000000:policy/p"),
        expect![[r#"
            CreatePolicy {"PolicyName": "p", "PolicyDocument": ALLOW, "Description": "d"}
              {"Policy":{"PolicyName":"p","PolicyId":"ANPAGIPMV15FAFHFQD2KG","Arn":"arn:aws:iam::000000000000:policy/p","Path":"/","DefaultVersionId":"v1","AttachmentCount":0,"PermissionsBoundaryUsageCount":0,"IsAttachable":true,"CreateDate":1800000000,"UpdateDate":1800000000}}
            CreatePolicy {"PolicyName": "P", "PolicyDocument": ALLOW}
              409 EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed.
            DeletePolicy {"PolicyArn": "arn:aws:iam::000000000000:policy/p"}
              409 DeleteConflict: Cannot delete a policy attached to entities.
            DeleteRole {"RoleName": "tasks"}
              409 DeleteConflict: Cannot delete entity, must detach all policies first.
            CreatePolicyVersion {"PolicyArn": "arn:aws:iam::000000000000:policy/p", "PolicyDocument": ALLOW, "SetAsDefault": true}
              {"PolicyVersion":{"VersionId":"v5","IsDefaultVersion":true,"CreateDate":1800000000}}
            CreatePolicyVersion {"PolicyArn": "arn:aws:iam::000000000000:policy/p", "PolicyDocument": ALLOW}
              409 LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.
            DeletePolicyVersion {"PolicyArn": "arn:aws:iam::000000000000:policy/p", "VersionId": "v5"}
              409 DeleteConflict: Cannot delete the default version of a policy.
            DeletePolicyVersion {"PolicyArn": "arn:aws:iam::000000000000:policy/p", "VersionId": "v6"}
              404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p version v6 does not exist or is not attachable.
            DetachRolePolicy {"RoleName": "tasks", "PolicyArn": "arn:aws:iam::000000000000:policy/p"}
              404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p was not found.
            DeletePolicy {"PolicyArn": "arn:aws:iam::000000000000:policy/p"}
              409 DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.
            ListPolicyVersions {"PolicyArn": "arn:aws:iam::000000000000:policy/p"}
              {"Versions":[{"VersionId":"v2","IsDefaultVersion":true,"CreateDate":1800000000}],"IsTruncated":false}
            ListPolicyVersions {"PolicyArn": "arn:aws:iam::000000000000:policy/p"}
              {"Versions":[{"VersionId":"v6","IsDefaultVersion":false,"CreateDate":1800000000},{"VersionId":"v2","IsDefaultVersion":true,"CreateDate":1800000000}],"IsTruncated":false}
            GetPolicy {"PolicyArn": "arn:aws:iam::000000000000:policy/p"}
              404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p was not found.
        "#]],
    );
}

#[test]
fn policies_of_aws_are_known_by_arn_and_cannot_be_changed() {
    let calls = r#"
        ! AttachRolePolicy {"RoleName": "tasks", "PolicyArn": "EXECUTION"}
        ListAttachedRolePolicies {"RoleName": "tasks"}
        GetPolicy {"PolicyArn": "EXECUTION"}
        GetPolicyVersion {"PolicyArn": "EXECUTION", "VersionId": "v1"}
        DeletePolicy {"PolicyArn": "EXECUTION"}
        ListPolicies {"Scope": "AWS", "MaxItems": 1, "Marker": "arn:aws:iam::aws:policy/ReadOnlyA"}
        ListPolicies {"Scope": "AWS", "OnlyAttached": true}
        ListPolicies {"Scope": "Local"}
        AttachRolePolicy {"RoleName": "tasks", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKSCluster"}
    "#;
    let execution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    check(
        &mut world(),
        &calls.replace("EXECUTION", execution),
        expect![[r#"
            ListAttachedRolePolicies {"RoleName": "tasks"}
              {"AttachedPolicies":[{"PolicyName":"AmazonECSTaskExecutionRolePolicy","PolicyArn":"arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}],"IsTruncated":false}
            GetPolicy {"PolicyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}
              {"Policy":{"PolicyName":"AmazonECSTaskExecutionRolePolicy","PolicyId":"ANPAJG4T4G4PV56DE72PY","Arn":"arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy","Path":"/service-role/","DefaultVersionId":"v1","AttachmentCount":1,"PermissionsBoundaryUsageCount":0,"IsAttachable":true,"Tags":[]}}
            GetPolicyVersion {"PolicyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy", "VersionId": "v1"}
              {"PolicyVersion":{"Document":"%7B%22Statement%22%3A%5B%7B%22Action%22%3A%5B%22ecr%3AGetAuthorizationToken%22%2C%22ecr%3ABatchCheckLayerAvailability%22%2C%22ecr%3AGetDownloadUrlForLayer%22%2C%22ecr%3ABatchGetImage%22%2C%22logs%3ACreateLogStream%22%2C%22logs%3APutLogEvents%22%5D%2C%22Effect%22%3A%22Allow%22%2C%22Resource%22%3A%22%2A%22%7D%5D%2C%22Version%22%3A%222012-10-17%22%7D","VersionId":"v1","IsDefaultVersion":true}}
            DeletePolicy {"PolicyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}
              403 AccessDenied: Only resources owned by the caller's account can be changed.
            ListPolicies {"Scope": "AWS", "MaxItems": 1, "Marker": "arn:aws:iam::aws:policy/ReadOnlyA"}
              {"Policies":[{"PolicyName":"ReadOnlyAccess","PolicyId":"ANPAILL3HVNFSB6DCOWYQ","Arn":"arn:aws:iam::aws:policy/ReadOnlyAccess","Path":"/","DefaultVersionId":"v190","AttachmentCount":0,"PermissionsBoundaryUsageCount":0,"IsAttachable":true}],"IsTruncated":true,"Marker":"arn:aws:iam::aws:policy/ResourceGroupsTaggingAPITagUntagSupportedResources"}
            ListPolicies {"Scope": "AWS", "OnlyAttached": true}
              {"Policies":[{"PolicyName":"AmazonECSTaskExecutionRolePolicy","PolicyId":"ANPAJG4T4G4PV56DE72PY","Arn":"arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy","Path":"/service-role/","DefaultVersionId":"v1","AttachmentCount":1,"PermissionsBoundaryUsageCount":0,"IsAttachable":true}],"IsTruncated":false}
            ListPolicies {"Scope": "Local"}
              {"Policies":[],"IsTruncated":false}
            AttachRolePolicy {"RoleName": "tasks", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKSCluster"}
              404 NoSuchEntity: Policy arn:aws:iam::aws:policy/AmazonEKSCluster does not exist or is not attachable.
              hint: AWS's managed policies with such a name: arn:aws:iam::aws:policy/AmazonEKSClusterPolicy
        "#]],
    );
}

#[test]
fn lists_come_in_pages() {
    let world = &mut World::new();
    for name in ["c", "A", "b"] {
        world.call("CreateRole", &json!({"RoleName": name, "AssumeRolePolicyDocument": trust("x")})).unwrap();
    }
    let (mut names, mut marker) = (vec![], Json::Null);
    loop {
        let page = world.call("ListRoles", &json!({"MaxItems": 2, "Marker": marker})).unwrap();
        names.extend(page["Roles"].as_array().unwrap().iter().map(|role| role["RoleName"].clone()));
        marker = page["Marker"].clone();
        assert_eq!(page["IsTruncated"], json!(!marker.is_null()));
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(names, ["A", "b", "c"]);
}

#[test]
fn trust_in_a_role_that_does_not_exist_is_refused() {
    let world = &mut world();
    let trust = |arn: &str| json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn}}});
    let named = |arn: &str| json!({"RoleName": "x", "AssumeRolePolicyDocument": trust(arn)});
    expect![[
        r#"400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/tasks""#
    ]]
    .assert_eq(&world.told("CreateRole", &named("arn:aws:iam::000000000000:role/tasks")));
    world.call("CreateRole", &named("arn:aws:iam::000000000000:role/app/tasks")).unwrap();
}
