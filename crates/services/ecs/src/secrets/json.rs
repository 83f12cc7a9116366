//! One field of a secret that is a JSON object, as Fargate's agent, which is written in Go, reads and prints it.

use serde_json::{Error, Value};
use zeroize::Zeroizing;

/// The field as text. `Err` is the agent's text.
pub(super) fn field(text: &str, key: &str) -> Result<Zeroizing<String>, String> {
    let whole: Value = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    let missing = || format!("retrieved secret from Secrets Manager did not contain json key {key}");
    let members = match whole {
        Value::Object(members) => members,
        // To Go that is a map without anything in it.
        Value::Null => return Err(missing()),
        other => {
            return Err(format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                kind(&other)
            ));
        }
    };
    let found = members.get(key).map(|value| Zeroizing::new(printed(value)));
    found.ok_or_else(missing)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn unreadable(text: &str, error: &Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = line.get(error.column().saturating_sub(1)..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
    let shown = if at == '\'' { "\\'".to_owned() } else { at.to_string() };
    let places = [
        ("trailing characters", "after top-level value"),
        ("key must be a string", "looking for beginning of object key string"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
    ];
    let text = error.to_string();
    let place = places.iter().find(|(begin, _)| text.starts_with(begin));
    format!("invalid character '{shown}' {}", place.map_or("looking for beginning of value", |(_, place)| place))
}

/// What Go's `%v` makes of a decoded value.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), float),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(" ")),
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            let shown: Vec<_> = sorted.iter().map(|(key, value)| format!("{key}:{}", printed(value))).collect();
            format!("map[{}]", shown.join(" "))
        }
    }
}

/// The shortest digits, with an exponent of at least two digits below 1e-4 and from 1e21 on.
fn float(number: f64) -> String {
    let exponential = format!("{number:e}");
    let Some((digits, exponent)) = exponential.split_once('e') else { return exponential };
    match exponent.parse::<i32>() {
        Ok(exponent) if number != 0.0 && !(-4..21).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    fn check(text: &str, expected: &str) {
        let got = field(text, "k").map_or_else(|text| format!("error: {text}"), |value| value.to_string());
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn a_field_is_printed_as_the_agent_prints_it() {
        check(r#"{"k":"text"}"#, "text");
        check(r#"{"k":3306}"#, "3306");
        check(r#"{"k":1.50}"#, "1.5");
        check(r#"{"k":1e21}"#, "1e+21");
        check(r#"{"k":0.00001}"#, "1e-05");
        check(r#"{"k":100000000000000000000}"#, "100000000000000000000");
        check(r#"{"k":true}"#, "true");
        check(r#"{"k":null}"#, "<nil>");
        check(r#"{"k":{"b":1,"a":["x",2]}}"#, "map[a:[x 2] b:1]");
    }

    #[test]
    fn what_is_no_object_with_that_field_is_said_in_the_agents_words() {
        check(r#"{"other":1}"#, "error: retrieved secret from Secrets Manager did not contain json key k");
        check("'a'", r"error: invalid character '\'' looking for beginning of value");
        check("hunter2", "error: invalid character 'h' looking for beginning of value");
        check("null", "error: retrieved secret from Secrets Manager did not contain json key k");
        check(r#"{"k":1} x"#, "error: invalid character 'x' after top-level value");
        check("{k:1}", "error: invalid character 'k' looking for beginning of object key string");
        check(r#"{"k" 1}"#, "error: invalid character '1' after object key");
        check(r#"{"k":1 2}"#, "error: invalid character '2' after object key:value pair");
        check(r#"{"k":[1 2]}"#, "error: invalid character '2' after array element");
        check("", "error: unexpected end of JSON input");
        check(r#"{"k":"#, "error: unexpected end of JSON input");
        check("\"text\"", "error: json: cannot unmarshal string into Go value of type map[string]interface {}");
    }
}
