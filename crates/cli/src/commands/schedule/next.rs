//! `neargate schedule next`: when an expression fires, or why it is not valid.
//!
//! Invariant: a line of stdin gets the same answer whenever it is asked: without a time in it the count starts in 1970.

use std::ops::Range;

use clap::{Args, ValueEnum};
use neargate_base::{Diagnostic, Timestamp};
use neargate_schedule::{Dialect, DstRemark, LocalTime, NoFire, Schedule, ScheduleError, Zone};

use crate::codes;
use crate::commands::clock::moment;
use crate::lines::{self, Answer, Members, Memo};
use crate::outcome::{Exit, Outcome};
use crate::screen::{Paint, Screen};
use crate::words::pointed;

/// Said after the help.
pub(super) const AFTER_HELP: &str = "\
Rules take `cron(…)` and `rate(…)` in UTC; EventBridge Scheduler also takes time zones and `at(…)`. Without --api and
--timezone whatever either takes is valid, and stderr says which does.
Exit codes: 0 it fires, 1 it never fires again, 2 the expression or the time zone is not valid.

With --stdin a line is `{\"id\": …, \"expression\": …, \"timezone\": …, \"after\": …, \"start\": …, \"api\": \"rule|scheduler\"}`. Its answer
has `id`, `next` (up to ten times in UTC, or `invalid`) and, where that is not all, `why`. Without `after` the times are
those after `start`, or else after 1970-01-01T00:00:00Z.

Example:
  neargate schedule next 'cron(30 2 * * ? *)' --timezone Europe/Berlin --after 2026-03-28T00:00:00Z -n 3";

/// Times in the answer to a line.
const TIMES_PER_LINE: usize = 10;
/// Times that one may ask for.
const TIMES_MAX: u16 = 10_000;

/// Arguments of `schedule next`.
#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    /// The schedule expression: `cron(…)`, `rate(…)` or `at(…)`
    #[arg(value_name = "EXPRESSION", required_unless_present_any = ["stdin", "expression"])]
    positional: Option<String>,
    /// The same by name
    #[arg(long, value_name = "TEXT", conflicts_with = "positional")]
    expression: Option<String>,
    /// The time zone of its times, such as `Europe/Berlin` [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The moment after which it fires, such as `2026-12-01T04:00:00Z` [default: now, or `--start`]
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// When the schedule begins; a rate counts from there [default: a rate counts from `--after`]
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// How many times to write
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=i64::from(TIMES_MAX)))]
    count: u16,
    /// Who is to take it [default: `scheduler` with a time zone, or else whichever does]
    #[arg(long, value_enum)]
    api: Option<Api>,
    /// Answer each line of stdin, a JSON object, with a line on stdout
    #[arg(long, conflicts_with_all = ["positional", "expression", "timezone", "after", "start", "count", "api"])]
    stdin: bool,
}

/// Who takes a schedule expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Api {
    /// A rule of EventBridge (`events:PutRule`)
    Rule,
    /// EventBridge Scheduler (`scheduler:CreateSchedule`)
    Scheduler,
}

impl Api {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "rule" | "events:PutRule" => Ok(Self::Rule),
            "scheduler" | "scheduler:CreateSchedule" => Ok(Self::Scheduler),
            _ => Err(format!("`api` is `{text}`, expected `rule` or `scheduler`")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Scheduler => "scheduler",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Rule => "EventBridge rules",
            Self::Scheduler => "EventBridge Scheduler",
        }
    }
}

/// A schedule that somebody takes.
struct Taken {
    schedule: Schedule,
    /// Who takes it; not empty.
    by: Vec<Api>,
}

/// One that is not taken.
#[derive(Clone)]
struct Refused {
    why: String,
    nearest: Option<String>,
    /// The characters of the expression that are wrong.
    place: Option<Range<usize>>,
    hint: Option<&'static str>,
}

impl Refused {
    fn because(why: String) -> Self {
        Self { why, nearest: None, place: None, hint: None }
    }

    fn new(why: &str, nearest: Option<&str>) -> Self {
        let told = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
        let why = why.strip_suffix(&told).unwrap_or(why).to_owned();
        Self { nearest: nearest.map(str::to_owned), ..Self::because(why) }
    }

    fn expression(error: &ScheduleError, hint: Option<&'static str>) -> Self {
        Self { place: Some(error.columns()), hint, ..Self::new(&error.to_string(), error.nearest()) }
    }
}

