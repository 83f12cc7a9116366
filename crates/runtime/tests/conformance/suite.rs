//! What every backend does.

use neargate_runtime::{
    Adopted, ContainerState, EventKind, ExecSpec, ResumePoints, RuntimeError, StartFailureKind, TaskId, TaskSpec,
};

use crate::host::{Behaviour, Host};

pub(crate) fn output_comes_before_the_exit_and_the_exit_code_is_true(host: &impl Host) {
    let (lines, code) = host.run(host.container("main", Behaviour::Exits(&["one", "two"], 7)));
    assert_eq!((lines, code), (vec!["one".to_owned(), "two".to_owned()], 7));
}

pub(crate) fn a_missing_program_is_a_failure_to_start(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Missing)]);
    host.backend().start(&task).unwrap();
    let failure = host.wait(|kind| match kind {
        EventKind::ContainerFailed { failure, .. } => Some(failure.clone()),
        EventKind::ContainerStarted { .. } => panic!("it started"),
        _ => None,
    });
    assert_eq!(failure.kind, StartFailureKind::CommandNotFound);
    assert_eq!(failure.message, "exec: \"no-such-program\": executable file not found in $PATH");
    host.remove(&task);
}

pub(crate) fn a_stop_signal_lets_the_container_choose_its_exit_code(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::UntilStopped(3))]);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    assert_eq!(host.wait_exit("main"), 3);
    host.remove(&task);
}

pub(crate) fn a_deaf_container_is_killed_after_the_timeout(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Deaf)]);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    host.backend().stop_container(&task.task_id, "main", 1).unwrap();
    assert_eq!(host.wait_exit("main"), 137);
    host.remove(&task);
}

pub(crate) fn a_container_is_killed_at_once(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Deaf)]);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    host.backend().kill(&task.task_id, "main").unwrap();
    assert_eq!(host.wait_exit("main"), 137);
    host.remove(&task);
}

pub(crate) fn a_container_can_wait_for_an_order(host: &impl Host) {
    let first = host.container("first", Behaviour::Exits(&[], 0));
    let mut second = host.container("second", Behaviour::Exits(&[], 5));
    second.start_on_launch = false;
    let task = host.task(vec![first, second]);
    host.backend().start(&task).unwrap();
    let mut second_seen = false;
    host.wait(|kind| match kind {
        EventKind::ContainerStarted { name, .. } if name == "second" => {
            second_seen = true;
            None
        }
        EventKind::ContainerExited { name, .. } if name == "first" => Some(()),
        _ => None,
    });
    assert!(!second_seen);
    host.backend().start_container(&task.task_id, "second").unwrap();
    assert_eq!(host.wait_exit("second"), 5);
    host.remove(&task);
}

pub(crate) fn a_container_stopped_before_its_start_never_starts(host: &impl Host) {
    let mut late = host.container("late", Behaviour::UntilStopped(0));
    late.start_on_launch = false;
    let task = host.task(vec![host.container("main", Behaviour::UntilStopped(0)), late]);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    host.backend().stop_container(&task.task_id, "late", 30).unwrap();
    let kind = host.wait(|kind| match kind {
        EventKind::ContainerFailed { name, failure, .. } => {
            assert_eq!(name, "late");
            Some(failure.kind)
        }
        _ => None,
    });
    assert_eq!(kind, StartFailureKind::Cancelled);
    host.remove(&task);
}

pub(crate) fn a_container_can_be_started_again(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Exits(&["again"], 4))]);
    host.backend().start(&task).unwrap();
    assert_eq!(host.wait_exit("main"), 4);
    host.backend().start_container(&task.task_id, "main").unwrap();
    host.wait_started("main");
    assert_eq!(host.wait_exit("main"), 4);
    host.remove(&task);
}

pub(crate) fn orders_given_twice_do_nothing_more(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::UntilStopped(0))]);
    host.backend().start(&task).unwrap();
    host.backend().start(&task).unwrap();
    wait_ready(host);
    host.backend().start_container(&task.task_id, "main").unwrap();
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    let mut started_again = false;
    host.wait(|kind| match kind {
        EventKind::ContainerStarted { .. } => {
            started_again = true;
            None
        }
        EventKind::ContainerExited { .. } => Some(()),
        _ => None,
    });
    assert!(!started_again);
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    host.backend().remove(&task.task_id).unwrap();
    host.wait(|kind| match kind {
        EventKind::ContainerExited { .. } => panic!("an end was reported twice"),
        EventKind::TaskGone { .. } => Some(()),
        _ => None,
    });
}

pub(crate) fn removing_ends_what_runs_and_an_unknown_task_is_gone_too(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Deaf)]);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    host.remove(&task);
    host.remove(&task);
    let unknown = host.backend().kill(&task.task_id, "main");
    assert!(matches!(unknown, Err(RuntimeError::UnknownTask(_))), "{unknown:?}");
}

