//! The document's sections to a [`Template`].

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{Assertion, Output, Resource, Rule, Template, references, resource};
use crate::codes;
use crate::expr::{Expr, Place, Reader, kind};
use crate::finding::Finding;
use crate::members::{expect_text, foreign_member};
use crate::parameter;
use crate::source::{self, Positions};

/// The section of the serverless transform.
const GLOBALS: &str = "Globals";
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Rules",
    "Transform",
    "Resources",
    "Outputs",
    "Hooks",
];
/// AWS's quotas: how many members a section may have, and what AWS calls them.
const QUOTAS: &[(&str, usize, &str)] = &[
    ("Parameters", 200, "parameters"),
    ("Mappings", 200, "mappings"),
    ("Resources", 500, "resources"),
    ("Outputs", 200, "outputs"),
];
const RULE_MEMBERS: &[&str] = &["RuleCondition", "Assertions"];
const ASSERTION_MEMBERS: &[&str] = &["Assert", "AssertDescription"];
/// The one transform whose functions (`Fn::Length`, `Fn::ToJsonString`, defaults in `Fn::FindInMap`) are built in.
const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// What CloudFormation reads of a template.
const TEXT_BYTES_MAX: usize = 1_000_000;

pub(super) fn read(text: &str, file: &str) -> (Option<Template>, Vec<Finding>) {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the template has {} bytes, CloudFormation takes at most {TEXT_BYTES_MAX}", text.len());
        let aws = format!("Template may not exceed {TEXT_BYTES_MAX} bytes in size.");
        let hint = "split it into several stacks, or leave out what its `Metadata` repeats";
        return (None, vec![Finding::error(codes::SHAPE, message, aws).at(file).hint(hint)]);
    }
    let (document, mut findings) = match source::read(text, file) {
        Ok(read) => read,
        Err(finding) => return (None, vec![*finding]),
    };
    let Json::Object(sections) = &document else {
        let message = format!("a template is an object with `Resources`, got {}", kind(&document));
        let aws = "Template format error: unsupported structure.";
        findings.push(Finding::error(codes::SHAPE, message, aws).at(file));
        return (None, findings);
    };
    let mut reader = Reader { findings, ..Reader::default() };
    let before = reader.findings.len();
    let template = template(&mut reader, sections, file);
    references::check(&mut reader, &template);
    let mut findings = reader.findings;
    place(&mut findings, before, &template, text);
    (Some(Template { document, ..template }), findings)
}

/// Adds file, line and construct to the findings after the first few, which have their places already.
fn place(findings: &mut [Finding], skip: usize, template: &Template, text: &str) {
    if findings.len() == skip {
        return;
    }
    let positions = Positions::of(text);
    for finding in findings.iter_mut().skip(skip) {
        let diagnostic = &mut finding.diagnostic;
        if let Some((line, column)) = positions.find(&diagnostic.path) {
            diagnostic.details.push(format!("{}:{line}:{column}", template.file));
        }
        let mut keys = diagnostic.path.split('.');
        if keys.next() == Some("Resources")
            && let Some(path) = keys.next().and_then(|id| template.resources.get(id)).and_then(Resource::construct_path)
        {
            diagnostic.details.push(format!("made by the construct `{path}`"));
        }
    }
}

fn template(reader: &mut Reader, sections: &Map<String, Json>, file: &str) -> Template {
    // First, for it is why a section may be foreign.
    let is_transformed = transform(reader, sections);
    let is_known = |key: &String| SECTIONS.contains(&key.as_str()) || is_transformed && key == GLOBALS;
    for key in sections.keys().filter(|key| !is_known(key)) {
        let finding = Finding::error(
            codes::SECTION,
            format!("a template has no section `{key}`"),
            format!("Template format error: Invalid template property or properties [{key}]"),
        );
        reader.key(key, |reader| reader.report(finding.nearest(key, SECTIONS.iter().copied())));
    }
    quotas(reader, sections);
    version(reader, sections);
    let template = Template {
        file: file.to_owned(),
        description: expect_text(reader, sections, "Description"),
        metadata: sections.get("Metadata").cloned().unwrap_or(Json::Null),
        parameters: section(reader, sections, "Parameters", |reader, name, members| {
            parameter::read(reader, name, members)
        }),
        mappings: section(reader, sections, "Mappings", mapping),
        conditions: conditions(reader, sections),
        rules: section(reader, sections, "Rules", rule),
        resources: section::<Resource>(reader, sections, "Resources", resource::resource),
        outputs: section::<Output>(reader, sections, "Outputs", resource::output),
        document: Json::Null,
    };
    if template.resources.is_empty() && sections.get("Resources").is_none_or(Json::is_object) {
        let aws = "Template format error: At least one Resources member must be defined.";
        reader.report(Finding::error(codes::SHAPE, "a template needs at least one resource in `Resources`", aws));
    }
    template
}

fn quotas(reader: &mut Reader, sections: &Map<String, Json>) {
    for (name, most, noun) in QUOTAS {
        let count = sections.get(*name).and_then(Json::as_object).map_or(0, Map::len);
        if count > *most {
            let message = format!("{count} {noun} in one template, expected at most {most}");
            let aws =
                format!("Template format error: Number of {noun}, {count}, is greater than maximum allowed, {most}");
            let finding = Finding::error(codes::SHAPE, message, aws).hint("split it into several stacks");
            reader.key(name, |reader| reader.report(finding));
        }
    }
}

