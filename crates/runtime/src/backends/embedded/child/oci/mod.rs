//! A container that an OCI runtime makes: its keeper.
//!
//! The shim forks a keeper for each container, into a mount namespace of its own. The keeper puts the root file system together
//! ([`root`]), tells the runtime what it is to make ([`bundle`]), has it made and started ([`call`]), waits for the container's
//! end and ends with its exit code. It collects what the runtime leaves behind, so that the container is its child.
//!
//! ```text
//! keeper                                   shim
//!   composes the root file system            makes the network
//!   ◀──────────────────────────────────────  descriptor of the network namespace
//!   `create`
//!   Created { pid }, its mount namespace ─▶  opens the process
//!   ◀──────────────────────────────────────  go
//!   `start`
//!   Running ──────────────────────────────▶
//!   waits for the container ⋯ exit code
//! ```
//!
//! Invariant: the keeper's end of the line, the socket to the shim, tells when the shim lets go or is dead: the keeper kills the
//! container then and ends. It holds the task's lock until that is done.
//!
//! Invariant: what the runtime is told and its state lie in the keeper's mount namespace alone and go with it.
//!
//! Invariant: a keeper never returns, and has no secrets but its own container's.

mod bundle;
mod call;
mod init;
mod root;

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::process::{DumpableBehavior, set_child_subreaper};
use rustix::thread::ThreadNameSpaceType;

use self::bundle::{Places, Process, Told};
use self::call::{Runtime, Streams, Waited, let_go};
use super::inside::Root;
use super::{Child, ChildReport, ExecChild, capability, invalid, limits, program, report, resources, rootfs, user};
use crate::backends::embedded::net::join_netns;
use crate::backends::embedded::packet;
use crate::event::StartFailure;
use crate::sys::{self, Forked};

/// What a container is called in its keeper's own state of the runtime.
const NAME: &str = "container";
/// Room for what the runtime is told, of which secrets may be 64 MiB, and its state.
const BUNDLE_OPTIONS: &std::ffi::CStr = c"mode=0700,size=160m";
/// The exit code of a container that was killed.
const KILLED: i32 = 137;

/// What a keeper has of its shim.
#[derive(Debug)]
pub(in super::super) struct Keeper<'a> {
    pub(in super::super) runtime: &'a Path,
    /// The task's, held for as long as the container may live.
    pub(in super::super) lock: &'a OwnedFd,
    /// Where runtimes are called: they take the network namespace that they are in for the host's.
    pub(in super::super) host_network: &'a OwnedFd,
}

/// Runs as the keeper of a container; see the module's text.
pub(in super::super) fn keep(child: &Child<'_>, keeper: &Keeper<'_>, forked: &Forked) -> ! {
    let failure = match keep_container(child, keeper, forked) {
        Err(failure) => failure,
        Ok(never) => match never {},
    };
    call::clear(|| child.cgroup.kill());
    let code = failure.exit_code();
    report(&child.sync, &ChildReport::Failed(failure));
    sys::exit_now(code)
}

