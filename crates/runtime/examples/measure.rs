//! How long tasks take from order to first instruction, and from exit to gone.
//!
//! `measure apart|together <tasks> <layer directory> <program> [arguments]`; must run as root. Each task runs the program
//! once, one after the other or all at the same time. Times are medians in milliseconds from the order to start, the
//! last from the order to remove.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use neargate_runtime::backends::embedded::{EmbeddedBackend, EmbeddedConfig};
use neargate_runtime::{
    Backend, ContainerSpec, EventKind, RuntimeEvent, SPEC_FORMAT, SpoolKey, TaskId, TaskNetwork, TaskSpec,
};

type Failure = Box<dyn std::error::Error>;
const USAGE: &str = "usage: measure apart|together <tasks> <layer directory> <program> [arguments]";

fn main() -> Result<(), Failure> {
    if let Some(code) = neargate_runtime::shim_entry() {
        std::process::exit(code);
    }
    let mut args = std::env::args().skip(1);
    let together = args.next().ok_or(USAGE)? == "together";
    let tasks: u8 = args.next().ok_or(USAGE)?.parse()?;
    let layer = PathBuf::from(args.next().ok_or(USAGE)?);
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
    let specs = (0..tasks).map(|number| spec(number, &layer, &argv)).collect::<Result<Vec<_>, _>>()?;
    let mut times = Times::default();
    let begin = Instant::now();
    for group in specs.chunks(if together { specs.len() } else { 1 }) {
        run(&backend, group, &events, &mut times)?;
    }
    let mut out = std::io::stdout();
    for (name, mut all) in times.0 {
        all.sort();
        let median = all.get(all.len() / 2).copied().unwrap_or_default();
        writeln!(out, "{name:20} {:8.2} ms", median.as_secs_f64() * 1000.0)?;
    }
    writeln!(out, "{tasks} tasks in {:.2} ms", begin.elapsed().as_secs_f64() * 1000.0)?;
    backend.purge()?;
    std::fs::remove_dir_all(data)?;
    Ok(())
}

#[derive(Default)]
struct Times(BTreeMap<&'static str, Vec<Duration>>);

fn run(
    backend: &EmbeddedBackend,
    specs: &[TaskSpec],
    events: &mpsc::Receiver<(Instant, RuntimeEvent)>,
    times: &mut Times,
) -> Result<(), Failure> {
    let mut since = BTreeMap::new();
    for spec in specs {
        let start = Instant::now();
        since.insert(spec.task_id.clone(), start);
        backend.start(spec)?;
        times.0.entry("1 start returned").or_default().push(start.elapsed());
    }
    while !since.is_empty() {
        let (at, RuntimeEvent { task_id, kind }) = events.recv_timeout(Duration::from_secs(60))?;
        let name = match &kind {
            EventKind::NetworkReady => "2 network ready",
            EventKind::ContainerStarted { .. } => "3 program runs",
            EventKind::ContainerExited { .. } => "4 exit reported",
            EventKind::TaskGone { .. } => "5 gone",
            EventKind::ContainerFailed { failure, .. } => return Err(failure.reason().into()),
            _ => continue,
        };
        let Some(begin) = since.get_mut(&task_id) else { continue };
        times.0.entry(name).or_default().push(at - *begin);
        match kind {
            EventKind::ContainerExited { .. } => {
                *begin = Instant::now();
                backend.remove(&task_id)?;
            }
            EventKind::TaskGone { .. } => drop(since.remove(&task_id)),
            _ => {}
        }
    }
    Ok(())
}

fn spec(number: u8, layer: &Path, argv: &[String]) -> Result<TaskSpec, Failure> {
    let mut container = ContainerSpec::new("main", vec![layer.to_owned()], argv.to_vec());
    container.memory_mib = 256;
    let host = number.checked_add(10).ok_or("at most 245 tasks")?;
    Ok(TaskSpec {
        format: SPEC_FORMAT,
        task_id: TaskId::parse(&format!("{number:032x}"))?,
        network: TaskNetwork {
            vpc_id: "vpc-measure".to_owned(),
            vpc_cidr: "10.0.0.0/16".parse()?,
            eni_id: "eni-measure".to_owned(),
            private_ip: format!("10.0.1.{host}").parse()?,
            subnet_cidr: "10.0.1.0/24".parse()?,
            mac: format!("02:00:0a:00:01:{host:02x}"),
            hostname: format!("ip-10-0-1-{host}.ec2.internal"),
        },
        cpu_units: 1024,
        memory_mib: 512,
        ephemeral_gib: 20,
        containers: vec![container],
        spool_key: SpoolKey::random()?,
        labels: Vec::new(),
    })
}
