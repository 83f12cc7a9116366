//! The container's side of the fork: from a copy of the shim to the container's first instruction.
//!
//! The shim clones a child into new mount, pid, ipc and uts namespaces; the child joins its control groups, builds the
//! root file system while the shim builds the network, waits for the network's descriptor, takes the container's user,
//! limits and capabilities, and executes the program. What an image or a user names is resolved inside the container's
//! own root ([`inside`]), so that nothing of an image leads out of it.
//!
//! Invariant: a child first closes all that the shim has open but its standard streams and its sync socket (for a command,
//! the descriptor of the container's first process, until it has joined), so that no path leads through any of it.
//!
//! Invariant: every process of a container is under the filter of system calls ([`seccomp`]), its init process and commands included.
//!
//! Invariant: a child never returns: it executes the program, or reports one [`StartFailure`] and exits.
//!
//! Invariant: the sync socket is closed by exec, which is how the shim learns that the program runs.

mod capability;
mod init;
mod inside;
mod limits;
mod mounts;
pub(super) mod oci;
mod program;
mod rootfs;
mod seccomp;
mod user;

use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{DumpableBehavior, Signal};
use serde::{Deserialize, Serialize};

use self::inside::Root;
use super::cgroup::ContainerCgroup;
use super::net::join_netns;
use super::packet;
use super::paths::ContainerPaths;
use crate::event::{StartFailure, StartFailureKind};
use crate::spec::{ContainerSpec, TaskNetwork};
use crate::sys::{self, Forked};

pub(super) use capability::unknown_capability;
pub(super) use limits::{parse_signal, unknown_limit};
pub(super) use seccomp::{Filter, Filters};

/// What a child tells the shim before it becomes the program.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ChildReport {
    /// Something is less than was asked for.
    Remark(String),
    /// An OCI runtime has made the container of that process; its keeper's mount namespace follows.
    Created { pid: u32 },
    /// An OCI runtime has started the program.
    Running,
    /// The next thing is exec; silence after this means that it succeeded.
    Executing,
    /// The end.
    Failed(StartFailure),
}

/// What a container's child needs, all made by the shim before the fork.
#[derive(Debug)]
pub(super) struct Child<'a> {
    pub(super) spec: &'a ContainerSpec,
    pub(super) network: &'a TaskNetwork,
    pub(super) paths: ContainerPaths,
    pub(super) cgroup: &'a ContainerCgroup,
    pub(super) filter: &'a Filter,
    pub(super) sync: OwnedFd,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// The shim's namespace flags for a container's first process. The control group namespace follows when the child is
/// in its group, the network namespace is the task's.
pub(super) const CONTAINER_NAMESPACES: i32 =
    libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

/// Half of the machine's memory is added to what a container's process is taken to have.
const OOM_SCORE_ADJ: &str = "500";

/// Runs as the child; see the module's text.
pub(super) fn run(child: &Child<'_>, forked: &Forked) -> ! {
    let code = match become_container(child, forked) {
        Err(failure) => {
            let code = failure.exit_code();
            report(&child.sync, &ChildReport::Failed(failure));
            code
        }
        Ok(never) => match never {},
    };
    sys::exit_now(code)
}

fn report(sync: &OwnedFd, report: &ChildReport) {
    // The shim takes a child that ends without a word for one that was killed, so no report is needed for certainty.
    let _ = packet::send_json(sync, report);
}

fn become_container(child: &Child<'_>, forked: &Forked) -> Result<std::convert::Infallible, StartFailure> {
    let spec = child.spec;
    take_stdio(child)?;
    sys::close_all_but(forked, &[child.sync.as_fd()]).map_err(|e| resources(format!("descriptors: {e}")))?;
    die_with_parent()?;
    // Until exec nobody in the container may reach this program's memory or file through /proc.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = rustix::process::setsid();
    die_first();
    leave_keyring()?;
    child.cgroup.join().map_err(|e| resources(format!("joining the control group: {e}")))?;
    sys::unshare(libc::CLONE_NEWCGROUP).map_err(|e| resources(format!("control group namespace: {e}")))?;

    let entered = rootfs::enter(child)?;
    let netns = packet::receive_fd(&child.sync)
        .map_err(|e| StartFailure::new(StartFailureKind::Cancelled, format!("the task went away: {e}")))?;
    join_netns(&netns).map_err(|e| StartFailure::new(StartFailureKind::Network, format!("joining: {e}")))?;
    drop(netns);
    rootfs::finish(child, entered)?;
    rustix::system::sethostname(child.network.hostname.as_bytes())
        .map_err(|e| invalid(format!("host name `{}`: {e}", child.network.hostname)))?;

    for remark in limits::apply(&spec.ulimits)? {
        report(&child.sync, &ChildReport::Remark(format!("container `{}`: {remark}", spec.name)));
    }
    let root = inside()?;
    let user = user::resolve(&spec.user, &root)?;
    let capabilities = capability::effective_set(&spec.capabilities_add, &spec.capabilities_drop)?;
    own_stdio(&user);
    let environment = program::environment(spec, &child.network.hostname, &user.home);
    program::enter_working_dir(&root, &spec.working_dir)?;
    // While this process may still, and before the container's user could do anything to it.
    child.filter.apply()?;
    capability::limit_bounding_set(capabilities)?;
    user::become_user(&user)?;
    capability::take(capabilities, user.uid == 0)?;
    let program = program::find(&root, &spec.working_dir, &spec.argv, &environment)?;
    die_with_parent()?;
    if spec.init {
        init::split(forked)?;
    }
    sys::close_on_exec_from(3).map_err(|e| resources(format!("descriptors: {e}")))?;
    sys::default_signals();
    report(&child.sync, &ChildReport::Executing);
    Err(program::execute(&program, &spec.argv, &environment))
}