fn keep_container(child: &Child<'_>, keeper: &Keeper<'_>, forked: &Forked) -> Result<Infallible, StartFailure> {
    let spec = child.spec;
    keeper.settle(&[&child.sync, &child.stdin, &child.stdout, &child.stderr], forked)?;
    let downstream = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", downstream).map_err(rootfs::at("detaching from the host's mounts"))?;
    let dir = child.paths.bundle();
    mount("neargate", &dir, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, BUNDLE_OPTIONS)
        .map_err(rootfs::at("mounting what the runtime is told"))?;
    let composed = root::compose(child)?;

    let netns = packet::receive_fd(&child.sync).map_err(|_| let_go())?;
    let network = dir.join("network");
    pin(&netns, &network).map_err(|e| resources(format!("network namespace: {e}")))?;
    drop(netns);

    let (limits, remarks) = limits::granted(&spec.ulimits)?;
    for remark in remarks {
        report(&child.sync, &ChildReport::Remark(format!("container `{}`: {remark}", spec.name)));
    }
    let user = user::resolve(&spec.user, &composed.root)?;
    let env = program::environment(spec, &child.network.hostname, &user.home);
    let found = check_command(&composed.root, &composed.working_dir, &spec.argv, &env)?;
    let init = spec.init.then(init::program).transpose().map_err(|e| invalid(format!("init process: {e}")))?;
    let under_init = [init::PATH.to_owned(), found.to_string_lossy().into_owned()];
    let argv: Vec<String> = under_init.into_iter().filter(|_| spec.init).chain(spec.argv.iter().cloned()).collect();
    let process = Process {
        argv: &argv,
        env: &env,
        working_dir: &composed.working_dir,
        user: &user,
        capabilities: capability::effective_set(&spec.capabilities_add, &spec.capabilities_drop)?,
        limits: &limits,
    };
    let cgroup = child.cgroup.path_in_hierarchy().map_err(|e| resources(format!("control group: {e}")))?;
    let places = Places { network_namespace: &network, cgroup: cgroup.as_deref() };
    let config = bundle::config(&process, spec, child.network, &composed, &places)?;
    let told = Told::write(dir.join("config.json"), &config).map_err(rootfs::io_at("config.json"))?;
    drop(config);

    let state = State::below(&dir);
    let runtime = Runtime { program: keeper.runtime, state: &state.state, log: &state.log, line: &child.sync };
    let streams = Streams { stdin: &child.stdin, stdout: &child.stdout, stderr: &child.stderr };
    let pid_file = dir.join("pid").to_string_lossy().into_owned();
    let bundle = dir.to_string_lossy().into_owned();
    let mut create = vec!["create", "--bundle", &bundle, "--pid-file", &pid_file];
    if init.is_some() {
        create.extend(["--preserve-fds", init::DESCRIPTORS]);
    }
    create.push(NAME);
    runtime.call(forked, &create, &streams, init.as_ref())?;
    drop(told);
    let pid = read_pid(Path::new(&pid_file))?;
    start(child, keeper.lock, &runtime, forked, pid)
}

/// Lets the shim see the container, starts it and waits for its end.
fn start(
    child: &Child<'_>,
    lock: &OwnedFd,
    runtime: &Runtime<'_>,
    forked: &Forked,
    pid: i32,
) -> Result<Infallible, StartFailure> {
    let quiet = Streams { stdin: &child.stdin, stdout: &child.stdin, stderr: &child.stdin };
    let mounts = rustix::fs::open("/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| resources(format!("mount namespace: {e}")))?;
    report(&child.sync, &ChildReport::Created { pid: pid.unsigned_abs() });
    packet::send_fd(&child.sync, &mounts).map_err(|_| let_go())?;
    drop(mounts);
    if !packet::receive_word(&child.sync).unwrap_or(false) {
        return Err(let_go());
    }
    // Where the container has ended meanwhile by itself there is nothing that it could have ended of but a kill.
    runtime.call(forked, &["start", NAME], &quiet, None)?;
    report(&child.sync, &ChildReport::Running);
    // So that the container's streams end with its own writers. What owned the others is never dropped: this does not return.
    let _ = sys::close_all_but(forked, &[child.sync.as_fd(), lock.as_fd()]);
    let code = match call::wait_for(pid, &child.sync) {
        Ok(Waited::Exited(code)) => code,
        Ok(Waited::LetGo) | Err(_) => {
            call::clear(|| child.cgroup.kill());
            KILLED
        }
    };
    sys::exit_now(code)
}

/// Runs as the keeper of a command: has the runtime start it, waits for it, ends with its exit code.
pub(in super::super) fn keep_exec(child: &ExecChild<'_>, kept: &Kept<'_>, keeper: &Keeper<'_>, forked: &Forked) -> ! {
    let code = match keep_command(child, kept, keeper, forked) {
        Ok(code) => code,
        Err(failure) => failure.exit_code(),
    };
    call::clear(|| {});
    sys::exit_now(code)
}

impl Keeper<'_> {
    /// Makes a copy of the shim a keeper: among the host's networks, with nothing open but the lock and what is to be kept, and
    /// the parent of what its children leave.
    fn settle(&self, keep: &[&OwnedFd], forked: &Forked) -> Result<(), StartFailure> {
        join_netns(self.host_network).map_err(|e| resources(format!("the host's network namespace: {e}")))?;
        let keep: Vec<_> = keep.iter().chain([&self.lock]).map(|fd| fd.as_fd()).collect();
        sys::close_all_but(forked, &keep).map_err(|e| resources(format!("descriptors: {e}")))?;
        let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let _ = rustix::process::setsid();
        set_child_subreaper(Some(rustix::process::getpid())).map_err(|e| resources(format!("subreaper: {e}")))
    }
}

