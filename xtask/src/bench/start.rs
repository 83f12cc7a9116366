//! Start to the first answered signed `ListClusters`, empty and with 10,000 stored objects; memory when idle.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::Client;
use super::stats::Summary;

const RUNS: usize = 20;
const OBJECTS: usize = 10_000;

/// Prints both tables.
pub(super) fn run(neargate: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    crate::say("\nstart to the first answered signed ListClusters, ms (promise: at most 50)");
    crate::say(&format!("  empty           {}", measure(neargate, folder.path())?));
    fill(neargate, folder.path())?;
    crate::say(&format!("  10,000 objects  {}", measure(neargate, folder.path())?));
    Ok(())
}

fn measure(neargate: &Path, data_dir: &Path) -> Result<Summary, String> {
    let mut times = vec![];
    for _ in 0..RUNS {
        let begin = Instant::now();
        let engine = Engine::spawn(neargate, data_dir)?;
        let mut client = engine.client()?;
        client.call("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", &json!({}))?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
        engine.stop();
    }
    Ok(Summary::of(times))
}

fn fill(neargate: &Path, data_dir: &Path) -> Result<(), String> {
    let engine = Engine::spawn(neargate, data_dir)?;
    let mut client = engine.client()?;
    for number in 0..OBJECTS {
        let input =
            json!({ "Name": format!("/bench/{number:05}"), "Value": format!("value {number}"), "Type": "String" });
        client.call("ssm", "AmazonSSM.PutParameter", &input)?;
    }
    engine.stop();
    Ok(())
}

/// An engine of the bench's own.
#[derive(Debug)]
pub(super) struct Engine {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Engine {
    /// Starts one on a free port. With JSON it prints no container's lines: following a log and printing it is a client's work, which
    /// would be counted as the engine's.
    pub(super) fn spawn(neargate: &Path, data_dir: &Path) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?;
        let child = Command::new(neargate)
            .args(["up", "--format", "json", "--port", &free.port().to_string(), "--data-dir"])
            .arg(data_dir)
            .current_dir(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", neargate.display()))?;
        Ok(Self { child, address: free })
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first connection that is accepted.
    pub(super) fn client(&self) -> Result<Client, String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match Client::connect(self.address) {
                Ok(client) => return Ok(client),
                Err(error) if Instant::now() > deadline => return Err(format!("the engine does not answer: {error}")),
                Err(_) => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }

    /// Resident memory, MiB.
    pub(super) fn resident_mib(&self) -> Option<f64> {
        self.memory_mib("VmRSS")
    }

    /// A line of the process's own account of its memory, MiB.
    pub(super) fn memory_mib(&self, name: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
    }

    /// Stops it as a user would with Ctrl-C.
    pub(super) fn stop(mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
