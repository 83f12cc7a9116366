//! An engine as a process of its own, to be killed.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_neargate");
const SIGKILL: i32 = 9;
const START_PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

/// The engine was killed, as planned.
#[derive(Debug)]
pub(crate) struct Killed;

/// How an engine is started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    /// The point at which it kills itself; 0 counts the points.
    pub(crate) crash_at: Option<u64>,
    /// How many commands a commit may hold.
    pub(crate) batch: Option<u64>,
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct Engine {
    child: Child,
    pub(crate) pid: u32,
    pub(crate) client: Client,
    pub(crate) instance: String,
    log: PathBuf,
}

/// A port below those that the kernel gives to clients, so that it is still free after a kill.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 10_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Engine {
    /// Starts an engine and waits until it answers.
    pub(crate) fn start(folder: &Path, port: u16, settings: Settings) -> Result<Self, Killed> {
        let log = folder.join("engine.log");
        let written = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["up", "--port", &port.to_string(), "--data-dir"]).arg(folder.join("data"));
        command.current_dir(folder.join("empty")).stdin(Stdio::null());
        // The root key goes with the run.
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.stdout(written.try_clone().unwrap()).stderr(written);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION"] {
            command.env_remove(name);
        }
        let numbers = [("NEARGATE_CRASH_AT", settings.crash_at), ("NEARGATE_CRASH_BATCH", settings.batch)];
        for (name, number) in numbers {
            match number {
                Some(number) => command.env(name, number.to_string()),
                None => command.env_remove(name),
            };
        }
        let child = command.spawn().unwrap();
        let (pid, client) = (child.id(), Client::on_port(port));
        let mut engine = Self { child, pid, client, instance: String::new(), log };
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Some(status) = engine.child.try_wait().unwrap() {
                return Err(engine.killed(status));
            }
            if let Ok(status) = engine.client.control("status") {
                assert_eq!(status["pid"], pid, "another engine answers on port {port}");
                engine.instance = status["instance"].as_str().unwrap().to_owned();
                return Ok(engine);
            }
            assert!(Instant::now() < deadline, "the engine does not answer:\n{}", engine.log());
            std::thread::sleep(PAUSE);
        }
    }

    /// How many points the engine has passed.
    pub(crate) fn points(&self) -> Option<u64> {
        self.client.control("status").ok()?["crash_points"].as_u64()
    }

    /// Kills it from outside.
    pub(crate) fn kill(&mut self) -> Killed {
        self.child.kill().unwrap();
        self.wait_killed()
    }

    /// Takes note of its end, which must be the planned one.
    pub(crate) fn wait_killed(&mut self) -> Killed {
        let status = self.wait();
        self.killed(status)
    }

    /// Ends it with `neargate down`.
    pub(crate) fn stop(&mut self, port: u16) -> Result<(), Killed> {
        let output = Command::new(PROGRAM).args(["down", "--port", &port.to_string()]).output().unwrap();
        let status = self.wait();
        if status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "`neargate down`: {}: {text}", output.status);
            return Ok(());
        }
        Err(self.killed(status))
    }

    /// Ends it with `neargate down` where it has something to complain of; answers what it said.
    pub(crate) fn stop_failing(&mut self, port: u16) -> String {
        let output = Command::new(PROGRAM).args(["down", "--port", &port.to_string()]).output().unwrap();
        let status = self.wait();
        assert!(!status.success(), "the engine ended as if all were well");
        format!("{}{}", self.log(), String::from_utf8_lossy(&output.stderr))
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the engine does not end:\n{}", self.log());
            std::thread::sleep(PAUSE);
        }
    }

    fn killed(&self, status: ExitStatus) -> Killed {
        assert_eq!(status.signal(), Some(SIGKILL), "the engine ended by itself: {status}\n{}", self.log());
        Killed
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // After a failed check; an engine that has ended stays as it is.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
