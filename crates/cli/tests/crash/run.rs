//! The run that is broken off: a stack, a start, a task that prints, exits with 7 and is gone.
//!
//! Every step says what it has been acknowledged and can be done again by a client that does not know how far it came.
//!
//! Invariant: what was acknowledged is expected of every later engine, what was seen is expected to stay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::client::{CallError, Client};
use crate::engine::{Engine, Killed};
use crate::machine::{self, Process};
use crate::scenario::Scenario;

/// What the container exits with.
pub(crate) const EXIT_CODE: i64 = 7;
/// For everything that takes a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// For the connections of earlier calls to be closed.
const DESCRIPTORS_PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(15);

/// A start of a task: what it takes to ask for it again, and whether it was acknowledged.
#[derive(Debug)]
struct Start {
    marker: String,
    plan: Json,
    is_acknowledged: bool,
}

/// What a client knows.
#[derive(Debug)]
pub(crate) struct Knowledge {
    scenario: Scenario,
    prepared: bool,
    /// How often the stack was asked for, and whether that was acknowledged.
    stack_calls: u32,
    stack_acknowledged: bool,
    stack_complete: bool,
    cluster: String,
    log_group: String,
    starts: Vec<Start>,
    /// Tasks that were seen, and whether they had stopped.
    tasks: BTreeMap<String, bool>,
    /// Containers that ran when their engine was killed, by task id.
    pub(crate) survivors: BTreeMap<String, Process>,
    /// Of those, the ones that a later engine showed as their tasks' containers.
    pub(crate) adopted: BTreeSet<String>,
    /// Kill from outside this long after a start's acknowledgement.
    pub(crate) kill_after: Option<Duration>,
    kill_at: Option<Instant>,
    /// The descriptors of an engine at rest.
    pub(crate) descriptors: Vec<String>,
    /// How often a call had to be made again.
    pub(crate) retries: u32,
}

/// What a run in peace shows.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) at_stack: u64,
    pub(crate) at_end: u64,
    pub(crate) descriptors: Vec<String>,
}

type Step<T = ()> = Result<T, Killed>;

/// A task as `DescribeTasks` shows it.
struct Task {
    id: String,
    marker: String,
    has_stopped: bool,
    exit_code: Option<i64>,
    pid: Option<u32>,
    view: Json,
}

