//! Every line of the corpora through `--stdin`: generated ones always, other projects' where they lie beside the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::harness::Place;

/// Decided otherwise on purpose: complexity 15, which EventBridge refuses and Event Ruler by itself does not.
const OTHERWISE: &str = "gen-syntax/142";

/// The files of one kind, as the crate that decides them has them.
fn files(owner: &str, name: &str) -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let upstream = crates.join("../../shared/corpora/upstream").join(name);
    let is_there = upstream.exists();
    if !is_there {
        println!("no `{name}` of other projects beside the checkout: not compared");
    }
    [crates.join(owner).join("tests/data").join(name)].into_iter().chain(is_there.then_some(upstream)).collect()
}

/// Puts every line to the command, twice, for what is remembered must not change an answer, and compares what it
/// answers with what `expected` makes of the case.
fn check(arguments: &[&str], owner: &str, name: &str, expected: impl Fn(&Json, &Json) -> bool) {
    for file in files(owner, name) {
        let lines = fs::read(&file).unwrap().repeat(2);
        let ran = Place::new().answer(arguments, &lines);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", file.display());
        let read = |line: &str| serde_json::from_str::<Json>(line).unwrap();
        let cases: Vec<Json> = String::from_utf8(lines).unwrap().lines().map(read).collect();
        let answers: Vec<Json> = ran.stdout.lines().map(read).collect();
        assert_eq!(answers.len(), cases.len(), "{}", file.display());
        let differing = cases
            .iter()
            .zip(&answers)
            .filter(|(case, answer)| answer["id"] != case["id"] || !expected(case, answer) && case["id"] != OTHERWISE);
        let differing: Vec<String> = differing.map(|(case, answer)| format!("{answer} for {case}")).collect();
        assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
    }
}

#[test]
fn patterns() {
    check(&["events", "test", "--stdin"], "event-pattern", "patterns.jsonl", |case, answer| {
        answer["verdict"] == case["expect"] && answer["why"].is_string() == (case["expect"] != "match")
    });
}

#[test]
fn transformers() {
    check(&["events", "transform", "--stdin"], "event-transform", "transformers.jsonl", |case, answer| {
        let members = case["expect"].as_object().unwrap();
        let has_reason = answer["why"].is_string();
        members.iter().all(|(name, value)| answer[name] == *value) && has_reason == answer["value"].is_null()
    });
}

#[test]
fn schedules() {
    check(&["schedule", "next", "--stdin"], "schedule", "schedules.jsonl", |case, answer| match &case["valid"] {
        Json::Bool(true) => answer["next"] == case["next"],
        Json::Bool(false) => answer["next"] == "invalid" && answer["why"].is_string(),
        // Where validators disagree there is an answer, whichever.
        _ => answer["next"] == "invalid" || answer["next"].is_array(),
    });
}

#[test]
fn every_pattern_alone_says_the_same() {
    let place = Place::new();
    let file = &files("event-pattern", "patterns.jsonl")[0];
    let text = fs::read_to_string(file).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    // One process each: a few of each verdict are enough.
    let mut seen = [0; 3];
    for case in cases {
        let code = ["match", "no_match", "invalid"].iter().position(|expect| case["expect"] == *expect).unwrap();
        seen[code] += 1;
        if seen[code] > 8 || case["id"] == OTHERWISE {
            continue;
        }
        let of = |member: &str| case[member].as_str().unwrap().to_owned();
        let ran =
            place.run(&["events", "test", "--pattern", &of("pattern"), "--event", &of("event"), "--format", "json"]);
        assert_eq!(ran.code, i32::try_from(code).unwrap(), "{case}: {}", ran.stderr);
        assert_eq!(serde_json::from_str::<Json>(&ran.stdout).unwrap()["verdict"], case["expect"], "{case}");
    }
    assert!(seen.iter().all(|count| *count >= 8), "{}", json!(seen));
}
