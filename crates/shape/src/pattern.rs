//! The regular expressions of AWS's models, matched against whole texts.
//!
//! As much of Java's dialect as the models use: classes, groups, alternatives, counted repetition, anchors, lookaround, `\w \d \s \b`,
//! `\p{L} \p{N} \p{Z}`, `\x` and `\u`. Letters and numbers are Unicode's alphabetic and numeric ones. The pattern becomes a
//! program of a machine that follows all alternatives at once.
//!
//! Invariant: time grows with text length times pattern length, never faster; no input makes this recurse deeper than the
//! pattern is nested.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Copies that counted repetition may make.
const PROGRAM_MAX: usize = 20_000;
/// The most nodes that are visited to write one.
const VISITS_MAX: usize = 4 * PROGRAM_MAX;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    One(Set),
    Split(usize, usize),
    Jump(usize),
    Start,
    End,
    Look { behind: bool, negated: bool, program: Vec<Step> },
}

#[derive(Debug)]
enum Node {
    One(Set),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>),
    Start,
    End,
    Look { behind: bool, negated: bool, inner: Box<Node> },
}

#[derive(Clone, Debug, Default)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
    /// Letters of `\w`-like classes; upper case for their opposites, `L`, `N` and `Z` for Unicode's.
    classes: Vec<char>,
}

thread_local! {
    /// What was compiled before: there are as many entries as patterns in the models.
    static COMPILED: RefCell<BTreeMap<&'static str, Option<Rc<Pattern>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether a whole text matches a pattern; `None` where the pattern uses what is not supported.
pub(crate) fn matches(pattern: &'static str, text: &str) -> Option<bool> {
    let compile = || Pattern::new(pattern).map(Rc::new);
    let compiled = COMPILED.with_borrow_mut(|compiled| compiled.entry(pattern).or_insert_with(compile).clone());
    compiled.map(|compiled| compiled.matches(text))
}

impl Pattern {
    /// Compiles a pattern; `None` where it uses what is not supported.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        let letters: Vec<char> = pattern.chars().collect();
        let mut parser = Parser { rest: &letters };
        let node = parser.either()?;
        let mut program = Vec::new();
        let mut left = VISITS_MAX;
        (parser.rest.is_empty() && emit(&node, &mut program, &mut left)).then_some(Self(program))
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        run(&self.0, &letters, 0, Some(letters.len()))
    }
}