/// How a command gets into a container that is kept.
#[derive(Debug)]
pub(in super::super) struct Kept<'a> {
    /// The mount namespace of the container's keeper.
    pub(in super::super) mounts: &'a OwnedFd,
    /// The container's first process.
    pub(in super::super) pid: u32,
    /// Closed by the shim to let go.
    pub(in super::super) line: OwnedFd,
    pub(in super::super) paths: super::ContainerPaths,
    /// Distinguishes commands of a container.
    pub(in super::super) number: usize,
}

fn keep_command(
    child: &ExecChild<'_>,
    kept: &Kept<'_>,
    keeper: &Keeper<'_>,
    forked: &Forked,
) -> Result<i32, StartFailure> {
    let spec = child.spec;
    super::take_null(&child.null)?;
    keeper.settle(&[kept.mounts, &kept.line], forked)?;
    rustix::thread::move_into_thread_name_spaces(kept.mounts.as_fd(), ThreadNameSpaceType::MOUNT)
        .map_err(|e| resources(format!("joining the keeper: {e}")))?;
    let root = Root::at(&kept.paths.root()).map_err(|e| resources(format!("the container's root: {e}")))?;
    let inside = root::of_process(kept.pid.cast_signed()).map_err(|e| resources(format!("the container: {e}")))?;
    let null = rootfs::null_device(&inside)?;
    drop(inside);
    let (limits, _) = limits::granted(&spec.ulimits)?;
    let user = user::resolve(&spec.user, &root)?;
    let env = program::environment(spec, &child.network.hostname, &user.home);
    let working_dir = root::working_dir(&root, &spec.working_dir)?;
    check_command(&root, &working_dir, child.argv, &env)?;
    let process = Process {
        argv: child.argv,
        env: &env,
        working_dir: &working_dir,
        user: &user,
        capabilities: capability::effective_set(&spec.capabilities_add, &spec.capabilities_drop)?,
        limits: &limits,
    };
    let dir = kept.paths.bundle();
    let file = |kind: &str| dir.join(format!("{kind}-{}", kept.number));
    let told = Told::write(file("process"), &process.told()).map_err(rootfs::io_at("process.json"))?;
    let (state, log) = (State::below(&dir).state, file("log"));
    let runtime = Runtime { program: keeper.runtime, state: &state, log: &log, line: &kept.line };
    let streams = Streams { stdin: &null, stdout: &null, stderr: &null };
    let (process_file, pid_file) = (told.path().to_string_lossy().into_owned(), file("pid"));
    let pid_text = pid_file.to_string_lossy().into_owned();
    let exec = ["exec", "--process", &process_file, "--detach", "--pid-file", &pid_text, NAME];
    let called = runtime.call(forked, &exec, &streams, None);
    drop(told);
    let pid = called.and_then(|()| read_pid(&pid_file));
    for path in [&log, &pid_file] {
        let _ = fs::remove_file(path);
    }
    match call::wait_for(pid?, &kept.line)? {
        Waited::Exited(code) => Ok(code),
        Waited::LetGo => Ok(KILLED),
    }
}

/// Where the runtime keeps its state and says what went wrong.
struct State {
    state: PathBuf,
    log: PathBuf,
}

impl State {
    fn below(dir: &Path) -> Self {
        Self { state: dir.join("state"), log: dir.join("log") }
    }
}

/// Finds the program. Says in the usual words what the runtime would say in its own, or could not say.
fn check_command(
    root: &Root,
    working_dir: &Path,
    argv: &[String],
    env: &[(String, String)],
) -> Result<PathBuf, StartFailure> {
    let dir = working_dir.to_str().ok_or_else(|| invalid("the working directory is no text"))?;
    let found = program::find(root, dir, argv, env)?;
    program::prepare(&found, argv, env)?;
    program::check_loadable(root, &working_dir.join(&found), &found)?;
    Ok(found)
}

fn pin(netns: &OwnedFd, at: &Path) -> io::Result<()> {
    fs::write(at, "")?;
    Ok(mount_bind(format!("/proc/self/fd/{}", netns.as_raw_fd()), at)?)
}

fn read_pid(file: &Path) -> Result<i32, StartFailure> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let pid = text.trim().parse::<i32>().ok().filter(|pid| *pid > 1);
    pid.ok_or_else(|| resources("the runtime did not say which process it made"))
}
