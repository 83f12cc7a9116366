//! What each function does with its arguments.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::cidr::subnets;
use super::{EvalError, Evaluator, Partial, Unknowns};
use crate::codes;
use crate::environment::{StackOutput, Unknown};
use crate::expr::{Expr, Function, SubPart, kind};

/// Known text, or why it is unknown.
type Text = Result<String, Unknowns>;

impl Evaluator<'_> {
    pub(super) fn call(&self, function: Function, arguments: &[Expr]) -> Result<Option<Partial>, EvalError> {
        let null = Expr::Literal(Json::Null);
        let argument = |at: usize| arguments.get(at).unwrap_or(&null);
        let value = match function {
            Function::And => self.all(arguments, false)?,
            Function::Or => self.all(arguments, true)?,
            Function::Not => match self.truth(argument(0))? {
                Ok(truth) => Partial::from(!truth),
                Err(unknowns) => Partial::Unknown(unknowns),
            },
            Function::Equals => self.known(arguments, |values| match values {
                [a, b] => Partial::from(same(a, b)),
                _ => Partial::from(false),
            })?,
            Function::Contains => self.members(arguments, |list, value| list.iter().any(|item| same(item, value)))?,
            Function::EachMemberEquals => {
                self.members(arguments, |list, value| list.iter().all(|item| same(item, value)))?
            }
            Function::EachMemberIn => self.members(arguments, |list, allowed| {
                let allowed = allowed.as_array().map(Vec::as_slice).unwrap_or_default();
                list.iter().all(|item| allowed.iter().any(|other| same(item, other)))
            })?,
            Function::RefAll | Function::ValueOf | Function::ValueOfAll => {
                Partial::unknown(Unknown::Lookup(function.name()))
            }
            Function::Join => match (self.text(argument(0))?, self.list(function, argument(1))?) {
                (Ok(delimiter), Ok(items)) => self.join(&delimiter, &items, false)?,
                (Err(unknowns), _) | (_, Err(unknowns)) => Partial::Unknown(unknowns),
            },
            Function::Select => return self.select(argument(0), argument(1)).map(Some),
            Function::Split => match (self.text(argument(0))?, self.text(argument(1))?) {
                (Ok(delimiter), Ok(text)) if !delimiter.is_empty() => {
                    Partial::List(text.split(&delimiter).map(|part| Partial::Scalar(part.into())).collect())
                }
                (Ok(_), Ok(_)) => return Err(malformed(function, "a delimiter that is not empty")),
                (Err(unknowns), _) | (_, Err(unknowns)) => Partial::Unknown(unknowns),
            },
            Function::Length => match self.list(function, argument(0))? {
                Ok(items) => Partial::Scalar(items.len().into()),
                Err(unknowns) => Partial::Unknown(unknowns),
            },
            Function::ToJsonString => self.known(arguments, |values| {
                Partial::Scalar(values.first().map(Json::to_string).unwrap_or_default().into())
            })?,
            Function::Base64 => self.with_text(argument(0), |text| Ok(Partial::Scalar(base64(&text).into())))?,
            Function::GetAzs => self.availability_zones(argument(0))?,
            Function::ImportValue => self.with_text(argument(0), |name| {
                let unknown = Unknown::Import(name.clone());
                Ok(self.environment.import(&name).map_or_else(|| Partial::unknown(unknown), Partial::from))
            })?,
            Function::GetStackOutput => self.stack_output(arguments)?,
            Function::FindInMap => return self.find_in_map(arguments),
            Function::Cidr => self.cidr(arguments)?,
        };
        Ok(Some(value))
    }

    /// `Fn::Or` where `stop` is true, `Fn::And` where it is false: one such argument decides, whatever is unknown.
    fn all(&self, arguments: &[Expr], stop: bool) -> Result<Partial, EvalError> {
        let mut unknowns = Unknowns::new();
        for argument in arguments {
            match self.truth(argument)? {
                Ok(truth) if truth == stop => return Ok(Partial::from(stop)),
                Ok(_) => {}
                Err(more) => unknowns.extend(more),
            }
        }
        Ok(if unknowns.is_empty() { Partial::from(!stop) } else { Partial::Unknown(unknowns) })
    }

    /// Applies `then` to the arguments' values if all are known; `AWS::NoValue` counts as null.
    fn known(&self, arguments: &[Expr], then: impl FnOnce(&[Json]) -> Partial) -> Result<Partial, EvalError> {
        let mut values = vec![];
        let mut unknowns = Unknowns::new();
        for argument in arguments {
            match self.eval(argument)?.map_or(Ok(Json::Null), Partial::into_json) {
                Ok(json) => values.push(json),
                Err(more) => unknowns.extend(more),
            }
        }
        Ok(if unknowns.is_empty() { then(&values) } else { Partial::Unknown(unknowns) })
    }

    fn members(&self, arguments: &[Expr], holds: impl FnOnce(&[Json], &Json) -> bool) -> Result<Partial, EvalError> {
        self.known(arguments, |values| match values {
            [Json::Array(list), value] => Partial::from(holds(list, value)),
            [one, value] => Partial::from(holds(std::slice::from_ref(one), value)),
            _ => Partial::from(false),
        })
    }

    /// The text of a scalar.
    pub(super) fn text(&self, expr: &Expr) -> Result<Text, EvalError> {
        match self.eval(expr)? {
            None => Ok(Ok(String::new())),
            Some(Partial::Unknown(unknowns)) => Ok(Err(unknowns)),
            Some(Partial::Scalar(scalar)) => Ok(Ok(text_of(&scalar))),
            Some(other) => {
                let got = other.into_json().map_or_else(|_| "a list or an object".to_owned(), |json| kind(&json));
                let aws = "Template error: every function argument must be a string.";
                Err(EvalError::new(codes::ARGUMENTS, format!("expected a text, got {got}"), aws))
            }
        }
    }

    fn with_text(
        &self,
        expr: &Expr,
        then: impl FnOnce(String) -> Result<Partial, EvalError>,
    ) -> Result<Partial, EvalError> {
        match self.text(expr)? {
            Ok(text) => then(text),
            Err(unknowns) => Ok(Partial::Unknown(unknowns)),
        }
    }

    fn list(&self, function: Function, expr: &Expr) -> Result<Result<Vec<Partial>, Unknowns>, EvalError> {
        match self.eval(expr)? {
            Some(Partial::List(items)) => Ok(Ok(items)),
            Some(Partial::Unknown(unknowns)) => Ok(Err(unknowns)),
            _ => Err(malformed(function, "a list")),
        }
    }

    /// The texts of `Fn::Join` or `Fn::Sub` in one.
    pub(super) fn join(&self, delimiter: &str, items: &[Partial], sub: bool) -> Result<Partial, EvalError> {
        let mut texts = vec![];
        let mut unknowns = Unknowns::new();
        for item in items {
            match item {
                Partial::Scalar(scalar) => texts.push(text_of(scalar)),
                Partial::Unknown(more) => unknowns.extend(more.iter().cloned()),
                Partial::List(_) | Partial::Object(_) if sub => {
                    let aws = "Template error: every value in an Fn::Sub must be a string";
                    let message = "`Fn::Sub` needs texts, got a list or an object";
                    return Err(EvalError::new(codes::ARGUMENTS, message, aws));
                }
                Partial::List(_) | Partial::Object(_) => return Err(malformed(Function::Join, "a list of texts")),
            }
        }
        let delimiters = delimiter.len().saturating_mul(texts.len());
        self.affords(texts.iter().map(String::len).fold(delimiters, usize::saturating_add))?;
        let joined = || Partial::Scalar(texts.join(delimiter).into());
        Ok(if unknowns.is_empty() { joined() } else { Partial::Unknown(unknowns) })
    }

    pub(super) fn sub(&self, parts: &[SubPart], variables: &IndexMap<String, Expr>) -> Result<Partial, EvalError> {
        let mut values = IndexMap::new();
        for (name, variable) in variables {
            values.insert(name.as_str(), self.eval(variable)?);
        }
        let mut pieces = vec![];
        let mut bytes = 0_usize;
        for part in parts {
            let piece = match part {
                SubPart::Text(text) => Some(Partial::Scalar(text.as_str().into())),
                SubPart::Reference(expr) => self.eval(expr)?,
                SubPart::Variable(name) => values.get(name.as_str()).cloned().flatten(),
            };
            // Checked piece by piece: many uses of one long variable must not be gathered first.
            bytes = bytes.saturating_add(piece.as_ref().map_or(0, Partial::weight));
            self.affords(bytes)?;
            pieces.extend(piece);
        }
        self.join("", &pieces, true)
    }

    fn select(&self, index: &Expr, list: &Expr) -> Result<Partial, EvalError> {
        let index = match self.text(index)? {
            Ok(text) => text,
            Err(unknowns) => return Ok(Partial::Unknown(unknowns)),
        };
        let items = match self.list(Function::Select, list)? {
            Ok(items) => items,
            Err(unknowns) => return Ok(Partial::Unknown(unknowns)),
        };
        let count = items.len();
        let found = index.parse::<usize>().ok().and_then(|at| items.into_iter().nth(at));
        found.ok_or_else(|| {
            let message = format!("`Fn::Select` cannot take element `{index}` of a list of {count}");
            let aws = format!("Template error: Fn::Select cannot select nonexistent value at index {index}");
            EvalError::new(codes::ARGUMENTS, message, aws)
        })
    }

    fn availability_zones(&self, region: &Expr) -> Result<Partial, EvalError> {
        self.with_text(region, |region| {
            let region = if region.is_empty() {
                match self.environment.pseudo("AWS::Region") {
                    Some(region) => text_of(&region),
                    None => return Ok(Partial::unknown(Unknown::Pseudo("AWS::Region".to_owned()))),
                }
            } else {
                region
            };
            Ok(match self.environment.availability_zones(&region) {
                Some(zones) => Partial::from(Json::from(zones)),
                None => Partial::unknown(Unknown::AvailabilityZones(region)),
            })
        })
    }

    fn stack_output(&self, arguments: &[Expr]) -> Result<Partial, EvalError> {
        let mut texts = vec![];
        for argument in arguments {
            match self.text(argument)? {
                Ok(text) => texts.push(text),
                Err(unknowns) => return Ok(Partial::Unknown(unknowns)),
            }
        }
        let mut texts = texts.into_iter();
        let output = StackOutput {
            stack: texts.next().unwrap_or_default(),
            output: texts.next().unwrap_or_default(),
            region: texts.next().filter(|text| !text.is_empty()),
            role_arn: texts.next().filter(|text| !text.is_empty()),
        };
        let value = self.environment.stack_output(&output);
        Ok(value.map_or_else(|| Partial::unknown(Unknown::StackOutput(output)), Partial::from))
    }

    fn find_in_map(&self, arguments: &[Expr]) -> Result<Option<Partial>, EvalError> {
        let mut keys = vec![];
        for argument in arguments.iter().take(3) {
            match self.text(argument)? {
                Ok(text) => keys.push(text),
                Err(unknowns) => return Ok(Some(Partial::Unknown(unknowns))),
            }
        }
        let [map, top, second] = keys.as_slice() else { return Ok(None) };
        let entry = self.template.mappings.get(map).and_then(|map| map.get(top)).and_then(|map| map.get(second));
        match (entry, arguments.get(3)) {
            (Some(entry), _) => Ok(Some(Partial::from(entry.clone()))),
            (None, Some(default)) => self.eval(default),
            (None, None) => {
                let message = format!("the mapping `{map}` has nothing at `{top}`, `{second}`");
                let aws = format!("Template error: Unable to get mapping for {map}::{top}::{second}");
                Err(EvalError::new(codes::MAPPING, message, aws))
            }
        }
    }

    fn cidr(&self, arguments: &[Expr]) -> Result<Partial, EvalError> {
        let mut texts = vec![];
        for argument in arguments {
            match self.text(argument)? {
                Ok(text) => texts.push(text),
                Err(unknowns) => return Ok(Partial::Unknown(unknowns)),
            }
        }
        let (block, count) = match texts.as_slice() {
            [block, count, ..] => (block.as_str(), count.parse::<u32>().ok()),
            _ => ("", None),
        };
        let bits = texts.get(2).filter(|bits| !bits.is_empty()).map(|bits| bits.parse::<u32>().map_err(|_| ()));
        let made = match (count, bits.transpose()) {
            (Some(count), Ok(bits)) => subnets(block, count, bits),
            _ => None,
        };
        let blocks = made.ok_or_else(|| {
            let message = format!(
                "`Fn::Cidr` cannot make {}",
                texts
                    .iter()
                    .skip(1)
                    .fold(format!("blocks of `{block}`"), |text, argument| format!("{text}, `{argument}`"),)
            );
            let aws = format!("Template error: Fn::Cidr cannot be evaluated for block {block}");
            EvalError::new(codes::ARGUMENTS, message, aws)
        })?;
        Ok(Partial::from(Json::from(blocks)))
    }
}

