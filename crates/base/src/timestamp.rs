//! Points in time, in milliseconds since 1970-01-01T00:00:00Z.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MS_PER_DAY: i64 = 86_400_000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds since the epoch.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch with milliseconds as fraction, as the JSON protocols send it.
    #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits for the next 285,000 years")]
    pub fn seconds_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// This time plus a number of milliseconds.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`, as EventBridge writes an event's time.
    pub fn to_iso_seconds(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(MS_PER_DAY));
        let second = self.0.rem_euclid(MS_PER_DAY) / 1000;
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

/// As HTTP headers have it, in whole seconds.
impl Timestamp {
    /// `Sat, 21 Nov 2026 10:00:00 GMT`.
    pub fn to_http_date(self) -> String {
        let days = self.0.div_euclid(MS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let second = self.0.rem_euclid(MS_PER_DAY) / 1000;
        let name = |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied());
        format!(
            "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
            name(&WEEKDAYS, days.rem_euclid(7)).unwrap_or_default(),
            name(&MONTHS, month - 1).unwrap_or_default(),
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// Reads `Sat, 21 Nov 2026 10:00:00 GMT`; `None` where the text is something else. The name of the day is not looked at.
    pub fn from_http_date(text: &str) -> Option<Self> {
        let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
        let [day, month, year, time] = rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let month = MONTHS.iter().position(|name| *name == month)? + 1;
        if !(1..=2).contains(&day.len()) || year.len() != 4 {
            return None;
        }
        parse(&format!("{year}-{month:02}-{day:0>2}T{time}Z")).filter(|_| time.len() == 8)
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_iso_seconds();
        write!(f, "{}.{:03}Z", text.trim_end_matches('Z'), self.0.rem_euclid(1000))
    }
}

/// Reads RFC 3339: `2026-11-21T10:00:00Z`, with an optional fraction and a numeric offset.
impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| format!("`{text}` is no time: expected RFC 3339 such as `2026-11-21T10:00:00Z`"))
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let is = |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|b| wanted.contains(b));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days_from_civil(year, month, day);
    if civil_from_days(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("0", rest),
    };
    let ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let offset_minutes = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), ..] if zone.len() == 6 && zone.get(3..4)? == ":" => {
            let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset_minutes * 60;
    Some(Timestamp(seconds * 1000 + ms))
}

/// The proleptic Gregorian date of a day number, 0 = 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Count in 400-year eras of years that begin on 1 March, so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The day number of a date, the inverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, civil_from_days, days_from_civil};

    #[test]
    fn every_day_of_a_thousand_years_survives_the_round_trip() {
        for days in -200_000..200_000 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn text_and_number_agree() {
        assert_eq!("2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T10:00:00.000Z");
        assert_eq!("2024-02-29T23:59:59.5+01:30".parse::<Timestamp>().unwrap().to_string(), "2024-02-29T22:29:59.500Z");
        assert_eq!(Timestamp(0).to_iso_seconds(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn http_dates_are_written_and_read() {
        assert_eq!(Timestamp(0).to_http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(Timestamp(1_795_255_200_999).to_http_date(), "Sat, 21 Nov 2026 10:00:00 GMT");
        for days in -200_000..200_000 {
            let time = Timestamp(days * 86_400_000 + 45_296_000);
            assert_eq!(Timestamp::from_http_date(&time.to_http_date()), Some(time));
        }
        for text in [
            "",
            "Sat, 21 Nov 2026 10:00:00",
            "Sat, 31 Nov 2026 10:00:00 GMT",
            "Sat, 21 Nev 2026 10:00:00 GMT",
            "Sat, 021 Nov 2026 10:00:00 GMT",
            "Sat, 21 Nov 2026 10:00:00.5 GMT",
            "Sat, 21 Nov +026 10:00:00 GMT",
            "2026-11-21T10:00:00Z",
        ] {
            assert_eq!(Timestamp::from_http_date(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-02-30T00:00:00Z",
            "2026-11-21",
            "2026-11-21T10:00:00",
            "2026-11-21T24:00:00Z",
            "2026-11-21T10:00:00+1",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
