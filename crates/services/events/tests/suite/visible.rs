//! Events in the form that rules see.

use expect_test::{Expect, expect};
use neargate_base::Scope;
use neargate_events::visible;
use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

use crate::world::{call, counts, harness, rule, runs, target};

fn put(harness: &mut Harness, bus: Option<&str>, events: &str) -> Result<Json, String> {
    let events = visible::read(events.as_bytes(), &harness.scope)?;
    harness.perform(|cx| visible::put(cx, bus, &events)).map_err(|fault| fault.to_string())
}

fn refused(events: &str, expected: Expect) {
    let mut harness = harness();
    rule(&mut harness, "r", json!({ "EventPattern": r#"{"source":[{"exists":true}]}"# }), target(json!({})));
    expected.assert_eq(&put(&mut harness, None, events).unwrap_err());
    assert_eq!(counts(&mut harness, "r"), (0, 0, 0), "nothing was delivered");
}

#[test]
fn an_event_of_a_service_reaches_its_rule_as_it_was_given() {
    let mut harness = harness();
    let transformer = json!({
        "InputPathsMap": { "key": "$.detail.object.key", "size": "$.detail.object.size", "at": "$.time", "id": "$.id", "r": "$.resources[0]" },
        "InputTemplate": r#"{"containerOverrides":[{"name":"app","command":["<key>","<size>","<at>","<id>","<r>"]}]}"#,
    });
    let pattern = json!({ "EventPattern": r#"{"source":["aws.s3"],"detail-type":["Object Created"]}"# });
    rule(&mut harness, "made", pattern, target(json!({ "InputTransformer": transformer })));
    let event = r#"[{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3",
        "account":"000000000000","time":"2021-11-12T00:00:00Z","region":"eu-west-1","resources":["arn:aws:s3:::b"],
        "detail":{"object":{"key":"k","size":1.50}}}]"#;
    let answer = put(&mut harness, None, event).unwrap();
    assert_eq!(
        answer,
        json!({ "events": [{
            "id": "17793124-05d4-b198-2fde-7ededc63b103", "source": "aws.s3", "detail-type": "Object Created",
            "event-bus": "default", "account": "000000000000", "region": "eu-west-1", "undecided": [],
            "matched": [{
                "rule": "made", "arn": "arn:aws:events:eu-west-1:000000000000:rule/made", "targets": [{ "id": "t" }],
            }],
        }] })
    );
    let [run] = &runs(&mut harness)[..] else { panic!("one task") };
    let command = &run["overrides"]["containerOverrides"][0]["command"];
    let id = "17793124-05d4-b198-2fde-7ededc63b103";
    assert_eq!(*command, json!(["k", "1.50", "2021-11-12T00:00:00Z", id, "arn:aws:s3:::b"]));
}

#[test]
fn what_matched_nothing_is_told_from_what_did_and_from_what_failed() {
    let mut harness = harness();
    rule(&mut harness, "a", json!({ "EventPattern": r#"{"source":["aws.ecr"]}"# }), target(json!({})));
    let nobody = json!({ "Id": "q", "Arn": "arn:aws:sqs:eu-west-1:000000000000:q" });
    rule(&mut harness, "b", json!({ "EventPattern": r#"{"source":["own"]}"# }), nobody);
    let event = |source: &str| json!({ "source": source, "detail-type": "t", "detail": {} });
    let events = json!([event("aws.ecr"), event("aws.none"), event("own")]).to_string();
    let answer = put(&mut harness, None, &events).unwrap();
    let met: Vec<_> = answer["events"].as_array().unwrap().iter().map(|event| event["matched"].to_string()).collect();
    expect![[r#"
        [{"rule":"a","arn":"arn:aws:events:eu-west-1:000000000000:rule/a","targets":[{"id":"t"}]}]
        []
        [{"rule":"b","arn":"arn:aws:events:eu-west-1:000000000000:rule/b","targets":[{"id":"q","error":"NotImplemented: Neargate does not deliver to targets of `sqs` yet (`arn:aws:sqs:eu-west-1:000000000000:q`)","hint":null}]}]"#]]
    .assert_eq(&met.join("\n"));
    let ids: Vec<_> = answer["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.len() == 36) && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn events_go_to_the_bus_account_and_region_that_they_name() {
    let mut harness = harness();
    let pattern = json!({ "EventPattern": r#"{"source":["aws.s3"]}"# });
    rule(&mut harness, "here", pattern.clone(), target(json!({})));
    call(&mut harness, "CreateEventBus", json!({ "Name": "own" }));
    call(
        &mut harness,
        "PutRule",
        json!({ "Name": "there", "EventBusName": "own", "EventPattern": pattern["EventPattern"] }),
    );
    let mut met = |bus: Option<&str>, more: Json| {
        let mut event = json!({ "source": "aws.s3", "detail-type": "t" });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = put(&mut harness, bus, &json!([event]).to_string())?;
        Ok::<_, String>(
            answer["events"][0]["matched"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["rule"].to_string())
                .collect::<String>(),
        )
    };
    assert_eq!(met(None, json!({})).unwrap(), r#""here""#);
    assert_eq!(met(None, json!({ "region": "us-east-1" })).unwrap(), "");
    assert_eq!(met(None, json!({ "account": "111111111111" })).unwrap(), "");
    assert_eq!(met(Some("own"), json!({})).unwrap(), r#""there""#);
    assert_eq!(met(Some("none"), json!({})).unwrap_err(), "ResourceNotFoundException: Event bus none does not exist.");
}

#[test]
fn an_id_that_comes_twice_leads_to_each_of_its_own_tasks() {
    let mut harness = harness();
    rule(&mut harness, "a", json!({ "EventPattern": r#"{"source":["aws.s3"]}"# }), target(json!({})));
    let event = json!({ "id": "same", "source": "aws.s3", "detail-type": "t" });
    put(&mut harness, None, &json!([event, event]).to_string()).unwrap();
    put(&mut harness, None, &json!([event]).to_string()).unwrap();
    assert_eq!(runs(&mut harness).len(), 3);
    let rows = harness.rows();
    let causes = rows.iter().filter(|row| row.table == "kernel.cause" && row.key.contains("same")).count();
    assert_eq!(causes, 3, "each has its own");
}

#[test]
fn what_is_no_event_puts_nothing_on_the_bus() {
    let good = r#"{"source":"aws.s3","detail-type":"t"}"#;
    refused(
        "{}",
        expect!["a JSON list of events is expected: invalid type: map, expected a sequence at line 1 column 0"],
    );
    refused("[]", expect!["got 0 events, expected 1 to 1000"]);
    refused(&format!("[{good},1]"), expect!["event 2: it is no JSON object"]);
    refused(&format!(r#"[{good},{{"detail-type":"t"}}]"#), expect!["event 2: `source` is missing"]);
    refused(r#"[{"source":"aws.s3"}]"#, expect!["event 1: `detail-type` is missing"]);
    refused(
        r#"[{"source":"aws.s3","detailType":"t"}]"#,
        expect![
            "event 1: events have no `detailType`, they have version, id, detail-type, source, account, time, region, resources, detail, replay-name"
        ],
    );
    let with = |member: &str| format!(r#"[{{"source":"aws.s3","detail-type":"t",{member}}}]"#);
    refused(&with(r#""detail":"x""#), expect!["event 1: `detail` is no JSON object"]);
    refused(&with(r#""account":"me""#), expect!["event 1: `account` is `me`, expected twelve digits"]);
    refused(&with(r#""region":"mars-1""#), expect!["event 1: `region` is `mars-1`, which AWS does not have"]);
    refused(
        &with(r#""time":"today""#),
        expect!["event 1: `time`: `today` is no time: expected RFC 3339 such as `2026-11-21T10:00:00Z`"],
    );
    refused(&with(r#""id":"""#), expect!["event 1: `id` is not of 1 to 256 characters"]);
    refused(&with(r#""resources":"x""#), expect!["event 1: `resources` is no list of texts"]);
    refused(&with(r#""region":7"#), expect!["event 1: `region` is no text"]);
    refused(
        r#"[{"source":"a","source":"b","detail-type":"t"}]"#,
        expect!["event 1: duplicate field `source` at line 1 column 22"],
    );
}

#[test]
fn an_event_without_a_place_is_where_the_caller_is() {
    let here = Scope::new("111111111111", "eu-central-1");
    let events = visible::read(br#"[{"source":"s","detail-type":"t"}]"#, &here).unwrap();
    let mut harness = harness();
    let answer = harness.perform(|cx| visible::put(cx, None, &events)).unwrap();
    assert_eq!(answer["events"][0]["account"], "111111111111");
    assert_eq!(answer["events"][0]["region"], "eu-central-1");
}
