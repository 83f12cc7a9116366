//! What is refused, where, and what is proposed instead.

use neargate_schedule::{Dialect, Schedule, Zone};

fn check(expression: &str, expected: &str) {
    let error = Schedule::parse(expression, Dialect::Rule).unwrap_err();
    assert_eq!(error.to_string(), expected);
    if let Some(nearest) = error.nearest() {
        assert!(Schedule::parse(nearest, Dialect::Rule).is_ok(), "{nearest} is not valid itself");
    }
}

fn nearest(expression: &str, dialect: Dialect) -> String {
    match Schedule::parse(expression, dialect) {
        Ok(_) => "valid".to_owned(),
        Err(error) => error.nearest().unwrap_or("none").to_owned(),
    }
}

#[test]
fn errors_point_at_the_field() {
    check(
        "cron(71 8 1 * ? *)",
        "minutes of `cron(71 8 1 * ? *)`: got `71` at columns 6-7, expected 0 to 59; did you mean `cron(59 8 1 * ? *)`?",
    );
    check(
        "cron(0 8 ? * MONDAY *)",
        "day-of-week of `cron(0 8 ? * MONDAY *)`: got `MONDAY` at columns 14-19, expected 1 to 7 or SUN to SAT; \
         did you mean `cron(0 8 ? * MON *)`?",
    );
    check(
        "cron(0 1 * * * *)",
        "day-of-week of `cron(0 1 * * * *)`: got `*` at column 14, expected `?` in one of day-of-month and day-of-week; \
         did you mean `cron(0 1 * * ? *)`?",
    );
    check(
        "cron(0 dummy ? * MON-FRI *)",
        "hours of `cron(0 dummy ? * MON-FRI *)`: got `dummy` at columns 8-12, expected 0 to 23",
    );
    check(
        "cron(1,,x * * * ? *)",
        "minutes of `cron(1,,x * * * ? *)`: got nothing at column 8, expected a value between commas",
    );
    let error = Schedule::parse("cron(0 0 ? * 2#9 *)", Dialect::Rule).unwrap_err();
    assert_eq!((error.columns(), error.got(), error.expected()), (15..16, "9".to_owned(), "1 to 5 after `#`"));
}

#[test]
fn the_nearest_valid_form_is_named() {
    let rule =
        |expression: &str, expected: &str| assert_eq!(nearest(expression, Dialect::Rule), expected, "{expression}");
    rule("cron(0 12 * * *)", "cron(0 12 * * ? *)");
    rule("*/5 * * * *", "cron(*/5 * * * ? *)");
    rule("cron(0 9 * * 1-5)", "cron(0 9 ? * 2-6 *)");
    rule("cron(0 0 12 * * ? *)", "cron(0 12 * * ? *)");
    rule("cron(0 9 1 * MON *)", "cron(0 9 1 * ? *)");
    rule("cron(0 9 ? * ? *)", "cron(0 9 * * ? *)");
    rule("cron(99 99 99 99 ? 99)", "cron(59 23 31 12 ? 1970)");
    rule("cron(/5 0, * JANUARY ? *)", "cron(*/5 0 * JAN ? *)");
    rule("cron(0- * W 0/0 ? *)", "cron(0 * LW 1/1 ? *)");
    rule("CRON(0 9 * * ? *)", "cron(0 9 * * ? *)");
    rule("0 9 * * ? *", "cron(0 9 * * ? *)");
    rule("cron(0\t9 * * ? *)", "cron(0 9 * * ? *)");
    rule("@daily", "cron(0 0 * * ? *)");
    rule("rate(1 minutes)", "rate(1 minute)");
    rule("rate(10 minute)", "rate(10 minutes)");
    rule("rate(10 MINUTES)", "rate(10 minutes)");
    rule("rate( 10 minutes )", "rate(10 minutes)");
    rule(" rate(10 minutes)", "rate(10 minutes)");
    rule("rate(0 hours)", "rate(1 hour)");
    rule("rate(90 seconds)", "rate(2 minutes)");
    rule("rate(2 weeks)", "rate(14 days)");
    rule("5 minutes", "rate(5 minutes)");
    rule("at(2027-01-01T00:00:00)", "none");
    rule("whenever", "none");
    rule("cron(0 0 1 * ? *", "cron(0 0 1 * ? *)");
    let scheduler =
        |expression, expected| assert_eq!(nearest(expression, Dialect::Scheduler), expected, "{expression}");
    scheduler("at(2027-01-01T00:00)", "at(2027-01-01T00:00:00)");
    scheduler("at(2027-01-01 09:30:00)", "at(2027-01-01T09:30:00)");
    scheduler("at(2021-12-31T23:59:59Z)", "at(2021-12-31T23:59:59)");
    scheduler("at(2021-12-31)", "at(2021-12-31T00:00:00)");
    scheduler("at(2027-02-29T00:00:00)", "none");
    scheduler("2027-01-01T09:30:00", "at(2027-01-01T09:30:00)");
    scheduler("rate(1 minutes)", "valid");
    scheduler("rate(10 MINUTE)", "valid");
    scheduler("rate(0 minutes)", "rate(1 minute)");
}

