//! What a process finds out about its isolation, as `name: value` pairs in JSON. Runs in a container, as its only program.
//!
//! The test binary runs itself again as `<binary> --probe`, so that one file is test, shim and probe.
//!
//! Invariant: looks and asks only: calls are made with arguments that no call can do anything with.
#![allow(unsafe_code, reason = "system calls by number, in processes that end at once")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// The argument that makes the test binary the probe.
pub(crate) const ARGUMENT: &str = "--probe";
/// The namespaces of whoever started the container: `pid:[1] mnt:[2] …`.
pub(crate) const HOST_NAMESPACES: &str = "PROBE_HOST_NAMESPACES";
/// More system calls than there are.
const CALLS: i64 = 480;

type Findings = BTreeMap<String, String>;

/// Prints what is found.
pub(crate) fn run() {
    let mut found = Findings::new();
    descriptors(&mut found);
    status(&mut found);
    limits(&mut found);
    namespaces(&mut found);
    mounts(&mut found);
    devices(&mut found);
    kernel_files(&mut found);
    nodes(&mut found);
    calls(&mut found);
    let text = serde_json::to_string(&found).unwrap();
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    std::io::stdout().write_all(b"\n").unwrap();
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| format!("({})", e.kind()))
}

/// The last is the directory's own, which is being listed.
fn descriptors(found: &mut Findings) {
    let listed: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().flatten().map(|it| it.path()).collect();
    for path in listed {
        let Ok(target) = fs::read_link(&path) else { continue };
        let kind = target.display().to_string();
        let kind = kind.split(":[").next().unwrap_or_default().to_owned();
        found.insert(format!("descriptor {}", path.file_name().unwrap().display()), kind);
    }
}

fn status(found: &mut Findings) {
    const FIELDS: &[&str] = &[
        "Uid",
        "Gid",
        "Groups",
        "Umask",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "SigBlk",
        "SigIgn",
        "Speculation_Store_Bypass",
        "Pid",
        "PPid",
        "NSsid",
    ];
    for line in text("/proc/self/status").lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if FIELDS.contains(&name) {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            found.insert(format!("status {name}"), value);
        }
    }
    found.insert("working directory".to_owned(), std::env::current_dir().unwrap().display().to_string());
    found.insert("host name".to_owned(), text("/proc/sys/kernel/hostname").trim().to_owned());
    found.insert("oom_score_adj".to_owned(), text("/proc/self/oom_score_adj").trim().to_owned());
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    found.insert("dumpable".to_owned(), format!("{dumpable:?}"));
    for (name, value) in std::env::vars().filter(|(name, _)| name != HOST_NAMESPACES) {
        found.insert(format!("environment {name}"), value);
    }
    let readable = fs::metadata("/proc/self/exe").is_ok();
    found.insert("own program is on a mount of its own".to_owned(), readable.to_string());
}

fn limits(found: &mut Findings) {
    for line in text("/proc/self/limits").lines().skip(1) {
        let (name, values) = line.split_at(line.len().min(26));
        let values: Vec<&str> = values.split_whitespace().take(2).collect();
        found.insert(format!("limit {}", name.trim()), values.join(" "));
    }
}

fn namespaces(found: &mut Findings) {
    let of_host = std::env::var(HOST_NAMESPACES).unwrap_or_default();
    for name in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let Ok(own) = fs::read_link(format!("/proc/self/ns/{name}")) else { continue };
        let shared = of_host.split(' ').any(|one| Path::new(one) == own);
        found.insert(format!("namespace {name}"), if shared { "the host's" } else { "its own" }.to_owned());
    }
}

fn mounts(found: &mut Findings) {
    for line in text("/proc/self/mountinfo").lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let before: Vec<&str> = before.split(' ').collect();
        let kind = after.split(' ').next().unwrap_or_default();
        let propagation =
            if before.len() > 6 { format!(" {}", before[6].split(':').next().unwrap()) } else { String::new() };
        found.insert(format!("mount {}", before[4]), format!("{kind} {}{propagation}", before[5]));
    }
}