fn malformed(function: Function, expected: &str) -> EvalError {
    let name = function.name();
    let aws = match function {
        Function::Join => {
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) \
                           a list of strings to be joined or a function that returns a list of strings (such as \
                           Fn::GetAZs) to be joined."
                .to_owned()
        }
        Function::Select => "Template error: Fn::Select requires a list argument with two elements: an integer index \
                             and a list"
            .to_owned(),
        _ => format!("Template error: {name} requires {expected}"),
    };
    EvalError::new(codes::ARGUMENTS, format!("`{name}` needs {expected}"), aws)
}

/// A scalar as CloudFormation writes it into a text.
pub(crate) fn text_of(scalar: &Json) -> String {
    match scalar {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// Whether two values are equal to CloudFormation, for which `1` and `"1"`, `true` and `"true"` are.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(_), _) | (_, Json::Object(_)) | (Json::Array(_), _) | (_, Json::Array(_)) => a == b,
        (a, b) => text_of(a) == text_of(b),
    }
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4_usize {
            let digit = usize::try_from(bits >> (18 - 6 * at) & 63).ok().and_then(|digit| ALPHABET.get(digit));
            encoded.push(if at > chunk.len() { '=' } else { digit.map_or('=', |digit| char::from(*digit)) });
        }
    }
    encoded
}
