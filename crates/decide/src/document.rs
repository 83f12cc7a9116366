//! Policy documents as they are evaluated.

use super::caller::PrincipalPattern;
use super::condition::Condition;
use super::truth::Truth;

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Whether `${…}` stands for a condition key's value: since version 2012-10-17, and not in a document without `Version`.
    pub has_variables: bool,
    /// In the order they were written, which does not matter to a decision.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; in trust policies only.
    pub principals: Option<Principals>,
    /// `Action` or `NotAction`.
    pub actions: Part,
    /// `Resource` or `NotResource`; in identity policies only.
    pub resources: Option<Part>,
    /// `Condition`: all must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Lets.
    Allow,
    /// Refuses, whatever other statements say.
    Deny,
}

/// An element that has a negated form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// The patterns.
    pub patterns: Vec<String>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principals {
    /// Whether it is `NotPrincipal`.
    pub negated: bool,
    /// Whom it names.
    pub patterns: Vec<PrincipalPattern>,
}

impl Part {
    /// Whether a value is meant, one pattern's fit being decided by `fits`.
    pub(super) fn applies(&self, fits: impl Fn(&str) -> Truth) -> Truth {
        Truth::any(self.patterns.iter().map(|pattern| fits(pattern))).not_if(self.negated)
    }
}

impl Document {
    /// Every principal that an allow names by ARN: they must exist when the document is stored.
    pub fn arns_named(&self) -> impl Iterator<Item = &str> {
        let principals = self.statements.iter().filter_map(|statement| statement.principals.as_ref());
        principals.flat_map(|principals| &principals.patterns).filter_map(|pattern| match pattern {
            PrincipalPattern::Arn(arn) | PrincipalPattern::Role { arn, .. } => Some(arn.as_str()),
            _ => None,
        })
    }

    /// Ties every principal that `id_of` knows the unique id of to that id: a role that is made anew under the same ARN is not meant.
    pub fn tie_principals(&mut self, id_of: impl Fn(&str) -> Option<String>) {
        let principals = self.statements.iter_mut().filter_map(|statement| statement.principals.as_mut());
        for pattern in principals.flat_map(|principals| &mut principals.patterns) {
            if let PrincipalPattern::Arn(arn) = pattern
                && let Some(id) = id_of(arn)
            {
                *pattern = PrincipalPattern::Role { arn: std::mem::take(arn), id };
            }
        }
    }

    /// Every AWS service that the document names.
    pub fn services_named(&self) -> impl Iterator<Item = &str> {
        let principals = self.statements.iter().filter_map(|statement| statement.principals.as_ref());
        principals.flat_map(|principals| &principals.patterns).filter_map(|pattern| match pattern {
            PrincipalPattern::Service(name) => Some(name.as_str()),
            _ => None,
        })
    }
}
