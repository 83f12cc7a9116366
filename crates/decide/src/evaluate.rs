//! What the statements of policies say to a question, and the reasons for it.

use std::collections::BTreeSet;
use std::fmt;

use super::caller::{Caller, PrincipalPattern, Reach};
use super::condition::Condition;
use super::context::Context;
use super::document::{Document, Effect, Part, Principals, Statement};
use super::pattern::{action_matches, resource_matches};
use super::truth::Truth;

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
        /// How closely a statement that allows it names the caller.
        reach: Reach,
    },
    /// A statement denies it, or may deny it by a condition key that is not known.
    Denied {
        /// The policy and the statement.
        by: String,
    },
    /// No statement speaks of it for certain.
    NotAllowed,
}

/// How a statement fits a question.
#[derive(Clone, Debug)]
enum Fit<'a> {
    Applies(Reach),
    Differs(Difference<'a>),
    /// It applies or not by the values of these condition keys.
    Depends(BTreeSet<String>),
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
            let by = || format!("{} of {}", name(at, statement), policy.name);
            match (fit(policy.document, statement, question), statement.effect) {
                (Fit::Applies(_), Effect::Deny) => return Verdict::Denied { by: by() },
                (Fit::Depends(keys), Effect::Deny) => {
                    return Verdict::Denied { by: format!("{}, which depends on {}", by(), unknown(&keys)) };
                }
                (Fit::Applies(reach), Effect::Allow) => allowed = allowed.max(Some(reach)),
                (Fit::Depends(_), Effect::Allow) | (Fit::Differs(_), _) => {}
            }
        }
    }
    allowed.map_or(Verdict::NotAllowed, |reach| Verdict::Allowed { reach })
}

/// A line for each statement of each policy: whether it applies, and if not, the first thing in which it differs.
pub fn explain(policies: &[Policy<'_>], question: &Question<'_>) -> Vec<String> {
    let mut lines = vec![];
    for policy in policies {
        for (at, statement) in policy.document.statements.iter().enumerate() {
            let subject = format!("{}, {}", policy.name, name(at, statement));
            lines.push(match (fit(policy.document, statement, question), statement.effect) {
                (Fit::Differs(difference), _) => format!("{subject}: {difference}"),
                (Fit::Applies(_), Effect::Allow) => format!("{subject}: allows it"),
                (Fit::Applies(_), Effect::Deny) => format!("{subject}: denies it"),
                (Fit::Depends(keys), Effect::Allow) => {
                    format!("{subject}: does not allow it, since it depends on {}", unknown(&keys))
                }
                (Fit::Depends(keys), Effect::Deny) => {
                    format!("{subject}: denies it, since it depends on {}", unknown(&keys))
                }
            });
        }
    }
    lines
}

/// Condition keys without values, for a reader.
fn unknown(keys: &BTreeSet<String>) -> String {
    let names: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("{}, whose value Neargate does not have", names.join(", "))
}

/// How a statement fits a question: the first thing in which it differs, or what it depends on.
fn fit<'a>(document: &Document, statement: &'a Statement, question: &Question<'a>) -> Fit<'a> {
    let reach = match &statement.principals {
        None => Reach::Session,
        Some(principals) => match principals.reach(statement.effect, question.caller) {
            Some(reach) => reach,
            None => return Fit::Differs(Difference::Principal(principals)),
        },
    };
    let action = statement.actions.applies(|pattern| action_matches(pattern, question.action).into());
    if action == Truth::No {
        return Fit::Differs(Difference::Action(&statement.actions));
    }
    let mut depends = BTreeSet::new();
    let variables = document.has_variables.then_some(question.context);
    let fits = |pattern: &str| resource_matches(pattern, question.resource, variables);
    match statement.resources.as_ref().map(|resources| (resources, resources.applies(fits))) {
        Some((resources, Truth::No)) => return Fit::Differs(Difference::Resource(resources)),
        Some((_, Truth::Unknown(keys))) => depends.extend(keys),
        Some((_, Truth::Yes)) | None => {}
    }
    for condition in &statement.conditions {
        match condition.holds(question.context, document.has_variables) {
            Truth::No => return Fit::Differs(Difference::Condition(condition, question.context)),
            Truth::Unknown(keys) => depends.extend(keys),
            Truth::Yes => {}
        }
    }
    if depends.is_empty() { Fit::Applies(reach) } else { Fit::Depends(depends) }
}

impl Principals {
    /// How closely the caller is meant, where it is.
    ///
    /// A deny with `NotPrincipal` excepts a session only where account, role and session are all named, and never a role with a
    /// permissions boundary: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>.
    fn reach(&self, effect: Effect, caller: &Caller) -> Option<Reach> {
        let named = |caller: &Caller| self.patterns.iter().filter_map(|pattern| pattern.reach(caller)).max();
        if !self.negated {
            return named(caller);
        }
        let is_excepted = match effect {
            Effect::Allow => named(caller).is_some(),
            Effect::Deny => !caller.has_boundary && caller.facets().iter().all(|facet| named(facet).is_some()),
        };
        (!is_excepted).then_some(Reach::Session)
    }
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
                let names: Vec<_> = principals.patterns.iter().map(PrincipalPattern::shown).collect();
                let verb = if principals.negated { "excepts" } else { "is for" };
                write!(f, "{verb} principal `{}`", names.join("`, `"))
            }
            Self::Action(actions) => part(f, "action", actions),
            Self::Resource(resources) => part(f, "resource", resources),
            Self::Condition(condition, context) => condition.shown(context, f),
        }
    }
}
