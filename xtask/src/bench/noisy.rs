//! One container that prints without end: what it costs the engine, and what everybody else notices of it.
//!
//! `ListClusters` is called at a steady pace for a while without the container and for as long as it prints; lines are counted by
//! what the log group has stored, against the processor time of engine and shim. `NEARGATE_BASELINE` names another binary that is
//! measured the same way in the same run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::client::Client;
use super::stack::{build_image, compile_source, deploy, wait_for};
use super::start::Engine;

/// How long the container prints, unless told otherwise.
pub(super) const SECONDS: u64 = 180;
/// How long the endpoint is called before that.
const QUIET: Duration = Duration::from_secs(10);
/// Between two calls.
const PACE: Duration = Duration::from_millis(20);
/// A line's text, and what CloudWatch Logs counts for it.
const LINE_BYTES: i64 = 80;
const STORED_BYTES: f64 = 80.0 + 26.0;

/// Prints lines as fast as they are taken.
const PROGRAM: &str = r#"
use std::io::Write;
fn main() {
    let line = [b"x".repeat(LINE).as_slice(), b"\n"].concat();
    let lines = line.repeat(100);
    let mut out = std::io::stdout().lock();
    while out.write_all(&lines).is_ok() {}
}
"#;

/// What was seen of one binary.
struct Seen {
    quiet_p99_ms: f64,
    noisy_p99_ms: f64,
    calls: usize,
    resident_mib: f64,
    lines: f64,
    cpu_s: f64,
}

impl Seen {
    fn lines_per_cpu_s(&self) -> f64 {
        self.lines / self.cpu_s
    }
}

/// Prints the table.
pub(super) fn run(neargate: &Path, seconds: u64) -> Result<(), String> {
    let print = Duration::from_secs(seconds);
    crate::say(&format!("\none container printing lines of {LINE_BYTES} bytes without end for {seconds} s"));
    let own = measure(neargate, print)?;
    say("neargate", &own);
    let Some(baseline) = std::env::var_os("NEARGATE_BASELINE") else {
        crate::say("  name another build with NEARGATE_BASELINE to have it measured beside this one");
        return Ok(());
    };
    let other = measure(Path::new(&baseline), print)?;
    say("baseline", &other);
    let ratio = own.lines_per_cpu_s() / other.lines_per_cpu_s();
    crate::say(&format!("  lines per CPU second, ratio to the baseline {ratio:.1} (promise: at least 5)"));
    Ok(())
}

fn say(name: &str, seen: &Seen) {
    let ratio = seen.noisy_p99_ms / seen.quiet_p99_ms;
    crate::say(&format!(
        "  {name:10} at most {:.1} MiB resident (promise: 64); {:.0} lines a CPU second of engine and shim ({:.0} lines, {:.1} s)",
        seen.resident_mib,
        seen.lines_per_cpu_s(),
        seen.lines,
        seen.cpu_s
    ));
    crate::say(&format!(
        "             ListClusters, 99 %: {:.2} ms quiet, {:.2} ms noisy ({} calls), ratio {ratio:.1} (promise: at most 5)",
        seen.quiet_p99_ms, seen.noisy_p99_ms, seen.calls
    ));
}

fn measure(neargate: &Path, print: Duration) -> Result<Seen, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let data_dir = folder.path().join("data");
    fs::create_dir_all(&data_dir).map_err(|error| error.to_string())?;
    let program = compile_source(folder.path(), &PROGRAM.replace("LINE", &LINE_BYTES.to_string()))?;
    build_image(neargate, &data_dir, &program)?;
    let engine = Engine::spawn(neargate, &data_dir)?;
    let outcome = observe(&engine, print);
    engine.stop();
    outcome
}

fn observe(engine: &Engine, print: Duration) -> Result<Seen, String> {
    let mut client = engine.client()?;
    deploy(&mut client)?;
    let (mut quiet, _) = call_for(engine, &mut client, QUIET)?;
    let entry = json!({ "Source": "bench", "DetailType": "bench", "Detail": "{}" });
    client.call("events", "AWSEvents.PutEvents", &json!({ "Entries": [entry] }))?;
    wait_for("the container's first lines", || Ok((stored(&mut client)? > 0.0).then_some(())))?;
    let (stored_before, cpu_before) = (stored(&mut client)?, cpu_s(engine)?);
    let (mut noisy, resident_mib) = call_for(engine, &mut client, print)?;
    let (stored_after, cpu_after) = (stored(&mut client)?, cpu_s(engine)?);
    stop_tasks(&mut client)?;
    Ok(Seen {
        quiet_p99_ms: p99(&mut quiet),
        noisy_p99_ms: p99(&mut noisy),
        calls: noisy.len(),
        resident_mib,
        lines: (stored_after - stored_before) / STORED_BYTES,
        cpu_s: cpu_after - cpu_before,
    })
}

/// Calls at a steady pace; how long each call took, in ms, and the most memory that was seen.
fn call_for(engine: &Engine, client: &mut Client, time: Duration) -> Result<(Vec<f64>, f64), String> {
    let end = Instant::now() + time;
    let (mut took, mut resident_mib) = (vec![], 0.0_f64);
    while Instant::now() < end {
        let begin = Instant::now();
        client.call("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", &json!({}))?;
        took.push(begin.elapsed().as_secs_f64() * 1000.0);
        resident_mib = resident_mib.max(engine.resident_mib().unwrap_or(0.0));
        std::thread::sleep(PACE.saturating_sub(begin.elapsed()));
    }
    Ok((took, resident_mib))
}

fn p99(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(f64::NAN)
}

/// Bytes in the log group, as AWS counts them.
fn stored(client: &mut Client) -> Result<f64, String> {
    let groups = client.call("logs", "Logs_20140328.DescribeLogGroups", &json!({}))?;
    Ok(groups.pointer("/logGroups/0/storedBytes").and_then(Json::as_f64).unwrap_or(0.0))
}

fn stop_tasks(client: &mut Client) -> Result<(), String> {
    let target = |name: &str| format!("AmazonEC2ContainerServiceV20141113.{name}");
    let clusters = client.call("ecs", &target("ListClusters"), &json!({}))?;
    let cluster = clusters.pointer("/clusterArns/0").cloned().unwrap_or_default();
    let tasks = client.call("ecs", &target("ListTasks"), &json!({ "cluster": cluster }))?;
    for task in tasks.get("taskArns").and_then(Json::as_array).into_iter().flatten() {
        client.call("ecs", &target("StopTask"), &json!({ "cluster": cluster, "task": task }))?;
    }
    Ok(())
}

/// Processor time of the engine and of its shims, without that of the containers.
fn cpu_s(engine: &Engine) -> Result<f64, String> {
    let mut total = 0.0;
    for entry in fs::read_dir("/proc").map_err(|error| error.to_string())?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        if pid == engine.pid() || number(1) == f64::from(engine.pid()) {
            // The kernel counts in hundredths of a second for programs.
            total += (number(11) + number(12)) / 100.0;
        }
    }
    Ok(total)
}
