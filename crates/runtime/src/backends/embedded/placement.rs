//! Where version 2 control groups are made.
//!
//! Limits of the unit that started the engine are to bound its tasks too, and whoever manages the hierarchy is its only
//! writer but below what it hands over. So the groups are made, in this order: below the nearest group that systemd has
//! delegated to us; in a scope that systemd makes and delegates; below the top of a container's own hierarchy; at the root.
//!
//! A group that holds processes cannot hand controllers down to others, so processes of ours at the top of such a place
//! move into a leaf first, as container engines do.
//!
//! Invariant: looking for the place changes nothing; only [`settle`] does.
//!
//! Invariant: every place that an instance has used is in its run directory, so that what was made there is found again.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::lgetxattr;

use super::cgroup::{Hierarchies, recorded};
use super::paths::Layout;
use super::{SHIM_ARGUMENT, cgroup};

/// The leaf for processes that stood where groups are to be made.
const LEAF: &str = "neargate-engine";
/// systemd writes one of these on a group that it has delegated.
const DELEGATED: [&str; 2] = ["trusted.delegate", "user.delegate"];
/// There while systemd manages the machine.
const SYSTEMD: &str = "/run/systemd/system";
/// How often processes are looked for that were born while others were moved.
const ROUNDS_MAX: u32 = 50;
/// How long systemd may take to make a scope.
const SCOPE_PATIENCE: Duration = Duration::from_secs(15);
/// The shim argument that makes a process hold a scope.
pub(super) const HOLD_ARGUMENT: &str = "--hold";

/// Where groups are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Below this group, which systemd has delegated.
    Delegated(PathBuf),
    /// In a scope in the slice of that name, to be made.
    Scope(String),
    /// Below the top of a container's own hierarchy.
    Container(PathBuf),
    /// At the root of the machine's hierarchy.
    Root(PathBuf),
}

impl Place {
    /// The place for this process, given where version 2 is mounted.
    pub(super) fn find(mount_point: &Path) -> Self {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let is_delegated = |dir: &Path| {
            let mut value = [0_u8; 8];
            DELEGATED.iter().any(|name| {
                let length = lgetxattr(dir, *name, &mut value).unwrap_or(0);
                value.get(..length) == Some(b"1")
            })
        };
        Self::decide(mount_point, &mountinfo, &own, &is_delegated, Path::new(SYSTEMD).is_dir())
    }

    fn decide(
        mount_point: &Path,
        mountinfo: &str,
        own: &str,
        is_delegated: &dyn Fn(&Path) -> bool,
        has_systemd: bool,
    ) -> Self {
        let own = own_group(mount_point, mountinfo, own);
        let above = own.ancestors().take_while(|dir| dir.starts_with(mount_point));
        if let Some(dir) = above.clone().find(|dir| is_delegated(dir)) {
            return Self::Delegated(dir.to_owned());
        }
        if has_systemd {
            let names = above.filter_map(|dir| dir.file_name()?.to_str());
            let slice = names.into_iter().find(|name| name.ends_with(".slice")).unwrap_or("system.slice");
            return Self::Scope(slice.to_owned());
        }
        // Only a root proper has no type.
        if mount_point.join("cgroup.type").exists() {
            return Self::Container(mount_point.to_owned());
        }
        Self::Root(mount_point.to_owned())
    }

    /// In words for a person.
    pub(super) fn told(&self, mount_point: &Path) -> String {
        match self {
            Self::Delegated(dir) => {
                let below = dir.strip_prefix(mount_point).unwrap_or(dir);
                format!("below `/{}`, which systemd has delegated", below.display())
            }
            Self::Scope(slice) => format!("in a scope of systemd's in `{slice}`"),
            Self::Container(_) => "below the top of this container's hierarchy".to_owned(),
            Self::Root(_) => "at the root".to_owned(),
        }
    }
}

