//! Resources that do as their properties say and refuse what no real resource would bear: to be made before what it refers to,
//! to be deleted while another refers to it. What was done is written down.

use std::cell::RefCell;
use std::collections::BTreeSet;

use neargate_kernel::{
    Action, Cx, Fault, Lack, Progress, Record, ResourceRequest, ResourceState, ResourceType, Service,
};
use neargate_shape::{Protocol, ResourceShape, ServiceShape};
use neargate_testkit::Harness;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

thread_local! {
    /// Logical ids whose deletion fails for now.
    pub(crate) static STUCK: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// A toy in the world, by physical id.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Thing {
    properties: Json,
}

impl Record for Thing {
    const TABLE: &'static str = "toy.thing";
}

/// One deed, by number.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Deed(String);

impl Record for Deed {
    const TABLE: &'static str = "toy.deed";
}

/// `Toy::Box::Thing` and `Toy::Box::Other`. Properties: `Value`, `Kind` (cannot be changed in place), `Refs` (physical ids it
/// needs), `Steps` (how often it says it is in progress), `Known` (whether it says its id at the first of them), `Fail`
/// (`create`, `update`, `delete`, `replace`), `Panic` (the same).
struct Toy(&'static ResourceShape);

static SHAPES: [ResourceShape; 3] = [
    ResourceShape::unknown("Toy::Box::Thing"),
    ResourceShape::unknown("Toy::Box::Other"),
    ResourceShape::unknown("AWS::IAM::Role"),
];
static TOYS: [Toy; 3] = [Toy(&SHAPES[0]), Toy(&SHAPES[1]), Toy(&SHAPES[2])];

impl ResourceType for Toy {
    fn shape(&self) -> &'static ResourceShape {
        self.0
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        if action == Action::Update && request.changed("Kind") {
            return Ok(Progress::Replace);
        }
        let is_first = request.callback.is_none();
        let state = begin(cx, action, request, is_first)?;
        let left = match request.callback {
            None => request.properties["Steps"].as_u64().unwrap_or(0),
            Some(callback) => callback["left"].as_u64().unwrap() - 1,
        };
        if left > 0 {
            return Ok(Progress::InProgress { callback: json!({ "left": left }), delay_ms: 1000, state });
        }
        end(cx, action, request, state)
    }

    fn lacks(&self, properties: &Json) -> Vec<Lack> {
        let items = properties.get("Cannot").and_then(Json::as_array).into_iter().flatten().enumerate();
        let lack = |(at, item): (usize, &Json)| Lack { path: format!("Cannot[{at}]"), text: format!("no {item} here") };
        items.map(lack).collect()
    }

    fn not_simulated(&self, properties: &Json) -> Option<String> {
        properties.get("Idle").map(|_| "`Idle` is recorded".to_owned())
    }
}

fn begin(
    cx: &mut Cx<'_>,
    action: Action,
    request: &ResourceRequest<'_>,
    is_first: bool,
) -> Result<Option<ResourceState>, Fault> {
    if action != Action::Create {
        return Ok(request.current.cloned());
    }
    for needed in request.properties["Refs"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        if cx.get::<Thing>(needed).is_none() {
            return Err(Fault::sender("ThingNotFoundException", format!("{needed} is not there")));
        }
    }
    let says_id = request.properties["Known"] == json!(true);
    if !is_first || !says_id {
        return Ok(request.current.cloned());
    }
    Ok(Some(make(cx, request)))
}

fn make(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> ResourceState {
    let made = cx.scan::<Deed>("").filter(|(_, deed)| deed.0.starts_with("make")).count();
    let id = format!("{}-{}", request.logical_id, made + 1);
    note(cx, &format!("make {id}"));
    cx.put(&id, Thing { properties: request.properties.clone() });
    seen(&id, request)
}

fn seen(id: &str, request: &ResourceRequest<'_>) -> ResourceState {
    ResourceState::new(id).with("Arn", format!("arn:toy:{id}")).with("Value", request.properties["Value"].clone())
}

fn end(
    cx: &mut Cx<'_>,
    action: Action,
    request: &ResourceRequest<'_>,
    state: Option<ResourceState>,
) -> Result<Progress, Fault> {
    let verb = match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    };
    cx.attempt(|cx| {
        note(cx, "what a panic leaves half done is put back");
        assert_ne!(request.properties["Panic"], verb, "as it was told");
        Err::<(), _>(Fault::internal("nor is this kept"))
    })
    .unwrap_err();
    let is_stuck = action == Action::Delete && STUCK.with_borrow(|stuck| stuck.contains(request.logical_id));
    if request.properties["Fail"] == verb || is_stuck {
        return Err(Fault::sender("ToyException", format!("cannot {verb} {}", request.logical_id)));
    }
    match action {
        Action::Create => {
            let state = state.unwrap_or_else(|| make(cx, request));
            Ok(Progress::Done(state))
        }
        Action::Update => {
            let id = request.physical_id().to_owned();
            note(cx, &format!("change {id}"));
            cx.put(&id, Thing { properties: request.properties.clone() });
            Ok(Progress::Done(seen(&id, request)))
        }
        Action::Delete => {
            let id = request.physical_id().to_owned();
            let refers =
                |thing: &Thing| thing.properties["Refs"].as_array().is_some_and(|refs| refs.contains(&json!(id)));
            if let Some((user, _)) = cx.scan::<Thing>("").find(|(user, thing)| *user != id && refers(thing)) {
                return Err(Fault::sender("ToyException", format!("{id} is in use by {user}")));
            }
            note(cx, &format!("delete {id}"));
            cx.delete::<Thing>(&id);
            Ok(Progress::Done(ResourceState::default()))
        }
    }
}

fn note(cx: &mut Cx<'_>, deed: &str) {
    let number = cx.scan::<Deed>("").count();
    cx.put(&format!("{number:06}"), Deed(deed.to_owned()));
}

static SHAPE: ServiceShape = ServiceShape {
    name: "toy",
    signing_name: "toy",
    protocol: Protocol::AwsJson11,
    target_prefix: "Toy",
    api_version: "2026-01-01",
    xml_namespace: "",
    operations: &[],
    unimplemented: &[],
};

pub(crate) fn toys() -> Service {
    Service {
        shape: &SHAPE,
        operations: vec![],
        resources: vec![&TOYS[0], &TOYS[1], &TOYS[2]],
        jobs: vec![],
        reports: vec![],
        records: |store| {
            store.register::<Thing>();
            store.register::<Deed>();
        },
    }
}

/// Everything that was done, in order.
pub(crate) fn deeds(harness: &Harness) -> Vec<String> {
    harness.core().store().scan::<Deed>(&harness.scope, "").map(|(_, deed)| deed.0.clone()).collect()
}

/// Everything there is: physical id and properties.
pub(crate) fn world(harness: &Harness) -> Vec<String> {
    let things = harness.core().store().scan::<Thing>(&harness.scope, "");
    things.map(|(id, thing)| format!("{id} {}", thing.properties)).collect()
}

/// The ids of everything there is.
pub(crate) fn ids(harness: &Harness) -> Vec<String> {
    harness.core().store().scan::<Thing>(&harness.scope, "").map(|(id, _)| id.to_owned()).collect()
}
