//! `Custom::AWS`: calls of the AWS SDK that a stack makes when a resource is made, changed and deleted (`AwsCustomResource`).
//!
//! Invariant: a call goes to the operation of that name, with its validation and its permissions; one of a service or operation that is
//! not here is refused before anything is made, as far as its name is known then.

use neargate_kernel::{Action, Cx, Fault, Lack, Progress, Registry, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, finds_pattern, from_properties, to_json};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{Known, Provider, in_region};

/// In parameters: the resource's physical id.
const PHYSICAL_ID: &str = "PHYSICAL:RESOURCEID:";
/// The properties with a call each.
const CALLS: [&str; 3] = ["Create", "Update", "Delete"];
/// A property that all of the CDK's have, and that nothing else has.
const MARK: &str = "InstallLatestAwsSdk";

/// `Custom::AWS`.
pub(crate) struct SdkCall;

static SHAPE: ResourceShape = ResourceShape::unknown("Custom::AWS");

impl ResourceType for SdkCall {
    fn shape(&self) -> &'static ResourceShape {
        &SHAPE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        step(cx, action, request)
    }

    fn lacks_among(&self, registry: &Registry, properties: &Json) -> Vec<Lack> {
        lacks(registry, properties)
    }
}

/// Whether a custom resource is one of the CDK's calls, whatever it is called.
pub(super) fn is_one(properties: &Json) -> bool {
    properties.get(MARK).is_some()
}

/// A call as the CDK writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Call {
    service: String,
    action: String,
    parameters: Json,
    physical_resource_id: PhysicalId,
    region: Option<String>,
    ignore_error_codes_matching: Option<String>,
    output_path: Option<String>,
    output_paths: Option<Vec<String>>,
    api_version: Option<String>,
    assumed_role_arn: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PhysicalId {
    id: Option<String>,
    response_path: Option<String>,
}

impl Call {
    /// The call of an action; `None` where nothing is done then.
    fn of(properties: &Json, name: &str) -> Result<Option<Self>, Fault> {
        let text = properties.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let Some(text) = text else { return Ok(None) };
        let read = serde_json::from_str(text);
        read.map(Some).map_err(|error| Fault::validation(format!("property `{name}` is no call: {error}")))
    }

    /// The service and the operation, by the names that are theirs here.
    fn target(&self) -> (String, String) {
        let service = self.service.to_lowercase();
        let service = service.strip_prefix("@aws-sdk/client-").unwrap_or(&service).replace('-', "");
        let service = match service.as_str() {
            "cloudwatchlogs" => "logs".to_owned(),
            "cloudwatchevents" | "eventbridge" => "events".to_owned(),
            _ => service,
        };
        let mut letters = self.action.chars();
        let operation = match letters.next() {
            Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
            _ => self.action.strip_suffix("Command").unwrap_or(&self.action).to_owned(),
        };
        (service, operation)
    }

    fn is_ignored(&self, fault: &Fault) -> bool {
        let pattern = self.ignore_error_codes_matching.as_deref();
        pattern.is_some_and(|pattern| finds_pattern(pattern, fault.code) == Some(true))
    }
}

/// What is not here of the calls, as far as they are known.
pub(super) fn lacks(registry: &Registry, properties: &Json) -> Vec<Lack> {
    let lack = |name: &str| {
        // A text of which parts are not known yet still begins with service and action.
        let text = properties.get(name)?.as_str()?;
        let call = Call::of(properties, name).ok().flatten().unwrap_or_else(|| Call {
            service: member(text, "service"),
            action: member(text, "action"),
            ..Call::default()
        });
        if call.assumed_role_arn.is_some() {
            return Some(Lack { path: name.to_owned(), text: "calls with another role are not made".to_owned() });
        }
        let (service, operation) = call.target();
        let is_known = !service.is_empty() && !operation.is_empty();
        (is_known && registry.operation(&service, &operation).is_err()).then(|| Lack {
            path: name.to_owned(),
            text: format!("calls `{}` of `{}`, which is not here", call.action, call.service),
        })
    };
    CALLS.into_iter().filter_map(lack).collect()
}

