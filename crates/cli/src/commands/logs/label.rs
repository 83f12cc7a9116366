//! What a line of a log group is headed with: the container, and where several tasks write the task too.

use crate::screen::Paint;

/// Characters of a task's id that tell it from others.
const ID_SHOWN: usize = 8;
/// The longest head; longer ones lose their beginning.
const WIDTH_MAX: usize = 40;
/// The narrowest column, that of every other list of lines here.
const WIDTH_MIN: usize = 12;

const PAINTS: [Paint; 6] = [Paint::Cyan, Paint::Yellow, Paint::Green, Paint::Magenta, Paint::Blue, Paint::Red];

/// Who writes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'s> {
    /// `prefix/container/task-id`.
    Container(&'s str, &'s str),
    /// The id of a task: a container without a stream prefix.
    Task(&'s str),
    /// Somebody else.
    Other(&'s str),
}

impl<'s> Origin<'s> {
    /// Reads a stream's name as ECS makes it.
    pub(super) fn of(stream: &'s str) -> Self {
        let is_id = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match stream.rsplit_once('/') {
            Some((before, task)) if is_id(task) => match before.rsplit_once('/') {
                Some((_, container)) => Self::Container(container, task),
                None => Self::Other(stream),
            },
            None if is_id(stream) => Self::Task(stream),
            _ => Self::Other(stream),
        }
    }

    /// The container, where the name says it.
    pub(super) fn container(self) -> Option<&'s str> {
        match self {
            Self::Container(container, _) => Some(container),
            _ => None,
        }
    }

    /// The task's id, where the name says it.
    pub(super) fn task(self) -> Option<&'s str> {
        match self {
            Self::Container(_, task) | Self::Task(task) => Some(task),
            Self::Other(_) => None,
        }
    }
}

/// The heads of the streams met so far.
#[derive(Debug, Default)]
pub(super) struct Labels {
    streams: Vec<String>,
    tasks: Vec<String>,
    width: usize,
}

impl Labels {
    /// Takes note of a stream.
    pub(super) fn meet(&mut self, stream: &str) {
        if self.streams.iter().any(|known| known == stream) {
            return;
        }
        self.streams.push(stream.to_owned());
        if let Some(task) = Origin::of(stream).task()
            && !self.tasks.iter().any(|known| known == task)
        {
            self.tasks.push(task.to_owned());
        }
        let widths = self.streams.iter().map(|stream| self.label(stream).chars().count());
        self.width = widths.max().unwrap_or(0).max(WIDTH_MIN);
    }

    /// The head of a line of this stream, and its colour.
    pub(super) fn head(&self, stream: &str) -> (String, Paint) {
        let at = self.streams.iter().position(|known| known == stream).unwrap_or(0);
        let paint = PAINTS.get(at % PAINTS.len()).copied().unwrap_or(Paint::Cyan);
        let width = self.width;
        (format!("{:>width$}", self.label(stream)), paint)
    }

    fn label(&self, stream: &str) -> String {
        let short = |task: &str| task.chars().take(ID_SHOWN).collect::<String>();
        let label = match Origin::of(stream) {
            Origin::Container(container, _) if self.tasks.len() < 2 => container.to_owned(),
            Origin::Container(container, task) => format!("{container} {}", short(task)),
            Origin::Task(task) => short(task),
            Origin::Other(stream) => stream.to_owned(),
        };
        let excess = label.chars().count().saturating_sub(WIDTH_MAX);
        if excess == 0 { label } else { format!("…{}", label.chars().skip(excess + 1).collect::<String>()) }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::Labels;

    fn check(streams: &[&str], expected: Expect) {
        let mut labels = Labels::default();
        streams.iter().for_each(|stream| labels.meet(stream));
        let heads = streams.iter().map(|stream| labels.head(stream));
        let heads: Vec<_> = heads.map(|(head, paint)| format!("{paint:?} `{head}`")).collect();
        expected.assert_eq(&heads.join("\n"));
    }

    #[test]
    fn heads_of_lines() {
        let (one, other) = ("0123456789abcdef0123456789abcdef", "f123456789abcdef0123456789abcdef");
        check(
            &[&format!("etl/main/{one}"), &format!("etl/database/{one}")],
            expect![[r#"
                Cyan `        main`
                Yellow `    database`"#]],
        );
        check(
            &[&format!("etl/main/{one}"), &format!("a/etl/main/{other}")],
            expect![[r#"
                Cyan `main 01234567`
                Yellow `main f1234567`"#]],
        );
        check(
            &[one, "by hand", &format!("half/{one}"), "etl/main/not-an-id"],
            expect![[r#"
                Cyan `                             01234567`
                Yellow `                              by hand`
                Green `half/0123456789abcdef0123456789abcdef`
                Magenta `                   etl/main/not-an-id`"#]],
        );
        check(
            &["a/stream/of/somebody/else/with/a/name/that/is/too/long"],
            expect!["Cyan `…ebody/else/with/a/name/that/is/too/long`"],
        );
    }
}
