//! JSON that may hold tokens: what properties become on their way into a template.

use crate::token::{Json, Token};

/// The key under which [`Json::to_plain`] writes a token that is no string.
const TOKEN_KEY: &str = "${Token}";

impl Json {
    /// An array.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// An object.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Plain JSON that [`Json::from_plain`] turns back.
    pub fn to_plain(&self) -> serde_json::Value {
        use serde_json::Value as Plain;
        match self {
            Self::Null => Plain::Null,
            Self::Bool(value) => Plain::Bool(*value),
            Self::Int(value) => Plain::from(*value),
            Self::Float(value) => Plain::from(*value),
            Self::Text(value) => Plain::String(value.clone()),
            Self::List(items) => Plain::Array(items.iter().map(Self::to_plain).collect()),
            Self::Map(entries) => {
                Plain::Object(entries.iter().map(|(key, value)| (key.clone(), value.to_plain())).collect())
            }
            Self::Token(token) => {
                Plain::Object([(TOKEN_KEY.to_owned(), Plain::String(token.to_string()))].into_iter().collect())
            }
        }
    }

    /// The inverse of [`Json::to_plain`]; plain JSON without tokens is taken as it is.
    pub fn from_plain(plain: serde_json::Value) -> Self {
        use serde_json::Value as Plain;
        match plain {
            Plain::Null => Self::Null,
            Plain::Bool(value) => Self::Bool(value),
            Plain::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Plain::String(text) => Self::Text(text),
            Plain::Array(items) => Self::List(items.into_iter().map(Self::from_plain).collect()),
            Plain::Object(entries) => {
                if let (1, Some(token)) =
                    (entries.len(), entries.get(TOKEN_KEY).and_then(Plain::as_str).and_then(Token::parse))
                {
                    return Self::Token(token);
                }
                Self::Map(entries.into_iter().map(|(key, value)| (key, Self::from_plain(value))).collect())
            }
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Token> for Json {
    fn from(value: Token) -> Self {
        Self::Token(value)
    }
}

impl From<Vec<Self>> for Json {
    fn from(value: Vec<Self>) -> Self {
        Self::List(value)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::from_plain(value)
    }
}
