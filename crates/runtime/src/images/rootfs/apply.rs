//! Extracting one layer over the layers below it.
//!
//! The layer comes from strangers. Its files go to a private directory that starts empty; each path is walked name by name,
//! and only real directories of that private tree are ever entered for writing. Symbolic links on the way are resolved as a
//! container would, inside the merged tree, and a path or link that climbs out of it ends the extraction.
//!
//! Invariant: `upper` joined with a walked path has no symbolic link before its last name.
//!
//! Invariant: memory does not grow with what the layer holds, but for [`Directories`].

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use super::super::archive::{Archive, Kind, Member, bad_archive, unreadable};
use super::super::codes::{self, io_error};
use super::super::removal::remove_tree;
use super::super::store::Scratch;
use super::Limits;
use super::attributes::{self, Attributes, Losses, Marks};
use super::directories::Directories;
use super::merged::{Found, Place, Tree, UPPER, is_whiteout, look};

const PATH_BYTES_MAX: usize = 4096;
const PATH_NAMES_MAX: usize = 256;
/// Names on the way to one member, with those of the symbolic links on it.
const STEPS_MAX: usize = 1024;
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
    tree: Tree,
    limits: &'a Limits,
    entries: u64,
    unchecked_bytes: u64,
    copied_bytes: u64,
    /// What directories get last: until then they must be writable and their times change.
    directories: Directories,
    /// The directory of the last member, as most members share it with the one before.
    last: Option<(Vec<OsString>, Place)>,
    losses: Losses,
}

impl<'a> Applier<'a> {
    pub(super) fn new(
        upper: &'a Path,
        lower_dirs: &[PathBuf],
        marks: Marks,
        limits: &'a Limits,
        scratch: &Scratch,
    ) -> Result<Self, Diagnostic> {
        let roots: Vec<PathBuf> = std::iter::once(upper.to_owned()).chain(lower_dirs.iter().cloned()).collect();
        let mut applier = Self {
            upper,
            tree: Tree::new(roots, marks),
            limits,
            entries: 0,
            unchecked_bytes: FREE_CHECK_BYTES,
            copied_bytes: 0,
            directories: Directories::new(scratch, limits.layer_directories_max)?,
            last: None,
            losses: Losses::default(),
        };
        let below = lower_dirs.first().and_then(|below| Some((below, fs::symlink_metadata(below).ok()?)));
        match below {
            Some((below, metadata)) => {
                applier.dress(upper, Attributes::of_file(&metadata))?;
                attributes::copy_xattrs(below, upper, &mut applier.losses)
                    .map_err(|e| io_error("extract", upper, &e))?;
            }
            None => applier.dress(upper, Attributes::of_implied_directory())?,
        }
        Ok(applier)
    }

