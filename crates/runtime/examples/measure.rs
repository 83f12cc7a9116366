//! How long a task takes from order to first instruction, and from exit to gone.
//!
//! `measure <rounds> <layer directory> <program> [arguments]`; must run as root. The program is run alone in a task; the
//! times are medians over the rounds, in milliseconds.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use neargate_runtime::backends::embedded::{EmbeddedBackend, EmbeddedConfig};
use neargate_runtime::{Backend, ContainerSpec, EventKind, RuntimeEvent, SPEC_FORMAT, TaskId, TaskNetwork, TaskSpec};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    if let Some(code) = neargate_runtime::shim_entry() {
        std::process::exit(code);
    }
    let mut args = std::env::args().skip(1);
    let rounds: usize =
        args.next().ok_or("usage: measure <rounds> <layer directory> <program> [arguments]")?.parse()?;
    let layer = PathBuf::from(args.next().ok_or("a layer directory is missing")?);
    let argv: Vec<String> = args.collect();

    let data = std::env::temp_dir().join(format!("neargate-measure-{}", std::process::id()));
    let config = EmbeddedConfig::new(&format!("measure-{}", std::process::id()), &data)?;
    let (sender, events) = mpsc::channel::<(Instant, RuntimeEvent)>();
    let sender = Mutex::new(sender);
    let sink = Arc::new(move |event| {
        if let Ok(sender) = sender.lock() {
            let _ = sender.send((Instant::now(), event));
        }
    });
    let backend = EmbeddedBackend::open(config, sink)?;
    let mut times: std::collections::BTreeMap<&str, Vec<Duration>> = std::collections::BTreeMap::new();
    for round in 0..rounds {
        let spec = spec(round, &layer, &argv)?;
        let start = Instant::now();
        backend.start(&spec)?;
        times.entry("1 start returned").or_default().push(start.elapsed());
        let mut exited = start;
        loop {
            let (at, event) = events.recv_timeout(Duration::from_secs(30))?;
            let name = match &event.kind {
                EventKind::NetworkReady => "2 network ready",
                EventKind::ContainerStarted { .. } => "3 program runs",
                EventKind::ContainerExited { .. } => "4 exit reported",
                EventKind::TaskGone { .. } => "5 gone after exit",
                EventKind::ContainerFailed { failure, .. } => return Err(failure.reason().into()),
                _ => continue,
            };
            let since = if name.starts_with('5') { exited } else { start };
            times.entry(name).or_default().push(at - since);
            match event.kind {
                EventKind::ContainerExited { .. } => {
                    exited = Instant::now();
                    backend.remove(&spec.task_id)?;
                }
                EventKind::TaskGone { .. } => break,
                _ => {}
            }
        }
    }
    let mut text = String::new();
    for (name, mut all) in times {
        all.sort();
        let median = all.get(all.len() / 2).copied().unwrap_or_default();
        text.push_str(&format!("{name:20} {:8.2} ms\n", median.as_secs_f64() * 1000.0));
    }
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    backend.purge()?;
    std::fs::remove_dir_all(data)?;
    Ok(())
}

fn spec(round: usize, layer: &std::path::Path, argv: &[String]) -> Result<TaskSpec, Failure> {
    let mut container = ContainerSpec::new("main", vec![layer.to_owned()], argv.to_vec());
    container.memory_mib = 256;
    Ok(TaskSpec {
        format: SPEC_FORMAT,
        task_id: TaskId::parse(&format!("{round:032x}"))?,
        network: TaskNetwork {
            vpc_id: "vpc-measure".to_owned(),
            vpc_cidr: "10.0.0.0/16".parse()?,
            eni_id: "eni-measure".to_owned(),
            private_ip: "10.0.1.7".parse()?,
            subnet_cidr: "10.0.1.0/24".parse()?,
            mac: "02:00:0a:00:01:07".to_owned(),
            hostname: "ip-10-0-1-7.ec2.internal".to_owned(),
        },
        cpu_units: 1024,
        memory_mib: 512,
        ephemeral_gib: 20,
        containers: vec![container],
        labels: Vec::new(),
    })
}
