//! A second matcher, written for the tests from the rules alone: trees, recursion and brute force.

use fastrand::Rng;

/// An event or a part of one.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    Text(String),
    Raw(&'static str),
    List(Vec<Json>),
    /// Names may come twice; the last one counts.
    Object(Vec<(String, Json)>),
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    Exact(String),
    Raw(&'static str),
    Exists,
    Prefix(String),
    Suffix(String),
    Fold(String),
    FoldPrefix(String),
    FoldSuffix(String),
    Wildcard(String),
    Less(i32),
    Between(i32, i32),
    Cidr(u8),
    But(Vec<Test>),
}

/// A field's dotted name, its tests, and whether its absence will do.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) tests: Vec<Test>,
    pub(crate) absent: bool,
}

/// Branches of fields.
pub(crate) type Rule = Vec<Vec<Field>>;

type Membership = Vec<(usize, usize)>;

struct Leaf {
    name: String,
    text: Option<String>,
    raw: &'static str,
    within: Membership,
}

fn flatten(json: &Json, name: &str, top: bool, within: &Membership, arrays: &mut usize, out: &mut Vec<Leaf>) {
    match json {
        Json::Text(text) => {
            out.push(Leaf { name: name.into(), text: Some(text.clone()), raw: "", within: within.clone() })
        }
        Json::Raw(raw) => out.push(Leaf { name: name.into(), text: None, raw, within: within.clone() }),
        Json::Object(members) => {
            for (at, (key, value)) in members.iter().enumerate() {
                if members[at + 1..].iter().any(|(later, _)| later == key) {
                    continue;
                }
                let path = if top { key.clone() } else { format!("{name}.{key}") };
                flatten(value, &path, false, within, arrays, out);
            }
        }
        Json::List(items) => {
            *arrays += 1;
            let array = *arrays;
            for (at, item) in items.iter().enumerate() {
                let mut inner = within.clone();
                if matches!(item, Json::List(_) | Json::Object(_)) {
                    inner.push((array, at));
                }
                flatten(item, name, false, &inner, arrays, out);
            }
        }
    }
}

fn agree(a: &Membership, b: &Membership) -> bool {
    a.iter().all(|(array, at)| b.iter().all(|(other, place)| array != other || at == place))
}

fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skip| wildcard(rest, &text[skip..])),
        [first, rest @ ..] => text.first() == Some(first) && wildcard(rest, &text[1..]),
    }
}

