//! The fake backend under the suite, and what it promises beyond.

use neargate_testkit::needs::needs;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use neargate_base::Timestamp;
use neargate_runtime::backends::fake::{FakeBackend, FakePlan};
use neargate_runtime::{
    Backend, ContainerSpec, EventKind, GoneReason, RuntimeEvent, StartFailure, StartFailureKind, TaskId,
};

use crate::host::{Behaviour, Host};
use crate::suite::conformance;

conformance! { () FakeHost::new() }

struct FakeHost {
    backend: FakeBackend,
    events: Arc<Mutex<VecDeque<RuntimeEvent>>>,
    tasks: Cell<u32>,
    log: RefCell<Vec<String>>,
}

impl FakeHost {
    fn new() -> Self {
        let events = Arc::new(Mutex::new(VecDeque::new()));
        let queue = Arc::clone(&events);
        let backend = FakeBackend::new(Timestamp(1000), Arc::new(move |event| queue.lock().unwrap().push_back(event)));
        Self { backend, events, tasks: Cell::new(0), log: RefCell::new(Vec::new()) }
    }
}

impl Host for FakeHost {
    fn backend(&self) -> &dyn Backend {
        &self.backend
    }

    fn container(&self, name: &str, behaviour: Behaviour) -> ContainerSpec {
        let plan = match behaviour {
            Behaviour::Exits(lines, code) => lines.iter().fold(FakePlan::exits(code, 50), |p, line| p.says(1, line)),
            Behaviour::UntilStopped(code) => {
                let end = neargate_runtime::backends::fake::FakeEnd::WhenStopped { exit_code: code };
                FakePlan { end, ..FakePlan::until_stopped() }.says(1, "ready")
            }
            Behaviour::Deaf => FakePlan::until_stopped().ignores_stop().says(1, "ready"),
            Behaviour::Missing => FakePlan::fails(StartFailure::new(
                StartFailureKind::CommandNotFound,
                "exec: \"no-such-program\": executable file not found in $PATH",
            )),
        };
        self.backend.plan(name, plan);
        ContainerSpec::new(name, vec!["/layer".into()], vec![name.to_owned()])
    }

    fn next(&self) -> RuntimeEvent {
        loop {
            if let Some(event) = self.events.lock().unwrap().pop_front() {
                self.log.borrow_mut().push(format!("{} {:?}", self.backend.now().millis(), event.kind));
                return event;
            }
            let at = self.backend.next_at().expect("nothing more will happen");
            self.backend.advance_to(at);
        }
    }

    fn task_id(&self) -> TaskId {
        self.tasks.set(self.tasks.get() + 1);
        TaskId::parse(&format!("{:032x}", self.tasks.get())).unwrap()
    }
}

#[needs()]
fn the_same_orders_give_the_same_events_at_the_same_times() {
    let run = || {
        let host = FakeHost::new();
        let task = host.task(vec![
            host.container("a", Behaviour::Exits(&["one", "two"], 3)),
            host.container("b", Behaviour::UntilStopped(0)),
        ]);
        host.backend().start(&task).unwrap();
        host.wait_exit("a");
        host.backend().stop_container(&task.task_id, "b", 30).unwrap();
        host.remove(&task);
        host.log.take()
    };
    let log = run();
    assert_eq!(log, run());
    assert_eq!(log[0], "1000 NetworkReady");
    assert!(
        log.contains(
            &"1060 ContainerExited { name: \"a\", exit_code: 3, oom_killed: false, at: Timestamp(1060) }".to_owned()
        ),
        "{log:#?}"
    );
}

#[needs()]
fn a_lost_task_is_gone_without_exits() {
    let host = FakeHost::new();
    let task = host.task(vec![host.container("a", Behaviour::UntilStopped(0))]);
    host.backend().start(&task).unwrap();
    host.wait_started("a");
    host.backend.lose(&task.task_id);
    let reason = host.wait(|kind| match kind {
        EventKind::TaskGone { reason } => Some(reason.clone()),
        EventKind::ContainerExited { .. } => panic!("no exit is known"),
        _ => None,
    });
    assert!(matches!(reason, GoneReason::Lost(_)));
}
