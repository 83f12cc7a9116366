//! Extracting one layer over the layers below it.
//!
//! The layer comes from strangers. Its files go to a private directory that starts empty; each path is walked name by name,
//! and only real directories of that private tree are ever entered for writing. Symbolic links on the way are resolved as a
//! container would, inside the merged tree, and a path or link that climbs out of it ends the extraction.
//!
//! Invariant: `upper` joined with a walked path has no symbolic link before its last name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use super::super::archive::{Archive, Kind, Member, bad_archive};
use super::super::codes::{self, io_error};
use super::Limits;
use super::attributes::{self, Attributes, Losses, Marks};
use super::merged::{Found, child, is_whiteout, look};

const PATH_BYTES_MAX: usize = 4096;
const SYMLINKS_MAX: usize = 40;
const FREE_CHECK_BYTES: u64 = 64 << 20;
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Devices every container has anyway: null, zero, full, random, urandom, tty, console, ptmx.
const HARMLESS_DEVICES: [(u32, u32); 8] = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)];

/// The extraction of one layer.
pub(super) struct Applier<'a> {
    upper: &'a Path,
    /// `upper`, then the layers below, top first.
    roots: Vec<PathBuf>,
    marks: Marks,
    limits: &'a Limits,
    entries: u64,
    unchecked_bytes: u64,
    copied_bytes: u64,
    /// Attributes of directories, set last: until then they must be writable and their times change.
    directories: BTreeMap<PathBuf, Attributes>,
    /// The directory of the last member, as most members share it with the one before.
    last: Option<(Vec<OsString>, Vec<PathBuf>)>,
    losses: Losses,
}

impl<'a> Applier<'a> {
    pub(super) fn new(upper: &'a Path, lower_dirs: &[PathBuf], marks: Marks, limits: &'a Limits) -> Self {
        let roots: Vec<PathBuf> = std::iter::once(upper.to_owned()).chain(lower_dirs.iter().cloned()).collect();
        let root_attributes = lower_dirs
            .first()
            .and_then(|below| fs::symlink_metadata(below).ok().map(|metadata| Attributes::of_file(below, &metadata)))
            .unwrap_or_else(Attributes::of_implied_directory);
        Self {
            upper,
            roots,
            marks,
            limits,
            entries: 0,
            unchecked_bytes: FREE_CHECK_BYTES,
            copied_bytes: 0,
            directories: BTreeMap::from([(upper.to_owned(), root_attributes)]),
            last: None,
            losses: Losses::default(),
        }
    }

