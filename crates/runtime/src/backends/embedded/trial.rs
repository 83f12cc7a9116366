//! One container, really started: what no list of capabilities can promise.
//!
//! The program runs itself again as `<program> shim --trial <program> <run dir> <data dir> [<OCI runtime>]` for it, as for a probe.
//!
//! Invariant: a trial has an instance of its own and leaves nothing of it behind.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::scratch::Scratch;
use super::{EmbeddedBackend, EmbeddedConfig, SHIM_ARGUMENT, bare};
use crate::backend::Backend;
use crate::event::{EventKind, EventSink, RuntimeEvent};
use crate::secret::SpoolKey;
use crate::spec::{ContainerSpec, SPEC_FORMAT, TaskId, TaskNetwork, TaskSpec};

/// What trials' instances are called, a process id and their directory's suffix behind it.
const PURPOSE: &str = "trial";
/// What the program prints and a container's output must be.
const GREETING: &[u8] = b"containers run";
/// How long the container may take, on a machine however slow.
const PATIENCE: Duration = Duration::from_secs(60);
const EPHEMERAL_GIB: u32 = 20;

/// The shim argument that asks for a trial.
pub(super) const TRIAL_ARGUMENT: &str = "--trial";

/// Runs a container with its writable layer in a directory of `data_dir`; answers with how it went in words.
pub(super) fn run(config: &EmbeddedConfig, data_dir: &Path) -> io::Result<String> {
    let output = Command::new(&config.shim_program)
        .args([SHIM_ARGUMENT, TRIAL_ARGUMENT])
        .args([&config.shim_program, &config.run_dir, data_dir])
        .args(&config.runtime)
        .env_clear()
        // systemd's own programs are found with it.
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::null())
        // Ctrl-C at a terminal does not end it before it has cleared up.
        .process_group(0)
        .stderr(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Ok(text),
        _ if text.is_empty() => Err(io::Error::other(format!("the trial did not run: {}", output.status))),
        _ => Err(io::Error::other(text)),
    }
}

/// Runs in the trying process; prints how it went.
pub(super) fn try_here(mut arguments: impl Iterator<Item = String>) -> i32 {
    let mut path = || arguments.next().map(PathBuf::from);
    let (Some(shim_program), Some(run_dir), Some(data_dir)) = (path(), path(), path()) else { return 2 };
    let spool_bytes_max = super::SPOOL_BYTES_MAX;
    let runtime = path();
    let instance = String::new();
    let config =
        EmbeddedConfig { instance, run_dir, data_dir: data_dir.clone(), spool_bytes_max, shim_program, runtime };
    let (text, code) = match run_here(&config, &data_dir) {
        Ok(text) => (text, 0),
        Err(error) => (error.to_string(), 1),
    };
    // Where standard output is closed nobody wants to know.
    let _ = io::stdout().write_all(text.as_bytes());
    code
}

fn run_here(config: &EmbeddedConfig, data_dir: &Path) -> io::Result<String> {
    let started = Instant::now();
    sweep_killed(config, data_dir);
    let (place, suffix) = Scratch::new(data_dir, PURPOSE)?;
    let instance = format!("{PURPOSE}-{}-{suffix}", std::process::id());
    let mut own = config.clone();
    own.run_dir = config.run_dir.with_file_name(&instance);
    own.data_dir = place.path().join("runtime");
    own.instance = instance;
    let result = attempt(&own, &place.path().join("layer"));
    drop(place);
    // The parent is there for as long as another instance is.
    let _ = fs::remove_dir_all(&own.run_dir);
    let _ = own.run_dir.parent().map(fs::remove_dir);
    result.map(|()| format!("one ran in {} ms", started.elapsed().as_millis()))
}

/// Removes what trials have left whose process was killed.
fn sweep_killed(config: &EmbeddedConfig, data_dir: &Path) {
    let Some(parent) = config.run_dir.parent() else { return };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let Ok(instance) = entry.file_name().into_string() else { continue };
        let name = instance.strip_prefix(PURPOSE).and_then(|rest| rest.strip_prefix('-')?.split_once('-'));
        let Some((process, suffix)) = name else { continue };
        if Path::new("/proc").join(process).exists() {
            continue;
        }
        let place = Scratch::place(data_dir, PURPOSE, suffix);
        let killed =
            EmbeddedConfig { instance, run_dir: entry.path(), data_dir: place.join("runtime"), ..config.clone() };
        // What cannot be removed now is found again by the next trial.
        let _ = super::erase(&killed);
        let _ = fs::remove_dir_all(place);
    }
}

