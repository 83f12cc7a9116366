//! One request, decided by every policy that speaks to it.
//!
//! ```text
//!                                same account                                  another account
//! the resource's policy names    its grant                                     its grant
//!   the session, or anyone         suffices                                      and the identity's side must allow
//!   the role                       stands beside the identity's policies         and the identity's side must allow
//!   the account                    leaves it to the identity's policies          and the identity's side must allow
//!   nobody                         the identity's policies decide                nothing is allowed
//! ```
//!
//! What the identity's policies or a grant to the role allow, the permissions boundary and the session's policies must allow too.
//! A resource whose policy *governs* (a key of KMS, a role that is assumed) lets nobody in whom its policy does not name.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html>
//! and <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>.
//!
//! Invariant: a deny wins, in whichever policy.

use super::caller::Reach;
use super::evaluate::{Policy, Question, Verdict, decide, explain};

/// A request and the policies that speak to it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is asked.
    pub question: &'a Question<'a>,
    /// The identity's side.
    pub identity: Identity<'a>,
    /// The policy of the resource, where it has one.
    pub resource: Option<ResourcePolicy<'a>>,
    /// Whether the resource is in the caller's account.
    pub is_own: bool,
}

/// The policies on the side of who asks.
#[derive(Clone, Copy, Debug)]
pub enum Identity<'a> {
    /// The account's root: no policy of an identity limits it.
    Root,
    /// An AWS service: it has no policies; only resources let it in.
    Service,
    /// A session of a role.
    Role {
        /// The role's own policies.
        policies: &'a [Policy<'a>],
        /// Its permissions boundary.
        boundary: Option<&'a [Policy<'a>]>,
        /// The policies that the session was made with.
        session: Option<&'a [Policy<'a>]>,
    },
}

/// The policy of a resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourcePolicy<'a> {
    /// What it says.
    pub policy: Policy<'a>,
    /// Whether nobody is let in whom it does not name.
    pub governs: bool,
}

/// The kinds of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The identity's own.
    Identity,
    /// Its permissions boundary.
    Boundary,
    /// The session's.
    Session,
    /// The resource's.
    Resource,
}

/// The decision on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may go ahead.
    Allowed,
    /// A statement denies it.
    Denied {
        /// The kind of the policy.
        layer: Layer,
        /// The policy and the statement.
        by: String,
    },
    /// A policy that has to allow it does not.
    NotAllowed {
        /// The kind of the policy.
        layer: Layer,
        /// What was looked at, a line per statement.
        looked_at: Vec<String>,
    },
}

/// Decides on a request.
pub fn authorize(request: &Request<'_>) -> Outcome {
    let question = request.question;
    let by_resource = match request.resource {
        Some(resource) => match decide(&[resource.policy], question) {
            Verdict::Denied { by } => return Outcome::Denied { layer: Layer::Resource, by },
            Verdict::Allowed { reach } => Some(reach),
            Verdict::NotAllowed => None,
        },
        None => None,
    };
    let governs = request.resource.is_some_and(|resource| resource.governs);
    let not_in_resource = || {
        let policy = request.resource.map(|resource| resource.policy);
        Outcome::NotAllowed { layer: Layer::Resource, looked_at: explain(policy.as_slice(), question) }
    };
    match request.identity {
        Identity::Service if by_resource.is_some() => Outcome::Allowed,
        Identity::Service if request.resource.is_some() => not_in_resource(),
        Identity::Service => Outcome::NotAllowed { layer: Layer::Identity, looked_at: vec![] },
        Identity::Root if by_resource.is_none() && (governs || !request.is_own) => not_in_resource(),
        Identity::Root => Outcome::Allowed,
        Identity::Role { policies, boundary, session } => {
            let denied = [(Layer::Identity, Some(policies)), (Layer::Boundary, boundary), (Layer::Session, session)];
            for (layer, policies) in denied {
                if let Verdict::Denied { by } = decide(policies.unwrap_or_default(), question) {
                    return Outcome::Denied { layer, by };
                }
            }
            let grant = match by_resource {
                None if governs || !request.is_own => return not_in_resource(),
                Some(Reach::Session) if request.is_own => return Outcome::Allowed,
                reach => request.is_own && reach == Some(Reach::Role),
            };
            let needed = [
                (Layer::Identity, Some(policies).filter(|_| !grant)),
                (Layer::Boundary, boundary),
                (Layer::Session, session),
            ];
            first_that_does_not_allow(&needed, question)
        }
    }
}

fn first_that_does_not_allow(needed: &[(Layer, Option<&[Policy<'_>]>)], question: &Question<'_>) -> Outcome {
    for (layer, policies) in needed {
        if let Some(policies) = policies
            && decide(policies, question) == Verdict::NotAllowed
        {
            return Outcome::NotAllowed { layer: *layer, looked_at: explain(policies, question) };
        }
    }
    Outcome::Allowed
}
