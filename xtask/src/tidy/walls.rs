//! Who must not know whom, as ARCHITECTURE.md's table says it.
//!
//! Invariant: the table is the one list: a crate without a row, a row without a crate and a word that means nothing here are
//! findings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::{dependencies, manifests};

/// What the words of the table stand for, where they are not the names of crates.
const WORDS: [(&str, &[&str]); 7] = [
    ("IO", &["tokio", "hyper", "rusqlite", "rustix", "libc"]),
    ("HTTP", &["hyper", "hyper-util", "http-body-util"]),
    ("tokio", &["tokio"]),
    ("sockets", &["tokio", "hyper"]),
    ("bytes", &["neargate-wire"]),
    ("protocols", &["neargate-wire", "hyper"]),
    ("containers", &["neargate-runtime"]),
];

/// The half that runs templates, its services apart.
const RUN_HALF: [&str; 8] = ["api", "decide", "shape", "wire", "blobs", "kernel", "runtime", "engine"];

/// A dependency that a crate must not have.
type Wall = Box<dyn Fn(&str) -> bool>;

/// A finding for each dependency that goes through a wall, and for each crate that has none.
pub(super) fn check_walls(root: &Path) -> Vec<String> {
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    let crates: BTreeMap<String, PathBuf> = manifests(root).into_iter().filter_map(named).collect();
    let services: Vec<String> = crates
        .iter()
        .filter(|(_, path)| path.starts_with(root.join("crates/services")))
        .map(|it| it.0.clone())
        .collect();
    let mut findings = vec![];
    let mut seen = vec![];
    for (names, cell) in rows(&map) {
        for name in names {
            let Some(manifest) = crates.get(&name) else {
                findings.push(format!("ARCHITECTURE.md: there is no crate `{name}`"));
                continue;
            };
            let walls = walls(&name, &cell, &crates, &services);
            findings.extend(walls.iter().filter_map(|it| it.as_ref().err()).map(|word| {
                format!(
                    "ARCHITECTURE.md: `{name}` must not know `{word}`, which is no crate and no word that xtask knows"
                )
            }));
            let walls: Vec<Wall> = walls.into_iter().flatten().collect();
            let broken = dependencies(manifest).into_iter().filter(|it| walls.iter().any(|wall| wall(it)));
            let shown = manifest.strip_prefix(root).unwrap_or(manifest).display();
            findings.extend(broken.map(|it| format!("{shown}: must not know `{it}`, says ARCHITECTURE.md")));
            seen.push(name);
        }
    }
    let missing = crates.keys().filter(|name| !seen.contains(name));
    findings.extend(missing.map(|name| format!("ARCHITECTURE.md: the crate `{name}` has no row in the table")));
    findings
}

/// A crate's name on the map, which is that of its folder.
fn named(manifest: PathBuf) -> Option<(String, PathBuf)> {
    Some((manifest.parent()?.file_name()?.to_str()?.to_owned(), manifest))
}

/// The table's rows: the crates that each is about, and what they must not know.
fn rows(map: &str) -> Vec<(Vec<String>, String)> {
    let table = map.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let names = cells.first()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((names, cells.last()?.trim().to_owned()))
    });
    rows.collect()
}

/// The walls of a crate; `Err` has a word that means nothing.
fn walls(name: &str, cell: &str, crates: &BTreeMap<String, PathBuf>, services: &[String]) -> Vec<Result<Wall, String>> {
    let cell = cell.replace("**", "");
    let words = cell.split(',').map(str::trim).filter(|word| !word.is_empty());
    let wall = |word: &str| -> Result<Wall, String> {
        if let Some(but) = word.strip_prefix("any other crate of ours") {
            let but: Vec<String> = but.split('`').skip(1).step_by(2).map(|name| format!("neargate-{name}")).collect();
            return Ok(Box::new(move |it: &str| it.starts_with("neargate") && !but.iter().any(|name| name == it)));
        }
        let plain = word.trim_matches('`');
        let barred: Vec<String> = match plain {
            "services" => ours(services),
            "any sibling" => ours(services).into_iter().filter(|it| *it != format!("neargate-{name}")).collect(),
            "the run half" => ours(services).into_iter().chain(RUN_HALF.map(|it| format!("neargate-{it}"))).collect(),
            _ => match WORDS.iter().find(|(known, _)| *known == plain) {
                Some((_, names)) => names.iter().map(|name| (*name).to_owned()).collect(),
                None if crates.contains_key(plain) => vec![format!("neargate-{plain}")],
                None => return Err(plain.to_owned()),
            },
        };
        Ok(Box::new(move |it: &str| barred.iter().any(|name| name == it)))
    };
    words.map(wall).collect()
}

fn ours(services: &[String]) -> Vec<String> {
    services.iter().map(|name| format!("neargate-{name}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{rows, walls};

    fn barred(name: &str, cell: &str, dependency: &str) -> bool {
        let crates: BTreeMap<_, _> = [("l1".to_owned(), "crates/l1/Cargo.toml".into())].into_iter().collect();
        let services = ["ecs".to_owned(), "iam".to_owned()];
        let walls = walls(name, cell, &crates, &services);
        walls.into_iter().any(|wall| wall.is_ok_and(|wall| wall(dependency)))
    }

    #[test]
    fn the_table_says_who_must_not_know_whom() {
        let map = "text\n\n| crate | one line | must not know |\n|---|---|---|\n| `a` `b` | x | HTTP, `l1` |\n| `c` | y | |\n\nmore\n";
        assert_eq!(
            rows(map),
            [(vec!["a".to_owned(), "b".to_owned()], "HTTP, `l1`".to_owned()), (vec!["c".to_owned()], String::new())]
        );
        for (name, cell, dependency, expected) in [
            ("a", "any other crate of ours", "neargate-base", true),
            ("a", "any other crate of ours but `base`", "neargate-base", false),
            ("a", "any other crate of ours but `base`", "neargate-shape", true),
            ("a", "any other crate of ours", "serde", false),
            ("ecs", "HTTP, tokio, **any sibling**", "neargate-iam", true),
            ("ecs", "HTTP, tokio, **any sibling**", "neargate-ecs", false),
            ("ecs", "HTTP, tokio, **any sibling**", "hyper", true),
            ("a", "the run half", "neargate-kernel", true),
            ("a", "the run half", "neargate-template", false),
            ("a", "l1", "neargate-l1", true),
            ("a", "", "neargate-l1", false),
        ] {
            assert_eq!(barred(name, cell, dependency), expected, "{name} | {cell} | {dependency}");
        }
    }

    #[test]
    fn a_word_that_means_nothing_is_found() {
        let unknown = walls("a", "tokio, mischief", &BTreeMap::new(), &[]);
        assert_eq!(unknown.into_iter().filter_map(Result::err).collect::<Vec<_>>(), ["mischief"]);
    }
}