#[test]
fn the_two_apis_answer_in_their_own_words() {
    let error = Schedule::parse("cron(é)", Dialect::Scheduler).unwrap_err();
    assert_eq!(error.aws_message(Dialect::Rule), "Parameter ScheduleExpression is not valid.");
    assert_eq!(error.aws_message(Dialect::Scheduler), "Invalid Schedule Expression cron(é).");
    assert_eq!((error.columns(), error.got()), (5..6, "é".to_owned()));
}

#[test]
fn zones_are_spelt_as_in_the_database() {
    let message = |name: &str| Zone::named(name).unwrap_err().to_string();
    let missing = |name: &str| format!("time zone `{name}` is not in the IANA database");
    assert_eq!(message("europe/berlin"), format!("{}; did you mean `Europe/Berlin`?", missing("europe/berlin")));
    assert_eq!(
        message("America/New York"),
        format!("{}; did you mean `America/New_York`?", missing("America/New York"))
    );
    assert_eq!(message("Tokyo"), format!("{}; did you mean `Asia/Tokyo`?", missing("Tokyo")));
    for (given, meant) in [
        ("Europe/Berln", "Europe/Berlin"),
        ("Europe/NewYork", "America/New_York"),
        ("lord-howe", "Australia/Lord_Howe"),
        ("Casablanka", "Africa/Casablanca"),
        ("America/Sao Paolo", "America/Sao_Paulo"),
        ("PST", "America/Los_Angeles"),
        ("Utc", "UTC"),
    ] {
        assert_eq!(Zone::named(given).unwrap_err().nearest(), Some(meant), "{given}");
    }
    for far in ["Mars/Olympus", "", "x", "/", &"Europe/Berlin".repeat(100_000)] {
        assert_eq!(Zone::named(far).unwrap_err().nearest(), None, "{far}");
    }
    assert_eq!(message("Mars/Olympus"), missing("Mars/Olympus"));
    assert_eq!(Zone::named("Europe/Berlin").unwrap().name(), "Europe/Berlin");
    assert_eq!(Zone::named("UTC").unwrap(), Zone::UTC);
}

#[test]
fn no_text_makes_the_parser_stumble() {
    let mut rng = fastrand::Rng::with_seed(5);
    let alphabet: Vec<char> = "0123456789*/,-?LW#() JANMONcronrateatTZ:é\t".chars().collect();
    for _ in 0..20_000 {
        let body: String = (0..rng.usize(0..16)).map(|_| alphabet[rng.usize(0..alphabet.len())]).collect();
        for expression in [body.clone(), format!("cron({body})"), format!("rate({body})"), format!("at({body})")] {
            for dialect in [Dialect::Rule, Dialect::Scheduler] {
                let Err(error) = Schedule::parse(&expression, dialect) else { continue };
                assert!(error.columns().end <= expression.chars().count());
                assert!(error.nearest().is_none_or(|nearest| Schedule::parse(nearest, dialect).is_ok()));
            }
        }
    }
}
