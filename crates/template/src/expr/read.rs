//! The JSON tree to an expression tree, with a finding for each function that is unknown, misplaced or malformed.
//!
//! Invariant: never stops at the first error; what could not be read becomes a null literal.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::function::{Arguments, names};
use super::sub::{Piece, pieces};
use super::{Expr, Function, SubPart};
use crate::codes;
use crate::finding::Finding;
use crate::trail::Trail;

/// Where an expression stands, which says what functions it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Properties, outputs, update policies.
    Value,
    /// `Conditions`.
    Condition,
    /// `Rules`.
    Rule,
}

/// Reads expressions and everything around them; gathers findings.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) trail: Trail,
    pub(crate) findings: Vec<Finding>,
}

impl Reader {
    /// Records a finding at the present path.
    pub(crate) fn report(&mut self, finding: Finding) {
        self.findings.push(finding.at(self.trail.path()));
    }

    /// Runs `read` one key deeper.
    pub(crate) fn key<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.trail.mark();
        self.trail.key(key);
        let result = read(self);
        self.trail.back(mark);
        result
    }

    fn index<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.trail.mark();
        self.trail.index(index);
        let result = read(self);
        self.trail.back(mark);
        result
    }

    /// Reads any value.
    pub(crate) fn expr(&mut self, json: &Json, place: Place) -> Expr {
        match json {
            Json::Array(items) => Expr::List(self.list(items, place)),
            Json::Object(members) => self.object(members, place),
            scalar => Expr::Literal(scalar.clone()),
        }
    }

    fn list(&mut self, items: &[Json], place: Place) -> Vec<Expr> {
        items.iter().enumerate().map(|(at, item)| self.index(at, |reader| reader.expr(item, place))).collect()
    }

    fn object(&mut self, members: &Map<String, Json>, place: Place) -> Expr {
        if let (1, Some((key, value))) = (members.len(), members.iter().next())
            && let Some(expr) = self.key(key, |reader| reader.function(key, value, place))
        {
            return expr;
        }
        if let Some(key) = members.keys().find(|key| key.starts_with("Fn::"))
            && members.len() > 1
        {
            let message = format!("`{key}` must be the only key of its object, got {}", listed(members.keys()));
            let aws = "Template format error: every Fn:: object must have exactly one key.";
            self.report(Finding::error(codes::FUNCTION, message, aws));
        }
        let read = |(key, value): (&String, &Json)| (key.clone(), self.key(key, |reader| reader.expr(value, place)));
        Expr::Object(members.iter().map(read).collect::<IndexMap<_, _>>())
    }

    /// Reads a function; `None` where the key is no function's and the object is an ordinary one.
    fn function(&mut self, key: &str, value: &Json, place: Place) -> Option<Expr> {
        match key {
            "Ref" => Some(self.reference(value)),
            "Condition" if place != Place::Value => Some(self.condition_name(value)),
            "Fn::GetAtt" => Some(self.get_att(value, place)),
            "Fn::Sub" => Some(self.sub(value, place)),
            "Fn::If" => Some(self.if_(value, place)),
            "Fn::Transform" | "Fn::ForEach" => Some(self.not_implemented(key)),
            _ if key.starts_with("Fn::ForEach::") => Some(self.not_implemented(key)),
            _ if !key.starts_with("Fn::") => None,
            _ => Some(match Function::find(key) {
                None => self.unknown(key),
                Some((function, _, is_condition)) if !allowed(function, is_condition, place) => {
                    self.misplaced(function, place)
                }
                Some((function, arguments, _)) => self.call(function, arguments, value, place),
            }),
        }
    }

    fn unknown(&mut self, key: &str) -> Expr {
        let message = format!("`{key}` is no intrinsic function");
        let aws = format!("Template format error: Unrecognized intrinsic function: {key}");
        self.report(Finding::error(codes::FUNCTION, message, aws).nearest(key, names()));
        Expr::Literal(Json::Null)
    }

    fn not_implemented(&mut self, key: &str) -> Expr {
        let message = format!("`{key}` is not implemented: it needs a transform or macro to run");
        let aws = format!("Template format error: {key} is not implemented.");
        let finding = Finding::error(codes::TRANSFORM, message, aws);
        self.report(finding.hint("give the template as the transform leaves it (`cdk synth`, `sam build`)"));
        Expr::Literal(Json::Null)
    }

    fn misplaced(&mut self, function: Function, place: Place) -> Expr {
        let name = function.name();
        let message = match place {
            Place::Value if function.is_rules_only() => format!("`{name}` is only allowed in `Rules`"),
            Place::Value => {
                format!("`{name}` yields a condition; only `Conditions`, `Rules` and `Fn::If` take one")
            }
            Place::Condition | Place::Rule => format!("`{name}` is not allowed in a condition"),
        };
        let aws = format!("Template error: {name} is not supported at this place.");
        let finding = Finding::error(codes::FUNCTION, message, aws);
        self.report(if place == Place::Value && !function.is_rules_only() {
            finding.hint("name it under `Conditions` and use it with `Fn::If`")
        } else {
            finding
        });
        Expr::Literal(Json::Null)
    }

    /// Records that a function's arguments are wrong.
    fn bad(&mut self, name: &str, expected: &str, got: &Json) -> Expr {
        let message = format!("`{name}` takes {expected}, got {}", kind(got));
        let aws = match name {
            "Ref" => "Template format error: Every Ref object must have a single String value.".to_owned(),
            "Fn::Join" => "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and \
                           (2) a list of strings to be joined or a function that returns a list of strings (such as \
                           Fn::GetAZs) to be joined."
                .to_owned(),
            "Fn::GetAtt" => "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource \
                             name and the resource attribute"
                .to_owned(),
            "Fn::Sub" => "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. \
                          Specify a string as first argument, and an optional second argument to specify a mapping of \
                          values to replace in the string"
                .to_owned(),
            "Fn::If" => "Template error: Fn::If requires a list argument with three elements".to_owned(),
            "Fn::Equals" => {
                "Template error: every Fn::Equals object requires a list of 2 string parameters.".to_owned()
            }
            _ => format!("Template error: every {name} object requires {expected}."),
        };
        self.report(Finding::error(codes::ARGUMENTS, message, aws));
        Expr::Literal(Json::Null)
    }

    fn reference(&mut self, value: &Json) -> Expr {
        match value.as_str() {
            Some(name) if !name.is_empty() => Expr::Ref(name.to_owned()),
            _ => self.bad("Ref", "a name", value),
        }
    }

    fn condition_name(&mut self, value: &Json) -> Expr {
        match value.as_str() {
            Some(name) => Expr::Condition(name.to_owned()),
            None => self.bad("Condition", "a condition's name", value),
        }
    }

    fn get_att(&mut self, value: &Json, place: Place) -> Expr {
        let (resource, attribute) = match value {
            Json::String(text) => match text.split_once('.') {
                Some((resource, attribute)) => (resource, Expr::Literal(attribute.into())),
                None => return self.bad("Fn::GetAtt", "a logical id and an attribute", value),
            },
            Json::Array(items) => match items.as_slice() {
                [Json::String(resource), attribute @ (Json::String(_) | Json::Object(_))] => {
                    (resource.as_str(), self.index(1, |reader| reader.expr(attribute, place)))
                }
                [Json::String(resource), rest @ ..] if !rest.is_empty() && rest.iter().all(Json::is_string) => {
                    let parts: Vec<_> = rest.iter().filter_map(Json::as_str).collect();
                    (resource.as_str(), Expr::Literal(parts.join(".").into()))
                }
                _ => return self.bad("Fn::GetAtt", "a logical id and an attribute", value),
            },
            _ => return self.bad("Fn::GetAtt", "a logical id and an attribute", value),
        };
        if resource.is_empty() || attribute.as_str() == Some("") {
            return self.bad("Fn::GetAtt", "a logical id and an attribute", value);
        }
        Expr::GetAtt { resource: resource.to_owned(), attribute: Box::new(attribute) }
    }

    fn sub(&mut self, value: &Json, place: Place) -> Expr {
        let (text, variables) = match value {
            Json::String(text) => (text, IndexMap::new()),
            Json::Array(items) => match items.as_slice() {
                [Json::String(text)] => (text, IndexMap::new()),
                [Json::String(text), Json::Object(variables)] => {
                    let read = |(key, value): (&String, &Json)| {
                        let expr = self.index(1, |reader| reader.key(key, |reader| reader.expr(value, place)));
                        (key.clone(), expr)
                    };
                    (text, variables.iter().map(read).collect::<IndexMap<_, _>>())
                }
                _ => return self.bad("Fn::Sub", "a text, or a text and an object of variables", value),
            },
            _ => return self.bad("Fn::Sub", "a text, or a text and an object of variables", value),
        };
        let mut parts = vec![];
        for piece in pieces(text) {
            parts.push(match piece {
                Piece::Text(text) => SubPart::Text(text.to_owned()),
                Piece::Escaped(name) => SubPart::Text(format!("${{{name}}}")),
                Piece::Name(name) if variables.contains_key(name) => SubPart::Variable(name.to_owned()),
                Piece::Name(name) => SubPart::Reference(match name.split_once('.') {
                    Some((resource, attribute)) => Expr::GetAtt {
                        resource: resource.to_owned(),
                        attribute: Box::new(Expr::Literal(attribute.into())),
                    },
                    None => Expr::Ref(name.to_owned()),
                }),
                Piece::Bad(name) => {
                    let message = format!("`${{{name}}}` in `Fn::Sub` is no name: expected letters, digits, `.`, `:`");
                    let aws = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric \
                               characters, underscores, periods, and colons";
                    let finding = Finding::error(codes::ARGUMENTS, message, aws);
                    self.report(finding.hint(format!("write `${{!{name}}}` for the text `${{{name}}}`")));
                    SubPart::Text(String::new())
                }
            });
        }
        Expr::Sub { parts, variables }
    }

    fn if_(&mut self, value: &Json, place: Place) -> Expr {
        match value.as_array().map(Vec::as_slice) {
            Some([Json::String(condition), then, otherwise]) => {
                let then = self.index(1, |reader| reader.expr(then, place));
                let otherwise = self.index(2, |reader| reader.expr(otherwise, place));
                Expr::If { condition: condition.clone(), branches: Box::new([then, otherwise]) }
            }
            _ => self.bad("Fn::If", "a condition's name and two values", value),
        }
    }

    fn call(&mut self, function: Function, arguments: Arguments, value: &Json, place: Place) -> Expr {
        let name = function.name();
        let arguments = match (arguments, value) {
            (Arguments::One, value) => vec![self.expr(value, place)],
            (Arguments::List(least, most), Json::Array(items)) if (least..=most).contains(&items.len()) => {
                self.list(items, place)
            }
            (Arguments::List(least, most), got) => {
                let expected =
                    if least == most { format!("a list of {least}") } else { format!("a list of {least} to {most}") };
                return self.bad(name, &expected, got);
            }
            (Arguments::Map, Json::Array(items)) => match items.as_slice() {
                [_, _, _] => self.list(items, place),
                [keys @ .., Json::Object(options)] if keys.len() == 3 && options.contains_key("DefaultValue") => {
                    let mut arguments = self.list(keys, place);
                    if let Some(default) = options.get("DefaultValue") {
                        let default = |reader: &mut Self| reader.expr(default, place);
                        arguments.push(self.index(3, |reader| reader.key("DefaultValue", default)));
                    }
                    arguments
                }
                _ => return self.bad(name, "a map's name and two keys", value),
            },
            (Arguments::Members(known, mandatory), Json::Object(members)) => {
                let missing = known.iter().take(mandatory).find(|key| !members.contains_key(**key));
                let foreign = members.keys().find(|key| !known.contains(&key.as_str()));
                if missing.is_some() || foreign.is_some() {
                    return self.bad(name, &format!("an object of {}", listed(known.iter())), value);
                }
                let read = |key: &&str| match members.get(*key) {
                    Some(value) => self.key(key, |reader| reader.expr(value, place)),
                    None => Expr::Literal(Json::Null),
                };
                known.iter().map(read).collect()
            }
            (Arguments::Map, got) => return self.bad(name, "a map's name and two keys", got),
            (Arguments::Members(known, _), got) => {
                return self.bad(name, &format!("an object of {}", listed(known.iter())), got);
            }
        };
        if function.takes_conditions()
            && let Some(Expr::Literal(scalar)) =
                arguments.iter().find(|argument| matches!(argument, Expr::Literal(json) if !json.is_null()))
            && !matches!(scalar.as_str(), Some("true" | "false"))
            && !scalar.is_boolean()
        {
            return self.bad(name, "conditions", scalar);
        }
        Expr::Call(function, arguments)
    }
}

fn allowed(function: Function, is_condition: bool, place: Place) -> bool {
    match place {
        Place::Value => !is_condition && !function.is_rules_only(),
        Place::Condition => !function.is_rules_only(),
        Place::Rule => true,
    }
}

/// `` `a`, `b` ``.
pub(crate) fn listed<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a value is, for a message.
pub(crate) fn kind(json: &Json) -> String {
    match json {
        Json::Null => "nothing".to_owned(),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(members) if members.len() == 1 => format!("an object of {}", listed(members.keys())),
        Json::Object(members) => format!("an object of {} members", members.len()),
        scalar => format!("`{scalar}`"),
    }
}