struct Parser<'p> {
    rest: &'p [char],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let prefix: Vec<char> = prefix.chars().collect();
        let rest = self.rest.strip_prefix(prefix.as_slice());
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn either(&mut self) -> Option<Node> {
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        Some(if branches.len() == 1 { branches.pop()? } else { Node::Either(branches) })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut nodes = Vec::new();
        while !matches!(self.rest.first(), None | Some('|' | ')')) {
            let atom = self.atom()?;
            nodes.push(self.repeated(atom)?);
        }
        Some(Node::Sequence(nodes))
    }

    fn atom(&mut self) -> Option<Node> {
        Some(match self.next()? {
            '(' => {
                let looks = [("?!", false, true), ("?=", false, false), ("?<!", true, true), ("?<=", true, false)];
                let look = looks.into_iter().find(|(mark, ..)| self.eat(mark));
                self.eat("?:");
                let inner = self.either()?;
                if !self.eat(")") {
                    return None;
                }
                match look {
                    Some((_, behind, negated)) => Node::Look { behind, negated, inner: Box::new(inner) },
                    None => inner,
                }
            }
            '[' => Node::One(self.set()?),
            '.' => Node::One(Set { negated: true, ranges: vec![('\n', '\n'), ('\r', '\r')], classes: vec![] }),
            '^' => Node::Start,
            '$' => Node::End,
            '\\' if self.eat("b") => word_boundary(),
            '\\' => {
                let mut set = Set::default();
                if let Some(letter) = self.escape(&mut set)? {
                    set.ranges.push((letter, letter));
                }
                Node::One(set)
            }
            '*' | '+' | '?' => return None,
            letter => Node::One(Set { ranges: vec![(letter, letter)], ..Set::default() }),
        })
    }

    fn repeated(&mut self, atom: Node) -> Option<Node> {
        let (least, most) = match self.rest.first() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let end = self.rest.iter().position(|letter| *letter == '}')?;
                let inside: String = self.rest.get(1..end)?.iter().collect();
                self.rest = self.rest.get(end..)?;
                match inside.split_once(',') {
                    None => (inside.parse().ok()?, Some(inside.parse().ok()?)),
                    Some((least, "")) => (least.parse().ok()?, None),
                    Some((least, most)) => (least.parse().ok()?, Some(most.parse().ok()?)),
                }
            }
            _ => return Some(atom),
        };
        self.next();
        // Which of several matches is taken does not matter where only the whole counts.
        self.eat("?");
        Some(Node::Repeat(Box::new(atom), least, most))
    }

    fn set(&mut self) -> Option<Set> {
        let mut set = Set { negated: self.eat("^"), ..Set::default() };
        let mut first = true;
        loop {
            let low = match self.next()? {
                ']' if !first => return Some(set),
                '[' => return None,
                '\\' => self.escape(&mut set)?,
                letter => Some(letter),
            };
            first = false;
            let Some(low) = low else { continue };
            let mut high = low;
            if matches!(self.rest, ['-', after, ..] if *after != ']') {
                self.next();
                high = match self.next()? {
                    '\\' => self.escape(&mut set)??,
                    letter => letter,
                };
            }
            set.ranges.push((low, high));
        }
    }

    /// What follows a backslash: one letter, or (`None`) a class that is now in the set.
    #[allow(clippy::option_option, reason = "the outer one is failure, the inner one absence")]
    fn escape(&mut self, set: &mut Set) -> Option<Option<char>> {
        let number = |parser: &mut Self, digits: usize| {
            let text: String = parser.rest.get(..digits)?.iter().collect();
            parser.rest = parser.rest.get(digits..)?;
            // A lone surrogate is the edge of a range between planes.
            u32::from_str_radix(&text, 16).ok().map(|code| char::from_u32(code).unwrap_or('\u{d7ff}'))
        };
        Some(match self.next()? {
            class @ ('w' | 'W' | 'd' | 'D' | 's' | 'S') => {
                set.classes.push(class);
                None
            }
            'p' => {
                let class = ["{L}", "{N}", "{Z}"].into_iter().find(|class| self.eat(class))?;
                set.classes.extend(class.chars().nth(1));
                None
            }
            'u' => Some(number(self, 4)?),
            'x' => Some(number(self, 2)?),
            't' => Some('\t'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            letter if letter.is_alphanumeric() => return None,
            letter => Some(letter),
        })
    }
}

/// `\b`: a word's letter on one side and none on the other.
fn word_boundary() -> Node {
    let look = |behind, negated| {
        let inner = Box::new(Node::One(Set { classes: vec!['w'], ..Set::default() }));
        Node::Look { behind, negated, inner }
    };
    Node::Either(vec![
        Node::Sequence(vec![look(true, false), look(false, true)]),
        Node::Sequence(vec![look(true, true), look(false, false)]),
    ])
}

impl Set {
    fn contains(&self, letter: char) -> bool {
        let in_range = self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter));
        self.negated != (in_range || self.classes.iter().any(|class| in_class(*class, letter)))
    }
}

fn in_class(class: char, letter: char) -> bool {
    match class {
        'w' => letter.is_ascii_alphanumeric() || letter == '_',
        'd' => letter.is_ascii_digit(),
        's' => matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'),
        'L' => letter.is_alphabetic(),
        'N' => letter.is_numeric(),
        'Z' => letter == '\u{a0}' || (letter.is_whitespace() && !letter.is_control()),
        'W' | 'D' | 'S' => !in_class(class.to_ascii_lowercase(), letter),
        _ => false,
    }
}

