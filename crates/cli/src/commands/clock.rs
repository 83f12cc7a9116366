//! `neargate clock`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use neargate_base::{Diagnostic, Timestamp};
use serde_json::json;

use super::EngineArgs;
use crate::codes;
use crate::endpoint::Endpoint;
use crate::endpoint::control::{NoticeKind, Status, Turn};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::signals::{self, Hangup};
use crate::tasks::{short, short_id};
use crate::told::tell;

const PAUSE: Duration = Duration::from_millis(20);
/// How long nothing may take place before it is said why.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines about what takes place on the way.
const LINES_MAX: usize = 40;

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Show the time of the engine's services
    Show(ShowArgs),
    /// Put the clock to a moment at once; what lies between is due then
    Set(SetArgs),
    /// Turn the clock forward; what falls due on the way takes place, in order
    Advance(AdvanceArgs),
}

/// Arguments of `clock show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    engine: EngineArgs,
}

/// Arguments of `clock set`.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// `system` for the machine's time, or a time such as `2026-12-01T04:00:00Z`
    time: String,
}

/// Arguments of `clock advance`.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// How far, such as `90s`, `2h30m` or `31d`, or a time such as `2026-12-01T04:00:00Z`
    by: String,
    /// Turn on while tasks that were started on the way still run, instead of waiting for each to end
    #[arg(long)]
    no_wait: bool,
}

/// Runs a subcommand.
pub(super) fn run(command: &ClockCommand, screen: &Screen) -> Outcome {
    let status = match command {
        ClockCommand::Show(args) => args.engine.endpoint()?.status()?,
        ClockCommand::Set(args) => {
            let time = moment(&args.time)?;
            turned(screen, &args.engine.endpoint()?, &Turn::Set(time.to_string()), true)?
        }
        ClockCommand::Advance(args) => {
            signals::watch(Hangup::Ends)?;
            let turn = match duration_ms(&args.by) {
                Some(ms) => Turn::Advance(ms),
                None => Turn::To(to_come(&args.engine.endpoint()?, time_or_span(&args.by)?)?.to_string()),
            };
            turned(screen, &args.engine.endpoint()?, &turn, !args.no_wait)?
        }
    };
    if screen.is_json() {
        screen.json(&json!({
            "service_time": status.text("service_time"), "process_time": status.text("process_time"), "turning": status.is_turning,
        }));
    } else {
        screen.data(status.text("service_time"));
        if status.is_turning {
            screen.step("turning", "the clock is on its way; `neargate clock set` puts an end to it");
        }
    }
    Ok(Exit::Done)
}

/// A moment that is not past by the engine's clock.
fn to_come(endpoint: &Endpoint, time: Timestamp) -> Outcome<Timestamp> {
    let status = endpoint.status()?;
    let now = status.text("service_time");
    match now.parse::<Timestamp>() {
        Ok(clock) if time < clock => {
            let diagnostic = Diagnostic::error(codes::ARGUMENT, format!("`{time}` is past: the clock is at `{now}`"));
            Err(Failure::usage(diagnostic.hint(format!("put it back with `neargate clock set {time}`"))))
        }
        _ => Ok(time),
    }
}

/// Turns the clock and waits until it has arrived.
pub(crate) fn turned(screen: &Screen, endpoint: &Endpoint, turn: &Turn, waits_for_effects: bool) -> Outcome<Status> {
    let mut on_the_way = OnTheWay::begin(screen, endpoint)?;
    let mut status = endpoint.turn(turn, waits_for_effects)?;
    let mut waiting = Waiting::default();
    while status.is_turning {
        signals::check().map_err(turns_on)?;
        let after = on_the_way.after;
        on_the_way.tell(endpoint)?;
        waiting.tell(screen, endpoint, on_the_way.after > after)?;
        screen.live("clock", status.text("service_time"));
        std::thread::sleep(PAUSE);
        status = endpoint.status()?;
    }
    on_the_way.tell(endpoint)?;
    if on_the_way.more > 0 {
        screen.step_in(Paint::Cyan, "…", &format!("and {} more", on_the_way.more));
    }
    Ok(status)
}

