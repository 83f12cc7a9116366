//! A parameter's declaration.

use serde_json::{Map, Value as Json};

use super::{Parameter, ParameterType};
use crate::codes;
use crate::expr::{Reader, kind};
use crate::finding::Finding;
use crate::members::{expect_text, foreign_member};

const MEMBERS: &[&str] = &[
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
    "NoEcho",
    "Description",
    "ConstraintDescription",
];
const TYPES: &[&str] = &[
    "String",
    "Number",
    "List<Number>",
    "CommaDelimitedList",
    "AWS::SSM::Parameter::Name",
    "AWS::SSM::Parameter::Value<String>",
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::VPC::Id",
    "AWS::Route53::HostedZone::Id",
    "List<AWS::EC2::Subnet::Id>",
    "List<AWS::EC2::SecurityGroup::Id>",
];

/// Reads one entry of `Parameters`.
pub(crate) fn read(reader: &mut Reader, name: &str, members: &Map<String, Json>) -> Parameter {
    for key in members.keys().filter(|key| !MEMBERS.contains(&key.as_str())) {
        let aws = format!("Invalid template parameter property '{key}'");
        foreign_member(reader, key, "parameter", MEMBERS, aws);
    }
    let type_text = members.get("Type").and_then(Json::as_str).unwrap_or_default();
    let parameter_type = ParameterType::parse(type_text).unwrap_or_else(|| {
        let (message, aws) = if type_text.is_empty() {
            (
                format!("the parameter `{name}` has no `Type`"),
                "Template format error: Every Parameters object must contain a Type member.".to_owned(),
            )
        } else {
            (
                format!("`{type_text}` is no parameter type"),
                format!("Template format error: Unrecognized parameter type: {type_text}"),
            )
        };
        reader.report(Finding::error(codes::SHAPE, message, aws).nearest(type_text, TYPES.iter().copied()));
        ParameterType::String
    });
    let default = members.get("Default").and_then(|json| {
        let text = text_of(json);
        if text.is_none() {
            let message = format!("`Default` must be text or a number, got {}", kind(json));
            let aws = "Template format error: Every Default member must be a string.";
            reader.key("Default", |reader| reader.report(Finding::error(codes::SHAPE, message, aws)));
        }
        text
    });
    let allowed_values = match members.get("AllowedValues") {
        None => vec![],
        Some(Json::Array(items)) => items.iter().filter_map(text_of).collect(),
        Some(other) => {
            let message = format!("`AllowedValues` must be a list, got {}", kind(other));
            let aws = "Template format error: Every AllowedValues member must be a list.";
            reader.key("AllowedValues", |reader| reader.report(Finding::error(codes::SHAPE, message, aws)));
            vec![]
        }
    };
    Parameter {
        parameter_type,
        default,
        allowed_values,
        allowed_pattern: expect_text(reader, members, "AllowedPattern"),
        length_min: number(reader, members, "MinLength"),
        length_max: number(reader, members, "MaxLength"),
        value_min: number(reader, members, "MinValue"),
        value_max: number(reader, members, "MaxValue"),
        no_echo: members.get("NoEcho").and_then(text_of).is_some_and(|text| text.eq_ignore_ascii_case("true")),
        description: expect_text(reader, members, "Description"),
        constraint_description: expect_text(reader, members, "ConstraintDescription"),
    }
}

fn text_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        _ => None,
    }
}

fn number(reader: &mut Reader, members: &Map<String, Json>, key: &str) -> Option<f64> {
    let json = members.get(key)?;
    let number = text_of(json).and_then(|text| text.parse::<f64>().ok());
    if number.is_none() {
        let message = format!("`{key}` must be a number, got {}", kind(json));
        let aws = format!("Template format error: Every {key} member must be a number.");
        reader.key(key, |reader| reader.report(Finding::error(codes::SHAPE, message, aws)));
    }
    number
}
