//! Firing what an app reacts to, and watching what comes of it.
//!
//! Invariant: a trial is over when the engine has nothing under way and every task that was seen has stopped.

mod explain;
mod schedules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use neargate_api::ecs;
use neargate_base::Diagnostic;
use serde_json::{Value as Json, json};

use crate::app::event::EventEntry;
use crate::codes;
use crate::commands::put_events;
use crate::endpoint::Endpoint;
use crate::endpoint::control::{Notice, NoticeKind};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::tasks::{self, Stream, Tail, short, short_id};
use crate::words::counted;

/// Lines of a task in the document at the end.
const LINES_MAX: usize = 100_000;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// What to fire: first the events, then the schedules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fire<'a> {
    /// Put these events.
    pub(crate) events: &'a [EventEntry],
    /// Let the rule of this name, or `all` rules with a schedule, fire once.
    pub(crate) schedules: Option<&'a str>,
    /// List what was not acted on even where all went well.
    pub(crate) verbose: bool,
}

/// How a trial ended.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Why, where not all is well.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Every task, with its log.
    pub(crate) tasks: Vec<Json>,
    /// What the engine said.
    pub(crate) notices: Vec<Json>,
    /// The stacks.
    pub(crate) stacks: Vec<Json>,
}

/// A trial under way.
#[derive(Debug)]
pub(crate) struct Trial<'a> {
    screen: &'a Screen,
    control: &'a Endpoint,
    /// One for each account and region in which there are stacks.
    endpoints: Vec<Endpoint>,
    deadline: Instant,
    tail: Tail,
    tasks: BTreeMap<String, Seen>,
    /// Tasks in the order in which they were seen.
    order: Vec<String>,
    notices: Vec<Notice>,
    notices_after: u64,
    labels: BTreeMap<String, usize>,
    /// Containers whose output goes nowhere.
    silent: BTreeSet<String>,
}

/// A task that was seen.
#[derive(Debug)]
struct Seen {
    task: ecs::Task,
    endpoint: Endpoint,
    streams: Vec<(Stream, String)>,
    log: Log,
    /// Whether its end has been told; its log is complete then.
    is_over: bool,
}

/// Lines of a task for the document at the end; those beyond so many are only counted.
#[derive(Debug, Default)]
struct Log {
    lines: Vec<Json>,
    more: u64,
}

impl Log {
    fn add(&mut self, line: Json) {
        match self.lines.len() < LINES_MAX {
            true => self.lines.push(line),
            false => self.more += 1,
        }
    }
}

impl<'a> Trial<'a> {
    /// A trial of what is deployed. What the engine said so far was about the stacks.
    pub(crate) fn new(
        screen: &'a Screen,
        control: &'a Endpoint,
        endpoints: Vec<Endpoint>,
        deadline: Instant,
    ) -> Outcome<Self> {
        let mut trial = Self {
            screen,
            control,
            endpoints,
            deadline,
            tail: Tail::default(),
            tasks: BTreeMap::new(),
            order: vec![],
            notices: vec![],
            notices_after: 0,
            labels: BTreeMap::new(),
            silent: BTreeSet::new(),
        };
        trial.hear(false)?;
        Ok(trial)
    }

    /// Fires, and watches until all is over.
    pub(crate) fn run(mut self, fire: Fire<'_>, stacks: Vec<Json>) -> Outcome<Verdict> {
        let schedules = match (fire.schedules, fire.events) {
            // An app that only has schedules needs nobody to say what is to be fired.
            (None, []) if schedules::are_there(&self.endpoints)? => Some("all"),
            (None, []) => return Err(schedules::nothing_to_fire(&self.endpoints)?),
            (named, _) => named,
        };
        // A name that means no schedule is wrong before anything is fired.
        let turns = schedules.map(|name| schedules::plan(&self.endpoints, name)).transpose()?;
        for event in fire.events {
            self.screen.step("event", &event.title());
        }
        if !fire.events.is_empty() {
            for endpoint in &self.endpoints {
                put_events(self.screen, endpoint, fire.events)?;
            }
            self.watch()?;
        }
        for turn in turns.into_iter().flatten() {
            self.screen.step("clock", &turn.title(self.control)?);
            turn.begin(self.control)?;
            self.watch()?;
            turn.end()?;
        }
        let (exit, diagnostics) = self.judge(fire.events)?;
        self.tell_not_simulated(exit == Exit::Done && !fire.verbose);
        let tasks = self.order.iter().filter_map(|arn| self.tasks.get(arn)).map(|seen| {
            let mut task = tasks::to_json(&seen.task);
            if let Some(members) = task.as_object_mut() {
                members.insert("log".to_owned(), Json::Array(seen.log.lines.clone()));
                if seen.log.more > 0 {
                    members.insert("log_lines_left_out".to_owned(), seen.log.more.into());
                }
            }
            task
        });
        let notices = self
            .notices
            .iter()
            .map(|it| json!({ "kind": it.kind.name(), "subject": it.subject, "text": it.text, "hint": it.hint }));
        Ok(Verdict { exit, diagnostics, tasks: tasks.collect(), notices: notices.collect(), stacks })
    }

