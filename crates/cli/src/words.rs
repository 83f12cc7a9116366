//! Small pieces of text that many messages share.

/// What is wrong with a JSON text, without the place, which is told apart.
pub(crate) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// `1 task`, `2 tasks`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A span of time by its two largest units: `2 d 5 h`, `4 h 3 min`, `12 s`.
pub(crate) fn span(ms: i64) -> String {
    let seconds = ms.max(0).saturating_add(500) / 1000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let parts = units.iter().skip(first).take(2).map(|(unit, name)| {
        let count = rest / unit;
        rest %= unit;
        (count, name)
    });
    let parts: Vec<String> =
        parts.filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    if parts.is_empty() { "now".to_owned() } else { parts.join(" ") }
}

/// Characters of a line that are shown around a place in it.
const SHOWN_BEFORE: usize = 60;
const SHOWN_MAX: usize = 100;

/// The part of a line around the characters from `column`, counted from 0, and marks below those.
pub(crate) fn pointed(line: &str, column: usize, width: usize) -> [String; 2] {
    let from = column.saturating_sub(SHOWN_BEFORE);
    let cut = if from > 0 { "…" } else { "" };
    let more = if line.chars().count() > from + SHOWN_MAX { "…" } else { "" };
    let shown: String = line.chars().skip(from).take(SHOWN_MAX).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let marks = "^".repeat(width.clamp(1, SHOWN_MAX - (column - from)));
    [format!("{cut}{shown}{more}"), format!("{}{marks}", " ".repeat(column - from + cut.chars().count()))]
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{pointed, span};

    #[test]
    fn spans_of_time() {
        let shown = |ms: i64| span(ms);
        assert_eq!([0, 499, 59_499, 59_500].map(shown), ["now", "now", "59 s", "1 min"]);
        assert_eq!([3_723_000, 90_000_000, 86_459_000].map(shown), ["1 h 2 min", "1 d 1 h", "1 d"]);
    }

    fn check(line: &str, column: usize, width: usize, expected: Expect) {
        expected.assert_eq(&pointed(line, column, width).join("\n"));
    }

    #[test]
    fn places_in_lines() {
        check(
            "cron(0 9 * * MON *)",
            9,
            1,
            expect![[r#"
            cron(0 9 * * MON *)
                     ^"#]],
        );
        check(
            "ab\tcd",
            3,
            0,
            expect![[r#"
            ab cd
               ^"#]],
        );
        check(
            &format!("{}x{}", "a".repeat(90), "b".repeat(90)),
            90,
            1,
            expect![[r#"
            …aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaxbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…
                                                                         ^"#]],
        );
    }
}
