//! The embedded backend under the suite.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use neargate_runtime::backends::embedded::{EmbeddedBackend, EmbeddedConfig, probe_machine};
use neargate_runtime::{Backend, BackendKind, BindMount, ContainerSpec, EventKind, EventSink, RuntimeEvent, TaskId};

use crate::host::{Behaviour, Host};
use crate::suite::conformance;

conformance! { (containers) EmbeddedHost::new() }

/// Set in a run of these tests with the other backend; holds its name.
pub(crate) const BACKEND: &str = "NEARGATE_TEST_BACKEND";

/// The backend that is tested.
pub(crate) fn kind() -> BackendKind {
    let name = std::env::var(BACKEND).unwrap_or_default();
    BackendKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or_default()
}

/// Whether it is an OCI runtime that makes the containers.
pub(crate) fn is_oci() -> bool {
    kind() == BackendKind::Oci
}

/// An instance of its own, removed at the end.
pub(crate) struct EmbeddedHost {
    backend: Option<EmbeddedBackend>,
    events: mpsc::Receiver<RuntimeEvent>,
    pub(crate) config: EmbeddedConfig,
    layer: PathBuf,
    purge: bool,
}

static INSTANCES: AtomicU32 = AtomicU32::new(0);
static TASKS: AtomicU32 = AtomicU32::new(0);

impl EmbeddedHost {
    /// A fresh instance.
    pub(crate) fn new() -> Self {
        Self::of(kind())
    }

    /// A fresh instance with that backend.
    pub(crate) fn of(kind: BackendKind) -> Self {
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let instance = format!("test-{}-{number}", std::process::id());
        Self::open_with(&instance, kind)
    }

    /// The instance of that name.
    pub(crate) fn open(instance: &str) -> Self {
        Self::open_with(instance, kind())
    }

    fn open_with(instance: &str, kind: BackendKind) -> Self {
        let base = std::env::temp_dir().join(format!("neargate-{instance}"));
        let run_dir = base.join("run");
        Self::open_at(&base, instance, run_dir, kind)
    }

    /// An instance whose place beside others is as under `/run`.
    pub(crate) fn below(base: &Path, instance: &str) -> Self {
        let run_dir = base.join("neargate").join(instance);
        Self::open_at(&base.join(format!("of-{instance}")), instance, run_dir, BackendKind::Embedded)
    }

    fn open_at(base: &Path, instance: &str, run_dir: PathBuf, kind: BackendKind) -> Self {
        let config = EmbeddedConfig {
            instance: instance.to_owned(),
            run_dir,
            data_dir: base.join("data"),
            spool_bytes_max: 256 * 1024,
            shim_program: std::env::current_exe().unwrap(),
            runtime: None,
        }
        .with(kind);
        let layer = base.join("layer");
        make_layer(&layer);
        let (sink, events) = channel();
        let backend = EmbeddedBackend::open(config.clone(), sink).unwrap();
        Self { backend: Some(backend), events, config, layer, purge: true }
    }

    /// As if the engine had died: the connections end, nothing is cleaned up.
    pub(crate) fn stop_engine(&mut self) {
        drop(self.backend.take());
    }

    /// As if the engine had died; then a new engine on the same instance.
    pub(crate) fn restart_engine(&mut self) {
        self.stop_engine();
        let (sink, events) = channel();
        self.events = events;
        self.backend = Some(EmbeddedBackend::open(self.config.clone(), sink).unwrap());
    }

    /// A container that runs a script in the host's programs.
    pub(crate) fn script(&self, name: &str, script: &str) -> ContainerSpec {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        self.program(name, argv)
    }

    pub(crate) fn program(&self, name: &str, argv: Vec<String>) -> ContainerSpec {
        let mut spec = ContainerSpec::new(name, vec![self.layer.clone()], argv);
        spec.mounts.push(BindMount { source: "/usr".into(), container_path: "/usr".to_owned(), read_only: true });
        spec
    }

    /// Leaves the instance's things where they are.
    pub(crate) fn keep(mut self) {
        self.purge = false;
    }
}

impl Drop for EmbeddedHost {
    fn drop(&mut self) {
        if let Some(backend) = self.backend.take()
            && self.purge
        {
            backend.purge().unwrap();
            let _ = std::fs::remove_dir_all(self.config.data_dir.parent().unwrap());
        }
    }
}

fn channel() -> (EventSink, mpsc::Receiver<RuntimeEvent>) {
    let (sender, events) = mpsc::channel();
    let sender = Mutex::new(sender);
    let sink = Arc::new(move |event| {
        let _ = sender.lock().unwrap().send(event);
    });
    (sink, events)
}

/// The programs are the host's, mounted; the layer gives the paths to them and a user.
fn make_layer(layer: &Path) {
    std::fs::create_dir_all(layer.join("etc")).unwrap();
    for dir in ["bin", "sbin", "lib", "lib64"] {
        let link = layer.join(dir);
        if std::fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink(format!("usr/{dir}"), link).unwrap();
        }
    }
    std::fs::write(layer.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/srv:/bin/sh\n").unwrap();
    std::fs::write(layer.join("etc/group"), "root:x:0:\nstaff:x:50:web\n").unwrap();
}

/// Why this machine cannot run containers.
pub(crate) fn missing_containers() -> Option<String> {
    let dir = std::env::temp_dir().join(format!("neargate-probe-{}", std::process::id()));
    let mut config = EmbeddedConfig::new("probe", &dir).unwrap().with(kind());
    config.shim_program = std::env::current_exe().unwrap();
    let missing: Vec<String> = probe_machine(&config)
        .into_iter()
        .filter(|capability| capability.required && !capability.ok)
        .map(|capability| format!("{}: {} ({})", capability.name, capability.detail, capability.hint))
        .collect();
    let _ = std::fs::remove_dir_all(dir);
    (!missing.is_empty()).then(|| missing.join("; "))
}

impl Host for EmbeddedHost {
    fn backend(&self) -> &dyn Backend {
        self.backend.as_ref().unwrap()
    }

    fn container(&self, name: &str, behaviour: Behaviour) -> ContainerSpec {
        match behaviour {
            Behaviour::Exits(lines, code) => {
                let script: String = lines.iter().map(|line| format!("echo {line}; ")).collect();
                self.script(name, &format!("{script} exit {code}"))
            }
            Behaviour::UntilStopped(code) => {
                self.script(name, &format!("trap 'exit {code}' TERM; echo ready; while :; do sleep 1000 & wait; done"))
            }
            Behaviour::Deaf => self.script(name, "trap '' TERM; echo ready; while :; do sleep 1000; done"),
            Behaviour::Missing => self.program(name, vec!["no-such-program".to_owned()]),
        }
    }

    fn next(&self) -> RuntimeEvent {
        let event = self.events.recv_timeout(Duration::from_secs(120)).expect("no event for two minutes");
        if let EventKind::Output { name, next_offset, .. } = &event.kind {
            self.backend().release_output(&event.task_id, name, *next_offset);
        }
        event
    }

    fn task_id(&self) -> TaskId {
        let number = TASKS.fetch_add(1, Ordering::Relaxed);
        TaskId::parse(&format!("{:024x}{:08x}", std::process::id(), number % 200)).unwrap()
    }
}
