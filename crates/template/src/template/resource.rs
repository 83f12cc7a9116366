//! Resources and outputs, and their reading.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::codes;
use crate::expr::{Expr, Place, Reader};
use crate::finding::Finding;
use crate::members::{expect_text, foreign_member};

/// An entry of `Resources`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `Type`, such as `AWS::ECS::TaskDefinition`.
    pub resource_type: String,
    /// `Properties`; an empty object where there are none.
    pub properties: Expr,
    /// `DependsOn`, as a list.
    pub depends_on: Vec<String>,
    /// `Condition`: the resource is only made where it holds.
    pub condition: Option<String>,
    /// `DeletionPolicy`: `Delete`, `Retain`, `RetainExceptOnCreate` or `Snapshot`.
    pub deletion_policy: Option<String>,
    /// `UpdateReplacePolicy`: `Delete`, `Retain` or `Snapshot`.
    pub update_replace_policy: Option<String>,
    /// `CreationPolicy`.
    pub creation_policy: Option<Expr>,
    /// `UpdatePolicy`.
    pub update_policy: Option<Expr>,
    /// `Metadata`, null where there is none. Functions in it are not read.
    pub metadata: Json,
}

impl Resource {
    /// The path of the construct that made it, where a CDK did.
    pub fn construct_path(&self) -> Option<&str> {
        self.metadata.get("aws:cdk:path").and_then(Json::as_str)
    }
}

/// An entry of `Outputs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `Value`.
    pub value: Expr,
    /// `Description`.
    pub description: Option<String>,
    /// `Export.Name`.
    pub export: Option<Expr>,
    /// `Condition`: the output only exists where it holds.
    pub condition: Option<String>,
}

const RESOURCE_MEMBERS: &[&str] = &[
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
    "Metadata",
    "Version",
    "Description",
];
const OUTPUT_MEMBERS: &[&str] = &["Value", "Description", "Export", "Condition"];
const DELETION_POLICIES: &[&str] = &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"];
const REPLACE_POLICIES: &[&str] = &["Delete", "Retain", "Snapshot"];

pub(super) fn resource(reader: &mut Reader, id: &str, members: &Map<String, Json>) -> Resource {
    if !id.chars().all(|c| c.is_ascii_alphanumeric()) || id.is_empty() {
        let aws = format!("Template format error: Resource name {id} is non alphanumeric.");
        reader.report(Finding::error(
            codes::SHAPE,
            format!("the logical id `{id}` has more than letters and digits"),
            aws,
        ));
    }
    for key in members.keys().filter(|key| !RESOURCE_MEMBERS.contains(&key.as_str())) {
        let aws = format!("Invalid template resource property '{key}'");
        foreign_member(reader, key, "resource", RESOURCE_MEMBERS, aws);
    }
    let resource_type = match members.get("Type") {
        Some(Json::String(text)) if !text.is_empty() => text.clone(),
        _ => {
            let aws =
                format!("Template format error: [/Resources/{id}] Every Resources object must contain a Type member.");
            reader.report(Finding::error(codes::SHAPE, format!("the resource `{id}` has no `Type`"), aws));
            String::new()
        }
    };
    let properties = match members.get("Properties") {
        None => Expr::Object(IndexMap::new()),
        Some(json @ Json::Object(_)) => reader.key("Properties", |reader| reader.expr(json, Place::Value)),
        Some(_) => {
            let aws = "Template format error: Properties must be an object.";
            reader.key("Properties", |reader| {
                reader.report(Finding::error(codes::SHAPE, "`Properties` must be an object", aws));
            });
            Expr::Object(IndexMap::new())
        }
    };
    let mut policy = |key: &str, known: &[&str]| members.get(key).and_then(|json| policy(reader, key, json, known));
    let deletion_policy = policy("DeletionPolicy", DELETION_POLICIES);
    let update_replace_policy = policy("UpdateReplacePolicy", REPLACE_POLICIES);
    let mut attribute =
        |key: &str| members.get(key).map(|json| reader.key(key, |reader| reader.expr(json, Place::Value)));
    Resource {
        resource_type,
        properties,
        creation_policy: attribute("CreationPolicy"),
        update_policy: attribute("UpdatePolicy"),
        depends_on: members.get("DependsOn").map(|json| depends_on(reader, json)).unwrap_or_default(),
        condition: expect_text(reader, members, "Condition"),
        deletion_policy,
        update_replace_policy,
        metadata: members.get("Metadata").cloned().unwrap_or(Json::Null),
    }
}

fn depends_on(reader: &mut Reader, json: &Json) -> Vec<String> {
    let names = match json {
        Json::String(name) => Some(vec![name.clone()]),
        Json::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    names.unwrap_or_else(|| {
        let aws = "Template format error: DependsOn must be a string or list of strings.";
        let finding = Finding::error(codes::SHAPE, "`DependsOn` must be a logical id or a list of them", aws);
        reader.key("DependsOn", |reader| reader.report(finding));
        vec![]
    })
}

fn policy(reader: &mut Reader, key: &str, json: &Json, known: &[&str]) -> Option<String> {
    match json.as_str() {
        Some(text) if known.contains(&text) => Some(text.to_owned()),
        _ => {
            let got = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
            let message = format!("`{key}` is `{got}`, expected {}", crate::expr::listed(known.iter()));
            let aws = format!("Template error: Unrecognized {key} {got}");
            let finding = Finding::error(codes::SHAPE, message, aws).nearest(&got, known.iter().copied());
            reader.key(key, |reader| reader.report(finding));
            None
        }
    }
}

pub(super) fn output(reader: &mut Reader, name: &str, members: &Map<String, Json>) -> Output {
    for key in members.keys().filter(|key| !OUTPUT_MEMBERS.contains(&key.as_str())) {
        let aws = format!("Template format error: Encountered unsupported property {key}");
        foreign_member(reader, key, "output", OUTPUT_MEMBERS, aws);
    }
    let value = match members.get("Value") {
        Some(json) => reader.key("Value", |reader| reader.expr(json, Place::Value)),
        None => {
            let aws = "Template format error: Every Outputs member must contain a Value object";
            reader.report(Finding::error(codes::SHAPE, format!("the output `{name}` has no `Value`"), aws));
            Expr::Literal(Json::Null)
        }
    };
    let export = members.get("Export").and_then(|json| {
        reader.key("Export", |reader| match json.get("Name") {
            Some(json) => Some(reader.key("Name", |reader| reader.expr(json, Place::Value))),
            None => {
                let aws = "Template format error: Output Export must contain a Name";
                reader.report(Finding::error(codes::SHAPE, "`Export` must be an object with `Name`", aws));
                None
            }
        })
    });
    Output {
        value,
        export,
        description: expect_text(reader, members, "Description"),
        condition: expect_text(reader, members, "Condition"),
    }
}
