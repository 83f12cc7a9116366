//! A schedule: an expression with its zone, start, end and window, and when it fires.
//!
//! Invariant: each fire comes after the time asked about, and none comes before the start or after the end.

use crate::{
    BoundsError, Dialect, NoFire, ScheduleError, Zone,
    calendar::{SECOND_MAX, SECOND_MIN},
    cron::Cron,
    nearest::{self, Expression},
    offsets::Instants,
};

/// A parsed schedule. See <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub(crate) expression: Expression,
    pub(crate) zone: Zone,
    dialect: Dialect,
    /// Apart, as few schedules have any and millions are held.
    bounds: Option<Box<Bounds>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bounds {
    start_ms: Option<i64>,
    end_ms: Option<i64>,
}

impl Schedule {
    /// Reads an expression as the API of `dialect` does.
    pub fn parse(expression: &str, dialect: Dialect) -> Result<Self, ScheduleError> {
        let expression = nearest::parse(expression, dialect)?;
        Ok(Self { expression, zone: Zone::UTC, dialect, bounds: None })
    }

    /// Local times are those of `zone` from here on. A rate has no local times and stays as it is.
    #[must_use]
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// When the schedule was made: a rate counts from there unless a start date is set.
    #[must_use]
    pub fn created_at(mut self, made_ms: i64) -> Self {
        if let Expression::Rate { created_ms, .. } = &mut self.expression {
            *created_ms = Some(made_ms);
        }
        self
    }

    /// Scheduler's start and end dates, both inclusive. As in AWS, `at(...)` ignores them.
    pub fn bounded(mut self, start_ms: Option<i64>, end_ms: Option<i64>) -> Result<Self, BoundsError> {
        if let (Some(start_ms), Some(end_ms)) = (start_ms, end_ms)
            && end_ms <= start_ms
        {
            return Err(BoundsError::EndBeforeStart);
        }
        let bounds = Bounds { start_ms, end_ms };
        self.bounds = (bounds != Bounds::default()).then(|| Box::new(bounds));
        Ok(self)
    }

    /// The zone of its local times.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether it fires at most once (`at(...)`).
    pub fn is_one_time(&self) -> bool {
        matches!(self.expression, Expression::At { .. })
    }

    /// The first fire after `after_ms`, or why there is none.
    ///
    /// A rate without creation and start date counts from `after_ms`. With either, a rule first fires one interval later,
    /// Scheduler at that very time.
    pub fn next_fire(&self, after_ms: i64) -> Result<i64, NoFire> {
        if let Expression::At { local_s } = self.expression {
            return self.next_at(local_s, after_ms);
        }
        let Bounds { start_ms, end_ms } = self.bounds.as_deref().copied().unwrap_or_default();
        // The start is inclusive.
        let after_ms = start_ms.map_or(after_ms, |start_ms| after_ms.max(start_ms.saturating_sub(1)));
        let fire_ms = match &self.expression {
            Expression::Cron(cron) => self.next_cron(cron, after_ms),
            Expression::Rate { interval_ms, created_ms } => {
                let next_ms = self.next_rate(*interval_ms, start_ms.or(*created_ms), after_ms);
                Some(next_ms).filter(|next_ms| *next_ms > after_ms)
            }
            Expression::At { .. } => None,
        };
        match (fire_ms, end_ms) {
            (Some(fire_ms), Some(end_ms)) if fire_ms > end_ms => Err(NoFire::Ended { end_ms }),
            (Some(fire_ms), _) => Ok(fire_ms),
            (None, _) => Err(self.never_again()),
        }
    }

    /// All fires at or after `from_ms` and before `to_ms`, earliest first, computed as they are asked for.
    pub fn fires_between(&self, from_ms: i64, to_ms: i64) -> Fires<'_> {
        Fires { schedule: self, after_ms: from_ms.saturating_sub(1), to_ms }
    }

    fn next_rate(&self, interval_ms: i64, anchor_ms: Option<i64>, after_ms: i64) -> i64 {
        let Some(anchor_ms) = anchor_ms else {
            return after_ms.saturating_add(interval_ms);
        };
        let first_ms = match self.dialect {
            Dialect::Rule => anchor_ms.saturating_add(interval_ms),
            Dialect::Scheduler => anchor_ms,
        };
        if after_ms < first_ms {
            return first_ms;
        }
        let passed = after_ms.saturating_sub(first_ms) / interval_ms;
        first_ms.saturating_add(interval_ms.saturating_mul(passed.saturating_add(1)))
    }

    fn next_cron(&self, cron: &Cron, after_ms: i64) -> Option<i64> {
        let after_s = after_ms.div_euclid(1000).clamp(SECOND_MIN, SECOND_MAX);
        let next = |local_s: i64| Some(cron.next(local_s.div_euclid(60) + 1)? * 60);
        let Some(cursor) = self.zone.cursor(after_s) else {
            return Some(next(after_s)? * 1000);
        };
        let mut local_s = after_s + cursor.offset_s();
        loop {
            local_s = next(local_s)?;
            match cursor.instants(local_s) {
                Instants::One(instant_s) | Instants::Fold { first: instant_s } if instant_s > after_s => {
                    return Some(instant_s * 1000);
                }
                // Skipped by the gap, or fired already when this hour came first.
                _ => {}
            }
        }
    }

    fn next_at(&self, local_s: i64, after_ms: i64) -> Result<i64, NoFire> {
        let at_ms = match self.zone.instants(local_s) {
            Instants::One(instant_s) | Instants::Fold { first: instant_s } => instant_s * 1000,
            Instants::Gap { before_s } => {
                let local = crate::LocalTime { instant_ms: (local_s - before_s) * 1000, offset_s: before_s };
                return Err(NoFire::SkippedByGap { local });
            }
        };
        if at_ms > after_ms { Ok(at_ms) } else { Err(NoFire::Past { at_ms }) }
    }

    fn never_again(&self) -> NoFire {
        match &self.expression {
            Expression::Cron(cron) if cron.next(0).is_none() => NoFire::ImpossibleDate,
            _ => NoFire::YearsOver,
        }
    }
}

/// The fires of a span of time, from [`Schedule::fires_between`].
#[derive(Debug, Clone)]
pub struct Fires<'a> {
    schedule: &'a Schedule,
    after_ms: i64,
    to_ms: i64,
}

impl Iterator for Fires<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let fire_ms = self.schedule.next_fire(self.after_ms).ok().filter(|fire_ms| *fire_ms < self.to_ms)?;
        self.after_ms = fire_ms;
        Some(fire_ms)
    }
}

/// Scheduler's flexible time window: an invocation comes at any time in it, after the fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlexibleWindow {
    minutes: i64,
}

impl FlexibleWindow {
    /// `MaximumWindowInMinutes`, 1 to 1440.
    pub fn new(minutes: i64) -> Result<Self, BoundsError> {
        if (1..=1440).contains(&minutes) { Ok(Self { minutes }) } else { Err(BoundsError::Window { minutes }) }
    }

    /// When the target of a fire is invoked. `draw` is any random number; the same draw gives the same time.
    pub fn invoke_at(self, fire_ms: i64, draw: u64) -> i64 {
        let width_ms = self.minutes.unsigned_abs() * 60_000;
        fire_ms.saturating_add(i64::try_from(draw % width_ms).unwrap_or_default())
    }
}
