//! The backend `oci` under the very tests of the embedded one, with the `runc` of this machine.

use std::path::Path;
use std::process::Command;

use neargate_runtime::{Adopted, BackendKind, BindMount, ContainerState, EventKind, ExecSpec, ResumePoints, Tmpfs};
use neargate_testkit::needs::needs;

use crate::embedded::{BACKEND, EmbeddedHost, kind};
use crate::host::{Behaviour, Host};
use crate::isolation::outcome;

/// Runs tests of this binary, by a part of their name, with containers that an OCI runtime makes.
fn with_oci(tests: &str) {
    if std::env::var_os(BACKEND).is_some() {
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([tests, "--test-threads=2"])
        .env(BACKEND, "oci")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("test result: ok.") && !text.contains(" 0 passed"), "{text}");
    assert!(!text.contains("ignored\n"), "with {:?}: {text}", kind());
}

#[needs(containers, runc)]
fn what_every_backend_does() {
    with_oci("embedded::");
}

#[needs(containers, runc)]
fn what_a_container_finds_inside_and_what_its_limits_do() {
    with_oci("containers::");
}

#[needs(containers, runc)]
fn paths_lead_nowhere_outside_on_both_versions_of_control_groups() {
    with_oci("isolation::");
}

#[needs(containers, runc)]
fn a_container_is_as_under_runc_alone_or_it_is_said_why_not() {
    with_oci("beside::");
}

#[needs(containers, runc)]
fn storage_is_as_large_as_it_was_asked_for() {
    with_oci("storage::");
}

#[needs(containers, runc, python)]
fn tasks_reach_each_other_and_nothing_else() {
    with_oci("networks::");
}

#[needs(containers, runc)]
fn a_disk_that_is_full() {
    with_oci("full_disk::");
}

#[needs(containers, runc)]
fn what_is_killed_leaves_nothing_or_goes_on() {
    with_oci("crash::");
}

#[needs(containers, runc)]
fn secrets_and_output_are_in_no_file() {
    with_oci("secrecy::");
}

#[needs(containers, runc)]
fn a_task_goes_on_under_an_engine_with_the_other_backend() {
    for (first, second) in [(BackendKind::Embedded, BackendKind::Oci), (BackendKind::Oci, BackendKind::Embedded)] {
        let mut host = EmbeddedHost::of(first);
        let task = host.task(vec![host.container("main", Behaviour::UntilStopped(5))]);
        host.backend().start(&task).unwrap();
        let started = host.wait_started("main");
        host.config = host.config.clone().with(second);
        host.restart_engine();
        assert_eq!(host.backend().name(), second.name());
        let Adopted::Running(states) = host.backend().adopt(&task, &ResumePoints::new()).unwrap() else {
            panic!("gone")
        };
        assert!(matches!(states["main"], ContainerState::Running { pid, .. } if pid == started), "{states:?}");
        let argv = ["sh", "-c", "exit 4"].map(str::to_owned).to_vec();
        host.backend().exec(&task.task_id, "main", &ExecSpec { exec_id: "a".to_owned(), argv, timeout_s: 9 }).unwrap();
        let code = host.wait(|kind| match kind {
            EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
            _ => None,
        });
        assert_eq!(code, 4);
        host.backend().stop_container(&task.task_id, "main", 30).unwrap();
        assert_eq!(host.wait_exit("main"), 5);
        host.remove(&task);
    }
}

#[needs(containers, runc)]
fn what_a_runtime_is_told_is_seen_by_nobody_and_gone() {
    let host = EmbeddedHost::of(BackendKind::Oci);
    let mut container = host.container("main", Behaviour::UntilStopped(0));
    container.secrets.push(("TOKEN".to_owned(), "a secret of some length".to_owned().into()));
    let task = host.task(vec![container]);
    host.backend().start(&task).unwrap();
    let started = host.wait_started("main");
    let bundle = host.config.data_dir.join("tasks").join(task.task_id.as_str()).join("c/0/bundle");
    assert_eq!(std::fs::read_dir(&bundle).unwrap().count(), 0, "mounted among the host's mounts");
    // The keeper is the container's parent; what it sees there is seen through it.
    let status = std::fs::read_to_string(format!("/proc/{started}/status")).unwrap();
    let keeper = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap();
    let seen = Path::new("/proc").join(keeper).join("root").join(bundle.strip_prefix("/").unwrap());
    let mut names: Vec<_> = std::fs::read_dir(&seen).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["log", "network", "pid", "state"]);
    let state = std::fs::read_to_string(seen.join("state/container/state.json")).unwrap();
    assert!(state.contains("rootfs") && !state.contains("a secret of some length"), "{state}");
    host.remove(&task);
}