fn version(reader: &mut Reader, sections: &Map<String, Json>) {
    let Some(version) = sections.get("AWSTemplateFormatVersion") else { return };
    if version.as_str() != Some("2010-09-09") {
        let message = format!("`AWSTemplateFormatVersion` is {}, expected `2010-09-09`", kind(version));
        let aws = "Template format error: unsupported value for AWSTemplateFormatVersion.";
        reader.key("AWSTemplateFormatVersion", |reader| {
            reader.report(Finding::error(codes::SHAPE, message, aws));
        });
    }
}

/// Answers whether there is one that is not implemented.
fn transform(reader: &mut Reader, sections: &Map<String, Json>) -> bool {
    let transforms = match sections.get("Transform") {
        None => return false,
        Some(Json::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    };
    let mut is_transformed = false;
    for transform in transforms.iter().filter(|transform| transform.as_str() != Some(LANGUAGE_EXTENSIONS)) {
        is_transformed = true;
        let name = transform.as_str().map_or_else(|| transform.to_string(), str::to_owned);
        let message = format!("the transform `{name}` is not implemented");
        let aws = format!("Transform {name} is not implemented.");
        let finding = Finding::error(codes::TRANSFORM, message, aws);
        let finding = finding.hint("give the template as the transform leaves it (`cdk synth`, `sam build`)");
        reader.key("Transform", |reader| reader.report(finding));
    }
    is_transformed
}

/// Reads a section whose members are all objects.
fn section<T>(
    reader: &mut Reader,
    sections: &Map<String, Json>,
    name: &str,
    read: impl Fn(&mut Reader, &str, &Map<String, Json>) -> T,
) -> IndexMap<String, T> {
    let mut entries = IndexMap::new();
    each(reader, sections, name, |reader, key, json| match json {
        Json::Object(members) => {
            entries.insert(key.to_owned(), read(reader, key, members));
        }
        other => {
            let message = format!("`{key}` in `{name}` must be an object, got {}", kind(other));
            let aws = format!("Template format error: Every {name} member must be an object.");
            reader.report(Finding::error(codes::SHAPE, message, aws));
        }
    });
    entries
}

/// Walks the members of a section, whatever they are.
fn each(
    reader: &mut Reader,
    sections: &Map<String, Json>,
    name: &str,
    mut visit: impl FnMut(&mut Reader, &str, &Json),
) {
    reader.key(name, |reader| match sections.get(name) {
        None => {}
        Some(Json::Object(members)) => {
            for (key, json) in members {
                reader.key(key, |reader| visit(reader, key, json));
            }
        }
        Some(other) => {
            let message = format!("`{name}` must be an object, got {}", kind(other));
            let aws = format!("Template format error: {name} must be an object.");
            reader.report(Finding::error(codes::SHAPE, message, aws));
        }
    });
}

fn conditions(reader: &mut Reader, sections: &Map<String, Json>) -> IndexMap<String, Expr> {
    let mut entries = IndexMap::new();
    each(reader, sections, "Conditions", |reader, key, json| {
        if !json.is_object() {
            let message = format!("the condition `{key}` must be an object with one function, got {}", kind(json));
            let aws = format!("Template format error: Every Conditions member must be an object. [{key}]");
            reader.report(Finding::error(codes::SHAPE, message, aws));
        }
        entries.insert(key.to_owned(), reader.expr(json, Place::Condition));
    });
    entries
}

fn mapping(reader: &mut Reader, name: &str, members: &Map<String, Json>) -> Json {
    for (key, json) in members {
        if !json.is_object() {
            let message = format!("`{key}` of the mapping `{name}` must be an object, got {}", kind(json));
            let aws = format!("Template format error: Every Mappings member {name} must be a map");
            reader.key(key, |reader| reader.report(Finding::error(codes::SHAPE, message, aws)));
        }
    }
    Json::Object(members.clone())
}

fn rule(reader: &mut Reader, name: &str, members: &Map<String, Json>) -> Rule {
    for key in members.keys().filter(|key| !RULE_MEMBERS.contains(&key.as_str())) {
        let aws = format!("Template format error: Encountered unsupported property {key}");
        foreign_member(reader, key, "rule", RULE_MEMBERS, aws);
    }
    let condition = members.get("RuleCondition").map(|json| reader.key("RuleCondition", |r| r.expr(json, Place::Rule)));
    let mut assertions = vec![];
    match members.get("Assertions") {
        Some(Json::Array(items)) if !items.is_empty() => {
            for item in items {
                let empty = Map::new();
                let item = item.as_object().unwrap_or(&empty);
                for key in item.keys().filter(|key| !ASSERTION_MEMBERS.contains(&key.as_str())) {
                    let aws = format!("Template format error: Encountered unsupported property {key}");
                    foreign_member(reader, key, "assertion", ASSERTION_MEMBERS, aws);
                }
                let assert = item.get("Assert").unwrap_or(&Json::Null);
                let assert = reader.key("Assertions", |reader| reader.expr(assert, Place::Rule));
                let description = item.get("AssertDescription").and_then(Json::as_str).map(str::to_owned);
                assertions.push(Assertion { assert, description });
            }
        }
        _ => {
            let aws = format!("Template format error: Rule {name} must contain Assertions");
            reader.report(Finding::error(codes::SHAPE, format!("the rule `{name}` has no `Assertions`"), aws));
        }
    }
    Rule { condition, assertions }
}
