//! The JSON reader against serde_json, and templates against random ones.

use fastrand::Rng;
use neargate_event_transform::{Context, Event, InputTransformer, TargetInput};
use serde_json::Value;

fn random(rng: &mut Rng, alphabet: &[&str], length_max: usize) -> String {
    (0..rng.usize(0..length_max)).map(|_| alphabet[rng.usize(0..alphabet.len())]).collect()
}

#[test]
fn the_reader_takes_what_serde_json_takes() {
    let alphabet = [
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\\n", "\\u00e9", "1", "-", ".5", "0", "true", "null", " ", "\n",
        "é",
    ];
    let mut rng = Rng::with_seed(3);
    let mut taken = 0;
    for _ in 0..60_000 {
        let text = random(&mut rng, &alphabet, 7);
        let theirs = serde_json::from_str::<Value>(&text);
        let ours = Event::parse(&text);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}");
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            let rendered = TargetInput::Matched.render(&ours, &Context::default()).unwrap().text;
            assert_eq!(serde_json::from_str::<Value>(&rendered).unwrap(), theirs, "{text}");
            assert_eq!(Event::parse(&rendered).unwrap(), ours, "{text}");
            taken += 1;
        }
    }
    assert!(taken > 1000, "enough texts are JSON to tell");
}

#[test]
fn what_a_json_template_delivers_is_json() {
    let event = Event::parse(r#"{"detail":{"s":"q\"uote","n":[1,{"a":"b"}],"t":"plain"}}"#).unwrap();
    let items = [
        "<s>",
        "\"<s>\"",
        "<n>",
        "\"-<n>\"",
        "<t>",
        "\"<t>\"",
        "<x>",
        "\"<x>\"",
        "{\"<t>\":<n>}",
        "<aws.events.event>",
        "\\<t>",
    ];
    let paths = [("s", "$.detail.s"), ("n", "$.detail.n"), ("t", "$.detail.t"), ("x", "$.detail.x")];
    let mut rng = Rng::with_seed(4);
    let (mut delivered, mut dropped) = (0, 0);
    for _ in 0..2_000 {
        let chosen: Vec<&str> = (0..rng.usize(1..4)).map(|_| items[rng.usize(0..items.len())]).collect();
        let template = format!("[{}]", chosen.join(","));
        let Ok(transformer) = InputTransformer::parse(paths, &template) else { continue };
        match TargetInput::Transformer(transformer).render(&event, &Context::default()) {
            Ok(rendered) => {
                assert!(serde_json::from_str::<Value>(&rendered.text).is_ok(), "{template} gave {}", rendered.text);
                delivered += 1;
            }
            Err(_) => dropped += 1,
        }
    }
    assert!(delivered > 100 && dropped > 100, "{delivered} delivered, {dropped} dropped");
}
