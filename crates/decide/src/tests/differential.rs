//! Random documents and questions, decided twice: by the module, and by an evaluator that reads the JSON anew for every
//! question and follows AWS's pages sentence by sentence, without the module's types.

use serde_json::{Value, json};

use super::super::{Caller, Context, Document, Kind, Policy, Question, Verdict, decide, explain};

const ACTIONS: &[&str] = &["ecs:RunTask", "ecs:StopTask", "iam:PassRole", "s3:GetObject"];
const ACTION_PATTERNS: &[&str] = &["*", "ecs:*", "ecs:RunTask", "ECS:?untask", "iam:Pass*", "s3:Get*", "*"];
const RESOURCES: &[&str] = &[
    "arn:aws:ecs:eu-west-1:000000000000:task/c/1",
    "arn:aws:ecs:eu-west-1:000000000000:task-definition/f:1",
    "arn:aws:iam::000000000000:role/alice",
    "arn:aws:s3:::b/alice/k",
];
const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "arn:aws:ecs:*:*:task/*",
    "arn:aws:ecs:*:000000000000:task-definition/f:*",
    "arn:aws:ecs:eu-*:000000000000:task/c/?",
    "arn:aws:iam::000000000000:role/${aws:username}",
    "arn:aws:s3:::b/${aws:username}/*",
    "arn:aws:s3:::b/${absent}/*",
];
const VALUES: &[&str] = &["alice", "bob", "a*", "?ob", "7", "12"];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "NumericLessThan",
    "NumericGreaterThanEquals",
    "Null",
];

fn pick<'a>(rng: &mut fastrand::Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

fn some(rng: &mut fastrand::Rng, from: &[&str]) -> Value {
    if rng.bool() {
        return json!(pick(rng, from));
    }
    (0..rng.usize(1..3)).map(|_| pick(rng, from)).collect()
}

fn condition(rng: &mut fastrand::Rng) -> Value {
    let operator = pick(rng, OPERATORS);
    if operator == "Null" {
        return json!({"Null": {pick(rng, &["k:one", "k:many"]): rng.bool()}});
    }
    let prefix = pick(rng, &["", "", "ForAllValues:", "ForAnyValue:"]);
    let suffix = pick(rng, &["", "", "IfExists"]);
    json!({format!("{prefix}{operator}{suffix}"): {pick(rng, &["k:one", "K:Many"]): some(rng, VALUES)}})
}

fn document(rng: &mut fastrand::Rng) -> Value {
    let statements: Vec<Value> = (0..rng.usize(1..4))
        .map(|_| {
            let mut statement = json!({"Effect": if rng.u8(..4) == 0 { "Deny" } else { "Allow" }});
            statement[pick(rng, &["Action", "Action", "NotAction"])] = some(rng, ACTION_PATTERNS);
            statement[pick(rng, &["Resource", "Resource", "NotResource"])] = some(rng, RESOURCE_PATTERNS);
            if rng.bool() {
                statement["Condition"] = condition(rng);
            }
            statement
        })
        .collect();
    let statements = if statements.len() == 1 && rng.bool() { statements[0].clone() } else { json!(statements) };
    json!({"Version": "2012-10-17", "Statement": statements})
}

type Keys = Vec<(&'static str, Vec<String>)>;

fn keys(rng: &mut fastrand::Rng) -> Keys {
    let mut keys: Keys = vec![];
    if rng.bool() {
        keys.push(("aws:username", vec![pick(rng, &["alice", "bob", "a*"]).to_owned()]));
    }
    if rng.bool() {
        keys.push(("k:one", vec![pick(rng, VALUES).to_owned()]));
    }
    if rng.bool() {
        keys.push(("k:many", (0..rng.usize(..3)).map(|_| pick(rng, VALUES).to_owned()).collect()));
    }
    keys
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(list).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn values<'k>(keys: &'k Keys, name: &str) -> Option<&'k Vec<String>> {
    let (_, values) = keys.iter().find(|(key, _)| key.to_lowercase() == name.to_lowercase())?;
    Some(values).filter(|values| !values.is_empty())
}

