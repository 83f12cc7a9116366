//! Patterns and events made to hurt: no panic, no deep recursion, and an answer.

use neargate_event_pattern::{EventError, Pattern, RuleSet};

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

#[test]
fn nesting_costs_no_stack() {
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let asks = pattern(r#"{"a": [1], "b": [{"exists": false}]}"#);
    assert_eq!(asks.matches(format!(r#"{{"a": {}}}"#, deep(200_000)).as_bytes()), Ok(true));
    assert_eq!(asks.matches(format!(r#"{{"c": {}, "a": 1}}"#, deep(200_000)).as_bytes()), Ok(true));
    let nested = |n: usize, inner: &str| format!("{}{inner}{}", r#"{"a":"#.repeat(n), "}".repeat(n));
    let error = Pattern::parse(&nested(5000, "[1]")).unwrap_err();
    assert!(error.reason().starts_with("Document nesting depth"), "{error}");
    let deepest = pattern(&nested(999, "[1]"));
    assert_eq!(deepest.matches(nested(999, "1").as_bytes()), Ok(true));
    assert_eq!(deepest.matches(nested(100_000, "1").as_bytes()), Ok(false));
    let or = |n: usize| format!("{}{}{}", r#"{"$or":[{"b":[1]},"#.repeat(n), r#"{"a":[1]}"#, "]}".repeat(n));
    assert_eq!(pattern(&or(300)).matches(br#"{"a": 1}"#), Ok(true));
}

#[test]
fn alternatives_do_not_multiply_beyond_the_limit() {
    let or = r#""$or": [{"a": [1]}, {"b": [1]}, {"c": [1]}, {"d": [1]}]"#;
    let nested = |n: usize| (0..n).map(|_| or).collect::<Vec<_>>().join(", ");
    assert!(Pattern::parse(&format!("{{{}}}", nested(4))).is_ok());
    let error = Pattern::parse(&format!("{{{}}}", nested(40))).unwrap_err();
    assert!(error.reason().starts_with("Rule is too complex"), "{error}");
}

#[test]
fn alternatives_do_not_multiply_fields_beyond_the_limit() {
    let fields: Vec<String> = (0..20_000).map(|n| format!(r#""f{n}": [1]"#)).collect();
    let or: Vec<String> = (0..900).map(|n| format!(r#"{{"g{n}": [1]}}"#)).collect();
    for text in [
        format!(r#"{{{}, "$or": [{}]}}"#, fields.join(","), or.join(",")),
        format!(r#"{{"$or": [{}], {}}}"#, or.join(","), fields.join(",")),
    ] {
        assert!(Pattern::parse(&text).unwrap_err().reason().starts_with("Rule is too complex"));
    }
}

#[test]
fn names_around_fields_do_not_multiply_beyond_the_limit() {
    let nested = |long: usize, fields: usize| {
        let fields: Vec<String> = (0..fields).map(|n| format!(r#""f{n}": [1]"#)).collect();
        format!(r#"{{"{}": {{{}}}}}"#, "x".repeat(long), fields.join(","))
    };
    assert!(Pattern::parse(&nested(500, 1000)).is_ok());
    let error = Pattern::parse(&nested(50_000, 50_000)).unwrap_err();
    assert!(error.reason().starts_with("Rule is too complex - try using fewer or shorter field names"), "{error}");
    let deep = format!("{}{}{}", format!(r#"{{"{}":"#, "x".repeat(100)).repeat(999), "[1]", "}".repeat(999));
    assert!(Pattern::parse(&deep).unwrap_err().reason().starts_with("Rule is too complex"));
}

#[test]
fn wildcards_that_begin_alike_are_refused_before_they_are_weighed() {
    let wildcards = |texts: &mut dyn Iterator<Item = String>| {
        let texts: Vec<String> = texts.map(|text| format!(r#"{{"wildcard": "{text}"}}"#)).collect();
        format!(r#"{{"a": [{}]}}"#, texts.join(","))
    };
    // Each begins all that follow: a megabyte of them.
    let error = Pattern::parse(&wildcards(&mut (1..1400).map(|n| format!("{}*", "a".repeat(n))))).unwrap_err();
    assert!(error.reason().contains("fewer wildcard characters"), "{error}");
    // None begins another, so each is weighed alone.
    let many = pattern(&wildcards(&mut (0..50_000).map(|n| format!("{n:05}*b"))));
    assert_eq!(many.matches(br#"{"a": "40000xb"}"#), Ok(true));
    assert_eq!(many.matches(br#"{"a": "40000xc"}"#), Ok(false));
}

#[test]
fn many_elements_join_in_reasonable_steps() {
    let points: Vec<String> = (0..40_000).map(|n| format!(r#"{{"x": {n}, "y": {}}}"#, n + 1)).collect();
    let event = format!(r#"{{"p": [{}]}}"#, points.join(","));
    let below = r#"{"p": {"x": [{"numeric": ["<", 39999]}], "y": [40000]}}"#;
    assert_eq!(pattern(below).matches(event.as_bytes()), Ok(false));
    assert_eq!(pattern(&below.replace("39999", "40000")).matches(event.as_bytes()), Ok(true));
    let absent = r#"{"p": {"x": [{"numeric": [">=", 0]}], "z": [{"exists": false}]}}"#;
    assert_eq!(pattern(absent).matches(event.as_bytes()), Ok(true));
}

#[test]
fn choices_beyond_the_limit_are_an_error() {
    // Dotted names put independent arrays below one name, so that choices multiply.
    let list = |name: &str| {
        format!(r#""{name}": [{}]"#, (0..400).map(|n| format!(r#"{{"x":{n},"y":{n}}}"#)).collect::<Vec<_>>().join(","))
    };
    let event = format!(r#"{{"a": {{"b": {{{}}}, {}}}, {}, {}}}"#, list("c"), list("b.c"), list("a.b.c"), list("a.bb"));
    let fields: Vec<String> =
        ["x", "y", "z"].iter().map(|n| format!(r#""{n}": [{{"exists": false}}, {{"exists": true}}]"#)).collect();
    let asks = pattern(&format!(r#"{{"a": {{"b": {{"c": {{{}}}}}, "bb": {{"x": [-1]}}}}}}"#, fields.join(", ")));
    assert!(matches!(asks.matches(event.as_bytes()), Ok(false) | Err(EventError::TooComplex)));
}

#[test]
fn a_rule_given_up_keeps_no_other_from_an_event() {
    // Three independent arrays, in each of whose elements `zz` is present: 27 million choices, none of them good.
    let list = |name: &str, field: &str| {
        let items: Vec<String> = (0..300).map(|n| format!(r#"{{"{field}":{n},"zz":{n}}}"#)).collect();
        format!(r#""{name}": [{}]"#, items.join(","))
    };
    let (first, second, third) = (list("a.b.c", "x"), list("b.c", "y"), list("c", "z"));
    let event = format!(r#"{{{first}, "a": {{{second}, "b": {{{third}}}}}, "source": "app"}}"#);
    let exists = r#"[{"exists": true}]"#;
    let fields = format!(r#""x": {exists}, "y": {exists}, "z": {exists}, "zz": [{{"exists": false}}]"#);
    let hard = format!(r#"{{"a": {{"b": {{"c": {{{fields}}}}}}}}}"#);
    let either = format!(r#"{{"$or": [{hard}, {{"source": ["app"]}}]}}"#);
    let set = RuleSet::new();
    for (key, text) in [("hard", &*hard), ("either", &*either), ("easy", r#"{"source": ["app"]}"#)] {
        set.add(key, &pattern(text));
    }
    let mut decision = set.decide(event.as_bytes()).unwrap();
    decision.matched.sort_unstable();
    assert_eq!((decision.matched, decision.undecided), (vec!["easy", "either"], vec!["hard"]));
    assert_eq!(set.matches(event.as_bytes()), Err(EventError::TooComplex));
    for (text, verdict) in [(hard, Err(EventError::TooComplex)), (either, Ok(true))] {
        assert_eq!(pattern(&text).matches(event.as_bytes()), verdict);
        assert_eq!(pattern(&text).explain(event.as_bytes()).matches(), verdict);
    }
}

#[test]
fn wildcards_do_not_backtrack() {
    let asks = pattern(r#"{"a": [{"wildcard": "*aaa*b"}, {"wildcard": "x*ab"}]}"#);
    let long = "a".repeat(1 << 20);
    assert_eq!(asks.matches(format!(r#"{{"a": "{long}"}}"#).as_bytes()), Ok(false));
    assert_eq!(asks.matches(format!(r#"{{"a": "{long}b"}}"#).as_bytes()), Ok(true));
    let text = format!(r#"{{"a": [{{"wildcard": "{}"}}]}}"#, "ab".repeat(20_000) + "*c");
    assert!(Pattern::parse(&text).is_ok());
}

#[test]
fn wide_events_and_patterns_are_read() {
    let members: Vec<String> = (0..50_000).map(|n| format!(r#""k{n}": {n}"#)).collect();
    let event = format!("{{{}}}", members.join(","));
    assert_eq!(pattern(r#"{"k49999": [49999]}"#).matches(event.as_bytes()), Ok(true));
    let fields: Vec<String> = (0..2000).map(|n| format!(r#""k{n}": [{n}]"#)).collect();
    assert_eq!(pattern(&format!("{{{}}}", fields.join(","))).matches(event.as_bytes()), Ok(true));
    let values: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
    assert_eq!(pattern(&format!(r#"{{"k7": [{}]}}"#, values.join(","))).matches(event.as_bytes()), Ok(true));
}

#[test]
fn long_lists_are_looked_up() {
    let list = |from: usize, to: usize| (from..to).map(|n| format!(r#""v{n}""#)).collect::<Vec<_>>().join(",");
    let event = format!(r#"{{"a": [{}]}}"#, list(0, 50_000));
    let lists = [
        format!(r#"{{"anything-but": [{}]}}"#, list(0, 100_000)),
        format!(r#"{{"anything-but": {{"prefix": [{}]}}}}"#, list(0, 100_000)),
        format!(r#"{{"anything-but": {{"suffix": [{}]}}}}"#, list(0, 100_000)),
        format!(r#"{{"anything-but": {{"equals-ignore-case": [{}]}}}}"#, list(0, 100_000).to_uppercase()),
        list(50_000, 150_000),
        format!(r#""10.0.0.1", {}"#, list(50_000, 150_000)),
    ];
    for list in lists {
        let asks = pattern(&format!(r#"{{"a": [{list}]}}"#));
        assert_eq!(asks.matches(event.as_bytes()), Ok(false));
        assert_eq!(asks.explain(event.as_bytes()).matches(), Ok(false));
        let one_more = event.replace("]}", r#", "none of these", "v50000"]}"#);
        assert_eq!(asks.matches(one_more.as_bytes()), Ok(true));
        assert_eq!(asks.explain(one_more.as_bytes()).matches(), Ok(true));
    }
}

#[test]
fn an_address_is_hidden_from_long_lists_too() {
    let texts: Vec<String> = (0..20).map(|n| format!(r#""10.0.0.{n}x""#)).collect();
    let but = format!(r#"{{"a": [{{"anything-but": ["10.0.0.5", {}]}}, {{"cidr": "99.0.0.0/8"}}]}}"#, texts.join(","));
    let exact = format!(r#"{{"a": [{}, {{"prefix": "10."}}, "99.0.0.1"]}}"#, texts.join(","));
    for (text, value, verdict) in [
        // Inside anything-but the address is a text, which a field with addresses does not see in addresses.
        (&but, "10.0.0.5", true),
        (&but, "10.0.0.5x", false),
        (&but, "y", true),
        (&exact, "10.0.0.5", false),
        (&exact, "10.0.0.5x", true),
        (&exact, "099.0.0.1", true),
    ] {
        let event = format!(r#"{{"a": "{value}"}}"#);
        assert_eq!(pattern(text).matches(event.as_bytes()), Ok(verdict), "{text} {value}");
        assert_eq!(pattern(text).explain(event.as_bytes()).matches(), Ok(verdict), "{text} {value}");
    }
}

#[test]
fn cut_and_bent_texts_never_panic() {
    let text = r#"{"detail": {"$or": [{"a": [{"anything-but": {"prefix": ["é", "\u00e9\ud83d"]}}]}, {"b": [{"numeric": [">", -1.5e3, "<=", 2]}, null]}]}, "c": [{"cidr": "10.0.0.0/8"}, {"wildcard": "a\\*b*"}]}"#;
    let event = r#"{"detail": {"a": ["x", {"q": [1, 2e5]}, "\ud83d\ude00\n"], "b": 1.5}, "c": "10.1.2.3", "c": null}"#;
    let whole = pattern(text);
    let set = RuleSet::new();
    set.add((), &whole);
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..20_000 {
        let bend = |source: &str, rng: &mut fastrand::Rng| {
            let mut bytes = source.as_bytes().to_vec();
            if round % 2 == 0 {
                bytes.truncate(rng.usize(..bytes.len()));
            }
            for _ in 0..rng.usize(..3) {
                let at = rng.usize(..bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = if rng.bool() { rng.u8(..) } else { b"{}[]\":,\\0e-"[rng.usize(..11)] };
                }
            }
            bytes
        };
        let event = bend(event, &mut rng);
        let verdict = whole.matches(&event);
        assert_eq!(set.matches(&event).map(|keys| !keys.is_empty()), verdict);
        let explained = whole.explain(&event).matches();
        // The two read different parts of an event, so a mistake may be seen by one only; verdicts are equal.
        if let (Ok(explained), Ok(verdict)) = (explained, verdict) {
            assert_eq!(explained, verdict, "{}", String::from_utf8_lossy(&event));
        }
        if let Ok(bent) = String::from_utf8(bend(text, &mut rng))
            && let Ok(bent) = Pattern::parse(&bent)
        {
            let _ = bent.matches(&event);
        }
    }
}
