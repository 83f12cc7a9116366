//! Spans of time.

/// A span of time in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    milliseconds: i64,
}

impl Duration {
    /// So many milliseconds.
    pub const fn milliseconds(amount: i64) -> Self {
        Self { milliseconds: amount }
    }

    /// So many seconds.
    pub const fn seconds(amount: i64) -> Self {
        Self { milliseconds: amount.saturating_mul(1000) }
    }

    /// So many minutes.
    pub const fn minutes(amount: i64) -> Self {
        Self::seconds(amount.saturating_mul(60))
    }

    /// So many hours.
    pub const fn hours(amount: i64) -> Self {
        Self::minutes(amount.saturating_mul(60))
    }

    /// So many days of 24 hours.
    pub const fn days(amount: i64) -> Self {
        Self::hours(amount.saturating_mul(24))
    }

    /// The span in whole days, cut off.
    pub const fn to_days(self) -> i64 {
        self.to_seconds() / 86_400
    }

    /// The span in whole seconds, cut off.
    pub const fn to_seconds(self) -> i64 {
        self.milliseconds / 1000
    }

    /// The span in milliseconds.
    pub const fn to_milliseconds(self) -> i64 {
        self.milliseconds
    }
}
