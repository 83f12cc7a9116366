//! What holds for the operations of all services together.

use neargate_kernel::{Fault, Principal};
use neargate_shape::{Kind, Shape};
use neargate_testkit::Harness;
use serde_json::{Map, Value as Json, json};

/// The smallest input that a shape's constraints let pass: required members, and as few items as may be.
fn least(name: &str, shape: &Shape) -> Json {
    let least_items = usize::try_from(shape.constraints.min.unwrap_or(0)).unwrap();
    match shape.kind {
        Kind::Boolean => json!(false),
        Kind::Integer | Kind::Long | Kind::Double => json!(shape.constraints.min.unwrap_or(1)),
        Kind::Blob => json!("AAAA"),
        Kind::Timestamp(_) => json!(1_800_000_000),
        Kind::List { member, .. } => json!(vec![least(name, member.get()); least_items]),
        Kind::Structure { members } => {
            let required = members.iter().filter(|member| member.required);
            let members: Map<_, _> = required.map(|it| (it.name.to_owned(), least(it.name, it.shape.get()))).collect();
            Json::Object(members)
        }
        Kind::String => json!(text(name, shape, least_items)),
        Kind::Map { .. } => json!({"a": "a"}),
        _ => json!({}),
    }
}

fn text(name: &str, shape: &Shape, least_length: usize) -> String {
    if let Some(first) = shape.constraints.one_of.first() {
        return (*first).to_owned();
    }
    let name = name.to_lowercase();
    if name.ends_with("arn") || name == "resourceidentifier" || name == "resourcename" {
        return "arn:aws:iam::000000000000:role/other".to_owned();
    }
    if name == "versionid" {
        return "v1".to_owned();
    }
    "a".repeat(least_length.max(1))
}

/// Calls every operation as a session of a role that no policy speaks for.
fn refusals(least_privileged: &mut Harness) -> Vec<(String, Result<Json, Fault>)> {
    let all: Vec<_> = super::services()
        .into_iter()
        .flat_map(|service| service.operations.into_iter().map(move |it| (service.shape.name, it.shape)))
        .collect();
    let call = |(service, operation): (&str, &neargate_shape::OperationShape)| {
        let input = least("", (operation.input)());
        (format!("{service}:{}", operation.name), least_privileged.call(service, operation.name, input))
    };
    all.into_iter().map(call).collect()
}

#[test]
fn a_role_without_policies_may_do_nothing_but_ask_who_it_is() {
    let mut harness = Harness::new(super::services, super::ports()).unwrap();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]});
    let role = json!({"RoleName": "nothing", "AssumeRolePolicyDocument": trust.to_string()});
    harness.call("iam", "CreateRole", role).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let account = harness.scope.account.clone();
    harness.principal = Principal::Role { account, role_name: "nothing".to_owned(), session_name: "s".to_owned() };
    let is_denial =
        |fault: &Fault| fault.status == 403 || matches!(fault.code, "AccessDeniedException" | "UnauthorizedOperation");
    let let_in: Vec<_> = refusals(&mut harness)
        .into_iter()
        .filter(|(_, answer)| !answer.as_ref().is_err_and(is_denial))
        .map(|(operation, answer)| match answer {
            Ok(_) => operation,
            Err(fault) => format!("{operation}: {}: {}", fault.code, fault.message),
        })
        .collect();
    assert_eq!(let_in, ["kms:Decrypt: ValidationException: CiphertextBlob is required.", "sts:GetCallerIdentity"]);
}
