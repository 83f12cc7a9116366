//! The CloudFormation types, step by step.

use neargate_kernel::{Action, Core, MemorySegments, Progress, Registry, ResourceRequest, ResourceState};
use neargate_testkit::{Harness, vault};
use serde_json::{Value as Json, json};

use super::{services, told, world};

/// A core over what the world holds, and steps in it.
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
    ) -> Result<Progress, neargate_kernel::Fault> {
        let resource = self.core.registry().resource(type_name).unwrap();
        let (scope, now) = (self.world.scope.clone(), self.world.now);
        let request = ResourceRequest {
            scope: &scope,
            stack_name: "stack",
            stack_id: "arn:aws:cloudformation:eu-west-1:000000000000:stack/stack/1",
            logical_id: "Key",
            type_name,
            properties,
            previous,
            current,
            callback: None,
        };
        self.core.perform(now, &scope, super::root(), |cx| request.take(cx, resource, action)).0
    }

    fn call(&mut self, operation: &str, input: Json) -> Json {
        let (scope, now) = (self.world.scope.clone(), self.world.now);
        let (answer, _) = self.core.perform(now, &scope, super::root(), |cx| cx.call_json("kms", operation, input));
        answer.map_or_else(|fault| json!(fault.to_string()), |value| neargate_shape::to_json(&value))
    }
}

fn done(progress: Result<Progress, neargate_kernel::Fault>) -> ResourceState {
    match progress.unwrap() {
        Progress::Done(state) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_made_changed_and_scheduled_for_deletion() {
    let steps = &mut Steps::new();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": {"Fn::x": 0}}}]});
    let kind = "AWS::KMS::Key";
    let first = json!({"EnableKeyRotation": true, "Description": "d", "Tags": [{"Key": "a", "Value": "1"}]});
    let state = done(steps.step(kind, Action::Create, &first, None, None));
    let id = state.physical_id.clone();
    assert_eq!(state.attributes["Arn"], json!(super::arn(&id)));
    assert_eq!(state.attributes["KeyId"], json!(id));
    assert_eq!(steps.call("GetKeyRotationStatus", json!({"KeyId": id}))["KeyRotationEnabled"], true);
    let second = json!({"EnableKeyRotation": "false", "Description": "e", "Enabled": false, "PendingWindowInDays": "7",
        "Tags": [{"Key": "b", "Value": "2"}],
        "KeyPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}]}});
    done(steps.step(kind, Action::Update, &second, Some(&first), Some(&state)));
    let shown = steps.call("DescribeKey", json!({"KeyId": id}));
    assert_eq!(
        (&shown["KeyMetadata"]["KeyState"], &shown["KeyMetadata"]["Description"]),
        (&json!("Disabled"), &json!("e"))
    );
    assert_eq!(steps.call("GetKeyRotationStatus", json!({"KeyId": id}))["KeyRotationEnabled"], false);
    assert_eq!(steps.call("ListResourceTags", json!({"KeyId": id}))["Tags"], json!([{"TagKey": "b", "TagValue": "2"}]));
    done(steps.step(kind, Action::Delete, &second, None, Some(&state)));
    let shown = steps.call("DescribeKey", json!({"KeyId": id}));
    assert_eq!(shown["KeyMetadata"]["KeyState"], "PendingDeletion");
    assert_eq!(
        shown["KeyMetadata"]["DeletionDate"].as_f64().unwrap(),
        steps.world.now.plus_ms(7 * 86_400_000).seconds_f64()
    );
    done(steps.step(kind, Action::Delete, &second, None, Some(&state)));
    let refused = steps.step(kind, Action::Create, &json!({"KeyPolicy": policy}), None, None);
    assert!(told(refused.map(|_| json!(null))).contains("MalformedPolicyDocumentException"));
    let unknown = steps.step(kind, Action::Create, &json!({"Colour": "red"}), None, None);
    assert!(told(unknown.map(|_| json!(null))).contains("Colour"));
    let asymmetric = json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"});
    assert_eq!(steps.step(kind, Action::Create, &asymmetric, None, None).unwrap_err().code, "NotImplemented");
    assert_eq!(steps.step(kind, Action::Update, &asymmetric, Some(&first), Some(&state)).unwrap(), Progress::Replace);
}

#[test]
fn an_alias_follows_its_target() {
    let steps = &mut Steps::new();
    let make =
        |steps: &mut Steps| done(steps.step("AWS::KMS::Key", Action::Create, &json!({}), None, None)).physical_id;
    let (one, two) = (make(steps), make(steps));
    let kind = "AWS::KMS::Alias";
    let first = json!({"AliasName": "alias/a", "TargetKeyId": super::arn(&one)});
    let state = done(steps.step(kind, Action::Create, &first, None, None));
    assert_eq!(state.physical_id, "alias/a");
    let second = json!({"AliasName": "alias/a", "TargetKeyId": two});
    done(steps.step(kind, Action::Update, &second, Some(&first), Some(&state)));
    assert_eq!(steps.call("DescribeKey", json!({"KeyId": "alias/a"}))["KeyMetadata"]["KeyId"], json!(two));
    let renamed = json!({"AliasName": "alias/b", "TargetKeyId": two});
    assert_eq!(steps.step(kind, Action::Update, &renamed, Some(&second), Some(&state)).unwrap(), Progress::Replace);
    done(steps.step(kind, Action::Delete, &second, None, Some(&state)));
    done(steps.step(kind, Action::Delete, &second, None, Some(&state)));
}
