//! Programs of this machine and the libraries they need, put into an image at the same paths.
//!
//! An image has no `/etc/ld.so.cache`, so a library that this machine's loader finds only through its configuration gets a
//! symbolic link beside the loader, where it always looks.
//!
//! Invariant: only copies; what a program opens while it runs (locales, zone data, plug-ins) is the caller's to add.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use super::super::codes::{self, io_error};
use super::libraries::{Library, Search, read_elf};
use super::tree::{Node, Tree, names};

const STANDARD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Top directories that are links on machines which keep everything in `/usr`.
const TOP_LINKS: [&str; 5] = ["bin", "sbin", "lib", "lib32", "lib64"];
const SCRIPT_DEPTH_MAX: usize = 4;

/// Puts the named programs into the tree.
pub(super) fn add(tree: &mut Tree, programs: &[String]) -> Result<(), Diagnostic> {
    if programs.is_empty() {
        return Ok(());
    }
    for name in TOP_LINKS {
        if let (Ok(target), None) = (fs::read_link(Path::new("/").join(name)), tree.get(name.as_bytes())) {
            let directory = names(target.as_os_str().as_bytes()).collect::<Vec<_>>().join(&b'/');
            tree.directory(&directory, 0o755);
            tree.put(name.as_bytes(), Node::Symlink { target: target.as_os_str().as_bytes().to_vec() });
        }
    }
    let mut adder = Adder { tree, search: Search::of_this_machine(), done: BTreeSet::new() };
    for program in programs {
        adder.program(&find(program)?, 0)?;
    }
    Ok(())
}

struct Adder<'a> {
    tree: &'a mut Tree,
    search: Search,
    done: BTreeSet<PathBuf>,
}

impl Adder<'_> {
    fn program(&mut self, path: &Path, depth: usize) -> Result<(), Diagnostic> {
        if !self.done.insert(path.to_owned()) {
            return Ok(());
        }
        self.tree.place(path)?;
        if let Some(words) = script_interpreter(path)? {
            return self.interpreter(path, &words, depth);
        }
        let Some(elf) = read_elf(path)? else {
            return Err(no_program(&path.display().to_string(), "is neither an executable nor a script"));
        };
        let interpreter = elf.interpreter.clone().map(PathBuf::from);
        for library in self.search.closure(path, elf)? {
            self.library(&library, interpreter.as_deref())?;
        }
        interpreter.map_or(Ok(()), |loader| self.tree.place(&loader))
    }

    /// What a script is run by; `/usr/bin/env NAME` stands for the program of that name too.
    fn interpreter(&mut self, script: &Path, words: &[String], depth: usize) -> Result<(), Diagnostic> {
        if depth >= SCRIPT_DEPTH_MAX {
            return Err(no_program(&script.display().to_string(), "is a script run by a script, too many times over"));
        }
        let Some(first) = words.first() else {
            return Err(no_program(&script.display().to_string(), "is a script without an interpreter"));
        };
        self.program(&find(first)?, depth + 1)?;
        if Path::new(first).file_name().is_some_and(|name| name == "env") {
            let named = words.iter().skip(1).find(|word| !word.starts_with('-') && !word.contains('='));
            if let Some(named) = named {
                self.program(&find(named)?, depth + 1)?;
            }
        }
        Ok(())
    }

    fn library(&mut self, library: &Library, loader: Option<&Path>) -> Result<(), Diagnostic> {
        if !self.done.insert(library.path.clone()) {
            return Ok(());
        }
        self.tree.place(&library.path)?;
        let Some(loader_dir) = loader.and_then(real_directory).filter(|_| !library.by_own_path) else { return Ok(()) };
        if real_directory(&library.path).as_ref() != Some(&loader_dir) {
            let link = names(loader_dir.join(&library.name).as_os_str().as_bytes()).collect::<Vec<_>>().join(&b'/');
            if self.tree.get(&link).is_none() {
                self.tree.put(&link, Node::Symlink { target: library.path.as_os_str().as_bytes().to_vec() });
            }
        }
        Ok(())
    }
}

/// The directory that the name itself lies in, links in the directories resolved; for a loader, that of the file it leads to.
fn real_directory(path: &Path) -> Option<PathBuf> {
    let is_loader = path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"ld-"));
    if is_loader {
        fs::canonicalize(path).ok()?.parent().map(Path::to_owned)
    } else {
        fs::canonicalize(path.parent()?).ok()
    }
}

/// Finds a program by its name along `PATH` and the usual directories, or by its absolute path.
fn find(program: &str) -> Result<PathBuf, Diagnostic> {
    if program.contains('/') {
        let path = PathBuf::from(program);
        return match is_executable(&path) {
            true if path.is_absolute() => Ok(path),
            true => Err(no_program(program, "is no absolute path")),
            false => Err(no_program(program, "is no executable file on this machine")),
        };
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let directories = path.split(':').chain(STANDARD_PATH.split(':')).filter(|directory| directory.starts_with('/'));
    let found = directories.map(|directory| Path::new(directory).join(program)).find(|path| is_executable(path));
    found.ok_or_else(|| no_program(program, "is in none of the directories of `PATH`"))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The words after `#!`, where the file starts so.
fn script_interpreter(path: &Path) -> Result<Option<Vec<String>>, Diagnostic> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|e| io_error("open", path, &e))?;
    file.take(256).read_to_end(&mut head).map_err(|e| io_error("read", path, &e))?;
    Ok(interpreter_line(&head))
}

/// The words after `#!` in the first bytes of a file.
pub(super) fn interpreter_line(head: &[u8]) -> Option<Vec<String>> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    Some(String::from_utf8_lossy(line).split_whitespace().map(str::to_owned).collect())
}

fn no_program(program: &str, why: &str) -> Diagnostic {
    Diagnostic::error(codes::NO_PROGRAM, format!("host program `{program}` {why}"))
        .hint("install it here, or give its absolute path in `host_programs`")
}
