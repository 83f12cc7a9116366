//! A core with EC2, and with a service of the tests' own through which they reach steps and the port.

use std::cell::RefCell;

use neargate_base::Scope;
use neargate_ec2::Interfaces;
use neargate_kernel::{
    Access, Accesses, Action, Authorizer, Cx, Decision, Fault, InterfaceRequest, Operation, OperationEntry, Ports,
    Principal, Progress, ResourceRequest, ResourceState, Service, Store,
};
use neargate_shape::{OperationShape, Protocol, ServiceShape, Wire, from_json, shape};
use neargate_testkit::{Harness, Silence};
use serde_json::{Value as Json, json};

thread_local! {
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(vec![]) };
}

/// Allows everything and remembers what it was asked for.
struct Recorder;

impl Authorizer for Recorder {
    fn authorize(&self, _: &Store, _: &Principal, access: &Access) -> Decision {
        let own = |(key, _): &&(String, Vec<String>)| {
            let of_every_request = [
                "aws:CurrentTime",
                "aws:EpochTime",
                "aws:RequestedRegion",
                "aws:ResourceAccount",
                "aws:SecureTransport",
                "aws:ViaAWSService",
            ];
            !of_every_request.contains(&key.as_str())
        };
        let context: Vec<_> =
            access.context.iter().filter(own).map(|(key, values)| format!(" {key}={}", values.join(","))).collect();
        let line = format!("{} {}{}", access.action, access.resource, context.concat());
        ASKED.with_borrow_mut(|asked| asked.push(line));
        Decision::Allowed
    }

    fn may_assume(&self, _: &Store, _: &str, _: &str, _: &[(String, Vec<String>)]) -> Result<Principal, String> {
        Err("no roles here".to_owned())
    }
}

