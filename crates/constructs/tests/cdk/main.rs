//! Our constructs against the AWS CDK: the same stacks, made by `app.js` with the CDK (`templates/`) and here, are equal.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is test code; clippy knows only `#[test]` functions as such"
)]

mod across_stacks;
mod clusters;
mod images;
mod keys_and_secrets;
mod logical_ids;
mod networks;
mod roles;
mod rules;
mod security_groups;
mod tasks;

use std::path::{Path, PathBuf};

use neargate_constructs::{App, AppProps, Environment, StackProps};
use neargate_template::{Template, semantic_diff};
use serde_json::{Value, json};

/// An app that reads nothing from the environment.
fn app() -> App {
    let zones =
        json!({"availability-zones:account=123456789012:region=eu-west-1": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]});
    App::with_props(AppProps { context: zones.as_object().cloned(), ..AppProps::default() })
}

/// The fixed environment of the fixtures.
fn fixed() -> StackProps {
    let env = Environment { account: Some("123456789012".to_owned()), region: Some("eu-west-1".to_owned()) };
    StackProps { env, ..StackProps::default() }
}

/// The directory of the fixtures.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cdk")
}

/// The app's stacks are those that the CDK made.
fn check(app: &App, stacks: &[&str]) {
    let assembly = app.assemble().unwrap_or_else(|diagnostics| {
        panic!("{}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    for stack in stacks {
        let path = here().join(format!("templates/{stack}.template.json"));
        let expected = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let ours = assembly.stacks.iter().find(|artifact| artifact.id == *stack).unwrap();
        assert_same(&expected, &ours.template);
    }
}

fn assert_same(expected: &Value, ours: &Value) {
    let parse = |json: &Value| Template::parse(&json.to_string(), "template.json").0.unwrap();
    let differences = semantic_diff(&parse(expected), &parse(ours));
    let text: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "cdk → ours:\n{}", text.join("\n"));
}
