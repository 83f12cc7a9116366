//! The CloudFormation types, with the properties that the CDK writes.

#![allow(clippy::disallowed_methods, reason = "the template is a file that other tests read too")]

use expect_test::{Expect, expect};
use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Access, Action, Authorizer, Decision, Fault, Principal, Progress, ResourceRequest, ResourceState,
};
use serde_json::{Value as Json, json};

use super::{World, trust};
use crate::AUTHORIZER;

impl World {
    fn step(
        &mut self,
        action: Action,
        (type_name, logical_id): (&str, &str),
        properties: &Json,
        before: Option<(&Json, &ResourceState)>,
    ) -> Result<Progress, Fault> {
        let scope = Scope::default();
        let request = ResourceRequest {
            scope: &scope,
            stack_name: "TriggeredStatic",
            stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/TriggeredStatic/1",
            logical_id,
            type_name,
            properties,
            previous: before.map(|(properties, _)| properties),
            current: before.map(|(_, state)| state),
            callback: None,
        };
        let resource = self.core.registry().resource(type_name).unwrap();
        let now = Timestamp::from_seconds(1_800_000_000);
        self.core.perform(now, &scope, self.principal.clone(), |cx| request.take(cx, resource, action)).0
    }

    fn made(&mut self, of: (&str, &str), properties: &Json) -> ResourceState {
        match self.step(Action::Create, of, properties, None).unwrap() {
            Progress::Done(state) => state,
            other => panic!("{other:?}"),
        }
    }

    fn is_allowed(&self, role: &str, action: &str, resource: &str, key: &str, value: &str) -> bool {
        let principal = Principal::role(&Scope::default().account, role, "s");
        let access = Access::new(action, resource).with(key, value);
        AUTHORIZER.authorize(self.core.store(), &principal, &access) == Decision::Allowed
    }
}

