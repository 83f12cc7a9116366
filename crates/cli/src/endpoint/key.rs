//! Whose keys sign a call.
//!
//! An engine that was started with `--auth` takes no key that everybody knows; its refusal names the file that has its own. Who
//! may read that file goes on with the key in it.
//!
//! Invariant: keys that the environment gives for another principal than root are never replaced in a call to a service.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use neargate_base::DEFAULT_ACCOUNT;
use neargate_engine::EndpointKey;
use neargate_wire::sigv4::Credentials;

use super::variable;

/// The secret that everybody knows.
const KNOWN_SECRET: &str = "test";

/// What calls are signed with.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    given: Credentials,
    /// The engine's own, once it was needed; shared, so that it is read once.
    own: Arc<OnceLock<EndpointKey>>,
}

impl Keys {
    /// Those of the environment: `AWS_ACCESS_KEY_ID` and its kin; without any, those that everybody knows.
    pub(super) fn of_environment() -> Self {
        let given = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key), Some(secret_key)) => {
                Credentials { access_key, secret_key, session_token: variable("AWS_SESSION_TOKEN") }
            }
            _ => root("test", KNOWN_SECRET),
        };
        Self { given, own: Arc::default() }
    }

    /// The same for an engine that this process has started: its own key, and none that another engine has generated.
    pub(super) fn of_engine(&self, key: Option<&EndpointKey>) -> Self {
        match key {
            Some(key) => Self { given: root("test", KNOWN_SECRET), own: Arc::new(OnceLock::from(key.clone())) },
            None if EndpointKey::is_id(&self.given.access_key) => {
                Self { given: root("test", KNOWN_SECRET), own: Arc::default() }
            }
            None => self.clone(),
        }
    }

    /// Whether the given ones are those that everybody knows.
    pub(super) fn are_known(&self) -> bool {
        self.given.secret_key == KNOWN_SECRET
    }

    /// The same for another account's root: the engine takes an account's number for its access key.
    pub(super) fn of_account(&self, account: &str) -> Self {
        let secret = if self.given.session_token.is_none() { self.given.secret_key.as_str() } else { KNOWN_SECRET };
        Self { given: root(account, secret), own: Arc::clone(&self.own) }
    }

    /// The account whose root they are, as far as that can be seen.
    pub(super) fn account(&self) -> &str {
        let key = self.given.access_key.as_str();
        if is_account(key) { key } else { DEFAULT_ACCOUNT }
    }

    /// What a call to a service is signed with.
    pub(super) fn for_service(&self) -> Credentials {
        match self.own.get() {
            Some(own) if self.are_known() => {
                let id = if is_account(&self.given.access_key) { &self.given.access_key } else { &own.access_key };
                root(id, &own.secret_key)
            }
            _ => self.given.clone(),
        }
    }

    /// What a call to the control endpoint is signed with; nothing where it need not be.
    pub(super) fn for_control(&self) -> Option<Credentials> {
        match self.own.get() {
            Some(own) => Some(root(&own.access_key, &own.secret_key)),
            None => (!self.are_known()).then(|| self.given.clone()),
        }
    }

    /// Takes in the engine's own key from its file; answers whether it is new.
    pub(super) fn learn(&self, file: &Path) -> std::io::Result<bool> {
        if self.own.get().is_some() {
            return Ok(false);
        }
        let key = EndpointKey::read(file)?;
        Ok(self.own.set(key).is_ok())
    }

    /// Access key id and secret with which other clients are root.
    pub(super) fn exports(&self) -> (String, String) {
        match self.own.get() {
            Some(own) => {
                let id = if is_account(&self.given.access_key) { &self.given.access_key } else { &own.access_key };
                (id.clone(), own.secret_key.clone())
            }
            None if self.given.session_token.is_some() => ("test".to_owned(), KNOWN_SECRET.to_owned()),
            None => (self.given.access_key.clone(), self.given.secret_key.clone()),
        }
    }
}

fn root(access_key: &str, secret_key: &str) -> Credentials {
    Credentials { access_key: access_key.to_owned(), secret_key: secret_key.to_owned(), session_token: None }
}

fn is_account(key: &str) -> bool {
    neargate_base::Account::is_valid(key)
}
