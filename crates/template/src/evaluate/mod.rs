//! Expressions to values, as far as the environment knows.
//!
//! Invariant: three-valued throughout. A value that depends on something unknown is unknown and says on what; it is
//! never guessed. What one evaluation may produce is bounded by [`BYTES_MAX`], since nested `Fn::Sub` can double a text
//! at each level. Conditions are evaluated once, in the order of their dependence, so no chain of them recurses.

mod cidr;
mod functions;
mod partial;
mod rules;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use neargate_base::Diagnostic;
use serde_json::Value as Json;

use crate::codes;
use crate::dynamic;
use crate::environment::{Environment, Unknown};
use crate::expr::{Expr, Reference};
use crate::finding::{Finding, Refusal};
use crate::graph::Graph;
use crate::order::order;
use crate::parameter::ParameterValues;
use crate::template::Template;

pub use partial::Partial;

/// How many bytes of text and how many list elements and members one evaluation may produce.
pub const BYTES_MAX: usize = 8 << 20;

/// What a value depends on that is not known.
pub type Unknowns = BTreeSet<Unknown>;

/// The result of evaluating an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// A value without anything unknown in it.
    Value(Json),
    /// `AWS::NoValue`: the property is as good as absent.
    NoValue,
    /// It depends on these.
    Unknown(Unknowns),
}

impl Evaluated {
    /// The value, where there is one.
    pub fn value(self) -> Option<Json> {
        match self {
            Self::Value(json) => Some(json),
            Self::NoValue | Self::Unknown(_) => None,
        }
    }
}

/// An expression that has no value, whatever the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError(Box<Finding>);

impl EvalError {
    pub(crate) fn new(code: neargate_base::Code, message: impl Into<String>, aws: impl Into<String>) -> Self {
        Self(Box::new(Finding::error(code, message, aws)))
    }

    /// For our own user.
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.0.diagnostic
    }

    /// The message with which AWS refuses it.
    pub fn refusal(&self) -> &str {
        match &self.0.refusal {
            Refusal::Text(text) => text,
            Refusal::Unresolved { .. } | Refusal::Accepted => "",
        }
    }
}

impl std::fmt::Display for EvalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.diagnostic.fmt(f)
    }
}

impl std::error::Error for EvalError {}

/// The value of an output and its export's name.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputValue {
    /// `Value`.
    pub value: Evaluated,
    /// `Export.Name`.
    pub export: Option<Evaluated>,
}

/// Evaluates expressions of one template with one set of parameters.
pub struct Evaluator<'a> {
    template: &'a Template,
    parameters: &'a ParameterValues,
    environment: &'a dyn Environment,
    conditions: BTreeMap<&'a str, Result<bool, Unknowns>>,
    /// What the present evaluation may still produce.
    bytes_left: Cell<usize>,
}

impl std::fmt::Debug for Evaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("conditions", &self.conditions).finish_non_exhaustive()
    }
}

impl<'a> Evaluator<'a> {
    /// Evaluates the template's conditions. Conditions on a circle are unknown.
    pub fn new(
        template: &'a Template,
        parameters: &'a ParameterValues,
        environment: &'a dyn Environment,
    ) -> Result<Self, EvalError> {
        let mut evaluator =
            Self { template, parameters, environment, conditions: BTreeMap::new(), bytes_left: Cell::new(BYTES_MAX) };
        let needs = |condition: &Expr| {
            let mut to = vec![];
            condition.references(&|_| None, &mut |reference| {
                if let Reference::Condition(name) = reference {
                    to.extend(template.conditions.get_index_of(name));
                }
            });
            to
        };
        let edges: Vec<Vec<usize>> = template.conditions.values().map(needs).collect();
        for at in order(&edges) {
            if let Some((name, condition)) = template.conditions.get_index(at) {
                let truth = evaluator.truth(condition).map_err(|mut error| {
                    error.0.diagnostic.path = format!("Conditions.{name}");
                    error
                })?;
                evaluator.conditions.insert(name, truth);
            }
        }
        Ok(evaluator)
    }

    /// The same, with conditions as they are and other values for parameters: to show properties without values that are hidden.
    #[must_use]
    pub fn with_parameters(mut self, parameters: &'a ParameterValues) -> Self {
        self.parameters = parameters;
        self
    }

