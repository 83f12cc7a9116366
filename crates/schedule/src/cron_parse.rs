//! The six fields of `cron(...)`, read into bit sets.
//!
//! A slip says which bytes are wrong and, where it can, what to put there; `nearest` applies such edits until the
//! expression parses.
//!
//! Invariant: whatever is accepted sets at least one bit in each field but the one that is `?`.

use std::ops::Range;

use crate::{Field, cron::Cron};

/// The first thing wrong with an expression, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) field: Option<Field>,
    pub(crate) span: Range<usize>,
    pub(crate) expected: String,
    pub(crate) edit: Option<(Range<usize>, String)>,
}

/// A piece of the expression and where it starts.
#[derive(Clone, Copy)]
struct Piece<'a> {
    field: Field,
    text: &'a str,
    at: usize,
}

impl<'a> Piece<'a> {
    fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    fn part(self, text: &'a str, offset: usize) -> Self {
        Self { text, at: self.at + offset, ..self }
    }

    /// The parts before and after a separator.
    fn cut(self, separator: char) -> Option<(Self, Self)> {
        let (left, right) = self.text.split_once(separator)?;
        Some((self.part(left, 0), self.part(right, left.len() + separator.len_utf8())))
    }

    fn slip(self, expected: impl Into<String>, replacement: Option<String>) -> Slip {
        let edit = replacement.map(|text| (self.span(), text));
        Slip { field: Some(self.field), span: self.span(), expected: expected.into(), edit }
    }
}

/// Reads what stands between the parentheses; `at` is where that starts in the expression.
pub(crate) fn parse(text: &str, at: usize) -> Result<Cron, Slip> {
    let pieces = split_fields(text, at);
    let count = pieces.len();
    let Ok([minutes, hours, day_of_month, month, day_of_week, year]) = <[Piece<'_>; 6]>::try_from(pieces) else {
        return Err(wrong_count(text, at, count));
    };
    let mut cron = Cron::default();
    for piece in [minutes, hours, month, year] {
        plain_field(piece, &mut cron)?;
    }
    cron.years = cron.years.filter(|years| !years.is_every_year());
    if day_of_month.text != "?" {
        day_of_month_field(day_of_month, &mut cron)?;
    }
    if day_of_week.text != "?" {
        day_of_week_field(day_of_week, &mut cron)?;
    }
    match (day_of_month.text, day_of_week.text) {
        ("?", "?") => {
            Err(day_of_month.slip("a day: only one of day-of-month and day-of-week may be `?`", Some("*".to_owned())))
        }
        ("?", _) | (_, "?") => Ok(cron),
        ("*", week) if week != "*" => Err(one_question_mark(day_of_month)),
        _ => Err(one_question_mark(day_of_week)),
    }
}

fn one_question_mark(piece: Piece<'_>) -> Slip {
    piece.slip("`?` in one of day-of-month and day-of-week", Some("?".to_owned()))
}

fn split_fields(text: &str, at: usize) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut offset = 0;
    for word in text.split(' ') {
        if !word.is_empty() {
            let field = Field::ALL.get(pieces.len()).copied().unwrap_or(Field::Year);
            pieces.push(Piece { field, text: word, at: at + offset });
        }
        offset += word.len() + 1;
    }
    pieces
}

fn wrong_count(text: &str, at: usize, count: usize) -> Slip {
    let span = at..at + text.len();
    let words: Vec<&str> = text.split_whitespace().collect();
    let replacement = match words.as_slice() {
        // Unix: no year, no `?`, Sunday is 0.
        [minute, hour, day, month, "*"] => Some(format!("{minute} {hour} {day} {month} ? *")),
        [minute, hour, "*" | "?", month, week] => Some(format!("{minute} {hour} ? {month} {} *", from_unix_week(week))),
        [minute, hour, day, month, "?"] => Some(format!("{minute} {hour} {day} {month} ? *")),
        // Tabs or the like between six fields.
        [_, _, _, _, _, _] => Some(words.join(" ")),
        // Quartz: seconds come first.
        [_, fields @ ..] if fields.len() == 6 => Some(fields.join(" ")),
        _ => None,
    };
    let expected = format!("6 fields (minutes hours day-of-month month day-of-week year), not {count}");
    Slip { field: None, edit: replacement.map(|text| (span.clone(), text)), span, expected }
}

/// Unix counts the week from 0 (Sunday) to 7 (Sunday again), AWS from 1.
fn from_unix_week(field: &str) -> String {
    let shift = |c: char| match c {
        '0'..='6' => char::from_digit(c.to_digit(10).unwrap_or_default() + 1, 10).unwrap_or(c),
        '7' => '1',
        c => c,
    };
    match field.split_once('/') {
        Some((days, step)) => format!("{}/{step}", days.chars().map(shift).collect::<String>()),
        None => field.chars().map(shift).collect(),
    }
}

