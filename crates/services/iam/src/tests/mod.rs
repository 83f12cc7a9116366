//! IAM in a real core: operations, CloudFormation types, and the port.

mod authorizer;
mod operations;
mod resource_policies;
mod sessions;
mod templates;

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Applied, Command, Core, Cx, Event, EventSink, Fault, Interface, InterfaceRequest, Journal, MemoryJournal,
    MemorySegments, Networks, Ports, Principal, Registry, Request, Row,
};
use neargate_shape::{Value, from_properties, to_json};
use serde_json::Value as Json;

use crate::{AUTHORIZER, service};

struct Nowhere;

impl EventSink for Nowhere {
    fn publish(&self, _cx: &mut Cx<'_>, _event: Event) -> Result<(), Fault> {
        Ok(())
    }
}

impl Networks for Nowhere {
    fn attach(&self, _cx: &mut Cx<'_>, _request: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        Err(Fault::internal("no network here"))
    }

    fn detach(&self, _cx: &mut Cx<'_>, _interface_id: &str) {}
}

/// A core with IAM alone, and who calls it.
struct World {
    core: Core,
    journal: MemoryJournal,
    principal: Principal,
}

impl World {
    fn new() -> Self {
        Self {
            core: open(vec![]),
            journal: MemoryJournal::default(),
            principal: Principal::root(&Scope::default().account),
        }
    }

    /// The same world after the engine was started anew.
    fn restarted(mut self) -> Self {
        self.core = open(self.journal.load().unwrap());
        self
    }

    /// What follows is called by a session of this role.
    fn as_role(&mut self, role: &str) -> &mut Self {
        self.principal = Principal::role(&Scope::default().account, role, "s");
        self
    }

    fn apply(&mut self, operation: &str, input: &Json) -> Applied {
        let shape = crate::api::SERVICE.operation(operation).unwrap();
        let request = Request {
            scope: Scope::default(),
            principal: self.principal.clone(),
            service: "iam".to_owned(),
            operation: operation.to_owned(),
            input: from_properties((shape.input)(), input).unwrap(),
            request_id: "r".to_owned(),
            client: None,
        };
        let applied = self.core.apply(Timestamp::from_seconds(1_800_000_000), Command::Request(request));
        let sequence = self.journal.append(applied.deltas.clone()).unwrap();
        self.journal.durable(sequence).unwrap();
        applied
    }

    fn call(&mut self, operation: &str, input: &Json) -> Result<Json, Fault> {
        self.apply(operation, input).reply.unwrap().map(|value: Value| to_json(&value))
    }

    /// The answer as JSON, or the fault with its status and hint.
    fn told(&mut self, operation: &str, input: &Json) -> String {
        match self.call(operation, input) {
            Ok(answer) => answer.to_string(),
            Err(fault) => {
                let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\n  hint: {hint}"));
                format!("{} {fault}{hint}", fault.status)
            }
        }
    }
}

fn open(rows: Vec<Row>) -> Core {
    let ports = Ports { authorizer: &AUTHORIZER, events: &Nowhere, networks: &Nowhere };
    Core::open(Registry::new(ports, vec![service()]), rows, Box::new(MemorySegments::default()), 1).unwrap()
}

/// A trust policy for a service.
fn trust(service: &str) -> Json {
    serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    ]})
}
