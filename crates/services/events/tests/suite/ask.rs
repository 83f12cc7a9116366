//! Many rules, asked together: that compiled patterns are remembered changes no answer.

use serde_json::json;

use crate::world::{call, counts, harness, put};

const RULES: usize = 60;

#[test]
fn every_rule_answers_as_if_it_were_alone() {
    let mut harness = harness();
    let pattern = |at: usize| json!({ "detail": { "n": [{ "numeric": [">=", at] }] } }).to_string();
    for at in 0..RULES {
        call(&mut harness, "PutRule", json!({ "Name": format!("r{at:02}"), "EventPattern": pattern(at) }));
    }
    for n in [0, 10, 59, 100] {
        put(&mut harness, &json!({ "n": n }));
    }
    for at in 0..RULES {
        let expected = [0, 10, 59, 100].into_iter().filter(|n| *n >= at).count() as u64;
        assert_eq!(counts(&mut harness, &format!("r{at:02}")).0, expected, "rule {at}");
    }
}
