//! Identity and resource policies together.

use neargate_kernel::{Access, Authorizer, PolicyFlaw, Principal};
use serde_json::{Value as Json, json};

use super::{World, trust};
use crate::AUTHORIZER;

const ARN: &str = "arn:aws:x:us-east-1:000000000000:thing";

fn document(statements: &Json) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn statement(effect: &str, principal: &Json) -> Json {
    json!({"Effect": effect, "Principal": principal, "Action": "x:Do", "Resource": "*"})
}

/// Roles `may` (allowed to), `may-not` (no policy), `barred` (denied) and `bounded` (no policy, a boundary for something else).
fn world() -> World {
    let mut world = World::new();
    let list = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "y:*", "Resource": "*"}]});
    world.call("CreatePolicy", &json!({"PolicyName": "y", "PolicyDocument": list})).unwrap();
    for name in ["may", "may-not", "barred", "bounded"] {
        let mut input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com")});
        if name == "bounded" {
            input["PermissionsBoundary"] = json!("arn:aws:iam::000000000000:policy/y");
        }
        world.call("CreateRole", &input).unwrap();
    }
    for (name, effect) in [("may", "Allow"), ("barred", "Deny")] {
        let policy =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "x:*", "Resource": "*"}]});
        let input = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": policy});
        world.call("PutRolePolicy", &input).unwrap();
    }
    world
}

fn role(name: &str) -> Principal {
    let account = neargate_base::Account::new("000000000000");
    Principal::role(&account, name, "s")
}

/// Who may, of all that there are, as a line.
fn table(world: &World, access: &Access) -> String {
    let root = |account: &str| Principal::root(&neargate_base::Account::new(account));
    let who = [
        ("may", role("may")),
        ("may-not", role("may-not")),
        ("barred", role("barred")),
        ("bounded", role("bounded")),
        ("root", root("000000000000")),
        ("stranger", root("111111111111")),
        ("service", Principal::service("logs.us-east-1.amazonaws.com")),
    ];
    let allowed = |principal: &Principal| AUTHORIZER.authorize(world.core.store(), principal, access).is_allowed();
    let names: Vec<_> = who.iter().filter(|(_, principal)| allowed(principal)).map(|(name, _)| *name).collect();
    names.join(" ")
}

fn check(statements: &Json, ordinary: &str, governed: &str) {
    let (world, text) = (world(), document(statements));
    assert_eq!(table(&world, &Access::new("x:Do", ARN).under(text.as_str())), ordinary, "ordinary: {text}");
    assert_eq!(table(&world, &Access::new("x:Do", ARN).governed_by(text)), governed, "governed");
}

#[test]
fn an_unconcerned_policy_leaves_ordinary_resources_to_identities_and_locks_governed_ones() {
    check(&json!([statement("Allow", &json!({"Service": "x.amazonaws.com"}))]), "may root", "");
}

#[test]
fn the_account_in_a_policy_hands_the_decision_to_identities() {
    check(&json!([statement("Allow", &json!({"AWS": "000000000000"}))]), "may root", "may root");
}

#[test]
fn a_role_in_a_policy_needs_no_policy_of_its_own_but_keeps_its_boundary() {
    let named = |name: &str| json!({"AWS": format!("arn:aws:iam::000000000000:role/{name}")});
    check(&json!([statement("Allow", &named("may-not"))]), "may may-not root", "may-not");
    check(&json!([statement("Allow", &named("bounded"))]), "may root", "");
    check(&json!([statement("Allow", &named("barred"))]), "may root", "");
}

#[test]
fn everybody_is_everybody_but_the_barred() {
    // Who is let in as anyone is let in past a permissions boundary.
    let all = "may may-not bounded root stranger service";
    check(&json!([statement("Allow", &json!("*"))]), all, all);
}

#[test]
fn a_deny_of_the_resource_wins_over_the_root() {
    let both = json!([statement("Allow", &json!("*")), statement("Deny", &json!({"AWS": "000000000000"}))]);
    check(&both, "stranger service", "stranger service");
}

#[test]
fn services_and_strangers_are_let_in_by_the_resource() {
    check(
        &json!([statement("Allow", &json!({"Service": "logs.us-east-1.amazonaws.com"}))]),
        "may root service",
        "service",
    );
    check(&json!([statement("Allow", &json!({"AWS": "111111111111"}))]), "may root stranger", "stranger");
}

#[test]
fn an_explanation_begins_with_the_resources_policy() {
    let access =
        Access::new("x:Do", ARN).under(document(&json!([statement("Allow", &json!({"AWS": "111111111111"}))])));
    let lines = crate::explain_access(world().core.store(), &role("may"), &access);
    assert_eq!(
        lines,
        [
            "the resource's policy, statement 1: is for principal `111111111111`",
            "inline policy `p`, statement 1: allows it"
        ]
    );
}

#[test]
fn what_is_no_policy_allows_nobody_and_is_refused() {
    let world = world();
    let access = Access::new("x:Do", ARN).under("{}");
    assert_eq!(table(&world, &access), "");
    let check = |text: &str| AUTHORIZER.check_resource_policy(world.core.store(), text);
    assert!(matches!(check("{}"), Err(PolicyFlaw::Document { .. })));
    let without = document(&json!([{"Effect": "Allow", "Action": "x:Do", "Resource": "*"}]));
    assert!(matches!(check(&without), Err(PolicyFlaw::Document { .. })), "no principal");
    let of = |name: &str| {
        document(&json!([statement("Allow", &json!({"AWS": format!("arn:aws:iam::000000000000:role/{name}")}))]))
    };
    assert_eq!(check(&of("may")), Ok(()));
    assert_eq!(check(&of("gone")), Err(PolicyFlaw::Principal("arn:aws:iam::000000000000:role/gone".to_owned())));
}
