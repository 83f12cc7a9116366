//! Every case of the corpora: ours in `tests/data`, and further ones in the
//! folder that `NEARGATE_CORPORA` names (`-- --ignored`).

use std::{fs, path::Path};

use neargate_event_transform::{Context, Event, InputTransformer, TargetInput, TransformError};
use serde_json::{Value, json};

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_default()
}

fn target_input(case: &Value) -> Result<TargetInput, TransformError> {
    let transformer = case["template"].as_str().map(|template| {
        let paths = case["input_paths"].as_object().cloned().unwrap_or_default();
        InputTransformer::parse(paths.iter().map(|(name, path)| (name.as_str(), path.as_str().unwrap())), template)
    });
    TargetInput::from_members(None, case["input_path"].as_str(), transformer.transpose()?)
}

/// What we make of a case, in the corpus' own words.
fn outcome(case: &Value) -> Value {
    let input = match target_input(case) {
        Ok(input) => input,
        Err(error) => {
            let message = error.aws_message("<target-id>");
            return json!({"type": "put_targets_error", "code": "ValidationException", "message": message});
        }
    };
    let surroundings = &case["context"];
    let context = Context {
        rule_arn: text(surroundings, "rule_arn"),
        rule_name: text(surroundings, "rule_name"),
        ingestion_time: text(surroundings, "ingestion_time"),
    };
    match input.render(&Event::parse(&case["event"].to_string()).unwrap(), &context) {
        Ok(rendered) if rendered.is_json => {
            json!({"type": "json", "value": serde_json::from_str::<Value>(&rendered.text).unwrap()})
        }
        Ok(rendered) => json!({"type": "text", "value": rendered.text}),
        Err(_) => json!({"type": "not_delivered"}),
    }
}

fn run(path: &Path) -> Vec<String> {
    let lines = fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!cases.is_empty());
    let differing = cases.iter().filter(|case| outcome(case) != case["expect"]);
    differing.map(|case| format!("{}: {} for {}", case["id"], outcome(case), case["expect"])).collect()
}

#[test]
fn own_corpus_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/transformers.jsonl");
    assert_eq!(run(&path), Vec::<String>::new());
}

#[test]
#[ignore = "reads further cases from the folder that NEARGATE_CORPORA names"]
fn further_cases_hold() {
    let folder = std::env::var("NEARGATE_CORPORA").expect("NEARGATE_CORPORA names a folder of further cases");
    let path = Path::new(&folder).join("transformers.jsonl");
    assert_eq!(run(&path), Vec::<String>::new());
}