/// The directory of this process's own group, as far as it is within the mounted part of the hierarchy.
fn own_group(mount_point: &Path, mountinfo: &str, own: &str) -> PathBuf {
    let path = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let mounted = mountinfo.lines().filter(|line| line.contains(" - cgroup2 ")).find_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let root = fields.next()?;
        (Path::new(fields.next()?) == mount_point).then_some(root)
    });
    let below = Path::new(path).strip_prefix(mounted.unwrap_or("/")).unwrap_or(Path::new(""));
    let is_within = !below.components().any(|part| part == std::path::Component::ParentDir);
    if is_within { mount_point.join(below) } else { mount_point.to_owned() }
}

/// Where an instance's groups are made from now on.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The group above all of them; nothing where version 2 is not in use.
    pub(super) base: Option<PathBuf>,
    /// Keeps a scope of systemd's until tasks are in it.
    pub(super) holder: Option<Holder>,
}

/// A process in a scope that ends when this is dropped or its owner ends.
#[derive(Debug)]
pub(super) struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Makes the place ready and writes it down; `program` is the shim's.
pub(super) fn settle(layout: &Layout, program: &Path) -> io::Result<Settled> {
    let Hierarchies::V2(mount_point) = Hierarchies::detect() else { return Ok(Settled::default()) };
    let mut holder = None;
    let base = match Place::find(&mount_point) {
        Place::Root(dir) => dir,
        Place::Delegated(dir) | Place::Container(dir) => {
            match clear(&dir) {
                // What may not be changed limits nothing; a task's remarks say so.
                Err(e) if matches!(e.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) => {}
                cleared => cleared?,
            }
            dir
        }
        Place::Scope(slice) => match scope(layout, &slice, &mount_point, program) {
            Ok((dir, held)) => {
                holder = Some(held);
                dir
            }
            // Where systemd gives none, the root of the hierarchy is left.
            Err(_) => mount_point,
        },
    };
    if !recorded(layout).contains(&base) {
        let mut file = OpenOptions::new().create(true).append(true).open(layout.groups_record())?;
        writeln!(file, "{}", base.display())?;
    }
    Ok(Settled { base: Some(base), holder })
}

/// Moves the processes of a group into a leaf of it, so that the group can hand its controllers down.
fn clear(dir: &Path) -> io::Result<()> {
    let leaf = dir.join(LEAF);
    for _ in 0..ROUNDS_MAX {
        let procs = fs::read_to_string(dir.join("cgroup.procs"))?;
        if procs.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&leaf)?;
        // `0` stands for a process that this one cannot see, and would be read as this one itself.
        for pid in procs.lines().filter(|pid| *pid != "0") {
            // One that has ended meanwhile need not move; one that may not shows in the next round.
            let _ = fs::write(leaf.join("cgroup.procs"), pid);
        }
    }
    let text = format!("control group `{}` holds processes that cannot be moved", dir.display());
    Err(io::Error::new(io::ErrorKind::ResourceBusy, text))
}

