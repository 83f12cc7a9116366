//! The engine: one process with an AWS endpoint in front, the deterministic core in the middle and containers behind.
//!
//! ```text
//! HTTP edge ──▶ writer (core + journal, one thread) ──▶ drivers ──▶ containers
//!    ▲   who, what   │ replies, once durable               │ news
//!    └───────────────┴──────────────◀──────────────────────┘
//! ```
//!
//! Invariant: the edge only identifies, verifies, decodes and encodes; what an operation means is in its service.

mod compose;
mod disk;
mod drivers;
mod http;
mod notices;
mod purge;
mod wall;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use neargate_base::{Code, Diagnostic, Timestamp};
use neargate_kernel::{Command, Core, Notice, NoticeKind};
use neargate_runtime::backends::embedded::{EmbeddedBackend, EmbeddedConfig};
use neargate_runtime::images::ImageStores;
use neargate_runtime::{Backend, BackendKind, TaskId};

pub use disk::claim::claim;
pub use disk::require_free;
pub use http::{EndpointConfig, EndpointKey, KEY_FILE};
pub use notices::{NoticeBoard, Numbered};
pub use purge::{Purged, purge};
pub use wall::now;

use disk::DataDirectory;
use drivers::{Shared, TaskDriver};
use writer::{Driver, Parts, Writer};

/// What an engine needs to know to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it keeps everything.
    pub data_dir: PathBuf,
    /// Where the endpoint listens; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Image stores that are read beside the data directory's own.
    pub image_stores: Vec<PathBuf>,
    /// Service time at the start; `None` goes on as it was, at first with the machine's clock.
    pub clock: Option<Timestamp>,
    /// Who may call the endpoint.
    pub endpoint: EndpointConfig,
    /// What makes the containers of tasks that are started from now on; those that run keep theirs.
    pub backend: BackendKind,
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    address: SocketAddr,
    key: Option<EndpointKey>,
    writer: Writer,
    notices: Arc<NoticeBoard>,
    writer_thread: Option<JoinHandle<Result<(), String>>>,
    tasks: Arc<Shared>,
    http: http::Server,
    // Held for the engine's life: no other engine may use the directory.
    _data_dir: DataDirectory,
}

impl Engine {
    /// Starts an engine. The endpoint answers when this returns.
    pub fn start(config: &Config) -> Result<Self, Diagnostic> {
        let guard = config.endpoint.guard()?;
        let listener = http::listen(config.listen)?;
        let data_dir = DataDirectory::open(&config.data_dir)?;
        let keys = http::RootKeys::of(&config.endpoint, &config.data_dir)?;
        let key = keys.generated().cloned();
        let mut journal = data_dir.journal()?;
        let unreadable = |error: String| {
            Diagnostic::error(Code("NG-E0103"), format!("cannot read the engine's state: {error}"))
                .at(config.data_dir.join("state.sqlite").display().to_string())
                .hint(format!(
                    "nothing was changed; keep a copy, or start afresh with `neargate down --purge --data-dir {}` or another \
                     `--data-dir`",
                    config.data_dir.display()
                ))
        };
        let rows = neargate_kernel::Journal::load(&mut journal).map_err(|error| unreadable(error.to_string()))?;
        let segments = Box::new(data_dir.segments());
        let core =
            Core::open(compose::registry(), rows, segments, fastrand::u64(..)).map_err(|error| unreadable(error.0))?;
        let core = core
            .with_vault(disk::root_key::vault(journal.instance(), &config.data_dir))
            .map_err(|error| no_root_key(&error.0, &config.data_dir))?;
        let shapes: Vec<_> = core.registry().services().map(|service| service.shape).collect();
        let images = ImageStores::open(&config.data_dir.join("images"), &config.image_stores)?;

        let writer = Writer::new(&core);
        let shared = Shared::new(images, writer.clone(), config.backend);
        let tasks = TaskDriver::start(&shared).map_err(|error| no_thread(&error))?;
        open_backend(journal.instance(), config, &core, &shared).map_err(|error| no_thread(&error))?;
        let notices = Arc::new(NoticeBoard::default());
        for gone in disk::root_key::sweep(wall::now()) {
            notices.pin(key_kept(&gone));
        }
        let board = Arc::clone(&notices);
        let drivers = BTreeMap::from([(neargate_ecs::order::DRIVER, Box::new(tasks) as Box<dyn Driver>)]);
        let instance = journal.instance().to_owned();
        let parts =
            Parts { core, journal: Box::new(journal), drivers, notices: Box::new(move |notice| board.pin(notice)) };
        let (stop_sender, stop_receiver) = tokio::sync::mpsc::channel(1);
        let writer_thread = writer::start(parts, &writer).map_err(|error| no_thread(&error))?;
        if let Some(to) = config.clock {
            writer.order(Command::SetClock { to });
            writer.order(neargate_events::after_clock_was_set());
        }
        let edge = http::Edge::new(http::EdgeParts {
            services: shapes,
            writer: writer.clone(),
            notices: Arc::clone(&notices),
            instance,
            data_dir: config.data_dir.clone(),
            tasks: Arc::clone(&shared),
            stop: stop_sender,
            guard,
            keys,
        });
        let http = http::Server::start(listener, edge, stop_receiver).map_err(|error| no_thread(&error))?;
        data_dir.note_port(http.address().port());
        Ok(Self {
            address: http.address(),
            key,
            writer,
            notices,
            writer_thread: Some(writer_thread),
            tasks: shared,
            http,
            _data_dir: data_dir,
        })
    }

