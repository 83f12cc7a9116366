//! CloudWatch Logs, KMS and IAM in a real core over a journal and segments in memory.

mod access;
mod events;
mod groups;
mod keys;
mod lines;
mod pages;
mod random;
mod stacks;
mod templates;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Access, Applied, Authorizer, Command, Core, Cx, Decision, Event, EventSink, Fault, Interface, InterfaceRequest,
    Journal, JournalError, MemoryJournal, MemorySegments, Networks, PolicyFlaw, Ports, Principal, Registry, Request,
    Segments, Store,
};
use neargate_shape::{from_json, to_json};
use serde_json::{Value as Json, json};

use crate::service;

/// When the tests begin.
const NOW_MS: i64 = 1_800_000_000_000;

thread_local! {
    /// What KMS was asked for, by action.
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(vec![]) };
}

/// Every port. A role called `logs:Action@arn-pattern` has a policy that allows just that; about keys IAM decides.
struct Fake;

impl Authorizer for Fake {
    fn authorize(&self, store: &Store, principal: &Principal, access: &Access) -> Decision {
        if access.action.starts_with("kms:") {
            ASKED.with_borrow_mut(|asked| asked.push(access.action.clone()));
            return neargate_iam::Iam.authorize(store, principal, access);
        }
        let Principal::Role { role_name, .. } = principal else { return Decision::Allowed };
        let allows = |rule: &str| {
            let (action, resource) = rule.split_once('@').unwrap();
            action == access.action && fits(resource, &access.resource)
        };
        if role_name.split(';').any(allows) {
            Decision::Allowed
        } else {
            Decision::ImplicitlyDenied { looked_at: vec![] }
        }
    }

    fn may_assume(&self, _: &Store, _: &str, _: &str, _: &[(String, Vec<String>)]) -> Result<Principal, String> {
        Err("no roles here".to_owned())
    }

    fn check_resource_policy(&self, store: &Store, text: &str) -> Result<(), PolicyFlaw> {
        neargate_iam::Iam.check_resource_policy(store, text)
    }
}

/// A pattern with stars only at its end or nowhere, which is all these tests need.
fn fits(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |head| text.starts_with(head))
}

impl EventSink for Fake {
    fn publish(&self, _: &mut Cx<'_>, _: Event) -> Result<(), Fault> {
        Ok(())
    }
}

impl Networks for Fake {
    fn attach(&self, _: &mut Cx<'_>, _: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        Err(Fault::internal("no network here"))
    }

    fn detach(&self, _: &mut Cx<'_>, _: &str) {}
}

/// Segments that outlive their core, with their names and how many bytes were read.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<(MemorySegments, BTreeSet<String>, usize)>>);

impl Segments for Disk {
    fn write(&mut self, segment: &str, offset: u64, bytes: &[u8]) -> Result<(), JournalError> {
        let mut held = self.0.lock().unwrap();
        held.1.insert(segment.to_owned());
        held.0.write(segment, offset, bytes)
    }

    fn read(&self, segment: &str, offset: u64, length: usize) -> Result<Vec<u8>, JournalError> {
        let mut held = self.0.lock().unwrap();
        let bytes = held.0.read(segment, offset, length)?;
        held.2 += bytes.len();
        Ok(bytes)
    }

