//! Spelling the naive matcher's events and rules as JSON, in ways that must not matter.

use fastrand::Rng;

use crate::naive::{Field, Json, Part, Rule, Test};

fn blank(rng: &mut Rng) -> &'static str {
    ["", "", "", " ", "\n  "][rng.usize(..5)]
}

/// A string in quotes, now and then with escapes that need not be.
pub(crate) fn quote(text: &str, rng: &mut Rng) -> String {
    let escape = rng.u8(0..12) == 0;
    let spell = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if escape => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(spell).collect::<String>())
}

pub(crate) fn event(json: &Json, rng: &mut Rng) -> String {
    let text = match json {
        Json::Text(text) => quote(text, rng),
        Json::Raw(raw) => (*raw).to_owned(),
        Json::List(items) => {
            let items: Vec<String> = items.iter().map(|item| event(item, rng)).collect();
            format!("[{}]", items.join(","))
        }
        Json::Object(members) => {
            let spell = |(name, value): &(String, Json), rng: &mut Rng| {
                format!("{}{}{}:{}", blank(rng), quote(name, rng), blank(rng), event(value, rng))
            };
            let members: Vec<String> = members.iter().map(|member| spell(member, rng)).collect();
            format!("{{{}{}}}", members.join(","), blank(rng))
        }
    };
    format!("{}{text}{}", blank(rng), blank(rng))
}

fn inner(test: &Test, rng: &mut Rng) -> String {
    match test {
        Test::Raw(raw) => (*raw).to_owned(),
        Test::Exact(text) | Test::Prefix(text) | Test::Suffix(text) | Test::Fold(text) | Test::Wildcard(text) => {
            quote(text, rng)
        }
        other => panic!("not inside anything-but: {other:?}"),
    }
}

fn test(test: &Test, rng: &mut Rng) -> String {
    match test {
        Test::Exact(text) if rng.u8(0..4) == 0 && !text.contains(['.', ':']) => {
            format!(r#"{{"exactly": {}}}"#, quote(text, rng))
        }
        Test::Exact(text) => quote(text, rng),
        Test::Raw(raw) => (*raw).to_owned(),
        Test::Exists => r#"{"exists": true}"#.to_owned(),
        Test::Prefix(text) => format!(r#"{{"prefix": {}}}"#, quote(text, rng)),
        Test::Suffix(text) => format!(r#"{{"suffix": {}}}"#, quote(text, rng)),
        Test::Fold(text) => format!(r#"{{"equals-ignore-case": {}}}"#, quote(text, rng)),
        Test::FoldPrefix(text) => format!(r#"{{"prefix": {{"equals-ignore-case": {}}}}}"#, quote(text, rng)),
        Test::FoldSuffix(text) => format!(r#"{{"suffix": {{"equals-ignore-case": {}}}}}"#, quote(text, rng)),
        Test::Wildcard(text) => format!(r#"{{"wildcard": {}}}"#, quote(text, rng)),
        Test::Numeric(bounds) => {
            let bounds: Vec<String> =
                bounds.iter().map(|(operator, bound)| format!(r#""{operator}", {bound}"#)).collect();
            format!(r#"{{"numeric": [{}]}}"#, bounds.join(", "))
        }
        Test::Cidr(cidr) => format!(r#"{{"cidr": {}}}"#, quote(cidr, rng)),
        Test::But(tests) => {
            let list: Vec<String> = tests.iter().map(|test| inner(test, rng)).collect();
            let list = if list.len() == 1 && rng.bool() { list[0].clone() } else { format!("[{}]", list.join(", ")) };
            let named = |operator: &str| format!(r#"{{"anything-but": {{"{operator}": {list}}}}}"#);
            match &tests[0] {
                Test::Prefix(_) => named("prefix"),
                Test::Suffix(_) => named("suffix"),
                Test::Wildcard(_) => named("wildcard"),
                Test::Fold(_) => named("equals-ignore-case"),
                _ => format!(r#"{{"anything-but": {list}}}"#),
            }
        }
    }
}

fn nested(steps: &[&str], body: &str, rng: &mut Rng) -> String {
    steps.iter().rev().fold(body.to_owned(), |text, step| format!("{}: {{{text}}}", quote(step, rng)))
}

/// A field as a member of an object: dotted or nested. Objects of one name add up, in patterns.
fn field(field: &Field, rng: &mut Rng) -> String {
    let mut tests: Vec<String> = field.tests.iter().map(|t| test(t, rng)).collect();
    if field.absent {
        tests.insert(rng.usize(..=tests.len()), r#"{"exists": false}"#.to_owned());
    }
    let tests = format!("[{}]", tests.join(&format!(",{}", blank(rng))));
    let steps: Vec<&str> = field.name.split('.').collect();
    let dotted = rng.usize(..steps.len());
    let (above, own) = steps.split_at(dotted);
    let member = format!("{}{}: {tests}", quote(&own.join("."), rng), blank(rng));
    nested(above, &member, rng)
}

pub(crate) fn rule(rule: &Rule, rng: &mut Rng) -> String {
    let part = |part: &Part, rng: &mut Rng| match part {
        Part::Field(of) => field(of, rng),
        Part::Or(steps, alternatives) => {
            let alternatives: Vec<String> = alternatives.iter().map(|of| self::rule(of, rng)).collect();
            nested(steps, &format!(r#""$or": [{}]"#, alternatives.join(", ")), rng)
        }
    };
    let parts: Vec<String> = rule.iter().map(|of| part(of, rng)).collect();
    format!("{{{}}}", parts.join(", "))
}