/// Adds a node's steps; false where the program becomes too long. `left` is how many nodes may still be visited, those without a step
/// and those inside of lookarounds too: a pattern may repeat either as often as it can write a number.
fn emit(node: &Node, program: &mut Vec<Step>, left: &mut usize) -> bool {
    if program.len() > PROGRAM_MAX || *left == 0 {
        return false;
    }
    *left -= 1;
    match node {
        Node::One(set) => program.push(Step::One(set.clone())),
        Node::Start => program.push(Step::Start),
        Node::End => program.push(Step::End),
        Node::Sequence(nodes) => return nodes.iter().all(|node| emit(node, program, left)),
        Node::Either(branches) => return emit_either(branches, program, left),
        Node::Repeat(inner, least, most) => {
            for _ in 0..*least {
                if !emit(inner, program, left) {
                    return false;
                }
            }
            let Some(most) = most else { return emit_optional(inner, program, true, left) };
            return (*least..*most).all(|_| emit_optional(inner, program, false, left));
        }
        Node::Look { behind, negated, inner } => {
            let mut inside = Vec::new();
            if !emit(inner, &mut inside, left) {
                return false;
            }
            program.push(Step::Look { behind: *behind, negated: *negated, program: inside });
        }
    }
    true
}

fn emit_optional(inner: &Node, program: &mut Vec<Step>, again: bool, left: &mut usize) -> bool {
    let split = program.len();
    program.push(Step::Jump(0));
    if !emit(inner, program, left) {
        return false;
    }
    if again {
        program.push(Step::Jump(split));
    }
    let end = program.len();
    patch(program, split, Step::Split(split + 1, end));
    true
}

fn emit_either(branches: &[Node], program: &mut Vec<Step>, left: &mut usize) -> bool {
    let mut ends = Vec::new();
    for (index, branch) in branches.iter().enumerate() {
        let last = index + 1 == branches.len();
        let split = program.len();
        if !last {
            program.push(Step::Jump(0));
        }
        if !emit(branch, program, left) {
            return false;
        }
        if !last {
            ends.push(program.len());
            program.push(Step::Jump(0));
            let next = program.len();
            patch(program, split, Step::Split(split + 1, next));
        }
    }
    let end = program.len();
    ends.into_iter().for_each(|at| patch(program, at, Step::Jump(end)));
    true
}

fn patch(program: &mut [Step], at: usize, step: Step) {
    if let Some(place) = program.get_mut(at) {
        *place = step;
    }
}

/// Whether the program matches from a place on, to a given end or to any.
fn run(program: &[Step], text: &[char], from: usize, end: Option<usize>) -> bool {
    let mut machine =
        Machine { program, text, seen: vec![false; program.len() + 1], open: vec![0], reached: Vec::new() };
    for at in from..=text.len() {
        let matched = machine.close(at);
        if matched && end.is_none_or(|end| end == at) {
            return true;
        }
        match text.get(at) {
            Some(letter) if machine.advance(*letter) => {}
            _ => return false,
        }
    }
    false
}

/// All places in the program at once.
struct Machine<'p> {
    program: &'p [Step],
    text: &'p [char],
    seen: Vec<bool>,
    /// Places still to be looked at.
    open: Vec<usize>,
    /// Places that wait for a letter.
    reached: Vec<usize>,
}

