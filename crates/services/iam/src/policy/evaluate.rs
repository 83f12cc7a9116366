//! The decision, and the reasons for it.

use std::fmt;

use super::caller::Caller;
use super::condition::Condition;
use super::context::Context;
use super::document::{Document, Effect, Part, Principals, Statement};
use super::pattern::{action_matches, resource_matches};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// To do what, such as `ecs:RunTask`.
    pub action: &'a str,
    /// To what: an ARN, or `*` where the action knows no resources.
    pub resource: &'a str,
    /// What else is known.
    pub context: &'a Context,
}

/// A document under the name a reader knows it by.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Such as `inline policy x`.
    pub name: &'a str,
    /// What it says.
    pub document: &'a Document,
}

/// What all policies together say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it, none denies it.
    Allowed {
        /// Whether some statement that allows it names the caller, rather than the caller's whole account. Always so for
        /// statements that name no principals.
        directly: bool,
    },
    /// A statement denies it.
    Denied {
        /// The policy and the statement.
        by: String,
    },
    /// No statement speaks of it.
    NotAllowed,
}

/// Why a statement does not apply.
#[derive(Clone, Copy, Debug)]
pub enum Difference<'a> {
    /// It speaks of others.
    Principal(&'a Principals),
    /// It speaks of other actions.
    Action(&'a Part),
    /// It speaks of other resources.
    Resource(&'a Part),
    /// This condition does not hold.
    Condition(&'a Condition, &'a Context),
}

/// Decides.
pub fn decide(policies: &[Policy<'_>], question: &Question<'_>) -> Verdict {
    let mut allowed = None;
    for policy in policies {
        for (at, statement) in policy.document.statements.iter().enumerate() {
            if difference(policy.document, statement, question).is_some() {
                continue;
            }
            if statement.effect == Effect::Deny {
                return Verdict::Denied { by: format!("{} of {}", name(at, statement), policy.name) };
            }
            allowed = Some(allowed.unwrap_or(false) || names_caller(statement, question.caller));
        }
    }
    allowed.map_or(Verdict::NotAllowed, |directly| Verdict::Allowed { directly })
}

/// A line for each statement of each policy: whether it applies, and if not, the first thing in which it differs.
pub fn explain(policies: &[Policy<'_>], question: &Question<'_>) -> Vec<String> {
    let mut lines = vec![];
    for policy in policies {
        for (at, statement) in policy.document.statements.iter().enumerate() {
            let subject = format!("{}, {}", policy.name, name(at, statement));
            lines.push(match (difference(policy.document, statement, question), statement.effect) {
                (Some(difference), _) => format!("{subject}: {difference}"),
                (None, Effect::Allow) => format!("{subject}: allows it"),
                (None, Effect::Deny) => format!("{subject}: denies it"),
            });
        }
    }
    lines
}

/// The first thing in which a statement differs from the question.
fn difference<'a>(document: &Document, statement: &'a Statement, question: &Question<'a>) -> Option<Difference<'a>> {
    let principals = statement.principals.as_ref();
    if let Some(principals) = principals.filter(|principals| !principals.mean(question.caller)) {
        return Some(Difference::Principal(principals));
    }
    if !statement.actions.applies(|pattern| action_matches(pattern, question.action)) {
        return Some(Difference::Action(&statement.actions));
    }
    let variables = document.has_variables.then_some(question.context);
    let fits = |pattern: &str| resource_matches(pattern, question.resource, variables);
    if let Some(resources) = statement.resources.as_ref().filter(|resources| !resources.applies(fits)) {
        return Some(Difference::Resource(resources));
    }
    let failing =
        statement.conditions.iter().find(|condition| !condition.holds(question.context, document.has_variables));
    failing.map(|condition| Difference::Condition(condition, question.context))
}

impl Principals {
    fn mean(&self, caller: &Caller) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(caller)) != self.negated
    }
}

fn names_caller(statement: &Statement, caller: &Caller) -> bool {
    let is_account = |pattern: &super::PrincipalPattern| matches!(pattern, super::PrincipalPattern::Account(_));
    statement.principals.as_ref().is_none_or(|principals| {
        principals.negated || principals.patterns.iter().any(|pattern| !is_account(pattern) && pattern.matches(caller))
    })
}

fn name(at: usize, statement: &Statement) -> String {
    statement.sid.as_ref().map_or_else(|| format!("statement {}", at + 1), |sid| format!("statement `{sid}`"))
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |f: &mut fmt::Formatter<'_>, what: &str, part: &Part| {
            let verb = if part.negated { "excepts" } else { "is for" };
            write!(f, "{verb} {what} `{}`", part.patterns.join("`, `"))
        };
        match self {
            Self::Principal(principals) => {
                let names: Vec<_> = principals.patterns.iter().map(super::PrincipalPattern::shown).collect();
                let verb = if principals.negated { "excepts" } else { "is for" };
                write!(f, "{verb} principal `{}`", names.join("`, `"))
            }
            Self::Action(actions) => part(f, "action", actions),
            Self::Resource(resources) => part(f, "resource", resources),
            Self::Condition(condition, context) => condition.shown(context, f),
        }
    }
}
