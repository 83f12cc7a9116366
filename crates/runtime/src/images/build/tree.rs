//! The files of an image to be built, before any of them is read.
//!
//! Invariant: every node's parent directories are nodes too; nodes are sorted, parents first.
//!
//! Invariant: owner, times and order of what comes out depend on nothing but names, modes and content.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use super::super::archive::{ArchiveWriter, Kind, Member};
use super::super::codes::{self, io_error};
use super::elf::{Bytes, Elf};

const SYMLINKS_MAX: usize = 40;
const DEPTH_MAX: usize = 256;

/// One file, directory or link; its path is its key in the tree.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Directory { mode: u32 },
    File { content: Content, mode: u32 },
    Symlink { target: Vec<u8> },
    HardLink { target: Vec<u8> },
    Fifo { mode: u32 },
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Host { path: PathBuf, metadata: Metadata },
    Bytes(Vec<u8>),
}

/// All of them, by path without a leading `/`.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    /// First path of each file that has several, by device and inode.
    linked: BTreeMap<(u64, u64), Vec<u8>>,
}

impl Tree {
    pub(super) fn get(&self, path: &[u8]) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (&Vec<u8>, &Node)> {
        self.nodes.iter()
    }

    /// Adds a node, its parents as needed.
    pub(super) fn put(&mut self, path: &[u8], node: Node) {
        self.directories_above(path);
        self.nodes.insert(path.to_vec(), node);
    }

    /// Makes the directory at `path` unless something is there.
    pub(super) fn directory(&mut self, path: &[u8], mode: u32) {
        if !path.is_empty() && !self.nodes.contains_key(path) {
            self.put(path, Node::Directory { mode });
        }
    }

