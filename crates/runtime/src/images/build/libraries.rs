//! Which files the dynamic loader of this machine would load for a program.
//!
//! Follows the loader's order: `DT_RPATH` of the object and of those that loaded it, `DT_RUNPATH`, the directories of
//! `/etc/ld.so.conf`, the default directories. `LD_LIBRARY_PATH` is left out: it is not part of the program.
//!
//! Invariant: reads files, runs nothing. Libraries a program opens by name while it runs are not found.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use super::super::codes::{self, io_error};
use super::elf::{Bytes, Elf};

const CONF: &str = "/etc/ld.so.conf";
const CONF_DEPTH_MAX: usize = 8;
const DEFAULT_DIRECTORIES: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// A library that a program needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    /// The name it is needed by.
    pub(super) name: String,
    /// Where the loader finds it, symbolic links not resolved.
    pub(super) path: PathBuf,
    /// Whether the loader finds it there by a search path in the program itself.
    pub(super) by_own_path: bool,
}

/// The search of this machine's loader.
#[derive(Debug)]
pub(super) struct Search {
    configured: Vec<PathBuf>,
}

/// A loaded object: where it is, and the old-style search paths in force for what it needs.
struct Object {
    path: PathBuf,
    elf: Elf,
    inherited: Vec<PathBuf>,
}

impl Search {
    /// Reads the loader's configuration.
    pub(super) fn of_this_machine() -> Self {
        let mut configured = Vec::new();
        read_conf(Path::new(CONF), 0, &mut configured);
        Self { configured }
    }

    /// Everything the program at `path` needs, directly or through other libraries, in the order of loading.
    pub(super) fn closure(&self, path: &Path, elf: Elf) -> Result<Vec<Library>, Diagnostic> {
        let mut libraries: Vec<Library> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut queue = VecDeque::from([Object { path: path.to_owned(), elf, inherited: vec![] }]);
        while let Some(object) = queue.pop_front() {
            let own = object.own_directories();
            for name in &object.elf.needed {
                if !seen.insert(name.clone()) {
                    continue;
                }
                let Some((library, elf)) = self.find(name, &object, &own) else {
                    return Err(missing(path, &object.path, name));
                };
                // The loader itself is listed by some libraries and searched like any other.
                let inherited = object.inherited.iter().chain(&own).cloned().collect();
                queue.push_back(Object { path: library.path.clone(), elf, inherited });
                libraries.push(library);
            }
        }
        Ok(libraries)
    }

    fn find(&self, name: &str, object: &Object, own: &[PathBuf]) -> Option<(Library, Elf)> {
        let found = |path: PathBuf, by_own_path: bool| {
            let elf = read_elf(&path).ok().flatten().filter(|elf| elf.fits(&object.elf))?;
            Some((Library { name: name.to_owned(), path, by_own_path }, elf))
        };
        if name.contains('/') {
            return found(PathBuf::from(name), true);
        }
        let in_directories = |directories: &[PathBuf], by_own_path: bool| {
            directories.iter().find_map(|directory| found(directory.join(name), by_own_path))
        };
        let uses_runpath = !object.elf.runpath.is_empty();
        let inherited = if uses_runpath { &[][..] } else { object.inherited.as_slice() };
        let runpath = if uses_runpath { expand(&object.elf.runpath, &object.path, &object.elf) } else { vec![] };
        in_directories(own, true)
            .or_else(|| in_directories(inherited, true))
            .or_else(|| in_directories(&runpath, true))
            .or_else(|| in_directories(&self.configured, false))
            .or_else(|| in_directories(&default_directories(&object.elf), false))
    }
}

impl Object {
    /// Its `DT_RPATH`, which `DT_RUNPATH` disables.
    fn own_directories(&self) -> Vec<PathBuf> {
        if self.elf.runpath.is_empty() { expand(&self.elf.rpath, &self.path, &self.elf) } else { vec![] }
    }
}

/// Reads the ELF header of a file; none if it is something else.
pub(super) fn read_elf(path: &Path) -> Result<Option<Elf>, Diagnostic> {
    let file = File::open(path).map_err(|e| io_error("open", path, &e))?;
    Elf::read(&Bytes::File(&file)).map_err(|e| io_error("read", path, &e))
}

fn triple(elf: &Elf) -> &'static str {
    match elf.architecture() {
        Some("amd64") => "x86_64-linux-gnu",
        Some("arm64") => "aarch64-linux-gnu",
        Some("386") => "i386-linux-gnu",
        Some("arm") => "arm-linux-gnueabihf",
        Some("riscv64") => "riscv64-linux-gnu",
        Some("s390x") => "s390x-linux-gnu",
        Some("ppc64le") => "powerpc64le-linux-gnu",
        _ => "linux-gnu",
    }
}

fn default_directories(elf: &Elf) -> Vec<PathBuf> {
    let multiarch = ["/lib", "/usr/lib"].map(|directory| Path::new(directory).join(triple(elf)));
    multiarch.into_iter().chain(DEFAULT_DIRECTORIES.map(PathBuf::from)).collect()
}

/// Search paths with `$ORIGIN` and `$LIB` filled in; others cannot be known here and are left out.
fn expand(directories: &[String], object: &Path, elf: &Elf) -> Vec<PathBuf> {
    let real = fs::canonicalize(object).unwrap_or_else(|_| object.to_owned());
    let origin = real.parent().map(|parent| parent.display().to_string()).unwrap_or_default();
    let library = format!("lib/{}", triple(elf));
    let fill = |directory: &String| {
        directory
            .replace("${ORIGIN}", &origin)
            .replace("$ORIGIN", &origin)
            .replace("${LIB}", &library)
            .replace("$LIB", &library)
    };
    directories.iter().map(fill).filter(|d| !d.contains('$') && d.starts_with('/')).map(PathBuf::from).collect()
}

/// Takes in the directories of a configuration file and of those it includes.
fn read_conf(path: &Path, depth: usize, directories: &mut Vec<PathBuf>) {
    let Ok(text) = fs::read_to_string(path) else { return };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line.strip_prefix("include").filter(|rest| rest.starts_with([' ', '\t'])) {
            Some(pattern) if depth < CONF_DEPTH_MAX => {
                let base = path.parent().unwrap_or(Path::new("/"));
                for included in matching(&base.join(pattern.trim())) {
                    read_conf(&included, depth + 1, directories);
                }
            }
            Some(_) => {}
            None if line.starts_with('/') => directories.push(PathBuf::from(line)),
            None => {}
        }
    }
}

/// The files that a pattern with at most one `*`, in its last part, stands for, sorted.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((before, after)) = name.split_once('*') else { return vec![pattern.to_owned()] };
    let directory = pattern.parent().unwrap_or(Path::new("/"));
    let fits = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(fits).collect();
    paths.sort();
    paths
}

fn missing(program: &Path, object: &Path, name: &str) -> Diagnostic {
    let problem = Diagnostic::error(
        codes::NO_LIBRARY,
        format!("`{}` needs the shared library `{name}`, which is not on this machine", program.display()),
    )
    .hint("install the package that has it, or leave the program out of `host_programs`");
    if program == object { problem } else { problem.detail(format!("through `{}`", object.display())) }
}
