//! What nuisances cost: requests that never end, and bodies too large to be taken in.
//!
//! Memory is the engine's own account of its peak since it was idle, beside what it had then. `NEARGATE_BASELINE` names another
//! binary that is measured the same way in the same run.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::start::Engine;

const HALF_OPEN: usize = 500;
const LARGE: usize = 40;
const LARGE_BYTES: usize = 32 << 20;
const CHUNK_BYTES: usize = 32 << 10;
/// Longer than an engine takes that is not stuck.
const PATIENCE: Duration = Duration::from_secs(120);
const CREATE_CLUSTER: &str = "AmazonEC2ContainerServiceV20141113.CreateCluster";

/// What was seen of one binary.
struct Seen {
    idle_mib: f64,
    peak_mib: f64,
    /// Answers to the large bodies.
    answered: usize,
    took: Duration,
}

/// Prints the table.
pub(super) fn run(neargate: &Path) -> Result<(), String> {
    crate::say(&format!(
        "\n{HALF_OPEN} requests that stop half-way and {LARGE} signed bodies of {} MiB at once, half of them in chunks (promise: at most 128 MiB above idle)",
        LARGE_BYTES >> 20
    ));
    say("neargate", &measure(neargate)?);
    match std::env::var_os("NEARGATE_BASELINE") {
        Some(baseline) => say("baseline", &measure(Path::new(&baseline))?),
        None => crate::say("  name another build with NEARGATE_BASELINE to have it measured beside this one"),
    }
    Ok(())
}

fn say(name: &str, seen: &Seen) {
    crate::say(&format!(
        "  {name:10} idle {:.1} MiB, at most {:.1} MiB above; {} of {LARGE} large ones answered in {:.1} s",
        seen.idle_mib,
        seen.peak_mib - seen.idle_mib,
        seen.answered,
        seen.took.as_secs_f64()
    ));
}

fn measure(neargate: &Path) -> Result<Seen, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let engine = Engine::spawn(neargate, folder.path())?;
    let outcome = observe(&engine);
    engine.stop();
    outcome
}

fn observe(engine: &Engine) -> Result<Seen, String> {
    let mut client = engine.client()?;
    client.call("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", &json!({}))?;
    let begin = format!("{{\"clusterName\":\"{}", " ".repeat(LARGE_BYTES));
    let large = client.json("ecs", CREATE_CLUSTER, &Json::String(begin));
    let unsized_large = in_chunks(&large);
    std::fs::write(format!("/proc/{}/clear_refs", engine.pid()), "5").map_err(|error| error.to_string())?;
    let idle_mib = engine.memory_mib("VmRSS").ok_or("the engine is gone")?;
    let held = half_open(engine, &large)?;
    let started = Instant::now();
    let answered = std::thread::scope(|scope| {
        let kinds = [&large, &unsized_large];
        let all = kinds.into_iter().cycle().take(LARGE);
        let threads: Vec<_> = all.map(|bytes| scope.spawn(move || is_answered(engine, bytes))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|is_answered| *is_answered).count()
    });
    let peak_mib = engine.memory_mib("VmHWM").ok_or("the engine is gone")?;
    let took = started.elapsed();
    drop(held);
    client.call("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", &json!({}))?;
    Ok(Seen { idle_mib, peak_mib, answered, took })
}

/// Requests that stop in the head, after it, and in the body.
fn half_open(engine: &Engine, large: &[u8]) -> Result<Vec<TcpStream>, String> {
    let long = format!("POST / HTTP/1.1\r\nhost: {}\r\nx-filler: {}", engine.address, "a".repeat(48 << 10));
    let starts = [&b"POST / HTTP/1.1\r\n"[..], long.as_bytes(), cut(large, 2000), cut(large, 1 << 19)];
    let one = |start: &&[u8]| {
        let mut stream = TcpStream::connect(engine.address)?;
        stream.set_nonblocking(true)?;
        // What the engine does not take in stays in the socket.
        let _ = stream.write(start);
        Ok(stream)
    };
    let held: std::io::Result<Vec<_>> = starts.iter().cycle().take(HALF_OPEN).map(one).collect();
    held.map_err(|error| error.to_string())
}

/// The same request in chunks: how large it is shows while it is read.
fn in_chunks(request: &[u8]) -> Vec<u8> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(request.len());
    let head = String::from_utf8_lossy(cut(request, end)).into_owned();
    let kept: Vec<&str> =
        head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length:")).collect();
    let mut bytes = format!("{}\r\ntransfer-encoding: chunked\r\n\r\n", kept.join("\r\n")).into_bytes();
    for chunk in request.get(end + 4..).unwrap_or_default().chunks(CHUNK_BYTES) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

fn cut(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

/// Whether something is said to a large body, be it that it is too large.
fn is_answered(engine: &Engine, large: &[u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect(engine.address) else { return false };
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.write_all(large);
    let mut start = [0; 12];
    stream.read_exact(&mut start).is_ok() && start.starts_with(b"HTTP/1.1 ")
}
