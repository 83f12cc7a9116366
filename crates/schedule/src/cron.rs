//! A cron expression as bit sets, and the next minute it matches.
//!
//! Each field is a set of bits; the days of a month are worked out as one set for the month at hand. Finding the next match
//! is then a walk over at most one set per field, never over minutes.
//!
//! Invariant: pure calendar arithmetic on local minutes; zones and instants are not known here.
//!
//! Invariant: of the two day fields exactly one is set, the one that was `?` is empty.

use crate::calendar::{MINUTES_PER_DAY, YEAR_MAX, YEAR_MIN, date_of, days_in_month, days_of, weekday_of};

const YEARS: usize = (YEAR_MAX - YEAR_MIN + 1) as usize;
const YEAR_WORDS: usize = YEARS.div_ceil(64);

/// Bits 0, 7, 14, 21 and 28: multiplied with seven bits, they repeat over five weeks.
const EACH_WEEK: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;

/// Years as bits, 1970 first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct YearSet([u64; YEAR_WORDS]);

impl YearSet {
    pub(crate) fn insert(&mut self, year: i64) {
        let index = year - YEAR_MIN;
        if let Some(word) = usize::try_from(index / 64).ok().and_then(|word| self.0.get_mut(word)) {
            *word |= 1 << (index % 64);
        }
    }

    pub(crate) fn is_every_year(&self) -> bool {
        self.0.iter().map(|word| word.count_ones() as usize).sum::<usize>() == YEARS
    }

    /// The first year of the set that is not before `year`.
    fn first_from(&self, year: i64) -> Option<i64> {
        let index = (year - YEAR_MIN).max(0);
        let mut mask = u64::MAX << (index % 64);
        let start = usize::try_from(index / 64).ok()?;
        for (position, word) in self.0.iter().enumerate().skip(start) {
            let hits = word & mask;
            if hits != 0 {
                return Some(YEAR_MIN + position as i64 * 64 + i64::from(hits.trailing_zeros()));
            }
            mask = u64::MAX;
        }
        None
    }
}

/// The parsed six fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cron {
    pub(crate) minutes: u64,
    pub(crate) hours: u32,
    pub(crate) months: u16,
    /// The years, or none where every year will do: most expressions say `*`, and millions of them are held.
    pub(crate) years: Option<Box<YearSet>>,
    /// Days of the month, bit 1 to 31.
    pub(crate) days: u32,
    /// `nW`: the weekday nearest to day n.
    pub(crate) nearest_weekdays: u32,
    /// `L-n`: bit 0 is the last day, bit n the n-th before it.
    pub(crate) from_last: u32,
    /// `LW`.
    pub(crate) last_weekday: bool,
    /// Days of the week, bit 0 is Sunday.
    pub(crate) weekdays: u8,
    /// `d#k`: one set of week days for each k from 1 to 5.
    pub(crate) nth_weekdays: [u8; 5],
    /// `dL`.
    pub(crate) last_weekdays: u8,
}

impl Cron {
    /// The first matching minute that is not before `from`, both in local minutes since 1970-01-01T00:00.
    pub(crate) fn next(&self, from: i64) -> Option<i64> {
        let from = from.max(0);
        let today = from.div_euclid(MINUTES_PER_DAY);
        let (year, month, day) = date_of(today);
        let now = from.rem_euclid(MINUTES_PER_DAY);
        let first_year = self.year_from(year)?;
        let (mut month_from, mut day_from) = (1, 1);
        if first_year == year {
            (month_from, day_from) = (month, day);
            if self.months & (1 << month) != 0
                && self.days_of_month(year, month) & (1 << day) != 0
                && let Some(time) = self.time_from(now)
            {
                return Some(today * MINUTES_PER_DAY + time);
            }
            // Bit 32 and beyond is empty, so the end of a month needs no special case.
            day_from += 1;
        }
        let time = self.time_from(0)?;
        let mut year = first_year;
        loop {
            while let Some(month) = first_bit(u64::from(self.months), month_from) {
                if let Some(day) =
                    first_bit(self.days_of_month(year, month), if month == month_from { day_from } else { 1 })
                {
                    return Some(days_of(year, month, day) * MINUTES_PER_DAY + time);
                }
                (month_from, day_from) = (month + 1, 1);
            }
            year = self.year_from(year + 1)?;
            (month_from, day_from) = (1, 1);
        }
    }

    fn year_from(&self, year: i64) -> Option<i64> {
        match &self.years {
            Some(years) => years.first_from(year),
            None => (year <= YEAR_MAX).then_some(year),
        }
    }

    /// The first matching minute of a day that is not before `minute_of_day`.
    fn time_from(&self, minute_of_day: i64) -> Option<i64> {
        let (hour, minute) = (minute_of_day / 60, minute_of_day % 60);
        if self.hours & (1 << hour) != 0
            && let Some(minute) = first_bit(self.minutes, minute)
        {
            return Some(hour * 60 + minute);
        }
        Some(first_bit(u64::from(self.hours), hour + 1)? * 60 + first_bit(self.minutes, 0)?)
    }

    /// The matching days of a month, bit 1 to 31.
    fn days_of_month(&self, year: i64, month: i64) -> u64 {
        let last = days_in_month(year, month);
        let in_month = (1_u64 << (last + 1)) - 2;
        let first_weekday = weekday_of(days_of(year, month, 1));
        let mut days = u64::from(self.days);
        if self.weekdays != 0 {
            // Seven bits, the weekday of the 1st lowest, repeated over the month.
            days |= (rotate(self.weekdays, first_weekday) * EACH_WEEK) << 1;
        }
        for (index, weekdays) in self.nth_weekdays.iter().enumerate().filter(|(_, weekdays)| **weekdays != 0) {
            days |= rotate(*weekdays, first_weekday) << (1 + 7 * index);
        }
        if self.last_weekdays != 0 {
            days |= rotate(self.last_weekdays, (first_weekday + last - 7) % 7) << (last - 6);
        }
        if self.from_last != 0 {
            // Bit n counts back from the last day: turned round and moved so that bit 0 lands there.
            days |= u64::from(self.from_last.reverse_bits()) >> (31 - last);
        }
        let mut nearest = u64::from(self.nearest_weekdays) & in_month;
        while nearest != 0 {
            days |= 1 << nearest_weekday(i64::from(nearest.trailing_zeros()), first_weekday, last);
            nearest &= nearest - 1;
        }
        if self.last_weekday {
            days |= 1 << nearest_weekday(last, first_weekday, last);
        }
        days & in_month
    }
}

/// Week days as seven bits that start with the given week day.
fn rotate(weekdays: u8, first: i64) -> u64 {
    let doubled = u64::from(weekdays) | u64::from(weekdays) << 7;
    (doubled >> first) & 0x7f
}

/// The weekday from Monday to Friday nearest to `day`, without leaving the month.
fn nearest_weekday(day: i64, first_weekday: i64, last: i64) -> i64 {
    match (first_weekday + day - 1) % 7 {
        6 if day == 1 => 3,
        6 => day - 1,
        0 if day == last => day - 2,
        0 => day + 1,
        _ => day,
    }
}

/// The lowest bit of the set that is not below `from`.
fn first_bit(set: u64, from: i64) -> Option<i64> {
    let above = if from < 64 { set & (u64::MAX << from) } else { 0 };
    (above != 0).then(|| i64::from(above.trailing_zeros()))
}
