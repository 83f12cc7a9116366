//! The part of Java's regular expressions that parameter patterns use, matched by backtracking.
//!
//! Supported: literals, `.`, classes with ranges and `\d \w \s`, groups, alternatives, `? * + {m,n}` greedy or lazy, `^`
//! and `$`. Anything else (look-around, back references, inline flags, properties) makes the answer "not checked".
//!
//! Invariant: [`STEPS_MAX`] bounds the work of one match, [`DEPTH_MAX`] its nesting; beyond them the answer is "not
//! checked" too.

/// How many steps one match may take.
const STEPS_MAX: u32 = 200_000;
/// How deep one match may nest; a repeated single character does not nest.
const DEPTH_MAX: u32 = 256;
/// How often `{m,n}` may repeat.
const REPEATS_MAX: u32 = 4_096;

/// Whether the pattern matches the whole text; `None` where that could not be checked.
pub(crate) fn matches_whole(pattern: &str, text: &str) -> Option<bool> {
    let mut parser = Parser { rest: pattern.chars().collect::<Vec<_>>().into_iter().peekable(), depth: 0 };
    let node = parser.alternatives()?;
    if parser.rest.next().is_some() {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    let mut matcher = Matcher { text: &text, steps: 0, depth: 0 };
    let matched = matcher.run(&node, 0, &mut |_, at| Some(at == text.len()))?;
    Some(matched)
}

#[derive(Debug)]
enum Node {
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Class { negated: bool, items: Vec<Item> },
    Start,
    End,
    Repeat { node: Box<Node>, least: u32, most: u32, lazy: bool },
}

#[derive(Clone, Debug)]
enum Item {
    Range(char, char),
    Digit(bool),
    Word(bool),
    Space(bool),
}

impl Item {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Range(from, to) => (*from..=*to).contains(&c),
            Self::Digit(wanted) => c.is_ascii_digit() == *wanted,
            Self::Word(wanted) => (c.is_ascii_alphanumeric() || c == '_') == *wanted,
            Self::Space(wanted) => matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}') == *wanted,
        }
    }
}

struct Parser {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    depth: u32,
}

impl Parser {
    fn alternatives(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let mut all = vec![self.sequence()?];
        while self.rest.next_if_eq(&'|').is_some() {
            all.push(self.sequence()?);
        }
        self.depth -= 1;
        Some(if all.len() == 1 { all.pop()? } else { Node::Either(all) })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut nodes = vec![];
        while let Some(c) = self.rest.next_if(|c| !matches!(c, '|' | ')')) {
            let node = match c {
                '(' => {
                    if self.rest.next_if_eq(&'?').is_some() {
                        self.rest.next_if_eq(&':')?;
                    }
                    let inner = self.alternatives()?;
                    self.rest.next_if_eq(&')')?;
                    inner
                }
                '[' => self.class()?,
                '.' => Node::Class { negated: true, items: vec![Item::Range('\n', '\n'), Item::Range('\r', '\r')] },
                '^' => Node::Start,
                '$' => Node::End,
                '\\' => match self.escape()? {
                    Some(item) => Node::Class { negated: false, items: vec![item] },
                    None => continue,
                },
                '*' | '+' | '?' | '{' => return None,
                c => Node::Class { negated: false, items: vec![Item::Range(c, c)] },
            };
            nodes.push(self.repeated(node)?);
        }
        Some(Node::Sequence(nodes))
    }

    /// What follows a backslash; an inner `None` for an escape that matches nothing wide (`\A`, `\z`).
    fn escape(&mut self) -> Option<Option<Item>> {
        let c = self.rest.next()?;
        Some(Some(match c {
            'd' | 'D' => Item::Digit(c == 'd'),
            'w' | 'W' => Item::Word(c == 'w'),
            's' | 'S' => Item::Space(c == 's'),
            'n' => Item::Range('\n', '\n'),
            't' => Item::Range('\t', '\t'),
            'r' => Item::Range('\r', '\r'),
            'A' | 'z' | 'Z' => return Some(None),
            c if c.is_ascii_alphanumeric() => return None,
            c => Item::Range(c, c),
        }))
    }

    fn class(&mut self) -> Option<Node> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut items = vec![];
        loop {
            let item = match self.rest.next()? {
                ']' if !items.is_empty() => return Some(Node::Class { negated, items }),
                '[' => return None,
                '&' if self.rest.peek() == Some(&'&') => return None,
                '\\' => self.escape()??,
                c => Item::Range(c, c),
            };
            let Item::Range(from, _) = item else {
                items.push(item);
                continue;
            };
            if self.rest.next_if_eq(&'-').is_none() {
                items.push(item);
                continue;
            }
            // A hyphen before the closing bracket stands for itself.
            match self.rest.peek()? {
                ']' => items.extend([item, Item::Range('-', '-')]),
                _ => {
                    let to = match self.rest.next()? {
                        '\\' => match self.escape()?? {
                            Item::Range(to, _) => to,
                            _ => return None,
                        },
                        to => to,
                    };
                    items.push(Item::Range(from, to));
                }
            }
        }
    }

    fn repeated(&mut self, node: Node) -> Option<Node> {
        let (least, most) = match self.rest.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('{') => {
                self.rest.next();
                let least = self.number()?;
                let most = match self.rest.next_if_eq(&',') {
                    None => least,
                    Some(_) if self.rest.peek() == Some(&'}') => u32::MAX,
                    Some(_) => self.number()?,
                };
                if self.rest.peek() != Some(&'}') || least > REPEATS_MAX {
                    return None;
                }
                (least, most)
            }
            _ => return Some(node),
        };
        self.rest.next();
        let lazy = self.rest.next_if_eq(&'?').is_some();
        if matches!(self.rest.peek(), Some('+' | '*' | '{')) {
            return None;
        }
        Some(Node::Repeat { node: Box::new(node), least, most, lazy })
    }

    fn number(&mut self) -> Option<u32> {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse().ok()
    }
}

