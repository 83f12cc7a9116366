//! A rule set under change: what is matched meanwhile, and what remains.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use neargate_event_pattern::{EventError, Pattern, RuleSet};

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

#[test]
fn many_match_while_one_changes() {
    let rules = RuleSet::new();
    rules.add(0usize, &pattern(r#"{"source": ["stays"]}"#));
    let (done, looked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let keys = rules.matches(br#"{"source": "stays", "detail": {"n": 7}}"#).unwrap();
                    // Rules 1 and 2 are added one after the other and removed in the opposite order.
                    assert!(matches!(keys.as_slice(), [0] | [0, 1] | [0, 1, 2] | [0, 2, 1]), "{keys:?}");
                    looked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (one, two) = (pattern(r#"{"detail": {"n": [7]}}"#), pattern(r#"{"detail": {"n": [{"exists": true}]}}"#));
        while looked.load(Ordering::Relaxed) < 300 {
            rules.add(1, &one);
            rules.add(2, &two);
            rules.remove(&2);
            rules.remove(&1);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(rules.len(), 1);
}

#[test]
fn a_change_is_seen_by_the_next_match() {
    let rules = RuleSet::new();
    for n in 0..200u32 {
        assert!(!rules.add(n, &pattern(&format!(r#"{{"n": [{n}], "m": [{{"exists": false}}]}}"#))));
        assert_eq!(rules.matches(format!(r#"{{"n": {n}}}"#).as_bytes()), Ok(vec![n]));
        assert_eq!(rules.matches(format!(r#"{{"n": {n}, "m": 1}}"#).as_bytes()), Ok(vec![]));
    }
    assert!(rules.add(7, &pattern(r#"{"n": [1007]}"#)));
    assert_eq!(rules.matches(br#"{"n": 7}"#), Ok(vec![]));
    assert_eq!(rules.matches(br#"{"n": 1007}"#), Ok(vec![7]));
    for n in 0..200 {
        assert!(rules.remove(&n) && !rules.remove(&n));
    }
    assert!(rules.is_empty());
    assert_eq!(rules.matches(br#"{"n": 9}"#), Ok(vec![]));
    assert_eq!(rules.matches(b"[]"), Err(EventError::NotAnObject));
}