fn attempt(config: &EmbeddedConfig, layer: &Path) -> io::Result<()> {
    fs::create_dir_all(layer)?;
    let file = layer.join("greet");
    fs::write(&file, program(GREETING))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    let (sender, events) = mpsc::channel();
    let sender = Mutex::new(sender);
    let sink: EventSink = Arc::new(move |event| {
        // Nobody listens any more once the container has ended.
        let _ = sender.lock().unwrap_or_else(PoisonError::into_inner).send(event);
    });
    let backend = EmbeddedBackend::open(config.clone(), sink).map_err(io::Error::other)?;
    let spec = task(layer)?;
    let result = backend.start(&spec).map_err(io::Error::other).and_then(|()| watch(&backend, &spec, &events));
    let purged = backend.purge().map_err(io::Error::other);
    result.and(purged)
}

/// Waits for the container's words and its end.
fn watch(backend: &EmbeddedBackend, spec: &TaskSpec, events: &mpsc::Receiver<RuntimeEvent>) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut printed: Vec<u8> = vec![];
    loop {
        let event = events
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .map_err(|_| io::Error::other(format!("it did not end within {} s", PATIENCE.as_secs())))?;
        match event.kind {
            EventKind::Output { name, lines, next_offset } => {
                lines.iter().for_each(|line| printed.extend_from_slice(line.bytes));
                backend.release_output(&spec.task_id, &name, next_offset);
            }
            EventKind::ContainerFailed { failure, .. } => return Err(io::Error::other(failure.message)),
            EventKind::ContainerExited { exit_code: 0, .. } if printed == GREETING => return Ok(()),
            EventKind::ContainerExited { exit_code, .. } => {
                return Err(io::Error::other(format!("it ended with exit code {exit_code} and without its output")));
            }
            EventKind::TaskGone { .. } => return Err(io::Error::other("the task went away")),
            _ => {}
        }
    }
}

fn task(layer: &Path) -> io::Result<TaskSpec> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let container = ContainerSpec::new("trial", vec![layer.to_owned()], vec!["/greet".to_owned()]);
    Ok(TaskSpec {
        format: SPEC_FORMAT,
        task_id: TaskId::parse(&format!("{:032x}", std::process::id())).map_err(|_| invalid())?,
        network: TaskNetwork {
            vpc_id: "vpc-trial".to_owned(),
            vpc_cidr: "10.0.0.0/16".parse().map_err(|_| invalid())?,
            eni_id: "eni-trial".to_owned(),
            private_ip: "10.0.0.10".parse().map_err(|_| invalid())?,
            subnet_cidr: "10.0.0.0/24".parse().map_err(|_| invalid())?,
            mac: "02:00:0a:00:00:0a".to_owned(),
            hostname: "trial".to_owned(),
        },
        cpu_units: 256,
        memory_mib: 512,
        ephemeral_gib: EPHEMERAL_GIB,
        containers: vec![container],
        spool_key: SpoolKey::random()?,
        labels: vec![],
    })
}

/// A program for this machine that needs nothing: prints a text and ends with exit code 0.
fn program(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(0);
    bare::program(&[&code(length), text].concat())
}

/// `write(1, text, length)`, `exit(0)`; the text follows the code.
#[cfg(target_arch = "x86_64")]
fn code(length: u32) -> Vec<u8> {
    let mut code = vec![0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0]; // mov eax, 1; mov edi, 1
    code.extend([0x48, 0x8d, 0x35, 16, 0, 0, 0, 0xba]); // lea rsi, [rip + 16]; mov edx, length
    code.extend(length.to_le_bytes());
    code.extend([0x0f, 0x05, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]); // syscall; mov eax, 60; xor edi, edi; syscall
    code
}

/// `write(1, text, length)`, `exit(0)`; the text follows the code.
#[cfg(target_arch = "aarch64")]
fn code(length: u32) -> Vec<u8> {
    let words = [
        0xd280_0020,                          // mov x0, #1
        0x1000_00e1,                          // adr x1, .+28
        0xd280_0002 | (length & 0xffff) << 5, // mov x2, #length
        0xd280_0808,                          // mov x8, #64
        0xd400_0001,                          // svc #0
        0xd280_0000,                          // mov x0, #0
        0xd280_0ba8,                          // mov x8, #93
        0xd400_0001,                          // svc #0
    ];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_runs_anywhere() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("greet");
        fs::write(&file, program(GREETING)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let output = std::process::Command::new(&file).env_clear().output().unwrap();
        assert_eq!((output.stdout.as_slice(), output.status.code()), (GREETING, Some(0)));
    }
}