    fn remove(&mut self, segment: &str) -> Result<(), JournalError> {
        let mut held = self.0.lock().unwrap();
        held.1.remove(segment);
        held.0.remove(segment)
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

/// A core with its disk, the time and who calls.
struct World {
    core: Core,
    journal: MemoryJournal,
    disk: Disk,
    now_ms: i64,
    principal: Principal,
    starts: u64,
}

/// A core with another seed at each start.
fn open(rows: Vec<neargate_kernel::Row>, disk: &Disk, starts: u64) -> Core {
    let ports = Ports { authorizer: &Fake, events: &Fake, networks: &Fake };
    let services = vec![service(), neargate_kms::service(), neargate_iam::service()];
    let core = Core::open(Registry::new(ports, services), rows, Box::new(disk.clone()), starts).unwrap();
    core.with_vault(neargate_testkit::vault(starts)).unwrap()
}

impl World {
    fn new() -> Self {
        let disk = Disk::default();
        let principal = Principal::root(&Scope::default().account);
        let (core, journal) = (open(vec![], &disk, 1), MemoryJournal::default());
        Self { core, journal, disk, now_ms: NOW_MS, principal, starts: 1 }
    }

    /// A world with the group `g` and the stream `s`.
    fn with_stream() -> Self {
        let mut world = Self::new();
        world.ok("CreateLogGroup", json!({"logGroupName": "g"}));
        world.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"}));
        world
    }

    /// What follows is called by a role with this policy.
    fn as_role(&mut self, policy: &str) -> &mut Self {
        self.principal = Principal::role(&Scope::default().account, policy, "session");
        self
    }

    /// Another process on the same disk; what was not durable is gone.
    fn restart(&mut self) {
        self.journal.lose_tail();
        self.starts += 1;
        self.core = open(self.journal.load().unwrap(), &self.disk, self.starts);
    }

    fn apply(&mut self, operation: &str, input: Json) -> Applied {
        self.apply_to("logs", operation, input)
    }

    fn apply_to(&mut self, service: &str, operation: &str, input: Json) -> Applied {
        let shape = self.core.registry().operation(service, operation).unwrap().shape;
        let request = Request {
            scope: Scope::default(),
            principal: self.principal.clone(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input: from_json((shape.input)(), input, &mut vec![]).unwrap(),
            request_id: "r".to_owned(),
            client: None,
        };
        self.core.apply(Timestamp(self.now_ms), Command::Request(request))
    }

    fn keep(&mut self, applied: &Applied) {
        let sequence = self.journal.append(applied.deltas.clone()).unwrap();
        self.journal.durable(sequence).unwrap();
        self.core.remove_segments(&applied.removed_segments).unwrap();
    }

    fn call(&mut self, operation: &str, input: Json) -> Result<Json, Fault> {
        let applied = self.apply(operation, input);
        self.keep(&applied);
        applied.reply.unwrap().map(|value| to_json(&value))
    }

    fn ok(&mut self, operation: &str, input: Json) -> Json {
        self.call(operation, input).unwrap()
    }

    fn kms(&mut self, operation: &str, input: Json) -> Json {
        let applied = self.apply_to("kms", operation, input);
        self.keep(&applied);
        to_json(&applied.reply.unwrap().unwrap())
    }

    /// The fault with its status.
    fn refused(&mut self, operation: &str, input: Json) -> String {
        let fault = self.call(operation, input).unwrap_err();
        format!("{} {fault}", fault.status)
    }

    /// Puts events given as (milliseconds after the beginning, message) into stream `s` of group `g`.
    fn put(&mut self, events: &[(i64, &str)]) -> Json {
        self.put_into("s", events)
    }

    fn put_into(&mut self, stream: &str, events: &[(i64, &str)]) -> Json {
        self.ok("PutLogEvents", batch(stream, events))
    }

    /// Lets time pass and does the work that falls due.
    fn pass_days(&mut self, days: i64) {
        self.now_ms += days * 86_400_000;
        while let Some(applied) = self.core.run_due(Timestamp(self.now_ms)) {
            assert_eq!(applied.notices, []);
            self.keep(&applied);
        }
    }

    /// How many bytes were read from segments since this was last asked.
    fn bytes_read(&self) -> usize {
        std::mem::take(&mut self.disk.0.lock().unwrap().2)
    }

    fn segments_on_disk(&self) -> usize {
        self.disk.0.lock().unwrap().1.len()
    }
}

/// The input of `PutLogEvents`, with times after the beginning.
fn batch(stream: &str, events: &[(i64, &str)]) -> Json {
    let event = |(after, message): &(i64, &str)| json!({"timestamp": NOW_MS + after, "message": message});
    json!({"logGroupName": "g", "logStreamName": stream, "logEvents": events.iter().map(event).collect::<Vec<_>>()})
}

/// The messages of an answer, and its times after the beginning.
fn shown(answer: &Json) -> String {
    let events = answer["events"].as_array().unwrap();
    let show = |event: &Json| {
        let stream = event["logStreamName"].as_str().map_or(String::new(), |stream| format!("{stream}/"));
        format!("{}:{stream}{}", event["timestamp"].as_i64().unwrap() - NOW_MS, event["message"].as_str().unwrap())
    };
    events.iter().map(show).collect::<Vec<_>>().join(" ")
}
