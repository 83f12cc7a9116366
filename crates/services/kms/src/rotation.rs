//! Whether a key rotates by itself, and when the next time is.

use neargate_kernel::{Cx, Due};

use crate::jobs;
use crate::state::{KeyRecord, MS_PER_DAY, Rotation};

impl KeyRecord {
    /// Lets the key rotate by itself from now on.
    pub(crate) fn rotate_every(&mut self, cx: &mut Cx<'_>, period_days: i32) {
        self.stop_rotation(cx);
        let next = cx.time().plus_ms(i64::from(period_days) * MS_PER_DAY);
        let job = cx.schedule(Due::Service(next), jobs::ROTATE, serde_json::Value::from(self.id.as_str()));
        self.rotation = Some(Rotation { period_days, next, job });
    }

    /// Does not rotate it by itself any more.
    pub(crate) fn stop_rotation(&mut self, cx: &mut Cx<'_>) {
        if let Some(rotation) = self.rotation.take() {
            cx.cancel(&rotation.job);
        }
    }
}
