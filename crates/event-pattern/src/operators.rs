//! Match expressions: what may stand in a field's array.
//!
//! Invariant: errors are found in the order, and told in the words, of Event Ruler's own reader.

use std::sync::Arc;

use crate::branch::Field;
use crate::condition::Test;
use crate::condition::{But, Condition, Range, View};
use crate::fold::Folded;
use crate::ip::Block;
use crate::lexer::{Lexer, Token};
use crate::number;
use crate::wildcard::{self, Wildcard};

type Read<T> = Result<T, String>;

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";
const FOLD_NOT_TEXT: &str = "equals-ignore-case match pattern must be a string";

/// What a field's array has asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    conditions: Vec<Condition>,
    absent: bool,
    view: View,
    wildcards: Vec<Vec<Arc<Wildcard>>>,
}

impl Operators {
    pub(crate) fn into_field(self, path: &str, wanted: &str) -> Read<Field> {
        let groups: Vec<Vec<&Wildcard>> = self.wildcards.iter().map(|g| g.iter().map(|w| &**w).collect()).collect();
        if wildcard::exceeds(&groups, wildcard::COMPLEXITY_MAX) {
            return Err("Rule is too complex - try using fewer wildcard characters or fewer repeating character \
                        sequences after a wildcard character"
                .to_owned());
        }
        let view = self.view;
        let test = |condition: Condition| Test { view: condition.depends_on(view), condition };
        let mut tests: Vec<Test> = self.conditions.into_iter().map(test).collect();
        let mut seen = std::collections::HashSet::new();
        tests.retain(|test| seen.insert(test.clone()));
        Ok(Field {
            name: path.to_owned(),
            tests: tests.into_boxed_slice(),
            absent: self.absent,
            wanted: wanted.to_owned(),
        })
    }

    fn push(&mut self, condition: Condition) {
        match &condition {
            Condition::Number(_) | Condition::Range(_) => self.view.numbers = true,
            Condition::Ip(_) => self.view.addresses = true,
            Condition::AnythingBut(but) if matches!(but.first(), Some(Condition::Number(_))) => {
                self.view.numbers = true;
            }
            _ => {}
        }
        self.conditions.push(condition);
    }

    fn push_all(&mut self, conditions: impl IntoIterator<Item = Condition>) {
        conditions.into_iter().for_each(|c| self.push(c));
    }
}

/// Reads one element of a field's array, whose first token is given.
pub(crate) fn read(lexer: &mut Lexer<'_>, token: Token, into: &mut Operators) -> Read<()> {
    match token {
        Token::ObjectStart => expression(lexer, into)?,
        Token::Text(text) => match Block::of_address(text.as_bytes()) {
            Some(block) => into.push(Condition::Ip(Arc::new(block))),
            None => into.push(exact(&text)),
        },
        Token::Number(text) => {
            if let Some(key) = number::comparable_key(text.as_bytes()) {
                into.push(Condition::Number(key));
            }
            into.push(Condition::Literal(text.as_bytes().into()));
        }
        Token::Null | Token::True | Token::False => into.push(Condition::Literal(token.text().as_bytes().into())),
        _ => return Err("Match value must be String, number, true, false, or null".to_owned()),
    }
    Ok(())
}

fn expression(lexer: &mut Lexer<'_>, into: &mut Operators) -> Read<()> {
    let Token::Name(operator) = lexer.next()? else { return Err("Match expression name not found".to_owned()) };
    match operator.as_str() {
        "exactly" => {
            let text = text(lexer, "exact match pattern must be a string")?;
            into.push(exact(&text));
            end(lexer, ONE_KEY)
        }
        "prefix" | "suffix" => affix(lexer, &operator, into),
        "numeric" => {
            if lexer.next()? != Token::ArrayStart {
                return Err("Value of numeric must be an array.".to_owned());
            }
            let condition = numeric(lexer)?;
            into.push(condition);
            end(lexer, TOO_MANY)
        }
        "anything-but" => anything_but(lexer, into),
        "exists" => {
            match lexer.next()? {
                Token::True => into.push(Condition::Exists),
                Token::False => into.absent = true,
                _ => return Err("exists match pattern must be either true or false.".to_owned()),
            }
            end(lexer, ONE_KEY)
        }
        "cidr" => {
            let text = text(lexer, "prefix match pattern must be a string")?;
            into.push(Condition::Ip(Arc::new(Block::of_cidr(&text)?)));
            end(lexer, ONE_KEY)
        }
        "equals-ignore-case" => {
            let text = text(lexer, FOLD_NOT_TEXT)?;
            into.push(fold(&text));
            end(lexer, ONE_KEY)
        }
        "wildcard" => {
            let text = text(lexer, "wildcard match pattern must be a string")?;
            let wildcard = Arc::new(Wildcard::parse(&text)?);
            into.wildcards.push(vec![Arc::clone(&wildcard)]);
            into.push(Condition::Wildcard(wildcard));
            end(lexer, ONE_KEY)
        }
        _ => Err(format!("Unrecognized match type {operator}")),
    }
}

