//! The proleptic Gregorian calendar on plain integers.
//!
//! Invariant: valid for all years this crate handles (1969 to 2200), without tables and without branches on the era.

pub(crate) const MINUTES_PER_DAY: i64 = 1440;
pub(crate) const YEAR_MIN: i64 = 1970;
pub(crate) const YEAR_MAX: i64 = 2199;
/// 1969-12-30 and 2200-01-03: an instant outside can be pulled in without changing any answer.
pub(crate) const SECOND_MIN: i64 = -2 * 86_400;
pub(crate) const SECOND_MAX: i64 = 84_008 * 86_400;

/// Days from 1970-01-01 to the given date. `month` is 1 to 12.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a day number: the inverse of [`days_of`].
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// 0 for Sunday to 6 for Saturday.
pub(crate) fn weekday_of(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_from_1969_to_2200_round_trips() {
        let (mut year, mut month, mut day) = (1969, 12, 30);
        for days in -2..84_008 {
            assert_eq!((days_of(year, month, day), date_of(days)), (days, (year, month, day)));
            day += 1;
            if day > days_in_month(year, month) {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
        assert_eq!((year, month, day), (2200, 1, 3));
        assert_eq!(weekday_of(0), 4, "1970-01-01 was a Thursday");
    }
}