fn template() -> Json {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../oracle/seeds/seed4/TriggeredStatic.template.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The properties of a resource of the template, every intrinsic replaced by what `resolve` gives for its JSON.
fn properties(logical_id: &str, resolve: &dyn Fn(&str) -> Option<String>) -> Json {
    fn walk(json: &Json, resolve: &dyn Fn(&str) -> Option<String>) -> Json {
        match json {
            Json::Object(object) => match resolve(&json.to_string()) {
                Some(text) => Json::String(text),
                None => object.iter().map(|(key, value)| (key.clone(), walk(value, resolve))).collect(),
            },
            Json::Array(items) => items.iter().map(|item| walk(item, resolve)).collect(),
            other => other.clone(),
        }
    }
    walk(&template()["Resources"][logical_id]["Properties"], resolve)
}

const ROLE: &str = "AWS::IAM::Role";
const CLUSTER: &str = "arn:aws:ecs:us-east-1:000000000000:cluster/c";
const DEFINITION: &str = "arn:aws:ecs:us-east-1:000000000000:task-definition/f:1";

#[test]
fn the_roles_of_a_triggered_task_allow_what_it_needs_and_are_deleted_in_reverse() {
    let world = &mut World::new();
    let nothing = |_: &str| None;
    let execution_id = "myprojManagementTaskTriggeredTaskDefExecutionRole75AEC665";
    let events_id = "myprojManagementTaskTriggeredTaskDefEventsRoleA4F121C8";
    let task = world.made((ROLE, "TaskRole30FC0FBB"), &properties("TaskRole30FC0FBB", &nothing));
    let execution = world.made((ROLE, execution_id), &properties(execution_id, &nothing));
    let events = world.made((ROLE, events_id), &properties(events_id, &nothing));
    let arn = |state: &ResourceState| state.attributes["Arn"].as_str().unwrap().to_owned();

    let resolve = |intrinsic: &str| {
        let known = [
            (r#""Fn::GetAtt":["TaskRole30FC0FBB""#, arn(&task)),
            (r#""Fn::GetAtt":["myprojManagementTaskTriggeredTaskDefExecutionRole75AEC665""#, arn(&execution)),
            (r#""Fn::GetAtt":["EcsDefaultClusterVpc95221ACA""#, CLUSTER.to_owned()),
            (r#"{"Ref":"myprojManagementTaskTriggeredTaskDef6C06ACD0"}"#, DEFINITION.to_owned()),
            (r#"{"Ref":"myprojManagementTaskTriggeredTaskDefEventsRoleA4F121C8"}"#, events.physical_id.clone()),
        ];
        if intrinsic.starts_with(r#"{"Fn::Join""#) {
            return Some("arn:aws:ecs:us-east-1:*:task/c/*".to_owned());
        }
        let is_one = intrinsic.starts_with(r#"{"Fn::GetAtt""#) || intrinsic.starts_with(r#"{"Ref""#);
        known.into_iter().find(|(text, _)| is_one && intrinsic.contains(text)).map(|(_, value)| value)
    };
    let policy_id = "myprojManagementTaskTriggeredTaskDefEventsRoleDefaultPolicyD959D05A";
    let policy = properties(policy_id, &resolve);
    let made = world.made(("AWS::IAM::Policy", policy_id), &policy);
    assert!(made.physical_id.starts_with("Trigg-mypro-"), "{made:?}");

    let role = events.physical_id.clone();
    let asked = [
        ("ecs:RunTask", DEFINITION.to_owned()),
        ("ecs:TagResource", "arn:aws:ecs:us-east-1:000000000000:task/c/1".to_owned()),
        ("iam:PassRole", arn(&task)),
        ("iam:PassRole", arn(&execution)),
    ];
    for (action, resource) in &asked {
        assert!(world.is_allowed(&role, action, resource, "ecs:cluster", CLUSTER), "{action} {resource}");
    }
    assert!(!world.is_allowed(
        &role,
        "ecs:RunTask",
        DEFINITION,
        "ecs:cluster",
        "arn:aws:ecs:us-east-1:000000000000:cluster/d"
    ));
    for left_out in 0..3 {
        let mut fewer = policy.clone();
        fewer["PolicyDocument"]["Statement"].as_array_mut().unwrap().remove(left_out);
        world.step(Action::Update, ("AWS::IAM::Policy", policy_id), &fewer, Some((&policy, &made))).unwrap();
        let denied = |at: usize| !world.is_allowed(&role, asked[at].0, &asked[at].1, "ecs:cluster", CLUSTER);
        assert_eq!(
            [denied(0), denied(1), denied(2), denied(3)],
            [left_out == 0, left_out == 1, left_out == 2, left_out == 2]
        );
    }
    world.step(Action::Delete, ("AWS::IAM::Policy", policy_id), &policy, Some((&policy, &made))).unwrap();
    let of_events = properties(events_id, &nothing);
    for _ in 0..2 {
        world.step(Action::Delete, (ROLE, events_id), &of_events, Some((&of_events, &events))).unwrap();
    }
    expect!["404 NoSuchEntity: The role with name TriggeredStatic-myprojManagementTaskTriggeredTaskDe-JGUKN7BSUURT cannot be found."].assert_eq(&world.told("GetRole", &json!({"RoleName": role})));
}

#[test]
fn a_role_with_policies_is_updated_in_place_or_replaced() {
    let world = &mut World::new();
    let handler = "CustomVpcRestrictDefaultSGCustomResourceProviderRole26592FE0";
    let resolve = |intrinsic: &str| match intrinsic.get(..10) {
        Some(r#"{"Fn::Sub""#) => Some("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole".to_owned()),
        Some(r#"{"Fn::Join"#) => Some("arn:aws:ec2:us-east-1:000000000000:security-group/sg-1".to_owned()),
        _ => None,
    };
    let old = properties(handler, &resolve);
    let state = world.made((ROLE, handler), &old);
    expect![[r#"{"physical_id":"TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1","attributes":{"Arn":"arn:aws:iam::000000000000:role/TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1","RoleId":"AROAGZIGIPMV15FAFHFQD"}}"#]].assert_eq(&serde_json::to_string(&state).unwrap());
    let role = state.physical_id.clone();
    assert!(world.is_allowed(&role, "logs:PutLogEvents", "*", "a", "b"));
    let group = "arn:aws:ec2:us-east-1:000000000000:security-group/sg-1";
    assert!(world.is_allowed(&role, "ec2:RevokeSecurityGroupIngress", group, "a", "b"));

    let mut new = old.clone();
    new["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]);
    new["Policies"] = json!([{"PolicyName": "Other", "PolicyDocument": {"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}}]);
    new["Tags"] = json!([{"Key": "a", "Value": "b"}]);
    new["MaxSessionDuration"] = json!("7200");
    new["AssumeRolePolicyDocument"] = trust("ecs-tasks.amazonaws.com");
    new["PermissionsBoundary"] = json!("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(
        world.step(Action::Update, (ROLE, handler), &new, Some((&old, &state))),
        Ok(Progress::Done(state.clone()))
    );
    for (action, allowed) in [("logs:PutLogEvents", false), ("s3:GetObject", true), ("sqs:SendMessage", true)] {
        assert_eq!(world.is_allowed(&role, action, "*", "a", "b"), allowed, "{action}");
    }
    let answer = world.call("GetRole", &json!({"RoleName": role})).unwrap();
    expect![[r#"7200 [{"Key":"a","Value":"b"}] {"PermissionsBoundaryType":"PermissionsBoundaryPolicy","PermissionsBoundaryArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#]].assert_eq(&format!("{} {} {}", answer["Role"]["MaxSessionDuration"], answer["Role"]["Tags"], answer["Role"]["PermissionsBoundary"]));
    assert!(
        AUTHORIZER
            .may_assume(world.core.store(), state.attributes["Arn"].as_str().unwrap(), "ecs-tasks.amazonaws.com", &[])
            .is_ok()
    );

    let mut moved = new.clone();
    moved["Path"] = json!("/x/");
    assert_eq!(world.step(Action::Update, (ROLE, handler), &moved, Some((&new, &state))), Ok(Progress::Replace));
    world.step(Action::Delete, (ROLE, handler), &new, Some((&new, &state))).unwrap();
    assert!(world.call("GetRole", &json!({"RoleName": role})).is_err());
}

#[test]
fn a_managed_policy_keeps_at_most_five_versions() {
    let world = &mut World::new();
    world.call("CreateRole", &json!({"RoleName": "r", "AssumeRolePolicyDocument": trust("x")})).unwrap();
    let of = ("AWS::IAM::ManagedPolicy", "Policy");
    let document = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
    let with = |action: &str, roles: Json| json!({"PolicyDocument": document(action), "Roles": roles, "Path": "/p/"});
    let mut old = with("s3:*", json!(["r"]));
    let state = world.made(of, &old);
    expect![[r#"{"physical_id":"arn:aws:iam::000000000000:policy/p/TriggeredStatic-Policy-PMV15FAFHFQD","attributes":{"AttachmentCount":1,"CreateDate":"2027-01-15T08:00:00Z","DefaultVersionId":"v1","IsAttachable":true,"PermissionsBoundaryUsageCount":0,"PolicyArn":"arn:aws:iam::000000000000:policy/p/TriggeredStatic-Policy-PMV15FAFHFQD","PolicyId":"ANPA2KGCZQPCHCF9GGEBQ","UpdateDate":"2027-01-15T08:00:00Z"}}"#]].assert_eq(&serde_json::to_string(&state).unwrap());
    assert!(world.is_allowed("r", "s3:GetObject", "*", "a", "b"));
    for round in 1..8 {
        let new = with(&format!("sqs:Round{round}"), json!(["r"]));
        world.step(Action::Update, of, &new, Some((&old, &state))).unwrap();
        assert!(world.is_allowed("r", &format!("sqs:Round{round}"), "*", "a", "b"));
        old = new;
    }
    let without = with("sqs:Round7", json!([]));
    world.step(Action::Update, of, &without, Some((&old, &state))).unwrap();
    assert!(!world.is_allowed("r", "sqs:Round7", "*", "a", "b"));
    for _ in 0..2 {
        world.step(Action::Delete, of, &without, Some((&without, &state))).unwrap();
    }
    assert!(world.call("GetPolicy", &json!({"PolicyArn": state.physical_id})).is_err());
}

#[test]
fn what_cannot_be_made_says_why() {
    let world = &mut World::new();
    let mut check = |type_name: &str, properties: Json, expected: Expect| {
        let fault = world.step(Action::Create, (type_name, "X"), &properties, None).unwrap_err();
        expected.assert_eq(&fault.to_string());
    };
    let document =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]});
    check(
        ROLE,
        json!({"AssumeRolePolicyDocument": trust("x"), "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Nope"]}),
        expect!["NoSuchEntity: Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable."],
    );
    check(
        ROLE,
        json!({}),
        expect![
            "ValidationError: 1 validation error detected: Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null"
        ],
    );
    check(
        "AWS::IAM::Policy",
        json!({"PolicyName": "p", "PolicyDocument": document}),
        expect!["ValidationException: At least one of [Groups,Roles,Users] must be non-empty."],
    );
    check(
        "AWS::IAM::Policy",
        json!({"PolicyName": "p", "PolicyDocument": document, "Users": ["u"]}),
        expect!["NotImplemented: Neargate does not implement iam:AttachUserPolicy"],
    );
    check(
        "AWS::IAM::RolePolicy",
        json!({"PolicyName": "p", "RoleName": "r", "PolicyDocument": document}),
        expect!["NoSuchEntity: The role with name r cannot be found."],
    );
    assert_eq!(world.call("ListRoles", &json!({})).unwrap()["Roles"], json!([]), "nothing was left behind");
}
