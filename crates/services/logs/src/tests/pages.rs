//! Pages and tokens of GetLogEvents and FilterLogEvents.

use serde_json::{Value as Json, json};

use super::{NOW_MS, World, shown};

fn get(world: &mut World, mut more: Json) -> (String, Json, Json) {
    more["logGroupName"] = json!("g");
    more["logStreamName"] = json!("s");
    let answer = world.ok("GetLogEvents", more);
    (shown(&answer), answer["nextForwardToken"].clone(), answer["nextBackwardToken"].clone())
}

#[test]
fn tokens_go_both_ways_and_stay_the_same_at_the_ends() {
    let mut world = World::with_stream();
    world.put(&[(1, "a"), (2, "b"), (2, "c"), (3, "d"), (4, "e")]);
    let (events, forward, backward) = get(&mut world, json!({"limit": 2}));
    assert_eq!(events, "3:d 4:e");
    let (events, same, _) = get(&mut world, json!({"nextToken": forward}));
    assert_eq!((events.as_str(), same), ("", forward.clone()));
    let (events, _, backward) = get(&mut world, json!({"limit": 2, "nextToken": backward}));
    assert_eq!(events, "2:b 2:c");
    let (events, back_to_it, backward) = get(&mut world, json!({"limit": 2, "nextToken": backward}));
    assert_eq!(events, "1:a");
    assert_eq!(get(&mut world, json!({"limit": 1, "nextToken": back_to_it})).0, "2:b");
    let (events, _, same) = get(&mut world, json!({"limit": 2, "nextToken": backward}));
    assert_eq!((events.as_str(), same), ("", backward));

    // Who follows a stream sees what comes, once.
    world.put(&[(4, "f"), (5, "g")]);
    let (events, forward, _) = get(&mut world, json!({"nextToken": forward, "startFromHead": true}));
    assert_eq!(events, "4:f 5:g");
    assert_eq!(get(&mut world, json!({"nextToken": forward})).0, "");
}

#[test]
fn who_follows_an_empty_stream_sees_what_comes() {
    for from_head in [true, false] {
        let mut world = World::with_stream();
        let (events, forward, _) = get(&mut world, json!({"startFromHead": from_head}));
        assert_eq!(events, "");
        world.put(&[(0, "first")]);
        assert_eq!(get(&mut world, json!({"nextToken": forward})).0, "0:first");
    }
}

#[test]
fn the_end_time_is_outside_for_get_and_inside_for_filter() {
    let mut world = World::with_stream();
    world.put(&[(1, "a"), (2, "b"), (3, "c")]);
    let (start, end) = (NOW_MS + 2, NOW_MS + 3);
    assert_eq!(get(&mut world, json!({"startTime": start, "endTime": end})).0, "2:b");
    assert_eq!(get(&mut world, json!({"startTime": start, "endTime": end, "startFromHead": true})).0, "2:b");
    let filtered = world.ok("FilterLogEvents", json!({"logGroupName": "g", "startTime": start, "endTime": end}));
    assert_eq!(shown(&filtered), "2:s/b 3:s/c");
}

#[test]
fn a_page_has_one_mebibyte_of_messages_at_most() {
    let mut world = World::with_stream();
    let half = "x".repeat(1 << 19);
    for at in 0..5 {
        world.put(&[(at, &half)]);
    }
    let count = |answer: &Json| answer["events"].as_array().unwrap().len();
    let mut input = json!({"logGroupName": "g", "logStreamName": "s", "startFromHead": true});
    let mut sizes = vec![];
    for _ in 0..4 {
        let answer = world.ok("GetLogEvents", input.clone());
        sizes.push(count(&answer));
        input["nextToken"] = answer["nextForwardToken"].clone();
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
}

#[test]
fn filter_goes_over_streams_in_order_of_time() {
    let mut world = World::with_stream();
    world.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"}));
    world.put(&[(1, "ERROR a"), (3, "b"), (5, "ERROR c")]);
    world.put_into("t", &[(2, "ERROR d"), (3, "ERROR e"), (4, "f")]);
    let mut filter = |mut more: Json| {
        more["logGroupName"] = json!("g");
        let answer = world.ok("FilterLogEvents", more);
        (shown(&answer), answer["nextToken"].clone())
    };
    assert_eq!(filter(json!({})).0, "1:s/ERROR a 2:t/ERROR d 3:s/b 3:t/ERROR e 4:t/f 5:s/ERROR c");
    assert_eq!(filter(json!({"logStreamNames": ["t"]})).0, "2:t/ERROR d 3:t/ERROR e 4:t/f");
    assert_eq!(filter(json!({"logStreamNamePrefix": "s", "filterPattern": "-ERROR"})).0, "3:s/b");
    assert_eq!(filter(json!({"startFromHead": false, "limit": 2})).0, "5:s/ERROR c 4:t/f");
    let mut input = json!({"filterPattern": "ERROR", "limit": 3});
    let (page, token) = filter(input.clone());
    assert_eq!(page, "1:s/ERROR a 2:t/ERROR d 3:t/ERROR e");
    input["nextToken"] = token;
    assert_eq!(filter(input), ("5:s/ERROR c".to_owned(), Json::Null));
}

#[test]
fn a_read_touches_the_chunks_of_its_time_only() {
    let mut world = World::with_stream();
    let text = "x".repeat(10_000);
    for at in 0..10 {
        let events: Vec<_> = (0..100).map(|event| (at * 100 + event, text.as_str())).collect();
        world.put(&events);
    }
    assert_eq!(world.segments_on_disk(), 3);
    world.bytes_read();
    let one = json!({"startTime": NOW_MS + 500, "endTime": NOW_MS + 501});
    assert_eq!(get(&mut world, one).0.len(), "500:".len() + text.len());
    assert!(world.bytes_read() <= 2 * 150_000);
    for from_head in [true, false] {
        get(&mut world, json!({"startFromHead": from_head}));
        assert!((1..(1 << 20) + 2 * 150_000).contains(&world.bytes_read()));
        get(&mut world, json!({"startFromHead": from_head, "limit": 1}));
        assert!(world.bytes_read() <= 150_000);
    }
}

#[test]
fn a_page_that_finds_nothing_in_much_ends_with_a_token() {
    let mut world = World::with_stream();
    let filler = "x".repeat(1_000_000);
    for at in 0..40 {
        world.put(&[(at, &filler)]);
    }
    world.put(&[(50, "needle")]);
    for from_head in [true, false] {
        let mut input = json!({"logGroupName": "g", "filterPattern": "needle", "startFromHead": from_head});
        let mut pages = vec![];
        loop {
            let answer = world.ok("FilterLogEvents", input.clone());
            pages.push(shown(&answer));
            input["nextToken"] = answer["nextToken"].clone();
            if input["nextToken"].is_null() {
                break;
            }
        }
        assert_eq!(pages.len(), 2);
        assert_eq!(pages.concat(), "50:s/needle");
    }
}
