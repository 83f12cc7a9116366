//! A task's ephemeral storage: an ext4 file system of the size that was asked for, in a sparse file, shared by the task's containers.
//!
//! ```text
//! <data>/storage/<n>-gib.ext4           made once for each size, by `mkfs.ext4`; about 200 KiB of it are on the disk
//! <data>/storage/ready/<n>.ext4         a copy of it without the holes, mounted nowhere yet
//! <data>/tasks/<task>/storage.ext4      the task's: one of the ready ones, renamed
//! <data>/tasks/<task>/storage/          where the shim mounts it: c/<index>/{upper, work} of every container
//! ```
//!
//! - Invariant: it is mounted in the shim's own mount namespace only, by a loop device that lets go with its last user. Whatever is
//!   killed at whatever moment, what is left is a file in the task's directory.
//! - Invariant: what is ready is held by a descriptor of the engine, and lets go with the engine.
//! - Invariant: a template has its name only once it is whole.
//! - Invariant: it need not survive a power cut, so it has no journal and waits for no barrier.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::fs::{CWD, FileType, Mode, OFlags, SeekFrom, makedev, mknodat, seek};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount_change, move_mount, unmount,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::paths::{Layout, TaskPaths};
use crate::sys;

/// The size of a task that asks for none.
pub(super) const DEFAULT_GIB: u32 = 20;
/// How many are ready at most.
const READY_MAX: usize = 4;
/// Fargate's largest.
const GIB_MAX: u32 = 200;
/// As many others may take a free loop device before we do.
const LOOP_ATTEMPTS: u32 = 1000;
const LOOP_MAJOR: u32 = 7;
/// Where `mkfs.ext4` may be beside the `PATH`, which often lacks them.
const TOOL_DIRS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// Makes the template of a size where it is not there yet, in the folder that [`Pool::open`] makes: one that is gone stays gone.
pub(super) fn prepare(layout: &Layout, gib: u32) -> io::Result<()> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let template = layout.storage_template(gib);
    if template.exists() {
        return Ok(());
    }
    if gib == 0 || gib > GIB_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("ephemeral storage of {gib} GiB")));
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let new = template.with_extension(format!("{}-{number}.new", std::process::id()));
    let made = make_file_system(&new, gib).and_then(|()| fs::rename(&new, &template));
    made.inspect_err(|_| drop(fs::remove_file(&new)))
}

fn make_file_system(path: &Path, gib: u32) -> io::Result<()> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.set_len(u64::from(gib) << 30)?;
    let output = Command::new(mkfs()?)
        .args(["-q", "-F", "-b", "4096", "-I", "256", "-i", "32768", "-m", "0", "-L", "neargate"])
        .args(["-O", "^has_journal,^resize_inode,sparse_super2", "-G", "512"])
        .args(["-E", "lazy_itable_init=1,nodiscard,root_owner=0:0"])
        .arg(path)
        .env_clear()
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("mkfs.ext4: {}", said.lines().last().unwrap_or("failed").trim())))
}

fn mkfs() -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).filter(|dir| dir.is_absolute());
    let mut candidates = dirs.chain(TOOL_DIRS.iter().map(PathBuf::from)).map(|dir| dir.join("mkfs.ext4"));
    candidates
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no `mkfs.ext4`"))
}

/// The mount namespaces of a shim that has its own.
#[derive(Debug)]
pub(super) struct OwnMounts {
    host: OwnedFd,
    own: OwnedFd,
}

impl OwnMounts {
    /// Moves the calling process, which has one thread, into a mount namespace of its own. What the host mounts later still shows.
    pub(super) fn enter() -> io::Result<Self> {
        let host = open_own()?;
        sys::unshare(libc::CLONE_NEWNS)?;
        mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
        Ok(Self { host, own: open_own()? })
    }

    /// Does something among the host's mounts.
    pub(super) fn among_the_hosts<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let into = |namespace: &OwnedFd| move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount));
        into(&self.host)?;
        let result = act();
        into(&self.own)?;
        result
    }
}

