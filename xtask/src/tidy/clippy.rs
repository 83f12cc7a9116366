//! The `clippy.toml` of pure crates: clippy takes the nearest file alone, so each says what the root's says, and all say the same.

use std::fs;
use std::path::Path;

/// Crates without a clock, threads, files, sockets, environment or programs. `services` stands for each of them.
const PURE: [&str; 11] = [
    "api",
    "base",
    "decide",
    "event-pattern",
    "event-transform",
    "kernel",
    "schedule",
    "services",
    "shape",
    "template",
    "wire",
];

/// A finding for each pure crate that lacks the walls of the kernel.
pub(super) fn check_clippy(root: &Path) -> Vec<String> {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let (common, kernel) = (read("clippy.toml"), read("crates/kernel/clippy.toml"));
    let missing = PURE.into_iter().flat_map(|name| {
        let own = read(&format!("crates/{name}/clippy.toml"));
        let settings =
            common.lines().chain(list(&kernel, "disallowed-methods")).filter(move |line| !own.contains(line));
        settings.map(move |line| format!("crates/{name}/clippy.toml: lacks `{line}`")).collect::<Vec<_>>()
    });
    missing.collect()
}

/// The lines of a list.
fn list<'t>(text: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let lines = text.lines().skip_while(move |line| !line.starts_with(name)).skip(1).collect::<Vec<_>>();
    lines.into_iter().take_while(|line| *line != "]").filter(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn a_list_ends_with_its_bracket() {
        assert_eq!(list("a = 1\nb = [\n  x\n]\nc = [\n  y\n]\n", "b").collect::<Vec<_>>(), ["  x"]);
    }
}
