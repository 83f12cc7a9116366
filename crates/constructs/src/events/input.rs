//! What a rule passes to its target.

use neargate_base::Diagnostic;
use neargate_l1::{Json, Part, Token, Value, events::rule as l1, parts};

use crate::codes;

const PATHS_MAX: usize = 100;
const TEMPLATE_LENGTH_MAX: usize = 8192;

/// What a rule passes to its target instead of the whole event. Event fields may stand anywhere in it.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleTargetInput {
    /// A JSON value.
    Object(Json),
    /// A text, passed as a JSON string.
    Text(Value<String>),
    /// Lines of text, each passed as a JSON string.
    MultilineText(Value<String>),
    /// A part of the event, by JSON path.
    EventPath(String),
}

/// The members of a target that say what it is passed.
#[derive(Debug, Default)]
pub(super) struct BoundInput {
    pub(super) input: Option<Value<String>>,
    pub(super) input_path: Option<Value<String>>,
    pub(super) input_transformer: Option<Value<l1::InputTransformer>>,
}

impl RuleTargetInput {
    pub(super) fn bind(&self, found: &mut Vec<Diagnostic>) -> BoundInput {
        let mut fields = Fields::default();
        let text = match self {
            Self::EventPath(path) => {
                return BoundInput { input_path: Some(path.as_str().into()), ..BoundInput::default() };
            }
            Self::Object(json) => fields.stringify(json),
            Self::Text(text) => fields.quoted(&text.to_string()),
            Self::MultilineText(text) => {
                text.to_string().split('\n').map(|line| fields.quoted(line)).collect::<Vec<_>>().join("\n")
            }
        };
        fields.check(&text, found);
        if fields.keys.is_empty() {
            return BoundInput { input: Some(text.into()), ..BoundInput::default() };
        }
        let paths = fields
            .keys
            .into_iter()
            .map(|(key, path)| (key, Value::from(path)))
            .collect::<std::collections::BTreeMap<_, _>>();
        let transformer =
            l1::InputTransformer { input_paths_map: Some(paths.into()), input_template: Some(text.into()) };
        BoundInput { input_transformer: Some(transformer.into()), ..BoundInput::default() }
    }
}

/// The event fields of an input: the key each has in the template, and its path.
#[derive(Default)]
struct Fields {
    keys: Vec<(String, String)>,
}