/// A command in a running container: joins its namespaces and runs with the container's own user and environment.
#[derive(Debug)]
pub(super) struct ExecChild<'a> {
    pub(super) spec: &'a ContainerSpec,
    pub(super) network: &'a TaskNetwork,
    pub(super) argv: &'a [String],
    pub(super) cgroup: &'a ContainerCgroup,
    pub(super) filter: &'a Filter,
    /// The descriptor of the container's first process.
    pub(super) container: &'a OwnedFd,
    pub(super) null: OwnedFd,
}

/// Runs as the child of an exec; its pid namespace is the container's already.
pub(super) fn run_exec(child: &ExecChild<'_>, forked: &Forked) -> ! {
    let code = match become_exec(child, forked) {
        Err(failure) => failure.exit_code(),
        Ok(never) => match never {},
    };
    sys::exit_now(code)
}

fn become_exec(child: &ExecChild<'_>, forked: &Forked) -> Result<std::convert::Infallible, StartFailure> {
    use rustix::thread::ThreadNameSpaceType as Ns;
    let spec = child.spec;
    let container = child.container.as_fd();
    take_null(&child.null)?;
    sys::close_all_but(forked, &[container]).map_err(|e| resources(format!("descriptors: {e}")))?;
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    die_with_parent()?;
    let _ = rustix::process::setsid();
    die_first();
    leave_keyring()?;
    child.cgroup.join().map_err(|e| resources(format!("joining the control group: {e}")))?;
    let namespaces = Ns::MOUNT
        | Ns::INTER_PROCESS_COMMUNICATION
        | Ns::HOST_NAME_AND_NIS_DOMAIN_NAME
        | Ns::NETWORK
        | Ns::CONTROL_GROUP;
    rustix::thread::move_into_thread_name_spaces(container, namespaces)
        .map_err(|e| resources(format!("joining the container: {e}")))?;
    sys::close_all_but(forked, &[]).map_err(|e| resources(format!("descriptors: {e}")))?;
    let root = inside()?;
    take_null(&rootfs::null_device(&root)?)?;
    limits::apply(&spec.ulimits)?;
    let user = user::resolve(&spec.user, &root)?;
    let capabilities = capability::effective_set(&spec.capabilities_add, &spec.capabilities_drop)?;
    let environment = program::environment(spec, &child.network.hostname, &user.home);
    program::enter_working_dir(&root, &spec.working_dir)?;
    // While this process may still, and before the container's user could do anything to it.
    child.filter.apply()?;
    capability::limit_bounding_set(capabilities)?;
    user::become_user(&user)?;
    capability::take(capabilities, user.uid == 0)?;
    let program = program::find(&root, &spec.working_dir, child.argv, &environment)?;
    die_with_parent()?;
    sys::close_on_exec_from(3).map_err(|e| resources(format!("descriptors: {e}")))?;
    sys::default_signals();
    Err(program::execute(&program, child.argv, &environment))
}

/// Where the machine's memory ends, containers go before engine and shims.
fn die_first() {
    // What started the engine may have gone further already, and that may not be taken back.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJ);
}

/// Keys that the engine's session has are none of the container's business.
fn leave_keyring() -> Result<(), StartFailure> {
    match sys::new_session_keyring() {
        // A kernel without keys, or a machine whose own filter refuses all that has to do with them.
        Err(e) if matches!(e.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => Ok(()),
        left => left.map_err(|e| resources(format!("session keyring: {e}"))),
    }
}

/// SIGKILL when the shim dies. A change of user clears it, so it is asked for again before exec.
fn die_with_parent() -> Result<(), StartFailure> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|e| resources(format!("parent death signal: {e}")))
}

fn inside() -> Result<Root, StartFailure> {
    Root::of_this_process().map_err(|e| resources(format!("the container's root: {e}")))
}

/// A command has no streams.
fn take_null(null: &OwnedFd) -> Result<(), StartFailure> {
    rustix::stdio::dup2_stdin(null)
        .and_then(|()| rustix::stdio::dup2_stdout(null))
        .and_then(|()| rustix::stdio::dup2_stderr(null))
        .map_err(|e| resources(format!("standard streams: {e}")))
}

fn take_stdio(child: &Child<'_>) -> Result<(), StartFailure> {
    rustix::stdio::dup2_stdin(&child.stdin)
        .and_then(|()| rustix::stdio::dup2_stdout(&child.stdout))
        .and_then(|()| rustix::stdio::dup2_stderr(&child.stderr))
        .map_err(|e| resources(format!("standard streams: {e}")))
}

/// Lets the container's user open `/dev/stdout` and `/dev/stderr` again.
fn own_stdio(user: &user::User) {
    let (uid, gid) = (rustix::fs::Uid::from_raw(user.uid), rustix::fs::Gid::from_raw(user.gid));
    let _ = rustix::fs::fchown(rustix::stdio::stdout(), Some(uid), Some(gid));
    let _ = rustix::fs::fchown(rustix::stdio::stderr(), Some(uid), Some(gid));
}

fn resources(text: impl Into<String>) -> StartFailure {
    StartFailure::new(StartFailureKind::Resources, text)
}

fn invalid(text: impl Into<String>) -> StartFailure {
    StartFailure::new(StartFailureKind::InvalidSetting, text)
}