/// The engine does not ask whether somebody looks on.
fn turns_on(mut failure: Failure) -> Failure {
    for diagnostic in &mut failure.diagnostics {
        diagnostic.message.push_str("; the clock turns on");
        diagnostic
            .hints
            .push("`neargate clock show` says how far it is, `neargate clock set TIME` puts an end to it".to_owned());
    }
    failure
}

/// The tasks for which the clock waits.
#[derive(Debug)]
struct Waiting {
    since: Instant,
    told: BTreeSet<String>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { since: Instant::now(), told: BTreeSet::new() }
    }
}

impl Waiting {
    /// Where nothing has taken place for a while, names each task once that is not over.
    fn tell(&mut self, screen: &Screen, endpoint: &Endpoint, is_news: bool) -> Outcome<()> {
        if is_news {
            self.since = Instant::now();
        }
        if self.since.elapsed() < PATIENCE || self.told.len() >= LINES_MAX {
            return Ok(());
        }
        for task in endpoint.living_tasks()? {
            let id = short_id(short(Some(&task)));
            if self.told.len() < LINES_MAX && self.told.insert(task) {
                let text =
                    format!("for task {id} to end; `neargate task stop {id}` ends it, `--no-wait` would not wait");
                screen.step_in(Paint::Yellow, "waiting", &text);
            }
        }
        Ok(())
    }
}

/// A moment, where a span of time could stand as well.
fn time_or_span(text: &str) -> Outcome<Timestamp> {
    text.parse().map_err(|_: String| {
        let message = format!("`{text}` is neither a span of time nor a time");
        let hint = "write a span such as `90s`, `2h30m` or `31d`, or a time such as `2026-12-01T04:00:00Z`";
        Failure::usage(Diagnostic::error(codes::ARGUMENT, message).hint(hint))
    })
}

/// What takes place while the clock turns, on the screen; a month of a rule that fires every minute is cut short.
struct OnTheWay<'s> {
    screen: &'s Screen,
    after: u64,
    shown: usize,
    more: usize,
}

impl<'s> OnTheWay<'s> {
    fn begin(screen: &'s Screen, endpoint: &Endpoint) -> Outcome<Self> {
        let after = endpoint.notices(0, Duration::ZERO)?.last().map_or(0, |notice| notice.number);
        Ok(Self { screen, after, shown: 0, more: 0 })
    }

    fn tell(&mut self, endpoint: &Endpoint) -> Outcome<()> {
        for notice in endpoint.notices(self.after, Duration::ZERO)? {
            self.after = notice.number;
            if notice.kind == NoticeKind::NotSimulated {
                continue;
            }
            if self.shown < LINES_MAX {
                tell(self.screen, &notice);
                self.shown += 1;
            } else {
                self.more += 1;
            }
        }
        Ok(())
    }
}

/// The moment that a user writes as `system` or as a time.
pub(crate) fn moment(text: &str) -> Outcome<Timestamp> {
    if text == "system" {
        return Ok(neargate_engine::now());
    }
    text.parse().map_err(|error: String| {
        let hint = "write a time such as `2026-12-01T04:00:00Z`, or `system`";
        Failure::usage(Diagnostic::error(codes::ARGUMENT, error).hint(hint))
    })
}

/// `2h30m` in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let (mut total, mut number) = (0_i64, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit_ms = match c {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            'w' => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(unit_ms)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&super::duration_ms(text).map_or("none".to_owned(), |ms| ms.to_string()));
    }

    #[test]
    fn durations() {
        check("90s", expect!["90000"]);
        check("2h30m", expect!["9000000"]);
        check("31d", expect!["2678400000"]);
        check("1w", expect!["604800000"]);
        check("", expect!["none"]);
        check("5", expect!["none"]);
        check("h", expect!["none"]);
        check("2026-12-01T04:00:00Z", expect!["none"]);
        check("99999999999999999999d", expect!["none"]);
        check("9223372036854775807d", expect!["none"]);
    }
}
