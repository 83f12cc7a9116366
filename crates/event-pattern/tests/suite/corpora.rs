//! Agreement with recorded outcomes.
//!
//! `tests/data/patterns.jsonl` is part of the project. Cases of other projects are not: the folder that holds them is named by
//! `NEARGATE_CORPORA`, and their test runs when asked for (`-- --ignored`).

use std::path::Path;

use neargate_event_pattern::{Pattern, RuleSet};
use serde_json::Value;

/// Cases decided otherwise on purpose, with the reason.
const EXCEPTIONS: &[(&str, &str)] =
    &[("gen-syntax/142", "complexity 15: Event Ruler itself has no limit, EventBridge refuses 11 and more")];

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().unwrap_or_default()
}

/// The outcome by the automaton, after holding the other ways to it against it.
fn outcome(pattern: &str, event: &str) -> &'static str {
    let Ok(pattern) = Pattern::parse(pattern) else { return "invalid" };
    let matches = pattern.matches(event.as_bytes());
    assert_eq!(pattern.explain(event.as_bytes()).matches(), matches, "explanation {pattern:?} {event}");
    let rules = RuleSet::new();
    rules.add(1, &pattern);
    assert_eq!(rules.matches(event.as_bytes()).map(|keys| keys == [1]), matches, "rule set {pattern:?} {event}");
    match matches {
        Ok(true) => "match",
        Ok(false) => "no_match",
        Err(_) => "event_error",
    }
}

fn run(path: &Path) -> (usize, Vec<String>) {
    let cases = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let (pattern, event, expect) = (text(&case, "pattern"), text(&case, "event"), text(&case, "expect"));
        let got = outcome(pattern, event);
        let told = text(&case, "aws_error");
        if !told.is_empty() {
            assert_eq!(Pattern::parse(pattern).unwrap_err().reason(), told, "{pattern}");
        }
        if got != expect && !EXCEPTIONS.iter().any(|(id, _)| *id == text(&case, "id")) {
            wrong.push(format!("{}: {pattern} {event}: got {got}, expected {expect}", text(&case, "id")));
        }
    }
    (count, wrong)
}

#[test]
fn generated_cases_agree() {
    let (count, wrong) = run(Path::new("tests/data/patterns.jsonl"));
    assert_eq!(count, 1685);
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

#[test]
#[ignore = "reads further cases from the folder that NEARGATE_CORPORA names"]
fn further_cases_agree() {
    let folder = std::env::var("NEARGATE_CORPORA").expect("NEARGATE_CORPORA names a folder of further cases");
    let (count, wrong) = run(&Path::new(&folder).join("patterns.jsonl"));
    assert!(count > 0 && wrong.is_empty(), "{}\n{} of {count} wrong", wrong.join("\n"), wrong.len());
}

/// Errors told otherwise on purpose. Event Ruler reads a bad pattern twice and tells the second error; EventBridge has
/// been seen to tell the first one (`content_anything_prefix_ignorecase_EXC`), so that is told here, unless `$or`
/// itself is malformed.
const OTHER_WORDS: &[&str] = &["gen-syntax/109", "gen-syntax/110", "gen-syntax/122"];

fn has_other_words(case: &Value) -> bool {
    let java = text(case, "error").starts_with("Cannot invoke ");
    java || OTHER_WORDS.contains(&text(case, "id")) || text(case, "pattern").ends_with(",{}]}")
}

#[test]
fn errors_are_told_in_the_words_recorded() {
    let cases = std::fs::read_to_string("tests/data/patterns.jsonl").unwrap();
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let expected = text(&case, "error");
        if expected.is_empty() || has_other_words(&case) {
            continue;
        }
        let error = Pattern::parse(text(&case, "pattern")).unwrap_err();
        if error.reason() != expected {
            wrong.push(format!("{}: {}: got {error}, expected {expected}", text(&case, "id"), text(&case, "pattern")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn errors_say_where() {
    let error = Pattern::parse("{\n  \"detail\": {\n    \"state\": [{\"prefix\": 1}]\n  }\n}").unwrap_err();
    assert_eq!(error.to_string(), "prefix match pattern must be a string at line 3, column 27 (`detail.state`)");
}