/// A core with EC2.
pub(crate) struct World {
    harness: Harness,
    /// Notices of the last command: subject and text.
    pub(crate) notices: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::in_region("us-east-1")
    }

    pub(crate) fn in_region(region: &str) -> Self {
        let ports = Ports { authorizer: &Recorder, events: &Silence, networks: &Interfaces };
        let mut harness = Harness::new(|| vec![neargate_ec2::service(), test_service()], ports).unwrap();
        harness.scope = Scope::new("123456789012", region);
        Self { harness, notices: vec![] }
    }

    /// The same state after a restart.
    pub(crate) fn restarted(mut self) -> Self {
        self.harness.restart().unwrap();
        self
    }

    /// The rows that EC2 has in the journal.
    pub(crate) fn rows(&mut self) -> Vec<String> {
        let rows = self.harness.rows().into_iter().filter(|row| row.table.starts_with("ec2."));
        rows.map(|row| format!("{} {}", row.table, row.key)).collect()
    }

    /// What the caller had to be allowed since it was last asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        ASKED.with_borrow_mut(std::mem::take)
    }

    /// Calls an operation of EC2; a fault as `code: text`.
    pub(crate) fn call(&mut self, operation: &str, input: Json) -> Result<Json, String> {
        self.request("ec2", operation, input)
    }

    /// The same where it must work; answers the text at a JSON pointer.
    pub(crate) fn make(&mut self, operation: &str, input: Json, pointer: &str) -> String {
        let output = self.call(operation, input).unwrap();
        output.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("no {pointer} in {output}")).to_owned()
    }

    pub(crate) fn vpc(&mut self, cidr: &str) -> String {
        self.make("CreateVpc", json!({ "CidrBlock": cidr }), "/Vpc/VpcId")
    }

    pub(crate) fn subnet(&mut self, vpc: &str, cidr: &str) -> String {
        self.make("CreateSubnet", json!({ "VpcId": vpc, "CidrBlock": cidr }), "/Subnet/SubnetId")
    }

    pub(crate) fn group(&mut self, vpc: &str, name: &str) -> String {
        let input = json!({ "VpcId": vpc, "GroupName": name, "Description": name });
        self.make("CreateSecurityGroup", input, "/GroupId")
    }

    pub(crate) fn attach(&mut self, subnets: &[&str], groups: &[&str], public_ip: bool) -> Result<Json, String> {
        let input = json!({ "Input": { "subnets": subnets, "groups": groups, "public": public_ip } });
        Ok(self.request("test", "Attach", input)?["Output"].take())
    }

    pub(crate) fn detach(&mut self, interface: &str) {
        self.request("test", "Detach", json!({ "Input": interface })).unwrap();
    }

    /// One step of a resource.
    pub(crate) fn step(&mut self, step: Step<'_>) -> Result<Json, String> {
        let (action, current) =
            (serde_json::to_value(step.action).unwrap(), serde_json::to_value(step.current).unwrap());
        let input = json!({
            "type": step.type_name, "action": action, "logicalId": step.logical_id, "properties": step.properties,
            "previous": step.previous, "current": current, "callback": step.callback,
        });
        Ok(self.request("test", "Step", json!({ "Input": input }))?["Output"].take())
    }

    /// Steps until the resource is done, and how many steps that took.
    pub(crate) fn settle(&mut self, mut step: Step<'_>) -> Result<(ResourceState, usize), String> {
        for steps in 1..200 {
            let mut progress = self.step(step.clone())?;
            let state = serde_json::from_value(progress["state"].take()).unwrap();
            match progress["progress"].as_str() {
                Some("Done") => return Ok((Option::unwrap_or_default(state), steps)),
                Some("InProgress") => (step.current, step.callback) = (state, Some(progress["callback"].take())),
                _ => return Err(progress.to_string()),
            }
        }
        Err("no end of steps".to_owned())
    }

    fn request(&mut self, service: &str, operation: &str, input: Json) -> Result<Json, String> {
        let shape = (self.harness.core().registry().operation(service, operation).unwrap().shape.input)();
        let mut unknown = vec![];
        from_json(shape, input.clone(), &mut unknown).unwrap();
        assert_eq!(unknown, Vec::<String>::new(), "{operation}");
        let reply = self.harness.call(service, operation, input);
        let notices = self.harness.notices.drain(..);
        self.notices = notices.map(|notice| format!("{}: {}", notice.subject, notice.text)).collect();
        reply.map_err(|fault| fault.to_string())
    }
}

/// What a step is asked.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) action: Action,
    pub(crate) type_name: &'a str,
    pub(crate) logical_id: &'a str,
    pub(crate) properties: Json,
    pub(crate) previous: Option<Json>,
    pub(crate) current: Option<ResourceState>,
    pub(crate) callback: Option<Json>,
}

impl<'a> Step<'a> {
    pub(crate) fn create(type_name: &'a str, logical_id: &'a str, properties: Json) -> Self {
        Self {
            action: Action::Create,
            type_name,
            logical_id,
            properties,
            previous: None,
            current: None,
            callback: None,
        }
    }

    /// The update that follows this creation.
    pub(crate) fn update(&self, current: &ResourceState, properties: Json) -> Self {
        let previous = Some(self.properties.clone());
        Self { action: Action::Update, properties, previous, current: Some(current.clone()), ..self.clone() }
    }

    /// The deletion that follows this creation.
    pub(crate) fn delete(&self, current: &ResourceState) -> Self {
        Self { action: Action::Delete, current: Some(current.clone()), ..self.clone() }
    }
}

shape! {
    /// What an operation of the tests takes.
    pub struct TestInput as "TestInput" { input: Json = "Input" }
    /// What it answers.
    pub struct TestOutput as "TestOutput" { output: Json = "Output" }
}

