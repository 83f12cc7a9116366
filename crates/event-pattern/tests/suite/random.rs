//! Random patterns and events, of few names and values, so that they meet often.

use std::cell::Cell;

use fastrand::Rng;

use crate::naive::{Field, Json, Part, Rule, Test};

const NAMES: &[&str] = &["a", "b", "c", "d", "a-b", "é", "\u{ff5e}", "😀"];
const TEXTS: &[&str] = &[
    "",
    "x",
    "xy",
    "XY",
    "yx",
    "xyx",
    "zz",
    "x*y",
    "a\\b",
    "É",
    "ß",
    "ss",
    "SS",
    "İ",
    "😀",
    "??",
    "é\n",
    "\"q\"",
    "q\"",
    "1",
    "10.0.0.5",
    "10.0.1.5",
    "010.0.0.5",
    "10.0.0.256",
    "::a00:5",
    "::ffff:10.0.0.5",
    "::ffff:a00:5",
    "2001:db8::1",
    "ab:cd",
];
const RAWS: &[&str] = &[
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "-2",
    "3",
    "3.0e0",
    "7.25",
    "725E-2",
    "1e3",
    "1000",
    "9007199254740993",
    "9007199254740992",
    "0.1",
    "0.10000000000000000001",
    "-122.42916360922355",
    "1e300",
    "12345678901234567",
    "true",
    "false",
    "null",
];
const NUMBERS: &[&str] = &["-122.5", "-2", "0", "0.1", "1", "1.0e0", "3", "7.25", "1e3", "9007199254740992"];
const PARTS: &[&str] = &["x", "y", "xy", "X", "1", "é", "ß", "ss", "q\"", "\"", "😀", "10.", "İ"];
const BLOCKS: &[&str] =
    &["10.0.0.9/24", "10.0.0.0/23", "0.0.0.0/0", "10.0.1.5/31", "2001:db8::/32", "::/0", "::a00:0/121", "128.0.0.0/1"];
const WILDCARDS: &[&str] = &["*", "x*", "*x", "x*x", "*y*", "10.*5", "x\\*y", "*\\**", "a\\\\*", "*é*", "x", "*x*y*"];

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

thread_local! {
    /// Where the names begin that this round uses most.
    static NAMES_FROM: Cell<usize> = const { Cell::new(0) };
    /// How many names it uses most.
    static NAMES_OFTEN: Cell<usize> = const { Cell::new(4) };
    /// How many names of 256 have a dot in events: they reach into what nested objects also hold.
    static DOTTED: Cell<u8> = const { Cell::new(6) };
}

/// Begins a round: chooses its names.
pub(crate) fn begin(rng: &mut Rng) {
    DOTTED.set(if rng.u8(0..4) == 0 { 100 } else { 6 });
    NAMES_OFTEN.set(rng.usize(1..5));
    let from = if rng.bool() { 0 } else { rng.usize(..NAMES.len()) };
    NAMES_FROM.set(from);
}

fn name(rng: &mut Rng) -> &'static str {
    let among = if rng.u8(..) < 230 { NAMES_OFTEN.get() } else { NAMES.len() };
    NAMES[(NAMES_FROM.get() + rng.usize(..among)) % NAMES.len()]
}

fn text(rng: &mut Rng) -> String {
    let texts = if rng.bool() { &TEXTS[..8] } else { TEXTS };
    pick(rng, texts).to_owned()
}

pub(crate) fn event(rng: &mut Rng) -> Json {
    object(rng, 4)
}

fn object(rng: &mut Rng, depth: usize) -> Json {
    let mut members = Vec::new();
    for _ in 0..rng.usize(0..5) {
        let mut own = name(rng).to_owned();
        if rng.u8(..) < DOTTED.get() {
            own = format!("{own}.{}", name(rng));
        }
        if rng.u8(..) > 12 && members.iter().any(|(known, _)| *known == own) {
            continue;
        }
        members.push((own, json(rng, depth)));
    }
    Json::Object(members)
}