    /// Extracts every member.
    pub(super) fn apply<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), Diagnostic> {
        while let Some(member) = archive.next_member()? {
            self.count()?;
            let parts = parts(&member.path)?;
            if member.link.len() >= PATH_BYTES_MAX {
                return Err(over_limit(&format!(
                    "it has a link to a path of {} bytes, fewer than {PATH_BYTES_MAX} are allowed",
                    member.link.len()
                )));
            }
            match parts.split_last() {
                Some((name, parent)) => self.member(&member, parent, name, archive)?,
                None if member.kind == Kind::Directory => {
                    self.dress(self.upper, Attributes::of_member(&member))?;
                    let dressed = attributes::set_xattrs(self.upper, &member, &mut self.losses);
                    dressed.map_err(|e| io_error("extract", self.upper, &e))?;
                }
                None => return Err(escape(&member.path, "it would replace the root directory")),
            }
        }
        Ok(())
    }

    /// Sets the modes and times of directories; says what could not be kept.
    pub(super) fn finish(self) -> Result<Vec<Diagnostic>, Diagnostic> {
        self.directories.finish(self.upper)?;
        Ok(self.losses.notes())
    }

    /// One more of what is bounded: a member, or a directory that none mentions.
    fn count(&mut self) -> Result<(), Diagnostic> {
        self.entries += 1;
        if self.entries > self.limits.layer_entries_max {
            return Err(over_limit(&format!("it has more than {} entries", self.limits.layer_entries_max)));
        }
        Ok(())
    }

    fn member<R: Read>(
        &mut self,
        member: &Member,
        parent: &[&OsStr],
        name: &OsStr,
        archive: &mut Archive<R>,
    ) -> Result<(), Diagnostic> {
        let place = self.enter(parent, &member.path)?;
        let path = self.tree.path(UPPER, &place, name);
        let fail = |e: io::Error| io_error("extract", &path, &e);
        if let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT) {
            return self.whiteout(&place, name, OsStr::from_bytes(hidden)).map_err(fail)?;
        }
        if member.kind == Kind::Directory {
            self.directory(&place, name, Attributes::of_member(member))?;
            return attributes::set_xattrs(&path, member, &mut self.losses).map_err(fail);
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
        let mode = attributes.set_owner(&path, &mut self.losses).map_err(fail)?;
        attributes::set_xattrs(&path, member, &mut self.losses).map_err(fail)?;
        attributes.set_mode_and_time(&path, mode, member.kind == Kind::Symlink).map_err(fail)
    }

    /// The merged directory at `parts`, made where it is missing; `upper` has a part in it.
    fn enter(&mut self, parts: &[&OsStr], whole: &[u8]) -> Result<Place, Diagnostic> {
        if let Some((known, place)) = &self.last
            && known.iter().map(OsString::as_os_str).eq(parts.iter().copied())
        {
            return Ok(place.clone());
        }
        let found = self.walk(parts, whole, true)?.ok_or_else(|| bad_archive("a directory went missing"))?;
        self.last = Some((parts.iter().map(|part| (*part).to_owned()).collect(), found.clone()));
        Ok(found)
    }

    /// Walks to a directory of the merged tree, through symbolic links. With `make`, directories that are missing from
    /// `upper` are made there; without, a missing one gives none.
    fn walk(&mut self, parts: &[&OsStr], whole: &[u8], make: bool) -> Result<Option<Place>, Diagnostic> {
        let mut todo: Vec<OsString> = parts.iter().rev().map(|part| (*part).to_owned()).collect();
        let mut above: Vec<Vec<u16>> = Vec::new();
        let mut here = self.tree.root();
        let (mut symlinks, mut steps) = (0, 0);
        while let Some(name) = todo.pop() {
            steps += 1;
            if steps > STEPS_MAX {
                let path = whole.escape_ascii();
                return Err(over_limit(&format!(
                    "its path `{path}` leads through more than {STEPS_MAX} names, with those of the symbolic links on it"
                )));
            }
            if name == ".." {
                here.layers =
                    above.pop().ok_or_else(|| escape(whole, "a symbolic link on its way leaves the image"))?;
                here.path.pop();
                continue;
            }
            let fail = |e: io::Error| io_error("extract", Path::new(OsStr::from_bytes(whole)), &e);
            let layers = match self.tree.child(&here, &here.layers, &name).map_err(fail)? {
                Found::Other { path, metadata, .. } if metadata.is_symlink() => {
                    symlinks += 1;
                    if symlinks > SYMLINKS_MAX {
                        return Err(escape(whole, "too many symbolic links are on its way"));
                    }
                    let target = fs::read_link(&path).map_err(fail)?;
                    let target = target.as_os_str().as_bytes();
                    if target.starts_with(b"/") {
                        here = self.tree.root();
                        above.clear();
                    }
                    let steps = target.split(|byte| *byte == b'/').filter(|step| !step.is_empty() && *step != b".");
                    todo.extend(steps.rev().map(|step| OsStr::from_bytes(step).to_owned()));
                    continue;
                }
                Found::Other { .. } => return Err(escape(whole, "a file on its way is no directory")),
                Found::Nothing if !make => return Ok(None),
                Found::Nothing => self.make_directory(&here, &name, vec![])?,
                Found::Directory(found) if found.first() == Some(&UPPER) || !make => found,
                Found::Directory(found) => self.make_directory(&here, &name, found)?,
            };
            above.push(std::mem::replace(&mut here.layers, layers));
            here.path.push(name);
        }
        Ok(Some(here))
    }

    /// Makes a directory in `upper` that the layer uses without mentioning it, with the attributes it has below.
    fn make_directory(&mut self, place: &Place, name: &OsStr, below: Vec<u16>) -> Result<Vec<u16>, Diagnostic> {
        self.count()?;
        let path = self.tree.path(UPPER, place, name);
        let fail = |e: io::Error| io_error("extract", &path, &e);
        match below.first().map(|layer| self.tree.path(*layer, place, name)) {
            Some(lower) => {
                let metadata = fs::symlink_metadata(&lower).map_err(fail)?;
                self.directory(place, name, Attributes::of_file(&metadata))?;
                attributes::copy_xattrs(&lower, &path, &mut self.losses).map_err(fail)?;
            }
            None => self.directory(place, name, Attributes::of_implied_directory())?,
        }
        Ok(std::iter::once(UPPER).chain(below).collect())
    }

    /// Makes or changes a directory of `upper`.
    fn directory(&mut self, place: &Place, name: &OsStr, attributes: Attributes) -> Result<(), Diagnostic> {
        let path = self.tree.path(UPPER, place, name);
        let fail = |e: io::Error| io_error("extract", &path, &e);
        match look(&path).map_err(fail)? {
            Some(metadata) if metadata.is_dir() => {}
            other => {
                self.last = None;
                if other.is_some() {
                    fs::remove_file(&path).map_err(fail)?;
                }
                let inside = place.path.join(name);
                self.make_room(&path, inside.as_os_str().len() as u64)?;
                fs::DirBuilder::new().mode(0o700).create(&path).map_err(fail)?;
                self.directories.made(&inside)?;
                // The layer removed what was there before, so that must not show through.
                if other.is_some_and(|metadata| is_whiteout(&metadata)) {
                    self.tree.marks().set_opaque(&path).map_err(fail)?;
                }
            }
        }
        self.dress(&path, attributes)
    }

    /// Gives a directory its owner now, its mode and time when everything is in it.
    fn dress(&mut self, path: &Path, attributes: Attributes) -> Result<(), Diagnostic> {
        let mode = attributes.set_owner(path, &mut self.losses).map_err(|e| io_error("extract", path, &e))?;
        self.directories.set(path, mode, attributes.mtime_s, attributes.mtime_ns)
    }

    /// Removes what this layer put at `path` before.
    fn clear(&mut self, path: &Path) -> io::Result<()> {
        let Some(metadata) = look(path)? else { return Ok(()) };
        self.last = None;
        if metadata.is_dir() { remove_tree(path) } else { fs::remove_file(path) }
    }

    /// Hides what lower layers have under a name, or with the special name, in the whole directory.
    fn whiteout(&mut self, place: &Place, name: &OsStr, hidden: &OsStr) -> io::Result<Result<(), Diagnostic>> {
        let below = place.layers.get(1..).unwrap_or_default();
        if name.as_bytes() == OPAQUE {
            self.last = None;
            if !below.is_empty() {
                self.tree.marks().set_opaque(&self.tree.path(UPPER, place, OsStr::new("")))?;
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
        let path = self.tree.path(UPPER, place, hidden);
        let lower = !matches!(self.tree.child(place, below, hidden)?, Found::Nothing);
        match look(&path)? {
            _ if !lower => {}
            Some(metadata) if metadata.is_dir() => {
                self.last = None;
                self.tree.marks().set_opaque(&path)?;
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
            Err(error) => Err(unreadable(&error)),
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
        match self.tree.child(&here, &here.layers, name).map_err(fail)? {
            Found::Other { layer: UPPER, path: target, .. } => fs::hard_link(&target, path).map_err(fail),
            Found::Other { path: target, metadata, .. } if metadata.is_file() => {
                self.copied_bytes = self.copied_bytes.saturating_add(metadata.len());
                if self.copied_bytes > self.limits.layer_bytes_max {
                    return Err(over_limit(&format!("its links copy more than {} bytes", self.limits.layer_bytes_max)));
                }
                self.make_room(path, metadata.len())?;
                let mut from = File::open(&target).map_err(fail)?;
                io::copy(&mut from, &mut create(path).map_err(fail)?).map_err(fail)?;
                let attributes = Attributes::of_file(&metadata);
                let mode = attributes.set_owner(path, &mut self.losses).map_err(fail)?;
                attributes::copy_xattrs(&target, path, &mut self.losses).map_err(fail)?;
                attributes.set_mode_and_time(path, mode, false).map_err(fail)
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
    let count = names.clone().count();
    if count > PATH_NAMES_MAX {
        return Err(over_limit(&format!("it has a path of {count} names, at most {PATH_NAMES_MAX} are allowed")));
    }
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
