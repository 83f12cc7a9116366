//! A second matcher, written for the tests from the rules alone: trees, recursion and brute force.
//!
//! Invariant: shares nothing with the crate but the patterns' and events' text, which `render` makes of the same trees.

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
    /// Stars stand for any text; `\*` and `\\` for themselves.
    Wildcard(String),
    /// An operator and a number each, one or two of them.
    Numeric(Vec<(&'static str, &'static str)>),
    Cidr(&'static str),
    /// All of one kind.
    But(Vec<Test>),
}

/// A field's dotted name, its tests, and whether its absence will do.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) tests: Vec<Test>,
    pub(crate) absent: bool,
}

/// A part of a pattern's object, in the order of its text.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Field(Field),
    /// Alternatives, some steps below where the part stands.
    Or(Vec<&'static str>, Vec<Rule>),
}

/// A pattern.
pub(crate) type Rule = Vec<Part>;

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
        [b'\\', first, rest @ ..] | [first, rest @ ..] => {
            text.first() == Some(first) && wildcard(rest, text.get(1..).unwrap_or(&[]))
        }
    }
}

/// Whether a text begins with the characters of another, each in its lower-case or upper-case spelling.
fn folded(wanted: &[char], text: &str, whole: bool) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return !whole || text.is_empty() };
    let spellings: Vec<String> = match first {
        // Each half of a surrogate pair is folded alone, and written as a question mark.
        c if u32::from(*c) > 0xffff => vec!["??".to_owned()],
        c => vec![c.to_lowercase().collect(), c.to_uppercase().collect()],
    };
    spellings.iter().any(|spelling| text.strip_prefix(spelling).is_some_and(|left| folded(rest, left, whole)))
}

/// An address as hexadecimal digits.
fn address(text: &str) -> Option<String> {
    let bytes = if text.contains(':') {
        if !text.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit()) {
            return None;
        }
        let v6 = text.parse::<std::net::Ipv6Addr>().ok()?;
        v6.to_ipv4_mapped().map_or(v6.octets().to_vec(), |v4| v4.octets().to_vec())
    } else {
        let parts: Vec<&str> = text.split('.').collect();
        let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if parts.len() != 4 || text.len() > 15 || !parts.iter().all(digits) {
            return None;
        }
        parts.iter().map(|part| part.parse::<u8>().ok()).collect::<Option<Vec<u8>>>()?
    };
    Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// Whether digits lie in a block: the first that differ from both its bounds decide, whatever follows.
fn in_block(cidr: &str, digits: &str) -> bool {
    let (base, bits) = cidr.split_once('/').unwrap_or((cidr, "128"));
    let base: Vec<u32> = address(base).unwrap().chars().flat_map(|c| nibble(c).unwrap()).collect();
    let fixed = bits.parse::<usize>().unwrap().min(base.len());
    let bound = |fill: u32| {
        let bits: Vec<u32> = base.iter().enumerate().map(|(at, bit)| if at < fixed { *bit } else { fill }).collect();
        bits.chunks(4).map(|four| four.iter().fold(0, |sum, bit| sum * 2 + bit)).collect::<Vec<u32>>()
    };
    let (bottom, top) = (bound(0), bound(1));
    let digits: Vec<u32> = digits.chars().map_while(|c| Some(nibble(c)?.iter().fold(0, |s, b| s * 2 + b))).collect();
    let inside = |len: usize| bottom[..len] < digits[..len] && digits[..len] < top[..len];
    let most = digits.len().min(bottom.len());
    (0..=most).any(inside) || (most == bottom.len() && bottom[..] <= digits[..most] && digits[..most] <= top[..])
}

fn nibble(c: char) -> Option<[u32; 4]> {
    let digit = c.to_digit(16).filter(|_| !c.is_ascii_lowercase())?;
    Some([digit >> 3 & 1, digit >> 2 & 1, digit >> 1 & 1, digit & 1])
}

/// A decimal as its digits without zeros around, and the power of ten of the first one.
fn decimal(text: &str) -> (String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = (all.len() - digits.len()) as i64;
    let first = whole.len() as i64 - leading - 1 + exponent.parse::<i64>().unwrap();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() { (String::new(), 0) } else { (digits.to_owned(), first) }
}

/// A number's value, when a double spells the number back.
fn comparable(raw: &str) -> Option<f64> {
    let value = raw.parse::<f64>().ok().filter(|value| value.is_finite())?;
    (decimal(raw) == decimal(&format!("{value:e}"))).then_some(value)
}

/// How the tests on a field make its values look.
#[derive(Debug, Clone, Copy)]
struct View {
    /// Strings that are addresses are addresses only.
    addresses: bool,
    /// Numbers that can be compared are numbers only.
    numbers: bool,
}

impl View {
    fn of(field: &Field) -> Self {
        let is_address = |test: &Test| match test {
            Test::Cidr(_) => true,
            Test::Exact(text) => address(text).is_some(),
            _ => false,
        };
        let is_number = |test: &Test| match test {
            Test::Numeric(_) => true,
            Test::Raw(raw) => comparable(raw).is_some(),
            Test::But(tests) => matches!(tests[0], Test::Raw(_)),
            _ => false,
        };
        Self { addresses: field.tests.iter().any(is_address), numbers: field.tests.iter().any(is_number) }
    }
}