impl Knowledge {
    /// Nothing yet.
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            prepared: false,
            stack_calls: 0,
            stack_acknowledged: false,
            stack_complete: false,
            cluster: String::new(),
            log_group: String::new(),
            starts: vec![],
            tasks: BTreeMap::new(),
            survivors: BTreeMap::new(),
            adopted: BTreeSet::new(),
            kill_after: None,
            kill_at: None,
            descriptors: vec![],
            retries: 0,
        }
    }

    /// The whole run, from wherever it was broken off. Every check panics.
    pub(crate) fn run(&mut self, engine: &mut Engine, port: u16) -> Step {
        self.have_stack(engine)?;
        self.have_starts(engine, 1)?;
        self.have_stopped(engine)?;
        self.check_logs(engine)?;
        self.check_descriptors(engine);
        engine.stop(port)
    }

    /// The run in peace, to know what there is to break off: the points passed when the stack was complete, and when the
    /// task was gone; and the descriptors of an engine at rest, which a second task must not change.
    pub(crate) fn measure(&mut self, engine: &mut Engine, port: u16) -> Step<Measured> {
        self.have_stack(engine)?;
        let at_stack = engine.points().unwrap();
        self.have_starts(engine, 1)?;
        self.have_stopped(engine)?;
        let at_end = engine.points().unwrap();
        let descriptors = settled_descriptors(engine);
        self.descriptors.clone_from(&descriptors);
        self.have_starts(engine, 2)?;
        self.have_stopped(engine)?;
        self.check_logs(engine)?;
        self.check_descriptors(engine);
        engine.stop(port)?;
        Ok(Measured { at_stack, at_end, descriptors })
    }

    /// Whether the stack has been acknowledged.
    pub(crate) fn has_stack(&self) -> bool {
        self.stack_acknowledged
    }

    /// The ids of all tasks that were seen.
    pub(crate) fn task_ids(&self) -> Vec<String> {
        self.tasks.keys().cloned().collect()
    }

    fn have_stack(&mut self, engine: &mut Engine) -> Step {
        let stack = self.scenario.stack();
        if !self.prepared {
            let scenario = self.scenario;
            ask(engine, |client| scenario.prepare(client))?;
            self.prepared = true;
        }
        if !self.stack_acknowledged {
            self.stack_calls += 1;
            self.retries += u32::from(self.stack_calls > 1);
            let input = json!({
                "StackName": stack, "TemplateBody": self.scenario.template(), "Capabilities": ["CAPABILITY_IAM"],
            });
            match engine.client.call(&neargate_api::cloudformation::SERVICE, "CreateStack", input) {
                Ok(_) => {}
                Err(CallError::Fault(text)) if self.stack_calls > 1 && text.contains("AlreadyExists") => {}
                Err(CallError::Fault(text)) => panic!("{text}"),
                Err(CallError::Dead) => return Err(engine.wait_killed()),
            }
            self.stack_acknowledged = true;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stacks =
                call(engine, &neargate_api::cloudformation::SERVICE, "DescribeStacks", json!({ "StackName": stack }))?;
            match stacks["Stacks"][0]["StackStatus"].as_str().unwrap() {
                "CREATE_COMPLETE" => break,
                "CREATE_IN_PROGRESS" if !self.stack_complete => {}
                _ => panic!("the stack is not as it was: {stacks}"),
            }
            assert!(Instant::now() < deadline, "the stack is not complete: {stacks}");
            std::thread::sleep(PAUSE);
        }
        self.stack_complete = true;
        if self.cluster.is_empty() {
            let input = json!({ "StackName": stack });
            let resources = call(engine, &neargate_api::cloudformation::SERVICE, "DescribeStackResources", input)?;
            let physical = |kind: &str| {
                let all = resources["StackResources"].as_array().unwrap();
                let found: Vec<&Json> = all.iter().filter(|it| it["ResourceType"] == kind).collect();
                assert_eq!(found.len(), 1, "{resources}");
                found[0]["PhysicalResourceId"].as_str().unwrap().to_owned()
            };
            self.log_group = physical("AWS::Logs::LogGroup");
            self.cluster = physical("AWS::ECS::Cluster");
        }
        Ok(())
    }

    fn have_starts(&mut self, engine: &mut Engine, wanted: usize) -> Step {
        let scenario = self.scenario;
        while self.starts.iter().filter(|start| start.is_acknowledged).count() < wanted {
            let is_open = self.starts.last().is_some_and(|start| !start.is_acknowledged);
            self.retries += u32::from(is_open);
            // An event that was not acknowledged is given up; the clock can be turned to the same time again.
            if !is_open || scenario == Scenario::Triggered {
                let marker = scenario.marker(self.starts.len());
                let plan = ask(engine, |client| scenario.plan(client))?;
                self.starts.push(Start { marker, plan, is_acknowledged: false });
            }
            let start = self.starts.last_mut().unwrap();
            ask(engine, |client| scenario.start(client, &start.plan, &start.marker))?;
            start.is_acknowledged = true;
            self.kill_at = self.kill_after.take().map(|delay| Instant::now() + delay);
        }
        Ok(())
    }

    fn have_stopped(&mut self, engine: &mut Engine) -> Step {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.kill_at.take_if(|at| Instant::now() >= *at).is_some() {
                return Err(engine.kill());
            }
            let tasks = self.tasks(engine)?;
            self.check_tasks(&tasks);
            let started = self.starts.iter().filter(|start| start.is_acknowledged).count();
            let is_over = tasks.len() >= started && tasks.iter().all(|task| task.has_stopped);
            if is_over && self.kill_at.is_none() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let views: Vec<&Json> = tasks.iter().map(|task| &task.view).collect();
                panic!("a task does not stop: {views:?}");
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn task(&self, view: &Json) -> Task {
        let container = &view["containers"][0];
        // `<task>-<process>` is the container's id in its runtime.
        let pid = container["runtimeId"].as_str().and_then(|id| id.rsplit('-').next()?.parse().ok());
        Task {
            id: view["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(),
            marker: self.scenario.marker_of(view),
            has_stopped: view["lastStatus"] == "STOPPED",
            exit_code: container["exitCode"].as_i64(),
            pid,
            view: view.clone(),
        }
    }

    fn tasks(&self, engine: &mut Engine) -> Step<Vec<Task>> {
        let mut arns = vec![];
        for status in ["RUNNING", "STOPPED"] {
            let input = json!({ "cluster": self.cluster, "desiredStatus": status });
            let listed = call(engine, &neargate_api::ecs::SERVICE, "ListTasks", input)?;
            arns.extend(listed["taskArns"].as_array().unwrap().clone());
        }
        // One that is told to stop between the two calls is in both.
        arns.sort_by_key(ToString::to_string);
        arns.dedup();
        if arns.is_empty() {
            return Ok(vec![]);
        }
        let input = json!({ "cluster": self.cluster, "tasks": arns });
        let described = call(engine, &neargate_api::ecs::SERVICE, "DescribeTasks", input)?;
        Ok(described["tasks"].as_array().unwrap().iter().map(|view| self.task(view)).collect())
    }

    /// What must be so at any moment.
    fn check_tasks(&mut self, tasks: &[Task]) {
        for start in &self.starts {
            let count = tasks.iter().filter(|task| task.marker == start.marker).count();
            let alike = || self.starts.iter().filter(|other| other.marker == start.marker);
            let acknowledged = alike().filter(|other| other.is_acknowledged).count();
            let is_right = count <= alike().count() && count >= self.scenario.at_least(acknowledged);
            assert!(is_right, "{count} tasks of `{}`, acknowledged: {acknowledged}", start.marker);
        }
        for task in tasks {
            let had_stopped = self.tasks.insert(task.id.clone(), task.has_stopped).unwrap_or(false);
            assert!(!had_stopped || task.has_stopped, "a task came back to life: {}", task.view);
            if task.has_stopped {
                assert_eq!(task.exit_code, Some(EXIT_CODE), "{}", task.view);
                assert_eq!(task.view["stopCode"], "EssentialContainerExited", "{}", task.view);
            }
            if let (Some(survivor), Some(pid)) = (self.survivors.get(&task.id), task.pid) {
                assert_eq!(survivor.pid, pid, "another process than the one that ran on: {}", task.view);
                self.adopted.insert(task.id.clone());
            }
        }
        for id in self.tasks.keys() {
            assert!(tasks.iter().any(|task| task.id == *id), "task `{id}` is no more");
        }
    }

    /// Every task has said everything once. The container's first line is longer the later it starts, so that a second
    /// start cannot hide behind what was read of the first.
    fn check_logs(&self, engine: &mut Engine) -> Step {
        let tasks = self.tasks(engine)?;
        let input = json!({ "logGroupName": self.log_group });
        let found = call(engine, &neargate_api::logs::SERVICE, "FilterLogEvents", input)?;
        let lines: Vec<(&str, &str)> = found["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| (event["logStreamName"].as_str().unwrap(), event["message"].as_str().unwrap()))
            .collect();
        for task in &tasks {
            let own: Vec<&str> = lines.iter().filter(|line| line.0.ends_with(&task.id)).map(|line| line.1).collect();
            let said: Vec<&str> = own.iter().filter_map(|line| line.split('|').next()).map(str::trim).collect();
            let expected = [format!("start {}", task.marker), format!("end {}", task.marker)];
            assert_eq!(said, expected, "log of task `{}`", task.id);
        }
        assert_eq!(lines.len(), 2 * tasks.len(), "{lines:?}");
        Ok(())
    }

    fn check_descriptors(&self, engine: &Engine) {
        let deadline = Instant::now() + DESCRIPTORS_PATIENCE;
        loop {
            let now = machine::descriptors(engine.pid);
            if now == self.descriptors {
                return;
            }
            assert!(Instant::now() < deadline, "descriptors: {now:#?}\nexpected: {:#?}", self.descriptors);
            std::thread::sleep(PAUSE);
        }
    }
}

/// The descriptors of an engine whose last connections are closed: the same many times in a row.
fn settled_descriptors(engine: &Engine) -> Vec<String> {
    let (mut last, mut times) = (machine::descriptors(engine.pid), 0);
    while times < 10 {
        std::thread::sleep(PAUSE);
        let now = machine::descriptors(engine.pid);
        times = if now == last { times + 1 } else { 0 };
        last = now;
    }
    last
}

fn call(engine: &mut Engine, service: &'static neargate_shape::ServiceShape, name: &str, input: Json) -> Step<Json> {
    ask(engine, |client| client.call(service, name, input))
}

fn ask<T>(engine: &mut Engine, question: impl FnOnce(&Client) -> Result<T, CallError>) -> Step<T> {
    match question(&engine.client) {
        Ok(answer) => Ok(answer),
        Err(CallError::Dead) => Err(engine.wait_killed()),
        Err(CallError::Fault(text)) => panic!("{text}"),
    }
}
