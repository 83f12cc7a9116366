//! What holds of every text.

use std::collections::BTreeMap;

use neargate_template::{Evaluator, Template, canonical, plan, resolve_parameters, semantic_diff};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::fake::Fake;

/// Names that make collisions with functions, sections and each other likely.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "A",
        "B",
        "Ref",
        "Condition",
        "Fn::If",
        "Fn::Sub",
        "Fn::Join",
        "Fn::GetAtt",
        "Fn::Equals",
        "Fn::And",
        "Fn::Not",
        "Fn::Select",
        "Fn::Split",
        "Fn::Cidr",
        "Fn::GetAZs",
        "Fn::FindInMap",
        "Fn::Foo",
        "Fn::Length",
        "Fn::Base64",
        "Type",
        "Properties",
        "DependsOn",
        "Value",
        "Export",
        "Name",
        "Default",
        "Assertions",
        "Assert",
        "x.y",
    ])
    .prop_map(str::to_owned)
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3_i64..300).prop_map(Json::from),
        name().prop_map(Json::from),
        prop::sample::select(vec![
            "",
            "A.Arn",
            "${A}",
            "${B.C}${!x}${",
            "10.0.0.0/16",
            "{{resolve:ssm:a:1}}",
            "AWS::Region"
        ])
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 60, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((name(), inner.clone()), 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect::<Map<_, _>>())),
            (name(), inner).prop_map(|(key, value)| Json::Object(Map::from_iter([(key, value)]))),
        ]
    })
}

/// Anything, put where a template has sections.
fn template() -> impl Strategy<Value = Json> {
    (json(), json(), json(), json(), json()).prop_map(|(p, c, a, b, o)| {
        json!({
            "Parameters": {"P": {"Type": "String", "Default": p}},
            "Mappings": {"A": {"A": {"B": 1}}},
            "Conditions": {"A": c.clone(), "B": {"Fn::Equals": [c, 1]}},
            "Rules": {"R": {"Assertions": [{"Assert": a.clone()}]}},
            "Resources": {"A": {"Type": "T::T::T", "Properties": {"x": a}}, "B": b},
            "Outputs": {"O": {"Value": o}},
        })
    })
}

fn everything(text: &str) {
    let (Some(template), _) = Template::parse(text, "t") else { return };
    let environment = Fake::default();
    let (parameters, _) = resolve_parameters(&template, &BTreeMap::new(), &environment);
    assert_eq!(semantic_diff(&template, &template), []);
    assert_eq!(plan(&template, &template), []);
    let _ = canonical(&template);
    let Ok(evaluator) = Evaluator::new(&template, &parameters, &environment) else { return };
    let _ = (evaluator.graph().levels(), evaluator.outputs(), evaluator.rules());
    for id in template.resources.keys() {
        let _ = evaluator.properties(id);
    }
}

/// Writes JSON as YAML in flow style, functions as short tags.
fn short(json: &Json, yaml: &mut String) {
    match json {
        Json::Array(items) => {
            yaml.push('[');
            for item in items {
                short(item, yaml);
                yaml.push_str(", ");
            }
            yaml.push(']');
        }
        Json::Object(members) => {
            let tag = members.iter().next().filter(|(key, _)| {
                members.len() == 1 && (key.starts_with("Fn::") || *key == "Ref" || *key == "Condition")
            });
            match tag {
                Some((key, value)) if !is_tagged(value) => {
                    yaml.push_str(&format!("!{} ", key.strip_prefix("Fn::").unwrap_or(key)));
                    match value.as_array().map(Vec::as_slice) {
                        Some([Json::String(resource), Json::String(attribute)])
                            if key == "Fn::GetAtt" && !resource.contains('.') =>
                        {
                            yaml.push_str(&Json::from(format!("{resource}.{attribute}")).to_string());
                        }
                        _ => short(value, yaml),
                    }
                }
                _ => {
                    yaml.push('{');
                    for (key, value) in members {
                        yaml.push_str(&format!("{}: ", Json::from(key.as_str())));
                        short(value, yaml);
                        yaml.push_str(", ");
                    }
                    yaml.push('}');
                }
            }
        }
        scalar => yaml.push_str(&scalar.to_string()),
    }
}

/// YAML has no tag on a tagged value.
fn is_tagged(json: &Json) -> bool {
    json.as_object().is_some_and(|members| {
        members.len() == 1 && members.keys().all(|key| key.starts_with("Fn::") || key == "Ref" || key == "Condition")
    })
}

/// `Fn::GetAtt` with its text taken apart, as the short form does.
fn with_lists(json: &Json) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.iter().map(with_lists).collect()),
        Json::Object(members) => {
            let one = members.len() == 1;
            let member = |(key, value): (&String, &Json)| match value.as_str().and_then(|text| text.split_once('.')) {
                Some((resource, attribute)) if one && key == "Fn::GetAtt" => {
                    (key.clone(), json!([resource, attribute]))
                }
                _ => (key.clone(), with_lists(value)),
            };
            Json::Object(members.iter().map(member).collect())
        }
        scalar => scalar.clone(),
    }
}

#[test]
fn the_oracles_templates_are_the_same_in_the_short_form() {
    for text in [
        include_str!("../../../../oracle/seeds/seed0/FargateTasksStack.template.json"),
        include_str!("../../../../oracle/seeds/seed0/SharedClusterTasksStack.template.json"),
        include_str!("../../../../oracle/seeds/seed4/TriggeredDynamic.template.json"),
    ] {
        let mut yaml = "# short form\n".to_owned();
        short(&serde_json::from_str(text).unwrap(), &mut yaml);
        let (first, second) = (Template::parse(text, "t.json"), Template::parse(&yaml, "t.yaml"));
        assert_eq!(second.1, []);
        assert_eq!(semantic_diff(&first.0.unwrap(), &second.0.unwrap()), []);
    }
}

proptest! {
    #[test]
    fn any_json_is_read_and_evaluated_without_a_panic(json in template()) {
        everything(&json.to_string());
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "[A-Za-z0-9!&*{}\\[\\]:,'\"|>#?%@ \\-\n\t$.]{0,200}") {
        everything(&text);
        everything(&format!("Resources:\n  A:\n    Type: T\n    Properties:\n      P: {text}"));
    }

    #[test]
    fn the_short_form_is_the_long_form(json in template()) {
        let json = with_lists(&json);
        let mut yaml = String::new();
        short(&json, &mut yaml);
        let (template, _) = Template::parse(&format!("# short form\n{yaml}\n"), "t.yaml");
        prop_assert_eq!(template.map(|template| template.document), Some(json), "{}", yaml);
    }
}