fn json(rng: &mut Rng, depth: usize) -> Json {
    match rng.u8(0..10) {
        0..=2 if depth > 0 => object(rng, depth - 1),
        3..=5 if depth > 0 => Json::List((0..rng.usize(0..4)).map(|_| json(rng, depth - 1)).collect()),
        6 | 7 => Json::Raw(pick(rng, RAWS)),
        _ => Json::Text(text(rng)),
    }
}

pub(crate) fn rule(rng: &mut Rng) -> Rule {
    parts(rng, 2)
}

fn parts(rng: &mut Rng, depth: usize) -> Rule {
    let mut all = Vec::new();
    for _ in 0..rng.usize(1..4) {
        if depth > 0 && rng.u8(0..6) == 0 {
            let steps = (0..rng.usize(0..3)).map(|_| name(rng)).collect();
            all.push(Part::Or(steps, (0..rng.usize(2..4)).map(|_| parts(rng, depth - 1)).collect()));
        } else {
            all.push(Part::Field(field(rng)));
        }
    }
    all
}

fn field(rng: &mut Rng) -> Field {
    let mut own = name(rng).to_owned();
    for _ in 0..rng.usize(0..3) {
        own = format!("{own}.{}", name(rng));
    }
    let absent = rng.u8(0..5) == 0;
    let count = if rng.u8(0..30) == 0 { rng.usize(9..14) } else { rng.usize(usize::from(!absent)..3) };
    let tests = (0..count).map(|_| test(rng)).collect();
    Field { name: own, tests, absent }
}

fn test(rng: &mut Rng) -> Test {
    let part = pick(rng, PARTS).to_owned();
    match rng.u8(0..24) {
        0..=3 => Test::Exact(text(rng)),
        4 | 5 => Test::Raw(pick(rng, RAWS)),
        6 => Test::Exists,
        7 | 8 => Test::Prefix(if rng.u8(0..9) == 0 { String::new() } else { part }),
        9 | 10 => Test::Suffix(part),
        11 => Test::Fold(text(rng)),
        12 => Test::FoldPrefix(part),
        13 => Test::FoldSuffix(part),
        14 | 15 => Test::Wildcard(pick(rng, WILDCARDS).to_owned()),
        16 | 17 => Test::Numeric(numeric(rng)),
        18 => Test::Cidr(pick(rng, BLOCKS)),
        _ => but(rng),
    }
}

fn numeric(rng: &mut Rng) -> Vec<(&'static str, &'static str)> {
    let at = rng.usize(..NUMBERS.len());
    match rng.u8(0..3) {
        0 => vec![("=", NUMBERS[at])],
        1 => vec![(pick(rng, &["<", "<=", ">", ">="]), NUMBERS[at])],
        _ => {
            let value = |text: &str| text.parse::<f64>().unwrap();
            let above: Vec<&str> = NUMBERS[at..].iter().copied().filter(|n| value(n) > value(NUMBERS[at])).collect();
            let mut bounds = vec![(pick(rng, &[">", ">="]), NUMBERS[at])];
            if !above.is_empty() {
                bounds.push((pick(rng, &["<", "<="]), pick(rng, &above)));
            }
            bounds
        }
    }
}

fn but(rng: &mut Rng) -> Test {
    let kind = rng.u8(0..6);
    let one = |rng: &mut Rng| {
        let part = pick(rng, PARTS).to_owned();
        match kind {
            0 => Test::Raw(pick(rng, NUMBERS)),
            1 => Test::Prefix(part),
            2 => Test::Suffix(part),
            3 => Test::Wildcard(pick(rng, WILDCARDS).to_owned()),
            4 => Test::Fold(text(rng)),
            _ => Test::Exact(text(rng)),
        }
    };
    // Long lists are looked up, short ones gone through.
    let count = if kind != 3 && rng.u8(0..6) == 0 { rng.usize(9..24) } else { rng.usize(1..4) };
    Test::But((0..count).map(|_| one(rng)).collect())
}
