//! The few system calls that neither the standard library nor rustix offers as safe functions.
//!
//! Invariant: the only place of this crate with `unsafe`; every function here is safe to call as its text says.
//! Invariant: [`clone_process`] is called from single-threaded processes only (the shim and its children), so that the
//! child may allocate and take locks.
#![allow(unsafe_code, reason = "raw system calls live here and nowhere else")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// As the kernel has it; libc's constant is too narrow.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The two sides of [`clone_process`].
pub(crate) enum Cloned {
    /// We are the child.
    Child,
    /// We are the parent: the child's process id and a descriptor for it.
    Parent {
        /// The process id, as the parent sees it.
        pid: u32,
        /// Becomes readable when the child ends.
        pidfd: OwnedFd,
    },
}

/// Forks, with the child in new namespaces (`CLONE_NEW…` flags) and, where given, in a version 2 control group.
pub(crate) fn clone_process(flags: i32, into_cgroup: Option<BorrowedFd<'_>>) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    // SAFETY: clone_args is plain data for which all zeroes is a valid value.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags as u64 | libc::CLONE_PIDFD as u64;
    args.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    if let Some(cgroup) = into_cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: no stack and no CLONE_VM, so the child runs on a copy of this memory, like after fork; the arguments live
    // through the call; the process has one thread (invariant above), so no lock is held by a thread that is not copied.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, std::ptr::from_mut(&mut args), std::mem::size_of::<libc::clone_args>())
    };
    match pid {
        0 => Ok(Cloned::Child),
        pid if pid > 0 => {
            // SAFETY: the kernel has just put a new descriptor there, which nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Cloned::Parent { pid: u32::try_from(pid).unwrap_or(0), pidfd })
        }
        _ => Err(io::Error::last_os_error()),
    }
}

/// Leaves shared namespaces for new ones (`CLONE_NEW…` flags; not `CLONE_FILES`).
pub(crate) fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: only namespace flags are given, which change nothing that Rust's memory or descriptors rely on.
    if unsafe { libc::unshare(flags) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Becomes another program. Returns only when that fails.
pub(crate) fn exec(path: &CStr, argv: &[CString], env: &[CString]) -> io::Error {
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter().map(|text| text.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
    };
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: both lists end with a null pointer, their strings live in the borrowed slices through the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends the process at once: no destructors, no flushing. For children that share descriptors with their parent.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(code) }
}

/// Takes over a descriptor that the parent process left open for us, such as standard input.
pub(crate) fn inherited_fd(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC only reads the number; the result is new and nobody else's.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Marks all descriptors from `first` on as to be closed by exec.
pub(crate) fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: with CLOSE_RANGE_CLOEXEC nothing is closed now; no descriptor becomes invalid.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes all descriptors from `first` on, for a process that will use none of them again.
pub(crate) fn close_from(first: u32) {
    // SAFETY: the caller is a forked init process that owns no descriptor object it will touch again.
    unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
}

/// Gives all signals their default action and unblocks them.
pub(crate) fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL is a valid disposition for every signal; those that cannot be set are refused harmlessly.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    set_signal_mask(false);
}

/// Blocks all signals, so that [`wait_signal`] receives them.
pub(crate) fn block_signals() {
    set_signal_mask(true);
}

fn set_signal_mask(block: bool) {
    let set = signal_set(block);
    // SAFETY: the set is initialised and lives through the call.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
}

fn signal_set(full: bool) -> libc::sigset_t {
    // SAFETY: sigset_t is plain data; sigfillset and sigemptyset initialise it wholly.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        if full {
            libc::sigfillset(&raw mut set);
        } else {
            libc::sigemptyset(&raw mut set);
        }
        set
    }
}

/// Waits for one of the blocked signals.
pub(crate) fn wait_signal() -> i32 {
    let set = signal_set(true);
    // SAFETY: the set is initialised; no information about the signal is asked for.
    unsafe { libc::sigwaitinfo(&raw const set, std::ptr::null_mut()) }
}

/// Sends a signal by number to a process.
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: kill has no memory precondition.
    if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sends a signal by number to the process of a descriptor.
pub(crate) fn pidfd_kill(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed, so it is open; no signal information is passed.
    let done = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, std::ptr::null::<libc::siginfo_t>(), 0)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