/// Puts a variable's value in place, its wildcards marked as letters by characters of the private use area.
fn substituted(pattern: &str, keys: &Keys) -> Option<String> {
    let Some((before, rest)) = pattern.split_once("${") else { return Some(pattern.to_owned()) };
    let (name, after) = rest.split_once('}').unwrap();
    let value =
        values(keys, name).filter(|values| values.len() == 1)?[0].replace('*', "\u{e000}").replace('?', "\u{e001}");
    Some(format!("{before}{value}{}", substituted(after, keys)?))
}

fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        ['?', rest @ ..] => !text.is_empty() && glob(rest, &text[1..]),
        [letter, rest @ ..] => {
            let letter = match letter {
                '\u{e000}' => '*',
                '\u{e001}' => '?',
                letter => *letter,
            };
            text.first() == Some(&letter) && glob(rest, &text[1..])
        }
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    glob(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn naive_condition(operator: &str, wanted: &[String], got: Option<&Vec<String>>) -> bool {
    if operator == "Null" {
        return wanted[0] == got.is_none().to_string();
    }
    let (prefix, operator) = operator.split_once(':').unwrap_or(("", operator));
    let optional = operator.ends_with("IfExists");
    let operator = operator.trim_end_matches("IfExists");
    let one = |value: &String| -> bool {
        let number = |text: &String| text.parse::<f64>().ok();
        let any = |test: &dyn Fn(&String) -> bool| wanted.iter().any(test);
        match operator {
            "StringEquals" => any(&|w| w == value),
            "StringNotEquals" => !any(&|w| w == value),
            "StringLike" => any(&|w| fits(w, value)),
            "StringNotLike" => !any(&|w| fits(w, value)),
            "NumericLessThan" => any(&|w| number(value).is_some_and(|v| number(w).is_some_and(|w| v < w))),
            _ => any(&|w| number(value).is_some_and(|v| number(w).is_some_and(|w| v >= w))),
        }
    };
    match (prefix, got) {
        ("ForAllValues", None) => true,
        ("ForAllValues", Some(got)) => got.iter().all(one),
        ("ForAnyValue", None) => optional,
        ("ForAnyValue", Some(got)) => got.iter().any(one),
        (_, None) => optional || operator.contains("Not"),
        (_, Some(got)) if operator.contains("Not") => got.iter().all(one),
        (_, Some(got)) => got.iter().any(one),
    }
}

fn naive(document: &Value, action: &str, resource: &str, keys: &Keys) -> &'static str {
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    };
    let mut verdict = "not allowed";
    for statement in statements {
        let act = |pattern: &String| fits(&pattern.to_lowercase(), &action.to_lowercase());
        let res = |pattern: &String| substituted(pattern, keys).is_some_and(|pattern| fits(&pattern, resource));
        let applies = |name: &str, test: &dyn Fn(&String) -> bool| match statement.get(name) {
            Some(patterns) => list(patterns).iter().any(test),
            None => !list(&statement[format!("Not{name}")]).iter().any(test),
        };
        let no_conditions = serde_json::Map::new();
        let conditions = statement["Condition"].as_object().unwrap_or(&no_conditions);
        let satisfied = conditions.iter().all(|(operator, keyed)| {
            keyed
                .as_object()
                .unwrap()
                .iter()
                .all(|(key, wanted)| naive_condition(operator, &list(wanted), values(keys, key)))
        });
        if applies("Action", &act) && applies("Resource", &res) && satisfied {
            if statement["Effect"] == "Deny" {
                return "denied";
            }
            verdict = "allowed";
        }
    }
    verdict
}

