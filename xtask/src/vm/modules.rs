//! Kernel modules: which others one needs, in the order in which they are inserted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of a kernel by name.
#[derive(Debug)]
pub(super) struct Modules {
    files: BTreeMap<String, PathBuf>,
}

impl Modules {
    /// Looks through `kernel/` of a module directory.
    pub(super) fn read(directory: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut directories = vec![directory.join("kernel")];
        while let Some(next) = directories.pop() {
            for path in fs::read_dir(next).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    directories.push(path);
                } else if let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".ko")) {
                    files.insert(name.replace('-', "_"), path.clone());
                }
            }
        }
        Self { files }
    }

    /// The modules below a directory of the kernel's tree, such as `net/netfilter`.
    pub(super) fn below<'a>(&'a self, part: &'a str) -> impl Iterator<Item = &'a str> {
        let part = format!("/kernel/{part}/");
        self.files.iter().filter(move |(_, path)| path.to_string_lossy().contains(&part)).map(|(name, _)| name.as_str())
    }

    /// The files of those modules and of all that they need, needed ones first. A part of the kernel itself has none.
    pub(super) fn with_needs<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<PathBuf>, String> {
        let (mut order, mut seen) = (vec![], BTreeSet::new());
        for name in names {
            self.add(name, &mut order, &mut seen)?;
        }
        Ok(order)
    }

    fn add(&self, name: &str, order: &mut Vec<PathBuf>, seen: &mut BTreeSet<String>) -> Result<(), String> {
        if !seen.insert(name.to_owned()) {
            return Ok(());
        }
        let Some(file) = self.files.get(name) else { return Ok(()) };
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        for needed in needs(&bytes) {
            self.add(&needed, order, seen)?;
        }
        order.push(file.clone());
        Ok(())
    }
}

/// What a module says of itself in `.modinfo`: `depends=a,b-c`.
fn needs(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else { return vec![] };
    let value = module.get(at + KEY.len()..).unwrap_or_default();
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(value).into_owned();
    names.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_modules_come_first_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("kernel/net");
        fs::create_dir_all(&folder).unwrap();
        for (name, depends) in [("a", "b-1,c"), ("b-1", "c"), ("c", "")] {
            fs::write(folder.join(format!("{name}.ko")), format!("x\0depends={depends}\0name={name}\0")).unwrap();
        }
        let modules = Modules::read(dir.path());
        let names = |wanted: &[&str]| -> Vec<String> {
            let files = modules.with_needs(wanted.iter().copied()).unwrap();
            files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&["a", "c"]), ["c", "b-1", "a"]);
        assert_eq!(names(&["built_in"]), Vec::<String>::new());
        assert_eq!(modules.below("net").collect::<Vec<_>>(), ["a", "b_1", "c"]);
    }
}
