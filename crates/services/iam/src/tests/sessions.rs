//! Sessions: the policies that limit them, the tags that they bring, and the role that they are of.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Access, Authorizer, Principal, Session, SessionPolicy};
use serde_json::{Value as Json, json};

use super::{World, trust};
use crate::AUTHORIZER;

const TASKS: &str = "arn:aws:iam::000000000000:role/tasks";
const OBJECT: &str = "arn:aws:x:us-east-1:000000000000:thing/a";

fn policy(effect: &str, action: &str) -> Json {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})
}

fn world() -> World {
    let mut world = World::new();
    make(&mut world, "tasks");
    world
}

fn make(world: &mut World, name: &str) {
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com")});
    world.call("CreateRole", &input).unwrap();
    let input = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": policy("Allow", "x:*")});
    world.call("PutRolePolicy", &input).unwrap();
}

fn remove(world: &mut World, name: &str) {
    world.call("DeleteRolePolicy", &json!({"RoleName": name, "PolicyName": "p"})).unwrap();
    world.call("DeleteRole", &json!({"RoleName": name})).unwrap();
}

/// A session of `tasks` as `AssumeRole` makes it.
fn session(world: &World, session: Session) -> Principal {
    let service = Principal::service("ecs-tasks.amazonaws.com");
    let asked = [Access::new("sts:AssumeRole", TASKS)];
    AUTHORIZER.assume(world.core.store(), &service, TASKS, &asked).unwrap().session("s", session)
}

fn limited(world: &World, policies: &[Json]) -> Principal {
    let policies = policies.iter().map(|policy| match policy {
        Json::String(arn) => SessionPolicy::Managed(arn.clone()),
        document => SessionPolicy::Document(document.to_string()),
    });
    session(world, Session { policies: policies.collect(), ..Session::default() })
}

fn told(world: &World, principal: &Principal, access: &Access, expected: Expect) {
    expected.assert_eq(&AUTHORIZER.authorize(world.core.store(), principal, access).to_string());
}

#[test]
fn session_policies_limit_what_the_role_may() {
    let mut world = world();
    world.call("CreatePolicy", &json!({"PolicyName": "get", "PolicyDocument": policy("Allow", "x:Get")})).unwrap();
    let get = "arn:aws:iam::000000000000:policy/get";
    let access = |action: &str| Access::new(action, OBJECT);
    told(&world, &limited(&world, &[policy("Allow", "x:Put")]), &access("x:Put"), expect!["allowed"]);
    told(
        &world,
        &limited(&world, &[policy("Allow", "x:Put")]),
        &access("x:Get"),
        expect!["the session's policies do not allow it: the session policy, statement 1: is for action `x:Put`"],
    );
    told(&world, &limited(&world, &[policy("Allow", "x:Put"), json!(get)]), &access("x:Get"), expect!["allowed"]);
    told(
        &world,
        &limited(&world, &[json!("arn:aws:iam::000000000000:policy/none")]),
        &access("x:Get"),
        expect![
            "the session's policies do not allow it: policy `arn:aws:iam::000000000000:policy/none` does not exist"
        ],
    );
    told(
        &world,
        &limited(&world, &[policy("Allow", "*"), policy("Deny", "x:Get")]),
        &access("x:Get"),
        expect!["denied by statement 1 of the session policy"],
    );
    told(
        &world,
        &limited(&world, &[policy("Allow", "*")]),
        &access("y:Get"),
        expect!["no identity-based policy allows it: inline policy `p`, statement 1: is for action `x:*`"],
    );
}

#[test]
fn a_resource_that_names_the_session_lets_it_in_past_its_policies_and_one_that_names_the_role_does_not() {
    let world = world();
    let grant = |to: &str| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": to}, "Action": "y:*", "Resource": "*"});
        Access::new("y:Get", OBJECT).under(json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
    };
    let session = limited(&world, &[policy("Allow", "x:*")]);
    told(&world, &session, &grant("arn:aws:sts::000000000000:assumed-role/tasks/s"), expect!["allowed"]);
    told(
        &world,
        &session,
        &grant(TASKS),
        expect!["the session's policies do not allow it: the session policy, statement 1: is for action `x:*`"],
    );
    told(&world, &limited(&world, &[policy("Allow", "y:*")]), &grant(TASKS), expect!["allowed"]);
}

