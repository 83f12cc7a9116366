//! Every case of the corpora that its makers are sure of: ours in `tests/data`, and further ones in the
//! folder that `NEARGATE_CORPORA` names (`-- --ignored`).

use std::{fs, path::Path};

use neargate_schedule::{Dialect, LocalTime, Schedule, Zone};
use serde_json::Value;

use crate::ms;

fn dialect(case: &Value) -> Dialect {
    match case["api"].as_str() {
        Some("events:PutRule") => Dialect::Rule,
        _ => Dialect::Scheduler,
    }
}

/// Why we differ from the case, if we do.
fn difference(case: &Value) -> Option<String> {
    let id = &case["id"];
    let valid = case["valid"].as_bool()?;
    let expression = case["expression"].as_str().unwrap();
    let schedule = match (Schedule::parse(expression, dialect(case)), valid) {
        (Ok(schedule), true) => schedule,
        (Err(error), false) => return error.expression().is_empty().then(|| format!("{id}: lost its expression")),
        (Ok(_), false) => return Some(format!("{id}: accepted `{expression}`")),
        (Err(error), true) => return Some(format!("{id}: {error}")),
    };
    let expected: Vec<String> = serde_json::from_value(case["next"].clone()).unwrap();
    let rate_start = case["start"].as_str().map(ms);
    let schedule = match rate_start {
        Some(start_ms) => schedule.created_at(start_ms),
        None => schedule.in_zone(Zone::named(case["timezone"].as_str().unwrap()).unwrap()),
    };
    let after_ms = case["after"].as_str().map_or(rate_start.unwrap_or(0), ms);
    let fires = schedule.fires_between(after_ms + 1, i64::MAX).take(expected.len().max(1));
    let actual: Vec<String> = fires.map(|fire_ms| LocalTime::utc(fire_ms).to_string()).collect();
    (actual != expected).then(|| format!("{id}: `{expression}` gives {actual:?}, not {expected:?}"))
}

fn run(path: &Path, sure: &[&str]) -> Vec<String> {
    let lines = fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let judged: Vec<&Value> =
        cases.iter().filter(|case| sure.contains(&case["confidence"].as_str().unwrap())).collect();
    assert!(judged.len() > 50);
    judged.into_iter().filter_map(difference).collect()
}

#[test]
fn own_corpus_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schedules.jsonl");
    // `low` is where validators disagree; there we follow the wider reading, and `valid: null` judges nobody.
    assert_eq!(run(&path, &["high", "docs", "medium", "low"]), Vec::<String>::new());
}

#[test]
#[ignore = "reads further cases from the folder that NEARGATE_CORPORA names"]
fn further_cases_hold() {
    let folder = std::env::var("NEARGATE_CORPORA").expect("NEARGATE_CORPORA names a folder of further cases");
    let path = Path::new(&folder).join("schedules.jsonl");
    assert_eq!(run(&path, &["high"]), Vec::<String>::new());
}