static SERVICE: ServiceShape = ServiceShape {
    name: "test",
    signing_name: "test",
    protocol: Protocol::AwsJson11,
    target_prefix: "",
    api_version: "",
    xml_namespace: "",
    operations: &[&STEP, &ATTACH, &DETACH],
    unimplemented: &[],
};
static STEP: OperationShape = OperationShape::rpc("Step", TestInput::shape, TestOutput::shape);
static ATTACH: OperationShape = OperationShape::rpc("Attach", TestInput::shape, TestOutput::shape);
static DETACH: OperationShape = OperationShape::rpc("Detach", TestInput::shape, TestOutput::shape);

fn test_service() -> Service {
    Service {
        shape: &SERVICE,
        operations: vec![
            OperationEntry::of::<StepOperation>(),
            OperationEntry::of::<AttachOperation>(),
            OperationEntry::of::<DetachOperation>(),
        ],
        resources: vec![],
        jobs: vec![],
        reports: vec![],
        records: |_| {},
    }
}

struct StepOperation;

impl Operation for StepOperation {
    const SHAPE: &'static OperationShape = &STEP;
    type Input = TestInput;
    type Output = TestOutput;

    fn access(_: &Cx<'_>, _: &TestInput) -> Accesses {
        Accesses::none("the test does not ask")
    }

    fn apply(cx: &mut Cx<'_>, TestInput { input }: TestInput) -> Result<TestOutput, Fault> {
        let text = |name: &str| input[name].as_str().unwrap_or_default();
        let given = |name: &str| Some(&input[name]).filter(|value| !value.is_null());
        let current: Option<ResourceState> = serde_json::from_value(input["current"].clone()).unwrap();
        let scope = cx.scope.clone();
        let request = ResourceRequest {
            scope: &scope,
            stack_name: "stack",
            stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/1",
            logical_id: text("logicalId"),
            type_name: text("type"),
            properties: &input["properties"],
            previous: given("previous"),
            current: current.as_ref(),
            callback: given("callback"),
        };
        let kind = cx.registry.resource(text("type")).unwrap();
        let action = serde_json::from_value(input["action"].clone()).unwrap();
        let output = match request.take(cx, kind, action)? {
            Progress::Done(state) => json!({ "progress": "Done", "state": state }),
            Progress::InProgress { callback, state, .. } => {
                json!({ "progress": "InProgress", "callback": callback, "state": state })
            }
            Progress::Replace => json!({ "progress": "Replace" }),
        };
        Ok(TestOutput { output })
    }
}

struct AttachOperation;

impl Operation for AttachOperation {
    const SHAPE: &'static OperationShape = &ATTACH;
    type Input = TestInput;
    type Output = TestOutput;

    fn access(_: &Cx<'_>, _: &TestInput) -> Accesses {
        Accesses::none("the test does not ask")
    }

    fn apply(cx: &mut Cx<'_>, TestInput { input }: TestInput) -> Result<TestOutput, Fault> {
        let list = |name: &str| -> Vec<String> { serde_json::from_value(input[name].clone()).unwrap() };
        let (subnets, groups) = (list("subnets"), list("groups"));
        let request = InterfaceRequest {
            subnets: &subnets,
            security_groups: &groups,
            description: "arn:aws:ecs:us-east-1:123456789012:task/default/1",
            public_ip: input["public"] == true,
        };
        let interface = cx.registry.ports.networks.attach(cx, &request)?;
        Ok(TestOutput { output: serde_json::to_value(interface).unwrap() })
    }
}

struct DetachOperation;

impl Operation for DetachOperation {
    const SHAPE: &'static OperationShape = &DETACH;
    type Input = TestInput;
    type Output = TestOutput;

    fn access(_: &Cx<'_>, _: &TestInput) -> Accesses {
        Accesses::none("the test does not ask")
    }

    fn apply(cx: &mut Cx<'_>, TestInput { input }: TestInput) -> Result<TestOutput, Fault> {
        cx.registry.ports.networks.detach(cx, input.as_str().unwrap_or_default());
        Ok(TestOutput { output: Json::Null })
    }
}
