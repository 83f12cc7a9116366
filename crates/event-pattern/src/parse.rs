//! From a pattern's text to its branches.
//!
//! A pattern is read with `$or` as a keyword first. When that fails it is read again with `$or` as an ordinary field
//! name, since EventBridge takes a malformed `$or` for one.
//!
//! Invariant: recursion is bounded by [`crate::lexer::DEPTH_MAX`]; branches are bounded by [`BRANCHES_MAX`] and
//! [`FIELDS_MAX`], names by [`NAME_BYTES_MAX`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::branch::{Branch, Field, FieldName};
use crate::error::PatternError;
use crate::lexer::{Lexer, Token};
use crate::operators::{self, Operators};

/// Most branches (combinations of `$or` alternatives) a pattern may have.
pub(crate) const BRANCHES_MAX: usize = 1000;
/// Most fields that all branches of a pattern with `$or` may have together.
pub(crate) const FIELDS_MAX: usize = 100_000;

/// Most bytes that the dotted names of a pattern's fields may have together: each repeats the names around it.
pub(crate) const NAME_BYTES_MAX: usize = 1 << 22;

const RESERVED_IN_OR: &[&str] = &[
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

type Rules = Vec<BTreeMap<FieldName, Arc<Field>>>;

/// Reads a pattern into its branches, each with its fields in Event Ruler's order.
pub(crate) fn branches(text: &str) -> Result<Vec<Branch>, PatternError> {
    let mut parser = Parser::new(text, true);
    let error = match parser.pattern() {
        Ok(branches) => return Ok(branches),
        Err(reason) => parser.error(reason),
    };
    if !parser.or_seen {
        return Err(error);
    }
    let or_malformed = parser.or_malformed;
    let mut parser = Parser::new(text, false);
    match parser.pattern() {
        Ok(branches) => Ok(branches),
        Err(reason) if or_malformed => Err(parser.error(reason)),
        Err(_) => Err(error),
    }
}

fn fields(rules: &Rules) -> usize {
    rules.iter().map(BTreeMap::len).sum()
}

fn too_complex() -> String {
    format!("Rule is too complex - try using fewer $or combinations, at most {BRANCHES_MAX}, or fewer fields with them")
}

pub(crate) struct Parser<'a> {
    pub(crate) lexer: Lexer<'a>,
    path: Vec<String>,
    or_is_keyword: bool,
    or_seen: bool,
    or_malformed: bool,
    name_bytes: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, or_is_keyword: bool) -> Self {
        let lexer = Lexer::new(text);
        Self { lexer, path: Vec::new(), or_is_keyword, or_seen: false, or_malformed: false, name_bytes: 0 }
    }

    fn error(&self, reason: String) -> PatternError {
        PatternError::new(reason, self.lexer.text(), self.lexer.offset(), &self.path)
    }

    fn pattern(&mut self) -> Result<Vec<Branch>, String> {
        if self.lexer.next()? != Token::ObjectStart {
            return Err("Filter is not an object".to_owned());
        }
        let mut rules = Rules::new();
        self.object(&mut rules, "", false)?;
        Ok(rules.into_iter().map(|fields| Branch { fields: fields.into_values().collect() }).collect())
    }

    fn object(&mut self, rules: &mut Rules, base: &str, in_or: bool) -> Result<(), String> {
        let mut empty = true;
        loop {
            let name = match self.lexer.next()? {
                Token::ObjectEnd if empty => return Err("Empty objects are not allowed".to_owned()),
                Token::ObjectEnd => return Ok(()),
                Token::Name(name) => name,
                token => return Err(format!("Unexpected `{}` where a field name was expected", token.text())),
            };
            empty = false;
            if name == "$or" && self.or_is_keyword {
                self.or(rules, base)?;
                continue;
            }
            if in_or && RESERVED_IN_OR.contains(&name.as_str()) {
                self.or_malformed = true;
                return Err(format!("{name} is Ruler reserved fieldName which cannot be used inside $or."));
            }
            self.path.push(name);
            self.member(rules, base, in_or)?;
            self.path.pop();
        }
    }

    /// Reads the value of the field whose name was pushed last.
    fn member(&mut self, rules: &mut Rules, base: &str, in_or: bool) -> Result<(), String> {
        let name = self.path.last().map_or("", String::as_str);
        let path = if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") };
        self.name_bytes += path.len();
        if self.name_bytes > NAME_BYTES_MAX {
            return Err(format!(
                "Rule is too complex - try using fewer or shorter field names, at most {NAME_BYTES_MAX} bytes of them with the names around them"
            ));
        }
        match self.lexer.next()? {
            Token::ObjectStart => self.object(rules, &path, in_or),
            Token::ArrayStart => self.field(rules, path),
            _ => Err(format!("\"{name}\" must be an object or an array")),
        }
    }

    fn field(&mut self, rules: &mut Rules, path: String) -> Result<(), String> {
        let mut operators = Operators::default();
        let start = self.lexer.offset() - 1;
        let mut empty = true;
        loop {
            let token = self.lexer.next()?;
            if token == Token::ArrayEnd {
                break;
            }
            empty = false;
            operators::read(&mut self.lexer, token, &mut operators)?;
        }
        if empty {
            return Err("Empty arrays are not allowed".to_owned());
        }
        let wanted = self.lexer.text().get(start..self.lexer.offset()).unwrap_or("");
        let field = Arc::new(operators.into_field(&path, wanted)?);
        if rules.is_empty() {
            rules.push(BTreeMap::new());
        }
        if rules.len() > 1 && fields(rules) + rules.len() > FIELDS_MAX {
            return Err(too_complex());
        }
        let name: Arc<str> = path.into();
        for rule in rules {
            rule.insert(FieldName(Arc::clone(&name)), Arc::clone(&field));
        }
        Ok(())
    }

    fn or(&mut self, rules: &mut Rules, base: &str) -> Result<(), String> {
        self.or_seen = true;
        if self.lexer.next()? != Token::ArrayStart {
            self.or_malformed = true;
            return Err("It must be an Array followed with $or.".to_owned());
        }
        let mut before = std::mem::take(rules);
        if before.is_empty() {
            before.push(BTreeMap::new());
        }
        let mut alternatives = 0;
        loop {
            match self.lexer.next()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => {}
                _ => {
                    self.or_malformed = true;
                    return Err("Only JSON object is allowed in array of $or relationship.".to_owned());
                }
            }
            alternatives += 1;
            if rules.len() + before.len() > BRANCHES_MAX || fields(rules) + fields(&before) > FIELDS_MAX {
                return Err(too_complex());
            }
            let mut alternative = before.clone();
            self.object(&mut alternative, base, true)?;
            rules.append(&mut alternative);
        }
        if alternatives < 2 {
            self.or_malformed = true;
            return Err("There must have at least 2 Objects in $or relationship.".to_owned());
        }
        Ok(())
    }
}
