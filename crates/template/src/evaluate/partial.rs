//! A value of which parts may be unknown.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::Unknowns;
use crate::environment::Unknown;

/// A JSON value with unknown parts in their places.
#[derive(Clone, Debug, PartialEq)]
pub enum Partial {
    /// Null, a boolean, a number or a text.
    Scalar(Json),
    /// A list.
    List(Vec<Partial>),
    /// An object.
    Object(IndexMap<String, Partial>),
    /// Unknown, because of these.
    Unknown(Unknowns),
}

impl Partial {
    pub(crate) fn unknown(unknown: Unknown) -> Self {
        Self::Unknown(Unknowns::from([unknown]))
    }

    /// The bytes of its texts, and one for everything else in it.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Scalar(Json::String(text)) => 1 + text.len(),
            Self::Scalar(_) | Self::Unknown(_) => 1,
            Self::List(items) => items.iter().map(Self::weight).fold(1, usize::saturating_add),
            Self::Object(members) => {
                let member = |(key, value): (&String, &Self)| key.len().saturating_add(value.weight());
                members.iter().map(member).fold(1, usize::saturating_add)
            }
        }
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Partial> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// The text, where it is a known one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub fn as_list(&self) -> Option<&[Partial]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The whole value, or everything unknown in it.
    pub fn into_json(self) -> Result<Json, Unknowns> {
        let mut unknowns = Unknowns::new();
        let json = self.gather(&mut unknowns);
        if unknowns.is_empty() { Ok(json) } else { Err(unknowns) }
    }

    fn gather(self, unknowns: &mut Unknowns) -> Json {
        match self {
            Self::Scalar(scalar) => scalar,
            Self::List(items) => Json::Array(items.into_iter().map(|item| item.gather(unknowns)).collect()),
            Self::Object(members) => {
                let members = members.into_iter().map(|(key, member)| (key, member.gather(unknowns)));
                Json::Object(members.collect::<Map<_, _>>())
            }
            Self::Unknown(more) => {
                unknowns.extend(more);
                Json::Null
            }
        }
    }
}

impl From<Json> for Partial {
    fn from(json: Json) -> Self {
        match json {
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Object(members) => {
                Self::Object(members.into_iter().map(|(key, member)| (key, Self::from(member))).collect())
            }
            scalar => Self::Scalar(scalar),
        }
    }
}

impl From<bool> for Partial {
    fn from(truth: bool) -> Self {
        Self::Scalar(Json::Bool(truth))
    }
}
