//! One rule of EventBridge a test.

use neargate_schedule::{BoundsError, Dialect, DstKind, FlexibleWindow, NoFire, Schedule, Zone};

use crate::ms;

fn schedule(expression: &str, zone: &str) -> Schedule {
    Schedule::parse(expression, Dialect::Scheduler).unwrap().in_zone(Zone::named(zone).unwrap())
}

fn next(schedule: &Schedule, after: &str) -> String {
    schedule.next_fire(ms(after)).map_or_else(|why| why.to_string(), |fire_ms| Zone::UTC.local(fire_ms).to_string())
}

#[test]
fn the_reason_there_is_no_fire_is_named() {
    let never = schedule("cron(0 0 30 2 ? *)", "UTC");
    assert_eq!(never.next_fire(0), Err(NoFire::ImpossibleDate));
    let over = schedule("cron(0 0 1 1 ? 2020)", "UTC");
    assert_eq!(next(&over, "2019-06-01T00:00:00Z"), "2020-01-01T00:00:00Z");
    assert_eq!(over.next_fire(ms("2020-01-01T00:00:00Z")), Err(NoFire::YearsOver));
    let end_ms = ms("2027-01-02T00:00:00Z");
    let daily = schedule("cron(0 0 * * ? *)", "UTC").bounded(None, Some(end_ms)).unwrap();
    assert_eq!(next(&daily, "2027-01-01T00:00:00Z"), "2027-01-02T00:00:00Z");
    assert_eq!(daily.next_fire(end_ms), Err(NoFire::Ended { end_ms }));
    assert_eq!(next(&daily, "2027-01-02T00:00:00Z"), "does not fire again: ended at 2027-01-02T00:00:00Z");
    let at = schedule("at(2027-03-14T02:30:00)", "America/New_York");
    assert_eq!(next(&at, "2026-11-21T00:00:00Z"), "never fires: 2027-03-14T02:30:00 does not exist, clocks skip it");
    let at_ms = ms("2027-01-01T00:00:00Z");
    assert_eq!(schedule("at(2027-01-01T00:00:00)", "UTC").next_fire(at_ms), Err(NoFire::Past { at_ms }));
    assert_eq!(schedule("cron(* * * * ? *)", "UTC").next_fire(i64::MAX), Err(NoFire::YearsOver));
    assert_eq!(next(&schedule("cron(* * * * ? *)", "UTC"), "-009000-01-01T00:00:00Z"), "1970-01-01T00:00:00Z");
}

#[test]
fn start_is_inclusive_and_the_end_comes_later() {
    let start = ms("2027-01-01T00:00:00Z");
    let daily = || schedule("cron(0 0 * * ? *)", "UTC");
    assert_eq!(next(&daily().bounded(Some(start), None).unwrap(), "2026-11-21T00:00:00Z"), "2027-01-01T00:00:00Z");
    assert_eq!(daily().bounded(Some(start), Some(start)), Err(BoundsError::EndBeforeStart));
    let at = schedule("at(2026-12-01T00:00:00)", "UTC").bounded(Some(start), None).unwrap();
    assert_eq!(next(&at, "2026-11-21T00:00:00Z"), "2026-12-01T00:00:00Z", "at ignores the bounds");
}

#[test]
fn a_rate_counts_from_creation_or_start() {
    let created_ms = ms("2026-11-21T10:00:05Z");
    let rule = Schedule::parse("rate(5 minutes)", Dialect::Rule).unwrap().created_at(created_ms);
    assert_eq!(next(&rule, "2026-11-21T10:00:05Z"), "2026-11-21T10:05:05Z");
    assert_eq!(next(&rule, "2026-11-20T00:00:00Z"), "2026-11-21T10:05:05Z");
    assert_eq!(next(&rule, "2036-11-21T10:05:04Z"), "2036-11-21T10:05:05Z");
    let scheduler = schedule("rate(5 minutes)", "UTC").created_at(created_ms);
    assert_eq!(next(&scheduler, "2026-11-21T10:00:04Z"), "2026-11-21T10:00:05Z");
    let started = scheduler.bounded(Some(ms("2026-11-21T11:00:00Z")), None).unwrap();
    assert_eq!(next(&started, "2026-11-21T10:00:05Z"), "2026-11-21T11:00:00Z");
    assert_eq!(next(&started, "2026-11-21T11:00:00Z"), "2026-11-21T11:05:00Z");
}

