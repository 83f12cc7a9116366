//! Whose keys there are.
//!
//! The endpoint's own keys are [`RootKeys`]'s; temporary keys come from STS.

use neargate_base::{Account, DEFAULT_ACCOUNT, Timestamp};
use neargate_kernel::Principal;
use neargate_wire::sigv4::Claim;

use super::keys::RootKeys;
use crate::writer::Snapshot;

/// Who holds an access key, and the secret that proves it.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) secret: String,
    pub(super) account: Account,
    pub(super) principal: Principal,
}

/// The holder of the key that a request claims to be signed with.
pub(super) fn holder(keys: &RootKeys, snapshot: &Snapshot, claim: &Claim, now: Timestamp) -> Option<Holder> {
    match keys.find(&claim.access_key) {
        Some((account, secret)) => {
            Some(Holder { secret: secret.to_owned(), principal: Principal::root(&account), account })
        }
        None => temporary(snapshot, &claim.access_key, claim.session_token.as_deref(), now),
    }
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
