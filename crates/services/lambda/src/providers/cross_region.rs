//! `Custom::CrossRegionExportWriter` and `Custom::CrossRegionExportReader`: how CDK apps refer to stacks of other regions.
//!
//! The writer, in the stack that is referred to, puts parameters into the region of the other; the reader, there, marks them as used and
//! answers their values.
//!
//! Invariant: the writer deletes only parameters that it has made.

use std::collections::BTreeSet;

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value as Json, json};

use super::{Known, Provider, in_region, texts};

/// What the writer made: of what it found it may only change the value.
const MADE: &str = "Made";

/// `Custom::CrossRegionExportWriter`.
pub(crate) struct ExportWriter;

static CROSS_REGION_EXPORT_WRITER: ResourceShape = ResourceShape::unknown("Custom::CrossRegionExportWriter");
static CROSS_REGION_EXPORT_READER: ResourceShape = ResourceShape::unknown("Custom::CrossRegionExportReader");

impl ResourceType for ExportWriter {
    fn shape(&self) -> &'static ResourceShape {
        &CROSS_REGION_EXPORT_WRITER
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        if action == Action::Delete && request.physical_id().is_empty() {
            return Ok(Progress::Done(ResourceState::default()));
        }
        let provider = Provider::of(cx, request, Known::EXPORT_WRITER)?;
        let id = physical_id(cx, request);
        let made = provider.act(cx, |cx| {
            let mut made = made(request);
            let wanted = exports(Some(request.properties));
            let before = if action == Action::Update { exports(request.previous) } else { vec![] };
            let is_in = |name: &str, all: &[(String, String)]| all.iter().any(|(other, _)| other == name);
            let region = region(request.properties, "WriterProps");
            let gone = match action {
                Action::Delete => &wanted,
                _ => &before,
            };
            for (name, _) in gone.iter().filter(|(name, _)| action == Action::Delete || !is_in(name, &wanted)) {
                if made.remove(name) {
                    delete(cx, region, name)?;
                }
            }
            // As the CDK's function does, parameters that were there before keep their values: their names have a hash of them.
            for (name, value) in wanted.iter().filter(|(name, _)| action != Action::Delete && !is_in(name, &before)) {
                if put(cx, region, name, value)? {
                    made.insert(name.clone());
                }
            }
            Ok(made)
        })?;
        Ok(Progress::Done(ResourceState::new(id).with(MADE, made.into_iter().collect::<Vec<_>>())))
    }
}

/// `Custom::CrossRegionExportReader`.
pub(crate) struct ExportReader;

impl ResourceType for ExportReader {
    fn shape(&self) -> &'static ResourceShape {
        &CROSS_REGION_EXPORT_READER
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        if action == Action::Delete && request.physical_id().is_empty() {
            return Ok(Progress::Done(ResourceState::default()));
        }
        let provider = Provider::of(cx, request, Known::EXPORT_READER)?;
        let id = physical_id(cx, request);
        let wanted = imports(Some(request.properties));
        provider.act(cx, |cx| {
            let before = if action == Action::Update { imports(request.previous) } else { vec![] };
            let is_in = |name: &str, all: &[(String, String)]| all.iter().any(|(other, _)| other == name);
            let region = region(request.properties, "ReaderProps");
            let prefix =
                of_props(request.properties, "ReaderProps", "prefix").and_then(Json::as_str).unwrap_or_default();
            let tag = format!("aws-cdk:strong-ref:{prefix}");
            let released = if action == Action::Delete { &wanted } else { &before };
            for (name, _) in released.iter().filter(|(name, _)| action == Action::Delete || !is_in(name, &wanted)) {
                let input = json!({"ResourceType": "Parameter", "ResourceId": name, "TagKeys": [tag]});
                match call(cx, region, "RemoveTagsFromResource", input) {
                    Err(fault) if fault.code != "InvalidResourceId" => return Err(fault),
                    _ => {}
                }
            }
            for (name, _) in wanted.iter().filter(|(name, _)| action != Action::Delete && !is_in(name, &before)) {
                let tags = json!([{"Key": tag, "Value": "true"}]);
                call(
                    cx,
                    region,
                    "AddTagsToResource",
                    json!({"ResourceType": "Parameter", "ResourceId": name, "Tags": tags}),
                )?;
            }
            Ok(())
        })?;
        let state = wanted.into_iter().fold(ResourceState::new(id), |state, (name, value)| state.with(&name, value));
        Ok(Progress::Done(state))
    }
}

/// The CDK's entry point answers with the id of the first request.
fn physical_id(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> String {
    match request.physical_id() {
        "" => cx.rng.uuid(),
        id => id.to_owned(),
    }
}

fn of_props<'p>(properties: &'p Json, props: &str, name: &str) -> Option<&'p Json> {
    properties.get(props)?.get(name)
}

fn exports(properties: Option<&Json>) -> Vec<(String, String)> {
    texts(properties.and_then(|it| of_props(it, "WriterProps", "exports")))
}

fn imports(properties: Option<&Json>) -> Vec<(String, String)> {
    texts(properties.and_then(|it| of_props(it, "ReaderProps", "imports")))
}

fn region<'p>(properties: &'p Json, props: &str) -> Option<&'p str> {
    of_props(properties, props, "region").and_then(Json::as_str)
}

fn made(request: &ResourceRequest<'_>) -> BTreeSet<String> {
    let made = request.current.and_then(|state| state.attributes.get(MADE)).and_then(Json::as_array);
    made.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Puts a parameter; answers whether it is new. One that has the value already is left as it is.
fn put(cx: &mut Cx<'_>, region: Option<&str>, name: &str, value: &str) -> Result<bool, Fault> {
    let input = |overwrite: bool| json!({"Name": name, "Value": value, "Type": "String", "Overwrite": overwrite});
    match call(cx, region, "PutParameter", input(false)) {
        Ok(()) => Ok(true),
        Err(fault) if fault.code == "ParameterAlreadyExists" => {
            let there = in_region(cx, region, |cx| cx.call_json("ssm", "GetParameters", json!({"Names": [name]})));
            let there = there.map(|found| neargate_shape::to_json(&found)).unwrap_or_default();
            if there.pointer("/Parameters/0/Value").and_then(Json::as_str) != Some(value) {
                call(cx, region, "PutParameter", input(true))?;
            }
            Ok(false)
        }
        Err(fault) => Err(fault),
    }
}

/// Deletes a parameter; one that is gone already is no error.
fn delete(cx: &mut Cx<'_>, region: Option<&str>, name: &str) -> Result<(), Fault> {
    call(cx, region, "DeleteParameters", json!({"Names": [name]}))
}

fn call(cx: &mut Cx<'_>, region: Option<&str>, operation: &str, input: Json) -> Result<(), Fault> {
    in_region(cx, region, |cx| cx.call_json("ssm", operation, input)).map(drop)
}
