//! From `PutEvents` to a container's first words, beside `runc run` of the same root file system with the capabilities and the filter
//! of system calls of container engines.
//!
//! t0 is taken before the bytes are sent (before `runc` is spawned), t1 is CLOCK_MONOTONIC as the container's static binary prints
//! it. Journal, awslogs and isolation are on; no pool is warmed. Pairs alternate, so that a drifting machine harms both alike.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use neargate_testkit::containers_common;

use super::client::Client;
use super::stack::{build_image, compile, deploy, wait_for};
use super::start::Engine;
use super::stats::Summary;

const PAIRS: usize = 30;

/// Prints the table.
pub(super) fn run(neargate: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let binary = compile(folder.path())?;
    let data_dir = folder.path().join("data");
    fs::create_dir_all(&data_dir).map_err(|error| error.to_string())?;
    let bundle = bundle(folder.path(), &binary)?;
    build_image(neargate, &data_dir, &binary)?;

    let engine = Engine::spawn(neargate, &data_dir)?;
    let mut client = engine.client()?;
    deploy(&mut client)?;
    let idle = engine.resident_mib().unwrap_or(f64::NAN);
    let (mut ours, mut theirs) = (vec![], vec![]);
    for pair in 0..=PAIRS {
        let own = through_the_engine(&mut client)?;
        let peer = through_runc(&bundle, pair)?;
        // The first pair warms caches on both sides and is not counted.
        if pair > 0 {
            ours.push(own);
            theirs.push(peer);
        }
    }
    engine.stop();
    let (ours, theirs) = (Summary::of(ours), Summary::of(theirs));
    crate::say("\nPutEvents to the container's first instruction, ms");
    crate::say(&format!("  neargate        {ours}"));
    crate::say(&format!("  runc run        {theirs}"));
    crate::say(&format!("  ratio of medians {:.2} (promise: at most 0.55)", ours.median / theirs.median));
    crate::say(&format!(
        "  runc with the filter of system calls of containers-common {}",
        containers_common::version()
    ));
    crate::say(&format!("\nidle memory with the stack up: {idle:.1} MiB resident (promise: at most 30)"));
    Ok(())
}

/// Milliseconds from before the bytes are sent to what the container printed.
fn through_the_engine(client: &mut Client) -> Result<f64, String> {
    let seen = lines(client)?.len();
    let entry = json!({ "Source": "bench", "DetailType": "bench", "Detail": "{}" });
    let request = client.json("events", "AWSEvents.PutEvents", &json!({ "Entries": [entry] }));
    let begin = monotonic_ns();
    client.send(&request)?;
    let line = wait_for("the container's line", || {
        let lines = lines(client)?;
        Ok(if lines.len() > seen { lines.last().cloned() } else { None })
    })?;
    wait_for("the task to stop", || {
        let list = client.call("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", &json!({}))?;
        let cluster = list.pointer("/clusterArns/0").and_then(Json::as_str).unwrap_or_default().to_owned();
        let tasks = client.call(
            "ecs",
            "AmazonEC2ContainerServiceV20141113.DescribeClusters",
            &json!({ "clusters": [cluster] }),
        )?;
        let count = |member: &str| tasks.pointer(&format!("/clusters/0/{member}")).and_then(Json::as_i64).unwrap_or(0);
        Ok((count("runningTasksCount") + count("pendingTasksCount") == 0).then_some(()))
    })?;
    Ok(milliseconds(begin, line.trim()))
}

fn lines(client: &mut Client) -> Result<Vec<String>, String> {
    let answer = client.call("logs", "Logs_20140328.FilterLogEvents", &json!({ "logGroupName": "bench" }))?;
    let events = answer.get("events").and_then(Json::as_array).cloned().unwrap_or_default();
    Ok(events.iter().filter_map(|event| event.get("message")?.as_str().map(str::to_owned)).collect())
}

fn through_runc(bundle: &Path, pair: usize) -> Result<f64, String> {
    let begin = monotonic_ns();
    let output = Command::new("runc")
        .args(["run", "--bundle"])
        .arg(bundle)
        .arg(format!("neargate-bench-{}-{pair}", std::process::id()))
        .output()
        .map_err(|error| format!("cannot run runc (Debian: apt-get install runc): {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("runc failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(milliseconds(begin, text.trim()))
}

/// A bundle with the same binary, limits and a network namespace of its own.
fn bundle(folder: &Path, binary: &Path) -> Result<std::path::PathBuf, String> {
    let bundle = folder.join("bundle");
    let rootfs = bundle.join("rootfs");
    for name in ["proc", "dev", "sys"] {
        fs::create_dir_all(rootfs.join(name)).map_err(|error| error.to_string())?;
    }
    fs::copy(binary, rootfs.join("clock")).map_err(|error| error.to_string())?;
    let spec = Command::new("runc").arg("spec").current_dir(&bundle).output();
    spec.map_err(|error| format!("cannot run runc (Debian: apt-get install runc): {error}"))?;
    let file = bundle.join("config.json");
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let mut config: Json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut set = |pointer: &str, member: &str, value: Json| {
        config.pointer_mut(pointer).and_then(Json::as_object_mut).map(|object| object.insert(member.to_owned(), value))
    };
    set("/process", "terminal", json!(false));
    set("/process", "args", json!(["/clock"]));
    let capabilities = containers_common::capabilities();
    set(
        "/process",
        "capabilities",
        json!({ "bounding": capabilities, "effective": capabilities, "permitted": capabilities }),
    );
    set("/process", "noNewPrivileges", json!(false));
    let seccomp = containers_common::seccomp(&capabilities)
        .ok_or_else(|| format!("`{}` is missing or not of the known form", containers_common::PROFILE))?;
    set("/linux", "seccomp", seccomp);
    set(
        "/linux",
        "resources",
        json!({
            "memory": { "limit": 2048u64 << 20 }, "cpu": { "quota": 100_000, "period": 100_000, "shares": 1024 },
        }),
    );
    fs::write(&file, config.to_string()).map_err(|error| error.to_string())?;
    Ok(bundle)
}

fn monotonic_ns() -> i128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

fn milliseconds(begin_ns: i128, end_ns: &str) -> f64 {
    end_ns.parse::<i128>().map_or(f64::NAN, |end| (end - begin_ns) as f64 / 1e6)
}