/// Has systemd make a scope for the instance, or takes the one that its tasks have kept.
fn scope(layout: &Layout, slice: &str, mount_point: &Path, program: &Path) -> io::Result<(PathBuf, Holder)> {
    let unit = format!("neargate-{}.scope", layout.instance);
    let kept = recorded(layout).into_iter().find(|dir| dir.ends_with(&unit) && dir.is_dir());
    let mut command = match &kept {
        Some(dir) => {
            let mut command = Command::new(program);
            command.args([SHIM_ARGUMENT, HOLD_ARGUMENT]).arg(dir);
            command
        }
        None => {
            let mut command = Command::new("systemd-run");
            command.args(["--scope", "--quiet", "--collect", "--property=Delegate=yes"]);
            command.args([format!("--unit={unit}"), format!("--slice={slice}")]);
            command.arg("--").arg(program).args([SHIM_ARGUMENT, HOLD_ARGUMENT, ""]);
            command
        }
    };
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut holder = Holder(child);
    let told = listen(&mut holder)?;
    let dir = mount_point.join(told.trim().trim_start_matches('/'));
    if dir.ends_with(&unit) && dir.is_dir() { Ok((dir, holder)) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// What a holder says about where it is.
fn listen(holder: &mut Holder) -> io::Result<String> {
    let mut stdout = holder.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let patience = rustix::time::Timespec { tv_sec: SCOPE_PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
    if poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&patience))? == 0 {
        let _ = holder.0.kill();
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut text = String::new();
    // The holder closes its end once it has told.
    io::Read::read_to_string(&mut stdout, &mut text)?;
    Ok(text)
}

/// Runs as a holder: goes into the leaf of its own group or of the one given, says which, stays until nobody needs it.
pub(super) fn hold(dir: &Path) -> i32 {
    let held = || -> io::Result<()> {
        let Hierarchies::V2(mount_point) = Hierarchies::detect() else { return Err(io::ErrorKind::NotFound.into()) };
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
        let dir = if dir.as_os_str().is_empty() { own_group(&mount_point, &mountinfo, &own) } else { dir.to_owned() };
        fs::create_dir_all(dir.join(LEAF))?;
        fs::write(dir.join(LEAF).join("cgroup.procs"), "0")?;
        let below = dir.strip_prefix(&mount_point).unwrap_or(&dir);
        let mut stdout = io::stdout();
        stdout.write_all(below.as_os_str().as_encoded_bytes())?;
        stdout.flush()?;
        let null = fs::File::options().write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdout(&null)?;
        // Ends when the engine does, however that comes about.
        io::copy(&mut io::stdin(), &mut io::sink()).map(|_| ())
    };
    i32::from(held().is_err())
}

/// Removes what an instance has left above its tasks' groups.
pub(super) fn remove(layout: &Layout) {
    for dir in cgroup::instance_dirs(layout) {
        // One that is not there, or in which a process will not die, stays; so does the parent of another instance's.
        let _ = fs::remove_dir(&dir);
        let _ = dir.parent().map(fs::remove_dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(root: &Path, mounted: &str, own: &str, delegated: &str, has_systemd: bool) -> Place {
        let mountinfo = format!("26 22 0:23 {mounted} {} rw - cgroup2 cgroup2 rw\n", root.display());
        let delegated = root.join(delegated);
        Place::decide(root, &mountinfo, &format!("0::{own}\n"), &|dir| dir == delegated, has_systemd)
    }

    #[test]
    fn groups_are_made_below_the_nearest_unit_that_is_delegated() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let unit = Place::Delegated(root.join("system.slice/a.service"));
        for own in ["/system.slice/a.service", "/system.slice/a.service/neargate-engine"] {
            assert_eq!(place(root, "/", own, "system.slice/a.service", true), unit);
        }
        // Another unit's delegation is none of ours.
        let other = place(root, "/", "/system.slice/b.service", "system.slice/a.service", true);
        assert_eq!(other, Place::Scope("system.slice".to_owned()));
        let session = "/user.slice/user-0.slice/session-3.scope";
        assert_eq!(place(root, "/", session, "none", true), Place::Scope("user-0.slice".to_owned()));
    }

    #[test]
    fn without_systemd_groups_are_made_at_the_top() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(place(root, "/", "/", "none", false), Place::Root(root.to_owned()));
        assert_eq!(place(root, "/", "/a/b", "none", false), Place::Root(root.to_owned()));
        // A container's own hierarchy; its top may be seen as it is from outside.
        fs::write(root.join("cgroup.type"), "domain\n").unwrap();
        assert_eq!(place(root, "/", "/", "none", false), Place::Container(root.to_owned()));
        assert_eq!(place(root, "/docker/1", "/docker/1", "none", false), Place::Container(root.to_owned()));
        assert_eq!(place(root, "/", "/../elsewhere", "none", false), Place::Container(root.to_owned()));
    }

    #[test]
    fn a_group_is_cleared_only_when_it_holds_processes() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cgroup.procs"), "").unwrap();
        clear(dir.path()).unwrap();
        assert!(!dir.path().join(LEAF).exists());
        // A plain file does not let go of them.
        fs::write(dir.path().join("cgroup.procs"), "1\n2\n").unwrap();
        assert_eq!(clear(dir.path()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    }
}
