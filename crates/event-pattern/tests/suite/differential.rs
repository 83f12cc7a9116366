//! Random patterns and events: the automaton, the explanation and the rule set against the naive matcher.
//!
//! `EVENT_PATTERN_CASES` sets how many rounds to run (each has 12 rules and 12 events), `EVENT_PATTERN_SEED` where to
//! begin; a failure prints the seed of its round.

use fastrand::Rng;
use neargate_event_pattern::{Pattern, RuleSet};

use crate::{naive, render};

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn all_ways_agree_with_the_naive_matcher() {
    let rounds = setting("EVENT_PATTERN_CASES", 400);
    let first = setting("EVENT_PATTERN_SEED", 1);
    let mut matched = 0;
    for seed in first..first + rounds {
        let mut rng = Rng::with_seed(seed);
        let set = RuleSet::new();
        let mut rules = Vec::new();
        for key in 0..12usize {
            let rule = naive::rule(&mut rng);
            let text = render::rule(&rule, &mut rng);
            let pattern = Pattern::parse(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}: {text}"));
            set.add(key, &pattern);
            rules.push((rule, text, pattern));
        }
        for _ in 0..12 {
            // Change a rule between events, so that removal is tested with the rest.
            let gone = rng.usize(..rules.len());
            set.remove(&gone);
            let event = naive::event(&mut rng);
            let json = render::event(&event, &mut rng);
            let mut keys = set.matches(json.as_bytes()).unwrap();
            keys.sort_unstable();
            let mut expected = Vec::new();
            for (key, (rule, text, pattern)) in rules.iter().enumerate() {
                let expect = naive::matches(rule, &event);
                assert_eq!(pattern.matches(json.as_bytes()), Ok(expect), "seed {seed}: {text} {json}");
                let explained = pattern.explain(json.as_bytes());
                assert_eq!(explained.matches(), Ok(expect), "seed {seed}, {explained}: {text} {json}");
                matched += usize::from(expect);
                expected.extend((expect && key != gone).then_some(key));
            }
            let texts: Vec<_> = rules.iter().map(|(_, text, _)| text).collect();
            assert_eq!(keys, expected, "seed {seed}: {texts:#?} {json}");
            set.add(gone, &rules[gone].2);
        }
    }
    assert!(matched > 0, "no pattern matched any event");
}