/// Kind, number, mode and owner of everything in `/dev`.
fn devices(found: &mut Findings) {
    let mut dirs = vec!["/dev".to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap().flatten() {
            let path = entry.path().display().to_string();
            found.insert(path.clone(), describe(&path));
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path);
            }
        }
    }
}

fn describe(path: &str) -> String {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(e) => return format!("({})", e.kind()),
    };
    let kind = meta.file_type();
    let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
    let what = match () {
        () if kind.is_symlink() => return format!("-> {}", fs::read_link(path).unwrap().display()),
        () if kind.is_char_device() => format!("character {major}:{minor}"),
        () if kind.is_block_device() => format!("block {major}:{minor}"),
        () if kind.is_dir() => "directory".to_owned(),
        () => "file".to_owned(),
    };
    format!("{what} {:04o} {}:{}", meta.mode() & 0o7777, meta.uid(), meta.gid())
}

/// Files of the kernel's that containers must not see or change.
fn kernel_files(found: &mut Findings) {
    const PATHS: &[&str] = &[
        "/proc/acpi",
        "/proc/asound",
        "/proc/bus",
        "/proc/fs",
        "/proc/interrupts",
        "/proc/irq",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/sys",
        "/proc/sysrq-trigger",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/kallsyms",
        "/proc/modules",
        "/sys",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
        "/sys/fs/cgroup",
        "/sys/kernel",
        "/sys/kernel/debug",
        "/sys/kernel/tracing",
        "/sys/module",
    ];
    for path in PATHS {
        let what = match fs::metadata(path) {
            Err(e) => format!("({})", e.kind()),
            Ok(meta) if meta.is_dir() => {
                let entries = fs::read_dir(path).map_or(0, Iterator::count);
                if entries == 0 { "empty directory".to_owned() } else { "directory".to_owned() }
            }
            Ok(meta) if meta.file_type().is_char_device() => "device".to_owned(),
            Ok(_) => "file".to_owned(),
        };
        let read_only =
            rustix::fs::statvfs(*path).is_ok_and(|it| it.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
        let access = if read_only { "read-only" } else { "writable" };
        found.insert(format!("kernel's {path}"), format!("{what}, {access}"));
    }
    let mut groups: Vec<_> =
        fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().filter(|it| it.path().is_dir()).collect();
    groups.sort_by_key(std::fs::DirEntry::file_name);
    let groups: Vec<_> = groups.iter().map(|it| it.file_name().display().to_string()).collect();
    found.insert("control groups".to_owned(), groups.join(" "));
}

/// Whether nodes can be made and opened: the null device, and a disk.
fn nodes(found: &mut Findings) {
    use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat, open};
    for (name, kind, major, minor) in [
        ("null", FileType::CharacterDevice, 1, 3),
        ("mem", FileType::CharacterDevice, 1, 1),
        ("disk", FileType::BlockDevice, 254, 0),
    ] {
        for dir in ["/", "/dev/", "/dev/shm/"] {
            let path = format!("{dir}made-{name}");
            let made = mknodat(CWD, &path, kind, Mode::from_raw_mode(0o600), makedev(major, minor));
            let opened = made.and_then(|()| open(&path, OFlags::RDONLY, Mode::empty()));
            let what = match (made, opened) {
                (Err(e), _) => format!("not made: {e}"),
                (_, Err(e)) => format!("made, not opened: {e}"),
                (_, Ok(_)) => "made and opened".to_owned(),
            };
            let _ = fs::remove_file(&path);
            found.insert(format!("node {path}"), what);
        }
    }
}