pub(crate) fn what_is_not_there_is_named(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::UntilStopped(0))]);
    host.backend().start(&task).unwrap();
    let error = host.backend().start_container(&task.task_id, "other").unwrap_err();
    assert_eq!(error.to_string(), "the task has no container `other`");
    let nobody = TaskId::parse(&"f".repeat(32)).unwrap();
    let error = host.backend().stop_container(&nobody, "main", 1).unwrap_err();
    assert_eq!(error.to_string(), "no task `ffffffffffffffffffffffffffffffff` in this runtime");
    host.remove(&task);
}

pub(crate) fn a_command_runs_in_a_container(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::UntilStopped(0))]);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    let exec = ExecSpec { exec_id: "check-1".to_owned(), argv: vec!["true".to_owned()], timeout_s: 60 };
    host.backend().exec(&task.task_id, "main", &exec).unwrap();
    let (id, code) = host.wait(|kind| match kind {
        EventKind::ExecExited { exec_id, exit_code } => Some((exec_id.clone(), *exit_code)),
        _ => None,
    });
    assert_eq!((id.as_str(), code), ("check-1", 0));
    host.remove(&task);
}

pub(crate) fn one_container_may_fail_while_another_runs(host: &impl Host) {
    let containers = vec![host.container("good", Behaviour::Exits(&[], 0)), host.container("bad", Behaviour::Missing)];
    let task = host.task(containers);
    host.backend().start(&task).unwrap();
    let mut seen = Vec::new();
    host.wait(|kind| {
        match kind {
            EventKind::ContainerExited { name, exit_code, .. } => seen.push(format!("{name} exited {exit_code}")),
            EventKind::ContainerFailed { name, .. } => seen.push(format!("{name} failed")),
            _ => {}
        }
        (seen.len() == 2).then_some(())
    });
    seen.sort();
    assert_eq!(seen, ["bad failed", "good exited 0"]);
    host.remove(&task);
}

pub(crate) fn a_sweep_takes_what_nobody_claims(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Deaf)]);
    assert_eq!(host.backend().adopt(&task, &ResumePoints::new()).unwrap(), Adopted::NeverStarted);
    host.backend().start(&task).unwrap();
    wait_ready(host);
    let kept = host.backend().sweep(&[task.task_id.clone()].into()).unwrap();
    assert!(!kept.tasks.contains(&task.task_id.to_string()));
    let Adopted::Running(states) = host.backend().adopt(&task, &ResumePoints::new()).unwrap() else {
        panic!("it runs")
    };
    assert!(matches!(states["main"], ContainerState::Running { .. }), "{states:?}");
    host.backend().kill(&task.task_id, "main").unwrap();
    assert_eq!(host.wait_exit("main"), 137);
    let swept = host.backend().sweep(&std::collections::BTreeSet::new()).unwrap();
    assert!(swept.tasks.contains(&task.task_id.to_string()), "{swept:?}");
    assert_eq!(host.backend().adopt(&task, &ResumePoints::new()).unwrap(), Adopted::NeverStarted);
}

pub(crate) fn a_specification_from_a_file_cannot_be_started(host: &impl Host) {
    let task = host.task(vec![host.container("main", Behaviour::Deaf)]);
    let read: TaskSpec = serde_json::from_str(&serde_json::to_string(&task).unwrap()).unwrap();
    assert_eq!(host.backend().start(&read).unwrap_err().to_string(), "the task's spool key was not given");
    assert_eq!(host.backend().adopt(&task, &ResumePoints::new()).unwrap(), Adopted::NeverStarted);
}

/// Waits until a container has set its signal handling up, which it says by its first line.
fn wait_ready(host: &impl Host) {
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
}

/// One test per scenario, for a host made by the expression: `conformance! { (what it needs) host }`.
macro_rules! conformance {
    ($needs:tt $host:expr) => {
        conformance! { $needs $host;
            output_comes_before_the_exit_and_the_exit_code_is_true,
            a_missing_program_is_a_failure_to_start,
            a_stop_signal_lets_the_container_choose_its_exit_code,
            a_deaf_container_is_killed_after_the_timeout,
            a_container_is_killed_at_once,
            a_container_can_wait_for_an_order,
            a_container_stopped_before_its_start_never_starts,
            a_container_can_be_started_again,
            orders_given_twice_do_nothing_more,
            removing_ends_what_runs_and_an_unknown_task_is_gone_too,
            what_is_not_there_is_named,
            a_command_runs_in_a_container,
            one_container_may_fail_while_another_runs,
            a_sweep_takes_what_nobody_claims,
            a_specification_from_a_file_cannot_be_started,
        }
    };
    ($needs:tt $host:expr; $($name:ident,)*) => {
        $(
            #[neargate_testkit::needs::needs $needs]
            fn $name() {
                crate::suite::$name(&$host);
            }
        )*
    };
}
pub(crate) use conformance;
