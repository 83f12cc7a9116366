//! Events put are events got, in order: under random batches, restarts, lost commands, changes of key and page sizes.

use serde_json::{Value as Json, json};

use super::{NOW_MS, World, keys};

/// What a stream should hold, by time and order of putting.
type Model = Vec<(i64, usize, String)>;

#[test]
fn events_put_are_events_got() {
    for seed in 0..12 {
        run(&mut fastrand::Rng::with_seed(seed));
    }
}

fn run(rng: &mut fastrand::Rng) {
    let mut world = World::with_stream();
    world.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"}));
    let keys = [(); 2].map(|()| keys::key(&mut world, &keys::policy(&keys::ACTIONS, keys::GROUP)));
    let mut models: [Model; 2] = [vec![], vec![]];
    for _ in 0..rng.usize(5..40) {
        let which = rng.usize(..2);
        let mut events = events(rng);
        let batch =
            super::batch(["s", "t"][which], &events.iter().map(|(at, text)| (*at, text.as_str())).collect::<Vec<_>>());
        if rng.u8(..8) == 0 {
            assert!(world.apply("PutLogEvents", batch).reply.unwrap().is_ok());
            world.restart();
        } else {
            world.ok("PutLogEvents", batch);
            let held = &mut models[which];
            held.extend(events.drain(..).enumerate().map(|(at, (time, text))| (NOW_MS + time, at, text)));
        }
        if rng.u8(..8) == 0 {
            world.restart();
        }
        match keys.get(rng.usize(..12)) {
            Some(key) => drop(world.ok("AssociateKmsKey", json!({"logGroupName": "g", "kmsKeyId": key}))),
            None if rng.u8(..12) == 0 => drop(world.ok("DisassociateKmsKey", json!({"logGroupName": "g"}))),
            None => {}
        }
    }
    for model in &mut models {
        model.sort_by_key(|(time, _, _)| *time);
    }
    let mut all: Vec<_> = models
        .iter()
        .enumerate()
        .flat_map(|(stream, model)| model.iter().map(move |it| (it.0, stream, it.2.clone())))
        .collect();
    all.sort_by_key(|(time, stream, _)| (*time, *stream));
    let (start, end) = (NOW_MS + rng.i64(-90_000..10), NOW_MS + rng.i64(-50_000..10));
    let within = |time: i64| time >= start && time < end;
    let window = json!({"startTime": start, "endTime": end.max(0)});
    for (model, stream) in models.iter().zip(["s", "t"]) {
        let wanted: Vec<_> = model.iter().filter(|it| within(it.0)).map(|it| it.2.clone()).collect();
        assert_eq!(forward(&mut world, stream, &window, rng), wanted);
        assert_eq!(backward(&mut world, stream, &window, rng), wanted);
    }
    let wanted: Vec<_> = all.iter().filter(|it| within(it.0)).map(|it| it.2.clone()).collect();
    let window = json!({"startTime": start, "endTime": end - 1});
    assert_eq!(filtered(&mut world, &window, true, rng), wanted);
    let mut back = filtered(&mut world, &window, false, rng);
    back.reverse();
    assert_eq!(back, wanted);
}

/// A batch in order of its own, anywhere in the last minute and a half; now and then large.
fn events(rng: &mut fastrand::Rng) -> Vec<(i64, String)> {
    let count = if rng.bool() { rng.usize(1..5) } else { rng.usize(1..200) };
    let room = 900_000 / count;
    let letters = if rng.u8(..4) == 0 { room } else { 50 };
    let mut times: Vec<_> = (0..count).map(|_| rng.i64(-90_000..1)).collect();
    times.sort_unstable();
    times.into_iter().map(|time| (time, format!("{:x}{}", rng.u64(..), "é".repeat(rng.usize(..letters) / 2)))).collect()
}

fn page(answer: &Json, limit: usize) -> Vec<String> {
    let messages: Vec<_> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["message"].as_str().unwrap().to_owned())
        .collect();
    let bytes: usize = messages.iter().map(String::len).sum();
    assert!(messages.len() <= limit && (bytes <= 1 << 20 || messages.len() == 1));
    messages
}

fn forward(world: &mut World, stream: &str, window: &Json, rng: &mut fastrand::Rng) -> Vec<String> {
    let mut input = window.clone();
    (input["logGroupName"], input["logStreamName"], input["startFromHead"]) = (json!("g"), json!(stream), json!(true));
    let mut got = vec![];
    loop {
        let limit = rng.usize(1..300);
        input["limit"] = json!(limit);
        let answer = world.ok("GetLogEvents", input.clone());
        got.extend(page(&answer, limit));
        if input["nextToken"] == answer["nextForwardToken"] {
            return got;
        }
        input["nextToken"] = answer["nextForwardToken"].clone();
    }
}

fn backward(world: &mut World, stream: &str, window: &Json, rng: &mut fastrand::Rng) -> Vec<String> {
    let mut input = window.clone();
    (input["logGroupName"], input["logStreamName"]) = (json!("g"), json!(stream));
    let mut got = vec![];
    loop {
        let limit = rng.usize(1..300);
        input["limit"] = json!(limit);
        let answer = world.ok("GetLogEvents", input.clone());
        got.splice(..0, page(&answer, limit));
        if input["nextToken"] == answer["nextBackwardToken"] {
            return got;
        }
        input["nextToken"] = answer["nextBackwardToken"].clone();
    }
}

fn filtered(world: &mut World, window: &Json, from_head: bool, rng: &mut fastrand::Rng) -> Vec<String> {
    let mut input = window.clone();
    (input["logGroupName"], input["startFromHead"]) = (json!("g"), json!(from_head));
    let mut got = vec![];
    loop {
        let limit = rng.usize(1..300);
        input["limit"] = json!(limit);
        let answer = world.ok("FilterLogEvents", input.clone());
        got.extend(page(&answer, limit));
        if answer["nextToken"].is_null() {
            return got;
        }
        input["nextToken"] = answer["nextToken"].clone();
    }
}
