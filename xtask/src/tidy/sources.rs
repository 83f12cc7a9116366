//! What a single file of the checkout must hold to: its head, its size, its name, and that a resource type writes no record.

/// Lines of a hand-written file.
const LINES_MAX: usize = 600;

/// Names that say their author did not know where the code belongs.
const HOMELESS: [&str; 4] = ["utils.rs", "helpers.rs", "common.rs", "service.rs"];

pub(super) fn check_source(file: &str, text: &str) -> Vec<String> {
    let mut findings = vec![];
    let lines = text.lines().count();
    if lines > LINES_MAX && !text.contains("@generated") {
        findings.push(format!("{file}: {lines} lines, at most {LINES_MAX}: split it by what it is about"));
    }
    if HOMELESS.iter().any(|name| file.ends_with(&format!("/{name}"))) {
        findings.push(format!("{file}: name it after what it holds"));
    }
    findings.extend(check_resource_type(file, text));
    let is_test = file.contains("/tests") || file.contains("/benches/");
    if !is_test && !text.starts_with("//!") {
        findings.push(format!("{file}: begin with `//!` and the file's purpose in a sentence"));
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (at, pair) in lines.windows(2).enumerate() {
        if let [before, line] = pair
            && ["//! Invariant:", "/// Invariant:"].iter().any(|start| line.starts_with(start))
            && !["", "//!", "///"].contains(before)
            // A text that goes on in the next line is no comment.
            && !before.ends_with('\\')
        {
            findings.push(format!("{file}:{}: an invariant is a paragraph of its own, or an item of a list", at + 2));
        }
    }
    // Written apart, so that this file does not find itself.
    for path in
        [concat!("/wor", "k/main"), concat!("/wor", "k/shared"), concat!("/tm", "p/tgt"), concat!("/ro", "ot/.cargo")]
    {
        if text.contains(path) {
            findings.push(format!("{file}: contains `{path}`, a path of somebody's machine"));
        }
    }
    findings
}

/// Writes to the state, as they look in a call.
const WRITES: [&str; 6] = [".put(", ".put::<", ".update(", ".update::<", ".delete(", ".delete::<"];

/// A resource type changes nothing but through operations, which ask for permission: it writes no record.
fn check_resource_type(file: &str, text: &str) -> Option<String> {
    if !file.starts_with("crates/services/") || !file.contains("/src/resources/") {
        return None;
    }
    let writes = |line: &&str| WRITES.iter().any(|write| line.contains(&format!("cx{write}")));
    let line = text.lines().position(|line| writes(&line))? + 1;
    Some(format!("{file}:{line}: a resource type calls an operation instead of writing a record"))
}

#[cfg(test)]
mod tests {
    use super::{check_resource_type, check_source};

    #[test]
    fn a_file_without_purpose_or_with_too_many_lines_is_found() {
        assert_eq!(check_source("crates/x/src/a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(check_source("crates/x/src/utils.rs", &format!("//! x\n{}", "\n".repeat(700))).len(), 2);
        assert!(check_source("crates/x/src/a.rs", "//! x\n").is_empty());
    }

    #[test]
    fn invariants_stand_apart() {
        let texts = ["//! x\n//! Invariant: a.\n", "//! x\n//!\n//! Invariant: a.\n//! Invariant: b.\n"];
        for text in texts {
            assert_eq!(check_source("crates/x/src/a.rs", text).len(), 1, "{text}");
        }
        let apart = "//! x\n//!\n//! Invariant: a,\n//! and more.\n//!\n//! Invariant: b.\n//!\n//! - Invariant: c.\n//! - d.\n";
        assert!(check_source("crates/x/src/a.rs", apart).is_empty());
    }

    #[test]
    fn a_resource_type_that_writes_is_found() {
        let file = "crates/services/x/src/resources/thing.rs";
        for write in ["cx.put(&id, it);", "cx.update::<Thing, _>(id, |it| ());", "    cx.delete::<Thing>(id);"] {
            assert!(check_resource_type(file, &format!("//! x\n{write}\n")).is_some(), "{write}");
            assert!(check_resource_type("crates/services/x/src/ops/thing.rs", write).is_none());
        }
        assert!(check_resource_type(file, "cx.call(\"x\", \"PutThing\", input)?; update(cx, request)").is_none());
    }
}
