//! CloudFormation templates: reading, references, order, evaluation, comparison. Pure.
//!
//! [`Template::read`] takes JSON or YAML apart and finds everything that is wrong with it at once. Its resources hold
//! [`Expr`] trees. [`resolve_parameters`] checks the values given for its parameters; an [`Evaluator`] then answers what
//! conditions, properties and outputs come to in an [`Environment`], and [`Evaluator::graph`] in what order resources
//! are made. Three-valued: what depends on a resource that is not there yet is [`Evaluated::Unknown`], not wrong.
//!
//! ```
//! use std::collections::BTreeMap;
//! use neargate_base::Scope;
//! use neargate_template::{Evaluated, Evaluator, Template, Undeployed, resolve_parameters};
//!
//! let text = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !Sub '${AWS::Region}-jobs'\n";
//! let (template, diagnostics) = Template::parse(text, "queue.yaml");
//! assert!(diagnostics.is_empty());
//! let template = template.expect("the text is YAML");
//! let environment = Undeployed { scope: Scope::new("000000000000", "eu-west-1"), stack_name: "jobs".into() };
//! let (parameters, _) = resolve_parameters(&template, &BTreeMap::new(), &environment);
//! let evaluator = Evaluator::new(&template, &parameters, &environment)?;
//! let expected = serde_json::json!({"QueueName": "eu-west-1-jobs"});
//! assert_eq!(evaluator.properties("Queue")?, Evaluated::Value(expected));
//! # Ok::<(), neargate_template::EvalError>(())
//! ```
//!
//! Invariant: no IO, no clock, no randomness; never panics, whatever the text; nesting is bounded by [`DEPTH_MAX`].

mod assembly;
mod canonical;
pub mod codes;
mod dynamic;
mod environment;
mod evaluate;
mod expr;
mod finding;
mod graph;
mod members;
mod order;
mod parameter;
mod plan;
mod source;
mod template;
mod trail;

pub use assembly::{Assembly, AssemblyStack, MissingContext};
pub use canonical::{Difference, canonical, semantic_diff};
pub use dynamic::{Part as DynamicPart, parts as dynamic_parts};
pub use environment::{DynamicReference, Environment, StackOutput, Undeployed, Unknown, pseudo};
pub use evaluate::{BYTES_MAX, EvalError, Evaluated, Evaluator, OutputValue, Partial, Unknowns};
pub use expr::{Expr, Function, Reference, SubPart};
pub use finding::{Finding, Refusal, nearest, validation_error};
pub use graph::{Edge, Graph};
pub use parameter::{
    Parameter, ParameterType, ParameterValue, ParameterValues, missing_ssm_parameters, resolve_parameters,
};
pub use plan::{Action, Change, plan, plan_evaluated};
pub use source::{DEPTH_MAX, locate};
pub use template::{Assertion, Output, Resource, Rule, Template};
