//! `neargate schedule ls` and `fire`: the rules with a schedule in a running engine.

use clap::Args;
use neargate_base::{Diagnostic, Timestamp};
use neargate_schedule::{Dialect, Schedule};
use serde_json::{Value as Json, json};

use crate::codes;
use crate::commands::EngineArgs;
use crate::endpoint::control::{NoticeKind, ScheduledRule};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::told::tell;
use crate::words::span;

/// Arguments of `schedule ls`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    engine: EngineArgs,
}

/// Arguments of `schedule fire`.
#[derive(Debug, Args)]
pub(crate) struct FireArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// The rule: its name or a part of it, or its ARN
    rule: String,
}

/// Lists the rules with the time at which each fires next.
pub(super) fn list(args: &ListArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let rules = endpoint.schedules()?;
    let status = endpoint.status()?;
    let now: Timestamp = status.text("service_time").parse().map_err(|error: String| {
        Failure::failed(Diagnostic::error(codes::ENGINE, format!("the engine's service time: {error}")))
    })?;
    if screen.is_json() {
        let row = |rule: &ScheduledRule| {
            let (next, why) = match next(rule, now) {
                Ok(next) => (Some(next), None),
                Err(why) => (None, Some(why)),
            };
            json!({
                "rule": rule.name, "arn": rule.arn, "expression": rule.expression, "enabled": rule.is_enabled,
                "next": next, "why": why,
            })
        };
        screen.json(&Json::Array(rules.iter().map(row).collect()));
        return Ok(Exit::Done);
    }
    if rules.is_empty() {
        screen.step_in(Paint::Yellow, "nothing", "no rule has a schedule");
        return Ok(Exit::Done);
    }
    // A name may be there once in every account and region.
    let is_alone = |rule: &ScheduledRule| rules.iter().filter(|other| other.name == rule.name).count() == 1;
    let row = |rule: &ScheduledRule| {
        let name = if is_alone(rule) { &rule.name } else { &rule.arn };
        let (next, away) = match next(rule, now) {
            Ok(next) => {
                let away = next.parse::<Timestamp>().map(|it| it.millis().saturating_sub(now.millis()));
                (next, away.map(span).unwrap_or_default())
            }
            // Why is in the JSON form, and what `schedule next` says.
            Err(why) if why.starts_with("never") => ("never".to_owned(), String::new()),
            Err(why) => (why, String::new()),
        };
        vec![next, away, rule.expression.clone(), name.clone()]
    };
    screen.table(&["NEXT", "IN", "SCHEDULE", "RULE"], &rules.iter().map(row).collect::<Vec<_>>());
    Ok(Exit::Done)
}

/// When a rule fires next by service time, or why it does not.
fn next(rule: &ScheduledRule, now: Timestamp) -> Result<String, String> {
    if !rule.is_enabled {
        return Err("disabled".to_owned());
    }
    let schedule = Schedule::parse(&rule.expression, Dialect::Rule).map_err(|error| error.to_string())?;
    let schedule = schedule.created_at(rule.enabled_at.millis());
    let fire_ms = schedule.next_fire(now.millis()).map_err(|reason| reason.to_string())?;
    Ok(Timestamp(fire_ms).to_iso_seconds())
}

/// Lets one rule fire.
pub(super) fn fire(args: &FireArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let rules = endpoint.schedules()?;
    let rule = meant(&rules, &args.rule)?;
    if !rule.is_enabled {
        let message = format!("the rule `{}` is disabled, so it does not fire", rule.name);
        let hint = format!("enable it with `aws events enable-rule --name {}`", rule.name);
        return Err(Failure::failed(Diagnostic::error(codes::NOTHING_TO_FIRE, message).hint(hint)));
    }
    let notices = endpoint.fire(&rule.arn)?;
    let has_failed = notices.iter().any(|notice| notice.kind == NoticeKind::Failed);
    if screen.is_json() {
        let notices = notices.iter().map(|it| json!({ "kind": it.kind.name(), "text": it.text, "hint": it.hint }));
        screen.json(&json!({ "rule": rule.arn, "notices": notices.collect::<Vec<_>>() }));
    } else {
        screen.step("fired", &format!("{} of rule `{}`", rule.expression, rule.name));
    }
    notices.iter().for_each(|notice| tell(screen, notice));
    if notices.is_empty() {
        screen.step_in(Paint::Yellow, "nothing", "the rule has no target");
    }
    Ok(if has_failed { Exit::Failed } else { Exit::Done })
}

/// The one rule that a name, a part of one, or an ARN means.
fn meant<'r>(rules: &'r [ScheduledRule], wanted: &str) -> Outcome<&'r ScheduledRule> {
    let exact: Vec<_> = rules.iter().filter(|rule| rule.name == wanted || rule.arn == wanted).collect();
    let found = if exact.is_empty() { rules.iter().filter(|rule| rule.name.contains(wanted)).collect() } else { exact };
    let (message, choice): (_, Vec<_>) = match found.as_slice() {
        [rule] => return Ok(rule),
        [] => (format!("no rule with a schedule is called `{wanted}`"), rules.iter().collect()),
        several => (format!("`{wanted}` may mean {} rules with a schedule", several.len()), several.to_vec()),
    };
    let diagnostic = Diagnostic::error(codes::NOTHING_TO_FIRE, message);
    // A name may be there once in every region.
    let is_known = |rule: &ScheduledRule| rule.name == wanted;
    let name = |rule: &&ScheduledRule| format!("`{}`", if is_known(rule) { &rule.arn } else { &rule.name });
    let names: Vec<_> = choice.iter().map(name).collect();
    Err(Failure::usage(match names.is_empty() {
        true => diagnostic,
        false => diagnostic.hint(format!("there are {}", names.join(", "))),
    }))
}