fn passes(test: &Test, leaf: &Leaf, view: View) -> bool {
    let is_bool = matches!(leaf.raw, "true" | "false" | "null");
    let number = if leaf.text.is_none() && !is_bool { comparable(leaf.raw) } else { None };
    let text = leaf.text.as_deref().filter(|text| !(view.addresses && address(text).is_some()));
    // Texts are compared with their quotes.
    let on = |check: &dyn Fn(&str) -> bool| text.is_some_and(|text| check(&format!("\"{text}\"")));
    let chars = |text: String| text.chars().collect::<Vec<char>>();
    match test {
        Test::Exact(want) if address(want).is_some() => passes_block(want, leaf, view, number),
        Test::Exact(want) => on(&|text| text == format!("\"{want}\"")),
        Test::Raw(raw) => {
            let same_value = comparable(raw).is_some_and(|want| number == Some(want));
            same_value || (leaf.text.is_none() && leaf.raw == *raw)
        }
        Test::Exists => true,
        Test::Prefix(want) => on(&|text| text.starts_with(&format!("\"{want}"))),
        Test::Suffix(want) => on(&|text| text.ends_with(&format!("{want}\""))),
        Test::Fold(want) => on(&|text| folded(&chars(format!("\"{want}\"")), text, true)),
        Test::FoldPrefix(want) => on(&|text| folded(&chars(format!("\"{want}")), text, false)),
        Test::FoldSuffix(want) => on(&|text| {
            let mut ends = text.char_indices().map(|(at, _)| &text[at..]);
            ends.any(|end| folded(&chars(format!("{want}\"")), end, true))
        }),
        Test::Wildcard(want) => text.is_some_and(|text| wildcard(want.as_bytes(), text.as_bytes())),
        Test::Numeric(bounds) => number.is_some_and(|number| {
            bounds.iter().all(|(operator, bound)| {
                let bound = comparable(bound).unwrap();
                match *operator {
                    "=" => number == bound,
                    "<" => number < bound,
                    "<=" => number <= bound,
                    ">" => number > bound,
                    _ => number >= bound,
                }
            })
        }),
        Test::Cidr(cidr) => passes_block(cidr, leaf, view, number),
        Test::But(tests) => !tests.iter().any(|test| match test {
            // Inside anything-but an address is a text like others.
            Test::Exact(want) => on(&|text| text == format!("\"{want}\"")),
            // And a number is its value alone.
            Test::Raw(raw) => number == comparable(raw),
            test => passes(test, leaf, view),
        }),
    }
}

fn passes_block(cidr: &str, leaf: &Leaf, view: View, number: Option<f64>) -> bool {
    match &leaf.text {
        Some(text) => address(text).is_some_and(|digits| in_block(cidr, &digits)),
        None if matches!(leaf.raw, "true" | "false" | "null") => false,
        None => !(view.numbers && number.is_some()) && in_block(cidr, leaf.raw),
    }
}

fn branch(fields: &[&Field], leaves: &[Leaf], chosen: &Membership) -> bool {
    let Some((field, rest)) = fields.split_first() else { return true };
    let here = || leaves.iter().filter(|leaf| leaf.name == field.name && agree(&leaf.within, chosen));
    if field.absent && here().next().is_none() && branch(rest, leaves, chosen) {
        return true;
    }
    let view = View::of(field);
    here().filter(|leaf| field.tests.iter().any(|test| passes(test, leaf, view))).any(|leaf| {
        let more: Membership = chosen.iter().chain(&leaf.within).copied().collect();
        branch(rest, leaves, &more)
    })
}

/// All combinations of a pattern's alternatives. Of fields of one name the last in the text counts.
fn branches(rule: &Rule, base: &str) -> Vec<Vec<Field>> {
    let mut all = vec![vec![]];
    for part in rule {
        match part {
            Part::Field(field) => all.iter_mut().for_each(|fields| {
                let name = join(base, &field.name);
                fields.retain(|known: &Field| known.name != name);
                fields.push(Field { name, ..field.clone() });
            }),
            Part::Or(steps, alternatives) => {
                let base = steps.iter().fold(base.to_owned(), |base, step| join(&base, step));
                let tails: Vec<Vec<Field>> = alternatives.iter().flat_map(|rule| branches(rule, &base)).collect();
                let with = |head: &Vec<Field>, tail: &Vec<Field>| {
                    let kept = head.iter().filter(|known| tail.iter().all(|field| field.name != known.name));
                    kept.chain(tail).cloned().collect::<Vec<Field>>()
                };
                all = all.iter().flat_map(|head| tails.iter().map(move |tail| with(head, tail))).collect();
            }
        }
    }
    all
}

fn join(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") }
}

/// A pattern made ready: its branches, their fields in the order in which they are visited.
pub(crate) fn ready(rule: &Rule) -> Vec<Vec<Field>> {
    let mut branches = branches(rule, "");
    for fields in &mut branches {
        fields.sort_by_cached_key(|field| field.name.encode_utf16().collect::<Vec<u16>>());
    }
    branches
}

/// Whether a pattern that was made [`ready`] matches an event.
pub(crate) fn matches(branches: &[Vec<Field>], event: &Json) -> bool {
    let mut leaves = Vec::new();
    flatten(event, "", true, &Vec::new(), &mut 0, &mut leaves);
    branches.iter().any(|fields| branch(&fields.iter().collect::<Vec<_>>(), &leaves, &Vec::new()))
}
