//! An engine that dies in the middle and comes back ends where one that lives does.

use neargate_testkit::Harness;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::toys::{deeds, world};
use crate::{events, harness, resources, template, with};

/// One toy of a stack: needs are drawn from those before it.
#[derive(Clone, Debug)]
struct Sketch {
    needs: Vec<prop::sample::Index>,
    value: u8,
    kind: u8,
    steps: u8,
    known: bool,
    fail: Option<&'static str>,
    retained: bool,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let fail =
        prop::sample::select(vec![None, None, None, None, None, None, Some("create"), Some("update"), Some("delete")]);
    let needs = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (needs, 0..2u8, 0..2u8, 0..3u8, any::<bool>(), fail, prop::bool::weighted(0.1)).prop_map(
        |(needs, value, kind, steps, known, fail, retained)| Sketch {
            needs,
            value,
            kind,
            steps,
            known,
            fail,
            retained,
        },
    )
}

/// Each toy is there or not: the logical ids are the same in all templates of one run.
fn stack() -> impl Strategy<Value = Vec<Option<Sketch>>> {
    prop::collection::vec(prop::option::weighted(0.8, sketch()), 1..6)
}

fn resources_of(sketches: &[Option<Sketch>]) -> Json {
    let mut made: Vec<String> = vec![];
    let mut resources = Map::new();
    for (at, sketch) in sketches.iter().enumerate() {
        let Some(sketch) = sketch else { continue };
        let needs = sketch.needs.iter().filter(|_| !made.is_empty()).map(|index| made[index.index(made.len())].clone());
        let mut refs: Vec<_> = needs.collect();
        refs.sort();
        refs.dedup();
        let mut properties = json!({
            "Refs": refs, "Value": sketch.value, "Kind": sketch.kind, "Steps": sketch.steps, "Known": sketch.known, "Fail": sketch.fail,
        });
        if sketch.retained {
            properties["DeletionPolicy"] = json!("Retain");
        }
        let id = format!("R{at}");
        resources.insert(id.clone(), properties);
        made.push(id);
    }
    if resources.is_empty() {
        resources.insert("Only".into(), json!({}));
    }
    Json::Object(resources)
}

/// More than any of these stacks needs.
const COMMANDS_MAX: usize = 2000;

/// Does all operations one after the other; dies after so many commands, again and again.
fn run(operations: &[(&str, Json)], lives: &[usize]) -> String {
    let mut harness = harness();
    let mut lives = lives.iter().copied().cycle();
    let mut left = lives.next();
    let mut history = String::new();
    for (operation, input) in operations {
        // What is refused is refused in both runs.
        let reply = harness.send("cloudformation", operation, input.clone());
        history.push_str(&format!("{operation}: {}\n", reply.err().map_or("taken".into(), |fault| fault.to_string())));
        for commands in 0.. {
            assert!(commands < COMMANDS_MAX, "the stack does not come to rest: {}", events(&mut harness, "s"));
            if left == Some(0) {
                harness.reopen().unwrap();
                left = lives.next();
            }
            left = left.map(|left| left - 1);
            if !harness.run_next() {
                let Some(due) = harness.core().next_due(harness.now) else { break };
                harness.now = due;
            }
        }
        history.push_str(&outcome(&mut harness));
    }
    history
}

/// Everything that can be seen, but for what is random.
fn outcome(harness: &mut Harness) -> String {
    let stacks = crate::call(harness, "ListStacks", json!({}))["StackSummaries"].as_array().map_or(0, Vec::len);
    let seen = if stacks == 0 { String::new() } else { events(harness, "s") };
    let held = if seen.contains("s | DELETE_COMPLETE") || stacks == 0 { vec![] } else { resources(harness, "s") };
    format!("{seen}{held:?}\n{:?}\n{:?}\n", deeds(harness), world(harness))
}

fn operations(stacks: &[Vec<Option<Sketch>>], on_failure: &str) -> Vec<(&'static str, Json)> {
    let mut operations = vec![];
    for (at, stack) in stacks.iter().enumerate() {
        let template = template(resources_of(stack));
        if at == 0 {
            operations.push(("CreateStack", with("s", &template, json!({ "OnFailure": on_failure }))));
        } else {
            operations
                .push(("UpdateStack", with("s", &template, json!({ "DisableRollback": on_failure == "DO_NOTHING" }))));
        }
    }
    operations.push(("DeleteStack", json!({ "StackName": "s" })));
    operations
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dying_anywhere_changes_nothing(
        stacks in prop::collection::vec(stack(), 1..4),
        on_failure in prop::sample::select(vec!["ROLLBACK", "DO_NOTHING", "DELETE"]),
        lives in prop::collection::vec(1..6usize, 1..8),
    ) {
        let operations = operations(&stacks, on_failure);
        prop_assert_eq!(run(&operations, &[]), run(&operations, &lives));
    }

    #[test]
    fn every_stack_comes_to_rest_and_a_rollback_leaves_the_world_as_it_was(
        stacks in prop::collection::vec(stack(), 2..5),
        on_failure in prop::sample::select(vec!["ROLLBACK", "DO_NOTHING"]),
    ) {
        let mut harness = harness();
        let mut stable: Vec<String> = vec![];
        for (operation, input) in operations(&stacks, on_failure) {
            let retains = input["TemplateBody"].as_str().is_some_and(|it| it.contains("Retain"));
            let taken = harness.call("cloudformation", operation, input.clone()).is_ok();
            crate::settle(&mut harness);
            // What is retained outlives its stack.
            if !taken || retains {
                return Ok(());
            }
            if events(&mut harness, "s").contains("DELETE_FAILED") {
                // AWS lets go of what it could not delete.
                return Ok(());
            }
            let status = crate::status(&mut harness, "s");
            let status = status.split(':').next().unwrap().to_owned();
            prop_assert!(!status.ends_with("IN_PROGRESS"), "{}", events(&mut harness, "s"));
            match status.as_str() {
                "ROLLBACK_COMPLETE" | "DELETE_COMPLETE" => prop_assert_eq!(world(&harness), Vec::<String>::new()),
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" => {
                    stable = world(&harness);
                    let whole = input["TemplateBody"].as_str().unwrap().matches("Toy::Box").count();
                    prop_assert_eq!(stable.len(), whole, "{}", events(&mut harness, "s"));
                }
                "UPDATE_ROLLBACK_COMPLETE" => {
                    prop_assert_eq!(world(&harness), stable.clone(), "{}", events(&mut harness, "s"));
                }
                _ => {}
            }
        }
    }
}
