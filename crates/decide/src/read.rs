//! From text to [`Document`]: its structure. What AWS refuses beyond that is in [`check`](super::check).

use serde_json::{Map, Value};

use super::caller::PrincipalPattern;
use super::check::{check, is_date};
use super::condition::Condition;
use super::document::{Document, Effect, Part, Principals, Statement};
use super::malformed::{Kind, Malformed};

type Object = Map<String, Value>;

impl Document {
    /// Reads a document that is about to be stored.
    ///
    /// # Errors
    /// The first thing for which AWS would refuse it.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        let mut reading = Reading::of(kind);
        let (document, version) = reading.document(text)?;
        if reading.id_is_no_text {
            return Err(reading.syntax("`Id` must be text"));
        }
        check(&document, version.as_deref(), kind, &reading.legacy)?;
        Ok(document)
    }

    /// Reads a document that was stored: what AWS has come to refuse since is read as it was.
    ///
    /// # Errors
    /// What makes it no document at all.
    pub fn load(text: &str, kind: Kind) -> Result<Self, Malformed> {
        Ok(Reading::of(kind).document(text)?.0)
    }
}

/// What is noticed while a document is read and refused only after its structure is.
struct Reading {
    kind: Kind,
    /// What AWS's first parser of policies does not take: an effect in other letters, a date that is none.
    legacy: Vec<String>,
    id_is_no_text: bool,
}

impl Reading {
    fn of(kind: Kind) -> Self {
        Self { kind, legacy: vec![], id_is_no_text: false }
    }

    fn syntax(&self, hint: impl Into<String>) -> Malformed {
        Malformed::Syntax(self.kind, hint.into())
    }

    /// The document and its version.
    fn document(&mut self, text: &str) -> Result<(Document, Option<String>), Malformed> {
        let json: Value = serde_json::from_str(text).map_err(|error| self.syntax(error.to_string()))?;
        let object = json.as_object().ok_or_else(|| self.syntax("a policy is a JSON object"))?;
        only(object, &["Version", "Id", "Statement"]).map_err(|hint| self.syntax(hint))?;
        self.id_is_no_text = object.get("Id").is_some_and(|id| !id.is_string());
        let version = match object.get("Version") {
            None => None,
            Some(Value::String(version)) if matches!(version.as_str(), "2008-10-17" | "2012-10-17") => {
                Some(version.clone())
            }
            Some(other) => return Err(self.syntax(format!("got version `{other}`, expected `2012-10-17`"))),
        };
        let statements = match object.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(self.syntax("`Statement` must be an object or a list of objects")),
        };
        if statements.is_empty() {
            return Err(self.syntax("`Statement` is empty"));
        }
        let mut read = vec![];
        for statement in statements {
            let object = statement.as_object().ok_or_else(|| self.syntax("a statement is a JSON object"))?;
            read.push(self.statement(object)?);
        }
        Ok((Document { has_variables: version.as_deref() == Some("2012-10-17"), statements: read }, version))
    }

    fn statement(&mut self, object: &Object) -> Result<Statement, Malformed> {
        let elements = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        only(object, &elements).map_err(|hint| self.syntax(hint))?;
        let sid = match object.get("Sid") {
            None => None,
            Some(Value::String(sid)) => Some(sid.clone()).filter(|sid| !sid.is_empty()),
            Some(_) => return Err(self.syntax("`Sid` must be text")),
        };
        let effect = self.effect(object.get("Effect"))?;
        let actions = read_part(object, "Action", "NotAction").map_err(|hint| self.syntax(hint))?;
        let resources = read_part(object, "Resource", "NotResource").map_err(|hint| self.syntax(hint))?;
        let conditions = match object.get("Condition") {
            None => vec![],
            Some(Value::Object(conditions)) => self.conditions(conditions)?,
            Some(_) => return Err(self.syntax("`Condition` must be an object")),
        };
        Ok(Statement {
            sid,
            effect,
            principals: read_principals(object).map_err(|hint| self.syntax(hint))?,
            actions: actions.unwrap_or(Part { negated: false, patterns: vec![] }),
            resources,
            conditions,
        })
    }

    fn effect(&mut self, effect: Option<&Value>) -> Result<Effect, Malformed> {
        let refused = |got: &dyn std::fmt::Display| format!("got effect `{got}`, expected `Allow` or `Deny`");
        let text = effect.and_then(Value::as_str).ok_or_else(|| self.syntax("`Effect` must be `Allow` or `Deny`"))?;
        match text {
            "Allow" => return Ok(Effect::Allow),
            "Deny" => return Ok(Effect::Deny),
            _ if matches!(self.kind, Kind::Trust | Kind::Resource) => return Err(self.syntax(refused(&text))),
            _ => self.legacy.push(refused(&text)),
        }
        match text.to_ascii_lowercase().as_str() {
            "allow" => Ok(Effect::Allow),
            "deny" => Ok(Effect::Deny),
            _ => Err(self.syntax(refused(&text))),
        }
    }

    fn conditions(&mut self, object: &Object) -> Result<Vec<Condition>, Malformed> {
        let mut conditions = vec![];
        for (operator, keys) in object {
            let keys = keys.as_object();
            let keys = keys.ok_or_else(|| self.syntax(format!("condition `{operator}` must be an object")))?;
            for (key, values) in keys {
                let hint = || format!("condition `{operator}` of `{key}` must be a value or a list of values");
                let values = scalars(values).ok_or_else(|| self.syntax(hint()))?;
                let dates = operator.split_once(':').map_or(operator.as_str(), |(_, operator)| operator);
                if dates.starts_with("Date") {
                    let wrong = values.iter().filter(|value| !is_date(value));
                    self.legacy.extend(wrong.map(|value| format!("`{value}` in condition `{operator}` is no date")));
                }
                let condition = Condition::read(operator, key, values).ok_or_else(|| match self.kind {
                    Kind::Identity | Kind::Inline => {
                        self.syntax(format!("there is no condition operator `{operator}`"))
                    }
                    Kind::Trust | Kind::Resource => Malformed::Operator(operator.clone()),
                })?;
                conditions.push(condition);
            }
        }
        Ok(conditions)
    }
}