    fn directories_above(&mut self, path: &[u8]) {
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = path.get(..at).unwrap_or_default();
            if !self.nodes.contains_key(above) {
                self.nodes.insert(above.to_vec(), Node::Directory { mode: 0o755 });
            }
        }
    }

    /// Adds a file of this machine, whatever its name there.
    pub(super) fn host_file(&mut self, path: &[u8], source: &Path, mode: Option<u32>) -> Result<(), Diagnostic> {
        let metadata = fs::metadata(source).map_err(|e| io_error("read", source, &e))?;
        let mode = mode.unwrap_or(metadata.mode() & 0o7777);
        self.put(path, Node::File { content: Content::Host { path: source.to_owned(), metadata }, mode });
        Ok(())
    }

    /// Adds all that is in a directory of this machine, links as links.
    pub(super) fn host_directory(&mut self, prefix: &[u8], source: &Path, depth: usize) -> Result<(), Diagnostic> {
        if depth > DEPTH_MAX {
            return Err(refuse(source, "lies too deep"));
        }
        let entries = fs::read_dir(source).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|e| io_error("read", source, &e))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let host = entry.path();
            let metadata = fs::symlink_metadata(&host).map_err(|e| io_error("read", &host, &e))?;
            let path = join(prefix, entry.file_name().as_bytes());
            let (kind, mode) = (metadata.file_type(), metadata.mode() & 0o7777);
            if kind.is_dir() {
                self.put(&path, Node::Directory { mode });
                self.host_directory(&path, &host, depth + 1)?;
            } else if kind.is_symlink() {
                let target = fs::read_link(&host).map_err(|e| io_error("read", &host, &e))?;
                self.put(&path, Node::Symlink { target: target.as_os_str().as_bytes().to_vec() });
            } else if kind.is_file() {
                self.put_file(path, host, metadata, mode);
            } else if kind.is_fifo() {
                self.put(&path, Node::Fifo { mode });
            } else {
                return Err(refuse(&host, "is a socket or device"));
            }
        }
        Ok(())
    }

    fn put_file(&mut self, path: Vec<u8>, host: PathBuf, metadata: Metadata, mode: u32) {
        let inode = (metadata.dev(), metadata.ino());
        if metadata.nlink() > 1 {
            if let Some(target) = self.linked.get(&inode).cloned() {
                return self.put(&path, Node::HardLink { target });
            }
            self.linked.insert(inode, path.clone());
        }
        self.put(&path, Node::File { content: Content::Host { path: host, metadata }, mode });
    }

    /// Adds a file of this machine at its own path, and the symbolic links that lead to it there. Where the tree already has
    /// a directory or link in the place of one, the file goes where the tree's own leads.
    pub(super) fn place(&mut self, host: &Path) -> Result<(), Diagnostic> {
        let wrong = |e: io::Error| io_error("read", host, &e);
        let mut todo: Vec<Vec<u8>> = names(host.as_os_str().as_bytes()).rev().collect();
        let (mut host_here, mut here) = (PathBuf::from("/"), Vec::new());
        let mut symlinks = 0;
        while let Some(name) = todo.pop() {
            if name == b".." {
                host_here.pop();
                here.truncate(here.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                continue;
            }
            let next_host = host_here.join(std::ffi::OsStr::from_bytes(&name));
            let next = join(&here, &name);
            let metadata = fs::symlink_metadata(&next_host).map_err(wrong)?;
            if metadata.is_dir() {
                host_here = next_host;
                self.directory(&next, metadata.mode() & 0o7777);
                here = self.resolve(&next).unwrap_or(next);
            } else if metadata.is_symlink() {
                symlinks += 1;
                if symlinks > SYMLINKS_MAX {
                    return Err(refuse(host, "has too many symbolic links on its way"));
                }
                let target = fs::read_link(&next_host).map_err(wrong)?;
                let target = target.as_os_str().as_bytes().to_vec();
                match self.nodes.get(&next) {
                    Some(Node::Symlink { target: known }) if *known == target => {}
                    None => self.put(&next, Node::Symlink { target: target.clone() }),
                    Some(Node::File { .. } | Node::HardLink { .. }) => return Ok(()),
                    Some(_) => {
                        host_here = fs::canonicalize(&next_host).map_err(wrong)?;
                        here = self.resolve(&next).unwrap_or(next);
                        continue;
                    }
                }
                if target.starts_with(b"/") {
                    (host_here, here) = (PathBuf::from("/"), Vec::new());
                }
                todo.extend(names(&target).rev());
            } else if self.resolve(&next).is_none_or(|there| !self.nodes.contains_key(&there)) {
                return self.host_file(&next, &next_host, None);
            } else {
                // The tree's own file wins over this machine's.
                return Ok(());
            }
        }
        Ok(())
    }

    /// The path that is reached by following symbolic links inside the tree; none for one that leads out or in circles.
    pub(super) fn resolve(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut todo: Vec<Vec<u8>> = names(path).rev().collect();
        let mut here: Vec<u8> = Vec::new();
        let mut symlinks = 0;
        while let Some(name) = todo.pop() {
            if name == b".." {
                here.truncate(here.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                continue;
            }
            let next = join(&here, &name);
            match self.nodes.get(&next) {
                Some(Node::Symlink { target }) => {
                    symlinks += 1;
                    if symlinks > SYMLINKS_MAX {
                        return None;
                    }
                    if target.starts_with(b"/") {
                        here.clear();
                    }
                    todo.extend(names(target).rev());
                }
                _ => here = next,
            }
        }
        Some(here)
    }

    /// The first bytes of the file at a path, links followed, and its ELF header where it has one.
    pub(super) fn inspect(&self, path: &[u8]) -> Option<(Vec<u8>, Option<Elf>)> {
        let mut path = self.resolve(path)?;
        if let Some(Node::HardLink { target }) = self.nodes.get(&path) {
            path.clone_from(target);
        }
        let Some(Node::File { content, .. }) = self.nodes.get(&path) else { return None };
        let read = |bytes: &Bytes<'_>| Some((bytes.read(0, 256).ok()?, Elf::read(bytes).ok()?));
        match content {
            Content::Host { path, .. } => read(&Bytes::File(&File::open(path).ok()?)),
            Content::Bytes(bytes) => read(&Bytes::Memory(bytes)),
        }
    }

    /// Writes the layer.
    pub(super) fn write(&self, out: impl Write) -> Result<(), Diagnostic> {
        let mut archive = ArchiveWriter::new(out);
        let failed = |path: &Path, e: &io::Error| io_error("pack", path, e);
        for (path, node) in &self.nodes {
            let shown = Path::new(std::ffi::OsStr::from_bytes(path));
            let mut member = Member { path: path.clone(), ..Member::default() };
            let mut content: Box<dyn Read + '_> = Box::new(io::empty());
            match node {
                Node::Directory { mode } => {
                    member.path.push(b'/');
                    (member.kind, member.mode) = (Kind::Directory, *mode);
                }
                Node::Fifo { mode } => (member.kind, member.mode) = (Kind::Fifo, *mode),
                Node::Symlink { target } => {
                    (member.kind, member.mode) = (Kind::Symlink, 0o777);
                    member.link.clone_from(target);
                }
                Node::HardLink { target } => {
                    (member.kind, member.mode) = (Kind::HardLink, 0o644);
                    member.link.clone_from(target);
                }
                Node::File { content: Content::Bytes(bytes), mode } => {
                    (member.mode, member.size_bytes) = (*mode, bytes.len() as u64);
                    content = Box::new(bytes.as_slice());
                }
                Node::File { content: Content::Host { path, metadata }, mode } => {
                    (member.mode, member.size_bytes) = (*mode, metadata.len());
                    content = Box::new(File::open(path).map_err(|e| io_error("open", path, &e))?);
                }
            }
            archive.add(&member, &mut content).map_err(|e| failed(shown, &e))?;
        }
        archive.finish().map_err(|e| failed(Path::new("layer"), &e)).map(|_| ())
    }
}

/// The names of a path, `.` and empty ones left out.
pub(super) fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").map(<[u8]>::to_vec)
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

fn refuse(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(codes::BUILD_INPUT, format!("`{}` cannot go into an image: it {why}", path.display()))
        .hint("remove it, or build from a copy of the directory without it")
}