/// Computes the times of an expression, or of many.
pub(super) fn run(args: &NextArgs, screen: &Screen) -> Outcome {
    match args.positional.as_ref().or(args.expression.as_ref()) {
        Some(expression) => one(args, expression, screen),
        None => {
            let mut memo = Memo::new();
            lines::answer_all(screen, |members, answer| line(members, &mut memo, answer))
        }
    }
}

/// Reads an expression as the API does, or as either does where none is named.
fn read(
    expression: &str,
    timezone: Option<&str>,
    start: Option<Timestamp>,
    api: Option<Api>,
) -> Result<Taken, Refused> {
    let zone = timezone.map_or(Ok(Zone::UTC), |name| {
        Zone::named(name).map_err(|error| Refused::new(&error.to_string(), error.nearest()))
    })?;
    let is_utc = zone.name() == "UTC";
    let [rule, scheduler] = [Dialect::Rule, Dialect::Scheduler].map(|dialect| Schedule::parse(expression, dialect));
    let taking = [(Api::Rule, is_utc && rule.is_ok()), (Api::Scheduler, scheduler.is_ok())];
    let by: Vec<Api> = taking.into_iter().filter(|(_, takes)| *takes).map(|(api, _)| api).collect();
    let takes = |api: Api| by.contains(&api);
    let api = match (api, timezone) {
        (Some(api), _) => api,
        (None, None) if takes(Api::Rule) => Api::Rule,
        (None, _) => Api::Scheduler,
    };
    let hint = match api {
        Api::Rule if takes(Api::Scheduler) => Some("EventBridge Scheduler takes it: `--api scheduler`"),
        Api::Scheduler if takes(Api::Rule) => Some("a rule takes it: `--api rule`"),
        _ => None,
    };
    if api == Api::Rule && !is_utc {
        let why = format!("a rule's times are in UTC, got the time zone `{}`", zone.name());
        return Err(Refused { hint, ..Refused::because(why) });
    }
    let chosen = if api == Api::Rule { rule } else { scheduler };
    let mut schedule = chosen.map_err(|error| Refused::expression(&error, hint))?.in_zone(zone);
    if let Some(start) = start {
        schedule = schedule.created_at(start.millis());
        if api == Api::Scheduler {
            let bounded = schedule.bounded(Some(start.millis()), None);
            schedule = bounded.map_err(|error| Refused::because(error.to_string()))?;
        }
    }
    Ok(Taken { schedule, by })
}

/// Times in milliseconds since the epoch, and where there are fewer than asked for, why.
type Times = (Vec<i64>, Option<NoFire>);

/// Up to `count` times.
fn times(schedule: &Schedule, after_ms: i64, count: usize) -> Times {
    let (mut times, mut last) = (Vec::with_capacity(count.min(TIMES_PER_LINE)), after_ms);
    while times.len() < count {
        match schedule.next_fire(last) {
            Ok(fire_ms) => times.push(fire_ms),
            Err(reason) => return (times, Some(reason)),
        }
        last = times.last().copied().unwrap_or(last);
    }
    (times, None)
}

/// What changes of the clocks do between a moment and the last of the times that were asked for.
fn remarks(schedule: &Schedule, after_ms: i64, (times, reason): &Times) -> Vec<(i64, String)> {
    let last = times.last().copied();
    let to_ms = match reason {
        None => last.unwrap_or(after_ms).saturating_add(1),
        // There is no time any more, perhaps for the very reason that the clocks skip it. Of `at(…)` the reason says so.
        Some(_) if !schedule.is_one_time() => i64::MAX,
        Some(_) => after_ms,
    };
    let shown = |remark: DstRemark| (remark.change_ms, remark.to_string());
    let mut all: Vec<_> = schedule.dst_remarks(after_ms, to_ms).into_iter().map(shown).collect();
    // An overlap begins before the clocks change: the last time may lie in one.
    let at_last = last.and_then(|last| schedule.dst_remark(last)).map(shown);
    all.extend(at_last.filter(|it| all.last() != Some(it)));
    all
}