#[test]
fn fires_between_takes_the_start_and_leaves_the_end() {
    let hourly = schedule("cron(0 * * * ? *)", "UTC");
    let fires = |from: &str, to: &str| hourly.fires_between(ms(from), ms(to)).count();
    assert_eq!(fires("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"), 24);
    assert_eq!(fires("2026-11-21T00:00:00.001Z", "2026-11-21T01:00:00.001Z"), 1);
    assert_eq!(fires("2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z"), 0);
    assert_eq!(fires("2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z"), 0);
    let yearly = schedule("cron(0 0 1 1 ? *)", "UTC");
    assert_eq!(yearly.fires_between(i64::MIN, i64::MAX).count(), 230, "1970 to 2199");
    let years = schedule("cron(0 0 1 1 ? 2030-2040/5)", "UTC");
    let (start, end) = (ms("2035-01-01T00:00:00Z"), ms("2039-12-31T00:00:00Z"));
    assert_eq!(years.fires_between(i64::MIN, i64::MAX).count(), 3);
    let bounded = years.bounded(Some(start), Some(end)).unwrap();
    assert_eq!(bounded.fires_between(i64::MIN, i64::MAX).collect::<Vec<_>>(), [start]);
    assert_eq!(bounded.next_fire(start), Err(NoFire::Ended { end_ms: end }));
}

#[test]
fn a_rate_ends_with_time_itself() {
    let rate = Schedule::parse("rate(999999999 days)", Dialect::Rule).unwrap();
    assert_eq!(rate.next_fire(i64::MAX - 1), Ok(i64::MAX));
    assert_eq!(rate.next_fire(i64::MAX), Err(NoFire::YearsOver));
    assert!(rate.clone().created_at(i64::MAX).next_fire(0).is_ok_and(|fire_ms| fire_ms == i64::MAX));
    assert_eq!(rate.created_at(0).fires_between(i64::MIN, i64::MAX).count(), 106);
}

/// A half-hour shift, months without summer time, midnights that do not exist, a day that does not, a shift of two hours.
#[test]
fn unusual_clocks_skip_and_repeat_as_all_others() {
    let all = |expression: &str, zone: &str, from: &str, days: i64| {
        let from_ms = ms(from);
        let schedule = schedule(expression, zone);
        let fires = schedule.fires_between(from_ms, from_ms + days * 86_400_000);
        fires.map(|fire_ms| schedule.zone().local(fire_ms).to_string()).collect::<Vec<_>>()
    };
    // Lord Howe goes from 02:00 to 02:30 in October and from 02:00 to 01:30 in April.
    let spring = all("cron(15,45 2 * * ? *)", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1);
    assert_eq!(spring, ["2026-10-04T02:45:00+11:00"]);
    let autumn = all("cron(0/15 1 * * ? *)", "Australia/Lord_Howe", "2027-04-03T12:00:00Z", 1);
    let quarters = ["00", "15", "30", "45"].map(|quarter| format!("2027-04-04T01:{quarter}:00+11:00"));
    assert_eq!(autumn, quarters);
    // Casablanca leaves its summer time for Ramadan.
    let ramadan = all("cron(30 2 * * ? *)", "Africa/Casablanca", "2025-02-22T12:00:00Z", 2);
    assert_eq!(ramadan, ["2025-02-23T02:30:00+01:00", "2025-02-24T02:30:00Z"]);
    let after = all("cron(30 2 * * ? *)", "Africa/Casablanca", "2025-04-05T12:00:00Z", 2);
    assert_eq!(after, ["2025-04-07T02:30:00+01:00"]);
    // Sao Paulo changed at midnight, while it changed.
    let midnight = all("cron(0 0 * * ? *)", "America/Sao_Paulo", "2018-11-03T02:00:00Z", 3);
    assert_eq!(midnight, ["2018-11-03T00:00:00-03:00", "2018-11-05T00:00:00-02:00"]);
    let again = all("cron(30 23 * * ? *)", "America/Sao_Paulo", "2019-02-16T12:00:00Z", 2);
    assert_eq!(again, ["2019-02-16T23:30:00-02:00", "2019-02-17T23:30:00-03:00"]);
    // Samoa had no 30 December 2011.
    let samoa = all("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29T12:00:00Z", 3);
    assert_eq!(samoa, ["2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00", "2012-01-01T12:00:00+14:00"]);
    // Troll goes from 01:00 to 03:00.
    assert_eq!(all("cron(0 1,2,3 * * ? *)", "Antarctica/Troll", "2027-03-28T00:30:00Z", 1).len(), 3);
}