    /// The template.
    pub fn template(&self) -> &'a Template {
        self.template
    }

    /// Whether a condition holds; `None` where that is unknown, or there is no such condition.
    pub fn condition(&self, name: &str) -> Option<bool> {
        self.conditions.get(name)?.as_ref().ok().copied()
    }

    /// Whether a resource is to be made; `None` where its condition is unknown, or there is no such resource.
    pub fn includes(&self, logical_id: &str) -> Option<bool> {
        let resource = self.template.resources.get(logical_id)?;
        resource.condition.as_deref().map_or(Some(true), |name| self.condition(name))
    }

    /// The resources that the conditions leave.
    pub fn graph(&self) -> Graph<'a> {
        Graph::pruned(self.template, &|name| self.condition(name))
    }

    /// The value of an expression; one unknown part makes the whole unknown.
    pub fn evaluate(&self, expr: &Expr) -> Result<Evaluated, EvalError> {
        Ok(match self.partial(expr)? {
            None => Evaluated::NoValue,
            Some(partial) => match partial.into_json() {
                Ok(json) => Evaluated::Value(json),
                Err(unknowns) => Evaluated::Unknown(unknowns),
            },
        })
    }

    /// The value of an expression, with the unknown parts in their places; `None` for `AWS::NoValue`.
    pub fn partial(&self, expr: &Expr) -> Result<Option<Partial>, EvalError> {
        self.bytes_left.set(BYTES_MAX);
        Ok(self.eval(expr)?.map(|partial| self.resolve_dynamic(partial)))
    }

    /// The properties of a resource; an empty object where it has none.
    pub fn properties(&self, logical_id: &str) -> Result<Evaluated, EvalError> {
        match self.template.resources.get(logical_id) {
            None => Ok(Evaluated::NoValue),
            Some(resource) => self.evaluate(&resource.properties).map_err(|mut error| {
                error.0.diagnostic.path = format!("Resources.{logical_id}.Properties");
                error
            }),
        }
    }

    /// The outputs that the conditions leave, in template order.
    pub fn outputs(&self) -> Result<IndexMap<&'a str, OutputValue>, EvalError> {
        let mut outputs = IndexMap::new();
        for (name, output) in &self.template.outputs {
            if output.condition.as_deref().and_then(|name| self.condition(name)) == Some(false) {
                continue;
            }
            let evaluate = |expr: &Expr| {
                self.evaluate(expr).map_err(|mut error| {
                    error.0.diagnostic.path = format!("Outputs.{name}");
                    error
                })
            };
            let export = output.export.as_ref().map(evaluate).transpose()?;
            outputs.insert(name.as_str(), OutputValue { value: evaluate(&output.value)?, export });
        }
        Ok(outputs)
    }

    /// Whether an expression holds.
    fn truth(&self, expr: &Expr) -> Result<Result<bool, Unknowns>, EvalError> {
        match self.eval(expr)? {
            Some(Partial::Unknown(unknowns)) => Ok(Err(unknowns)),
            Some(Partial::Scalar(Json::Bool(truth))) => Ok(Ok(truth)),
            Some(Partial::Scalar(Json::String(text))) if text == "true" || text == "false" => Ok(Ok(text == "true")),
            _ => Err(EvalError::new(
                codes::CONDITION,
                "a condition must be true or false",
                "Template error: a condition must be a boolean",
            )),
        }
    }

    fn eval(&self, expr: &Expr) -> Result<Option<Partial>, EvalError> {
        let made = match expr {
            Expr::Literal(scalar) => return Ok(Some(Partial::Scalar(scalar.clone()))),
            Expr::List(items) => return Ok(Some(Partial::List(self.eval_all(items)?))),
            Expr::Object(members) => {
                let mut object = IndexMap::new();
                for (key, member) in members {
                    if let Some(value) = self.eval(member)? {
                        object.insert(key.clone(), value);
                    }
                }
                return Ok(Some(Partial::Object(object)));
            }
            Expr::If { condition, branches } => return self.either(condition, branches),
            Expr::Ref(name) if name == "AWS::NoValue" => return Ok(None),
            Expr::Ref(name) => Some(self.reference(name)),
            Expr::GetAtt { resource, attribute } => Some(match self.text(attribute)? {
                Ok(attribute) => self.attribute(resource, &attribute),
                Err(unknowns) => Partial::Unknown(unknowns),
            }),
            Expr::Sub { parts, variables } => Some(self.sub(parts, variables)?),
            Expr::Condition(name) => Some(self.decided(name).map_or_else(Partial::Unknown, Partial::from)),
            Expr::Call(function, arguments) => self.call(*function, arguments)?,
        };
        self.spend(made.as_ref().map_or(0, Partial::weight))?;
        Ok(made)
    }

    fn either(&self, condition: &str, branches: &[Expr; 2]) -> Result<Option<Partial>, EvalError> {
        let [then, otherwise] = branches;
        match self.decided(condition) {
            Ok(true) => self.eval(then),
            Ok(false) => self.eval(otherwise),
            Err(unknowns) => {
                let (then, otherwise) = (self.eval(then)?, self.eval(otherwise)?);
                Ok(if then == otherwise { then } else { Some(Partial::Unknown(unknowns)) })
            }
        }
    }

    /// Fails where the present evaluation would produce more than it may.
    fn affords(&self, bytes: usize) -> Result<usize, EvalError> {
        self.bytes_left.get().checked_sub(bytes).ok_or_else(|| {
            let message = format!("the value would be larger than {BYTES_MAX} bytes");
            EvalError::new(codes::ARGUMENTS, message, "Template error: the value is too large")
        })
    }

    fn spend(&self, bytes: usize) -> Result<(), EvalError> {
        self.bytes_left.set(self.affords(bytes)?);
        Ok(())
    }

    fn eval_all(&self, items: &[Expr]) -> Result<Vec<Partial>, EvalError> {
        items.iter().filter_map(|item| self.eval(item).transpose()).collect()
    }

    fn decided(&self, name: &str) -> Result<bool, Unknowns> {
        let unknown = || Err(Unknowns::from([Unknown::Lookup("Condition")]));
        self.conditions.get(name).cloned().unwrap_or_else(unknown)
    }

    fn reference(&self, name: &str) -> Partial {
        if self.template.parameters.contains_key(name) {
            return match self.parameters.get(name) {
                None => Partial::unknown(Unknown::Parameter(name.to_owned())),
                Some(parameter) => parameter
                    .value
                    .clone()
                    .map_or_else(|| Partial::unknown(Unknown::SsmParameter(parameter.text.clone())), Partial::from),
            };
        }
        if self.template.resources.contains_key(name) {
            if self.includes(name) == Some(false) {
                return Partial::unknown(Unknown::Excluded(name.to_owned()));
            }
            let value = self.environment.reference(name);
            return value.map_or_else(|| Partial::unknown(Unknown::Reference(name.to_owned())), Partial::from);
        }
        let value = self.environment.pseudo(name);
        value.map_or_else(|| Partial::unknown(Unknown::Pseudo(name.to_owned())), Partial::from)
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Partial {
        if self.includes(resource) == Some(false) {
            return Partial::unknown(Unknown::Excluded(resource.to_owned()));
        }
        let unknown = || Unknown::Attribute(resource.to_owned(), attribute.to_owned());
        let value = self.environment.attribute(resource, attribute);
        value.map_or_else(|| Partial::unknown(unknown()), Partial::from)
    }

    /// Replaces dynamic references in all texts.
    fn resolve_dynamic(&self, partial: Partial) -> Partial {
        match partial {
            Partial::Scalar(Json::String(text)) if dynamic::is_dynamic(&text) => {
                let mut resolved = String::new();
                let mut unknowns = Unknowns::new();
                for part in dynamic::parts(&text) {
                    match part {
                        dynamic::Part::Text(text) => resolved.push_str(text),
                        dynamic::Part::Reference(reference) => match self.environment.dynamic_reference(&reference) {
                            Some(value) => resolved.push_str(&value),
                            None => {
                                unknowns.insert(Unknown::Dynamic(reference));
                            }
                        },
                    }
                }
                if unknowns.is_empty() { Partial::from(Json::String(resolved)) } else { Partial::Unknown(unknowns) }
            }
            Partial::List(items) => Partial::List(items.into_iter().map(|item| self.resolve_dynamic(item)).collect()),
            Partial::Object(members) => {
                Partial::Object(members.into_iter().map(|(key, member)| (key, self.resolve_dynamic(member))).collect())
            }
            other => other,
        }
    }
}
