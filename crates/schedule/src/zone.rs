//! Time zones from the bundled IANA database, and local times for people.
//!
//! The rest of the crate sees a zone as two questions: which offset holds at an instant, and which instants a local time has.
//!
//! Invariant: the database is the one compiled in; the machine's own is never read, so every machine answers alike.

use std::{fmt, sync::LazyLock};

use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

use crate::calendar::{date_of, days_of};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone(Option<TimeZone>);

/// The instants of a local time, in seconds.
pub(crate) enum Instants {
    One(i64),
    /// The local time is skipped; the offset before the change.
    Gap {
        before_s: i64,
    },
    /// The local time comes twice; the first instant counts.
    Fold {
        first: i64,
    },
}

/// A change of a zone's offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) at_s: i64,
    pub(crate) before_s: i64,
    pub(crate) after_s: i64,
}

impl Zone {
    /// UTC, the zone of all EventBridge rules.
    pub const UTC: Self = Self(None);

    /// A zone by its IANA name, spelt as in the database: `Europe/Berlin`.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        let found = DATABASE.get(name).ok().filter(|zone| zone.iana_name() == Some(name));
        found
            .map(|zone| Self(Some(zone)))
            .ok_or_else(|| ZoneError { name: name.to_owned(), nearest: nearest_name(name) })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.as_ref().and_then(TimeZone::iana_name).unwrap_or("UTC")
    }

    /// What clocks in the zone show at an instant.
    pub fn local(&self, instant_ms: i64) -> LocalTime {
        LocalTime { instant_ms, offset_s: self.offset_s(instant_ms.div_euclid(1000)) }
    }

    /// Seconds to add to UTC at an instant.
    pub(crate) fn offset_s(&self, instant_s: i64) -> i64 {
        let Some(zone) = &self.0 else { return 0 };
        i64::from(zone.to_offset(timestamp(instant_s)).seconds())
    }

    pub(crate) fn is_utc(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn instants(&self, local_s: i64) -> Instants {
        let Some(zone) = &self.0 else { return Instants::One(local_s) };
        match zone.to_ambiguous_timestamp(civil_of(local_s)).offset() {
            AmbiguousOffset::Unambiguous { offset } => Instants::One(local_s - i64::from(offset.seconds())),
            AmbiguousOffset::Gap { before, .. } => Instants::Gap { before_s: i64::from(before.seconds()) },
            AmbiguousOffset::Fold { before, .. } => Instants::Fold { first: local_s - i64::from(before.seconds()) },
        }
    }

    /// Changes of the offset after `from_s` and before `to_s`, earliest first.
    pub(crate) fn transitions(&self, from_s: i64, to_s: i64) -> impl Iterator<Item = Transition> + '_ {
        let zone = self.0.as_ref().filter(|_| from_s < to_s);
        let mut before_s = self.offset_s(from_s);
        zone.into_iter()
            .flat_map(move |zone| zone.following(timestamp(from_s)))
            .map(|change| (change.timestamp().as_second(), i64::from(change.offset().seconds())))
            .take_while(move |(at_s, _)| *at_s < to_s)
            .filter_map(move |(at_s, after_s)| {
                let change = Transition { at_s, before_s, after_s };
                before_s = after_s;
                (change.before_s != after_s).then_some(change)
            })
    }
}

fn timestamp(instant_s: i64) -> Timestamp {
    Timestamp::from_second(instant_s).unwrap_or(if instant_s < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn civil_of(local_s: i64) -> civil::DateTime {
    let (year, month, day) = date_of(local_s.div_euclid(86_400));
    let second = local_s.rem_euclid(86_400);
    let date = civil::Date::new(year as i16, month as i8, day as i8).unwrap_or(civil::Date::ZERO);
    let time = civil::Time::new((second / 3600) as i8, (second / 60 % 60) as i8, (second % 60) as i8, 0);
    civil::DateTime::from_parts(date, time.unwrap_or(civil::Time::midnight()))
}

/// A zone name that the database does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneError {
    name: String,
    nearest: Option<String>,
}

impl ZoneError {
    /// The zone name that is spelt most alike, if one comes close.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time zone `{}` is not in the IANA database", self.name)?;
        self.nearest().map_or(Ok(()), |nearest| write!(f, "; did you mean `{nearest}`?"))
    }
}

impl std::error::Error for ZoneError {}

fn nearest_name(name: &str) -> Option<String> {
    let wanted = name.to_ascii_lowercase().replace(' ', "_");
    let city = |zone: &str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&wanted));
    let all: Vec<String> = DATABASE.available().map(|zone| zone.as_str().to_owned()).collect();
    let distances = all.iter().map(|zone| (distance(&zone.to_ascii_lowercase(), &wanted), zone));
    let closest = distances.min().filter(|(distance, _)| *distance <= 2).map(|(_, zone)| zone);
    closest.or_else(|| all.iter().find(|zone| city(zone))).cloned()
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.bytes().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(right.bytes()) {
            let cost = (diagonal + usize::from(from != to)).min(previous + 1).min(*cell + 1);
            (diagonal, previous) = (*cell, cost);
            *cell = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// An instant as a clock somewhere shows it. `Display` is RFC 3339: `2026-11-23T02:30:00+01:00`, or `...Z` in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Milliseconds since the epoch.
    pub instant_ms: i64,
    /// Seconds the clock is ahead of UTC.
    pub offset_s: i64,
}

impl LocalTime {
    /// As a clock in UTC shows it.
    pub fn utc(instant_ms: i64) -> Self {
        Self { instant_ms, offset_s: 0 }
    }

    /// What the clock shows, without saying where: `2026-11-23T02:30:00`.
    pub fn without_offset(&self) -> String {
        let local_s = self.instant_ms.div_euclid(1000) + self.offset_s;
        let (year, month, day) = date_of(local_s.div_euclid(86_400));
        let second = local_s.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_offset())?;
        let millis = self.instant_ms.rem_euclid(1000);
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        if self.offset_s == 0 {
            return f.write_str("Z");
        }
        let (sign, offset) = if self.offset_s < 0 { ('-', -self.offset_s) } else { ('+', self.offset_s) };
        write!(f, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60)
    }
}

/// The local second count of a date and time that exist in the calendar.
pub(crate) fn local_second(date: (i64, i64, i64), time: (i64, i64, i64)) -> i64 {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
}