fn address(text: &str) -> Option<[u8; 4]> {
    text.parse::<std::net::Ipv4Addr>().ok().map(|ip| ip.octets())
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Whether a leaf passes; `addresses` says that the field has an address test, which hides address strings.
fn passes(test: &Test, leaf: &Leaf, addresses: bool) -> bool {
    let number: Option<f64> = if leaf.text.is_none() { leaf.raw.parse().ok() } else { None };
    let text = leaf.text.as_deref().filter(|text| !(addresses && address(text).is_some()));
    let on = |check: &dyn Fn(&str) -> bool| text.is_some_and(check);
    match test {
        Test::Exact(want) => match address(want) {
            Some(ip) => leaf.text.as_deref().and_then(address) == Some(ip),
            None => on(&|text| text == want),
        },
        Test::Raw(raw) => match raw.parse::<f64>() {
            Ok(want) => number == Some(want),
            Err(_) => leaf.text.is_none() && leaf.raw == *raw,
        },
        Test::Exists => true,
        Test::Prefix(want) => on(&|text| text.starts_with(want)),
        Test::Suffix(want) => on(&|text| text.ends_with(want)),
        Test::Fold(want) => on(&|text| lower(text) == lower(want)),
        Test::FoldPrefix(want) => on(&|text| lower(text).starts_with(&lower(want))),
        Test::FoldSuffix(want) => on(&|text| lower(text).ends_with(&lower(want))),
        Test::Wildcard(want) => on(&|text| wildcard(want.as_bytes(), text.as_bytes())),
        Test::Less(bound) => number.is_some_and(|n| n < f64::from(*bound)),
        Test::Between(low, high) => number.is_some_and(|n| n >= f64::from(*low) && n < f64::from(*high)),
        Test::Cidr(net) => leaf.text.as_deref().and_then(address).is_some_and(|ip| ip[..3] == [10, 0, *net]),
        Test::But(tests) => !tests.iter().any(|test| passes(test, leaf, addresses)),
    }
}

fn branch(fields: &[&Field], leaves: &[Leaf], chosen: &Membership) -> bool {
    let Some((field, rest)) = fields.split_first() else { return true };
    let here = || leaves.iter().filter(|leaf| leaf.name == field.name && agree(&leaf.within, chosen));
    if field.absent && here().next().is_none() && branch(rest, leaves, chosen) {
        return true;
    }
    let is_address =
        |test: &Test| matches!(test, Test::Cidr(_)) || matches!(test, Test::Exact(t) if address(t).is_some());
    let addresses = field.tests.iter().any(is_address);
    here().filter(|leaf| field.tests.iter().any(|test| passes(test, leaf, addresses))).any(|leaf| {
        let more: Membership = chosen.iter().chain(&leaf.within).copied().collect();
        branch(rest, leaves, &more)
    })
}

pub(crate) fn matches(rule: &Rule, event: &Json) -> bool {
    let mut leaves = Vec::new();
    flatten(event, "", true, &Vec::new(), &mut 0, &mut leaves);
    rule.iter().any(|fields| {
        let mut fields: Vec<&Field> = fields.iter().collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        branch(&fields, &leaves, &Vec::new())
    })
}

const NAMES: &[&str] = &["a", "b", "c", "d", "a-b"];
const TEXTS: &[&str] = &["", "x", "xy", "XY", "yx", "xyx", "zz", "10.0.0.5", "10.0.1.5", "é\n", "\"q\"", "1"];
const RAWS: &[&str] = &["0", "1", "1.0", "-2", "3", "10e-1", "true", "false", "null", "7.25"];

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

pub(crate) fn event(rng: &mut Rng) -> Json {
    object(rng, 4)
}

fn object(rng: &mut Rng, depth: usize) -> Json {
    let mut members = Vec::new();
    for _ in 0..rng.usize(0..5) {
        let mut name = pick(rng, NAMES).to_owned();
        if rng.u8(..) < 6 {
            name = format!("{name}.{}", pick(rng, NAMES));
        }
        if rng.u8(..) > 12 && members.iter().any(|(known, _)| *known == name) {
            continue;
        }
        members.push((name, json(rng, depth)));
    }
    Json::Object(members)
}

fn json(rng: &mut Rng, depth: usize) -> Json {
    match rng.u8(0..10) {
        0..=2 if depth > 0 => object(rng, depth - 1),
        3..=5 if depth > 0 => Json::List((0..rng.usize(0..4)).map(|_| json(rng, depth - 1)).collect()),
        6 => Json::Raw(pick(rng, RAWS)),
        _ => Json::Text(pick(rng, TEXTS).to_owned()),
    }
}

pub(crate) fn rule(rng: &mut Rng) -> Rule {
    (0..1 + rng.usize(0..4) / 3).map(|_| fields(rng)).collect()
}

fn fields(rng: &mut Rng) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for _ in 0..rng.usize(1..4) {
        let mut name = pick(rng, NAMES).to_owned();
        for _ in 0..rng.usize(0..3) {
            name = format!("{name}.{}", pick(rng, NAMES));
        }
        if !fields.iter().any(|known| known.name == name) {
            let absent = rng.u8(0..5) == 0;
            let tests = (0..rng.usize(usize::from(!absent)..3)).map(|_| test(rng)).collect();
            fields.push(Field { name, tests, absent });
        }
    }
    fields
}

fn test(rng: &mut Rng) -> Test {
    let text = pick(rng, TEXTS).to_owned();
    let part = pick(rng, &["x", "y", "xy", "X", "1"]).to_owned();
    match rng.u8(0..20) {
        0..=3 => Test::Exact(text),
        4 | 5 => Test::Raw(pick(rng, RAWS)),
        6 => Test::Exists,
        7 => Test::Prefix(part),
        8 => Test::Suffix(part),
        9 => Test::Fold(part),
        10 => Test::FoldPrefix(part),
        11 => Test::FoldSuffix(part),
        12 => Test::Wildcard(pick(rng, &["*", "x*", "*x", "x*x", "*y*", "10.*5"]).to_owned()),
        13 => Test::Less(rng.i32(-3..9)),
        14 => Test::Between(rng.i32(-3..2), rng.i32(2..9)),
        15 => Test::Cidr(rng.u8(0..2)),
        16 => Test::But(vec![Test::Raw(pick(rng, &["0", "1", "3", "7.25"]))]),
        17 => Test::But(vec![Test::Prefix(part)]),
        18 => Test::But(vec![Test::Wildcard("x*".to_owned()), Test::Wildcard("*y".to_owned())]),
        _ => Test::But(vec![Test::Exact(part.clone()), Test::Exact(format!("{part}{part}"))]),
    }
}
