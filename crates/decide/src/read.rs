//! From text to [`Document`], with everything refused that AWS refuses when a document is stored.

use serde_json::{Map, Value};

use super::caller::PrincipalPattern;
use super::condition::Condition;
use super::document::{Document, Effect, Part, Principals, Statement};
use super::malformed::{Kind, Malformed};

type Object = Map<String, Value>;

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The first thing for which AWS would refuse it.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        let syntax = |hint: String| Malformed::Syntax(kind, hint);
        let json: Value = serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?;
        let object = json.as_object().ok_or_else(|| syntax("a policy is a JSON object".to_owned()))?;
        only(object, &["Version", "Id", "Statement"]).map_err(syntax)?;
        let version = match object.get("Version") {
            None => None,
            Some(Value::String(version)) if matches!(version.as_str(), "2008-10-17" | "2012-10-17") => {
                Some(version.as_str())
            }
            Some(other) => return Err(syntax(format!("got version `{other}`, expected `2012-10-17`"))),
        };
        let statements = match object.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(syntax("`Statement` must be an object or a list of objects".to_owned())),
        };
        if statements.is_empty() {
            return Err(syntax("`Statement` is empty".to_owned()));
        }
        let read = |statement: &&Value| match statement.as_object() {
            Some(object) => read_statement(object, kind),
            None => Err(syntax("a statement is a JSON object".to_owned())),
        };
        let statements: Vec<_> = statements.iter().map(read).collect::<Result<_, _>>()?;
        let document = Self { has_variables: version == Some("2012-10-17"), statements };
        check_whole(&document, kind)?;
        Ok(document)
    }
}

/// What can be said only once all statements are read: syntax errors anywhere come first.
fn check_whole(document: &Document, kind: Kind) -> Result<(), Malformed> {
    if kind == Kind::Identity && !document.has_variables {
        return Err(Malformed::Version);
    }
    let sids: Vec<_> = document.statements.iter().filter_map(|statement| statement.sid.as_ref()).collect();
    if sids.iter().enumerate().any(|(at, sid)| sids.iter().skip(at + 1).any(|other| other == sid)) {
        return Err(Malformed::Sid);
    }
    for statement in &document.statements {
        if statement.actions.patterns.is_empty() {
            return Err(Malformed::NoActions);
        }
        match kind {
            Kind::Identity | Kind::Inline => check_identity(statement)?,
            Kind::Trust => check_trust(statement)?,
            Kind::Resource => check_resource(statement)?,
        }
    }
    Ok(())
}

fn check_identity(statement: &Statement) -> Result<(), Malformed> {
    if statement.principals.is_some() {
        return Err(Malformed::Principal);
    }
    let resources = statement.resources.as_ref().filter(|resources| !resources.patterns.is_empty());
    let resources = resources.ok_or(Malformed::NoResources)?;
    statement.actions.patterns.iter().try_for_each(|action| check_action(action))?;
    let is_arn = |text: &str| text == "*" || (text.starts_with("arn:") && text.split(':').count() > 2);
    match resources.patterns.iter().find(|resource| !is_arn(resource)) {
        Some(resource) => Err(Malformed::Resource(resource.clone())),
        None => Ok(()),
    }
}

fn check_action(action: &str) -> Result<(), Malformed> {
    if action == "*" {
        return Ok(());
    }
    let (vendor, _) = action.split_once(':').ok_or(Malformed::Vendor)?;
    let is_name = !vendor.is_empty() && vendor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_name { Ok(()) } else { Err(Malformed::VendorName(vendor.to_owned())) }
}

fn check_resource(statement: &Statement) -> Result<(), Malformed> {
    if statement.principals.is_none() {
        return Err(Malformed::NoPrincipal);
    }
    if statement.resources.as_ref().is_none_or(|resources| resources.patterns.is_empty()) {
        return Err(Malformed::NoResources);
    }
    statement.actions.patterns.iter().try_for_each(|action| check_action(action))
}

fn check_trust(statement: &Statement) -> Result<(), Malformed> {
    if statement.resources.is_some() {
        return Err(Malformed::ProhibitedResource);
    }
    if statement.principals.is_none() {
        return Err(Malformed::NoPrincipal);
    }
    let is_assume = |action: &String| action.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"));
    if statement.actions.patterns.iter().all(is_assume) { Ok(()) } else { Err(Malformed::NotAssumeRole) }
}

fn read_statement(object: &Object, kind: Kind) -> Result<Statement, Malformed> {
    let syntax = |hint: String| Malformed::Syntax(kind, hint);
    let elements =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    only(object, &elements).map_err(syntax)?;
    let sid = match object.get("Sid") {
        None => None,
        Some(Value::String(sid)) => Some(sid.clone()).filter(|sid| !sid.is_empty()),
        Some(_) => return Err(syntax("`Sid` must be text".to_owned())),
    };
    let effect = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(syntax("`Effect` must be `Allow` or `Deny`".to_owned())),
    };
    let actions = read_part(object, "Action", "NotAction").map_err(syntax)?;
    let resources = read_part(object, "Resource", "NotResource").map_err(syntax)?;
    let conditions = match object.get("Condition") {
        None => vec![],
        Some(Value::Object(conditions)) => read_conditions(conditions, kind)?,
        Some(_) => return Err(syntax("`Condition` must be an object".to_owned())),
    };
    Ok(Statement {
        sid,
        effect,
        principals: read_principals(object).map_err(syntax)?,
        actions: actions.unwrap_or(Part { negated: false, patterns: vec![] }),
        resources,
        conditions,
    })
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

fn read_conditions(object: &Object, kind: Kind) -> Result<Vec<Condition>, Malformed> {
    let mut conditions = vec![];
    for (operator, keys) in object {
        let keys = keys.as_object();
        let keys = keys.ok_or_else(|| Malformed::Syntax(kind, format!("condition `{operator}` must be an object")))?;
        for (key, values) in keys {
            let hint = || format!("condition `{operator}` of `{key}` must be a value or a list of values");
            let values = scalars(values).ok_or_else(|| Malformed::Syntax(kind, hint()))?;
            let condition = Condition::read(operator, key, values);
            conditions.push(condition.ok_or_else(|| Malformed::Operator(operator.clone()))?);
        }
    }
    Ok(conditions)
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
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
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
