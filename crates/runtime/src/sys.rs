//! The few system calls that neither the standard library nor rustix offers as safe functions.
//!
//! Invariant: the only place of this crate with `unsafe`; what a function needs of its caller is a token that only the
//! right caller can have: [`SingleThreaded`] in the shim, [`Forked`] in a child of it.
#![allow(unsafe_code, reason = "raw system calls live here and nowhere else")]

use std::ffi::{CStr, CString};
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// As the kernel has it; libc's constant is too narrow.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Proof that this process has one thread, so that a child that is forked from it may allocate and take locks.
///
/// Whoever holds one starts no thread. It stays on its thread.
#[derive(Debug)]
pub(crate) struct SingleThreaded(PhantomData<*const ()>);

impl SingleThreaded {
    /// Counts the threads.
    pub(crate) fn check() -> io::Result<Self> {
        if std::fs::read_dir("/proc/self/task")?.count() == 1 {
            return Ok(Self(PhantomData));
        }
        Err(io::Error::other("this process has more than one thread"))
    }
}

/// Proof that this process is a forked copy, which never goes back to what its parent was doing: it owns the descriptors
/// that it opens from now on, and those of its parent's objects only as numbers.
#[derive(Debug)]
pub(crate) struct Forked(PhantomData<*const ()>);

/// The two sides of [`clone_process`].
pub(crate) enum Cloned {
    /// We are the child.
    Child(Forked),
    /// We are the parent: the child's process id and a descriptor for it.
    Parent {
        /// The process id, as the parent sees it.
        pid: u32,
        /// Becomes readable when the child ends.
        pidfd: OwnedFd,
    },
}

