//! Time zones from the bundled IANA database, and local times for people.
//!
//! The rest of the crate sees a zone as two questions: which offset holds at an instant, and which instants a local time has.
//!
//! Invariant: the database is the one compiled in; the machine's own is never read, so every machine answers alike.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::calendar::{SECOND_MAX, SECOND_MIN, date_of, days_of};
use crate::offsets::{Cursor, Instants, Offsets, Transition};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Zones that were asked for: a table for each, whoever asks.
static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Known>>>> = LazyLock::new(Mutex::default);

/// A time zone. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone(Option<Arc<Known>>);

#[derive(Debug, PartialEq, Eq)]
struct Known {
    zone: TimeZone,
    offsets: Offsets,
}

impl Zone {
    /// UTC, the zone of all EventBridge rules.
    pub const UTC: Self = Self(None);

    /// A zone by its IANA name, spelt as in the database: `Europe/Berlin`.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = known.get(name) {
            return Ok(Self(Some(Arc::clone(zone))));
        }
        let found = DATABASE.get(name).ok().filter(|zone| zone.iana_name() == Some(name));
        let zone = found.ok_or_else(|| ZoneError { name: name.to_owned(), nearest: nearest_name(name) })?;
        let zone = Arc::new(Known { offsets: Offsets::of(&zone), zone });
        known.insert(name.to_owned(), Arc::clone(&zone));
        Ok(Self(Some(zone)))
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.as_ref().and_then(|known| known.zone.iana_name()).unwrap_or("UTC")
    }

    /// What clocks in the zone show at an instant.
    pub fn local(&self, instant_ms: i64) -> LocalTime {
        LocalTime { instant_ms, offset_s: self.offset_s(instant_ms.div_euclid(1000)) }
    }

    /// Seconds to add to UTC at an instant.
    pub(crate) fn offset_s(&self, instant_s: i64) -> i64 {
        let Some(known) = &self.0 else { return 0 };
        if (SECOND_MIN..=SECOND_MAX).contains(&instant_s) {
            return known.offsets.offset_s(instant_s);
        }
        let beyond = if instant_s < 0 { Timestamp::MIN } else { Timestamp::MAX };
        i64::from(known.zone.to_offset(Timestamp::from_second(instant_s).unwrap_or(beyond)).seconds())
    }

    /// The zone's table at an instant of the years that schedules have; nothing for UTC.
    #[inline]
    pub(crate) fn cursor(&self, instant_s: i64) -> Option<Cursor<'_>> {
        self.0.as_ref().map(|known| known.offsets.cursor(instant_s))
    }

    pub(crate) fn instants(&self, local_s: i64) -> Instants {
        self.0.as_ref().map_or(Instants::One(local_s), |known| known.offsets.instants(local_s))
    }

    /// Changes of the offset after `from_s` and before `to_s`, earliest first.
    pub(crate) fn transitions(&self, from_s: i64, to_s: i64) -> impl Iterator<Item = Transition> + '_ {
        self.0.iter().flat_map(move |known| known.offsets.transitions(from_s, to_s))
    }
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

/// Names that are not in the database and what is meant by them most often.
const ABBREVIATIONS: [(&str, &str); 10] = [
    ("pst", "America/Los_Angeles"),
    ("pdt", "America/Los_Angeles"),
    ("cst", "America/Chicago"),
    ("cdt", "America/Chicago"),
    ("edt", "America/New_York"),
    ("bst", "Europe/London"),
    ("cest", "Europe/Berlin"),
    ("ist", "Asia/Kolkata"),
    ("jst", "Asia/Tokyo"),
    ("aest", "Australia/Sydney"),
];

/// Each name as it is compared: in lower case, and where its city begins in it.
static COMPARED: LazyLock<Vec<(String, usize, String)>> = LazyLock::new(|| {
    let compared = |name: String| {
        let lower = name.to_ascii_lowercase();
        let city = lower.rfind('/').map_or(0, |at| at + 1);
        (lower, city, name)
    };
    DATABASE.available().map(|name| compared(name.as_str().to_owned())).collect()
});

/// No name is near one that is longer.
const WANTED_BYTES_MAX: usize = 64;

/// The name spelt most alike, as a whole or by its city; or what an abbreviation means.
fn nearest_name(name: &str) -> Option<String> {
    if name.len() > WANTED_BYTES_MAX {
        return None;
    }
    let wanted = name.to_ascii_lowercase().replace([' ', '-'], "_");
    if let Some((_, meant)) = ABBREVIATIONS.iter().find(|(short, _)| *short == wanted) {
        return Some((*meant).to_owned());
    }
    let wanted_city = wanted.rsplit('/').next().unwrap_or_default();
    let whole = || COMPARED.iter().map(|(lower, _, name)| (lower.as_str(), name));
    let cities = COMPARED.iter().filter(|(_, city, _)| *city > 0);
    let by_city = || cities.filter_map(|(lower, city, name)| Some((lower.get(*city..)?, name)));
    let found = nearest_of(whole(), &wanted).or_else(|| nearest_of(by_city(), wanted_city));
    found.map(str::to_owned)
}

/// What is spelt most like `wanted`, if anything is near. Short names are like many others.
fn nearest_of<'n>(candidates: impl Iterator<Item = (&'n str, &'n String)>, wanted: &str) -> Option<&'n str> {
    let most = if wanted.len() < 6 { 1 } else { 2 };
    let near = candidates.filter(|(spelt, _)| spelt.len().abs_diff(wanted.len()) <= most);
    let near = near.map(|(spelt, name)| (distance(spelt, wanted), name)).filter(|(distance, _)| *distance <= most);
    near.min().map(|(_, name)| name.as_str())
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