impl Fields {
    /// `<key>`: the path without its beginning, in the letters that a key may have.
    fn placeholder(&mut self, path: &str) -> String {
        if let Some((key, _)) = self.keys.iter().find(|(_, known)| known == path) {
            return format!("<{key}>");
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let hint: String =
            path.trim_start_matches(|c| !legal(c)).chars().map(|c| if legal(c) { c } else { '-' }).collect();
        let number = self.keys.len() + 1;
        let key = match hint {
            hint if hint.is_empty() => format!("f{number}"),
            hint if self.keys.iter().any(|(key, _)| *key == hint) => format!("{hint}-{number}"),
            hint => hint,
        };
        self.keys.push((key.clone(), path.to_owned()));
        format!("<{key}>")
    }

    /// JSON text; embedded tokens stay what they are, event fields become placeholders.
    fn stringify(&mut self, json: &Json) -> String {
        match json {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Int(value) => value.to_string(),
            Json::Float(value) => value.to_string(),
            Json::Text(text) => self.value(text),
            Json::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.stringify(item)).collect();
                format!("[{}]", items.join(","))
            }
            Json::Map(entries) => {
                let entries = entries.iter().filter(|(_, value)| *value != Json::Null);
                let entries: Vec<String> =
                    entries.map(|(key, value)| format!("{}:{}", self.quoted(key), self.stringify(value))).collect();
                format!("{{{}}}", entries.join(","))
            }
            Json::Token(Token::EventPath(path)) => self.placeholder(path),
            Json::Token(token) => format!("\"{token}\""),
        }
    }

    /// A string value. One that is nothing but an event field is not quoted: EventBridge puts the field in with its own quotes.
    fn value(&mut self, text: &str) -> String {
        match parts(text).as_slice() {
            [Part::Token(Token::EventPath(path))] => self.placeholder(path),
            _ => self.quoted(text),
        }
    }

    fn quoted(&mut self, text: &str) -> String {
        let mut out = "\"".to_owned();
        for part in parts(text) {
            match part {
                Part::Text(text) => {
                    let quoted = serde_json::Value::from(text).to_string();
                    out.push_str(quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default());
                }
                Part::Token(Token::EventPath(path)) => out.push_str(&self.placeholder(&path)),
                Part::Token(token) => out.push_str(&token.to_string()),
            }
        }
        out.push('"');
        out
    }

    fn check(&self, template: &str, found: &mut Vec<Diagnostic>) {
        if self.keys.len() > PATHS_MAX {
            let message =
                format!("the target's input has {} event fields: expected at most {PATHS_MAX}", self.keys.len());
            found.push(Diagnostic::error(codes::TARGET, message));
        }
        // Embedded tokens are longer or shorter than what deployment puts there, so only the plain text counts.
        let plain: usize =
            parts(template).iter().map(|part| if let Part::Text(text) = part { text.chars().count() } else { 0 }).sum();
        if plain > TEMPLATE_LENGTH_MAX {
            let message = format!("the target's input has {plain} characters: expected at most {TEMPLATE_LENGTH_MAX}");
            found.push(
                Diagnostic::error(codes::TARGET, message).hint("pass less, such as a key to look the rest up by"),
            );
        }
        for (_, path) in self.keys.iter().filter(|(_, path)| !path.starts_with('$')) {
            found.push(Diagnostic::error(
                codes::TARGET,
                format!("`{path}` is no path into an event: expected one such as `$.detail.id`"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use neargate_l1::{Json, Token, Value};

    use super::RuleTargetInput;
    use crate::events::EventField;

    fn check(input: &RuleTargetInput, expected: &str, expected_paths: &[(&str, &str)]) {
        let mut found = vec![];
        let bound = input.bind(&mut found);
        assert_eq!(found, vec![]);
        match bound.input_transformer {
            Some(Value::Literal(transformer)) => {
                assert_eq!(transformer.input_template, Some(expected.into()));
                let paths = transformer.input_paths_map.unwrap();
                let paths: Vec<_> =
                    paths.literal().unwrap().iter().map(|(key, path)| (key.as_str(), path.known().unwrap())).collect();
                assert_eq!(paths, expected_paths);
            }
            _ => {
                assert_eq!(bound.input, Some(expected.into()));
                assert!(expected_paths.is_empty());
            }
        }
    }

    #[test]
    fn fields_become_placeholders_without_quotes_where_they_stand_alone() {
        let command = EventField::from_path("$.detail.command");
        let object = Json::map([
            ("alone", Json::from(command.clone())),
            ("text", Json::from(format!("{command}"))),
            ("within", Json::from(format!("run \"{command}\" now"))),
            ("list", Json::list([Json::from(1), Json::from(true), Json::Float(0.5)])),
            ("none", Json::Null),
        ]);
        check(
            &RuleTargetInput::Object(object),
            r#"{"alone":<detail-command>,"text":<detail-command>,"within":"run \"<detail-command>\" now","list":[1,true,0.5]}"#,
            &[("detail-command", "$.detail.command")],
        );
    }

    #[test]
    fn keys_are_unique() {
        let list = ["$.detail.a-b", "$.detail.a.b", "$"].map(|path| Json::from(EventField::from_path(path)));
        check(
            &RuleTargetInput::Object(Json::list(list)),
            "[<detail-a-b>,<detail-a-b-2>,<f3>]",
            &[("detail-a-b", "$.detail.a-b"), ("detail-a-b-2", "$.detail.a.b"), ("f3", "$")],
        );
    }

    #[test]
    fn texts_are_json_strings_and_tokens_stay() {
        check(&RuleTargetInput::Object(Json::Map(vec![])), "{}", &[]);
        check(&RuleTargetInput::Text("a \"b\"".into()), r#""a \"b\"""#, &[]);
        let text = format!("{}\nat {}", EventField::source(), Token::pseudo("AWS::Region"));
        check(
            &RuleTargetInput::MultilineText(text.into()),
            &format!("\"<source>\"\n\"at {}\"", Token::pseudo("AWS::Region")),
            &[("source", "$.source")],
        );
    }

    #[test]
    fn a_path_that_is_none_is_reported() {
        let mut found = vec![];
        RuleTargetInput::Object(Json::from(EventField::from_path("detail.x"))).bind(&mut found);
        assert_eq!(found[0].message, "`detail.x` is no path into an event: expected one such as `$.detail.id`");
    }
}