/// Forks, with the child in new namespaces (`CLONE_NEW…` flags) and, where given, in a version 2 control group.
pub(crate) fn clone_process(_: &SingleThreaded, flags: i32, into_cgroup: Option<BorrowedFd<'_>>) -> io::Result<Cloned> {
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
    // through the call; the process has one thread (the token says so), so no lock is held by a thread that is not copied.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, std::ptr::from_mut(&mut args), std::mem::size_of::<libc::clone_args>())
    };
    match pid {
        0 => Ok(Cloned::Child(Forked(PhantomData))),
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

/// Forks a forked copy once more, by the older call, which seccomp profiles know. Answers with the process id in the
/// parent, with nothing in the child.
pub(crate) fn fork_again(_: &Forked) -> io::Result<Option<i32>> {
    // SAFETY: no stack and no CLONE_VM: like fork, from a process that has one thread since it was forked itself.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    match pid {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some(i32::try_from(pid).unwrap_or(-1))),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Closes all descriptors but the standard streams and those to keep.
pub(crate) fn close_all_but(_: &Forked, keep: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut keep: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(fd.as_raw_fd()).ok()).collect();
    keep.sort_unstable();
    let mut first = 3;
    for kept in keep.into_iter().map(Some).chain([None]) {
        let last = kept.map_or(u32::MAX, |kept| kept.saturating_sub(1));
        if first <= last {
            // SAFETY: in a forked copy (the token says so) nothing uses the descriptors of the parent's objects again,
            // and those objects are never dropped: the copy ends by exec or by _exit.
            let done = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
            if done != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        first = kept.map_or(first, |kept| kept.saturating_add(1).max(first));
    }
    Ok(())
}

/// Closes a forked copy's number for one of its parent's descriptors.
pub(crate) fn close_in_copy(_: &Forked, fd: &OwnedFd) {
    // SAFETY: in a forked copy (the token says so) the parent's objects are never used nor dropped again.
    unsafe { libc::close(fd.as_raw_fd()) };
}

/// Closes all descriptors but the standard streams and one, which becomes the first after them and stays open in the next program.
pub(crate) fn close_all_but_as_third(forked: &Forked, keep: &OwnedFd) -> io::Result<()> {
    const FIRST: RawFd = 3;
    close_all_but(forked, &[keep.as_fd()])?;
    let kept = keep.as_raw_fd();
    // SAFETY: in a forked copy (the token says so) nothing else uses the number: all others were just closed.
    let done = unsafe { if kept == FIRST { libc::fcntl(kept, libc::F_SETFD, 0) } else { libc::dup2(kept, FIRST) } };
    if done >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes all descriptors, for a forked copy that will use none again.
pub(crate) fn close_all(_: &Forked) {
    // SAFETY: as in `close_all_but`; the caller only waits and ends from now on.
    unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) };
}

/// Gives a forked copy another name and arguments of nothing but that name.
pub(crate) fn rename_process(_: &Forked, name: &CStr) {
    let _ = rustix::thread::set_name(name);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    // The 48th and 49th field of all, the first two are before the parenthesis.
    let mut addresses = fields.split_whitespace().skip(45).map_while(|field| field.parse::<usize>().ok());
    let (Some(start), Some(end)) = (addresses.next(), addresses.next()) else { return };
    let (Some(len), name) = (end.checked_sub(start), name.to_bytes()) else { return };
    if start == 0 || len <= name.len() {
        return;
    }
    // SAFETY: the kernel says that this process's arguments lie there, on its stack; a forked copy with this token, which is
    // about to wait for ever, reads them no more, and no Rust object lies there.
    unsafe {
        let arguments = std::ptr::with_exposed_provenance_mut::<u8>(start);
        std::ptr::write_bytes(arguments, 0, len);
        std::ptr::copy_nonoverlapping(name.as_ptr(), arguments, name.len());
    }
}

/// As the kernel has it.
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Sets and clears the flags (`MOUNT_ATTR_…`) and the propagation (`MS_…`) of one mount.
pub(crate) fn mount_setattr(mount: BorrowedFd<'_>, set: u64, clear: u64, propagation: u64) -> io::Result<()> {
    let attr = MountAttr { set, clear, propagation, userns_fd: 0 };
    // SAFETY: the path is empty and ends with a zero, the attributes live through the call, the size is theirs.
    let done = unsafe {
        let path = c"".as_ptr();
        let size = std::mem::size_of::<MountAttr>();
        libc::syscall(libc::SYS_mount_setattr, mount.as_raw_fd(), path, libc::AT_EMPTY_PATH, &raw const attr, size)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Puts this process under a filter of system calls, given as the bytes of its instructions. Without `no_new_privs`, so it
/// takes CAP_SYS_ADMIN.
pub(crate) fn filter_system_calls(program: &[u8]) -> io::Result<()> {
    let (instructions, rest) = program.as_chunks::<8>();
    let len = u16::try_from(instructions.len()).ok().filter(|_| rest.is_empty());
    let len = len.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no filter"))?;
    let mut filter: Vec<libc::sock_filter> = Vec::with_capacity(instructions.len());
    for [c0, c1, jt, jf, k0, k1, k2, k3] in instructions {
        let code = u16::from_ne_bytes([*c0, *c1]);
        filter.push(libc::sock_filter { code, jt: *jt, jf: *jf, k: u32::from_ne_bytes([*k0, *k1, *k2, *k3]) });
    }
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its instructions live through the call, which copies and checks them.
    let done = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(include_str!("init-x86_64.s"));

/// The instructions of a container's init process: entered with arguments and environment on the stack, position-independent.
#[cfg(target_arch = "x86_64")]
pub(crate) fn init_code() -> Option<&'static [u8]> {
    unsafe extern "C" {
        static neargate_init_begin: u8;
        static neargate_init_end: u8;
    }
    let (begin, end) = (&raw const neargate_init_begin, &raw const neargate_init_end);
    // SAFETY: both are labels of the same read-only section, the second behind the first, with nothing but code between.
    Some(unsafe { std::slice::from_raw_parts(begin, end.offset_from_unsigned(begin)) })
}

/// Not written for this machine yet.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn init_code() -> Option<&'static [u8]> {
    None
}

/// Leaves the session keyring for a new one of this process's own.
pub(crate) fn new_session_keyring() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: no name is given; the call has no memory precondition.
    let keyring = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    if keyring < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives all signals their default action and unblocks them.
pub(crate) fn default_signals() {
    // The kernel's `struct sigaction`: no handler (SIG_DFL), no flags, nothing blocked. The C library would leave out the two
    // signals that it keeps for itself.
    const MASK_BYTES: usize = 8;
    let default = [0_u64; 4];
    for signal in 1..=64 {
        // SAFETY: the kernel reads at most 32 bytes of a live value; those that cannot be set are refused harmlessly.
        unsafe {
            let none = std::ptr::null_mut::<u64>();
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), none, MASK_BYTES)
        };
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

/// `struct loop_config` of the kernel's `linux/loop.h`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// `struct loop_info64`.
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

const LOOP_CTL_GET_FREE: u64 = 0x4c82;
const LOOP_CONFIGURE: u64 = 0x4c0a;
const LO_FLAGS_AUTOCLEAR: u32 = 4;
const LO_FLAGS_DIRECT_IO: u32 = 16;

/// The number of a loop device that is free, made if there is none. Somebody else may take it first.
pub(crate) fn free_loop_device(control: BorrowedFd<'_>) -> io::Result<u32> {
    // SAFETY: LOOP_CTL_GET_FREE takes no argument.
    let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) };
    u32::try_from(number).map_err(|_| io::Error::last_os_error())
}