fn text(lexer: &mut Lexer<'_>, otherwise: &str) -> Read<String> {
    match lexer.next()? {
        Token::Text(text) => Ok(text),
        _ => Err(otherwise.to_owned()),
    }
}

fn end(lexer: &mut Lexer<'_>, otherwise: &str) -> Read<()> {
    if lexer.next()? == Token::ObjectEnd { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn exact(text: &str) -> Condition {
    Condition::Exact(text.as_bytes().into())
}

fn prefix(text: &str) -> Vec<Condition> {
    let mut conditions = vec![Condition::Prefix(text.as_bytes().into())];
    conditions.extend(text.strip_suffix('"').map(exact));
    conditions
}

fn suffix(text: &str) -> Vec<Condition> {
    let mut conditions = vec![Condition::Suffix(text.as_bytes().into())];
    conditions.extend(text.strip_prefix('"').map(exact));
    conditions
}

fn fold(text: &str) -> Condition {
    let folded = Folded::new(text);
    match folded.ascii() {
        Some(lower) => Condition::AsciiFold(lower.into()),
        None => Condition::Fold(Arc::new(folded)),
    }
}

fn affix(lexer: &mut Lexer<'_>, operator: &str, into: &mut Operators) -> Read<()> {
    let is_prefix = operator == "prefix";
    match lexer.next()? {
        Token::Text(text) => into.push_all(if is_prefix { prefix(&text) } else { suffix(&text) }),
        Token::ObjectStart => {
            let Token::Name(inner) = lexer.next()? else {
                let operator = if is_prefix { "Prefix" } else { "Suffix" };
                return Err(format!("{operator} expression name not found"));
            };
            if inner != "equals-ignore-case" {
                return Err(format!("Unsupported {operator} pattern: {inner}"));
            }
            let text = text(lexer, FOLD_NOT_TEXT)?;
            end(lexer, ONE_KEY)?;
            let folded = Folded::new(&text);
            into.push(match (folded.ascii(), is_prefix) {
                (Some(lower), true) => Condition::AsciiFoldPrefix(lower.into()),
                (Some(lower), false) => Condition::AsciiFoldSuffix(lower.into()),
                (None, true) => Condition::FoldPrefix(Arc::new(folded)),
                (None, false) => Condition::FoldSuffix(Arc::new(folded)),
            });
            into.push_all(if is_prefix { text.strip_suffix('"') } else { text.strip_prefix('"') }.map(fold));
        }
        _ => return Err(format!("{operator} match pattern must be a string")),
    }
    end(lexer, ONE_KEY)
}

fn anything_but(lexer: &mut Lexer<'_>, into: &mut Operators) -> Read<()> {
    let mut token = lexer.next()?;
    let mut operator = String::new();
    if token == Token::ObjectStart {
        let Token::Name(name) = lexer.next()? else {
            return Err("Anything-But expression name not found".to_owned());
        };
        if !matches!(name.as_str(), "equals-ignore-case" | "prefix" | "suffix" | "wildcard") {
            return Err(format!("Unsupported anything-but pattern: {name}"));
        }
        operator = name;
        token = lexer.next()?;
    }
    let mut values = Vec::new();
    match token {
        Token::Text(_) | Token::Number(_) => values.push(token),
        Token::ArrayStart => loop {
            match lexer.next()? {
                Token::ArrayEnd => break,
                token @ (Token::Text(_) | Token::Number(_)) => values.push(token),
                _ => return Err(not_in_list(&operator).to_owned()),
            }
            if !operator.is_empty() && matches!(values.last(), Some(Token::Number(_))) {
                return Err(not_in_list(&operator).to_owned());
            }
        },
        _ => return Err("Value of anything-but must be an array or single string/number value.".to_owned()),
    }
    let conditions = if operator.is_empty() { plain(&values)? } else { nested(&operator, &values, into)? };
    into.push(Condition::AnythingBut(Arc::new(But::new(conditions))));
    if !operator.is_empty() {
        end(lexer, ONE_KEY)?;
    }
    end(lexer, TOO_MANY)
}

fn not_in_list(operator: &str) -> &'static str {
    match operator {
        "" => "Inside anything but list, start|null|boolean is not supported.",
        "equals-ignore-case" => {
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
        }
        "wildcard" => "wildcard match pattern must be a string",
        _ => "prefix/suffix match pattern must be a string",
    }
}

fn plain(values: &[Token]) -> Read<Vec<Condition>> {
    let numbers = values.iter().filter(|v| matches!(v, Token::Number(_))).count();
    let conditions = values
        .iter()
        .map(|value| match value {
            Token::Number(text) => comparable(text).map(Condition::Number),
            other => Ok(exact(other.text())),
        })
        .collect::<Read<Vec<_>>>()?;
    if values.is_empty() || (numbers > 0 && numbers < values.len()) {
        return Err(
            "Inside anything but list, either all values are number or string, mixed type is not supported".to_owned()
        );
    }
    Ok(conditions)
}

fn nested(operator: &str, values: &[Token], into: &mut Operators) -> Read<Vec<Condition>> {
    if values.is_empty() {
        return Err(format!("Inside anything-but/{operator} list, at least one value is required"));
    }
    let mut conditions = Vec::with_capacity(values.len());
    let mut wildcards = Vec::new();
    for value in values {
        let Token::Text(text) = value else { return Err(not_in_list(operator).to_owned()) };
        match operator {
            "prefix" | "suffix" if text.is_empty() => return Err("Null prefix/suffix not allowed".to_owned()),
            "prefix" => conditions.extend(prefix(text)),
            "suffix" => conditions.extend(suffix(text)),
            "wildcard" => {
                let wildcard = Arc::new(Wildcard::parse(text)?);
                wildcards.push(Arc::clone(&wildcard));
                conditions.push(Condition::Wildcard(wildcard));
            }
            _ => conditions.push(fold(text)),
        }
    }
    into.wildcards.push(wildcards);
    Ok(conditions)
}

fn comparable(text: &str) -> Read<u64> {
    number::comparable_key(text.as_bytes()).ok_or_else(|| format!("Cannot compare number : {text}"))
}

fn number_of(token: &Token, operator: &str) -> Read<u64> {
    match token {
        Token::Number(text) => comparable(text),
        _ => Err(format!("Value of {operator} must be numeric")),
    }
}

/// Reads a numeric expression after its opening bracket.
fn numeric(lexer: &mut Lexer<'_>) -> Read<Condition> {
    let token = lexer.next()?;
    let Token::Text(operator) = &token else {
        return Err(format!("Invalid member in numeric match: {}", token.text()));
    };
    let named = if operator == "=" { "equals" } else { operator };
    if !matches!(operator.as_str(), "=" | ">=" | ">" | "<=" | "<") {
        lexer.next()?;
        return Err(format!("Unrecognized numeric range operator: {operator}"));
    }
    let value = number_of(&lexer.next()?, named)?;
    let (lowest, highest) = (number::key(f64::MIN), number::key(f64::MAX));
    let next = lexer.next()?;
    let open = !operator.ends_with('=');
    if operator.starts_with('>') {
        let range = if next == Token::ArrayEnd {
            Range { bottom: value, bottom_open: open, top: highest, top_open: false }
        } else {
            between(lexer, &next, value, open)?
        };
        return Ok(Condition::Range(Arc::new(range)));
    }
    if next != Token::ArrayEnd {
        return Err(TOO_MANY.to_owned());
    }
    Ok(if operator == "=" {
        Condition::Number(value)
    } else {
        Condition::Range(Arc::new(Range { bottom: lowest, bottom_open: false, top: value, top_open: open }))
    })
}

/// Reads the upper half of a two-sided range.
fn between(lexer: &mut Lexer<'_>, token: &Token, bottom: u64, bottom_open: bool) -> Read<Range> {
    let Token::Text(operator) = token else {
        return Err(format!("Bad value in numeric range: {}", token.text()));
    };
    if !matches!(operator.as_str(), "<" | "<=") {
        return Err(format!("Bad numeric range operator: {operator}"));
    }
    let top = number_of(&lexer.next()?, operator)?;
    if lexer.next()? != Token::ArrayEnd {
        return Err("Too many terms in numeric range expression".to_owned());
    }
    if bottom >= top {
        return Err("Bottom must be less than top".to_owned());
    }
    Ok(Range { bottom, bottom_open, top, top_open: operator == "<" })
}