impl Machine<'_> {
    /// Follows all steps that take no letter; whether that reaches the program's end.
    fn close(&mut self, at: usize) -> bool {
        self.seen.fill(false);
        self.reached.clear();
        let mut matched = false;
        while let Some(pc) = self.open.pop() {
            match self.seen.get_mut(pc) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match self.program.get(pc) {
                Some(Step::Split(left, right)) => self.open.extend([*left, *right]),
                Some(Step::Jump(to)) => self.open.push(*to),
                Some(Step::Start) if at == 0 => self.open.push(pc + 1),
                Some(Step::End) if at == self.text.len() => self.open.push(pc + 1),
                Some(Step::Look { behind, negated, program }) => {
                    let found = if *behind {
                        (0..=at).any(|from| run(program, self.text, from, Some(at)))
                    } else {
                        run(program, self.text, at, None)
                    };
                    if found != *negated {
                        self.open.push(pc + 1);
                    }
                }
                Some(Step::Start | Step::End) => {}
                Some(Step::One(_)) => self.reached.push(pc),
                None => matched = true,
            }
        }
        matched
    }

    /// Takes a letter; whether anybody wanted it.
    fn advance(&mut self, letter: char) -> bool {
        let Self { program, open, reached, .. } = self;
        let wants = |pc: &&usize| matches!(program.get(**pc), Some(Step::One(set)) if set.contains(letter));
        open.extend(reached.iter().filter(wants).map(|pc| pc + 1));
        !open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let compiled = Pattern::new(pattern).unwrap();
        for text in matching {
            assert!(compiled.matches(text), "`{pattern}` should match `{text}`");
        }
        for text in others {
            assert!(!compiled.matches(text), "`{pattern}` should not match `{text}`");
        }
    }

    #[test]
    fn what_adds_nothing_is_not_repeated_without_end() {
        for pattern in [
            "(){18446744073709551615}".to_owned(),
            "((((){20000}){20000}){20000}){20000}".to_owned(),
            format!("(?=a{{{0}}}){{{0}}}", 19_999),
        ] {
            assert!(Pattern::new(&pattern).is_none(), "{pattern}");
        }
        check("(){3}a{2}", &["aa"], &["a", "aaa"]);
    }

    #[test]
    fn words_have_boundaries() {
        check(r"(\w|:)+\baws\b:.*", &["arn:aws:x"], &["arn:awsx:x", "arnaws:x"]);
        check(r".*\b", &["a", ":a"], &["", "a:"]);
    }

    #[test]
    fn patterns_of_the_models() {
        check(r"[\.\-_A-Za-z0-9]+", &["a", "a.b-c_9"], &["", "a b", "ä"]);
        check(r"[0-9A-Za-z\.\-_]*(?<!\.)", &["", "a.b"], &["a.", "a b"]);
        check(r"^(?!\s*$).+", &["a", " a "], &["", "   "]);
        check(r"\u002F[\u0021-\u007F]*", &["/", "/a"], &["a", "/ü"]);
        check(r"[\u0009\u000A\u000D\u0020-\u00FF]+", &["a\nü"], &["€"]);
        check(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", &["ü 7", "a:b"], &["a!b"]);
        check(r"^\d{12}$", &["123456789012"], &["12345678901", "1234567890123"]);
        check("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()", &["", "arn:aws:sqs:x"], &["x"]);
        check(r"aws\.partner(/[\.\-_A-Za-z0-9]+){2,}", &["aws.partner/a/b", "aws.partner/a/b/c"], &["aws.partner/a"]);
        check("[a-f]{2,3}", &["ab", "abc"], &["a", "abcd"]);
        check("a|bc|", &["a", "bc", ""], &["ab"]);
        check("[0-9a-z-:]+", &["a-1:b"], &["_"]);
        check(r"[^\s]+", &["a"], &["a b"]);
    }

    #[test]
    fn nothing_takes_exponential_time() {
        check("(a*)*b", &["aab"], &[&"a".repeat(5000)]);
        check("(a|a)*(a|a)*(a|a)*b", &["b"], &[&"a".repeat(5000)]);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for pattern in ["(", "[", "*", r"\1", r"\p{Greek}", "a{", "[a[b]]", ")", "((a{999}){999}){999}"] {
            assert!(Pattern::new(pattern).is_none(), "{pattern}");
        }
    }
}
