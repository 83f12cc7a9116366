//! Whose keys there are.
//!
//! The endpoint's own keys are `test`/`test`, root of the default account; an access key of twelve digits with the secret
//! `test` is root of that account. Temporary keys come from STS.

use neargate_base::{Account, DEFAULT_ACCOUNT, Timestamp};
use neargate_kernel::Principal;
use neargate_wire::sigv4::Claim;

use crate::writer::Snapshot;

const SECRET: &str = "test";

/// Who holds an access key, and the secret that proves it.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) secret: String,
    pub(super) account: Account,
    pub(super) principal: Principal,
}

/// The holder of the key that a request claims to be signed with.
pub(super) fn holder(snapshot: &Snapshot, claim: &Claim, now: Timestamp) -> Option<Holder> {
    let account = match claim.access_key.as_str() {
        "test" => Account::new(DEFAULT_ACCOUNT),
        key if Account::is_valid(key) => Account::new(key),
        key => return temporary(snapshot, key, claim.session_token.as_deref(), now),
    };
    Some(Holder { secret: SECRET.to_owned(), principal: Principal::root(&account), account })
}

fn temporary(snapshot: &Snapshot, key: &str, token: Option<&str>, now: Timestamp) -> Option<Holder> {
    let found = snapshot.look(|store| neargate_sts::credential(store, key))?;
    (token == Some(&found.session_token) && now < found.expiration).then(|| {
        let account = match &found.principal {
            Principal::Root { account } | Principal::Role { account, .. } => account.clone(),
            Principal::Service { .. } => Account::new(DEFAULT_ACCOUNT),
        };
        Holder { secret: found.secret_access_key, account, principal: found.principal }
    })
}
