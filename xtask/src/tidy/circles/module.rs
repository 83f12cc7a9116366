//! What a module of a crate defines, imports and names.
//!
//! Invariant: what stands under `#[cfg(test)]` is not read, nor is a file that `#[path]` brings in from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;
use syn::{Item, UseTree, Visibility};

use super::paths::{Segments, paths};

/// A module, of a file or inline.
#[derive(Default)]
pub(super) struct Module {
    /// The file it stands in.
    pub(super) file: String,
    /// Where it is in the crate.
    pub(super) path: Segments,
    /// The modules inside.
    pub(super) children: BTreeSet<String>,
    /// The names of its items.
    pub(super) defines: BTreeSet<String>,
    /// The names it imports, as the path each stands for says it.
    pub(super) imports: BTreeMap<String, Segments>,
    /// Those of them that it hands on.
    pub(super) hands_on: BTreeSet<String>,
    /// Modules and enums whose names it imports all.
    pub(super) globs: Vec<Segments>,
    /// The paths in its code, imports included.
    pub(super) paths: Vec<Segments>,
}

impl Module {
    /// Whether `use …::*` of this module gives another one a name: children see what it imports for itself, too.
    pub(super) fn gives(&self, name: &str, to: &Module) -> bool {
        let inside = to.path.starts_with(&self.path);
        self.defines.contains(name) || self.hands_on.contains(name) || (inside && self.imports.contains_key(name))
    }
}

/// The module with these items and the inline modules in it, and the files of those that stand elsewhere.
pub(super) fn read(
    file: &str,
    path: Segments,
    items: &[Item],
    modules: &mut Vec<Module>,
    elsewhere: &mut Vec<Segments>,
) {
    let mut module = Module { file: file.to_owned(), path, ..Module::default() };
    for item in items.iter().filter(|item| !only_for_tests(item)) {
        match item {
            Item::Mod(child) if child.attrs.iter().any(|attribute| attribute.path().is_ident("path")) => {}
            Item::Mod(child) => {
                let name = child.ident.to_string();
                let place = [module.path.as_slice(), std::slice::from_ref(&name)].concat();
                module.children.insert(name);
                match &child.content {
                    Some((_, items)) => read(file, place, items, modules, elsewhere),
                    None => elsewhere.push(place),
                }
            }
            Item::Use(import) => {
                let before: BTreeSet<String> = module.imports.keys().cloned().collect();
                imports(&mut vec![], &import.tree, &mut module);
                if !matches!(import.vis, Visibility::Inherited) {
                    module.hands_on.extend(module.imports.keys().filter(|name| !before.contains(*name)).cloned());
                }
            }
            item => {
                module.defines.extend(name_of(item));
                module.paths.extend(paths(item.to_token_stream()));
            }
        }
    }
    modules.push(module);
}

fn imports(prefix: &mut Segments, tree: &UseTree, module: &mut Module) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            imports(prefix, &path.tree, module);
            prefix.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            if let Some(last) = prefix.last() {
                module.imports.insert(last.clone(), prefix.clone());
            }
        }
        UseTree::Name(name) => import(prefix, &name.ident.to_string(), &name.ident.to_string(), module),
        UseTree::Rename(rename) => import(prefix, &rename.ident.to_string(), &rename.rename.to_string(), module),
        UseTree::Glob(_) => module.globs.push(prefix.clone()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| imports(prefix, tree, module)),
    }
}

fn import(prefix: &[String], name: &str, known_as: &str, module: &mut Module) {
    let path = if name == "self" { prefix.to_vec() } else { [prefix, &[name.to_owned()]].concat() };
    module.paths.push(path.clone());
    module.imports.insert(known_as.to_owned(), path);
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::TraitAlias(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

fn only_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => return false,
    };
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.map(|attribute| attribute.meta.to_token_stream().to_string()).any(|text| {
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        words.contains(&"test") && !words.contains(&"not")
    })
}
