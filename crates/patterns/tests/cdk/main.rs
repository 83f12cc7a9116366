//! Our patterns against the AWS CDK: the same stacks, made by `app.js` with the CDK (`templates/`) and here, are equal.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is test code; clippy knows only `#[test]` functions as such"
)]

mod deliberate;
mod fargate_tasks;
#[path = "../../examples/three_stacks.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod three_stacks;
mod triggered_fargate_task;

use std::path::Path;

use neargate_constructs::{App, AppProps};
use neargate_template::{Template, semantic_diff};
use serde_json::Value;

/// An app that reads nothing from the environment.
fn app() -> App {
    App::with_props(AppProps { context: Some(serde_json::Map::new()), ..AppProps::default() })
}

/// The app's stack is the one that the CDK made.
fn check(app: &App, stack: &str) {
    check_except(app, stack, |_| ());
}

/// The app's stack is the one that the CDK made, once that has what we make differently on purpose.
fn check_except(app: &App, stack: &str, differ: impl Fn(&mut Value)) {
    let assembly = app.assemble().unwrap_or_else(|diagnostics| {
        panic!("{}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cdk/templates/{stack}.template.json"));
    let mut expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    differ(&mut expected);
    let parse = |json: &Value| Template::parse(&json.to_string(), "template.json").0.unwrap();
    let differences = semantic_diff(&parse(&expected), &parse(&assembly.stack(stack).unwrap().template));
    let text: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "cdk → ours:\n{}", text.join("\n"));
}
