//! Secrets Manager, KMS and IAM in a real core.

mod keys;
mod operations;
mod random;
mod templates;
mod versions;

use neargate_base::Account;
use neargate_kernel::{Fault, Ports, Principal, Service};
use neargate_testkit::{Harness, OnePool, Silence};
use serde_json::{Value as Json, json};

const DAY_MS: i64 = 86_400_000;

fn root() -> Principal {
    Principal::root(&Account::new("000000000000"))
}

fn role(name: &str) -> Principal {
    let (account, role_name) = (Account::new("000000000000"), name.to_owned());
    Principal::role(&account, &role_name, "s")
}

fn services() -> Vec<Service> {
    vec![crate::service(), neargate_iam::service(), neargate_kms::service()]
}

fn world() -> Harness {
    let ports = Ports { authorizer: &neargate_iam::Iam, events: &Silence, networks: &OnePool };
    Harness::new(services, ports).unwrap()
}

fn ask(world: &mut Harness, operation: &str, input: Json) -> Result<Json, Fault> {
    world.call("secretsmanager", operation, input)
}

fn told(answer: Result<Json, Fault>) -> String {
    match answer {
        Ok(answer) => answer.to_string(),
        Err(fault) => format!("{} {fault}", fault.status),
    }
}

/// A secret with a value, by name; its ARN.
fn secret(world: &mut Harness, name: &str, value: &str) -> String {
    let made = ask(world, "CreateSecret", json!({"Name": name, "SecretString": value})).unwrap();
    made["ARN"].as_str().unwrap().to_owned()
}

fn value(world: &mut Harness, id: &str) -> String {
    told(ask(world, "GetSecretValue", json!({"SecretId": id})).map(|answer| answer["SecretString"].clone()))
}

/// A token of the length that AWS wants.
fn token(at: usize) -> String {
    format!("token-{at:032}")
}

/// A role with statements of its own.
fn make_role(world: &mut Harness, name: &str, statements: &Json) {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    world.call("iam", "CreateRole", input).unwrap();
    if statements.as_array().is_some_and(|statements| !statements.is_empty()) {
        let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let input = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": document});
        world.call("iam", "PutRolePolicy", input).unwrap();
    }
}
