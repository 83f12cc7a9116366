//! What is killed, and what is found afterwards.

use neargate_testkit::needs::needs;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use neargate_runtime::{Adopted, ContainerState, EventKind, GoneReason, ResumePoints, TaskSpec};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::embedded::EmbeddedHost;
use crate::host::{Behaviour, Host, spool_key};

/// Set in the processes that play the engine; holds the instance's name.
const ENGINE: &str = "NEARGATE_TEST_ENGINE";

fn adopt(host: &EmbeddedHost, task: &TaskSpec, resume: &ResumePoints) -> Adopted {
    host.backend().adopt(task, resume).unwrap()
}

pub(crate) fn pid(raw: u32) -> Pid {
    Pid::from_raw(i32::try_from(raw).unwrap()).unwrap()
}

pub(crate) fn wait_dead(raw: u32) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while test_kill_process(pid(raw)).is_ok() {
        assert!(Instant::now() < deadline, "process {raw} still lives");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Everything of the instance that the kernel or a disk still holds.
fn traces(host: &EmbeddedHost) -> Vec<String> {
    let instance = &host.config.instance;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let run = host.config.run_dir.display().to_string();
    let mut found: Vec<String> = mounts
        .lines()
        .filter(|l| l.contains(instance))
        .filter(|l| l.split(' ').nth(4) != Some(&run))
        .map(str::to_owned)
        .collect();
    for dir in [host.config.run_dir.join("tasks"), host.config.data_dir.join("tasks")] {
        found.extend(children(&dir));
    }
    found.extend(crate::storage::backed_by(&host.config.data_dir.join("tasks")));
    let roots = children(Path::new("/sys/fs/cgroup")).into_iter().chain(["/sys/fs/cgroup".to_owned()]);
    for root in roots {
        found.extend(
            children(&Path::new(&root).join("neargate").join(instance)).into_iter().filter(|p| Path::new(p).is_dir()),
        );
    }
    found.extend(children(Path::new("/sys/class/net")).into_iter().filter(|p| p.contains("/ng")));
    found
}

fn children(dir: &Path) -> Vec<String> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path().display().to_string()).collect()
}