#[test]
fn a_session_brings_tags_a_time_and_who_stands_behind_it() {
    let mut world = world();
    let statement = json!({"Effect": "Allow", "Action": "z:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:PrincipalTag/Team": "session", "aws:PrincipalTag/own": "role", "aws:SourceIdentity": "ana"},
        "DateLessThan": {"aws:TokenIssueTime": "2027-01-16"}}});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    world.call("PutRolePolicy", &json!({"RoleName": "tasks", "PolicyName": "t", "PolicyDocument": document})).unwrap();
    let tags = json!([{"Key": "team", "Value": "role"}, {"Key": "own", "Value": "role"}]);
    world.call("TagRole", &json!({"RoleName": "tasks", "Tags": tags})).unwrap();
    let full = Session {
        tags: BTreeMap::from([("team".to_owned(), "session".to_owned())]),
        source_identity: Some("ana".to_owned()),
        issued: Some(Timestamp::from_seconds(1_800_000_000)),
        ..Session::default()
    };
    told(&world, &session(&world, full), &Access::new("z:Do", OBJECT), expect!["allowed"]);
    let plain =
        AUTHORIZER.authorize(world.core.store(), &session(&world, Session::default()), &Access::new("z:Do", OBJECT));
    assert!(!plain.is_allowed());
}

#[test]
fn a_role_that_is_made_anew_is_another() {
    let mut world = world();
    let old = session(&world, Session::default());
    let access = Access::new("x:Do", OBJECT);
    told(&world, &old, &access, expect!["allowed"]);
    assert!(AUTHORIZER.user_id(world.core.store(), &old).is_some());
    remove(&mut world, "tasks");
    make(&mut world, "tasks");
    told(&world, &old, &access, expect!["no identity-based policy allows it: role `tasks` does not exist"]);
    assert_eq!(AUTHORIZER.user_id(world.core.store(), &old), None);
    told(&world, &session(&world, Session::default()), &access, expect!["allowed"]);
}

#[test]
fn policies_mean_the_role_that_they_named_when_they_were_stored() {
    let mut world = world();
    let trusting = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": TASKS}, "Condition": {"StringNotEquals": {"a": TASKS}}}]});
    world.call("CreateRole", &json!({"RoleName": "target", "AssumeRolePolicyDocument": trusting})).unwrap();
    let key = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": TASKS}, "Action": "y:*", "Resource": "*"}]})
    .to_string();
    let ids = AUTHORIZER.principal_ids(world.core.store(), &key);
    let target = "arn:aws:iam::000000000000:role/target";
    let both = |world: &World| {
        let caller = session(world, Session::default());
        let asked = [Access::new("sts:AssumeRole", target)];
        let assumed = AUTHORIZER.assume(world.core.store(), &caller, target, &asked).is_ok();
        let access = Access::new("y:Get", OBJECT).under(key.as_str()).naming(&ids);
        (assumed, AUTHORIZER.authorize(world.core.store(), &caller, &access).is_allowed())
    };
    assert_eq!(both(&world), (true, true));
    let id = ids[TASKS].clone();
    remove(&mut world, "tasks");
    make(&mut world, "tasks");
    assert_eq!(both(&world), (false, false));
    let mut world = world.restarted();
    assert_eq!(both(&world), (false, false), "after a restart");
    assert_eq!(AUTHORIZER.shown_policy(world.core.store(), &key, &ids), key.replace(TASKS, &id));
    let shown = world.call("GetRole", &json!({"RoleName": "target"})).unwrap();
    let shown = shown["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().to_owned();
    assert!(
        shown.contains(&id) && shown.contains("role%2Ftasks"),
        "the principal's id, and the condition as it was: {shown}"
    );
    world.call("UpdateAssumeRolePolicy", &json!({"RoleName": "target", "PolicyDocument": trusting})).unwrap();
    assert!(both(&world).0, "named anew");
}

#[test]
fn a_policy_without_a_text_is_attached_grants_nothing_and_says_so() {
    let mut world = world();
    let arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
    let applied = world.apply("AttachRolePolicy", &json!({"RoleName": "tasks", "PolicyArn": arn}));
    let notices: Vec<_> = applied.notices.iter().map(|notice| notice.text.as_str()).collect();
    expect!["the text of AWS's policy `arn:aws:iam::aws:policy/AmazonEKSClusterPolicy` is not known here: it is attached and grants nothing"].assert_eq(&notices.join("\n"));
    told(
        &world,
        &Principal::role(&Scope::default().account, "tasks", "s"),
        &Access::new("eks:ListClusters", "*"),
        expect![
            "no identity-based policy allows it: inline policy `p`, statement 1: is for action `x:*`; the text of AWS's policy `AmazonEKSClusterPolicy` is not known: it grants nothing here"
        ],
    );
}
