//! Pages under `docs/` that must be complete and may hold nothing dead: one for each error code, a paragraph for each dependency.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The `NG-X0000` codes in a text.
pub(super) fn error_codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\"NG-").filter_map(|(at, _)| {
        let code = text.get(at + 1..at + 9)?;
        let digits = code.get(4..)?;
        (digits.bytes().all(|b| b.is_ascii_digit()) && text.get(at + 9..at + 10) == Some("\"")).then_some(code)
    })
}

pub(super) fn check_error_pages(root: &Path, codes: &BTreeSet<String>) -> Vec<String> {
    let folder = root.join("docs/errors");
    let names = fs::read_dir(&folder).into_iter().flatten().flatten();
    let pages: BTreeSet<String> =
        names.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".md").map(str::to_owned)).collect();
    let missing = codes.difference(&pages).map(|code| format!("docs/errors/{code}.md: is missing"));
    let dead = pages.difference(codes).map(|code| format!("docs/errors/{code}.md: no code says `{code}` any more"));
    missing.chain(dead).collect()
}

/// Every crate of others has its paragraph, and no paragraph is of a crate that is gone.
pub(super) fn check_dependencies(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let page = fs::read_to_string(root.join("docs/dependencies.md")).unwrap_or_default();
    let section =
        manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let names: Vec<&str> = section
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with("neargate") && !name.starts_with('#'))
        .collect();
    let missing = names.iter().filter(|name| !page.contains(&format!("**{name}**")));
    let missing = missing.map(|name| format!("docs/dependencies.md: a paragraph on **{name}** is missing"));
    let told = page.match_indices("\n- **").filter_map(|(at, _)| page.get(at + 5..)?.split("**").next());
    let dead =
        told.filter(|name| !names.contains(name)).map(|name| format!("docs/dependencies.md: **{name}** is not used"));
    missing.chain(dead).collect()
}

#[cfg(test)]
mod tests {
    use super::error_codes;

    #[test]
    fn codes_are_found_where_they_are_said() {
        let text = format!(r#"Code({q}NG-E0101{q}) and {q}NG-E1{q}"#, q = '"');
        assert_eq!(error_codes(&text).collect::<Vec<_>>(), ["NG-E0101"]);
    }
}
