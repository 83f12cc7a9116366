//! What the engine says by itself, on the screen.

use crate::endpoint::control::{Notice, NoticeKind};
use crate::screen::{Paint, Screen};
use crate::tasks::{is_id, short_id};

/// One notice; its first word heads the line where that says what it is about.
pub(crate) fn tell(screen: &Screen, notice: &Notice) {
    let text = with_short_ids(&notice.text);
    match notice.kind {
        NoticeKind::Failed => screen.step_in(Paint::Red, "failed", &text),
        NoticeKind::NotSimulated => {
            screen.step_in(Paint::Yellow, "not acted on", &format!("{}: {text}", with_short_ids(&notice.subject)));
        }
        NoticeKind::Progress => {
            let (word, rest) = ["rule", "task"]
                .into_iter()
                .find_map(|word| Some((word, text.strip_prefix(word)?.strip_prefix(' ')?)))
                .unwrap_or(("", &text));
            screen.step_in(Paint::Cyan, word, rest);
        }
    }
    if let Some(hint) = &notice.hint {
        screen.step_in(Paint::Yellow, "hint", hint);
    }
}

/// The text with the ids of tasks cut short.
fn with_short_ids(text: &str) -> String {
    let short = |word: &str| match is_id(word) {
        true => short_id(word),
        false => word.to_owned(),
    };
    text.split(' ').map(short).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::with_short_ids;

    #[test]
    fn ids_are_cut_short() {
        let text = "task 0123456789abcdef0123456789abcdef of `x` starts";
        assert_eq!(with_short_ids(text), "task 01234567 of `x` starts");
        assert_eq!(with_short_ids("0123456789abcdef0123456789abcdeg"), "0123456789abcdef0123456789abcdeg");
    }
}
