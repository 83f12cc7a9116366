//! Parameters as templates declare them.

use std::fmt;

use serde_json::Value as Json;

/// An entry of `Parameters`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `Type`.
    pub parameter_type: ParameterType,
    /// `Default`, as text.
    pub default: Option<String>,
    /// `AllowedValues`, as text; empty where any value goes.
    pub allowed_values: Vec<String>,
    /// `AllowedPattern`, a Java regular expression for the whole value.
    pub allowed_pattern: Option<String>,
    /// `MinLength`, in characters.
    pub length_min: Option<f64>,
    /// `MaxLength`, in characters.
    pub length_max: Option<f64>,
    /// `MinValue`.
    pub value_min: Option<f64>,
    /// `MaxValue`.
    pub value_max: Option<f64>,
    /// `NoEcho`: the value is never shown.
    pub no_echo: bool,
    /// `Description`.
    pub description: Option<String>,
    /// `ConstraintDescription`: what to say where a value is refused.
    pub constraint_description: Option<String>,
}

/// `Type` of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// `String`.
    String,
    /// `Number`.
    Number,
    /// `List<Number>`.
    Numbers,
    /// `CommaDelimitedList`, `List<String>`.
    Strings,
    /// An id that AWS checks to exist, such as `AWS::EC2::VPC::Id`.
    Id(String),
    /// A list of such ids; holds the element's type.
    Ids(String),
    /// `AWS::SSM::Parameter::Name`.
    SsmName,
    /// `AWS::SSM::Parameter::Value<T>`: the given value names an SSM parameter, whose value is a `T`.
    SsmValue(Box<ParameterType>),
}

impl ParameterType {
    /// Reads the text of `Type`.
    pub fn parse(text: &str) -> Option<Self> {
        let inside = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
        match text {
            "String" => Some(Self::String),
            "Number" => Some(Self::Number),
            "List<Number>" => Some(Self::Numbers),
            "CommaDelimitedList" | "List<String>" => Some(Self::Strings),
            "AWS::SSM::Parameter::Name" => Some(Self::SsmName),
            _ => {
                if let Some(inner) = inside("AWS::SSM::Parameter::Value<") {
                    let inner = Self::parse(inner)?;
                    return (!matches!(inner, Self::SsmValue(_))).then(|| Self::SsmValue(Box::new(inner)));
                }
                if let Some(inner) = inside("List<") {
                    return inner.starts_with("AWS::").then(|| Self::Ids(inner.to_owned()));
                }
                let is_id = text.starts_with("AWS::") && !text.contains(['<', '>']);
                is_id.then(|| Self::Id(text.to_owned()))
            }
        }
    }

    /// Whether `Ref` yields a list.
    pub fn is_list(&self) -> bool {
        match self {
            Self::Numbers | Self::Strings | Self::Ids(_) => true,
            Self::SsmValue(inner) => inner.is_list(),
            _ => false,
        }
    }

    /// What `Ref` yields for a value given as text: the text, or its parts between commas.
    pub fn value(&self, text: &str) -> Json {
        if !self.is_list() {
            return Json::String(text.to_owned());
        }
        let parts = text.split(',').map(|part| Json::String(part.trim().to_owned()));
        if text.is_empty() { Json::Array(vec![]) } else { Json::Array(parts.collect()) }
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("String"),
            Self::Number => f.write_str("Number"),
            Self::Numbers => f.write_str("List<Number>"),
            Self::Strings => f.write_str("CommaDelimitedList"),
            Self::Id(name) => f.write_str(name),
            Self::Ids(name) => write!(f, "List<{name}>"),
            Self::SsmName => f.write_str("AWS::SSM::Parameter::Name"),
            Self::SsmValue(inner) => write!(f, "AWS::SSM::Parameter::Value<{inner}>"),
        }
    }
}
