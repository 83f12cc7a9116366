//! KMS and IAM in a real core.

mod operations;
mod policies;
mod random;
mod templates;
mod time;
mod vault;

use neargate_base::{Account, Scope};
use neargate_kernel::{Fault, Principal, Service};
use neargate_testkit::{Harness, OnePool, Silence};
use serde_json::{Value as Json, json};

/// The account's root.
fn root() -> Principal {
    Principal::root(&Account::new("000000000000"))
}

fn role(name: &str) -> Principal {
    let (account, role_name) = (Account::new("000000000000"), name.to_owned());
    Principal::role(&account, &role_name, "s")
}

fn services() -> Vec<Service> {
    vec![crate::service(), neargate_iam::service()]
}

fn world() -> Harness {
    let ports = neargate_kernel::Ports { authorizer: &neargate_iam::Iam, events: &Silence, networks: &OnePool };
    Harness::new(services, ports).unwrap()
}

fn kms(world: &mut Harness, operation: &str, input: Json) -> Result<Json, Fault> {
    world.call("kms", operation, input)
}

/// A new key's id.
fn key(world: &mut Harness) -> String {
    let made = kms(world, "CreateKey", json!({})).unwrap();
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

fn arn(id: &str) -> String {
    Scope::new("000000000000", "eu-west-1").arn("kms", &format!("key/{id}"))
}

/// What an operation answers, as a line.
fn told(answer: Result<Json, Fault>) -> String {
    match answer {
        Ok(answer) => answer.to_string(),
        Err(fault) => format!("{} {fault}", fault.status),
    }
}

fn encrypt(world: &mut Harness, key: &str, context: &Json) -> String {
    let input = json!({"KeyId": key, "Plaintext": "c2VjcmV0", "EncryptionContext": context});
    kms(world, "Encrypt", input).unwrap()["CiphertextBlob"].as_str().unwrap().to_owned()
}

fn decrypt(world: &mut Harness, blob: &str, context: &Json) -> Result<Json, Fault> {
    kms(world, "Decrypt", json!({"CiphertextBlob": blob, "EncryptionContext": context}))
}

/// A role with these policies: names and documents.
fn make_role(world: &mut Harness, name: &str, statement: Option<Json>) {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    world.call("iam", "CreateRole", input).unwrap();
    if let Some(statement) = statement {
        let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let input = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": document});
        world.call("iam", "PutRolePolicy", input).unwrap();
    }
}