    /// Extracts every member.
    pub(super) fn apply<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), Diagnostic> {
        while let Some(member) = archive.next_member()? {
            self.entries += 1;
            if self.entries > self.limits.layer_entries_max {
                return Err(over_limit(&format!("it has more than {} entries", self.limits.layer_entries_max)));
            }
            let parts = parts(&member.path)?;
            match parts.split_last() {
                Some((name, parent)) => self.member(&member, parent, name, archive)?,
                None if member.kind == Kind::Directory => {
                    self.directories.insert(self.upper.to_owned(), Attributes::of_member(&member));
                }
                None => return Err(escape(&member.path, "it would replace the root directory")),
            }
        }
        Ok(())
    }

    /// Sets the attributes of directories; says what could not be kept.
    pub(super) fn finish(mut self) -> Result<Vec<Diagnostic>, Diagnostic> {
        for (path, attributes) in self.directories.iter().rev() {
            attributes.set(path, false, &mut self.losses).map_err(|e| io_error("extract", path, &e))?;
        }
        Ok(self.losses.notes())
    }

    fn member<R: Read>(
        &mut self,
        member: &Member,
        parent: &[&OsStr],
        name: &OsStr,
        archive: &mut Archive<R>,
    ) -> Result<(), Diagnostic> {
        let directories = self.enter(parent, &member.path)?;
        let Some(directory) = directories.first() else { return Ok(()) };
        let path = directory.join(name);
        let fail = |e: io::Error| io_error("extract", &path, &e);
        if let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT) {
            return self.whiteout(&directories, name, OsStr::from_bytes(hidden)).map_err(fail)?;
        }
        if member.kind == Kind::Directory {
            return self.directory(&directories, name, Attributes::of_member(member)).map_err(fail);
        }
        self.clear(&path).map_err(fail)?;
        match member.kind {
            Kind::Directory => {}
            Kind::File => self.file(&path, member, archive)?,
            Kind::Symlink => {
                self.last = None;
                std::os::unix::fs::symlink(OsStr::from_bytes(&member.link), &path).map_err(fail)?;
            }
            Kind::HardLink => return self.hard_link(&path, member),
            Kind::Fifo => attributes::make_fifo(&path).map_err(fail)?,
            Kind::CharDevice | Kind::BlockDevice => {
                let harmless = HARMLESS_DEVICES.contains(&(member.device_major, member.device_minor));
                let made = member.kind == Kind::CharDevice
                    && harmless
                    && attributes::make_char_device(&path, member.device_major, member.device_minor).is_ok();
                if !made {
                    self.losses.add("device files", Path::new(OsStr::from_bytes(&member.path)));
                    return Ok(());
                }
            }
        }
        let attributes = Attributes::of_member(member);
        attributes.set(&path, member.kind == Kind::Symlink, &mut self.losses).map_err(fail)
    }

    /// The merged directory at `parts`, made where it is missing; its first part is in `upper`.
    fn enter(&mut self, parts: &[&OsStr], whole: &[u8]) -> Result<Vec<PathBuf>, Diagnostic> {
        if let Some((known, directories)) = &self.last
            && known.iter().map(OsString::as_os_str).eq(parts.iter().copied())
        {
            return Ok(directories.clone());
        }
        let found = self.walk(parts, whole, true)?.ok_or_else(|| bad_archive("a directory went missing"))?;
        self.last = Some((parts.iter().map(|part| (*part).to_owned()).collect(), found.clone()));
        Ok(found)
    }

    /// Walks to a directory of the merged tree, through symbolic links. With `make`, directories that are missing from
    /// `upper` are made there; without, a missing one gives none.
    fn walk(&mut self, parts: &[&OsStr], whole: &[u8], make: bool) -> Result<Option<Vec<PathBuf>>, Diagnostic> {
        let mut todo: Vec<OsString> = parts.iter().rev().map(|part| (*part).to_owned()).collect();
        let mut above: Vec<Vec<PathBuf>> = Vec::new();
        let mut here = self.roots.clone();
        let mut symlinks = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                here = above.pop().ok_or_else(|| escape(whole, "a symbolic link on its way leaves the image"))?;
                continue;
            }
            let fail = |e: io::Error| io_error("extract", Path::new(OsStr::from_bytes(whole)), &e);
            let next = match child(&here, &name, self.marks).map_err(fail)? {
                Found::Other(path, metadata) if metadata.is_symlink() => {
                    symlinks += 1;
                    if symlinks > SYMLINKS_MAX {
                        return Err(escape(whole, "too many symbolic links are on its way"));
                    }
                    let target = fs::read_link(&path).map_err(fail)?;
                    let target = target.as_os_str().as_bytes();
                    if target.starts_with(b"/") {
                        here = self.roots.clone();
                        above.clear();
                    }
                    let steps = target.split(|byte| *byte == b'/').filter(|step| !step.is_empty() && *step != b".");
                    todo.extend(steps.rev().map(|step| OsStr::from_bytes(step).to_owned()));
                    continue;
                }
                Found::Other(..) => return Err(escape(whole, "a file on its way is no directory")),
                Found::Nothing if !make => return Ok(None),
                Found::Nothing => self.make_directory(&here, &name, &[]).map_err(fail)?,
                Found::Directories(found) => {
                    let ours = found.first().is_some_and(|first| first.starts_with(self.upper));
                    if ours || !make { found } else { self.make_directory(&here, &name, &found).map_err(fail)? }
                }
            };
            above.push(std::mem::replace(&mut here, next));
        }
        Ok(Some(here))
    }

    /// Makes a directory in `upper` that the layer uses without mentioning it, with the attributes it has below.
    fn make_directory(&mut self, here: &[PathBuf], name: &OsStr, below: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
        let attributes = match below.first() {
            Some(path) => Attributes::of_file(path, &fs::symlink_metadata(path)?),
            None => Attributes::of_implied_directory(),
        };
        self.directory(here, name, attributes)?;
        let made = here.first().map(|directory| directory.join(name));
        Ok(made.into_iter().chain(below.iter().cloned()).collect())
    }

    /// Makes or changes a directory in the first of `here`, which lies in `upper`.
    fn directory(&mut self, here: &[PathBuf], name: &OsStr, attributes: Attributes) -> io::Result<()> {
        let Some(path) = here.first().map(|directory| directory.join(name)) else { return Ok(()) };
        match look(&path)? {
            Some(metadata) if metadata.is_dir() => {}
            other => {
                self.last = None;
                if other.is_some() {
                    fs::remove_file(&path)?;
                }
                fs::DirBuilder::new().mode(0o700).create(&path)?;
                // The layer removed what was there before, so that must not show through.
                if other.is_some_and(|metadata| is_whiteout(&metadata)) {
                    self.marks.set_opaque(&path)?;
                }
            }
        }
        self.directories.insert(path, attributes);
        Ok(())
    }

    /// Removes what this layer put at `path` before.
    fn clear(&mut self, path: &Path) -> io::Result<()> {
        let Some(metadata) = look(path)? else { return Ok(()) };
        self.last = None;
        if !metadata.is_dir() {
            return fs::remove_file(path);
        }
        self.directories.retain(|directory, _| !directory.starts_with(path));
        fs::remove_dir_all(path)
    }

    /// Hides what lower layers have under a name, or with the special name, in the whole directory.
    fn whiteout(&mut self, here: &[PathBuf], name: &OsStr, hidden: &OsStr) -> io::Result<Result<(), Diagnostic>> {
        let (Some(directory), below) = (here.first(), here.get(1..).unwrap_or_default()) else { return Ok(Ok(())) };
        if name.as_bytes() == OPAQUE {
            self.last = None;
            if !below.is_empty() {
                self.marks.set_opaque(directory)?;
            }
            return Ok(Ok(()));
        }
        if matches!(hidden.as_bytes(), b"" | b"." | b"..") {
            return Ok(Err(escape(name.as_bytes(), "it names no file")));
        }
        if hidden.as_bytes().starts_with(WHITEOUT) {
            // Bookkeeping of an older union file system.
            return Ok(Ok(()));
        }
        let path = directory.join(hidden);
        let lower = !matches!(child(below, hidden, self.marks)?, Found::Nothing);
        match look(&path)? {
            _ if !lower => {}
            Some(metadata) if metadata.is_dir() => {
                self.last = None;
                self.marks.set_opaque(&path)?;
            }
            Some(_) => {}
            None => {
                self.last = None;
                attributes::make_whiteout(&path)?;
            }
        }
        Ok(Ok(()))
    }

    fn file<R: Read>(&mut self, path: &Path, member: &Member, archive: &mut Archive<R>) -> Result<(), Diagnostic> {
        self.make_room(path, member.size_bytes)?;
        let mut file = create(path).map_err(|e| io_error("extract", path, &e))?;
        match io::copy(archive, &mut file) {
            Ok(_) => Ok(()),
            Err(error) if error.raw_os_error().is_some() => Err(io_error("extract", path, &error)),
            Err(error) => Err(bad_archive(&error.to_string())),
        }
    }

    /// Links to a file of this layer, or copies one of a layer below.
    fn hard_link(&mut self, path: &Path, member: &Member) -> Result<(), Diagnostic> {
        let fail = |e: io::Error| io_error("extract", path, &e);
        let nothing = || {
            let (from, to) = (member.path.escape_ascii(), member.link.escape_ascii());
            bad_archive(&format!("`{from}` is a hard link to `{to}`, which is no file"))
        };
        let parts = parts(&member.link)?;
        let (name, parent) = parts.split_last().ok_or_else(nothing)?;
        let here = self.walk(parent, &member.link, false)?.ok_or_else(nothing)?;
        match child(&here, name, self.marks).map_err(fail)? {
            Found::Other(target, _) if target.starts_with(self.upper) => fs::hard_link(&target, path).map_err(fail),
            Found::Other(target, metadata) if metadata.is_file() => {
                self.copied_bytes = self.copied_bytes.saturating_add(metadata.len());
                if self.copied_bytes > self.limits.layer_bytes_max {
                    return Err(over_limit(&format!("its links copy more than {} bytes", self.limits.layer_bytes_max)));
                }
                self.make_room(path, metadata.len())?;
                let mut from = File::open(&target).map_err(fail)?;
                io::copy(&mut from, &mut create(path).map_err(fail)?).map_err(fail)?;
                Attributes::of_file(&target, &metadata).set(path, false, &mut self.losses).map_err(fail)
            }
            _ => Err(nothing()),
        }
    }

    /// Makes sure that so much more can be written and the file system not be full.
    fn make_room(&mut self, path: &Path, bytes: u64) -> Result<(), Diagnostic> {
        self.unchecked_bytes = self.unchecked_bytes.saturating_add(bytes);
        if self.unchecked_bytes < FREE_CHECK_BYTES {
            return Ok(());
        }
        self.unchecked_bytes = 0;
        require_room(path, bytes, self.limits)
    }
}

