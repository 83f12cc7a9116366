//! What is known of the world before anything is made: where a stack goes, and what the configuration provides.
//!
//! Invariant: secret values are not known here, whatever the configuration has.

use std::collections::BTreeMap;

use neargate_base::{Account, DEFAULT_ACCOUNT, Scope};
use neargate_template::{Environment, pseudo};
use serde_json::Value as Json;

use super::fixtures::{Fixtures, Part};
use super::synth::Stack;
use crate::endpoint;

/// The environment of a stack that is not there yet.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    pub(crate) scope: Scope,
    stack_name: &'a str,
    fixtures: &'a Fixtures,
}

impl<'a> Known<'a> {
    /// What is known for this stack in that account and region.
    pub(crate) fn of(stack: &'a Stack, scope: &Scope, fixtures: &'a Fixtures) -> Self {
        Self { scope: scope.clone(), stack_name: &stack.name, fixtures }
    }
}

/// The account and region into which a stack goes when it is deployed as the user's environment says.
pub(crate) fn home(stack: &Stack) -> Scope {
    let given = || endpoint::given_account().filter(|account| Account::is_valid(account));
    let account = stack.account.clone().or_else(given).unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    Scope::new(&account, stack.region.as_deref().unwrap_or(&endpoint::region()))
}

/// The text of a fixture that is no secret.
fn plain(fixtures: &BTreeMap<String, super::fixtures::SsmFixture>, name: &str) -> Option<String> {
    match fixtures.get(name).filter(|fixture| !fixture.is_secure).map(|fixture| &fixture.value) {
        Some(Part::Given(Json::String(text))) => Some(text.clone()),
        _ => None,
    }
}

impl Environment for Known<'_> {
    fn pseudo(&self, name: &str) -> Option<Json> {
        pseudo(&self.scope, self.stack_name, None, name)
    }

    fn reference(&self, _logical_id: &str) -> Option<Json> {
        None
    }

    fn attribute(&self, _logical_id: &str, _attribute: &str) -> Option<Json> {
        None
    }

    fn import(&self, export: &str) -> Option<Json> {
        self.fixtures.exports.get(export).map(|value| value.as_str().into())
    }

    fn ssm_parameter(&self, name: &str) -> Option<String> {
        plain(&self.fixtures.ssm, name)
    }
}