#[needs(containers, runc)]
fn a_runtime_that_fails_is_quoted_and_nothing_is_left() {
    let mut host = EmbeddedHost::of(BackendKind::Oci);
    host.config.runtime = Some("/bin/false".into());
    host.restart_engine();
    let task = host.task(vec![host.container("main", Behaviour::Deaf)]);
    host.backend().start(&task).unwrap();
    let failure = host.wait(|kind| match kind {
        EventKind::ContainerFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert_eq!(failure.message, "false ended with exit code 1 and without a word");
    host.remove(&task);
}

#[needs(containers, runc)]
fn the_devices_are_the_runtimes_and_beside_them_is_room() {
    let host = EmbeddedHost::of(BackendKind::Oci);
    let source = host.config.data_dir.join("volume");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("null"), "mine").unwrap();
    let at = |path: &str, script: &str| {
        let mut container = host.script("main", script);
        container.mounts.push(BindMount { source: source.clone(), container_path: path.to_owned(), read_only: false });
        outcome(&host, container)
    };
    for (path, reason) in [
        ("/dev", "it is /dev, with an OCI runtime, which makes the devices there"),
        ("/dev/null", "it is in the place of /dev/null, with an OCI runtime, which makes that"),
        ("/dev/shm/../fd/x", "it is in the place of /dev/fd, with an OCI runtime, which makes that"),
    ] {
        let expected = format!("error mounting: \"{path}\" cannot be mounted because {reason}: unknown (128)");
        assert_eq!(at(path, "echo started"), expected);
    }
    let own = "test -c /dev/null && test /dev/null -ef /proc/self/fd/0 && ";
    for path in ["/dev/shm", "/dev/mine", "/dev/shm/below"] {
        assert_eq!(at(path, &format!("{own}cat {path}/null")), "mine (0)");
    }
}

#[needs(containers, runc)]
fn the_data_directory_may_lie_behind_a_link() {
    let mut host = EmbeddedHost::of(BackendKind::Oci);
    let link = host.config.data_dir.with_file_name("link");
    std::os::unix::fs::symlink(".", &link).unwrap();
    host.config.data_dir = link.join("data");
    host.restart_engine();
    let mut container = host.script("main", "trap 'exit 3' TERM; pwd; while :; do sleep 0.1; done");
    container.working_dir = "/srv".to_owned();
    let task = host.task(vec![container]);
    host.backend().start(&task).unwrap();
    host.wait_started("main");
    let argv = ["sh", "-c", "test $(pwd) = /srv && exit 4"].map(str::to_owned).to_vec();
    host.backend().exec(&task.task_id, "main", &ExecSpec { exec_id: "a".to_owned(), argv, timeout_s: 9 }).unwrap();
    let code = host.wait(|kind| match kind {
        EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!(code, 4);
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    assert_eq!(host.wait_exit("main"), 3);
    host.remove(&task);
    host.config.data_dir = link.with_file_name("data");
}

#[needs(containers, runc)]
fn a_memory_file_system_in_dev_takes_the_options_that_others_take() {
    let host = EmbeddedHost::of(BackendKind::Oci);
    let with = |path: &str, options: &[&str]| {
        let script = format!("grep ' {path} ' /proc/self/mountinfo | cut -d ' ' -f 6; stat -c %a {path}");
        let mut container = host.script("main", &script);
        let options = options.iter().map(|&option| option.to_owned()).collect();
        container.tmpfs.push(Tmpfs { container_path: path.to_owned(), size_mib: 1, options });
        host.run(container)
    };
    for path in ["/dev/mine", "/mine"] {
        let (lines, code) = with(path, &["dev", "exec", "bind", "tmpcopyup", "remount", "mode=710"]);
        assert_eq!((lines, code), (vec!["rw,nosuid,nodev,relatime".to_owned(), "710".to_owned()], 0), "{path}");
        let (lines, code) = with(path, &["idmap=x"]);
        let refusal = format!("error mounting: mounting tmpfs at `{path}`: invalid argument: unknown");
        assert!(lines.last().is_some_and(|line| line.ends_with(&refusal)) && code == 128, "{lines:?}");
    }
}
