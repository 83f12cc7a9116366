//! What the generated structs can do, and the macros that write it.
//!
//! Each struct hands its fields to a [`ShapeWriter`] one by one as trait objects, so that the code per struct stays a few calls.

use std::any::Any;
use std::collections::BTreeMap;

use crate::{Json, Value};

/// How a resource type writes its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagStyle {
    /// It takes no tags.
    None,
    /// `Tags: [{Key, Value}]`.
    List,
    /// `Tags: {key: value}`.
    Map,
}

/// Anything that becomes a property value.
pub trait ToJson {
    /// The value; required properties that are missing below are noted in `missing` by their path.
    fn to_json(&self, missing: &mut Vec<String>) -> Json;
}

/// A struct of properties.
pub trait Shape {
    /// Names of the properties that CloudFormation demands.
    fn required(&self) -> &'static [&'static str];
    /// Hands over all fields.
    fn write(&self, writer: &mut ShapeWriter<'_>);
}

/// A CloudFormation resource type.
pub trait Resource: ToJson + Any {
    /// `AWS::EC2::VPC`.
    fn cfn_type(&self) -> &str;
    /// What `Fn::GetAtt` answers to.
    fn attributes(&self) -> &'static [&'static str];
    /// How its tags are written.
    fn tag_style(&self) -> TagStyle;
    /// For the typed escape hatch.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// Collects the fields of a [`Shape`].
#[derive(Debug)]
pub struct ShapeWriter<'a> {
    entries: Vec<(String, Json)>,
    missing: &'a mut Vec<String>,
}

impl ShapeWriter<'_> {
    /// One field.
    pub fn field(&mut self, name: &'static str, value: Option<&dyn ToJson>) {
        if let Some(value) = value {
            let mut below = Vec::new();
            let json = value.to_json(&mut below);
            self.missing.extend(below.into_iter().map(|path| join(name, &path)));
            self.entries.push((name.to_owned(), json));
        }
    }
}

/// Writes a shape as a JSON object and notes what it lacks.
pub fn shape_to_json(shape: &dyn Shape, missing: &mut Vec<String>) -> Json {
    let mut writer = ShapeWriter { entries: Vec::new(), missing };
    shape.write(&mut writer);
    let ShapeWriter { entries, missing } = writer;
    for name in shape.required() {
        if !entries.iter().any(|(key, _)| key == name) {
            missing.push((*name).to_owned());
        }
    }
    Json::Map(entries)
}

/// `A.B`, `A[0].B`.
fn join(name: &str, path: &str) -> String {
    if path.starts_with('[') { format!("{name}{path}") } else { format!("{name}.{path}") }
}

impl<T: ToJson> ToJson for Value<T> {
    fn to_json(&self, missing: &mut Vec<String>) -> Json {
        match self {
            Self::Literal(value) => value.to_json(missing),
            Self::Token(token) => Json::Token(token.clone()),
        }
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self, missing: &mut Vec<String>) -> Json {
        let mut items = Vec::with_capacity(self.len());
        for (index, item) in self.iter().enumerate() {
            let mut below = Vec::new();
            items.push(item.to_json(&mut below));
            missing.extend(below.into_iter().map(|path| join(&format!("[{index}]"), &path)));
        }
        Json::List(items)
    }
}

impl<T: ToJson> ToJson for BTreeMap<String, T> {
    fn to_json(&self, missing: &mut Vec<String>) -> Json {
        Json::Map(self.iter().map(|(key, value)| (key.clone(), value.to_json(missing))).collect())
    }
}

impl ToJson for Json {
    fn to_json(&self, _missing: &mut Vec<String>) -> Json {
        self.clone()
    }
}

impl ToJson for String {
    fn to_json(&self, _missing: &mut Vec<String>) -> Json {
        Json::Text(self.clone())
    }
}

impl ToJson for bool {
    fn to_json(&self, _missing: &mut Vec<String>) -> Json {
        Json::Bool(*self)
    }
}

impl ToJson for i64 {
    fn to_json(&self, _missing: &mut Vec<String>) -> Json {
        Json::Int(*self)
    }
}

impl ToJson for f64 {
    fn to_json(&self, _missing: &mut Vec<String>) -> Json {
        Json::Float(*self)
    }
}

/// Declares a struct of properties.
#[macro_export]
#[doc(hidden)]
macro_rules! shape {
    ($name:ident { $($field:ident $wire:literal $ty:ty,)* } required $required:tt) => {
        #[doc = concat!("Properties of `", stringify!($name), "`, as CloudFormation names them.")]
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $(#[doc = concat!("`", $wire, "`")] pub $field: Option<$ty>,)*
        }

        impl $crate::Shape for $name {
            fn required(&self) -> &'static [&'static str] {
                &$required
            }

            fn write(&self, writer: &mut $crate::ShapeWriter<'_>) {
                let _ = &writer;
                $(writer.field($wire, self.$field.as_ref().map(|value| value as &dyn $crate::ToJson));)*
            }
        }

        impl $crate::ToJson for $name {
            fn to_json(&self, missing: &mut Vec<String>) -> $crate::Json {
                $crate::shape_to_json(self, missing)
            }
        }
    };
}

/// Declares a resource type.
#[macro_export]
#[doc(hidden)]
macro_rules! resource {
    (
        $name:ident $type:literal { $($field:ident $wire:literal $ty:ty,)* }
        required $required:tt attributes $attributes:tt tags $tags:ident
    ) => {
        $crate::shape! { $name { $($field $wire $ty,)* } required $required }

        impl $crate::Resource for $name {
            fn cfn_type(&self) -> &str {
                $type
            }

            fn attributes(&self) -> &'static [&'static str] {
                &$attributes
            }

            fn tag_style(&self) -> $crate::TagStyle {
                $crate::TagStyle::$tags
            }

            fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
                self
            }
        }
    };
}

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub, reason = "the macro writes public structs")]

    use super::ToJson;
    use crate::{Json, Token, Value};

    crate::shape! { Inner { name "Name" Value<String>, } required ["Name"] }
    crate::shape! { Outer { inner "Inner" Value<Inner>, list "List" Value<Vec<Value<Inner>>>, count "Count" Value<i64>, } required ["Count"] }

    #[test]
    fn what_is_missing_is_named_by_its_path() {
        let named = Inner { name: Some("x".into()) };
        let list = vec![named.into(), Inner::default().into(), Value::Token(Token::pseudo("AWS::NoValue"))];
        let outer = Outer { inner: Some(Inner::default().into()), list: Some(list.into()), count: None };
        let mut missing = vec![];
        let json = outer.to_json(&mut missing);
        assert_eq!(missing, ["Inner.Name", "List[1].Name", "Count"]);
        let expected = Json::list([
            Json::map([("Name", Json::from("x"))]),
            Json::Map(vec![]),
            Json::Token(Token::pseudo("AWS::NoValue")),
        ]);
        assert_eq!(json.get("List"), Some(&expected));
        assert_eq!(json.get("Count"), None);
    }
}