#[test]
fn a_flexible_window_comes_after_the_fire() {
    assert_eq!(FlexibleWindow::new(0), Err(BoundsError::Window { minutes: 0 }));
    assert_eq!(FlexibleWindow::new(1441), Err(BoundsError::Window { minutes: 1441 }));
    let window = FlexibleWindow::new(15).unwrap();
    for draw in [0, 1, 899_999, 900_000, u64::MAX] {
        assert!((1000..901_000).contains(&window.invoke_at(1000, draw)));
    }
    assert_eq!(window.invoke_at(1000, 899_999), 900_999);
}

#[test]
fn dst_remarks_name_gap_and_fold() {
    let nightly = schedule("cron(30 2 * * ? *)", "America/New_York");
    let year = (ms("2027-01-01T00:00:00Z"), ms("2028-01-01T00:00:00Z"));
    let told: Vec<String> = nightly.dst_remarks(year.0, year.1).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "2027-03-14T02:30:00 does not exist in `America/New_York`: clocks go from 02:00:00 to 03:00:00, the run is skipped"
        ]
    );
    let often = schedule("cron(0/15 1 * * ? *)", "America/New_York");
    let remarks = often.dst_remarks(year.0, year.1);
    assert_eq!(remarks.len(), 1);
    assert_eq!(
        remarks[0].to_string(),
        "2027-11-07T01:00:00 (and 3 more) comes twice in `America/New_York`: \
         clocks go back from 02:00:00 to 01:00:00, it runs the first time only"
    );
    assert_eq!((remarks[0].kind, remarks[0].change_ms), (DstKind::Fold, ms("2027-11-07T06:00:00Z")));
    assert_eq!(schedule("cron(0 9 * * ? *)", "America/New_York").dst_remarks(year.0, year.1), []);
    assert_eq!(schedule("cron(0 2 * * ? *)", "UTC").dst_remarks(year.0, year.1), []);
}

#[test]
fn a_single_fire_knows_its_fold() {
    let often = schedule("cron(0/30 * * * ? *)", "America/New_York");
    let kind = |at: &str| often.dst_remark(ms(at)).map(|remark| remark.kind);
    assert_eq!(kind("2027-11-07T04:30:00Z"), None);
    assert_eq!(kind("2027-11-07T05:00:00Z"), Some(DstKind::Fold));
    assert_eq!(kind("2027-11-07T05:30:00Z"), Some(DstKind::Fold));
    assert_eq!(kind("2027-11-07T07:00:00Z"), None);
    assert_eq!(kind("2027-03-14T07:00:00Z"), None);
    let at = schedule("at(2027-11-07T01:30:00)", "America/New_York");
    assert_eq!(next(&at, "2026-11-21T00:00:00Z"), "2027-11-07T05:30:00Z");
    assert_eq!(at.dst_remark(ms("2027-11-07T05:30:00Z")).unwrap().times, 1);
}

#[test]
fn local_times_show_their_offset() {
    let zone = Zone::named("Asia/Kathmandu").unwrap();
    assert_eq!(zone.local(ms("2026-11-21T00:00:00.250Z")).to_string(), "2026-11-21T05:45:00.250+05:45");
    assert_eq!(Zone::named("America/St_Johns").unwrap().local(0).to_string(), "1969-12-31T20:30:00-03:30");
}
