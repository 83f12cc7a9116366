//! Temporary credentials: made, found, forgotten.
//!
//! Invariant: secret and token come from secret randomness, and reach the disk encrypted alone.

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Cx, Due, Fault, Job, Principal, Record, Store};
use neargate_shape::scalar::base64_encode;
use serde::{Deserialize, Serialize};

/// The job that forgets a credential once it has expired.
pub(crate) const EXPIRE: &str = "sts.expire";

/// What an access key id stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret that requests are signed with.
    pub secret_access_key: String,
    /// The token that must come with each request.
    pub session_token: String,
    /// Who calls with it.
    pub principal: Principal,
    /// When it ends, in process time.
    pub expiration: Timestamp,
}

impl Record for Credential {
    const TABLE: &'static str = "sts.credential";
    const SEALED: bool = true;
    const IS_PUBLISHED: bool = true;
}

/// The credential of an access key id that [`service`](crate::service) handed out. The caller compares token and expiration: a
/// credential may outlive its end by the moment until it is forgotten.
pub fn credential(store: &Store, access_key_id: &str) -> Option<Credential> {
    store.get::<Credential>(&everywhere(), access_key_id).cloned()
}

/// Makes a credential that ends after `duration_s` seconds.
pub(crate) fn make(cx: &mut Cx<'_>, principal: Principal, duration_s: i32) -> Result<Credential, Fault> {
    // 40 and 160 characters without padding.
    let secret_access_key = base64_encode(&cx.secret_bytes(30)?);
    let session_token = format!("NeargateSession{}", base64_encode(&cx.secret_bytes(120)?));
    let made = Credential {
        access_key_id: format!("ASIA{}", cx.rng.upper_alphanumeric(16)),
        secret_access_key,
        session_token,
        principal,
        expiration: cx.now.process.plus_ms(i64::from(duration_s) * 1000),
    };
    at_home(cx, |cx| {
        cx.put(&made.access_key_id, made.clone());
        cx.schedule(Due::Process(made.expiration), EXPIRE, serde_json::Value::from(made.access_key_id.as_str()));
    });
    Ok(made)
}

/// Forgets the credential that a job names.
pub(crate) fn expire(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let id = job.payload.as_str().ok_or_else(|| Fault::internal("the job names no access key id"))?;
    at_home(cx, |cx| cx.delete::<Credential>(id));
    Ok(())
}

/// Where credentials lie: outside of every account, since a request's account follows from its credential.
fn everywhere() -> Scope {
    Scope::new("-", "-")
}

fn at_home<T>(cx: &mut Cx<'_>, work: impl FnOnce(&mut Cx<'_>) -> T) -> T {
    let scope = std::mem::replace(&mut cx.scope, everywhere());
    let answer = work(cx);
    cx.scope = scope;
    answer
}
