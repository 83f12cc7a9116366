//! A template taken apart: what it declares, in its own order.
//!
//! Invariant: maps iterate in template order; expressions have passed the reader, so their functions exist and have
//! the right number of arguments, or there is a finding.

mod read;
mod references;
mod resource;

use indexmap::IndexMap;
use neargate_base::Diagnostic;
use serde_json::Value as Json;

use crate::expr::Expr;
use crate::finding::Finding;
use crate::parameter::Parameter;

pub use resource::{Output, Resource};

/// A CloudFormation template.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// What it was read from, for messages.
    pub file: String,
    /// `Description`.
    pub description: Option<String>,
    /// `Metadata`, null where there is none.
    pub metadata: Json,
    /// `Parameters` by name.
    pub parameters: IndexMap<String, Parameter>,
    /// `Mappings` by name: two levels of keys, then text, number, boolean or a list of them.
    pub mappings: IndexMap<String, Json>,
    /// `Conditions` by name.
    pub conditions: IndexMap<String, Expr>,
    /// `Rules` by name.
    pub rules: IndexMap<String, Rule>,
    /// `Resources` by logical id.
    pub resources: IndexMap<String, Resource>,
    /// `Outputs` by name.
    pub outputs: IndexMap<String, Output>,
    /// The whole template as JSON in the long form, as it was read.
    pub document: Json,
}

/// An entry of `Rules`: assertions over the parameters, checked before a stack is made or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The assertions are checked where this holds; always, where there is none.
    pub condition: Option<Expr>,
    /// What must hold.
    pub assertions: Vec<Assertion>,
}

/// One assertion of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// What must hold.
    pub assert: Expr,
    /// What to tell the user where it does not.
    pub description: Option<String>,
}

impl Template {
    /// Reads JSON or YAML. There is a template whenever the text could be read at all, however wrong its content;
    /// it may be acted upon where no diagnostic is an error.
    pub fn parse(text: &str, file: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let (template, findings) = Self::read(text, file);
        (template, findings.into_iter().map(|finding| finding.diagnostic).collect())
    }

    /// As [`parse`](Self::parse), with what AWS says of each finding beside it.
    pub fn read(text: &str, file: &str) -> (Option<Self>, Vec<Finding>) {
        read::read(text, file)
    }
}
