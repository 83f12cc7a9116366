//! `neargate schedule`.

use expect_test::{Expect, expect};
use neargate_testkit::needs::needs;

use crate::harness::Place;
use crate::running::Running;

fn next(expression: &str, more: &[&str], expected: Expect) {
    let all: Vec<&str> = ["schedule", "next", expression].iter().chain(more).copied().collect();
    Place::new().check(&all, expected);
}

const AFTER: [&str; 4] = ["--after", "2026-11-21T10:00:30Z", "-n", "3"];

#[needs()]
fn times() {
    next(
        "cron(30 9 ? * MON-FRI *)",
        &AFTER,
        expect![[r#"
        exit 0
        --- stdout
        2026-11-23T09:30:00Z
        2026-11-24T09:30:00Z
        2026-11-25T09:30:00Z
        --- stderr
            taken by EventBridge rules and EventBridge Scheduler
    "#]],
    );
    next(
        "rate(5 minutes)",
        &AFTER,
        expect![[r#"
        exit 0
        --- stdout
        2026-11-21T10:05:30Z
        2026-11-21T10:10:30Z
        2026-11-21T10:15:30Z
        --- stderr
            taken by EventBridge rules and EventBridge Scheduler
    "#]],
    );
    next(
        "rate(5 minutes)",
        &["--start", "2026-11-21T00:00:00Z", "-n", "2"],
        expect![[r#"
        exit 0
        --- stdout
        2026-11-21T00:05:00Z
        2026-11-21T00:10:00Z
        --- stderr
            taken by EventBridge rules and EventBridge Scheduler
    "#]],
    );
    next(
        "at(2030-01-01T00:00:00)",
        &AFTER,
        expect![[r#"
        exit 0
        --- stdout
        2030-01-01T00:00:00Z
        --- stderr
            taken by EventBridge Scheduler only
                 end does not fire again: its one time was 2030-01-01T00:00:00Z
    "#]],
    );
    next(
        "cron(0 4 1 * ? *)",
        &["--after", "2026-11-21T10:00:30Z", "-n", "2", "--timezone", "America/New_York"],
        expect![[r#"
        exit 0
        --- stdout
        2026-12-01T04:00:00-05:00
        2027-01-01T04:00:00-05:00
        --- stderr
            taken by EventBridge Scheduler only
    "#]],
    );
    next(
        "cron(0 0 29 2 ? 2028)",
        &AFTER,
        expect![[r#"
        exit 0
        --- stdout
        2028-02-29T00:00:00Z
        --- stderr
            taken by EventBridge rules and EventBridge Scheduler
                 end does not fire again: the last year of the expression is over
    "#]],
    );
}

#[needs()]
fn clocks_that_change() {
    let berlin = |from| ["--timezone", "Europe/Berlin", "-n", "3", "--after", from];
    next(
        "cron(30 2 * * ? *)",
        &berlin("2026-03-27T12:00:00Z"),
        expect![[r#"
        exit 0
        --- stdout
        2026-03-28T02:30:00+01:00
        2026-03-30T02:30:00+02:00
        2026-03-31T02:30:00+02:00
        --- stderr
            taken by EventBridge Scheduler only
              clocks 2026-03-29T02:30:00 does not exist in `Europe/Berlin`: clocks go from 02:00:00 to 03:00:00, the run is skipped
    "#]],
    );
    next(
        "cron(0/30 2 * * ? *)",
        &berlin("2026-10-24T12:00:00Z"),
        expect![[r#"
        exit 0
        --- stdout
        2026-10-25T02:00:00+02:00
        2026-10-25T02:30:00+02:00
        2026-10-26T02:00:00+01:00
        --- stderr
            taken by EventBridge Scheduler only
              clocks 2026-10-25T02:00:00 (and 1 more) comes twice in `Europe/Berlin`: clocks go back from 03:00:00 to 02:00:00, it runs the first time only
    "#]],
    );
    next(
        "cron(30 2 25 10 ? *)",
        &["--timezone", "Europe/Berlin", "-n", "1", "--after", "2026-10-24T12:00:00Z"],
        expect![[r#"
        exit 0
        --- stdout
        2026-10-25T02:30:00+02:00
        --- stderr
            taken by EventBridge Scheduler only
              clocks 2026-10-25T02:30:00 comes twice in `Europe/Berlin`: clocks go back from 03:00:00 to 02:00:00, it runs the first time only
    "#]],
    );
}

#[needs()]
fn what_never_fires() {
    next(
        "cron(0 0 30 2 ? *)",
        &AFTER,
        expect![[r#"
        exit 1
        --- stderr
            taken by EventBridge rules and EventBridge Scheduler
        error[NG-E0234]: `cron(0 0 30 2 ? *)` never fires: no date satisfies all fields
    "#]],
    );
    next(
        "cron(0 0 1 1 ? 2020)",
        &AFTER,
        expect![[r#"
        exit 1
        --- stderr
            taken by EventBridge rules and EventBridge Scheduler
        error[NG-E0234]: `cron(0 0 1 1 ? 2020)` does not fire again: the last year of the expression is over
    "#]],
    );
    next(
        "at(2020-01-01T00:00:00)",
        &AFTER,
        expect![[r#"
        exit 1
        --- stderr
            taken by EventBridge Scheduler only
        error[NG-E0234]: `at(2020-01-01T00:00:00)` does not fire again: its one time was 2020-01-01T00:00:00Z
    "#]],
    );
    next(
        "at(2027-03-28T02:30:00)",
        &["--timezone", "Europe/Berlin", "--after", "2026-11-21T10:00:30Z"],
        expect![[r#"
        exit 1
        --- stderr
            taken by EventBridge Scheduler only
        error[NG-E0234]: `at(2027-03-28T02:30:00)` never fires: 2027-03-28T02:30:00 does not exist, clocks skip it
    "#]],
    );
}

#[needs()]
fn what_is_not_valid() {
    next(
        "cron(0 9 * * MON-FRI *)",
        &[],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: day-of-month of `cron(0 9 * * MON-FRI *)`: got `*` at column 10, expected `?` in one of day-of-month and day-of-week
          cron(0 9 * * MON-FRI *)
                   ^

        hint: did you mean `cron(0 9 ? * MON-FRI *)`?
    "#]],
    );
    next(
        "0 9 * * *",
        &[],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: schedule `0 9 * * *`: got `0 9 * * *` at columns 1-9, expected `cron(...)`, `rate(...)` or, in EventBridge Scheduler, `at(...)`
          0 9 * * *
          ^^^^^^^^^

        hint: did you mean `cron(0 9 * * ? *)`?
    "#]],
    );
    next(
        "cron(61 9 * * ? *)",
        &[],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: minutes of `cron(61 9 * * ? *)`: got `61` at columns 6-7, expected 0 to 59
          cron(61 9 * * ? *)
               ^^

        hint: did you mean `cron(59 9 * * ? *)`?
    "#]],
    );
    next(
        "rate(1 minutes)",
        &["--api", "rule"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: schedule `rate(1 minutes)`: got `1 minutes` at columns 6-14, expected a positive number, one space and `minutes`, `hours` or `days` (`minute`, `hour`, `day` after 1)
          rate(1 minutes)
               ^^^^^^^^^

        hint: did you mean `rate(1 minute)`?
        hint: EventBridge Scheduler takes it: `--api scheduler`
    "#]],
    );
    next(
        "at(2030-01-01T00:00:00)",
        &["--api", "rule"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: schedule `at(2030-01-01T00:00:00)`: got `at(2030-01-01T00:00:00)` at columns 1-23, expected `cron(...)` or `rate(...)`
          at(2030-01-01T00:00:00)
          ^^^^^^^^^^^^^^^^^^^^^^^

        hint: EventBridge Scheduler takes it: `--api scheduler`
    "#]],
    );
    next(
        "every day",
        &[],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: schedule `every day`: got `every day` at columns 1-9, expected `cron(...)`, `rate(...)` or, in EventBridge Scheduler, `at(...)`
          every day
          ^^^^^^^^^

        hint: did you mean `rate(1 minute)`?
    "#]],
    );
    next(
        "rate(1 minute)",
        &["--timezone", "Europe/Berln"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: time zone `Europe/Berln` is not in the IANA database

        hint: did you mean `Europe/Berlin`?
    "#]],
    );
    next(
        "cron(0 9 * * ? *)",
        &["--timezone", "Europe/Berlin", "--api", "rule"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0233]: a rule's times are in UTC, got the time zone `Europe/Berlin`

        hint: EventBridge Scheduler takes it: `--api scheduler`
    "#]],
    );
    next(
        "rate(1 minute)",
        &["--after", "soon"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: `soon` is no time: expected RFC 3339 such as `2026-11-21T10:00:00Z`

        hint: write a time such as `2026-12-01T04:00:00Z`, or `system`
    "#]],
    );
    next(
        "rate(1 minute)",
        &["-n", "0"],
        expect![[r#"
        exit 2
        --- stderr
        error: invalid value '0' for '--count <NUMBER>': 0 is not in 1..=10000

        For more information, try '--help'.
    "#]],
    );
}

#[needs()]
fn times_as_json() {
    let json = ["--format", "json", "--after", "2026-03-28T12:00:00Z", "-n", "2"];
    let zoned: Vec<&str> = json.iter().chain(&["--timezone", "Europe/Berlin"]).copied().collect();
    next(
        "cron(30 2 * * ? *)",
        &zoned,
        expect![[r#"
        exit 0
        --- stdout
        {"next":["2026-03-30T00:30:00Z","2026-03-31T00:30:00Z"],"api":["scheduler"],"clocks":["2026-03-29T02:30:00 does not exist in `Europe/Berlin`: clocks go from 02:00:00 to 03:00:00, the run is skipped"],"timezone":"Europe/Berlin","local":["2026-03-30T02:30:00+02:00","2026-03-31T02:30:00+02:00"]}
    "#]],
    );
    next(
        "rate(1 minutes)",
        &json,
        expect![[r#"
        exit 0
        --- stdout
        {"next":["2026-03-28T12:01:00Z","2026-03-28T12:02:00Z"],"api":["scheduler"],"timezone":"UTC","local":["2026-03-28T12:01:00Z","2026-03-28T12:02:00Z"]}
    "#]],
    );
    next(
        "cron(0 0 30 2 ? *)",
        &json,
        expect![[r#"
        exit 1
        --- stdout
        {"next":[],"api":["rule","scheduler"],"why":"never fires: no date satisfies all fields","timezone":"UTC","local":[]}
        --- stderr
        error[NG-E0234]: `cron(0 0 30 2 ? *)` never fires: no date satisfies all fields
    "#]],
    );
    next(
        "cron(0 9 * * MON-FRI *)",
        &json,
        expect![[r#"
        exit 2
        --- stdout
        {"next":"invalid","why":"day-of-month of `cron(0 9 * * MON-FRI *)`: got `*` at column 10, expected `?` in one of day-of-month and day-of-week","nearest":"cron(0 9 ? * MON-FRI *)"}
        --- stderr
        error[NG-E0233]: day-of-month of `cron(0 9 * * MON-FRI *)`: got `*` at column 10, expected `?` in one of day-of-month and day-of-week
          cron(0 9 * * MON-FRI *)
                   ^

        hint: did you mean `cron(0 9 ? * MON-FRI *)`?
    "#]],
    );
}

#[needs()]
fn many_expressions() {
    let lines = br#"{"id":1,"expression":"rate(5 minutes)","after":"2026-11-21T10:00:00Z","api":"rule"}
{"id":2,"expression":"cron(30 2 28-29 3 ? 2026)","timezone":"Europe/Berlin","after":"2026-03-01T00:00:00+01:00"}
{"id":3,"expression":"at(2020-01-01T00:00:00)"}
{"id":4,"expression":"at(2020-01-01T00:00:00)","api":"events:PutRule"}
{"id":5,"expression":"cron(0 0 ? * MON *)","timezone":"Mars/Olympus"}
{"id":6,"expression":"cron(0 0 * * MON *)"}
{"id":7}
{"id":8,"expression":"rate(1 day)","after":"soon"}
{"id":9,"expression":"rate(1 day)","api":"cron"}
"#;
    expect![[r#"
        exit 2
        --- stdout
        {"id":1,"next":["2026-11-21T10:05:00Z","2026-11-21T10:10:00Z","2026-11-21T10:15:00Z","2026-11-21T10:20:00Z","2026-11-21T10:25:00Z","2026-11-21T10:30:00Z","2026-11-21T10:35:00Z","2026-11-21T10:40:00Z","2026-11-21T10:45:00Z","2026-11-21T10:50:00Z"],"api":["rule","scheduler"]}
        {"id":2,"next":["2026-03-28T01:30:00Z"],"api":["scheduler"],"clocks":["2026-03-29T02:30:00 does not exist in `Europe/Berlin`: clocks go from 02:00:00 to 03:00:00, the run is skipped"],"why":"does not fire again: the last year of the expression is over"}
        {"id":3,"next":["2020-01-01T00:00:00Z"],"api":["scheduler"],"why":"does not fire again: its one time was 2020-01-01T00:00:00Z"}
        {"id":4,"next":"invalid","why":"schedule `at(2020-01-01T00:00:00)`: got `at(2020-01-01T00:00:00)` at columns 1-23, expected `cron(...)` or `rate(...)`"}
        {"id":5,"next":"invalid","why":"time zone `Mars/Olympus` is not in the IANA database"}
        {"id":6,"next":"invalid","why":"day-of-month of `cron(0 0 * * MON *)`: got `*` at column 10, expected `?` in one of day-of-month and day-of-week","nearest":"cron(0 0 ? * MON *)"}
        {"id":7,"line":7,"error":"`expression` is missing"}
        {"id":8,"line":8,"error":"`soon` is no time: expected RFC 3339 such as `2026-11-21T10:00:00Z`"}
        {"id":9,"line":9,"error":"`api` is `cron`, expected `rule` or `scheduler`"}
        --- stderr
        error[NG-E0235]: 3 of 9 lines could not be answered

        hint: the answers with an `error` say which and why
    "#]].assert_eq(&Place::new().answer(&["schedule", "next", "--stdin"], lines).shown());
}

const RULES: &str = "Resources:
  Nightly:
    Type: AWS::Events::Rule
    Properties: {Name: nightly, ScheduleExpression: cron(0 4 * * ? *)}
  Hourly:
    Type: AWS::Events::Rule
    Properties:
      Name: hourly
      ScheduleExpression: rate(1 hour)
      Targets: [{Id: queue, Arn: 'arn:aws:sqs:us-east-1:000000000000:q'}]
  Off:
    Type: AWS::Events::Rule
    Properties: {Name: 'off', ScheduleExpression: rate(1 day), State: DISABLED}
  Never:
    Type: AWS::Events::Rule
    Properties: {Name: never, ScheduleExpression: cron(0 0 30 2 ? *)}
  Pattern:
    Type: AWS::Events::Rule
    Properties: {Name: pattern, EventPattern: {source: [a]}}
";

#[needs(containers)]
fn the_schedules_of_an_engine() {
    let engine = Running::start(RULES, "template = \"task.yaml\"");
    let check = |arguments: &[&str], expected: Expect| {
        let (code, stdout, stderr) = engine.run(arguments);
        expected.assert_eq(&format!("exit {code}\n{stdout}{stderr}"));
    };
    engine.ok(&["clock", "set", "2030-01-31T03:30:00Z"]);
    // A rate counts from when its rule was made, at whatever minute that was.
    let listed = engine.ok(&["schedule", "ls", "--format", "json"]);
    let mut listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let hourly = listed.as_array_mut().unwrap().iter_mut().find(|rule| rule["rule"] == "hourly").unwrap();
    let next = hourly["next"].take();
    assert!(("2030-01-31T03:30:00Z"..="2030-01-31T04:31:00Z").contains(&next.as_str().unwrap()), "{next}");
    expect![[r#"
        [
          {
            "rule": "hourly",
            "arn": "arn:aws:events:us-east-1:000000000000:rule/hourly",
            "expression": "rate(1 hour)",
            "enabled": true,
            "next": null,
            "why": null
          },
          {
            "rule": "never",
            "arn": "arn:aws:events:us-east-1:000000000000:rule/never",
            "expression": "cron(0 0 30 2 ? *)",
            "enabled": true,
            "next": null,
            "why": "never fires: no date satisfies all fields"
          },
          {
            "rule": "nightly",
            "arn": "arn:aws:events:us-east-1:000000000000:rule/nightly",
            "expression": "cron(0 4 * * ? *)",
            "enabled": true,
            "next": "2030-01-31T04:00:00Z",
            "why": null
          },
          {
            "rule": "off",
            "arn": "arn:aws:events:us-east-1:000000000000:rule/off",
            "expression": "rate(1 day)",
            "enabled": false,
            "next": null,
            "why": "disabled"
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&listed).unwrap());

    check(
        &["schedule", "fire", "nightly"],
        expect![[r#"
        exit 0
               fired cron(0 4 * * ? *) of rule `nightly`
             nothing the rule has no target
    "#]],
    );
    check(
        &["schedule", "fire", "hour"],
        expect![[r#"
            exit 1
                   fired rate(1 hour) of rule `hourly`
                    rule `hourly` matched: target `queue`
                  failed FailedInvocations of rule `hourly`, target `queue`: NotImplemented: Neargate does not deliver to targets of `sqs` yet (`arn:aws:sqs:us-east-1:000000000000:q`)
        "#]],
    );
    check(
        &["schedule", "fire", "hourly", "--format", "json"],
        expect![[r#"
            exit 1
            {
              "rule": "arn:aws:events:us-east-1:000000000000:rule/hourly",
              "notices": [
                {
                  "kind": "progress",
                  "text": "rule `hourly` matched: target `queue`",
                  "hint": null
                },
                {
                  "kind": "failed",
                  "text": "FailedInvocations of rule `hourly`, target `queue`: NotImplemented: Neargate does not deliver to targets of `sqs` yet (`arn:aws:sqs:us-east-1:000000000000:q`)",
                  "hint": null
                }
              ]
            }
                    rule `hourly` matched: target `queue`
                  failed FailedInvocations of rule `hourly`, target `queue`: NotImplemented: Neargate does not deliver to targets of `sqs` yet (`arn:aws:sqs:us-east-1:000000000000:q`)
        "#]],
    );
    check(
        &["schedule", "fire", "off"],
        expect![[r#"
        exit 1
        error[NG-E0223]: the rule `off` is disabled, so it does not fire

        hint: enable it with `aws events enable-rule --name off`
    "#]],
    );
    check(
        &["schedule", "fire", "pattern"],
        expect![[r#"
        exit 2
        error[NG-E0223]: no rule with a schedule is called `pattern`

        hint: there are `hourly`, `never`, `nightly`, `off`
    "#]],
    );
    check(
        &["schedule", "fire", "n"],
        expect![[r#"
        exit 2
        error[NG-E0223]: `n` may mean 2 rules with a schedule

        hint: there are `never`, `nightly`
    "#]],
    );
    // By hand changes nothing about the plan: the hour that comes fires once.
    let (code, _, stderr) = engine.run(&["clock", "advance", "1h"]);
    assert_eq!(code, 0, "{stderr}");
    let listed = engine.ok(&["schedule", "ls"]);
    assert!(listed.starts_with("NEXT"), "{listed}");
    assert!(
        listed.lines().any(|line| line.starts_with("2030-02-01T04:00:00Z  23 h") && line.ends_with("nightly")),
        "{listed}"
    );
}
