//! Which points are drawn: pure, from a seed.

use std::fmt;
use std::time::Duration;

use crate::engine::Settings;
use crate::run::Measured;

/// Kills from outside among the points: one in so many.
const TIMED_EVERY: usize = 8;
/// Kills while the engine starts again: one plan in so many.
const TWICE_EVERY: u64 = 5;
/// From a start's acknowledgement to a little after the task is gone.
const TIMED_MS_MAX: u64 = 700;
/// Points that an engine passes as it starts over a task, roughly.
const RESTART_POINTS_MAX: u64 = 30;
/// Points that `neargate down` passes.
const STOP_POINTS: u64 = 8;

/// One run and what breaks it off.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How the first engine is started.
    pub(crate) first: Settings,
    /// How the second is; those after it are left alone.
    pub(crate) second: Settings,
    /// Kill from outside, this long after a start's acknowledgement.
    pub(crate) kill_after: Option<Duration>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first.crash_at, self.kill_after) {
            (Some(point), _) => write!(f, "at point {point}")?,
            (None, delay) => write!(f, "{:?} after the start", delay.unwrap_or_default())?,
        }
        f.write_str(if self.first.batch.is_some() { ", a commit for each command" } else { ", commits together" })?;
        match self.second.crash_at {
            Some(point) => write!(f, ", again at point {point} of the restart"),
            None => Ok(()),
        }
    }
}

/// Chance from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, usize::try_from(self.below(index as u64 + 1)).unwrap());
        }
    }
}

/// Draws runs: an eighth killed from outside, of the rest those at which a task is under way before those of the stack.
pub(crate) fn draw(seed: u64, count: usize, together: &Measured, singly: &Measured) -> Vec<Plan> {
    let mut dice = Dice(seed);
    let (mut of_task, mut of_stack) = (vec![], vec![]);
    for (batch, measured) in [(None, together), (Some(1), singly)] {
        for point in 1..=measured.at_end + STOP_POINTS {
            let points = if point <= measured.at_stack { &mut of_stack } else { &mut of_task };
            points.push(Settings { crash_at: Some(point), batch });
        }
    }
    dice.shuffle(&mut of_task);
    dice.shuffle(&mut of_stack);
    let timed = count / TIMED_EVERY;
    let counted = count - timed;
    let of_stack_count = of_stack.len().min(counted.saturating_sub(of_task.len()).max(counted / 3));
    let of_task_count = counted - of_stack_count;
    let points = of_stack.into_iter().take(of_stack_count).chain(of_task.into_iter().take(of_task_count));
    let mut plans: Vec<Plan> =
        points.map(|first| Plan { first, second: Settings::default(), kill_after: None }).collect();
    for _ in 0..timed {
        let batch = (dice.below(2) == 0).then_some(1);
        let kill_after = Some(Duration::from_millis(dice.below(TIMED_MS_MAX)));
        plans.push(Plan { first: Settings { crash_at: None, batch }, second: Settings::default(), kill_after });
    }
    for plan in &mut plans {
        plan.second.batch = (dice.below(2) == 0).then_some(1);
        let point = 1 + dice.below(RESTART_POINTS_MAX);
        plan.second.crash_at = (dice.below(TWICE_EVERY) == 0).then_some(point);
    }
    dice.shuffle(&mut plans);
    plans
}
