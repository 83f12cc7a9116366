//! Which fires a change of the clocks skips or moves into an hour that comes twice.
//!
//! Invariant: at most one remark for each change of a zone's offset; days without a change cost nothing.

use std::fmt;

use crate::{
    LocalTime, Schedule,
    calendar::{SECOND_MAX, SECOND_MIN},
    nearest::Expression,
    offsets::Transition,
};

/// Whether clocks go forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DstKind {
    /// Clocks go forward: the local times between do not exist, and their fires are skipped.
    Gap,
    /// Clocks go back: the local times between come twice, and their fires happen the first time only.
    Fold,
}

/// What one change of the clocks does to a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DstRemark {
    /// Gap or fold.
    pub kind: DstKind,
    /// The IANA name of the zone.
    pub zone: String,
    /// The instant of the change.
    pub change_ms: i64,
    /// What clocks show just as they change, before the change.
    pub clock_before: LocalTime,
    /// What they show right after.
    pub clock_after: LocalTime,
    /// The first local time of the schedule that is concerned, with the offset before the change.
    pub local: LocalTime,
    /// How many local times of the schedule are concerned.
    pub times: usize,
}

impl fmt::Display for DstRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local.without_offset();
        let clock = |time: &LocalTime| time.without_offset().split('T').nth(1).unwrap_or_default().to_owned();
        let more = if self.times > 1 { format!(" (and {} more)", self.times - 1) } else { String::new() };
        let (before, after, zone) = (clock(&self.clock_before), clock(&self.clock_after), &self.zone);
        match self.kind {
            DstKind::Gap => write!(
                f,
                "{local}{more} does not exist in `{zone}`: clocks go from {before} to {after}, the run is skipped"
            ),
            DstKind::Fold => write!(
                f,
                "{local}{more} comes twice in `{zone}`: clocks go back from {before} to {after}, it runs the first time only"
            ),
        }
    }
}

impl Schedule {
    /// Every change of the clocks from `from_ms` to `to_ms` that concerns this schedule, earliest first.
    pub fn dst_remarks(&self, from_ms: i64, to_ms: i64) -> Vec<DstRemark> {
        let bound = |ms: i64| ms.div_euclid(1000).clamp(SECOND_MIN, SECOND_MAX);
        let changes = self.zone.transitions(bound(from_ms), bound(to_ms));
        changes.filter_map(|change| self.remark(change)).collect()
    }

    /// The overlap that a fire falls in, if it does.
    pub fn dst_remark(&self, fire_ms: i64) -> Option<DstRemark> {
        let fire_s = fire_ms.div_euclid(1000);
        // No clock ever moved by more than a day.
        let changes = self.zone.transitions(fire_s, fire_s.saturating_add(86_401));
        let local_s = fire_s + self.zone.offset_s(fire_s);
        let covering =
            |change: &Transition| (change.at_s + change.after_s..change.at_s + change.before_s).contains(&local_s);
        changes.filter(covering).find_map(|change| self.remark(change))
    }

    fn remark(&self, change: Transition) -> Option<DstRemark> {
        let (before_s, after_s) = (change.at_s + change.before_s, change.at_s + change.after_s);
        let (kind, from_s, to_s) =
            if after_s > before_s { (DstKind::Gap, before_s, after_s) } else { (DstKind::Fold, after_s, before_s) };
        let locals = self.local_times(from_s, to_s);
        let first_s = *locals.first()?;
        let shown = |offset_s| LocalTime { instant_ms: change.at_s * 1000, offset_s };
        Some(DstRemark {
            kind,
            zone: self.zone.name().to_owned(),
            change_ms: change.at_s * 1000,
            clock_before: shown(change.before_s),
            clock_after: shown(change.after_s),
            local: LocalTime { instant_ms: (first_s - change.before_s) * 1000, offset_s: change.before_s },
            times: locals.len(),
        })
    }

    /// The local seconds the expression names from `from_s` and before `to_s`.
    fn local_times(&self, from_s: i64, to_s: i64) -> Vec<i64> {
        match &self.expression {
            Expression::Rate { .. } => Vec::new(),
            Expression::At { local_s } => (from_s..to_s).contains(local_s).then_some(*local_s).into_iter().collect(),
            Expression::Cron(cron) => {
                let minute_from = from_s.div_euclid(60) + i64::from(from_s.rem_euclid(60) != 0);
                let fires = std::iter::successors(cron.next(minute_from), |minute| cron.next(minute + 1));
                fires.map(|minute| minute * 60).take_while(|local_s| *local_s < to_s).collect()
            }
        }
    }
}