/// Makes sure that `bytes` more at `path` leave as much free as the limits say.
pub(crate) fn require_room(path: &Path, bytes: u64, limits: &Limits) -> Result<(), Diagnostic> {
    let directory = path.parent().unwrap_or(path);
    let free = attributes::free_bytes(directory).map_err(|e| io_error("measure", directory, &e))?;
    if free >= bytes.saturating_add(limits.free_bytes_min) {
        return Ok(());
    }
    let min = limits.free_bytes_min;
    Err(over_limit(&format!("its next file has {bytes} bytes, {free} are free and {min} must stay so")))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// The names of a member's path. A leading `/` means the image's root, as everywhere in an image.
fn parts(path: &[u8]) -> Result<Vec<&OsStr>, Diagnostic> {
    if path.len() > PATH_BYTES_MAX {
        return Err(over_limit(&format!(
            "it has a path of {} bytes, at most {PATH_BYTES_MAX} are allowed",
            path.len()
        )));
    }
    if path.contains(&0) {
        return Err(escape(path, "it has a NUL byte"));
    }
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    names
        .map(|name| if name == b".." { Err(escape(path, "it has `..`")) } else { Ok(OsStr::from_bytes(name)) })
        .collect()
}

/// A path that leads where a layer may not write.
fn escape(path: &[u8], why: &str) -> Diagnostic {
    Diagnostic::error(codes::LAYER_ESCAPE, format!("the layer's path `{}` is refused: {why}", path.escape_ascii()))
        .hint("no ordinary tool makes such a layer; do not trust where the image comes from")
}

/// A layer that takes more than it may.
pub(super) fn over_limit(why: &str) -> Diagnostic {
    Diagnostic::error(codes::LAYER_LIMIT, format!("the layer is too large: {why}"))
        .hint("free some space, or make sure that the image is what you expect")
}
