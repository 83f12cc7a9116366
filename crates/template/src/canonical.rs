//! Templates without what makes no difference, and what differs between two of them.
//!
//! Left out: descriptions, all `Metadata`, `AWS::CDK::Metadata` and its condition. Made equal: the two spellings of
//! `Fn::GetAtt`, one or a list of `DependsOn`, absent and empty sections and properties, and asset hashes, which become
//! `<asset>`. Lists that AWS reads as sets are sorted.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::template::Template;

const SECTIONS: &[&str] = &["Parameters", "Mappings", "Conditions", "Rules", "Transform", "Resources", "Outputs"];
const CDK_METADATA: &str = "AWS::CDK::Metadata";
const CDK_METADATA_CONDITION: &str = "CDKMetadataAvailable";
/// How many hexadecimal digits an asset's hash has.
const ASSET_HASH_LENGTH: usize = 64;

/// The members whose lists AWS reads as sets.
const SETS: &[&str] = &[
    "AWS",
    "Action",
    "CapacityProviders",
    "CapacityProviderStrategy",
    "DefaultCapacityProviderStrategy",
    "DependsOn",
    "Environment",
    "Federated",
    "Groups",
    "LoadBalancerAttributes",
    "ManagedPolicyArns",
    "MountPoints",
    "NotAction",
    "NotResource",
    "RequiresCompatibilities",
    "Resource",
    "Roles",
    "Secrets",
    "SecurityGroupEgress",
    "SecurityGroupIds",
    "SecurityGroupIngress",
    "SecurityGroups",
    "Service",
    "Statement",
    "SubnetIds",
    "Subnets",
    "Tags",
    "TargetGroupAttributes",
    "Targets",
    "Ulimits",
    "Users",
    "Volumes",
    "VpcSecurityGroupIds",
];

/// The template as JSON of which every part makes a difference.
pub fn canonical(template: &Template) -> Json {
    let mut sections = Map::new();
    for name in SECTIONS {
        let Some(section) = template.document.get(*name) else { continue };
        let mut section = normal(section, name);
        if let Json::Object(members) = &mut section {
            match *name {
                "Resources" => {
                    members.retain(|_, resource| resource.get("Type").and_then(Json::as_str) != Some(CDK_METADATA));
                    members.values_mut().for_each(resource);
                }
                "Conditions" => {
                    members.remove(CDK_METADATA_CONDITION);
                }
                "Parameters" | "Outputs" => members.values_mut().for_each(|entry| {
                    if let Json::Object(entry) = entry {
                        entry.remove("Description");
                    }
                }),
                _ => {}
            }
            if members.is_empty() {
                continue;
            }
        }
        sections.insert((*name).to_owned(), section);
    }
    Json::Object(sections)
}

fn resource(json: &mut Json) {
    let Json::Object(members) = json else { return };
    members.remove("Metadata");
    if let Some(one @ Json::String(_)) = members.get_mut("DependsOn") {
        *one = Json::Array(vec![one.take()]);
    }
    members.retain(|key, member| match key.as_str() {
        "Properties" => member.as_object().is_none_or(|members| !members.is_empty()),
        "DependsOn" => member.as_array().is_none_or(|items| !items.is_empty()),
        _ => true,
    });
}

fn normal(json: &Json, key: &str) -> Json {
    match json {
        Json::String(text) if key == "Fn::GetAtt" => match text.split_once('.') {
            Some((resource, attribute)) => Json::Array(vec![resource.into(), attribute.into()]),
            None => json.clone(),
        },
        Json::String(text) => Json::String(without_hashes(text)),
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(|item| normal(item, "")).collect();
            if is_set(key) {
                items.sort_by_cached_key(sorted_text);
            }
            Json::Array(items)
        }
        Json::Object(members) => {
            Json::Object(members.iter().map(|(key, member)| (key.clone(), normal(member, key))).collect())
        }
        scalar => scalar.clone(),
    }
}

/// The JSON text with the members of objects sorted.
fn sorted_text(json: &Json) -> String {
    let mut json = json.clone();
    json.sort_all_objects();
    json.to_string()
}

fn is_set(key: &str) -> bool {
    SETS.contains(&key)
}

/// The text with every run of exactly 64 lower-case hexadecimal digits replaced.
fn without_hashes(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if text.len() < ASSET_HASH_LENGTH {
        return text.to_owned();
    }
    let mut result = String::new();
    let mut run = String::new();
    let end = |run: &mut String, result: &mut String| {
        result.push_str(if run.len() == ASSET_HASH_LENGTH { "<asset>" } else { run });
        run.clear();
    };
    for c in text.chars() {
        if is_hex(c) {
            run.push(c);
        } else {
            end(&mut run, &mut result);
            result.push(c);
        }
    }
    end(&mut run, &mut result);
    result
}

/// One place where two templates differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Such as `Resources.Task.Properties.Cpu`.
    pub path: String,
    /// What the first has there.
    pub left: Option<Json>,
    /// What the second has there.
    pub right: Option<Json>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, left, right } = self;
        match (left, right) {
            (Some(left), Some(right)) => write!(f, "{path}: {left} ≠ {right}"),
            (Some(left), None) => write!(f, "{path}: only in the first: {left}"),
            (None, Some(right)) => write!(f, "{path}: only in the second: {right}"),
            (None, None) => write!(f, "{path}: nothing"),
        }
    }
}

/// Where two templates differ in what makes a difference; empty where they are equal.
pub fn semantic_diff(first: &Template, second: &Template) -> Vec<Difference> {
    let mut found = vec![];
    compare("", "", Some(&canonical(first)), Some(&canonical(second)), &mut found);
    found
}

fn compare(path: &str, key: &str, left: Option<&Json>, right: Option<&Json>, found: &mut Vec<Difference>) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (left, right) {
        (Some(left), Some(right)) if left == right => {}
        (Some(Json::Object(left)), Some(Json::Object(right))) => {
            let added = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(added) {
                compare(&inner(key), key, left.get(key), right.get(key), found);
            }
        }
        (Some(Json::Array(left)), Some(Json::Array(right))) if is_set(key) => {
            // Elements in both are equal wherever they stand; the rest is compared in sorted order.
            let mut left: Vec<&Json> = left.iter().collect();
            let mut right: Vec<&Json> = right.iter().collect();
            left.retain(|item| match right.iter().position(|other| other == item) {
                Some(at) => {
                    right.remove(at);
                    false
                }
                None => true,
            });
            compare_lists(path, &left, &right, found);
        }
        (Some(Json::Array(left)), Some(Json::Array(right))) => {
            compare_lists(path, &left.iter().collect::<Vec<_>>(), &right.iter().collect::<Vec<_>>(), found);
        }
        (left, right) => {
            found.push(Difference { path: path.to_owned(), left: left.cloned(), right: right.cloned() });
        }
    }
}

fn compare_lists(path: &str, left: &[&Json], right: &[&Json], found: &mut Vec<Difference>) {
    for at in 0..left.len().max(right.len()) {
        compare(&format!("{path}[{at}]"), "", left.get(at).copied(), right.get(at).copied(), found);
    }
}