fn one(args: &NextArgs, expression: &str, screen: &Screen) -> Outcome {
    let start = args.start.as_deref().map(moment).transpose()?;
    let after = args.after.as_deref().map(moment).transpose()?.or(start).unwrap_or_else(neargate_engine::now).millis();
    let read = read(expression, args.timezone.as_deref(), start, args.api);
    let taken = match read {
        Ok(taken) => taken,
        Err(refused) => {
            if screen.is_json() {
                let mut answer = Answer::new();
                write_refused(&refused, &mut answer);
                screen.data(&answer.end());
            }
            screen.diagnostic(&diagnostic(expression, &refused));
            return Ok(Exit::Usage);
        }
    };
    let times = times(&taken.schedule, after, args.count.into());
    let zone = taken.schedule.zone();
    if screen.is_json() {
        let mut answer = Answer::new();
        write(&taken, after, &times, &mut answer);
        answer.text("timezone", zone.name());
        answer.texts("local", times.0.iter().map(|fire_ms| zone.local(*fire_ms).to_string()));
        screen.data(&answer.end());
    } else {
        show(&taken, after, &times, screen);
    }
    match times.1 {
        Some(reason) if times.0.is_empty() => {
            screen.diagnostic(&Diagnostic::error(codes::NEVER, format!("`{expression}` {reason}")));
            return Ok(Exit::Failed);
        }
        Some(reason) => screen.step_in(Paint::Yellow, "end", &reason.to_string()),
        None => {}
    }
    Ok(Exit::Done)
}

/// The times on stdout; on stderr who takes the expression, and in its place what the clocks do to it.
fn show(taken: &Taken, after_ms: i64, times: &Times, screen: &Screen) {
    let titles: Vec<_> = taken.by.iter().map(|api| api.title()).collect();
    let only = if titles.len() == 1 { " only" } else { "" };
    screen.step("taken by", &format!("{}{only}", titles.join(" and ")));
    let mut remarks = remarks(&taken.schedule, after_ms, times).into_iter().peekable();
    for fire_ms in &times.0 {
        while let Some((_, text)) = remarks.next_if(|(change_ms, _)| change_ms <= fire_ms) {
            screen.step_in(Paint::Yellow, "clocks", &text);
        }
        screen.data(&taken.schedule.zone().local(*fire_ms).to_string());
    }
    remarks.for_each(|(_, text)| screen.step_in(Paint::Yellow, "clocks", &text));
}

fn diagnostic(expression: &str, refused: &Refused) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(codes::SCHEDULE, refused.why.clone());
    if let Some(place) = &refused.place
        && !expression.contains('\n')
    {
        let [shown, marks] = pointed(expression, place.start, place.len());
        diagnostic = diagnostic.detail(shown).detail(marks);
    }
    if let Some(nearest) = &refused.nearest {
        diagnostic = diagnostic.hint(format!("did you mean `{nearest}`?"));
    }
    match refused.hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

fn write(taken: &Taken, after_ms: i64, times: &Times, answer: &mut Answer) {
    answer.texts("next", times.0.iter().map(|fire_ms| LocalTime::utc(*fire_ms).to_string()));
    answer.texts("api", taken.by.iter().map(|api| api.name().to_owned()));
    let remarks = remarks(&taken.schedule, after_ms, times);
    if !remarks.is_empty() {
        answer.texts("clocks", remarks.into_iter().map(|(_, text)| text));
    }
    if let Some(reason) = times.1 {
        answer.text("why", &reason.to_string());
    }
}

fn write_refused(refused: &Refused, answer: &mut Answer) {
    answer.text("next", "invalid");
    answer.text("why", &refused.why);
    if let Some(nearest) = &refused.nearest {
        answer.text("nearest", nearest);
    }
}

fn line(members: &Members<'_>, memo: &mut Memo<Result<Taken, Refused>>, answer: &mut Answer) -> Result<(), String> {
    let time = |name: &str| members.text(name)?.map(|text| text.parse::<Timestamp>()).transpose();
    let expression = members.text("expression")?.ok_or("`expression` is missing")?;
    let (timezone, start) = (members.text("timezone")?, time("start")?);
    let api = members.text("api")?.map(|text| Api::parse(&text)).transpose()?;
    let key = ["expression", "timezone", "start", "api"].map(|name| members.get(name).unwrap_or_default()).join("\n");
    let after_ms = time("after")?.or(start).unwrap_or_default().millis();
    match &*memo.get(&key, || read(&expression, timezone.as_deref(), start, api)) {
        Ok(taken) => {
            write(taken, after_ms, &times(&taken.schedule, after_ms, TIMES_PER_LINE), answer);
        }
        Err(refused) => write_refused(refused, answer),
    }
    Ok(())
}