fn open_own() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Puts a task's storage in its place, in the calling process's mount namespace; makes it first where none was ready.
pub(super) fn attach(layout: &Layout, paths: &TaskPaths, gib: u32, ready: Option<OwnedFd>) -> io::Result<()> {
    let mount = match ready {
        Some(mount) => mount,
        None => mount_file(&copy_template(&layout.storage_template(gib), &paths.storage_file())?)?,
    };
    fs::create_dir_all(paths.storage())?;
    move_mount(&mount, "", CWD, paths.storage(), MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    Ok(())
}

/// Undoes [`attach`]; the file stays.
pub(super) fn detach(paths: &TaskPaths) {
    // One that was never attached is no mount.
    let _ = unmount(paths.storage(), UnmountFlags::DETACH);
}

/// A sparse copy: what is a hole stays one.
fn copy_template(template: &Path, target: &Path) -> io::Result<File> {
    let from = File::open(template)?;
    let mut options = OpenOptions::new();
    let to = options.create(true).truncate(true).read(true).write(true).mode(0o600).open(target)?;
    to.set_len(from.metadata()?.len())?;
    let mut at = 0;
    loop {
        at = match seek(&from, SeekFrom::Data(at)) {
            Ok(begin) => begin,
            Err(Errno::NXIO) => return Ok(to),
            Err(e) => return Err(e.into()),
        };
        let end = seek(&from, SeekFrom::Hole(at))?;
        // Little, and by plain reads and writes: the task's directory may be on another file system than the template.
        let mut part = vec![0; usize::try_from(end - at).unwrap_or(usize::MAX)];
        from.read_exact_at(&mut part, at)?;
        to.write_all_at(&part, at)?;
        at = end;
    }
}

/// Mounts a file that holds an ext4 file system, nowhere yet.
fn mount_file(file: &File) -> io::Result<OwnedFd> {
    let device = loop_device(file)?;
    let context = fsopen("ext4", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", &device.path)?;
    for option in ["nobarrier", "noinit_itable"] {
        fsconfig_set_flag(&context, option)?;
    }
    fsconfig_set_string(&context, "errors", "remount-ro")?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOATIME;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    // The mount holds the device from here on.
    drop(device.fd);
    Ok(mount)
}

/// Storage of the default size, made before it is asked for.
#[derive(Debug)]
pub(super) struct Pool {
    shared: Arc<PoolShared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct PoolShared {
    layout: Layout,
    state: Mutex<PoolState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct PoolState {
    ready: Vec<Ready>,
    made: u64,
    stopping: bool,
}

#[derive(Debug)]
struct Ready {
    file: PathBuf,
    mount: OwnedFd,
}

impl Pool {
    /// Removes what an engine before left ready, and begins to make some.
    pub(super) fn open(layout: &Layout) -> io::Result<Self> {
        let dir = layout.storage_ready_dir();
        match fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => super::start::make_private_dir(&dir)?,
        }
        let shared =
            Arc::new(PoolShared { layout: layout.clone(), state: Mutex::default(), changed: Condvar::default() });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("storage".to_owned()).spawn(move || own.keep_full())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Storage for a task, if some is ready: its mount. Its file is the task's from here on.
    pub(super) fn take(&self, paths: &TaskPaths, gib: u32) -> Option<OwnedFd> {
        if gib != DEFAULT_GIB {
            return None;
        }
        let ready = self.shared.state().ready.pop();
        self.shared.changed.notify_one();
        let ready = ready?;
        match fs::rename(&ready.file, paths.storage_file()) {
            Ok(()) => Some(ready.mount),
            Err(_) => {
                let _ = fs::remove_file(&ready.file);
                None
            }
        }
    }

    /// Makes no more, and lets go of what is ready.
    pub(super) fn close(&self) {
        self.shared.state().stopping = true;
        self.shared.changed.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        for ready in self.shared.state().ready.drain(..) {
            let _ = fs::remove_file(ready.file);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl PoolShared {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        // A panic elsewhere leaves the state whole: every change to it is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_full(&self) {
        let mut state = self.state();
        while !state.stopping {
            state.made += 1;
            let file = self.layout.storage_ready_dir().join(format!("{}.ext4", state.made));
            drop(state);
            let made = prepare(&self.layout, DEFAULT_GIB)
                .and_then(|()| copy_template(&self.layout.storage_template(DEFAULT_GIB), &file))
                .and_then(|copy| mount_file(&copy));
            state = self.state();
            let failed = made.is_err();
            match made {
                Ok(mount) => state.ready.push(Ready { file, mount }),
                Err(_) => drop(fs::remove_file(&file)),
            }
            // After a failure the next task makes its own, or says why it cannot; then it is tried again here.
            let mut rest = failed && !state.stopping;
            while !state.stopping && (rest || state.ready.len() >= READY_MAX) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                rest = false;
            }
        }
    }
}

struct LoopDevice {
    path: PathBuf,
    fd: OwnedFd,
}

fn loop_device(file: &File) -> io::Result<LoopDevice> {
    let control = rustix::fs::open("/dev/loop-control", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let mut busy = Errno::BUSY.into();
    for _ in 0..LOOP_ATTEMPTS {
        let number = sys::free_loop_device(control.as_fd())?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let fd = open_device(&path, number)?;
        // Without direct access every page would be cached twice; some file systems do not have it.
        let configured = match sys::configure_loop_device(fd.as_fd(), file.as_fd(), true) {
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
                sys::configure_loop_device(fd.as_fd(), file.as_fd(), false)
            }
            other => other,
        };
        match configured {
            Ok(()) => return Ok(LoopDevice { path, fd }),
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) => busy = e,
            Err(e) => return Err(e),
        }
    }
    Err(busy)
}

/// Opens a loop device; in a container of another engine its node may be missing.
fn open_device(path: &Path, number: u32) -> io::Result<OwnedFd> {
    let open = || rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {
            let made =
                mknodat(CWD, path, FileType::BlockDevice, Mode::from_raw_mode(0o600), makedev(LOOP_MAJOR, number));
            match made {
                Ok(()) | Err(Errno::EXIST) => Ok(open()?),
                Err(e) => Err(e.into()),
            }
        }
        other => Ok(other?),
    }
}
