//! Statements and documents, and how a document is made as small as its meaning allows.
//!
//! Statements that differ in one of actions, resources or principals are merged until none are left to merge; actions and resources
//! are sorted, single ones stand alone. The result means what the statements meant, in the form that the CDK writes too.

use std::collections::{BTreeMap, BTreeSet};

use neargate_l1::{Json, Value};

use super::conditions::{Conditions, merge_conditions};
use super::principal::Principal;
use crate::Scope;
use crate::synth::resolve::Resolver;

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    #[default]
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// One statement of a policy.
///
/// ```
/// use neargate_constructs::iam::{Effect, PolicyStatement};
///
/// let statement = PolicyStatement { actions: vec!["sqs:SendMessage".into()], resources: vec!["*".into()], ..Default::default() };
/// assert_eq!(statement.effect, Effect::Allow);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PolicyStatement {
    /// An id; statements that have one are never merged. Default: none.
    pub sid: Option<String>,
    /// Default: allow.
    pub effect: Effect,
    /// What is done: `service:Action`, with `*` for many.
    pub actions: Vec<String>,
    /// Everything but these is done.
    pub not_actions: Vec<String>,
    /// By whom; only in the policies of resources and in trust policies.
    pub principals: Vec<Principal>,
    /// By anyone but these.
    pub not_principals: Vec<Principal>,
    /// To what: ARNs, with `*` for many.
    pub resources: Vec<Value<String>>,
    /// To everything but these.
    pub not_resources: Vec<Value<String>>,
    /// When. Default: always.
    pub conditions: Conditions,
}

/// A list of statements.
#[derive(Clone, Debug, Default)]
pub struct PolicyDocument {
    /// The statements.
    pub statements: Vec<PolicyStatement>,
}

impl PolicyDocument {
    /// The document in a template, from the point of view of `scope`.
    pub(crate) fn render(&self, scope: &Scope) -> Json {
        let mut statements: Vec<Rendered> =
            self.statements.iter().map(|statement| Rendered::of(statement, scope)).collect();
        while merge_once(&mut statements) {}
        let mut rendered: Vec<Json> = Vec::new();
        for statement in statements.iter().map(Rendered::to_json) {
            if !rendered.contains(&statement) {
                rendered.push(statement);
            }
        }
        Json::map([("Statement", Json::List(rendered)), ("Version", Json::from("2012-10-17"))])
    }
}

/// Values by their resolved text, which sorts and compares them.
type Set = BTreeMap<String, Json>;
/// Principal kind and resolved text.
type Principals = BTreeMap<(&'static str, String), Json>;

#[derive(PartialEq)]
struct Rendered {
    sid: Option<String>,
    effect: Effect,
    actions: Set,
    not_actions: Set,
    principals: Principals,
    not_principals: Principals,
    resources: Set,
    not_resources: Set,
    conditions: Conditions,
}

impl Rendered {
    fn of(statement: &PolicyStatement, scope: &Scope) -> Self {
        let stack = scope.stack();
        let resolver = Resolver { stack: &stack, scope };
        let set =
            |values: Vec<Json>| values.into_iter().map(|value| (resolver.resolve(&value).to_string(), value)).collect();
        let texts = |values: &[String]| set(values.iter().map(|value| Json::from(value.as_str())).collect());
        let values = |values: &[Value<String>]| set(values.iter().cloned().map(Json::from).collect());
        let mut conditions = statement.conditions.clone();
        let mut principals = |all: &[Principal]| -> Principals {
            let fragments = all.iter().flat_map(|principal| principal.fragments(&stack));
            let entries = fragments.map(|fragment| {
                merge_conditions(&mut conditions, &fragment.conditions);
                ((fragment.kind, resolver.resolve(&fragment.name).to_string()), fragment.name)
            });
            entries.collect()
        };
        let (allowed, others) = (principals(&statement.principals), principals(&statement.not_principals));
        Self {
            sid: statement.sid.clone(),
            effect: statement.effect,
            actions: texts(&statement.actions),
            not_actions: texts(&statement.not_actions),
            principals: allowed,
            not_principals: others,
            resources: values(&statement.resources),
            not_resources: values(&statement.not_resources),
            conditions,
        }
    }

    /// Takes the other in, where both together mean the same as one statement.
    fn absorb(&mut self, other: &Self) -> bool {
        let fixed = self.sid.is_none()
            && other.sid.is_none()
            && self.effect == other.effect
            && self.conditions == other.conditions
            && self.not_actions == other.not_actions
            && self.not_resources == other.not_resources
            && self.not_principals == other.not_principals;
        let is_star = |principals: &Principals| principals.keys().any(|(kind, _)| *kind == "*");
        let equal = [
            self.actions.keys().eq(other.actions.keys()),
            self.resources.keys().eq(other.resources.keys()),
            self.principals.keys().eq(other.principals.keys()),
        ];
        if !fixed
            || equal.iter().filter(|equal| **equal).count() < 2
            || is_star(&self.principals) != is_star(&other.principals)
        {
            return false;
        }
        self.actions.extend(other.actions.clone());
        self.resources.extend(other.resources.clone());
        self.principals.extend(other.principals.clone());
        true
    }

    fn to_json(&self) -> Json {
        let conditions = self.conditions.iter().filter(|(_, tests)| !tests.is_empty());
        let conditions: Vec<(String, Json)> =
            conditions.map(|(operator, tests)| (operator.clone(), Json::map(tests.clone()))).collect();
        Json::map([
            ("Sid", self.sid.clone().map_or(Json::Null, Json::from)),
            ("Action", one_or_many(&self.actions)),
            ("NotAction", one_or_many(&self.not_actions)),
            ("Condition", if conditions.is_empty() { Json::Null } else { Json::Map(conditions) }),
            ("Effect", Json::from(if self.effect == Effect::Allow { "Allow" } else { "Deny" })),
            ("Principal", principals_to_json(&self.principals)),
            ("NotPrincipal", principals_to_json(&self.not_principals)),
            ("Resource", one_or_many(&self.resources)),
            ("NotResource", one_or_many(&self.not_resources)),
        ])
    }
}

/// One pass; whether anything was merged.
fn merge_once(statements: &mut Vec<Rendered>) -> bool {
    let before = statements.len();
    let mut kept: Vec<Rendered> = Vec::new();
    // A statement meets the earlier ones in order, as they are after what they have taken in already.
    for statement in statements.drain(..) {
        if !kept.iter_mut().any(|earlier| earlier.absorb(&statement)) {
            kept.push(statement);
        }
    }
    *statements = kept;
    statements.len() < before
}

fn one_or_many(set: &Set) -> Json {
    let mut values: Vec<Json> = set.values().cloned().collect();
    match values.len() {
        0 => Json::Null,
        1 => values.remove(0),
        _ => Json::List(values),
    }
}

fn principals_to_json(principals: &Principals) -> Json {
    let kinds: BTreeSet<&'static str> = principals.keys().map(|(kind, _)| *kind).collect();
    if kinds.is_empty() {
        return Json::Null;
    }
    if kinds.contains("*") {
        return Json::from("*");
    }
    Json::map(kinds.into_iter().map(|wanted| {
        let of_kind = principals.iter().filter(|((kind, _), _)| *kind == wanted);
        (wanted, one_or_many(&of_kind.map(|((_, text), name)| (text.clone(), name.clone())).collect()))
    }))
}
