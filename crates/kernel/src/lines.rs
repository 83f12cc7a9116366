//! Many texts, each with its time, in one run of bytes: what a container printed, on its way to where logs are kept.
//!
//! - Invariant: a text ends where the next one begins; texts of no length take no room.
//! - Invariant: a part is borrowed: nothing of the texts is copied to hand them on.

use neargate_base::Timestamp;

/// Texts and their times, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    text: String,
    marks: Vec<Mark>,
}

/// One text: its time, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    at: Timestamp,
    end: usize,
}

impl Lines {
    /// Without any, with room for so many of so many bytes together.
    pub fn with_capacity(lines: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), marks: Vec::with_capacity(lines) }
    }

    /// Of a text that is cut at these ends, which ascend; `Err` gives it back where one is past the text or within a character.
    pub fn cut(text: String, ends: impl IntoIterator<Item = (Timestamp, usize)>) -> Result<Self, String> {
        let mut before = 0;
        let mark = |(at, end): (Timestamp, usize)| {
            let is_end = end >= before && text.is_char_boundary(end);
            before = end;
            is_end.then_some(Mark { at, end })
        };
        match ends.into_iter().map(mark).collect::<Option<_>>() {
            Some(marks) => Ok(Self { text, marks }),
            None => Err(text),
        }
    }

    /// Adds a text.
    pub fn push(&mut self, at: Timestamp, text: &str) {
        self.text.push_str(text);
        self.marks.push(Mark { at, end: self.text.len() });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.marks.len() * size_of::<Mark>()
    }

    /// Leaves out texts of no length.
    pub fn drop_empty(&mut self) {
        let mut before = 0;
        self.marks.retain(|mark| std::mem::replace(&mut before, mark.end) < mark.end);
    }

    /// All of them, each time moved by so many milliseconds.
    pub fn moved(&self, by_ms: i64) -> LinesPart<'_> {
        LinesPart { text: &self.text, marks: &self.marks, begin: 0, by_ms, latest: Timestamp(i64::MAX) }
    }
}

impl<T: AsRef<str>> FromIterator<(Timestamp, T)> for Lines {
    fn from_iter<I: IntoIterator<Item = (Timestamp, T)>>(texts: I) -> Self {
        let mut lines = Self::default();
        texts.into_iter().for_each(|(at, text)| lines.push(at, text.as_ref()));
        lines
    }
}

/// Some of the texts of [`Lines`], one after the other.
#[derive(Clone, Copy, Debug)]
pub struct LinesPart<'a> {
    text: &'a str,
    marks: &'a [Mark],
    /// Where the first text begins.
    begin: usize,
    by_ms: i64,
    /// What no moved time goes beyond.
    latest: Timestamp,
}

impl<'a> LinesPart<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The same, each with this time where its own is later.
    #[must_use]
    pub fn until(self, latest: Timestamp) -> Self {
        Self { latest: self.latest.min(latest), ..self }
    }

    /// The first so many, and the others.
    #[must_use]
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let (first, rest) = self.marks.split_at(count.min(self.marks.len()));
        let begin = first.last().map_or(self.begin, |mark| mark.end);
        (Self { marks: first, ..self }, Self { marks: rest, begin, ..self })
    }

    /// Times and texts.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &'a str)> + use<'a> {
        let Self { text, marks, mut begin, by_ms, latest } = *self;
        marks.iter().map(move |mark| {
            let found = text.get(begin..mark.end).unwrap_or_default();
            begin = mark.end;
            (mark.at.plus_ms(by_ms).min(latest), found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(part: LinesPart<'_>) -> Vec<(i64, &str)> {
        part.iter().map(|(at, text)| (at.millis(), text)).collect()
    }

    #[test]
    fn parts_have_their_texts_and_the_moved_times() {
        let lines: Lines = [(Timestamp(1), "a"), (Timestamp(2), ""), (Timestamp(3), "bc")].into_iter().collect();
        assert_eq!(shown(lines.moved(10)), [(11, "a"), (12, ""), (13, "bc")]);
        for (count, first, rest) in [(0, 0, 3), (1, 1, 2), (2, 2, 1), (3, 3, 0), (9, 3, 0)] {
            let (one, other) = lines.moved(0).split_at(count);
            assert_eq!((one.len(), other.len()), (first, rest));
            assert_eq!([shown(one), shown(other)].concat(), shown(lines.moved(0)));
        }
    }

    #[test]
    fn no_time_is_later_than_the_latest() {
        let lines: Lines = [(Timestamp(1), "a"), (Timestamp(9), "b"), (Timestamp(3), "c")].into_iter().collect();
        assert_eq!(shown(lines.moved(10).until(Timestamp(13))), [(11, "a"), (13, "b"), (13, "c")]);
        let (first, rest) = lines.moved(10).until(Timestamp(12)).split_at(1);
        assert_eq!((shown(first), shown(rest)), (vec![(11, "a")], vec![(12, "b"), (12, "c")]));
        assert_eq!(shown(lines.moved(0).until(Timestamp(2)).until(Timestamp(5))), [(1, "a"), (2, "b"), (2, "c")]);
    }

    #[test]
    fn texts_of_no_length_are_left_out_and_the_others_stay() {
        let texts = ["", "", "a", "", "bc", ""];
        let mut lines: Lines = texts.iter().enumerate().map(|(at, text)| (Timestamp(at as i64), text)).collect();
        lines.drop_empty();
        assert_eq!(shown(lines.moved(0)), [(2, "a"), (4, "bc")]);
    }

    #[test]
    fn a_text_is_cut_at_characters_alone() {
        let ends = |ends: &[usize]| ends.iter().map(|end| (Timestamp(0), *end)).collect::<Vec<_>>();
        let cut = |at: &[usize]| Lines::cut("aéb".to_owned(), ends(at)).ok().map(|lines| lines.len());
        assert_eq!(cut(&[1, 3, 4]), Some(3));
        assert_eq!(cut(&[]), Some(0));
        assert_eq!(cut(&[1, 1, 4]), Some(3));
        assert_eq!((cut(&[2, 4]), cut(&[5]), cut(&[3, 1])), (None, None, None));
    }
}
