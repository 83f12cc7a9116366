//! Every operation that `xtask/codegen/wire.txt` brings into the generated `api` is handed out by its service: one that is
//! forgotten would answer 501 although the list says that it exists.

use std::fs;
use std::path::Path;

use super::files::files_below;

/// A finding for each operation without an entry, and for each service without operations.
pub(super) fn check_handlers(root: &Path) -> Vec<String> {
    let list = fs::read_to_string(root.join("xtask/codegen/wire.txt")).unwrap_or_default();
    let mut findings = vec![];
    for (service, operations) in sections(&list) {
        let folder = root.join("crates/services").join(service).join("src");
        let texts = files_below(folder).into_iter().filter_map(|file| fs::read_to_string(file).ok());
        let text: String = texts.collect();
        let missing = operations.into_iter().filter(|name| !has_entry(&text, name));
        findings.extend(missing.map(|name| {
            format!("crates/services/{service}: `{name}` is in xtask/codegen/wire.txt and has no `OperationEntry`")
        }));
    }
    findings
}

/// The services of the list with their operations.
fn sections(list: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = vec![];
    for line in list.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(service) => sections.push((service, vec![])),
            None => sections.iter_mut().next_back().into_iter().for_each(|it| it.1.extend(line.split_whitespace())),
        }
    }
    sections
}

/// `OperationEntry::of::<some::path::Name>()`, or the same by way of a function of the service's own.
fn has_entry(text: &str, name: &str) -> bool {
    let ends = [format!("::{name}>("), format!("<{name}>(")];
    ends.iter().any(|end| text.contains(end.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{has_entry, sections};

    #[test]
    fn an_operation_is_found_by_its_entry_alone() {
        let text = "struct GetKey; impl Operation for GetKey {} OperationEntry::of::<ops::ListKeys>(), of::<Put>()";
        assert!(has_entry(text, "ListKeys") && has_entry(text, "Put"));
        assert!(!has_entry(text, "GetKey") && !has_entry(text, "Keys"));
    }

    #[test]
    fn the_list_has_a_section_for_each_service() {
        assert_eq!(sections("# x\n[a]\nOne Two\nThree\n\n[b]\n"), [("a", vec!["One", "Two", "Three"]), ("b", vec![])]);
    }
}
