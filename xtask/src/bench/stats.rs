//! Medians and spread.

/// What a series of measurements comes to.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) median: f64,
    low: f64,
    high: f64,
    runs: usize,
}

impl Summary {
    /// Of at least one measurement.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (share * (values.len().saturating_sub(1)) as f64).round() as usize;
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        Self { median: at(0.5), low: at(0.1), high: at(0.9), runs: values.len() }
    }
}

/// `median 12.3 (10 %: 11.0, 90 %: 14.2, 30 runs)`.
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, low, high, runs } = self;
        write!(f, "median {median:7.1}   10 %: {low:7.1}   90 %: {high:7.1}   {runs} runs")
    }
}
