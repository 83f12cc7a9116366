//! Templates that are too long for a call: handed over beforehand, then named by their URL.
//!
//! On AWS they lie in a bucket of the caller's. Here whoever can reach the engine's control endpoint leaves the text, and the call
//! that names its URL is checked as any other.
//!
//! Invariant: at most [`UPLOADS_MAX`] lie about in an account and region; the oldest goes first.

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault, Record};
use serde::{Deserialize, Serialize};

/// What begins the URL of such a template.
const SCHEME: &str = "neargate:template/";

/// Templates that wait for their call.
const UPLOADS_MAX: usize = 16;

/// A template's text, by id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    text: String,
    at: Timestamp,
}

impl Record for Upload {
    const TABLE: &'static str = "cloudformation.upload";
    const SEALED: bool = true;
}

/// Keeps a template for one call; answers its URL.
pub fn keep(cx: &mut Cx<'_>, text: String) -> Result<String, Fault> {
    let mut held: Vec<_> = cx.scan::<Upload>("").map(|(id, upload)| (upload.at, id.to_owned())).collect();
    held.sort();
    for (_, id) in held.iter().take((held.len() + 1).saturating_sub(UPLOADS_MAX)) {
        cx.delete::<Upload>(id);
    }
    let (id, at) = (cx.rng.hex(32), cx.time());
    cx.put(&id, Upload { text, at });
    Ok(format!("{SCHEME}{id}"))
}

/// The template of a URL, once; `None` for any other URL.
pub(crate) fn take(cx: &mut Cx<'_>, url: &str) -> Option<String> {
    let id = url.strip_prefix(SCHEME)?;
    let text = cx.get::<Upload>(id)?.text.clone();
    cx.delete::<Upload>(id);
    Some(text)
}
