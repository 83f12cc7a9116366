//! The offsets of one zone over all years that schedules have, as a table.
//!
//! Between two changes the local times of a stretch are its instants plus one number. Which instants a local time has is
//! then a look at the stretches around it: at none it is skipped, at two it comes twice.
//!
//! Invariant: stretches follow each other without a hole, the first begins before every instant that is asked about.

use jiff::{Timestamp, tz::TimeZone};

use crate::calendar::{SECOND_MAX, SECOND_MIN};

/// No clock was ever moved by more.
const SHIFT_S_MAX: i64 = 86_400;

/// From a change of the offset to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from_s: i64,
    offset_s: i64,
}

/// The stretches of a zone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offsets(Vec<Stretch>);

/// The instants of a local time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Offsets {
    pub(crate) fn of(zone: &TimeZone) -> Self {
        let begin = Timestamp::from_second(SECOND_MIN).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset_s = i64::from(zone.to_offset(begin).seconds());
        let mut stretches = vec![Stretch { from_s: i64::MIN, offset_s }];
        for change in zone.following(begin) {
            let stretch =
                Stretch { from_s: change.timestamp().as_second(), offset_s: i64::from(change.offset().seconds()) };
            if stretch.from_s > SECOND_MAX {
                break;
            }
            // Some changes are of the zone's name only.
            if stretches.last().is_some_and(|last| last.offset_s != stretch.offset_s) {
                stretches.push(stretch);
            }
        }
        Self(stretches)
    }

    /// The stretch at an instant, by number.
    #[inline]
    fn at(&self, instant_s: i64) -> usize {
        self.0.partition_point(|stretch| stretch.from_s <= instant_s).saturating_sub(1)
    }

    #[inline]
    fn get(&self, number: usize) -> Option<Stretch> {
        self.0.get(number).copied()
    }

    #[inline]
    pub(crate) fn offset_s(&self, instant_s: i64) -> i64 {
        self.get(self.at(instant_s)).map_or(0, |stretch| stretch.offset_s)
    }

    /// The offset at an instant, and from there a way to ask about local times not much later.
    #[inline]
    pub(crate) fn cursor(&self, instant_s: i64) -> Cursor<'_> {
        Cursor { offsets: self, number: self.at(instant_s) }
    }

    pub(crate) fn instants(&self, local_s: i64) -> Instants {
        self.cursor(local_s.saturating_sub(SHIFT_S_MAX)).instants(local_s)
    }

    /// Changes after `from_s` and before `to_s`, earliest first.
    pub(crate) fn transitions(&self, from_s: i64, to_s: i64) -> impl Iterator<Item = Transition> + '_ {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs
            .map(|(before, after)| Transition {
                at_s: after.from_s,
                before_s: before.offset_s,
                after_s: after.offset_s,
            })
            .filter(move |change| from_s < change.at_s && change.at_s < to_s)
    }
}

/// A place in a zone's table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'o> {
    offsets: &'o Offsets,
    number: usize,
}

impl Cursor<'_> {
    #[inline]
    pub(crate) fn offset_s(&self) -> i64 {
        self.offsets.get(self.number).map_or(0, |stretch| stretch.offset_s)
    }

    /// The instants of a local time that is not shown before the stretch that precedes this one.
    #[inline]
    pub(crate) fn instants(&self, local_s: i64) -> Instants {
        let mut number = self.number.saturating_sub(1);
        // Far ahead the table is searched, not walked.
        if self.offsets.get(self.number + 2).is_some_and(|ahead| ahead.from_s < local_s.saturating_sub(SHIFT_S_MAX)) {
            number = self.offsets.at(local_s.saturating_sub(SHIFT_S_MAX));
        }
        let mut before_s = self.offsets.get(number).map_or(0, |stretch| stretch.offset_s);
        while let Some(stretch) = self.offsets.get(number) {
            let next = self.offsets.get(number + 1);
            let instant_s = local_s - stretch.offset_s;
            if instant_s < stretch.from_s {
                return Instants::Gap { before_s };
            }
            match next {
                Some(next) if instant_s >= next.from_s => {}
                Some(next) if local_s - next.offset_s >= next.from_s => return Instants::Fold { first: instant_s },
                _ => return Instants::One(instant_s),
            }
            before_s = stretch.offset_s;
            number += 1;
        }
        Instants::Gap { before_s }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{civil::DateTime, tz::AmbiguousOffset};

    use super::*;

    /// All zones, around each of their changes: the same answers as jiff gives by itself.
    #[test]
    fn the_table_is_the_database() {
        let database = jiff::tz::TimeZoneDatabase::bundled();
        let epoch: DateTime = "1970-01-01T00:00:00".parse().unwrap();
        let mut looked_at = 0;
        for name in database.available() {
            let zone = database.get(name.as_str()).unwrap();
            let offsets = Offsets::of(&zone);
            for change in &offsets.0[1..] {
                for away_s in [-90_000, -7200, -3601, -3600, -1800, -1, 0, 1, 1799, 1800, 3599, 3600, 7200, 90_000] {
                    let instant_s = change.from_s + away_s;
                    let expected = zone.to_offset(Timestamp::from_second(instant_s).unwrap()).seconds();
                    assert_eq!(offsets.offset_s(instant_s), i64::from(expected), "{name:?} {instant_s}");
                    let local_s = instant_s + change.offset_s;
                    let local = epoch + jiff::SignedDuration::from_secs(local_s);
                    let expected = match zone.to_ambiguous_timestamp(local).offset() {
                        AmbiguousOffset::Unambiguous { offset } => Instants::One(local_s - i64::from(offset.seconds())),
                        AmbiguousOffset::Gap { before, .. } => Instants::Gap { before_s: before.seconds().into() },
                        AmbiguousOffset::Fold { before, .. } => {
                            Instants::Fold { first: local_s - i64::from(before.seconds()) }
                        }
                    };
                    assert_eq!(offsets.instants(local_s), expected, "{name:?} {local}");
                    for earlier_s in [0, 1, 86_400, 40_000_000] {
                        let from_s = (instant_s - 200_000 - earlier_s).max(SECOND_MIN);
                        assert_eq!(
                            offsets.cursor(from_s).instants(local_s),
                            expected,
                            "{name:?} {local} from {from_s}"
                        );
                    }
                    looked_at += 1;
                }
            }
        }
        assert!(looked_at > 100_000, "{looked_at}");
    }
}