struct Matcher<'a> {
    text: &'a [char],
    steps: u32,
    depth: u32,
}

/// What must match after a node; gets the position reached.
type Then<'t> = &'t mut dyn FnMut(&mut Matcher<'_>, usize) -> Option<bool>;

impl Matcher<'_> {
    /// Whether `node` and then `then` match from `at`; `None` where a bound was reached.
    fn run(&mut self, node: &Node, at: usize, then: Then<'_>) -> Option<bool> {
        self.steps += 1;
        self.depth += 1;
        if self.steps > STEPS_MAX || self.depth > DEPTH_MAX {
            return None;
        }
        let matched = match node {
            Node::Sequence(nodes) => self.sequence(nodes, at, then),
            Node::Either(nodes) => {
                let mut matched = false;
                for node in nodes {
                    matched = self.run(node, at, then)?;
                    if matched {
                        break;
                    }
                }
                Some(matched)
            }
            Node::Class { negated, items } => match self.text.get(at) {
                Some(c) if items.iter().any(|item| item.matches(*c)) != *negated => then(self, at + 1),
                _ => Some(false),
            },
            Node::Start if at != 0 => Some(false),
            Node::End if at != self.text.len() => Some(false),
            Node::Start | Node::End => then(self, at),
            Node::Repeat { node, least, most, lazy } => self.repeat(node, (*least, *most), *lazy, at, then),
        };
        self.depth -= 1;
        matched
    }

    fn sequence(&mut self, nodes: &[Node], at: usize, then: Then<'_>) -> Option<bool> {
        match nodes {
            [] => then(self, at),
            [node, rest @ ..] => self.run(node, at, &mut |matcher, at| matcher.sequence(rest, at, then)),
        }
    }

    fn repeat(
        &mut self,
        node: &Node,
        (least, most): (u32, u32),
        lazy: bool,
        at: usize,
        then: Then<'_>,
    ) -> Option<bool> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return None;
        }
        if let Node::Class { negated, items } = node {
            return self.repeat_class(*negated, items, (least, most), lazy, at, then);
        }
        if least == 0 && lazy && then(self, at)? {
            return Some(true);
        }
        if most > 0 {
            let left = (least.saturating_sub(1), if most == u32::MAX { most } else { most - 1 });
            // A turn that consumes nothing would go on forever, and adds nothing.
            let more = self.run(node, at, &mut |matcher, next| {
                if next == at && least == 0 { Some(false) } else { matcher.repeat(node, left, lazy, next, then) }
            })?;
            if more {
                return Some(true);
            }
        }
        if least == 0 && !lazy { then(self, at) } else { Some(false) }
    }

    /// A repeated single character, without recursion.
    fn repeat_class(
        &mut self,
        negated: bool,
        items: &[Item],
        (least, most): (u32, u32),
        lazy: bool,
        at: usize,
        then: Then<'_>,
    ) -> Option<bool> {
        let bound = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let fits = |c: &&char| items.iter().any(|item| item.matches(**c)) != negated;
        let count = self.text.iter().skip(at).take(bound(most)).take_while(fits).count();
        let counts = bound(least)..=count;
        let counts: Box<dyn Iterator<Item = usize>> = if lazy { Box::new(counts) } else { Box::new(counts.rev()) };
        for count in counts {
            if then(self, at + count)? {
                return Some(true);
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::matches_whole;

    #[test]
    fn patterns_match_whole_values() {
        for (pattern, text, expected) in [
            ("[a-z]*", "abc", Some(true)),
            ("[a-z]*", "abC", Some(false)),
            ("^[a-zA-Z][a-zA-Z0-9-]{2,5}$", "a1-b", Some(true)),
            ("^[a-zA-Z][a-zA-Z0-9-]{2,5}$", "a1", Some(false)),
            ("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2})", "10.0.0.0/16", Some(true)),
            ("(dev|prod)(-\\w+)?", "prod-x_1", Some(true)),
            ("(dev|prod)(-\\w+)?", "prod-", Some(false)),
            ("(a|ab)(c|bcd)(d*)", "abcd", Some(true)),
            ("a+?b", "aaab", Some(true)),
            ("[^/]+", "a/b", Some(false)),
            ("(?:x*)*y", "xxxy", Some(true)),
            ("", "", Some(true)),
            ("x{3}", "xxxx", Some(false)),
            ("(?=x)x", "x", None),
            ("(a)\\1", "aa", None),
            ("(a", "a", None),
            ("[]", "a", None),
        ] {
            assert_eq!(matches_whole(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn explosive_patterns_are_not_checked() {
        assert_eq!(matches_whole("(a|a)*(a|a)*(a|a)*b", &"a".repeat(60)), None);
        assert_eq!(matches_whole(&"(".repeat(100), "a"), None);
    }
}
