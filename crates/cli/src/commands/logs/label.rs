//! What a line of a log group is headed with: the container, and where several tasks write the task too.

use std::collections::BTreeMap;

use crate::screen::Paint;
use crate::tasks::{is_id, short_id};

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
    /// In which place each stream was met.
    streams: BTreeMap<String, usize>,
    /// The task met first.
    task: Option<String>,
    has_several_tasks: bool,
    /// The widest label without and with the task, which is said where there are several.
    widths: [usize; 2],
}

impl Labels {
    /// Takes note of a stream.
    pub(super) fn meet(&mut self, stream: &str) {
        if self.streams.contains_key(stream) {
            return;
        }
        self.streams.insert(stream.to_owned(), self.streams.len());
        if let Some(task) = Origin::of(stream).task() {
            let first = self.task.get_or_insert_with(|| task.to_owned());
            self.has_several_tasks |= first != task;
        }
        for (width, has_task) in self.widths.iter_mut().zip([false, true]) {
            *width = (*width).max(label(stream, has_task).chars().count());
        }
    }

    /// The head of a line of this stream, and its colour.
    pub(super) fn head(&self, stream: &str) -> (String, Paint) {
        let at = self.streams.get(stream).copied().unwrap_or(0);
        let paint = PAINTS.get(at % PAINTS.len()).copied().unwrap_or(Paint::Cyan);
        let [without_task, with_task] = self.widths;
        let width = if self.has_several_tasks { with_task } else { without_task }.max(WIDTH_MIN);
        (format!("{:>width$}", label(stream, self.has_several_tasks)), paint)
    }
}

fn label(stream: &str, has_task: bool) -> String {
    let label = match Origin::of(stream) {
        Origin::Container(container, task) if has_task => format!("{container} {}", short_id(task)),
        Origin::Container(container, _) => container.to_owned(),
        Origin::Task(task) => short_id(task),
        Origin::Other(stream) => stream.to_owned(),
    };
    let excess = label.chars().count().saturating_sub(WIDTH_MAX);
    if excess == 0 { label } else { format!("…{}", label.chars().skip(excess + 1).collect::<String>()) }
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
        // What another task makes wider is wider for all.
        check(
            &[&format!("etl/a-container/{one}"), &format!("etl/a-container/{one}"), &format!("etl/side/{other}")],
            expect![[r#"
                Cyan `a-container 01234567`
                Cyan `a-container 01234567`
                Yellow `       side f1234567`"#]],
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
