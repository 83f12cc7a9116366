//! The manifest of a cloud assembly (`cdk.out/manifest.json`): which stacks there are and in which order they go.
//!
//! Invariant: reads the manifest's text only; the caller opens the files it names, relative to the manifest.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::Diagnostic;
use serde_json::Value as Json;

use crate::codes;
use crate::order::{circle, order};

/// A cloud assembly's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Assembly {
    /// The format's version, such as `55.0.0`.
    pub version: String,
    /// The stacks, each after those it depends on, otherwise in the manifest's order.
    pub stacks: Vec<AssemblyStack>,
    /// Directories of nested assemblies (stages), each with a manifest of its own.
    pub nested: Vec<String>,
    /// Context that the app looked up and did not find.
    pub missing: Vec<MissingContext>,
}

/// An entry of `missing`: a value that the app looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingContext {
    /// Who looks it up, such as `availability-zones`.
    pub provider: String,
    /// The key under which the app finds the value in its context.
    pub key: String,
    /// What is asked for.
    pub props: Json,
}

/// The newest major version of the format that is read: that of the CDK command line whose rules these are.
const MAJOR_MAX: u64 = 55;

/// A stack of an assembly.
#[derive(Clone, Debug, PartialEq)]
pub struct AssemblyStack {
    /// The artifact's id in the manifest.
    pub id: String,
    /// The stack's name.
    pub name: String,
    /// What the construct tree calls it, such as `Stage/Stack`.
    pub display_name: String,
    /// The template's file.
    pub template_file: String,
    /// The account; `None` where the app leaves it open.
    pub account: Option<String>,
    /// The region; `None` where the app leaves it open.
    pub region: Option<String>,
    /// The ids of the stacks it depends on.
    pub dependencies: Vec<String>,
    /// The file of its assets' manifest.
    pub assets_file: Option<String>,
    /// Parameters given by the app.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the stack.
    pub tags: BTreeMap<String, String>,
}

/// An artifact, before stacks and asset manifests find each other.
struct Artifact<'a> {
    id: &'a str,
    kind: &'a str,
    properties: &'a Json,
    dependencies: Vec<&'a str>,
    json: &'a Json,
}

impl Assembly {
    /// Reads the text of `manifest.json`; `file` is for messages.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostic> {
        let manifest: Json = serde_json::from_str(text).map_err(|error| {
            let place = format!("{file}:{}:{}", error.line(), error.column());
            let hint = "make it again with `cdk synth` or `neargate synth`";
            Diagnostic::error(codes::ASSEMBLY, format!("the manifest is not readable as JSON: {error}"))
                .at(place)
                .hint(hint)
        })?;
        let (Some(version), Some(artifacts)) =
            (manifest.get("version").and_then(Json::as_str), manifest.get("artifacts").and_then(Json::as_object))
        else {
            let message = "not the manifest of a cloud assembly: expected `version` and `artifacts`";
            return Err(Diagnostic::error(codes::ASSEMBLY, message).at(file));
        };
        if let Some(major) =
            version.split('.').next().and_then(|it| it.parse::<u64>().ok()).filter(|it| *it > MAJOR_MAX)
        {
            let message = format!(
                "the cloud assembly has schema version {version}, and versions up to {MAJOR_MAX}.x.x are read: the CDK library of the \
                 app is newer than this program (major version {major})"
            );
            let hint = "use an older `aws-cdk-lib`, or a newer Neargate";
            return Err(Diagnostic::error(codes::ASSEMBLY, message).at(file).hint(hint));
        }
        let artifacts: Vec<Artifact<'_>> = artifacts.iter().map(|(id, json)| Artifact::of(id, json)).collect();
        let assets: BTreeMap<&str, &str> = artifacts
            .iter()
            .filter(|artifact| artifact.kind == "cdk:asset-manifest")
            .filter_map(|artifact| Some((artifact.id, text_at(artifact.properties, "file")?)))
            .collect();
        let stacks: Vec<&Artifact<'_>> =
            artifacts.iter().filter(|artifact| artifact.kind == "aws:cloudformation:stack").collect();
        let ids: BTreeMap<&str, usize> = stacks.iter().enumerate().map(|(at, stack)| (stack.id, at)).collect();
        let edges: Vec<Vec<usize>> = stacks
            .iter()
            .map(|stack| stack.dependencies.iter().filter_map(|id| ids.get(id).copied()).collect())
            .collect();
        if let Some(circle) = circle(&edges) {
            let names = circle.iter().chain(circle.first()).filter_map(|at| stacks.get(*at));
            let names: Vec<String> = names.map(|stack| format!("`{}`", stack.id)).collect();
            let message = format!("these stacks depend on each other: {}", names.join(" → "));
            return Err(Diagnostic::error(codes::ASSEMBLY, message).at(file));
        }
        let ordered = order(&edges).into_iter().filter_map(|at| stacks.get(at));
        let nested = artifacts.iter().filter(|artifact| artifact.kind == "cdk:cloud-assembly");
        Ok(Self {
            version: version.to_owned(),
            stacks: ordered.map(|stack| stack.stack(&assets, &ids, file)).collect::<Result<_, _>>()?,
            nested: nested
                .filter_map(|artifact| text_at(artifact.properties, "directoryName").map(str::to_owned))
                .collect(),
            missing: missing(&manifest),
        })
    }
}

