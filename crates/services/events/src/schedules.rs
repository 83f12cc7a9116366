//! Rules with a schedule: a job waits for the next time and, when it comes, puts the scheduled event and the next job.
//!
//! Follows <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>: times are UTC; a time that
//! passed while nothing ran is missed, not made up for.

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Command, Cx, Due, Fault, Job, Store};
use neargate_schedule::{Dialect, Schedule, ScheduleError};
use serde_json::{Value as Json, json};

use crate::deliver::invoke;
use crate::state::{Rule, rule_arn, rule_key, scoped_rule_arn};

/// The handler of [`fire`].
pub(crate) const JOB: &str = "events.fire";

/// The handler of [`fire_by_hand`].
pub(crate) const JOB_BY_HAND: &str = "events.fire-by-hand";

/// The handler of [`replan`].
pub(crate) const JOB_REPLAN: &str = "events.replan";

/// A fire that lies further before the engine's start, or before a time to which the clock was set, was missed.
const LATE_MS_MAX: i64 = 60_000;

/// Reads a rule's schedule expression.
pub(crate) fn parse(expression: &str) -> Result<Schedule, ScheduleError> {
    Schedule::parse(expression, Dialect::Rule)
}

/// Puts the job of a rule's next fire from now on, or takes it away when the rule has none.
pub(crate) fn plan(cx: &mut Cx<'_>, rule: &mut Rule) {
    let now = cx.time();
    plan_after(cx, rule, now);
}

fn plan_after(cx: &mut Cx<'_>, rule: &mut Rule, after: Timestamp) {
    if let Some(job) = rule.job.take() {
        cx.cancel(&job);
    }
    let Some(schedule) = rule.schedule.as_deref().filter(|_| rule.enabled).and_then(|text| parse(text).ok()) else {
        return;
    };
    let schedule = schedule.created_at(rule.enabled_at.millis());
    if let Ok(next) = schedule.next_fire(after.millis()) {
        let payload = json!({ "rule": rule_key(&rule.bus, &rule.name), "time": next });
        rule.job = Some(cx.schedule(Due::Service(Timestamp(next)), JOB, payload));
    }
}

/// A rule's time has come.
pub(crate) fn fire(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let key = key_of(job);
    let Some(mut rule) = cx.get::<Rule>(&key).cloned() else { return Ok(()) };
    let due = Timestamp(job.payload.get("time").and_then(Json::as_i64).unwrap_or_default());
    let is_missed = cx.was_missed(due, LATE_MS_MAX);
    rule.job = None;
    let after = if is_missed { cx.time() } else { due };
    plan_after(cx, &mut rule, after);
    cx.put(&key, rule.clone());
    if !is_missed {
        put_scheduled_event(cx, &rule, due, "at");
    }
    Ok(())
}

/// Somebody lets a rule fire, out of turn. The job of its next fire stays as it is.
pub(crate) fn fire_by_hand(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let rule = cx.get::<Rule>(&key_of(job)).filter(|rule| rule.enabled && rule.schedule.is_some()).cloned();
    let rule = rule.ok_or_else(|| Fault::validation("the rule is gone, or disabled, or has no schedule any more"))?;
    put_scheduled_event(cx, &rule, cx.time(), "by hand at");
    Ok(())
}

/// The clock was set: every rule's next fire is the one after the time that it is now, also where that lies before its last.
pub(crate) fn replan(cx: &mut Cx<'_>, _: &Job) -> Result<(), Fault> {
    let rules = cx.store().all::<Rule>().filter(|(_, _, rule)| rule.schedule.is_some());
    let rules: Vec<(Scope, String)> = rules.map(|(scope, key, _)| (scope, key.to_owned())).collect();
    let (here, now) = (cx.scope.clone(), cx.time());
    for (scope, key) in rules {
        cx.scope = scope;
        if let Some(mut rule) = cx.get::<Rule>(&key).cloned() {
            rule.enabled_at = rule.enabled_at.min(now);
            plan(cx, &mut rule);
            cx.put(&key, rule);
        }
    }
    cx.scope = here;
    Ok(())
}

/// What is to be done once the clock was set.
pub fn after_clock_was_set() -> Command {
    Command::RunJob { scope: Scope::new("-", "-"), handler: JOB_REPLAN, payload: Json::Null }
}

fn key_of(job: &Job) -> String {
    job.payload.get("rule").and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn put_scheduled_event(cx: &mut Cx<'_>, rule: &Rule, due: Timestamp, manner: &str) {
    let id = cx.rng.uuid();
    let arn = rule_arn(cx, &rule.bus, &rule.name);
    let event = json!({
        "version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.events",
        "account": cx.scope.account.as_str(), "time": due.to_iso_seconds(), "region": cx.scope.region.as_str(),
        "resources": [arn], "detail": {},
    });
    cx.because(
        &id,
        "schedule",
        &format!("schedule `{}` {manner} {}", rule.schedule.as_deref().unwrap_or_default(), due.to_iso_seconds()),
    );
    invoke(cx, rule, &event.to_string(), "aws.events");
    cx.cause = None;
}

/// A rule with a schedule, seen from outside.
#[derive(Clone, Debug)]
pub struct ScheduledRule {
    /// The rule's ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its schedule expression.
    pub expression: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Where a rate counts from.
    pub enabled_at: Timestamp,
    scope: Scope,
    key: String,
}

/// The rules with a schedule of every account and region, in order.
pub fn scheduled(store: &Store) -> Vec<ScheduledRule> {
    let rules = store.all::<Rule>().filter_map(|(scope, key, rule)| {
        Some(ScheduledRule {
            arn: scoped_rule_arn(&scope, &rule.bus, &rule.name),
            name: rule.name.clone(),
            expression: rule.schedule.clone()?,
            enabled: rule.enabled,
            enabled_at: rule.enabled_at,
            key: key.to_owned(),
            scope,
        })
    });
    rules.collect()
}

impl ScheduledRule {
    /// The command that lets it fire once, now by service time.
    pub fn fire(&self) -> Command {
        Command::RunJob { scope: self.scope.clone(), handler: JOB_BY_HAND, payload: json!({ "rule": self.key }) }
    }
}
