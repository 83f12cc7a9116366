//! Every line of the corpora through `--stdin`: the project's own always, others in the folder that `NEARGATE_CORPORA` names.

use neargate_testkit::needs::needs;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::harness::Place;

/// Decided otherwise on purpose: complexity 15, which EventBridge refuses and Event Ruler by itself does not.
const OTHERWISE: &str = "gen-syntax/142";

/// The project's own cases of one kind, as the crate that decides them has them.
fn own(owner: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(owner).join("tests/data").join(name)
}

/// Cases of other projects.
fn further(name: &str) -> PathBuf {
    let folder = std::env::var_os("NEARGATE_CORPORA").expect("NEARGATE_CORPORA names a folder of further cases");
    Path::new(&folder).join(name)
}

/// Puts every line to the command, twice, for what is remembered must not change an answer, and compares what it
/// answers with what `expected` makes of the case.
fn check(arguments: &[&str], file: &Path, expected: impl Fn(&Json, &Json) -> bool) {
    let lines = fs::read(file).unwrap().repeat(2);
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

fn check_patterns(file: &Path) {
    check(&["events", "test", "--stdin"], file, |case, answer| {
        answer["verdict"] == case["expect"] && answer["why"].is_string() == (case["expect"] != "match")
    });
}

fn check_transformers(file: &Path) {
    check(&["events", "transform", "--stdin"], file, |case, answer| {
        let members = case["expect"].as_object().unwrap();
        let has_reason = answer["why"].is_string();
        members.iter().all(|(name, value)| answer[name] == *value) && has_reason == answer["value"].is_null()
    });
}

fn check_schedules(file: &Path) {
    check(&["schedule", "next", "--stdin"], file, |case, answer| match &case["valid"] {
        Json::Bool(true) => answer["next"] == case["next"],
        Json::Bool(false) => answer["next"] == "invalid" && answer["why"].is_string(),
        // Where validators disagree there is an answer, whichever.
        _ => answer["next"] == "invalid" || answer["next"].is_array(),
    });
}

#[needs()]
fn patterns() {
    check_patterns(&own("event-pattern", "patterns.jsonl"));
}

#[needs()]
fn transformers() {
    check_transformers(&own("event-transform", "transformers.jsonl"));
}

#[needs()]
fn schedules() {
    check_schedules(&own("schedule", "schedules.jsonl"));
}

#[needs(corpora)]
fn further_cases() {
    check_patterns(&further("patterns.jsonl"));
    check_transformers(&further("transformers.jsonl"));
    check_schedules(&further("schedules.jsonl"));
}

#[needs()]
fn every_pattern_alone_says_the_same() {
    let place = Place::new();
    let file = own("event-pattern", "patterns.jsonl");
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