fn items(piece: Piece<'_>) -> Result<Vec<Piece<'_>>, Slip> {
    let mut items = Vec::new();
    let mut offset = 0;
    for text in piece.text.split(',') {
        items.push(piece.part(text, offset));
        offset += text.len() + 1;
    }
    match items.iter().find(|item| item.text.is_empty()) {
        None => Ok(items),
        Some(empty) => {
            let kept: Vec<&str> = piece.text.split(',').filter(|text| !text.is_empty()).collect();
            let edit = (!kept.is_empty()).then(|| (piece.span(), kept.join(",")));
            Err(Slip { edit, ..empty.slip("a value between commas", None) })
        }
    }
}

fn plain_field(piece: Piece<'_>, cron: &mut Cron) -> Result<(), Slip> {
    for item in items(piece)? {
        if item.text == "?" {
            let expected = format!("{}; `?` is for the day fields", described(piece.field));
            return Err(item.slip(expected, Some("*".to_owned())));
        }
        set_values(item, cron)?;
    }
    Ok(())
}

fn day_of_month_field(piece: Piece<'_>, cron: &mut Cron) -> Result<(), Slip> {
    for item in items(piece)? {
        let text = item.text.to_ascii_uppercase();
        if text == "L" {
            cron.from_last |= 1;
        } else if text == "LW" {
            cron.last_weekday = true;
        } else if let Some(back) = text.strip_prefix("L-") {
            let days = number(back).filter(|days| *days <= 30);
            let days = days.ok_or_else(|| item.slip("`L-n` with n from 1 to 30", Some("L".to_owned())))?;
            cron.from_last |= 1 << days;
        } else if text.ends_with('W') && !text.contains(['-', '/']) {
            let day = item.part(item.text.get(..text.len() - 1).unwrap_or_default(), 0);
            if day.text.is_empty() {
                return Err(item.slip("a day before `W`, as in `15W`, or `LW`", Some("LW".to_owned())));
            }
            cron.nearest_weekdays |= 1 << value(day)?;
        } else {
            set_values(item, cron)?;
        }
    }
    Ok(())
}

fn day_of_week_field(piece: Piece<'_>, cron: &mut Cron) -> Result<(), Slip> {
    for item in items(piece)? {
        let text = item.text.to_ascii_uppercase();
        if text == "L" {
            cron.weekdays |= 1 << 6;
        } else if let Some((day, nth)) = item.cut('#') {
            let weekday = value(day)?;
            let count = number(nth.text).filter(|count| (1..=5).contains(count));
            let clamped = number(nth.text).map_or(1, |count| count.clamp(1, 5));
            let count = count.ok_or_else(|| nth.slip("1 to 5 after `#`", Some(clamped.to_string())))?;
            let set = usize::try_from(count - 1).ok().and_then(|index| cron.nth_weekdays.get_mut(index));
            set.into_iter().for_each(|set| *set |= 1 << (weekday - 1));
        } else if text.ends_with('L') && !text.contains(['-', '/']) {
            let day = item.part(item.text.get(..text.len() - 1).unwrap_or_default(), 0);
            cron.last_weekdays |= 1 << (value(day)? - 1);
        } else {
            set_values(item, cron)?;
        }
    }
    Ok(())
}

/// `*`, a value, or a range, each with an optional step.
fn set_values(item: Piece<'_>, cron: &mut Cron) -> Result<(), Slip> {
    let (min, max) = item.field.bounds();
    let (base, step) = match item.cut('/') {
        None => (item, None),
        Some((base, _)) if base.text.is_empty() => {
            return Err(base.slip("`*` or a value before `/`", Some("*".to_owned())));
        }
        Some((base, step)) => {
            let count = number(step.text).filter(|count| *count > 0);
            (base, Some(count.ok_or_else(|| step.slip("a step of at least 1 after `/`", Some("1".to_owned())))?))
        }
    };
    let (from, to) = if base.text == "*" {
        (min, max)
    } else if let Some((left, right)) = base.cut('-') {
        if left.text.is_empty() || right.text.is_empty() {
            let kept = if left.text.is_empty() { right.text } else { left.text };
            return Err(base.slip("a range such as `1-5`", Some(kept.to_owned())));
        }
        (value(left)?, value(right)?)
    } else {
        let from = value(base)?;
        (from, if step.is_some() { max } else { from })
    };
    if from > to && item.field == Field::Year {
        return Err(base.slip("the earlier year first", Some(format!("{to}-{from}"))));
    }
    // A range whose end comes first wraps around: 22-2 is 22, 23, 0, 1, 2.
    let size = max - min + 1;
    let length = (to - from).rem_euclid(size);
    let mut passed = 0;
    while passed <= length {
        insert(cron, item.field, min + (from - min + passed) % size);
        passed += step.unwrap_or(1);
    }
    Ok(())
}

fn insert(cron: &mut Cron, field: Field, value: i64) {
    match field {
        Field::Minutes => cron.minutes |= 1 << value,
        Field::Hours => cron.hours |= 1 << value,
        Field::DayOfMonth => cron.days |= 1 << value,
        Field::Month => cron.months |= 1 << value,
        Field::DayOfWeek => cron.weekdays |= 1 << (value - 1),
        Field::Year => cron.years.get_or_insert_default().insert(value),
    }
}

/// Up to four digits.
fn number(text: &str) -> Option<i64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn value(piece: Piece<'_>) -> Result<i64, Slip> {
    let (min, max) = piece.field.bounds();
    let names = piece.field.value_names();
    if let Some(index) = names.iter().position(|name| piece.text.eq_ignore_ascii_case(name)) {
        return Ok(min + index as i64);
    }
    match number(piece.text) {
        Some(value) if (min..=max).contains(&value) => Ok(value),
        Some(value) => Err(piece.slip(described(piece.field), Some(value.clamp(min, max).to_string()))),
        None => {
            let start = piece.text.get(..3).unwrap_or_default();
            let named = names.iter().find(|name| start.eq_ignore_ascii_case(name)).map(|name| (*name).to_owned());
            Err(piece.slip(described(piece.field), named))
        }
    }
}

/// The values a field takes, in words.
fn described(field: Field) -> String {
    let (min, max) = field.bounds();
    match (field.value_names().first(), field.value_names().last()) {
        (Some(first), Some(last)) => format!("{min} to {max} or {first} to {last}"),
        _ => format!("{min} to {max}"),
    }
}
