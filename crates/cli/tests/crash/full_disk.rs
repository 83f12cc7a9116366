//! The drill of a full disk: a data directory on a small file system is filled up while tasks run and calls are acknowledged.
//!
//! What was acknowledged must be there afterwards and what was refused must not; the tasks must have run on as the same
//! processes, once, and all that they printed meanwhile must be in the log. Once the engine that met the full disk goes on by itself when
//! there is room again, once it is stopped while the disk is full and another takes its tasks over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use neargate_runtime::backends::embedded::{EmbeddedConfig, erase};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::client::CallError;
use crate::engine::{Engine, Settings, free_port};
use crate::lane::Images;
use crate::machine;
use crate::scenario::Scenario;

/// Waits for a signal; then says more than fits into what is left of a page, and ends.
const PROGRAM_OF_IMAGE: &str = r#"#!/bin/sh
shift
trap 'go=1' USR1
echo "start $*"
while [ -z "$go" ]; do sleep 0.05; done
i=0
while [ $i -lt 2000 ]; do i=$((i + 1)); echo "line $i of $*"; done
echo "end $*"
exit 7
"#;
const LINES: usize = 2000;
const TASKS: usize = 3;
/// Unpacking an image leaves 256 MiB free; what remains is little more than an engine needs.
const DISK: &std::ffi::CStr = c"size=384m";
/// The same, with what the file system needs for itself.
const EXT4_BYTES: u64 = 448 << 20;
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);

/// The kind of file system that is filled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FileSystem {
    Tmpfs,
    /// In a file, through a loop device.
    Ext4,
}

/// A file system of its own for the data directory.
struct Disk(PathBuf);

impl Disk {
    fn mounted(at: PathBuf, kind: FileSystem) -> Self {
        fs::create_dir_all(&at).unwrap();
        match kind {
            FileSystem::Tmpfs => mount("neargate-drill", &at, "tmpfs", MountFlags::empty(), DISK).unwrap(),
            FileSystem::Ext4 => {
                let image = at.with_extension("ext4");
                File::create(&image).unwrap().set_len(EXT4_BYTES).unwrap();
                run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image));
                run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at));
            }
        }
        Self(at)
    }

    fn filler(&self) -> PathBuf {
        self.0.join("segments").join("filler")
    }

    /// Takes all the room there is now.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// After a failed check something may be left.
struct Traces {
    instance: String,
    data_dir: PathBuf,
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Ok(config) = EmbeddedConfig::new(&self.instance, &self.data_dir) {
            let _ = erase(&config);
        }
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(PAUSE);
    }
}

fn call(engine: &Engine, service: &'static neargate_shape::ServiceShape, name: &str, input: Json) -> Json {
    engine.client.call(service, name, input).unwrap_or_else(|error| panic!("{error}"))
}