/// The verdict on every system call, on clones and sockets of every kind.
fn calls(found: &mut Findings) {
    // These end, stop or wait whatever their arguments, or do what they do without any.
    let left_out = [
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_rt_sigreturn,
        libc::SYS_sync,
        libc::SYS_clone,
        libc::SYS_restart_syscall,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_pause,
    ];
    for number in (0..CALLS).filter(|number| !left_out.contains(number)) {
        found.insert(format!("call {number:03}"), verdict(number, [-1; 6]));
    }
    for (name, flag) in [
        ("cgroup", libc::CLONE_NEWCGROUP),
        ("ipc", libc::CLONE_NEWIPC),
        ("mnt", libc::CLONE_NEWNS),
        ("net", libc::CLONE_NEWNET),
        ("pid", libc::CLONE_NEWPID),
        ("user", libc::CLONE_NEWUSER),
        ("uts", libc::CLONE_NEWUTS),
    ] {
        let flag = i64::from(flag);
        found.insert(
            format!("clone {name}"),
            verdict(libc::SYS_clone, [flag | i64::from(libc::SIGCHLD), 0, 0, 0, 0, 0]),
        );
        found.insert(format!("unshare {name}"), verdict(libc::SYS_unshare, [flag, 0, 0, 0, 0, 0]));
    }
    for family in 0..=46 {
        for (kind, number) in [("stream", libc::SOCK_STREAM), ("datagram", libc::SOCK_DGRAM), ("raw", libc::SOCK_RAW)] {
            let arguments = [family, i64::from(number), 0, 0, 0, 0];
            found.insert(format!("socket {family:02} {kind}"), verdict(libc::SYS_socket, arguments));
        }
    }
    for value in [0, 8, 0x0002_0000, 0x0002_0008, 0x0004_0000, 0xffff_ffff] {
        found.insert(format!("personality {value:#x}"), verdict(libc::SYS_personality, [value, 0, 0, 0, 0, 0]));
    }
    // Which session keyring.
    found.insert("keyring".to_owned(), verdict(libc::SYS_keyctl, [0, -3, 0, 0, 0, 0]));
}

/// Makes a call in a process of its own: `done`, an error's name, a signal, or that it waits.
fn verdict(number: i64, arguments: [i64; 6]) -> String {
    let (mut reader, writer) = std::io::pipe().unwrap();
    // SAFETY: the probe has one thread; the child calls, writes to the pipe and ends.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let [a, b, c, d, e, f] = arguments;
        // SAFETY: the arguments are no valid addresses; what the call does ends with this process.
        let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        let error = if result == -1 { std::io::Error::last_os_error().raw_os_error().unwrap_or(0) } else { 0 };
        let bytes = error.to_ne_bytes();
        // SAFETY: writes from a live buffer, then ends.
        unsafe {
            libc::write(std::os::fd::AsRawFd::as_raw_fd(&writer), bytes.as_ptr().cast(), bytes.len());
            libc::_exit(0)
        }
    }
    drop(writer);
    let deadline = Instant::now() + Duration::from_secs(3);
    let mut status = 0;
    loop {
        // SAFETY: a child of ours; the status lives through the call.
        let ended = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
        if ended == pid {
            break;
        }
        if Instant::now() > deadline {
            // SAFETY: a child of ours that has not been waited for.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, &raw mut status, 0);
            }
            return "waits".to_owned();
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    let mut answer = [0; 4];
    if libc::WIFSIGNALED(status) {
        return format!("signal {}", libc::WTERMSIG(status));
    }
    match reader.read_exact(&mut answer) {
        Ok(()) => name(i32::from_ne_bytes(answer)),
        Err(_) => "no answer".to_owned(),
    }
}

fn name(error: i32) -> String {
    match error {
        0 => "done".to_owned(),
        libc::EPERM => "EPERM".to_owned(),
        libc::EACCES => "EACCES".to_owned(),
        libc::ENOSYS => "ENOSYS".to_owned(),
        libc::EINVAL => "EINVAL".to_owned(),
        libc::EFAULT => "EFAULT".to_owned(),
        libc::EBADF => "EBADF".to_owned(),
        other => format!("error {other}"),
    }
}
