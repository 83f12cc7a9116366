use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use super::{World, trust};

fn world() -> World {
    let mut world = World::new();
    let input = json!({"RoleName": "tasks", "Path": "/app/", "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com"),
        "Description": "d", "Tags": [{"Key": "stage", "Value": "dev"}]});
    world.call("CreateRole", &input).unwrap();
    world
}

fn check(world: &mut World, operation: &str, input: Json, expected: Expect) {
    expected.assert_eq(&world.told(operation, &input));
}

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

#[test]
fn a_role_is_created_read_changed_and_deleted() {
    let world = &mut world();
    check(
        world,
        "GetRole",
        json!({"RoleName": "tasks"}),
        expect![[r#"
        {
          "Role": {
            "Path": "/app/",
            "RoleName": "tasks",
            "RoleId": "AROAOHOWAWV0LKDJA1GZI",
            "Arn": "arn:aws:iam::000000000000:role/app/tasks",
            "CreateDate": 1800000000,
            "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ecs-tasks.amazonaws.com%22%7D%7D%5D%7D",
            "Description": "d",
            "MaxSessionDuration": 3600,
            "Tags": [
              {
                "Key": "stage",
                "Value": "dev"
              }
            ]
          }
        }"#]],
    );
    check(
        world,
        "GetRole",
        json!({"RoleName": "Tasks"}),
        expect!["404 NoSuchEntity: The role with name Tasks cannot be found."],
    );
    check(
        world,
        "CreateRole",
        json!({"RoleName": "TASKS", "AssumeRolePolicyDocument": trust("a")}),
        expect!["409 EntityAlreadyExists: Role with name TASKS already exists."],
    );
    world.call("UpdateRole", &json!({"RoleName": "tasks", "MaxSessionDuration": 7200})).unwrap();
    world
        .call(
            "TagRole",
            &json!({"RoleName": "tasks", "Tags": [{"Key": "Stage", "Value": "prod"}, {"Key": "a", "Value": "b"}]}),
        )
        .unwrap();
    world.call("UntagRole", &json!({"RoleName": "tasks", "TagKeys": ["a"]})).unwrap();
    check(
        world,
        "ListRoleTags",
        json!({"RoleName": "tasks"}),
        expect![[r#"
        {
          "Tags": [
            {
              "Key": "Stage",
              "Value": "prod"
            }
          ],
          "IsTruncated": false
        }"#]],
    );
    world
        .call("UpdateAssumeRolePolicy", &json!({"RoleName": "tasks", "PolicyDocument": trust("events.amazonaws.com")}))
        .unwrap();
    check(
        world,
        "ListRoles",
        json!({"PathPrefix": "/app/"}),
        expect![[r#"
        {
          "Roles": [
            {
              "Path": "/app/",
              "RoleName": "tasks",
              "RoleId": "AROAOHOWAWV0LKDJA1GZI",
              "Arn": "arn:aws:iam::000000000000:role/app/tasks",
              "CreateDate": 1800000000,
              "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22events.amazonaws.com%22%7D%7D%5D%7D",
              "Description": "d",
              "MaxSessionDuration": 7200
            }
          ],
          "IsTruncated": false
        }"#]],
    );
    check(
        world,
        "ListInstanceProfilesForRole",
        json!({"RoleName": "tasks"}),
        expect![[r#"
        {
          "InstanceProfiles": [],
          "IsTruncated": false
        }"#]],
    );
    world.call("DeleteRole", &json!({"RoleName": "tasks"})).unwrap();
    check(
        world,
        "DeleteRole",
        json!({"RoleName": "tasks"}),
        expect!["404 NoSuchEntity: The role with name tasks cannot be found."],
    );
}

#[test]
fn inline_policies_keep_their_role_from_being_deleted() {
    let world = &mut world();
    world.call("PutRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": ALLOW})).unwrap();
    check(
        world,
        "GetRolePolicy",
        json!({"RoleName": "tasks", "PolicyName": "p"}),
        expect![[r#"
        {
          "RoleName": "tasks",
          "PolicyName": "p",
          "PolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
        }"#]],
    );
    check(
        world,
        "ListRolePolicies",
        json!({"RoleName": "tasks"}),
        expect![[r#"
        {
          "PolicyNames": [
            "p"
          ],
          "IsTruncated": false
        }"#]],
    );
    check(
        world,
        "DeleteRole",
        json!({"RoleName": "tasks"}),
        expect!["409 DeleteConflict: Cannot delete entity, must delete policies first."],
    );
    world.call("DeleteRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "p"})).unwrap();
    check(
        world,
        "GetRolePolicy",
        json!({"RoleName": "tasks", "PolicyName": "p"}),
        expect!["404 NoSuchEntity: The role policy with name p cannot be found."],
    );
    check(
        world,
        "PutRolePolicy",
        json!({"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": "{}"}),
        expect![[r#"
        400 MalformedPolicyDocument: Syntax errors in policy.
          hint: `Statement` must be an object or a list of objects"#]],
    );
    let long = ALLOW.replace("s3:*", &format!("s3:{}", "a".repeat(10_240)));
    check(
        world,
        "PutRolePolicy",
        json!({"RoleName": "tasks", "PolicyName": "p", "PolicyDocument": long}),
        expect!["409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role tasks"],
    );
}

#[test]
fn managed_policies_have_versions_and_attachments() {
    let world = &mut world();
    let arn = "arn:aws:iam::000000000000:policy/p";
    check(
        world,
        "CreatePolicy",
        json!({"PolicyName": "p", "PolicyDocument": ALLOW, "Description": "d"}),
        expect![[r#"
        {
          "Policy": {
            "PolicyName": "p",
            "PolicyId": "ANPAGIPMV15FAFHFQD2KG",
            "Arn": "arn:aws:iam::000000000000:policy/p",
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 0,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": true,
            "Description": "d",
            "CreateDate": 1800000000,
            "UpdateDate": 1800000000,
            "Tags": []
          }
        }"#]],
    );
    check(
        world,
        "CreatePolicy",
        json!({"PolicyName": "P", "PolicyDocument": ALLOW}),
        expect!["409 EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed."],
    );
    world.call("AttachRolePolicy", &json!({"RoleName": "tasks", "PolicyArn": arn})).unwrap();
    check(
        world,
        "DeletePolicy",
        json!({"PolicyArn": arn}),
        expect!["409 DeleteConflict: Cannot delete a policy attached to entities."],
    );
    for _ in 0..4 {
        let input = json!({"PolicyArn": arn, "PolicyDocument": ALLOW, "SetAsDefault": true});
        world.call("CreatePolicyVersion", &input).unwrap();
    }
    check(
        world,
        "CreatePolicyVersion",
        json!({"PolicyArn": arn, "PolicyDocument": ALLOW}),
        expect![
            "409 LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
        ],
    );
    check(
        world,
        "DeletePolicyVersion",
        json!({"PolicyArn": arn, "VersionId": "v5"}),
        expect!["409 DeleteConflict: Cannot delete the default version of a policy."],
    );
    world.call("DetachRolePolicy", &json!({"RoleName": "tasks", "PolicyArn": arn})).unwrap();
    check(
        world,
        "DetachRolePolicy",
        json!({"RoleName": "tasks", "PolicyArn": arn}),
        expect!["404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p was not found."],
    );
    check(
        world,
        "DeletePolicy",
        json!({"PolicyArn": arn}),
        expect![
            "409 DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
        ],
    );
    world.call("SetDefaultPolicyVersion", &json!({"PolicyArn": arn, "VersionId": "v2"})).unwrap();
    for version in ["v1", "v3", "v4", "v5"] {
        world.call("DeletePolicyVersion", &json!({"PolicyArn": arn, "VersionId": version})).unwrap();
    }
    check(
        world,
        "ListPolicyVersions",
        json!({"PolicyArn": arn}),
        expect![[r#"
        {
          "Versions": [
            {
              "VersionId": "v2",
              "IsDefaultVersion": true,
              "CreateDate": 1800000000
            }
          ],
          "IsTruncated": false
        }"#]],
    );
    world.call("DeletePolicy", &json!({"PolicyArn": arn})).unwrap();
    check(
        world,
        "GetPolicy",
        json!({"PolicyArn": arn}),
        expect!["404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p was not found."],
    );
}

#[test]
fn policies_of_aws_are_known_by_arn_and_cannot_be_changed() {
    let world = &mut world();
    let execution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    world.call("AttachRolePolicy", &json!({"RoleName": "tasks", "PolicyArn": execution})).unwrap();
    check(
        world,
        "ListAttachedRolePolicies",
        json!({"RoleName": "tasks"}),
        expect![[r#"
        {
          "AttachedPolicies": [
            {
              "PolicyName": "AmazonECSTaskExecutionRolePolicy",
              "PolicyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
            }
          ],
          "IsTruncated": false
        }"#]],
    );
    check(
        world,
        "GetPolicy",
        json!({"PolicyArn": execution}),
        expect![[r#"
        {
          "Policy": {
            "PolicyName": "AmazonECSTaskExecutionRolePolicy",
            "PolicyId": "ANPAJG4T4G4PV56DE72PY",
            "Arn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
            "Path": "/service-role/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": true,
            "Tags": []
          }
        }"#]],
    );
    check(
        world,
        "GetPolicyVersion",
        json!({"PolicyArn": execution, "VersionId": "v1"}),
        expect![[r#"
        {
          "PolicyVersion": {
            "Document": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B%22ecr%3AGetAuthorizationToken%22%2C%22ecr%3ABatchCheckLayerAvailability%22%2C%22ecr%3AGetDownloadUrlForLayer%22%2C%22ecr%3ABatchGetImage%22%2C%22logs%3ACreateLogStream%22%2C%22logs%3APutLogEvents%22%5D%2C%22Resource%22%3A%22%2A%22%7D%5D%7D",
            "VersionId": "v1",
            "IsDefaultVersion": true
          }
        }"#]],
    );
    check(
        world,
        "DeletePolicy",
        json!({"PolicyArn": execution}),
        expect!["403 AccessDenied: Only resources owned by the caller's account can be changed."],
    );
    check(
        world,
        "ListPolicies",
        json!({"Scope": "AWS", "MaxItems": 1, "Marker": "arn:aws:iam::aws:policy/R"}),
        expect![[r#"
        {
          "Policies": [
            {
              "PolicyName": "ReadOnlyAccess",
              "PolicyId": "ANPAILL3HVNFSB6DCOWYQ",
              "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
              "Path": "/",
              "DefaultVersionId": "v1",
              "AttachmentCount": 0,
              "PermissionsBoundaryUsageCount": 0,
              "IsAttachable": true
            }
          ],
          "IsTruncated": true,
          "Marker": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        }"#]],
    );
    let unknown = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
    check(
        world,
        "AttachRolePolicy",
        json!({"RoleName": "tasks", "PolicyArn": unknown}),
        expect![[r#"
        404 NoSuchEntity: Policy arn:aws:iam::aws:policy/AmazonEKSClusterPolicy does not exist or is not attachable.
          hint: Neargate has these AWS-managed policies: AdministratorAccess, AWSLambdaBasicExecutionRole, AWSLambdaVPCAccessExecutionRole, AmazonEC2ContainerServiceEventsRole, AmazonECSTaskExecutionRolePolicy, AmazonS3FullAccess, AmazonS3ReadOnlyAccess, AmazonSSMManagedInstanceCore, CloudWatchLogsFullAccess, ReadOnlyAccess"#]],
    );
}

#[test]
fn every_policy_of_aws_is_acceptable() {
    assert_eq!(crate::aws_managed::all().len(), 10);
    for policy in crate::aws_managed::all() {
        assert!(
            policy.document().is_some() && crate::aws_managed::find(&policy.arn) == Some(policy),
            "{}",
            policy.name
        );
        let elsewhere = policy.arn.replace("arn:aws:", "arn:aws-cn:");
        assert_eq!(crate::aws_managed::find(&elsewhere), Some(policy));
    }
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
    check(
        world,
        "CreateRole",
        named("arn:aws:iam::000000000000:role/tasks"),
        expect![[
            r#"400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/tasks""#
        ]],
    );
    world.call("CreateRole", &named("arn:aws:iam::000000000000:role/app/tasks")).unwrap();
}
