//! The automaton of a bus under every change of its rules, held against each pattern by itself.

use std::collections::BTreeMap;

use neargate_base::Scope;
use neargate_event_pattern::Pattern;
use neargate_kernel::{Command, Cx, Fault, Job, NoticeKind, Ports, Rng, Service};
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

const BUSES: [&str; 3] = ["default", "own", "own-deep"];
const REGIONS: [&str; 2] = ["eu-west-1", "eu-west-10"];

/// Makes the calls of its payload, then fails or panics, so that nothing of them may stay.
fn undo(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    for call in job.payload["calls"].as_array().unwrap() {
        cx.call_json("events", call[0].as_str().unwrap(), call[1].clone())?;
    }
    assert!(!job.payload["panics"].as_bool().unwrap(), "as was asked for");
    Err(Fault::validation("as was asked for"))
}

fn services() -> Vec<Service> {
    let mut service = neargate_events::service();
    service.jobs.push(("test.undo", undo));
    vec![service]
}

fn fresh() -> Harness {
    Harness::new(services, Ports { events: &neargate_events::Bus, ..open_ports() }).unwrap()
}

/// What a rule should be: its pattern, and whether it takes events. By region, bus and name.
type Model = BTreeMap<(usize, usize, String), (String, bool)>;

fn pattern(rng: &mut Rng) -> String {
    let tests = [
        r#"["x"]"#,
        r#"[{"anything-but": "x"}]"#,
        r#"[{"prefix": "x"}, {"suffix": "y"}]"#,
        r#"[{"exists": false}]"#,
        r#"[{"numeric": [">", 1]}]"#,
        r#"[{"wildcard": "*y"}]"#,
    ];
    let mut pick = |from: &[&str]| from[usize::try_from(rng.below(from.len() as u64)).unwrap()].to_owned();
    let fields = [format!(r#""{}": {}"#, pick(&["a", "b"]), pick(&tests)), format!(r#""c": {}"#, pick(&tests))];
    let more = if pick(&["one", "two"]) == "one" { &fields[..1] } else { &fields };
    format!(r#"{{"source": ["app"], "detail": {{{}}}}}"#, more.join(", "))
}

fn detail(rng: &mut Rng) -> Json {
    let values = [json!("x"), json!("xy"), json!("y"), json!(1), json!(2.5), json!(null), json!(["x", 7])];
    let mut event = json!({});
    for name in ["a", "b", "c"] {
        if let Some(value) = values.get(usize::try_from(rng.below(9)).unwrap()) {
            event[name] = value.clone();
        }
    }
    event
}

/// How often each rule has matched, from the rows.
fn matched(harness: &mut Harness) -> BTreeMap<String, u64> {
    let rows = harness.rows().into_iter().filter(|row| row.table == "events.rule");
    let count = |body: &[u8]| serde_json::from_slice::<Json>(body).unwrap()["matched_events"].as_u64().unwrap();
    rows.map(|row| (row.key.clone(), count(&row.body))).collect()
}

/// A change of a rule, as a call, with what it makes of the model.
fn change(rng: &mut Rng, region: usize, bus: usize, model: &mut Model) -> (&'static str, Json) {
    let name = format!("r{}", rng.below(4));
    let key = (region, bus, name.clone());
    let named = json!({ "Name": name, "EventBusName": BUSES[bus] });
    match (rng.below(5), model.contains_key(&key)) {
        (0, true) => {
            model.get_mut(&key).unwrap().1 = false;
            ("DisableRule", named)
        }
        (1, true) => {
            model.get_mut(&key).unwrap().1 = true;
            ("EnableRule", named)
        }
        (2, true) => {
            model.remove(&key);
            ("DeleteRule", named)
        }
        _ => {
            let pattern = pattern(rng);
            let enabled = rng.below(4) > 0;
            let state = if enabled { "ENABLED" } else { "DISABLED" };
            model.insert(key, (pattern.clone(), enabled));
            ("PutRule", json!({ "Name": name, "EventBusName": BUSES[bus], "EventPattern": pattern, "State": state }))
        }
    }
}

#[test]
fn an_event_meets_the_rules_as_they_are() {
    let mut harness = fresh();
    let mut rng = Rng::seeded(23);
    let mut model = Model::new();
    for region in REGIONS {
        harness.scope = Scope::new("000000000000", region);
        for bus in &BUSES[1..] {
            harness.call("events", "CreateEventBus", json!({ "Name": bus })).unwrap();
        }
    }
    let mut met = 0;
    for step in 0..400 {
        let at = |bound: usize, rng: &mut Rng| usize::try_from(rng.below(bound as u64)).unwrap();
        let (region, bus) = (at(REGIONS.len(), &mut rng), at(BUSES.len(), &mut rng));
        harness.scope = Scope::new("000000000000", REGIONS[region]);
        match rng.below(12) {
            0 => harness.restart().unwrap(),
            1 | 2 => {
                let mut lost = model.clone();
                let calls: Vec<_> = (0..3).map(|_| change(&mut rng, region, bus, &mut lost)).collect();
                let payload = json!({ "calls": calls, "panics": step % 40 == 0 });
                let command = Command::RunJob { scope: harness.scope.clone(), handler: "test.undo", payload };
                harness.command(command).unwrap().unwrap_err();
            }
            _ => {
                let (operation, input) = change(&mut rng, region, bus, &mut model);
                harness.call("events", operation, input).unwrap();
            }
        }
        let before = matched(&mut harness);
        let detail = detail(&mut rng);
        let entry =
            json!({ "Source": "app", "DetailType": "t", "Detail": detail.to_string(), "EventBusName": BUSES[bus] });
        harness.call("events", "PutEvents", json!({ "Entries": [entry] })).unwrap();
        let event = json!({ "source": "app", "detail": detail }).to_string();
        for (key, count) in matched(&mut harness) {
            let is_meant = |(of, on, name): &(usize, usize, String)| {
                key == format!("000000000000/{}/{}/{name}", REGIONS[*of], BUSES[*on])
            };
            let (place, (pattern, enabled)) = model.iter().find(|(place, _)| is_meant(place)).unwrap();
            let is_asked = (place.0, place.1, *enabled) == (region, bus, true);
            let expected = is_asked && Pattern::parse(pattern).unwrap().matches(event.as_bytes()).unwrap();
            assert_eq!(count - before[&key], u64::from(expected), "step {step}: {key} {pattern} {event}");
            met += u64::from(expected);
        }
    }
    assert!(met > 100, "{met}: rules match often enough to tell");
}

#[test]
fn a_rule_too_complex_for_an_event_is_said_and_keeps_no_other_from_it() {
    let mut harness = fresh();
    let mut put = |name: &str, pattern: String| {
        harness.call("events", "PutRule", json!({ "Name": name, "EventPattern": pattern })).unwrap();
    };
    // Arrays that dotted names put below one name are independent, so their elements combine.
    let list = |name: &str, field: &str| {
        let items: Vec<_> = (0..300).map(|n| format!(r#"{{"{field}":{n},"zz":{n}}}"#)).collect();
        format!(r#""{name}":[{}]"#, items.join(","))
    };
    let (first, second, third) = (list("p.q.r", "x"), list("q.r", "y"), list("r", "z"));
    let detail = format!(r#"{{{first},"p":{{{second},"q":{{{third}}}}}}}"#);
    let one = r#"[{"exists": true}]"#;
    let fields = format!(r#""x": {one}, "y": {one}, "z": {one}, "zz": [{{"exists": false}}]"#);
    put("hard", format!(r#"{{"detail": {{"p": {{"q": {{"r": {{{fields}}}}}}}}}}}"#));
    put("easy", r#"{"source": ["app"]}"#.to_owned());
    let entry = json!({ "Source": "app", "DetailType": "t", "Detail": detail });
    harness.call("events", "PutEvents", json!({ "Entries": [entry] })).unwrap();
    assert_eq!(matched(&mut harness)["000000000000/eu-west-1/default/easy"], 1);
    let told: Vec<_> = harness.notices.iter().filter(|notice| notice.kind == NoticeKind::Failed).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.starts_with("rule `hard` did not see event"), "{}", told[0].text);
}
