//! One run in a data directory of its own: engines follow each other until one is not killed.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use neargate_runtime::backends::embedded::{EmbeddedConfig, erase};
use tempfile::TempDir;

use crate::engine::{Engine, PROGRAM, Settings, free_port};
use crate::machine;
use crate::plan::Plan;
use crate::run::{Knowledge, Measured};
use crate::scenario::Scenario;

/// In the place of the image's `python`: says which event or what secret, runs a moment, says so, and ends.
const PROGRAM_OF_IMAGE: &str = r#"#!/bin/sh
shift
if [ -n "$API_KEY" ]; then set -- "key of ${#API_KEY}"; fi
read up rest < /proc/uptime
width=$(( ${up%.*}${up#*.} % 6000 + 1 ))
printf "start %s|%${width}s\n" "$*" .
sleep 0.25
echo "end $*"
exit 7
"#;

/// A store with the image, built once and copied for every run.
#[derive(Debug)]
pub(crate) struct Images {
    folder: TempDir,
}

impl Images {
    pub(crate) fn build() -> Self {
        Self::of(PROGRAM_OF_IMAGE)
    }

    /// With another program in the place of `python`.
    pub(crate) fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("content");
        fs::create_dir_all(content.join("usr/bin")).unwrap();
        let program = content.join("usr/bin/python");
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["image", "build"]).arg(&content).args(["--tag", "corp/my-proj:1.0", "--data-dir"]);
        command.arg(folder.path().join("data")).args(["--host-program", "sh", "--host-program", "sleep"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder }
    }

    pub(crate) fn copy_to(&self, data_dir: &Path) {
        copy(&self.folder.path().join("data/images"), &data_dir.join("images"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What the drill met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) points: u32,
    /// Containers that outlived an engine and went on under the next, as the same process.
    pub(crate) adopted: u32,
    /// Containers that had ended before the next engine looked, whose end and output it told all the same.
    pub(crate) reported: u32,
    /// Kills that met no container.
    pub(crate) restarted: u32,
    /// Runs that were killed again.
    pub(crate) twice: u32,
    /// Calls without an answer that were made again.
    pub(crate) retries: u32,
    /// Runs that were over before their point.
    pub(crate) unreached: u32,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        self.points += other.points;
        self.adopted += other.adopted;
        self.reported += other.reported;
        self.restarted += other.restarted;
        self.twice += other.twice;
        self.retries += other.retries;
        self.unreached += other.unreached;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { points, adopted, reported, restarted, twice, retries, unreached } = self;
        write!(
            f,
            "{points} points passed, {adopted} containers adopted, {reported} dead but reported, {restarted} restarted \
             without a container, {twice} killed twice, {retries} calls made again, {unreached} over before their point"
        )
    }
}

/// A run's folder, port and what is known of it.
struct Lane {
    folder: TempDir,
    port: u16,
    instance: Option<String>,
    knowledge: Knowledge,
}

impl Lane {
    fn new(images: &Images, scenario: Scenario) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        images.copy_to(&folder.path().join("data"));
        let (port, knowledge) = (free_port(), Knowledge::new(scenario));
        Self { folder, port, instance: None, knowledge }
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The machine is as it was.
    fn check_traces(&self) {
        let Some(instance) = &self.instance else { return };
        let tasks = self.knowledge.task_ids();
        let traces = machine::traces(instance, &self.data_dir(), &tasks);
        assert!(traces.is_empty(), "left after `neargate down`: {traces:#?}");
        // What a broken-off unpacking left is swept by the next engine.
        let scratch = fs::read_dir(self.data_dir().join("images/tmp")).map_or(0, Iterator::count);
        assert_eq!(scratch, 0, "left in the image store");
    }

    /// No file of the data directory or of the instance's place under `/run` holds a secret, or a line that a container printed.
    fn check_files(&self, scenario: Scenario) {
        if self.knowledge.has_stack() {
            // What is no secret is found: the search reads what the engine writes.
            let public = machine::files_that_hold(&self.data_dir(), &[scenario.stack()]);
            assert!(!public.is_empty(), "the search does not see the engine's files");
        }
        let run = self.instance.as_ref().map(|instance| Path::new("/run/neargate").join(instance));
        for folder in [Some(self.data_dir()), run].into_iter().flatten() {
            let found = machine::files_that_hold(&folder, scenario.secrets());
            assert!(found.is_empty(), "in the clear: {found:#?}");
        }
    }

    /// Plays on with another engine. Answers whether it was killed.
    fn go_on(&mut self, settings: Settings, outcome: &mut Outcome) -> bool {
        let survivors: Vec<machine::Left> = self.instance.as_deref().map(machine::left).unwrap_or_default();
        for left in &survivors {
            if let Some(container) = &left.container {
                self.knowledge.survivors.insert(left.task.clone(), container.clone());
            }
        }
        let Ok(mut engine) = Engine::start(self.folder.path(), self.port, settings) else { return true };
        // The engine answers before it has adopted anything: what is alive now may end before it does.
        let is_alive = |left: &machine::Left| left.container.as_ref().is_some_and(machine::Process::is_alive);
        let (alive, ended): (Vec<_>, Vec<_>) = survivors.into_iter().partition(is_alive);
        self.instance = Some(engine.instance.clone());
        self.knowledge.adopted.clear();
        let was_killed = self.knowledge.run(&mut engine, self.port).is_err();
        let adopted = alive.iter().filter(|left| self.knowledge.adopted.contains(&left.task)).count();
        outcome.adopted += u32::try_from(adopted).unwrap();
        if !was_killed {
            outcome.reported += u32::try_from(alive.len() - adopted + ended.len()).unwrap();
        }
        was_killed
    }
}

impl Drop for Lane {
    /// After a failed check something may be left; a clean machine stays as it is.
    fn drop(&mut self) {
        if let Some(config) = self.instance.as_ref().and_then(|it| EmbeddedConfig::new(it, &self.data_dir()).ok()) {
            let _ = erase(&config);
        }
    }
}

/// The run without a kill.
pub(crate) fn measure(images: &Images, scenario: Scenario, batch: Option<u64>) -> Measured {
    let mut lane = Lane::new(images, scenario);
    let settings = Settings { crash_at: Some(0), batch };
    let mut engine = Engine::start(lane.folder.path(), lane.port, settings).expect("an engine that nobody kills");
    lane.instance = Some(engine.instance.clone());
    let measured = lane.knowledge.measure(&mut engine, lane.port).expect("an engine that nobody kills");
    lane.check_traces();
    measured
}

/// One plan, from an empty data directory to a clean machine.
pub(crate) fn play(images: &Images, scenario: Scenario, descriptors: &[String], plan: &Plan) -> Outcome {
    let mut lane = Lane::new(images, scenario);
    lane.knowledge.descriptors = descriptors.to_vec();
    lane.knowledge.kill_after = plan.kill_after;
    let mut outcome = Outcome::default();
    let mut kills = 0;
    for settings in [plan.first, plan.second, Settings::default()] {
        if !lane.go_on(settings, &mut outcome) {
            break;
        }
        kills += 1;
        lane.check_files(scenario);
        outcome.restarted += u32::from(lane.instance.as_deref().is_none_or(|it| machine::left(it).is_empty()));
    }
    lane.check_files(scenario);
    lane.check_traces();
    outcome.points = u32::from(kills > 0);
    outcome.unreached = u32::from(kills == 0);
    outcome.twice = u32::from(kills > 1);
    outcome.retries = lane.knowledge.retries;
    outcome
}
