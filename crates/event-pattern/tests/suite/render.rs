//! Spelling the naive matcher's events and rules as JSON, in ways that must not matter.

use fastrand::Rng;

use crate::naive::{Field, Json, Rule, Test};

fn blank(rng: &mut Rng) -> &'static str {
    ["", "", "", " ", "\n  "][rng.usize(..5)]
}

/// A string in quotes, now and then with escapes that need not be.
pub(crate) fn quote(text: &str, rng: &mut Rng) -> String {
    let escape = rng.u8(0..12) == 0;
    let spell = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if escape && u32::from(c) < 0x10000 => format!("\\u{:04x}", u32::from(c)),
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
        Test::Exact(text) | Test::Prefix(text) | Test::Wildcard(text) => quote(text, rng),
        other => panic!("not inside anything-but: {other:?}"),
    }
}

fn test(test: &Test, rng: &mut Rng) -> String {
    match test {
        Test::Exact(text) => quote(text, rng),
        Test::Raw(raw) => (*raw).to_owned(),
        Test::Exists => r#"{"exists": true}"#.to_owned(),
        Test::Prefix(text) => format!(r#"{{"prefix": {}}}"#, quote(text, rng)),
        Test::Suffix(text) => format!(r#"{{"suffix": {}}}"#, quote(text, rng)),
        Test::Fold(text) => format!(r#"{{"equals-ignore-case": {}}}"#, quote(text, rng)),
        Test::FoldPrefix(text) => format!(r#"{{"prefix": {{"equals-ignore-case": {}}}}}"#, quote(text, rng)),
        Test::FoldSuffix(text) => format!(r#"{{"suffix": {{"equals-ignore-case": {}}}}}"#, quote(text, rng)),
        Test::Wildcard(text) => format!(r#"{{"wildcard": {}}}"#, quote(text, rng)),
        Test::Less(bound) => format!(r#"{{"numeric": ["<", {bound}]}}"#),
        Test::Between(low, high) => format!(r#"{{"numeric": [">=", {low}, "<", {high}.0]}}"#),
        Test::Cidr(net) => format!(r#"{{"cidr": "10.0.{net}.9/24"}}"#),
        Test::But(tests) => {
            let list: Vec<String> = tests.iter().map(|test| inner(test, rng)).collect();
            let list = if list.len() == 1 { list[0].clone() } else { format!("[{}]", list.join(", ")) };
            match &tests[0] {
                Test::Prefix(_) => format!(r#"{{"anything-but": {{"prefix": {list}}}}}"#),
                Test::Wildcard(_) => format!(r#"{{"anything-but": {{"wildcard": {list}}}}}"#),
                _ => format!(r#"{{"anything-but": {list}}}"#),
            }
        }
    }
}

/// Fields as the body of an object: dotted where they may be, nested where that needs no merging.
fn fields(fields: &[Field], rng: &mut Rng) -> String {
    let spell = |field: &Field, rng: &mut Rng| {
        let mut tests: Vec<String> = field.tests.iter().map(|t| test(t, rng)).collect();
        if field.absent {
            tests.push(r#"{"exists": false}"#.to_owned());
        }
        let tests = format!("[{}]", tests.join(", "));
        let head = field.name.split('.').next().unwrap_or_default();
        let alone = fields.iter().filter(|other| other.name.split('.').next() == Some(head)).count() == 1;
        if !alone || rng.bool() {
            return format!("{}: {tests}", quote(&field.name, rng));
        }
        let mut steps: Vec<&str> = field.name.split('.').collect();
        let last = steps.pop().unwrap_or_default();
        let start = format!("{}: {tests}", quote(last, rng));
        steps.iter().rev().fold(start, |text, step| format!("{}: {{{text}}}", quote(step, rng)))
    };
    let fields: Vec<String> = fields.iter().map(|field| spell(field, rng)).collect();
    fields.join(", ")
}

pub(crate) fn rule(rule: &Rule, rng: &mut Rng) -> String {
    let branches: Vec<String> = rule.iter().map(|branch| format!("{{{}}}", fields(branch, rng))).collect();
    if branches.len() == 1 { branches[0].clone() } else { format!(r#"{{"$or": [{}]}}"#, branches.join(", ")) }
}
