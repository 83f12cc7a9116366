//! `.dockerignore`: which files of a directory an image is not built from.
//!
//! Follows <https://docs.docker.com/build/concepts/context/#dockerignore-files>: the last pattern that matches a path, or a directory
//! above it, decides.

/// The patterns of a `.dockerignore`.
#[derive(Debug, Default)]
pub(super) struct Ignore(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    /// Whether the pattern begins with `!`: it takes paths in again.
    is_exception: bool,
    segments: Vec<String>,
}

impl Ignore {
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.starts_with('#'));
        Self(lines.filter_map(Pattern::parse).collect())
    }

    /// Whether the path, with `/` between its parts, is left out.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        self.0.iter().rev().find(|pattern| pattern.matches_it_or_above(&path)).is_some_and(|found| !found.is_exception)
    }

    /// Whether something below a directory that is left out may be taken in again.
    pub(super) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|pattern| pattern.is_exception)
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let (is_exception, path) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let mut segments: Vec<String> = vec![];
        for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
            match segment {
                ".." => drop(segments.pop()),
                _ => segments.push(segment.to_owned()),
            }
        }
        (!segments.is_empty()).then_some(Self { is_exception, segments })
    }

    fn matches_it_or_above(&self, path: &[&str]) -> bool {
        (1..=path.len()).filter_map(|length| path.get(..length)).any(|path| matches(&self.segments, path))
    }
}

fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], _) => path.is_empty(),
        ([any], _) if any == "**" => !path.is_empty(),
        ([any, rest @ ..], _) if any == "**" => {
            (0..=path.len()).filter_map(|at| path.get(at..)).any(|path| matches(rest, path))
        }
        ([first, rest @ ..], [name, below @ ..]) => {
            matches_segment(&first.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
                && matches(rest, below)
        }
        _ => false,
    }
}

/// `*`, `?`, `[a-z]`, `[^a-z]` and `\` in one name.
fn matches_segment(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], _) => name.is_empty(),
        (['*', rest @ ..], _) => {
            (0..=name.len()).filter_map(|at| name.get(at..)).any(|name| matches_segment(rest, name))
        }
        (['?', rest @ ..], [_, after @ ..]) => matches_segment(rest, after),
        (['[', rest @ ..], [letter, after @ ..]) => {
            class(rest, *letter).is_some_and(|(is_in, rest)| is_in && matches_segment(rest, after))
        }
        (['\\', escaped, rest @ ..], [letter, after @ ..]) => escaped == letter && matches_segment(rest, after),
        ([first, rest @ ..], [letter, after @ ..]) => first == letter && matches_segment(rest, after),
        (_, []) => false,
    }
}

/// Whether a letter is in the class whose `[` was read, and what follows its `]`; none where it has no end.
fn class(pattern: &[char], letter: char) -> Option<(bool, &[char])> {
    let (is_negated, mut rest) = match pattern {
        ['^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut is_in = false;
    loop {
        rest = match rest {
            [']', rest @ ..] => return Some((is_in != is_negated, rest)),
            [low, '-', high, rest @ ..] if *high != ']' => {
                is_in |= (*low..=*high).contains(&letter);
                rest
            }
            ['\\', one, rest @ ..] | [one, rest @ ..] => {
                is_in |= *one == letter;
                rest
            }
            [] => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::Ignore;

    #[track_caller]
    fn check(patterns: &str, excluded: &[&str], taken: &[&str]) {
        let ignore = Ignore::parse(patterns);
        for path in excluded {
            assert!(ignore.excludes(path), "`{path}` is taken in by {patterns:?}");
        }
        for path in taken {
            assert!(!ignore.excludes(path), "`{path}` is left out by {patterns:?}");
        }
    }

    #[test]
    fn a_pattern_means_a_path_and_all_below_it() {
        check("target", &["target", "target/debug/app"], &["src/target", "targets"]);
        check("/target/\n./a/../b", &["target/x", "b"], &["a"]);
        check("# a word\n\n  .git  ", &[".git/config"], &["# a word"]);
    }

    #[test]
    fn wildcards_stay_in_a_name_but_for_two_stars() {
        check("*.log", &["a.log"], &["a/b.log", "a.logs"]);
        check("*/temp*", &["a/temporary.txt", "a/temp/b"], &["temp", "a/b/temp"]);
        check("**/*.log", &["a.log", "a/b/c.log"], &["a.txt"]);
        check("a/**", &["a/b", "a/b/c"], &["a", "b"]);
        check("a/**/z", &["a/z", "a/b/c/z/d"], &["a/y"]);
        check("temp?", &["tempa"], &["temp", "tempab"]);
        check("[a-c]x\n[^a-c]y\n\\*z", &["ax", "dy", "*z"], &["dx", "ay", "bz"]);
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        check("*.md\n!README.md", &["a.md"], &["README.md"]);
        check("*.md\n!README*.md\nREADME-secret.md", &["README-secret.md", "b.md"], &["README-open.md"]);
        check("**\n!src", &["Cargo.toml"], &["src/main.rs"]);
    }
}
