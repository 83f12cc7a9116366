//! Random patterns and events: the automaton, the explanation and the rule set against the naive matcher.
//!
//! `EVENT_PATTERN_PAIRS` sets how many pairs of a pattern and an event to try (a round has 12 of each), `EVENT_PATTERN_SEED`
//! where to begin; a failure prints the seed of its round. `cargo xtask fuzz patterns` is the same, optimised.

use fastrand::Rng;
use neargate_event_pattern::{Pattern, RuleSet};

use crate::{naive, random, render};

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Rules, and events, of a round.
const EACH: usize = 12;

#[test]
fn all_ways_agree_with_the_naive_matcher() {
    let pairs_max = setting("EVENT_PATTERN_PAIRS", 60_000);
    let first = setting("EVENT_PATTERN_SEED", 1);
    let rounds = pairs_max.div_ceil((EACH * EACH) as u64);
    let matched: usize = (first..first + rounds).map(round).sum();
    let pairs = rounds * (EACH * EACH) as u64;
    println!("{pairs} pairs from seed {first} on, {matched} matches, no difference");
    assert!(matched > 0, "no pattern matched any event");
}

/// A random rule, its text and its pattern.
fn a_rule(rng: &mut Rng, seed: u64) -> (naive::Rule, String, Pattern) {
    loop {
        let rule = random::rule(rng);
        let text = render::rule(&rule, rng);
        match Pattern::parse(&text) {
            Ok(pattern) => return (rule, text, pattern),
            // The random wildcards of one field may be too many together.
            Err(error) if error.reason().contains("fewer wildcard characters") => {}
            Err(error) if error.reason().contains("fewer $or combinations") => {
                assert!(naive::ready(&rule).len() > 1000, "seed {seed}: {error}: {text}");
            }
            Err(error) => panic!("seed {seed}: {error}: {text}"),
        }
    }
}

/// One round; how many pairs match.
fn round(seed: u64) -> usize {
    let mut rng = Rng::with_seed(seed);
    random::begin(&mut rng);
    let set = RuleSet::new();
    let mut rules = Vec::new();
    let mut matched = 0;
    for key in 0..EACH {
        let (rule, text, pattern) = a_rule(&mut rng, seed);
        set.add(key, &pattern);
        rules.push((naive::ready(&rule), text, pattern));
    }
    for _ in 0..EACH {
        // Change a rule between events, so that removal is tested with the rest.
        let gone = rng.usize(..rules.len());
        set.remove(&gone);
        let event = random::event(&mut rng);
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
    matched
}