    /// Where the endpoint listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key of the endpoint's root, where it was generated.
    pub fn key(&self) -> Option<&EndpointKey> {
        self.key.as_ref()
    }

    /// What the user should hear.
    pub fn notices(&self) -> &Arc<NoticeBoard> {
        &self.notices
    }

    /// Ends [`Self::wait`], as a client's request to stop does.
    pub fn ask_to_stop(&self) {
        self.http.ask_to_stop();
    }

    /// Waits until a client asks the engine to stop or the process is told to (SIGINT, SIGTERM).
    pub fn wait(&self) {
        self.http.wait_for_stop();
    }

    /// Stops every task, waits for them up to `patience`, and ends. Stacks and other state stay. Where the state cannot be
    /// written the tasks run on: that they were to stop could not be kept.
    pub fn stop(mut self, patience: Duration) -> Result<(), Diagnostic> {
        let snapshot = self.writer.snapshot();
        http::stop_all_tasks(&self.writer);
        let deadline = std::time::Instant::now() + patience;
        let left = || snapshot.failure().is_some() || snapshot.look(neargate_kernel::Store::unfinished_effects) > 0;
        while left() && snapshot.failure().is_none() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        // What would not stop is left running: the next engine on the directory adopts it.
        if !left() {
            self.tasks.close();
        }
        self.writer.stop();
        match self.writer_thread.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => Err(not_written(&error)),
            _ => Ok(()),
        }
    }
}

fn no_root_key(error: &str, data_dir: &std::path::Path) -> Diagnostic {
    let dir = data_dir.display();
    Diagnostic::error(Code("NG-E0108"), error).hint(format!(
        "put the file back with mode 0600, or start afresh with `neargate down --purge --data-dir {dir}` or another `--data-dir`"
    ))
}

/// What the user hears of a data directory that was deleted past us.
fn key_kept(data_dir: &std::path::Path) -> Notice {
    let dir = data_dir.display().to_string();
    let text = "the data directory is gone; its root key is kept for seven days more, in case it comes back".to_owned();
    let hint = Some(format!("remove the key now with `neargate down --purge --data-dir {dir}`"));
    Notice { kind: NoticeKind::Progress, subject: dir, text, hint }
}

/// The state could not be written to the end, a full disk for one.
fn not_written(reason: &str) -> Diagnostic {
    Diagnostic::error(Code("NG-E0104"), format!("the engine's state was not written: {reason}")).hint(
        "nothing that was acknowledged is lost and tasks run on: make room and start it again, which takes them over",
    )
}

fn no_thread(error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(Code("NG-E0105"), format!("cannot start a thread: {error}"))
}

/// Opens the container backend beside the start of the endpoint: orders wait for it, requests do not.
fn open_backend(instance: &str, config: &Config, core: &Core, shared: &Arc<Shared>) -> std::io::Result<()> {
    let living: BTreeSet<TaskId> =
        neargate_ecs::living_tasks(core.store()).into_iter().filter_map(|id| TaskId::parse(&id).ok()).collect();
    let (instance, data_dir, shared) = (instance.to_owned(), config.data_dir.clone(), Arc::clone(shared));
    let kind = config.backend;
    std::thread::Builder::new().name("backend".to_owned()).spawn(move || {
        let backend = EmbeddedConfig::new(&instance, &data_dir)
            .and_then(|config| EmbeddedBackend::open(config.with(kind), shared.sink()))
            .and_then(|backend| backend.sweep(&living).map(|_| Arc::new(backend) as Arc<dyn Backend>));
        shared.open(backend.map_err(|error| error.to_string()));
    })?;
    Ok(())
}
