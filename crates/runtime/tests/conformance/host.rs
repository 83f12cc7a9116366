//! What the suite needs of a backend: containers that behave as told, and the events in order.

use neargate_runtime::{
    Backend, ContainerSpec, EventKind, RuntimeEvent, SPEC_FORMAT, SpoolKey, TaskId, TaskNetwork, TaskSpec,
};

/// One for all tasks here, so that a process that plays the engine and the one that adopts its task agree.
pub(crate) fn spool_key() -> SpoolKey {
    SpoolKey::new([0x5a; 32])
}

/// What a container of the suite does.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Prints the lines, then exits with the code.
    Exits(&'static [&'static str], i32),
    /// Runs until the stop signal, then exits with the code.
    UntilStopped(i32),
    /// Ignores the stop signal.
    Deaf,
    /// Names a program that is not there.
    Missing,
}

/// A backend under test.
pub(crate) trait Host {
    fn backend(&self) -> &dyn Backend;
    /// A container that behaves so.
    fn container(&self, name: &str, behaviour: Behaviour) -> ContainerSpec;
    /// The next event, of any task.
    fn next(&self) -> RuntimeEvent;
    /// Another task id than before.
    fn task_id(&self) -> TaskId;

    /// A task of those containers, not started.
    fn task(&self, containers: Vec<ContainerSpec>) -> TaskSpec {
        let task_id = self.task_id();
        let host = 10 + u8::from_str_radix(&task_id.as_str()[30..], 16).unwrap();
        TaskSpec {
            format: SPEC_FORMAT,
            task_id,
            network: TaskNetwork {
                vpc_id: "vpc-test".to_owned(),
                vpc_cidr: "10.0.0.0/16".parse().unwrap(),
                eni_id: format!("eni-{host}"),
                private_ip: format!("10.0.1.{host}").parse().unwrap(),
                subnet_cidr: "10.0.1.0/24".parse().unwrap(),
                mac: format!("02:00:0a:00:01:{host:02x}"),
                hostname: format!("ip-10-0-1-{host}.eu-west-1.compute.internal"),
            },
            cpu_units: 256,
            memory_mib: 512,
            ephemeral_gib: 20,
            containers,
            spool_key: spool_key(),
            labels: Vec::new(),
        }
    }

    /// Waits for the first event that the function makes something of.
    fn wait<T>(&self, mut pick: impl FnMut(&EventKind) -> Option<T>) -> T
    where
        Self: Sized,
    {
        loop {
            if let Some(found) = pick(&self.next().kind) {
                return found;
            }
        }
    }

    /// Waits until the container runs; answers with its process id.
    fn wait_started(&self, container: &str) -> u32
    where
        Self: Sized,
    {
        self.wait(|kind| match kind {
            EventKind::ContainerStarted { name, pid, .. } if name == container => Some(*pid),
            EventKind::ContainerFailed { failure, .. } => panic!("did not start: {}", failure.reason()),
            _ => None,
        })
    }

    /// Waits for the container's exit code.
    fn wait_exit(&self, container: &str) -> i32
    where
        Self: Sized,
    {
        self.wait(|kind| match kind {
            EventKind::ContainerExited { name, exit_code, .. } if name == container => Some(*exit_code),
            EventKind::ContainerFailed { failure, .. } => panic!("did not start: {}", failure.reason()),
            _ => None,
        })
    }

    /// Removes a task and waits until it is gone.
    fn remove(&self, task: &TaskSpec)
    where
        Self: Sized,
    {
        self.backend().remove(&task.task_id).unwrap();
        self.wait(|kind| matches!(kind, EventKind::TaskGone { .. }).then_some(()));
    }

    /// Runs a task of one container to its end: its lines and its exit code.
    fn run(&self, container: ContainerSpec) -> (Vec<String>, i32)
    where
        Self: Sized,
    {
        self.run_task(&self.task(vec![container]))
    }

    /// The same for a task that was made already.
    fn run_task(&self, task: &TaskSpec) -> (Vec<String>, i32)
    where
        Self: Sized,
    {
        self.backend().start(task).unwrap();
        let mut text = Vec::new();
        let code = self.wait(|kind| match kind {
            EventKind::Output { lines, .. } => {
                text.extend(lines.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
                None
            }
            EventKind::ContainerExited { exit_code, .. } => Some(*exit_code),
            EventKind::ContainerFailed { failure, .. } => {
                text.push(failure.reason());
                Some(failure.exit_code())
            }
            _ => None,
        });
        self.remove(task);
        (text, code)
    }
}