impl<'a> Artifact<'a> {
    fn of(id: &'a str, json: &'a Json) -> Self {
        let dependencies = json.get("dependencies").and_then(Json::as_array).into_iter().flatten();
        Self {
            id,
            kind: text_at(json, "type").unwrap_or_default(),
            properties: json.get("properties").unwrap_or(&Json::Null),
            dependencies: dependencies.filter_map(Json::as_str).collect(),
            json,
        }
    }

    fn stack(
        &self,
        assets: &BTreeMap<&str, &str>,
        stacks: &BTreeMap<&str, usize>,
        file: &str,
    ) -> Result<AssemblyStack, Diagnostic> {
        let Some(template_file) = text_at(self.properties, "templateFile") else {
            let message = format!("the stack `{}` names no `templateFile`", self.id);
            return Err(Diagnostic::error(codes::ASSEMBLY, message).at(file));
        };
        let environment = text_at(self.json, "environment").and_then(|text| text.strip_prefix("aws://"));
        let (account, region) = environment.and_then(|text| text.split_once('/')).unwrap_or_default();
        let known = |text: &str| (!text.is_empty() && !text.starts_with("unknown-")).then(|| text.to_owned());
        let dependencies: BTreeSet<&str> = self.dependencies.iter().copied().collect();
        let name = text_at(self.properties, "stackName").unwrap_or(self.id);
        Ok(AssemblyStack {
            id: self.id.to_owned(),
            name: name.to_owned(),
            display_name: text_at(self.json, "displayName").unwrap_or(name).to_owned(),
            template_file: template_file.to_owned(),
            account: known(account),
            region: known(region),
            assets_file: dependencies.iter().find_map(|id| assets.get(id)).map(|file| (*file).to_owned()),
            dependencies: self
                .dependencies
                .iter()
                .filter(|id| stacks.contains_key(*id))
                .map(|id| (*id).to_owned())
                .collect(),
            parameters: texts(self.properties.get("parameters")),
            tags: texts(self.properties.get("tags")),
        })
    }
}

fn missing(manifest: &Json) -> Vec<MissingContext> {
    let entries = manifest.get("missing").and_then(Json::as_array).into_iter().flatten();
    let entry = |entry: &Json| {
        Some(MissingContext {
            provider: text_at(entry, "provider").unwrap_or("context").to_owned(),
            key: text_at(entry, "key")?.to_owned(),
            props: entry.get("props").cloned().unwrap_or_default(),
        })
    };
    entries.filter_map(entry).collect()
}

fn text_at<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}

fn texts(json: Option<&Json>) -> BTreeMap<String, String> {
    let members = json.and_then(Json::as_object).into_iter().flatten();
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