    fn watch(&mut self) -> Outcome<()> {
        loop {
            // Asked before looking: what is at rest now has left all its traces.
            let is_at_rest = self.control.status()?.is_at_rest();
            self.hear(true)?;
            self.look()?;
            if is_at_rest && self.tasks.values().all(|seen| seen.is_over) {
                return Ok(());
            }
            if Instant::now() > self.deadline {
                let running = self.tasks.values().filter(|seen| !seen.is_over).map(|seen| id(&seen.task));
                let message = format!("not over in time: {} still running", listed(running));
                let hint = "give more time with `--timeout`; a service that never ends is for `neargate up`";
                return Err(Failure::failed(Diagnostic::error(codes::TIMEOUT, message).hint(hint)));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// What the engine says.
    fn hear(&mut self, is_told: bool) -> Outcome<()> {
        for notice in self.control.notices(self.notices_after, Duration::ZERO)? {
            self.notices_after = notice.number;
            let is_of_rule = notice.subject.contains(":rule/");
            if is_told && is_of_rule && notice.kind == NoticeKind::Progress {
                self.screen.step("rule", notice.text.trim_start_matches("rule "));
            }
            self.notices.push(notice);
        }
        Ok(())
    }

    /// What the tasks do.
    fn look(&mut self) -> Outcome<()> {
        for endpoint in self.endpoints.clone() {
            for task in tasks::list(&endpoint, true)? {
                let arn = task.task_arn.clone().unwrap_or_default();
                if let Some(seen) = self.tasks.get_mut(&arn) {
                    seen.task = task;
                } else {
                    self.meet(&endpoint, &arn, task)?;
                }
            }
        }
        for arn in &self.order {
            let Some(seen) = self.tasks.get_mut(arn).filter(|seen| !seen.is_over) else { continue };
            // Read after the task was described: once it has stopped, its log is complete.
            let mut is_read = true;
            for (stream, label) in &seen.streams {
                let read = self.tail.read(&seen.endpoint, stream)?;
                is_read &= read.is_all;
                for (at_ms, line) in read.lines {
                    match self.screen.is_json() {
                        true => {
                            seen.log.add(json!({ "container": stream.container, "timestamp": at_ms, "message": line }))
                        }
                        false => self.screen.container_line(label, &line),
                    }
                }
            }
            if is_read && tasks::is_stopped(&seen.task) {
                seen.is_over = true;
                let (paint, text) = match tasks::exit_code(&seen.task) {
                    Some(0) => (Paint::Green, tasks::ending(&seen.task)),
                    Some(_) => (Paint::Red, tasks::ending(&seen.task)),
                    // Why is said at the end.
                    None => (Paint::Red, "did not run".to_owned()),
                };
                self.screen.step_in(paint, "stopped", &format!("{}  {text}", id(&seen.task)));
            }
        }
        Ok(())
    }

    fn meet(&mut self, endpoint: &Endpoint, arn: &str, task: ecs::Task) -> Outcome<()> {
        self.screen.step("task", &format!("{}  {}", id(&task), short(task.task_definition_arn.as_deref())));
        let mut streams = vec![];
        let (shown, silent) = tasks::observed(endpoint, &task)?;
        for name in silent.into_iter().filter(|name| self.silent.insert(name.clone())) {
            let text = format!("what container `{name}` prints: it has no `awslogs` log configuration");
            self.screen.step_in(Paint::Yellow, "not shown", &text);
        }
        for stream in shown {
            let count = self.labels.entry(stream.container.clone()).or_insert(0);
            *count += 1;
            let label = if *count == 1 { stream.container.clone() } else { format!("{}#{count}", stream.container) };
            streams.push((stream, label));
        }
        self.order.push(arn.to_owned());
        let seen = Seen { task, endpoint: endpoint.clone(), streams, log: Log::default(), is_over: false };
        self.tasks.insert(arn.to_owned(), seen);
        Ok(())
    }

    /// What was accepted and not acted on, once each, with one of those it is about; in short only how much it is.
    fn tell_not_simulated(&self, in_short: bool) {
        let mut by_text: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for notice in self.notices.iter().filter(|notice| notice.kind == NoticeKind::NotSimulated) {
            by_text.entry(&notice.text).or_default().insert(&notice.subject);
        }
        if in_short && by_text.len() > 1 {
            let text = format!("{} of the app; `--verbose` lists them", counted(by_text.len(), "setting"));
            return self.screen.step_in(Paint::Yellow, "not acted on", &self.screen.paint(Paint::Dim, &text));
        }
        let mut word = "not acted on";
        for (text, subjects) in by_text {
            let first = subjects.first().copied().unwrap_or_default();
            let is_task = self.order.iter().any(|arn| short(Some(arn)) == first);
            let first = if is_task { short_id(first) } else { first.to_owned() };
            let more = if subjects.len() > 1 { format!(" and {} more", subjects.len() - 1) } else { String::new() };
            self.screen.step_in(Paint::Yellow, word, &self.screen.paint(Paint::Dim, &format!("{first}{more}: {text}")));
            word = "";
        }
    }

    /// The exit is one of its own where something that was fired started nothing, that of a container's start that failed, or else
    /// the first container's own that is no success.
    fn judge(&self, events: &[EventEntry]) -> Outcome<(Exit, Vec<Diagnostic>)> {
        let failures: Vec<&Notice> = self.notices.iter().filter(|notice| notice.kind == NoticeKind::Failed).collect();
        let mut diagnostics = explain::unmatched(&self.endpoints, events, codes::NO_TASK)?;
        if self.tasks.is_empty() {
            let mut diagnostic = Diagnostic::error(codes::NO_TASK, "no task was started");
            for failure in &failures {
                diagnostic = diagnostic.detail(&failure.text);
                diagnostic.hints.extend(failure.hint.clone());
            }
            match diagnostics.as_mut_slice() {
                // One reason is reason enough.
                [unmatched] if failures.is_empty() => {
                    unmatched.message = format!("no task was started: {}", unmatched.message);
                }
                _ => diagnostics.push(diagnostic),
            }
            return Ok((Exit::Unfired, diagnostics));
        }
        let seen = || self.order.iter().filter_map(|arn| self.tasks.get(arn));
        for seen in seen().filter(|seen| tasks::exit_code(&seen.task).is_none()) {
            let message = format!("task {} did not run: {}", id(&seen.task), tasks::ending(&seen.task));
            let mut diagnostic = Diagnostic::error(codes::TASK, message);
            let about = failures.iter().filter(|it| Some(&it.subject) == seen.task.task_arn.as_ref());
            diagnostic.hints.extend(about.filter_map(|notice| notice.hint.clone()));
            diagnostics.push(diagnostic);
        }
        let is_of_such = |notice: &Notice| {
            seen().any(|seen| {
                tasks::exit_code(&seen.task).is_none() && seen.task.task_arn.as_ref() == Some(&notice.subject)
            })
        };
        for failure in failures.iter().filter(|failure| !is_of_such(failure)) {
            let mut diagnostic = Diagnostic::error(codes::ON_THE_WAY, &failure.text);
            diagnostic.hints.extend(failure.hint.clone());
            diagnostics.push(diagnostic);
        }
        // A task that did not even run weighs more than the code of another.
        let exit = seen().find(|seen| tasks::exit_code(&seen.task).is_none()).map(|seen| tasks::exit(&seen.task));
        let exit = exit.or_else(|| (!diagnostics.is_empty()).then_some(Exit::Unfired));
        let code = || seen().map(|seen| tasks::exit(&seen.task)).find(|exit| *exit != Exit::Done);
        let exit = exit.or_else(code).unwrap_or(Exit::Done);
        Ok((exit, diagnostics))
    }
}

fn id(task: &ecs::Task) -> String {
    short_id(short(task.task_arn.as_deref()))
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.map(|name| format!("task `{name}`")).collect();
    if names.is_empty() { "something is".to_owned() } else { names.join(", ") }
}