fn read_part(object: &Object, name: &str, negation: &str) -> Result<Option<Part>, String> {
    let part = |negated, value| texts(value).map(|patterns| Some(Part { negated, patterns }));
    match (object.get(name), object.get(negation)) {
        (Some(_), Some(_)) => Err(format!("a statement has `{name}` or `{negation}`, not both")),
        (Some(value), None) => part(false, value).ok_or_else(|| format!("`{name}` must be text or a list of texts")),
        (None, Some(value)) => part(true, value).ok_or_else(|| format!("`{negation}` must be text or a list of texts")),
        (None, None) => Ok(None),
    }
}

fn read_principals(object: &Object) -> Result<Option<Principals>, String> {
    let (negated, value) = match (object.get("Principal"), object.get("NotPrincipal")) {
        (Some(_), Some(_)) => return Err("a statement has `Principal` or `NotPrincipal`, not both".to_owned()),
        (Some(value), None) => (false, value),
        (None, Some(value)) => (true, value),
        (None, None) => return Ok(None),
    };
    let patterns = match value {
        Value::String(text) if text == "*" => vec![PrincipalPattern::Anyone],
        Value::Object(kinds) => {
            let mut patterns = vec![];
            for (kind, values) in kinds {
                let values =
                    texts(values).ok_or_else(|| format!("principal `{kind}` must be text or a list of texts"))?;
                let read = |value: &String| {
                    PrincipalPattern::read(kind, value).ok_or_else(|| {
                        format!(
                            "got principal type `{kind}`, expected `AWS`, `Service`, `Federated` or `CanonicalUser`"
                        )
                    })
                };
                patterns.extend(values.iter().map(read).collect::<Result<Vec<_>, _>>()?);
            }
            patterns
        }
        _ => return Err("`Principal` must be `*` or an object".to_owned()),
    };
    Ok(Some(Principals { negated, patterns }))
}

fn only(object: &Object, names: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(format!("got `{key}`, expected one of `{}`", names.join("`, `"))),
        None => Ok(()),
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        // AWS passes over a `null` in a list.
        Value::Array(items) => {
            items.iter().filter(|item| !item.is_null()).map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

fn scalars(value: &Value) -> Option<Vec<String>> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        value => scalar(value).map(|value| vec![value]),
    }
}