/// Backs a loop device with a file; it lets go of the file with its last user. Fails with `EBUSY` where it was taken meanwhile.
pub(crate) fn configure_loop_device(device: BorrowedFd<'_>, file: BorrowedFd<'_>, direct: bool) -> io::Result<()> {
    // SAFETY: the structure is plain data for which all zeroes is a valid value.
    let mut config: LoopConfig = unsafe { std::mem::zeroed() };
    config.fd = file.as_raw_fd().cast_unsigned();
    config.info.flags = LO_FLAGS_AUTOCLEAR | if direct { LO_FLAGS_DIRECT_IO } else { 0 };
    // SAFETY: both descriptors are borrowed, so open; the structure has the kernel's layout and lives through the call.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE as _, &raw const config) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

const BPF_PROG_LOAD: u64 = 5;
const BPF_PROG_ATTACH: u64 = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Beside those of groups above, which hold as well.
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The part of `union bpf_attr` that loads a program.
#[repr(C)]
struct BpfLoad {
    kind: u32,
    instructions_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The part of `union bpf_attr` that attaches a program.
#[repr(C)]
struct BpfAttach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

/// Gives the kernel a program that decides on accesses to devices. The kernel checks it and refuses what it cannot follow.
pub(crate) fn load_device_filter(instructions: &[[u8; 8]]) -> io::Result<OwnedFd> {
    let license = c"Apache-2.0";
    let load = BpfLoad {
        kind: BPF_PROG_TYPE_CGROUP_DEVICE,
        instructions_count: u32::try_from(instructions.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        instructions: instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
    };
    // SAFETY: the structure is a prefix of the kernel's with its size; what it points to is only read and lives through the call.
    let made = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size_of::<BpfLoad>()) };
    let made = RawFd::try_from(made).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: just made by the kernel, with close-on-exec, owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// Has such a program asked for every access to a device by processes of a version 2 control group and of those below.
pub(crate) fn attach_device_filter(group: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    let attach = BpfAttach {
        target: group.as_raw_fd().cast_unsigned(),
        program: program.as_raw_fd().cast_unsigned(),
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: both descriptors are borrowed, so open; the structure is a prefix of the kernel's with its size.
    let done = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attach, size_of::<BpfAttach>()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session_keyring() -> i64 {
        // SAFETY: asks for the number of a keyring (KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, do not create).
        unsafe { libc::syscall(libc::SYS_keyctl, 0, -3, 0) }
    }

    #[test]
    fn a_session_keyring_is_the_threads_own() {
        let (first, second) = std::thread::spawn(|| {
            new_session_keyring().unwrap();
            let first = session_keyring();
            new_session_keyring().unwrap();
            (first, session_keyring())
        })
        .join()
        .unwrap();
        assert!(first > 0 && second > 0 && first != second, "{first} {second}");
    }

    #[test]
    fn what_is_no_program_is_not_given_to_the_kernel() {
        assert_eq!(filter_system_calls(&[0; 12]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
