//! Paths inside the container's root.
//!
//! What an image or a user names (a mount's target, the working directory, the program, `/etc/passwd`) is resolved by the
//! kernel's `openat2` with the container's root as `/` and without magic links such as `/proc/<pid>/fd/<number>`.
//!
//! Invariant: what is found lies on a mount of the container; neither `..`, nor a symbolic link, nor a descriptor that
//! happens to be open leads anywhere else.
//!
//! Invariant: nothing here waits: a pipe or a device in the place of a file is an error.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, fstat, fstatfs, mkdirat, openat, openat2, unlinkat};
use rustix::io::Errno;

/// As many symbolic links as the kernel follows.
const LINKS_MAX: usize = 40;
/// `openat2` gives up when anything on the machine is renamed while it looks at a `..`.
const ATTEMPTS_MAX: usize = 128;
const DIR_MODE: Mode = Mode::from_raw_mode(0o755);
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// The container's root directory.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl From<OwnedFd> for Root {
    /// An open directory taken as the root.
    fn from(dir: OwnedFd) -> Self {
        Self(dir)
    }
}

impl Root {
    /// The calling process's own root, which is the container's.
    pub(super) fn of_this_process() -> io::Result<Self> {
        Self::at(Path::new("/"))
    }

    /// A directory taken as the root.
    pub(super) fn at(dir: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(dir, flags, Mode::empty())?))
    }

    /// Where it is, without links.
    pub(super) fn place(&self) -> io::Result<PathBuf> {
        fs::read_link(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }

    /// Opens what a path leads to.
    pub(super) fn find(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        self.resolve(path, flags, ResolveFlags::empty())
    }

    fn resolve(&self, path: &Path, flags: OFlags, more: ResolveFlags) -> rustix::io::Result<OwnedFd> {
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | more;
        let mut result = Err(Errno::AGAIN);
        for _ in 0..ATTEMPTS_MAX {
            result = openat2(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty(), how);
            if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        result
    }

    /// A directory right below the root for one of the kernel's file systems: made where it is missing, no symbolic link.
    pub(super) fn plain_dir(&self, name: &str) -> io::Result<OwnedFd> {
        match mkdirat(&self.0, name, DIR_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(e.into()),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            Err(Errno::NOTDIR | Errno::LOOP) => Err(io::Error::other("must be an ordinary directory")),
            found => Ok(found?),
        }
    }

    /// A directory, made with those above it where they are missing, also where a symbolic link leads that does not lead
    /// anywhere yet.
    pub(super) fn make_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        let as_dir = OFlags::PATH | OFlags::DIRECTORY;
        match self.find(path, as_dir) {
            Err(Errno::NOENT) => {}
            found => return Ok(found?),
        }
        let mut pending = components(path);
        let mut here = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = pending.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            let link = OFlags::PATH | OFlags::NOFOLLOW;
            let found = match self.resolve(&next, link, ResolveFlags::NO_SYMLINKS) {
                Ok(found) => found,
                Err(Errno::NOENT) => {
                    let parent = self.resolve(&here, as_dir, ResolveFlags::NO_SYMLINKS)?;
                    match mkdirat(&parent, name.as_os_str(), DIR_MODE) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(e) => return Err(e.into()),
                    }
                    here = next;
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            if FileType::from_raw_mode(fstat(&found)?.st_mode) != FileType::Symlink {
                here = next;
                continue;
            }
            links += 1;
            // A magic link's text is no path that may be followed.
            let magic = matches!(self.find(&next, OFlags::PATH), Err(Errno::LOOP));
            if links > LINKS_MAX || magic {
                return Err(Errno::LOOP.into());
            }
            let target = rustix::fs::readlinkat(&found, "", Vec::new())?;
            let target = Path::new(OsStr::from_bytes(target.to_bytes()));
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            for name in components(target).into_iter().rev() {
                pending.push_front(name);
            }
        }
        Ok(self.resolve(&here, as_dir, ResolveFlags::NO_SYMLINKS)?)
    }

    /// A file to mount something on, made where it is missing. A symbolic link that leads nowhere makes way.
    pub(super) fn make_file(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.find(path, OFlags::PATH) {
            Err(Errno::NOENT) => {}
            found => return Ok(found?),
        }
        let name = path.file_name().ok_or(Errno::INVAL)?;
        let parent = self.make_dir(path.parent().unwrap_or(Path::new("/")))?;
        match unlinkat(&parent, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(e) => return Err(e.into()),
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(openat(&parent, name, flags, FILE_MODE)?);
        Ok(openat(&parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// A file's content; nothing where there is none.
    pub(super) fn read_file(&self, path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.find(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            // A socket, or a device without a driver.
            Err(Errno::NXIO | Errno::NODEV) => return Err(io::Error::other("not a regular file")),
            Err(e) => return Err(e.into()),
        };
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("not a regular file"));
        }
        let mut content = Vec::new();
        File::from(file).take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > bytes_max {
            return Err(io::Error::other(format!("longer than {bytes_max} bytes")));
        }
        Ok(Some(content))
    }
}

/// Whether something lies in `/proc`, where nothing of a container's may hide the kernel's own.
pub(super) fn is_in_proc(place: &OwnedFd) -> io::Result<bool> {
    const PROC_MAGIC: u64 = 0x9fa0;
    Ok(u64::try_from(fstatfs(place)?.f_type).is_ok_and(|kind| kind == PROC_MAGIC))
}

/// The names of a path and its `..`.
fn components(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter(|c| matches!(c, Component::Normal(_) | Component::ParentDir));
    names.map(|component| component.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A root in a directory beside which nothing may appear.
    fn rooted() -> (tempfile::TempDir, Root, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("root");
        fs::create_dir_all(inside.join("etc")).unwrap();
        fs::write(inside.join("etc/file"), "text").unwrap();
        for (target, link) in [
            ("/../../outside", "up"),
            ("../../..", "etc/far"),
            ("nowhere/deep", "dangling"),
            ("/loop-b", "loop-a"),
            ("/loop-a", "loop-b"),
            ("/etc", "absolute"),
        ] {
            symlink(target, inside.join(link)).unwrap();
        }
        let root = Root::at(&inside).unwrap();
        (dir, root, inside)
    }

    fn place(fd: &OwnedFd) -> PathBuf {
        use std::os::fd::AsRawFd;
        fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap()
    }

    #[test]
    fn directories_are_made_inside_whatever_the_links_say() {
        let (dir, root, inside) = rooted();
        for (path, expected) in [
            ("/", ""),
            ("/a/b", "a/b"),
            ("/a/../../../c", "c"),
            ("/up/d", "outside/d"),
            ("/etc/far/e", "e"),
            ("/dangling/f", "nowhere/deep/f"),
            ("/absolute/g", "etc/g"),
            ("//a/./h//", "a/h"),
        ] {
            let made = root.make_dir(Path::new(path)).unwrap();
            let expected = if expected.is_empty() { inside.clone() } else { inside.join(expected) };
            assert_eq!(place(&made), expected, "{path}");
        }
        let kind = |path: &str| root.make_dir(Path::new(path)).unwrap_err().kind();
        assert_eq!(kind("/etc/file"), io::ErrorKind::NotADirectory);
        assert_eq!(kind("/etc/file/x"), io::ErrorKind::NotADirectory);
        assert_eq!(root.make_dir(Path::new("/loop-a/x")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_are_made_inside_and_dangling_links_make_way() {
        let (dir, root, inside) = rooted();
        for (path, expected) in
            [("/etc/new", "etc/new"), ("/up/x", "outside/x"), ("/dangling", "dangling"), ("/etc/file", "etc/file")]
        {
            let made = root.make_file(Path::new(path)).unwrap();
            assert_eq!(place(&made), inside.join(expected), "{path}");
        }
        assert_eq!(fs::read(inside.join("etc/file")).unwrap(), b"text");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_open_descriptor_is_no_way_out() {
        let other = tempfile::tempdir().unwrap();
        let held = fs::File::open(other.path()).unwrap();
        use std::os::fd::AsRawFd;
        let through = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
        let root = Root::at(Path::new("/")).unwrap();
        for path in [through.clone(), through.join("made"), through.join(".."), "/proc/self/cwd/x".into()] {
            let found = root.find(&path, OFlags::PATH).unwrap_err();
            assert_eq!(found, Errno::LOOP, "{}", path.display());
            let made = root.make_dir(&path).unwrap_err();
            assert_eq!(made.raw_os_error(), Some(libc::ELOOP), "{}", path.display());
        }
        // Made where the link did not lead anywhere when it was looked at first.
        let dir = tempfile::tempdir().unwrap();
        symlink(through.join("later"), dir.path().join("link")).unwrap();
        let inside = dir.path().join("link/x");
        assert_eq!(root.make_dir(&inside).unwrap_err().raw_os_error(), Some(libc::ELOOP));
        assert_eq!(root.make_file(&inside).unwrap_err().raw_os_error(), Some(libc::ELOOP));
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_regular_files_of_bounded_length_are_read() {
        let (_dir, root, inside) = rooted();
        let pipe = std::ffi::CString::new(inside.join("pipe").as_os_str().as_bytes()).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, pipe.as_c_str(), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let read = |path: &str, max: u64| match root.read_file(Path::new(path), max) {
            Ok(content) => content.map_or("none".to_owned(), |c| String::from_utf8(c).unwrap()),
            Err(e) => e.to_string(),
        };
        assert_eq!(read("/etc/file", 4), "text");
        assert_eq!(read("/absolute/file", 4), "text");
        assert_eq!(read("/etc/file", 3), "longer than 3 bytes");
        assert_eq!(read("/etc/none", 3), "none");
        assert_eq!(read("/pipe", 3), "not a regular file");
        assert_eq!(read("/etc", 3), "not a regular file");
    }

    #[test]
    fn the_kernels_file_systems_lie_in_ordinary_directories() {
        let (_dir, root, inside) = rooted();
        assert_eq!(place(&root.plain_dir("proc").unwrap()), inside.join("proc"));
        assert_eq!(root.plain_dir("absolute").unwrap_err().to_string(), "must be an ordinary directory");
        assert!(is_in_proc(&Root::at(Path::new("/proc")).unwrap().0).unwrap());
        assert!(!is_in_proc(&root.0).unwrap());
    }
}
