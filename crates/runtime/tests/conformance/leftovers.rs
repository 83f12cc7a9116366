//! What killed engines leave under `/run` goes with the next engine, of whatever instance.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use neargate_runtime::backends::embedded::{EmbeddedBackend, EmbeddedConfig};
use neargate_runtime::{Backend, EventKind};
use neargate_testkit::needs::needs;
use rustix::process::{Signal, kill_process};

use crate::crash::{pid, wait_dead};
use crate::embedded::EmbeddedHost;
use crate::host::Host;

/// An engine of an instance beside others, as under `/run`.
fn engine(base: &Path, instance: &str) -> EmbeddedBackend {
    let config = EmbeddedConfig {
        instance: instance.to_owned(),
        run_dir: run_dir(base, instance),
        data_dir: base.join("data").join(instance),
        spool_bytes_max: 256 * 1024,
        shim_program: std::env::current_exe().unwrap(),
        runtime: None,
    };
    EmbeddedBackend::open(config, Arc::new(|_| {})).unwrap()
}

fn run_dir(base: &Path, instance: &str) -> PathBuf {
    base.join("neargate").join(instance)
}

#[needs(containers)]
fn an_engine_that_lives_keeps_its_place_and_one_that_is_gone_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    let own = format!("left-{}", std::process::id());
    let name = |suffix: &str| format!("{own}-{suffix}");
    let (living, killed, next) = (name("a"), name("b"), name("c"));
    let a = engine(base, &living);
    drop(engine(base, &killed));
    // Of an engine that held nothing, and no engine's at all.
    let older = run_dir(base, &name("d"));
    std::fs::create_dir_all(older.join("tasks")).unwrap();
    std::fs::write(run_dir(base, "notes.txt"), "kept").unwrap();
    assert!(run_dir(base, &killed).exists());
    let c = engine(base, &next);
    assert!(run_dir(base, &living).exists() && run_dir(base, &next).exists());
    assert!(!run_dir(base, &killed).exists(), "it is swept");
    assert!(base.join("data").join(&killed).exists(), "its data stay");
    assert!(older.exists() && run_dir(base, "notes.txt").exists());
    // It comes back as after a restart of the machine.
    let again = engine(base, &killed);
    for backend in [again, a, c] {
        backend.purge().unwrap();
    }
}

#[needs(containers)]
fn an_instance_whose_tasks_run_is_kept_until_they_have_ended() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    let instance = format!("left-{}-t", std::process::id());
    let mut host = EmbeddedHost::below(base, &instance);
    let task = host.task(vec![host.script("main", "echo up; exec sleep 1000")]);
    host.backend().start(&task).unwrap();
    let process = host.wait_started("main");
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    host.stop_engine();
    let other = engine(base, &format!("{instance}-o"));
    assert!(run_dir(base, &instance).join("tasks").join(task.task_id.as_str()).exists(), "its task runs");
    let shim = shim_of(base, &instance, task.task_id.as_str());
    kill_process(pid(shim), Signal::KILL).unwrap();
    while std::fs::read_to_string(format!("/proc/{shim}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    wait_dead(process);
    let third = engine(base, &format!("{instance}-p"));
    assert!(!run_dir(base, &instance).exists());
    assert!(host.config.data_dir.join("tasks").join(task.task_id.as_str()).exists(), "its files are its own engine's");
    for backend in [other, third] {
        backend.purge().unwrap();
    }
    host.restart_engine();
    let adopted = host.backend().adopt(&task, &std::collections::BTreeMap::new()).unwrap();
    assert!(matches!(adopted, neargate_runtime::Adopted::Gone(_)), "{adopted:?}");
}

fn shim_of(base: &Path, instance: &str, task: &str) -> u32 {
    let record = std::fs::read(run_dir(base, instance).join("tasks").join(task).join("shim.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    u32::try_from(record["pid"].as_u64().unwrap()).unwrap()
}
