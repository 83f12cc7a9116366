//! From JSON with tokens to the plain JSON of a template.
//!
//! Invariant: what comes out holds no token text; a token that cannot be resolved is a diagnostic.

use neargate_base::Diagnostic;
use neargate_l1::{Json, Part, Target, Token, parts};
use serde_json::{Map, Value as Plain, json};

use crate::tree::codes;
use crate::tree::logical_id;
use crate::tree::node::Scope;
use crate::tree::node::Stack;

/// Resolves for one element of one stack.
pub(crate) struct Resolver<'a> {
    /// The stack whose template is written.
    pub(crate) stack: &'a Stack,
    /// The element that diagnostics are about.
    pub(crate) scope: &'a Scope,
}

impl Resolver<'_> {
    /// The plain value; nulls inside objects are left out.
    pub(crate) fn resolve(&self, json: &Json) -> Plain {
        match json {
            Json::Null => Plain::Null,
            Json::Bool(value) => Plain::Bool(*value),
            Json::Int(value) => Plain::from(*value),
            Json::Float(value) => Plain::from(*value),
            Json::Text(text) => self.text(text),
            Json::List(items) => Plain::Array(items.iter().map(|item| self.resolve(item)).collect()),
            Json::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries.iter().filter(|(_, value)| *value != Json::Null) {
                    map.insert(self.key(key), self.resolve(value));
                }
                Plain::Object(map)
            }
            Json::Token(token) => self.token(token),
        }
    }

    fn text(&self, text: &str) -> Plain {
        let parts: Vec<Plain> = parts(text)
            .into_iter()
            .map(|part| match part {
                Part::Text(text) => Plain::String(text.to_owned()),
                Part::Token(token) => self.token(&token),
            })
            .collect();
        join("", parts)
    }

    /// Keys are literal in CloudFormation; a token there would need a macro.
    fn key(&self, key: &str) -> String {
        if parts(key).iter().any(|part| matches!(part, Part::Token(_))) {
            self.report(codes::BAD_REFERENCE, "a key of an object holds a value that only deployment knows".to_owned());
        }
        key.to_owned()
    }

    fn token(&self, token: &Token) -> Plain {
        match token {
            Token::Ref(target) => self.reference(target, None),
            Token::GetAtt(target, attribute) => self.reference(target, Some(attribute)),
            Token::Call(name, argument) => {
                let argument = self.resolve(argument);
                match (name.as_ref(), argument) {
                    ("Fn::Join", Plain::Array(mut args))
                        if matches!(args.as_slice(), [Plain::String(_), Plain::Array(_)]) =>
                    {
                        match (args.remove(0), args.remove(0)) {
                            (Plain::String(delimiter), Plain::Array(items)) => join(&delimiter, items),
                            (delimiter, items) => json!({"Fn::Join": [delimiter, items]}),
                        }
                    }
                    (name, argument) => json!({ name: argument }),
                }
            }
            Token::EventPath(path) => {
                self.report(
                    codes::EVENT_FIELD,
                    format!("the event field `{path}` stands outside of a rule target's input"),
                );
                Plain::String(path.to_string())
            }
        }
    }

    fn reference(&self, target: &Target, attribute: Option<&str>) -> Plain {
        let plain = |id: &str| match attribute {
            Some(attribute) => json!({"Fn::GetAtt": [id, attribute]}),
            None => json!({ "Ref": id }),
        };
        let resource = match target {
            Target::Name(name) => return plain(name),
            Target::Resource(id) => match self.scope.element(*id) {
                Some(resource) => resource,
                None => {
                    self.report(codes::BAD_REFERENCE, "a value belongs to a resource of another app".to_owned());
                    return Plain::Null;
                }
            },
        };
        let producer = resource.stack();
        let local = plain(&resource.logical_id());
        if producer == *self.stack { local } else { self.weak_reference(&producer, local) }
    }

    /// A weak reference: the producer publishes an output, the consumer reads it with `Fn::GetStackOutput`.
    fn weak_reference(&self, producer: &Stack, value: Plain) -> Plain {
        let (ours, theirs) = (&self.stack.state.props.env, &producer.state.props.env);
        if ours.account != theirs.account {
            self.report(
                codes::BAD_REFERENCE,
                format!(
                    "`{}` and `{}` are in different accounts, so one cannot read the other's values",
                    self.stack.name(),
                    producer.name()
                ),
            );
        } else if ours.region != theirs.region && (ours.region.is_none() || theirs.region.is_none()) {
            self.report(
                codes::BAD_REFERENCE,
                format!(
                    "`{}` reads from `{}`, but only one of them names its region",
                    self.stack.name(),
                    producer.name()
                ),
            );
        }
        self.stack.add_stack_dependency(producer);
        // The id hashes what is published, so equal references share one output.
        let output = logical_id::unique_id(&["Publish".to_owned(), format!("Output{value}").replace('/', "--")]);
        producer.state.published.borrow_mut().insert(output.clone(), value);
        let region = match &theirs.region {
            Some(region) => Plain::String(region.clone()),
            None => json!({"Ref": "AWS::Region"}),
        };
        json!({"Fn::GetStackOutput": {"StackName": producer.name(), "Region": region, "OutputName": output}})
    }

    fn report(&self, code: neargate_base::Code, message: String) {
        self.scope.report(Diagnostic::error(code, message));
    }
}

/// The shortest `Fn::Join`: nested joins of the same delimiter are spliced, neighbouring texts merged, one item is itself.
fn join(delimiter: &str, items: Vec<Plain>) -> Plain {
    let mut flat: Vec<Plain> = Vec::new();
    for item in items {
        match nested(delimiter, &item) {
            Some(inner) => inner.iter().for_each(|item| push(delimiter, &mut flat, item.clone())),
            None => push(delimiter, &mut flat, item),
        }
    }
    match flat.len() {
        0 => Plain::String(String::new()),
        1 => flat.remove(0),
        _ => json!({"Fn::Join": [delimiter, flat]}),
    }
}

fn push(delimiter: &str, flat: &mut Vec<Plain>, item: Plain) {
    match (flat.last_mut(), item) {
        (Some(Plain::String(last)), Plain::String(text)) => {
            last.push_str(delimiter);
            last.push_str(&text);
        }
        (_, item) => flat.push(item),
    }
}

/// The items of a `Fn::Join` with this delimiter.
fn nested<'a>(delimiter: &str, item: &'a Plain) -> Option<&'a Vec<Plain>> {
    match item.as_object()?.get("Fn::Join")?.as_array()?.as_slice() {
        [Plain::String(inner), Plain::Array(items)] if inner == delimiter => Some(items),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::join;
    use serde_json::json;

    #[test]
    fn joins_are_minimal() {
        let reference = json!({"Ref": "A"});
        assert_eq!(join("", vec![]), json!(""));
        assert_eq!(join("", vec![reference.clone()]), reference);
        assert_eq!(join(":", vec![json!("a"), json!("b")]), json!("a:b"));
        assert_eq!(
            join("", vec![json!("x"), json!({"Fn::Join": ["", ["y", reference, "z"]]}), json!("!")]),
            json!({"Fn::Join": ["", ["xy", {"Ref": "A"}, "z!"]]})
        );
        let other = json!({"Fn::Join": ["-", ["y", {"Ref": "A"}]]});
        assert_eq!(join("", vec![json!("x"), other.clone()]), json!({"Fn::Join": ["", ["x", other]]}));
    }
}