fn deploy(engine: &Engine) {
    let scenario = Scenario::Triggered;
    let input = json!({
        "StackName": scenario.stack(), "TemplateBody": scenario.template(), "Capabilities": ["CAPABILITY_IAM"],
    });
    let service = &neargate_api::cloudformation::SERVICE;
    call(engine, service, "CreateStack", input);
    wait_for("the stack", || {
        let stacks = call(engine, service, "DescribeStacks", json!({ "StackName": scenario.stack() }));
        let status = stacks["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned();
        assert!(!status.contains("ROLLBACK") && !status.contains("FAILED"), "{stacks}");
        (status == "CREATE_COMPLETE").then_some(())
    });
}

/// The stack's own thing of a type.
fn physical(engine: &Engine, kind: &str) -> String {
    let input = json!({ "StackName": Scenario::Triggered.stack() });
    let found = call(engine, &neargate_api::cloudformation::SERVICE, "DescribeStackResources", input);
    let resource = found["StackResources"].as_array().unwrap().iter().find(|it| it["ResourceType"] == kind);
    resource.unwrap()["PhysicalResourceId"].as_str().unwrap().to_owned()
}

/// Every task of the cluster as `DescribeTasks` shows it.
fn tasks(engine: &Engine, cluster: &str) -> Vec<Json> {
    let mut arns = vec![];
    for status in ["RUNNING", "STOPPED"] {
        let input = json!({ "cluster": cluster, "desiredStatus": status });
        let listed = call(engine, &neargate_api::ecs::SERVICE, "ListTasks", input);
        arns.extend(listed["taskArns"].as_array().unwrap().clone());
    }
    arns.sort_by_key(ToString::to_string);
    arns.dedup();
    if arns.is_empty() {
        return vec![];
    }
    let input = json!({ "cluster": cluster, "tasks": arns });
    call(engine, &neargate_api::ecs::SERVICE, "DescribeTasks", input)["tasks"].as_array().unwrap().clone()
}

/// Messages of the group, by stream.
fn messages(engine: &Engine, group: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut token = Json::Null;
    loop {
        let mut input = json!({ "logGroupName": group });
        if !token.is_null() {
            input["nextToken"] = token;
        }
        let page = call(engine, &neargate_api::logs::SERVICE, "FilterLogEvents", input);
        for event in page["events"].as_array().unwrap() {
            let stream = event["logStreamName"].as_str().unwrap().to_owned();
            found.entry(stream).or_default().push(event["message"].as_str().unwrap().to_owned());
        }
        token = page["nextToken"].clone();
        if token.is_null() {
            return found;
        }
    }
}

/// Puts parameters until one is refused, and fills the disk after the first few.
fn put_until_refused(engine: &Engine, disk: &Disk) -> (Vec<String>, String) {
    let mut acknowledged = vec![];
    for number in 0.. {
        if number >= 10 {
            disk.fill();
        }
        assert!(number < 5000, "nothing is refused on a full disk");
        let name = format!("p{number}");
        let input = json!({ "Name": name, "Value": "v".repeat(2000), "Type": "String" });
        match engine.client.call(&neargate_api::ssm::SERVICE, "PutParameter", input) {
            Ok(_) => acknowledged.push(name),
            Err(CallError::Fault(text)) => {
                assert!(text.contains("ServiceUnavailable") && text.contains("cannot be written"), "{text}");
                return (acknowledged, name);
            }
            Err(CallError::Dead) => panic!("the engine ended at a full disk"),
        }
    }
    unreachable!()
}

fn check_parameters(engine: &Engine, acknowledged: &[String], refused: &str) {
    for name in acknowledged {
        call(engine, &neargate_api::ssm::SERVICE, "GetParameter", json!({ "Name": name }));
    }
    let input = json!({ "Name": refused });
    let found = engine.client.call(&neargate_api::ssm::SERVICE, "GetParameter", input);
    assert!(matches!(&found, Err(CallError::Fault(text)) if text.contains("ParameterNotFound")), "{found:?}");
}

/// The containers' processes, as the engine knows them.
fn processes(engine: &Engine) -> Vec<u32> {
    let tasks = engine.client.control("tasks").unwrap();
    let containers = tasks.as_array().unwrap().iter().flat_map(|task| task["containers"].as_array().unwrap().clone());
    containers.map(|it| u32::try_from(it["pid"].as_u64().unwrap()).unwrap()).collect()
}

/// What the drill works on, once the tasks run.
struct Drill {
    folder: TempDir,
    disk: Disk,
    engine: Engine,
    port: u16,
    cluster: String,
    group: String,
    processes: Vec<u32>,
    _traces: Traces,
}

impl Drill {
    fn begun(kind: FileSystem) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        let disk = Disk::mounted(folder.path().join("data"), kind);
        Images::of(PROGRAM_OF_IMAGE).copy_to(&disk.0);
        let port = free_port();
        let engine = Engine::start(folder.path(), port, Settings::default()).expect("an engine that nobody kills");
        let traces = Traces { instance: engine.instance.clone(), data_dir: disk.0.clone() };
        deploy(&engine);
        let cluster = physical(&engine, "AWS::ECS::Cluster");
        let group = physical(&engine, "AWS::Logs::LogGroup");
        for number in 0..TASKS {
            let scenario = Scenario::Triggered;
            scenario.start(&engine.client, &Json::Null, &scenario.marker(number)).unwrap();
        }
        wait_for("the tasks to say something", || {
            let begun = tasks(&engine, &cluster);
            let stopped = begun.iter().find(|task| task["lastStatus"] == "STOPPED");
            assert!(stopped.is_none(), "{stopped:?}");
            (messages(&engine, &group).len() == TASKS).then_some(())
        });
        let processes = processes(&engine);
        assert!(processes.len() == TASKS && !processes.contains(&0), "{processes:?}");
        Self { folder, disk, engine, port, cluster, group, processes, _traces: traces }
    }

    /// Lets the containers say the rest and end; returns when they have, as far as the kernel knows.
    fn let_end(&self) {
        for process in &self.processes {
            // The container's command is a shell that runs the program.
            let programs = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
            let program = programs.split_whitespace().next().unwrap().parse().unwrap();
            kill_process(Pid::from_raw(program).unwrap(), Signal::USR1).unwrap();
        }
        wait_for("the containers to end", || {
            self.processes.iter().all(|process| !Path::new(&format!("/proc/{process}")).exists()).then_some(())
        });
    }

    /// Nobody has touched the tasks, and the engine says of them what it knew.
    fn check_untouched(&self) {
        assert_eq!(machine::left(&self.engine.instance).len(), TASKS, "a shim is gone");
        for task in tasks(&self.engine, &self.cluster) {
            assert_eq!(task["lastStatus"], "RUNNING", "{task}");
        }
        assert!(self.engine.client.control("status").unwrap()["not_written"].is_string());
        for (stream, messages) in messages(&self.engine, &self.group) {
            assert_eq!(messages.len(), 1, "{stream}: {messages:?}");
        }
    }

    /// Every task ran once, to its end, and all that it said is in the log once.
    fn check_ended(&self) {
        let ended = wait_for("the tasks to stop", || {
            let tasks = tasks(&self.engine, &self.cluster);
            assert_eq!(tasks.len(), TASKS, "{tasks:?}");
            tasks.iter().all(|task| task["lastStatus"] == "STOPPED").then_some(tasks)
        });
        let logged = messages(&self.engine, &self.group);
        assert_eq!(logged.len(), TASKS);
        for task in ended {
            assert_eq!(task["containers"][0]["exitCode"], 7, "{task}");
            assert_eq!(task["stopCode"], "EssentialContainerExited", "{task}");
            let marker = Scenario::Triggered.marker_of(&task);
            let id = task["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let own = logged.iter().find(|(stream, _)| stream.ends_with(&id)).unwrap().1;
            let lines = (1..=LINES).map(|number| format!("line {number} of {marker}"));
            let expected: Vec<String> =
                [format!("start {marker}")].into_iter().chain(lines).chain([format!("end {marker}")]).collect();
            assert_eq!(*own, expected, "log of task `{id}`");
        }
    }

    fn finish(mut self) {
        let ids: Vec<String> = tasks(&self.engine, &self.cluster)
            .iter()
            .map(|task| task["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect();
        assert!(self.engine.stop(self.port).is_ok());
        let mount = self.disk.0.display().to_string();
        let mut traces = machine::traces(&self.engine.instance, &self.disk.0, &ids);
        traces.retain(|trace| !(trace.starts_with("mount ") && trace.contains(&format!(" {mount} "))));
        assert!(traces.is_empty(), "left after `neargate down`: {traces:#?}");
    }
}

/// The engine goes on by itself when there is room again.
pub(crate) fn goes_on_by_itself(kind: FileSystem) {
    let drill = Drill::begun(kind);
    let (acknowledged, refused) = put_until_refused(&drill.engine, &drill.disk);
    check_parameters(&drill.engine, &acknowledged, &refused);
    drill.let_end();
    drill.check_untouched();
    drill.disk.free();
    wait_for("the engine to write again", || {
        drill.engine.client.control("status").unwrap()["not_written"].is_null().then_some(())
    });
    drill.check_ended();
    check_parameters(&drill.engine, &acknowledged, &refused);
    call(
        &drill.engine,
        &neargate_api::ssm::SERVICE,
        "PutParameter",
        json!({ "Name": refused, "Value": "v", "Type": "String" }),
    );
    drill.finish();
}

/// The engine is stopped while the disk is full; the next one takes the tasks over.
pub(crate) fn is_taken_over(kind: FileSystem) {
    let mut drill = Drill::begun(kind);
    let (acknowledged, refused) = put_until_refused(&drill.engine, &drill.disk);
    drill.check_untouched();
    let said = drill.engine.stop_failing(drill.port);
    assert!(said.contains("NG-E0104"), "{said}");
    assert_eq!(machine::left(&drill.engine.instance).len(), TASKS, "a shim is gone");
    drill.let_end();
    drill.disk.free();
    drill.engine = Engine::start(drill.folder.path(), drill.port, Settings::default()).expect("nobody kills it");
    drill.check_ended();
    check_parameters(&drill.engine, &acknowledged, &refused);
    drill.finish();
}
