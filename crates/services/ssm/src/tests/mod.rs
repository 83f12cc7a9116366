//! Parameter Store in a real core.

mod names;
mod operations;
mod secure;
mod template;

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Access, Authorizer, Command, Core, Cx, Decision, Event, EventSink, Fault, Interface, InterfaceRequest,
    MemorySegments, Networks, Ports, Principal, Registry, Request, Store,
};
use neargate_shape::{Value, from_properties, to_json};
use serde_json::Value as Json;

use crate::service;

/// Lets everyone do everything but what is asked of `…/forbidden`.
struct Ready;

impl Authorizer for Ready {
    fn authorize(&self, _store: &Store, _principal: &Principal, access: &Access) -> Decision {
        if access.resource.ends_with("/forbidden") {
            return Decision::ImplicitlyDenied { looked_at: vec![] };
        }
        Decision::Allowed
    }

    fn may_assume(
        &self,
        _store: &Store,
        _role_arn: &str,
        _service: &str,
        _: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
        Err("not asked here".to_owned())
    }
}

impl EventSink for Ready {
    fn publish(&self, _cx: &mut Cx<'_>, _event: Event) -> Result<(), Fault> {
        Ok(())
    }
}

impl Networks for Ready {
    fn attach(&self, _cx: &mut Cx<'_>, _request: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        Err(Fault::internal("no network here"))
    }

    fn detach(&self, _cx: &mut Cx<'_>, _interface_id: &str) {}
}

struct World {
    core: Core,
    notices: Vec<String>,
}

impl World {
    fn new() -> Self {
        let ports = Ports { authorizer: &Ready, events: &Ready, networks: &Ready };
        let registry = Registry::new(ports, vec![service()]);
        let core = Core::open(registry, vec![], Box::new(MemorySegments::default()), 1).unwrap();
        Self { core, notices: vec![] }
    }

    fn call(&mut self, operation: &str, input: &Json) -> Result<Json, Fault> {
        let shape = crate::api::SERVICE.operation(operation).unwrap();
        let request = Request {
            scope: Scope::default(),
            principal: Principal::root(&Scope::default().account),
            service: "ssm".to_owned(),
            operation: operation.to_owned(),
            input: from_properties((shape.input)(), input).unwrap(),
            request_id: "r".to_owned(),
            client: None,
        };
        let applied = self.core.apply(Timestamp::from_seconds(1_800_000_000), Command::Request(request));
        self.notices.extend(applied.notices.iter().map(|notice| notice.text.clone()));
        applied.reply.unwrap().map(|value: Value| to_json(&value))
    }

    /// Plays `Operation {input}` lines; `! ` before a line leaves its answer out, and wants one.
    fn play(&mut self, calls: &str) -> String {
        let mut transcript = String::new();
        for line in calls.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (is_quiet, line) = line.strip_prefix("! ").map_or((false, line), |line| (true, line));
            let (operation, input) = line.split_once(' ').unwrap();
            let answer = self.call(operation, &serde_json::from_str(input).unwrap());
            if is_quiet {
                answer.unwrap();
                continue;
            }
            let told = match answer {
                Ok(answer) => answer.to_string(),
                Err(fault) => {
                    let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\n  hint: {hint}"));
                    format!("{} {fault}{hint}", fault.status)
                }
            };
            transcript += &format!("{line}\n  {told}\n");
        }
        transcript
    }
}