/// The text of a member of JSON that may be cut or have holes.
fn member(text: &str, name: &str) -> String {
    let value = text.split_once(&format!("\"{name}\":\"")).map(|(_, rest)| rest);
    value.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

pub(super) fn step(cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    if action == Action::Delete && request.physical_id().is_empty() {
        return Ok(Progress::Done(ResourceState::default()));
    }
    let provider = Provider::of(cx, request, Known::SDK_CALL)?;
    let name = match action {
        Action::Create => "Create",
        Action::Update => "Update",
        Action::Delete => "Delete",
    };
    let mut id = physical_id(request, action, name)?;
    let mut state = ResourceState::default();
    if let Some(call) = Call::of(request.properties, name)? {
        let answer = match provider.act(cx, |cx| invoke(cx, &call, &id)) {
            Ok(answer) => answer,
            Err(fault) if call.is_ignored(&fault) => Map::new(),
            Err(fault) => return Err(fault),
        };
        if let Some(path) = &call.physical_resource_id.response_path {
            let found = answer.get(path).and_then(Json::as_str);
            let missing = || Fault::validation(format!("the answer has no `{path}`, which is to be the physical id"));
            found.ok_or_else(missing)?.clone_into(&mut id);
        }
        let paths = call.output_path.as_ref().map(std::slice::from_ref).or(call.output_paths.as_deref());
        let is_shown = |key: &str| paths.is_none_or(|paths| paths.iter().any(|path| key.starts_with(path.as_str())));
        state.attributes.extend(answer.into_iter().filter(|(key, _)| is_shown(key)));
    }
    state.physical_id = id;
    Ok(Progress::Done(state))
}

/// The id before the answer is known.
fn physical_id(request: &ResourceRequest<'_>, action: Action, name: &str) -> Result<String, Fault> {
    let own =
        |name: &str| Call::of(request.properties, name).map(|call| call.and_then(|call| call.physical_resource_id.id));
    if action != Action::Create {
        return Ok(own(name)?.unwrap_or_else(|| request.physical_id().to_owned()));
    }
    for name in CALLS {
        if let Some(id) = own(name)? {
            return Ok(id);
        }
    }
    Ok(request.logical_id.to_owned())
}

/// Makes a call; answers what it answered, flattened: `a.0.b`.
fn invoke(cx: &mut Cx<'_>, call: &Call, id: &str) -> Result<Map<String, Json>, Fault> {
    if call.assumed_role_arn.is_some() {
        return Err(Fault::sender("NotImplemented", "calls with another role are not made").with_status(501));
    }
    let (service, operation) = call.target();
    let shape = (cx.registry.operation(&service, &operation)?.shape.input)();
    let parameters = if call.parameters.is_null() { Json::Object(Map::new()) } else { with_id(&call.parameters, id) };
    let input = from_properties(shape, &parameters).map_err(|error| Fault::validation(error.to_string()))?;
    let region = call.region.clone().unwrap_or_else(|| cx.scope.region.to_string());
    let answer = in_region(cx, Some(&region), |cx| cx.call(&service, &operation, input))?;
    let mut flat = Map::new();
    flatten(&to_json(&answer), String::new(), &mut flat);
    flat.insert("region".to_owned(), region.into());
    flat.extend(call.api_version.clone().map(|version| ("apiVersion".to_owned(), version.into())));
    Ok(flat)
}

fn with_id(parameters: &Json, id: &str) -> Json {
    match parameters {
        Json::String(text) if text == PHYSICAL_ID => id.into(),
        Json::Array(items) => items.iter().map(|item| with_id(item, id)).collect(),
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), with_id(value, id))).collect(),
        other => other.clone(),
    }
}

fn flatten(value: &Json, path: String, flat: &mut Map<String, Json>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(item, below(&at.to_string()), flat));
        }
        Json::Object(members) => members.iter().for_each(|(name, member)| flatten(member, below(name), flat)),
        Json::Null => {}
        leaf => drop(flat.insert(path, leaf.clone())),
    }
}