#[test]
fn two_evaluators_agree() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..4000 {
        let json = document(&mut rng);
        let parsed = Document::parse(&json.to_string(), Kind::Identity).unwrap();
        for _ in 0..4 {
            let (action, resource, keys) = (pick(&mut rng, ACTIONS), pick(&mut rng, RESOURCES), keys(&mut rng));
            let context =
                keys.iter().fold(Context::default(), |context, (key, values)| context.with(key, values.clone()));
            let question = Question { caller: &Caller::default(), action, resource, context: &context };
            let verdict = match decide(&[Policy { name: "p", document: &parsed }], &question) {
                Verdict::Allowed { .. } => "allowed",
                Verdict::Denied { .. } => "denied",
                Verdict::NotAllowed => "not allowed",
            };
            assert_eq!(verdict, naive(&json, action, resource, &keys), "{json} {action} {resource} {keys:?}");
            *seen.entry(verdict).or_insert(0) += 1;
        }
    }
    assert!(seen.values().all(|times| *times > 500) && seen.len() == 3, "{seen:?}");
}

/// What is allowed without the value of a key is allowed whatever it is: no deny is void, no allow is a guess.
#[test]
fn a_key_that_is_not_known_never_lets_in_what_one_of_its_values_keeps_out() {
    const KEY: &str = "aws:PrincipalOrgID";
    let mut rng = fastrand::Rng::with_seed(9);
    let (mut allowed, mut held_back) = (0, 0);
    for _ in 0..4000 {
        let text = document(&mut rng).to_string().replace("k:one", KEY).replace("absent", KEY);
        let (json, parsed) = (serde_json::from_str(&text).unwrap(), Document::parse(&text, Kind::Identity).unwrap());
        let (action, resource, mut keys) = (pick(&mut rng, ACTIONS), pick(&mut rng, RESOURCES), keys(&mut rng));
        keys.retain(|(key, _)| *key != "k:one");
        let open = Context::open(action, resource);
        let context = keys.iter().fold(open, |context, (key, values)| context.with(key, values.clone()));
        let question = Question { caller: &Caller::default(), action, resource, context: &context };
        let is_allowed =
            matches!(decide(&[Policy { name: "p", document: &parsed }], &question), Verdict::Allowed { .. });
        let with = |value: Option<&str>| {
            let own = value.map(|value| (KEY, vec![value.to_owned()]));
            naive(&json, action, resource, &keys.iter().cloned().chain(own).collect())
        };
        let values = VALUES.iter().copied().map(Some).chain([None]);
        let everywhere = values.map(with).all(|verdict| verdict == "allowed");
        assert!(everywhere || !is_allowed, "{text} {action} {resource} {keys:?}");
        allowed += usize::from(is_allowed);
        held_back += usize::from(!is_allowed && with(None) == "allowed");
    }
    assert!(allowed > 300 && held_back > 100, "{allowed} {held_back}");
}

/// Broken documents are refused with a reason, whatever is broken; what is still a document still decides.
#[test]
fn documents_with_bites_taken_out_of_them() {
    let mut rng = fastrand::Rng::with_seed(8);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..6000 {
        let mut text: Vec<char> = document(&mut rng).to_string().chars().collect();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..text.len());
            match rng.u8(..3) {
                0 => drop(text.remove(at)),
                1 => text[at] = pick(&mut rng, &["\"", "$", "{", "*", "é", ":", "0"]).chars().next().unwrap(),
                _ => text.truncate(at.max(1)),
            }
        }
        let text: String = text.into_iter().collect();
        match Document::parse(&text, Kind::Identity) {
            Ok(parsed) => {
                accepted += 1;
                let keys = keys(&mut rng);
                let context =
                    keys.iter().fold(Context::default(), |context, (key, values)| context.with(key, values.clone()));
                let (action, resource) = (pick(&mut rng, ACTIONS), pick(&mut rng, RESOURCES));
                let question = Question { caller: &Caller::default(), action, resource, context: &context };
                let policies = [Policy { name: "p", document: &parsed }];
                let lines = explain(&policies, &question);
                let is_allowed = matches!(decide(&policies, &question), Verdict::Allowed { .. });
                let says_so = |what: &str| lines.iter().any(|line| line.ends_with(what));
                assert_eq!(is_allowed, says_so(": allows it") && !says_so(": denies it"), "{text} {lines:?}");
            }
            Err(malformed) => {
                refused += 1;
                assert!(!malformed.to_string().is_empty() && malformed.hint() != Some(""), "{text}");
            }
        }
    }
    assert!(accepted > 200 && refused > 2000, "{accepted} {refused}");
}