#[needs(containers)]
fn a_new_engine_adopts_a_running_task_with_its_process_and_later_exit() {
    let mut host = EmbeddedHost::new();
    let script = "trap 'echo last; exit 42' TERM; echo one; echo two; while :; do sleep 1000 & wait; done";
    let task = host.task(vec![host.script("main", script)]);
    host.backend().start(&task).unwrap();
    let started = host.wait_started("main");
    let offset = host.wait(|kind| match kind {
        EventKind::Output { lines, next_offset, .. } => {
            lines.iter().any(|line| line.bytes == b"two").then_some(*next_offset)
        }
        _ => None,
    });
    host.restart_engine();
    let Adopted::Running(states) = adopt(&host, &task, &[("main".to_owned(), offset)].into()) else { panic!("gone") };
    assert!(matches!(states["main"], ContainerState::Running { pid, .. } if pid == started), "{states:?}");
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    let mut lines = Vec::new();
    let code = host.wait(|kind| match kind {
        EventKind::Output { lines: new, .. } => {
            lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            None
        }
        EventKind::ContainerExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!((lines, code), (vec!["last".to_owned()], 42));
    host.remove(&task);
    assert_eq!(traces(&host), Vec::<String>::new());
}

#[needs(containers)]
fn what_ended_while_no_engine_ran_is_told_to_the_next() {
    let mut host = EmbeddedHost::new();
    let task = host.task(vec![host.script("main", "echo said; exit 17")]);
    host.backend().start(&task).unwrap();
    let started = host.wait_started("main");
    host.restart_engine();
    wait_dead(started);
    // The process is dead before its exit is written down: the adopting engine is told either way.
    assert!(matches!(adopt(&host, &task, &ResumePoints::new()), Adopted::Running(_)));
    let mut said = false;
    let code = host.wait(|kind| match kind {
        EventKind::Output { lines, .. } => {
            said = lines.iter().any(|line| line.bytes == b"said");
            None
        }
        EventKind::ContainerExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert!(said);
    assert_eq!(code, 17);
    host.remove(&task);
}

pub(crate) fn shim_pid(host: &EmbeddedHost, task: &TaskSpec) -> u32 {
    let path = host.config.run_dir.join("tasks").join(task.task_id.as_str()).join("shim.json");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    u32::try_from(record["pid"].as_u64().unwrap()).unwrap()
}

pub(crate) fn kill_shim(host: &EmbeddedHost, task: &TaskSpec) {
    kill_process(pid(shim_pid(host, task)), Signal::KILL).unwrap();
}

#[needs(containers)]
fn a_killed_shim_takes_its_containers_along_and_nothing_is_left() {
    let host = EmbeddedHost::new();
    let mut with_init = host.container("with-init", Behaviour::Deaf);
    with_init.init = true;
    let ended = host.script("ended", "exit 8");
    let task = host.task(vec![host.container("main", Behaviour::Deaf), with_init, ended]);
    host.backend().start(&task).unwrap();
    let (mut pids, mut ended) = (Vec::new(), false);
    host.wait(|kind| {
        match kind {
            EventKind::ContainerStarted { name, pid, .. } if name != "ended" => pids.push(*pid),
            EventKind::ContainerExited { .. } => ended = true,
            _ => {}
        }
        (pids.len() == 2 && ended).then_some(())
    });
    kill_process(pid(shim_pid(&host, &task)), Signal::KILL).unwrap();
    let reason = host.wait(|kind| match kind {
        EventKind::TaskGone { reason } => Some(reason.clone()),
        EventKind::ContainerExited { name, .. } => panic!("an exit of `{name}` that nobody knows"),
        _ => None,
    });
    assert_eq!(reason, GoneReason::Lost("the task's shim was killed".to_owned()));
    pids.into_iter().for_each(wait_dead);
    assert_eq!(traces(&host), Vec::<String>::new());
}

#[needs(containers)]
fn a_shim_killed_while_no_engine_ran_is_found_out() {
    lost_while_no_engine_ran(false);
}

#[needs(containers)]
fn a_restarted_machine_remembers_what_had_ended() {
    lost_while_no_engine_ran(true);
}

/// A restart takes the run directory along; the disk stays.
fn lost_while_no_engine_ran(restarted: bool) {
    let mut host = EmbeddedHost::new();
    let task = host.task(vec![host.container("main", Behaviour::Deaf), host.script("ended", "exit 8")]);
    host.backend().start(&task).unwrap();
    let (mut started, mut ended) = (None, false);
    host.wait(|kind| {
        match kind {
            EventKind::ContainerStarted { name, pid, .. } if name == "main" => started = Some(*pid),
            EventKind::ContainerExited { .. } => ended = true,
            _ => {}
        }
        (started.is_some() && ended).then_some(())
    });
    let shim = shim_pid(&host, &task);
    host.restart_engine();
    kill_process(pid(shim), Signal::KILL).unwrap();
    wait_dead(started.unwrap());
    if restarted {
        std::fs::remove_dir_all(host.config.run_dir.join("tasks").join(task.task_id.as_str())).unwrap();
    }
    let states = adopt_dead(&host, &task);
    assert_eq!(states["main"], ContainerState::Lost);
    assert!(matches!(states["ended"], ContainerState::Exited { exit_code: 8, .. }), "{states:?}");
    host.wait(|kind| matches!(kind, EventKind::TaskGone { .. }).then_some(()));
    assert_eq!(traces(&host), Vec::<String>::new());
}

/// The lock goes with the last of the shim, a moment after its children were told.
pub(crate) fn adopt_dead(host: &EmbeddedHost, task: &TaskSpec) -> BTreeMap<String, ContainerState> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match host.backend().adopt(task, &ResumePoints::new()) {
            Ok(Adopted::Gone(states)) => return states,
            other => assert!(Instant::now() < deadline, "{other:?}"),
        }
    }
}

#[needs(containers)]
fn a_shim_killed_at_any_moment_leaves_nothing() {
    let host = EmbeddedHost::new();
    for delay_us in [0, 1000, 2000, 3000, 5000, 8000, 12_000, 20_000, 40_000] {
        let task = host.task(vec![host.container("a", Behaviour::Deaf), host.container("b", Behaviour::Deaf)]);
        host.backend().start(&task).unwrap();
        std::thread::sleep(Duration::from_micros(delay_us));
        let record = host.config.run_dir.join("tasks").join(task.task_id.as_str()).join("shim.json");
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::fs::read(&record).map_or(0, |text| text.len()) == 0 {
            assert!(Instant::now() < deadline, "no shim");
        }
        kill_process(pid(shim_pid(&host, &task)), Signal::KILL).unwrap();
        let mut pids = Vec::new();
        let reason = host.wait(|kind| match kind {
            EventKind::ContainerStarted { pid, .. } => {
                pids.push(*pid);
                None
            }
            EventKind::TaskGone { reason } => Some(reason.clone()),
            _ => None,
        });
        assert!(matches!(reason, GoneReason::Lost(_)), "{reason:?}");
        pids.into_iter().for_each(wait_dead);
        assert_eq!(traces(&host), Vec::<String>::new(), "after {delay_us} µs");
    }
}

/// Plays the engine where the variable says so: starts a task, says so, and waits to be killed.
fn play_engine() {
    let Ok(instance) = std::env::var(ENGINE) else { return };
    let host = EmbeddedHost::open(&instance);
    let task = host.task(vec![host.container("main", Behaviour::UntilStopped(5))]);
    println!("\nTASK {}", serde_json::to_string(&task).unwrap());
    host.backend().start(&task).unwrap();
    std::thread::sleep(Duration::from_secs(60));
    host.keep();
    std::process::exit(1);
}

/// A process that plays the engine, and the task that it is about to start.
fn engine(instance: &str, crash_at: Option<u32>) -> (Child, TaskSpec) {
    let mut engine = Command::new(std::env::current_exe().unwrap());
    let test = "crash::an_engine_killed_at_any_moment_leaves_a_task_to_adopt_or_to_start";
    engine.args(["--exact", test, "--nocapture"]).env(ENGINE, instance).stdout(Stdio::piped());
    if let Some(point) = crash_at {
        engine.env("NEARGATE_CRASH_AT", point.to_string());
    }
    let mut engine = engine.spawn().unwrap();
    let mut lines = BufReader::new(engine.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut task: TaskSpec =
        lines.find_map(|line| serde_json::from_str(line.strip_prefix("TASK ")?).ok()).expect("no task");
    task.spool_key = spool_key();
    (engine, task)
}

/// The task of an engine that was killed runs, or can be started, and ends as it should. Whether it was running.
fn goes_on(instance: &str, task: &TaskSpec) -> bool {
    let host = EmbeddedHost::open(instance);
    let adopted = match adopt(&host, task, &ResumePoints::new()) {
        Adopted::Running(_) => true,
        Adopted::NeverStarted => {
            host.backend().start(task).unwrap();
            false
        }
        Adopted::Gone(states) => panic!("lost: {states:?}"),
    };
    host.wait(|kind| match kind {
        EventKind::ContainerFailed { failure, .. } => panic!("did not start: {}", failure.reason()),
        EventKind::Output { .. } => Some(()),
        _ => None,
    });
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    assert_eq!(host.wait_exit("main"), 5);
    host.remove(task);
    assert_eq!(traces(&host), Vec::<String>::new());
    adopted
}

#[needs(containers)]
fn an_engine_killed_at_any_moment_leaves_a_task_to_adopt_or_to_start() {
    play_engine();
    let mut adopted = 0;
    let early = [0, 500, 1000, 2000, 4000, 8000, 16_000, 50_000];
    // Until one was late enough, however busy the machine is.
    let late = (0..6_u32).map(|doubled| 200_000_u64 << doubled);
    for (round, delay_us) in early.into_iter().chain(late).enumerate() {
        if round >= early.len() && adopted > 0 {
            break;
        }
        let instance = format!("crash-{}-{round}", std::process::id());
        let (mut engine, task) = engine(&instance, None);
        std::thread::sleep(Duration::from_micros(delay_us));
        engine.kill().unwrap();
        engine.wait().unwrap();
        adopted += u32::from(goes_on(&instance, &task));
    }
    assert!(adopted > 0, "no round came late enough to adopt");
}

#[needs(containers)]
fn an_engine_killed_at_each_step_of_a_start_leaves_a_task_to_adopt_or_to_start() {
    // Four points while the intent is written, then: the shim runs, it was told half, it was told all.
    let adopted = [1, 2, 3, 4, 5, 6, 7].map(|point| {
        let instance = format!("step-{}-{point}", std::process::id());
        let (mut engine, task) = engine(&instance, Some(point));
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&engine.wait().unwrap()), Some(9));
        goes_on(&instance, &task)
    });
    assert_eq!(adopted, [false, false, false, false, false, false, true]);
}

#[needs(containers)]
fn a_sweep_ends_tasks_that_a_former_engine_left() {
    let mut host = EmbeddedHost::new();
    let kept = host.task(vec![host.container("main", Behaviour::Deaf)]);
    let left = host.task(vec![host.container("main", Behaviour::Deaf)]);
    let mut pids = Vec::new();
    for task in [&kept, &left] {
        host.backend().start(task).unwrap();
        pids.push(host.wait_started("main"));
    }
    host.restart_engine();
    let swept = host.backend().sweep(&BTreeSet::from([kept.task_id.clone()])).unwrap();
    assert_eq!(swept.tasks, [left.task_id.to_string()]);
    assert!(swept.networks.is_empty());
    wait_dead(pids[1]);
    assert!(test_kill_process(pid(pids[0])).is_ok());
    let swept = host.backend().sweep(&BTreeSet::new()).unwrap();
    assert_eq!((swept.tasks, swept.networks), (vec![kept.task_id.to_string()], vec!["vpc-test".to_owned()]));
    assert_eq!(traces(&host), Vec::<String>::new());
}

#[needs(containers)]
fn after_tasks_are_removed_everything_is_as_before() {
    if std::env::var_os(ENGINE).is_none() {
        // Alone in a process, so that descriptors can be counted.
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::after_tasks_are_removed_everything_is_as_before"])
            .env(ENGINE, "baseline")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let host = EmbeddedHost::new();
    // Storage that is ready comes and goes by itself; its mounts have no path but `/`.
    let of_storage = |link: &Path| {
        let text = link.to_string_lossy();
        text == "/" || text.starts_with("/dev/loop") || text.contains(".ext4") || text.contains("fscontext")
    };
    let is_counted = |path: &String| std::fs::read_link(path).is_ok_and(|link| !of_storage(&link));
    let descriptors = || children(Path::new("/proc/self/fd")).into_iter().filter(is_counted).count();
    let interfaces = || children(Path::new("/sys/class/net"));
    // Until some is ready, `mkfs` runs.
    let ready = host.config.data_dir.join("storage/ready");
    while children(&ready).len() < 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let before = (traces(&host), descriptors(), interfaces());
    let tasks: Vec<TaskSpec> = (0..3)
        .map(|_| {
            host.task(vec![host.container("a", Behaviour::Exits(&["x"], 0)), host.container("b", Behaviour::Deaf)])
        })
        .collect();
    for task in &tasks {
        host.backend().start(task).unwrap();
        assert_eq!(host.wait_exit("a"), 0);
    }
    for task in &tasks {
        host.remove(task);
    }
    assert_eq!((traces(&host), descriptors(), interfaces()), before);
}
