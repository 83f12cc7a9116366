//! The CloudFormation types, step by step.

use neargate_kernel::{Action, Core, Fault, MemorySegments, Progress, Registry, ResourceRequest, ResourceState};
use neargate_testkit::{Harness, vault};
use serde_json::{Value as Json, json};

use super::{services, world};

const SECRET: &str = "AWS::SecretsManager::Secret";

struct Steps {
    core: Core,
    world: Harness,
}

impl Steps {
    fn new() -> Self {
        let world = world();
        let registry = Registry::new(world.core().registry().ports, services());
        let core = Core::open(registry, vec![], Box::new(MemorySegments::default()), 3).unwrap();
        Self { core: core.with_vault(vault(3)).unwrap(), world }
    }

    fn step(
        &mut self,
        type_name: &str,
        action: Action,
        properties: &Json,
        previous: Option<&Json>,
        current: Option<&ResourceState>,
    ) -> Result<Progress, Fault> {
        let resource = self.core.registry().resource(type_name).unwrap();
        let (scope, now) = (self.world.scope.clone(), self.world.now);
        let request = ResourceRequest {
            scope: &scope,
            stack_name: "stack",
            stack_id: "arn:aws:cloudformation:eu-west-1:000000000000:stack/stack/1",
            logical_id: "Secret",
            type_name,
            properties,
            previous,
            current,
            callback: None,
        };
        self.core.perform(now, &scope, super::root(), |cx| request.take(cx, resource, action)).0
    }

    fn create(&mut self, properties: &Json) -> ResourceState {
        done(self.step(SECRET, Action::Create, properties, None, None))
    }

    fn call(&mut self, operation: &str, input: Json) -> Result<Json, Fault> {
        let (scope, now) = (self.world.scope.clone(), self.world.now);
        let call = |cx: &mut neargate_kernel::Cx<'_>| cx.call_json("secretsmanager", operation, input);
        self.core.perform(now, &scope, super::root(), call).0.map(|value| neargate_shape::to_json(&value))
    }

    fn value(&mut self, arn: &str) -> String {
        self.call("GetSecretValue", json!({"SecretId": arn})).unwrap()["SecretString"].as_str().unwrap().to_owned()
    }
}

fn done(progress: Result<Progress, Fault>) -> ResourceState {
    match progress.unwrap() {
        Progress::Done(state) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_cdks_secrets_get_their_passwords() {
    let steps = &mut Steps::new();
    let plain = steps.create(&json!({"GenerateSecretString": {}}));
    assert!(plain.physical_id.starts_with("arn:aws:secretsmanager:eu-west-1:000000000000:secret:Secret-"));
    assert_eq!(plain.attributes["Id"], json!(plain.physical_id));
    assert_eq!(steps.value(&plain.physical_id).chars().count(), 32);
    let properties = json!({"Description": "credentials", "Name": "jobs/api", "GenerateSecretString": {
        "ExcludeCharacters": "\"", "ExcludeLowercase": false, "ExcludeNumbers": true, "ExcludePunctuation": true,
        "ExcludeUppercase": false, "GenerateStringKey": "password", "IncludeSpace": false, "PasswordLength": 40,
        "RequireEachIncludedType": false, "SecretStringTemplate": "{\"user\":\"job\"}"}});
    let state = steps.create(&properties);
    let value: Json = serde_json::from_str(&steps.value("jobs/api")).unwrap();
    let password = value["password"].as_str().unwrap();
    assert_eq!((&value["user"], password.len()), (&json!("job"), 40));
    assert!(password.chars().all(|letter| letter.is_ascii_alphabetic()));
    let again = steps.step(SECRET, Action::Update, &properties, Some(&properties), Some(&state));
    assert_eq!(done(again).physical_id, state.physical_id);
    assert_eq!(serde_json::from_str::<Json>(&steps.value("jobs/api")).unwrap(), value, "no change, no new password");
}

#[test]
fn a_secret_changes_in_place_and_goes_at_once() {
    let steps = &mut Steps::new();
    let first = json!({"Name": "a", "SecretString": {"user": "x"}, "Tags": [{"Key": "k", "Value": "1"}]});
    let state = steps.create(&first);
    assert_eq!(steps.value("a"), r#"{"user":"x"}"#);
    let second = json!({"Name": "a", "SecretString": "y", "Description": "d", "Tags": [{"Key": "l", "Value": "2"}]});
    done(steps.step(SECRET, Action::Update, &second, Some(&first), Some(&state)));
    assert_eq!(steps.value("a"), "y");
    let shown = steps.call("DescribeSecret", json!({"SecretId": "a"})).unwrap();
    assert_eq!((&shown["Description"], &shown["Tags"]), (&json!("d"), &json!([{"Key": "l", "Value": "2"}])));
    let renamed = json!({"Name": "b", "SecretString": "y"});
    assert_eq!(steps.step(SECRET, Action::Update, &renamed, Some(&second), Some(&state)).unwrap(), Progress::Replace);
    done(steps.step(SECRET, Action::Delete, &second, None, Some(&state)));
    done(steps.step(SECRET, Action::Delete, &second, None, Some(&state)));
    assert_ne!(steps.create(&first).physical_id, state.physical_id);
}

#[test]
fn what_is_not_here_fails_by_name() {
    let steps = &mut Steps::new();
    let mut told =
        |properties: Json| steps.step(SECRET, Action::Create, &properties, None, None).unwrap_err().to_string();
    assert!(told(json!({"ReplicaRegions": [{"Region": "us-east-1"}]})).contains("AddReplicaRegions"));
    assert!(told(json!({"Colour": "red"})).contains("Colour"));
    assert!(told(json!({"GenerateSecretString": {"Colour": "red"}})).contains("Colour"));
    assert!(told(json!({"GenerateSecretString": {"GenerateStringKey": "k"}})).contains("SecretStringTemplate"));
}

#[test]
fn a_policy_is_put_and_taken_away() {
    let steps = &mut Steps::new();
    let secret = steps.create(&json!({"Name": "a", "SecretString": "x"}));
    let kind = "AWS::SecretsManager::ResourcePolicy";
    let properties = json!({"SecretId": secret.physical_id, "BlockPublicPolicy": true, "ResourcePolicy": {"Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*"}]}});
    let state = done(steps.step(kind, Action::Create, &properties, None, None));
    assert_eq!(state.physical_id, secret.physical_id);
    assert_eq!(steps.call("DeleteSecret", json!({"SecretId": "a"})).unwrap_err().code, "AccessDeniedException");
    done(steps.step(kind, Action::Delete, &properties, None, Some(&state)));
    assert!(steps.call("DeleteSecret", json!({"SecretId": "a"})).is_ok());
}
