//! The machine's clock: the only place that reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use neargate_base::Timestamp;

/// Process time as the wall clock shows it.
#[allow(clippy::disallowed_methods, reason = "this is the one module that reads the clock")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
