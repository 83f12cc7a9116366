//! A crate's modules, and which file a path leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::Ties;
use super::module::{self, Module};
use super::paths::Segments;

/// Imports that lead to imports; a chain this long leads in a circle.
const HOPS_MAX: usize = 16;

/// The modules of a crate by their path.
pub(super) struct Crate {
    modules: BTreeMap<Segments, Module>,
}

/// What a path leads to.
enum Target {
    /// Something in a file.
    File(String),
    /// A module as such.
    Module(Segments),
    /// Something of another crate.
    Elsewhere,
}

impl Crate {
    /// Reads the crate that begins in `start`.
    pub(super) fn read(files: &BTreeMap<String, String>, start: &str) -> Result<Self, String> {
        let mut modules = vec![];
        let mut ahead = vec![(start.to_owned(), vec![])];
        while let Some((file, path)) = ahead.pop() {
            let Some(text) = files.get(&file) else { continue };
            let items = syn::parse_file(text).map_err(|error| format!("{file}: cannot be read: {error}"))?.items;
            let mut elsewhere = vec![];
            module::read(&file, path, &items, &mut modules, &mut elsewhere);
            for path in elsewhere {
                let place = path.join("/");
                let there =
                    [format!("{place}.rs"), format!("{place}/mod.rs")].into_iter().find(|it| files.contains_key(it));
                ahead.push((
                    there.ok_or_else(|| format!("{file}: the module `{place}` has no file of its name"))?,
                    path,
                ));
            }
        }
        Ok(Self { modules: modules.into_iter().map(|module| (module.path.clone(), module)).collect() })
    }

    /// Which file takes what from which other.
    pub(super) fn ties(&self) -> Ties {
        let mut ties = Ties::new();
        let mut tie = |module: &Module, file: String, name: Option<&String>| {
            if file != module.file && !self.is_above(&file, module) {
                let names: &mut BTreeSet<String> = ties.entry((module.file.clone(), file)).or_default();
                names.extend(name.cloned());
            }
        };
        for module in self.modules.values() {
            for path in &module.paths {
                if let Target::File(file) = self.target(module, path, 0) {
                    tie(module, file, path.last());
                }
            }
            for glob in &module.globs {
                match self.target(module, glob, 0) {
                    Target::File(file) => tie(module, file, glob.last()),
                    Target::Module(path) => {
                        for file in self.handed_on(&path) {
                            tie(module, file, Some(&"*".to_owned()));
                        }
                    }
                    Target::Elsewhere => {}
                }
            }
        }
        ties
    }

    /// Whether a file is that of a module around this one.
    fn is_above(&self, file: &str, module: &Module) -> bool {
        let around = (0..module.path.len()).filter_map(|length| self.modules.get(module.path.get(..length)?));
        around.into_iter().any(|it| it.file == file)
    }

    /// The files of everything a module has to give.
    fn handed_on(&self, path: &[String]) -> BTreeSet<String> {
        let Some(module) = self.modules.get(path) else { return BTreeSet::new() };
        let imported = module.imports.values().filter_map(|path| match self.target(module, path, 0) {
            Target::File(file) => Some(file),
            Target::Module(_) | Target::Elsewhere => None,
        });
        imported.chain([module.file.clone()]).collect()
    }

    /// Where a path in a module leads.
    fn target(&self, module: &Module, path: &[String], hops: usize) -> Target {
        let Some((first, rest)) = path.split_first() else { return Target::Module(module.path.clone()) };
        let rest = rest.to_vec();
        let above =
            |count: usize| module.path.get(..module.path.len().saturating_sub(count)).unwrap_or_default().to_vec();
        match first.as_str() {
            "crate" => self.follow(vec![], &rest, hops),
            "self" => self.follow(module.path.clone(), &rest, hops),
            "super" => {
                let more = rest.iter().take_while(|segment| *segment == "super").count();
                self.follow(above(more + 1), rest.get(more..).unwrap_or_default(), hops)
            }
            name if module.children.contains(name) || module.defines.contains(name) => {
                self.follow(module.path.clone(), path, hops)
            }
            name => match module.imports.get(name).filter(|import| import.as_slice() != path && hops < HOPS_MAX) {
                Some(import) => self.target(module, &[import.as_slice(), &rest].concat(), hops + 1),
                None => Target::Elsewhere,
            },
        }
    }

    /// Goes down from a module as far as there are modules, then through what is handed on there.
    fn follow(&self, mut place: Segments, path: &[String], hops: usize) -> Target {
        let mut rest = path;
        while let Some((name, after)) = rest.split_first() {
            let child = [place.as_slice(), std::slice::from_ref(name)].concat();
            if !self.modules.contains_key(&child) {
                break;
            }
            place = child;
            rest = after;
        }
        let (Some(module), Some(name)) = (self.modules.get(&place), rest.first()) else { return Target::Module(place) };
        if name == "*" {
            return Target::Module(place);
        }
        if !module.defines.contains(name) && hops < HOPS_MAX {
            if let Some(import) = module.imports.get(name) {
                let onwards = [import.as_slice(), rest.get(1..).unwrap_or_default()].concat();
                return self.target(module, &onwards, hops + 1);
            }
            for glob in &module.globs {
                if let Target::Module(there) = self.target(module, glob, hops + 1)
                    && self.modules.get(&there).is_some_and(|it| it.gives(name, module))
                {
                    return self.follow(there, rest, hops + 1);
                }
            }
        }
        Target::File(module.file.clone())
    }
}
