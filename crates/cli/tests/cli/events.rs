//! `neargate events test` and `events transform`.

use expect_test::{Expect, expect};
use neargate_testkit::needs::needs;

use crate::harness::Place;

const EVENT: &str = r#"{"version":"0","id":"1","detail-type":"Go","source":"app","account":"111122223333",
 "time":"2026-11-21T10:00:00Z","region":"eu-west-1","resources":[],
 "detail":{"state":"running","n":12345678901234567890.10,"list":[{"a":1,"b":2},{"a":3,"b":4}],"command":"migrate"}}
"#;

/// Tests a pattern on the event.
fn test(pattern: &str, expected: Expect) {
    let place = Place::new();
    place.write("event.json", EVENT);
    place.check(&["events", "test", "--pattern", pattern, "--event", "@event.json"], expected);
}

#[needs()]
fn matching() {
    test(
        r#"{"detail":{"state":["running"]}}"#,
        expect![[r#"
        exit 0
        --- stdout
        match
    "#]],
    );
    test(
        r#"{"detail":{"state":["stopped",{"prefix":"term"}]},"source":["app"]}"#,
        expect![[r#"
        exit 1
        --- stdout
        no match: detail.state
          wanted  ["stopped",{"prefix":"term"}]
          got     "running"
    "#]],
    );
    test(
        r#"{"detail":{"exit":[{"numeric":[">",0]}]}}"#,
        expect![[r#"
        exit 1
        --- stdout
        no match: detail.exit
          wanted  [{"numeric":[">",0]}]
          got     nothing: it is absent
    "#]],
    );
    test(
        r#"{"detail":{"list":{"a":[1],"b":[4]}}}"#,
        expect![[r#"
        exit 1
        --- stdout
        no match: detail.list.a and detail.list.b match only in different elements of an array
    "#]],
    );
}

#[needs()]
fn patterns_that_are_not_valid() {
    test(
        r#"{"detail":{"state":[]}}"#,
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0230]: the event pattern is not valid in `detail.state`: Empty arrays are not allowed
          at --pattern:1:22
          {"detail":{"state":[]}}
                               ^
    "#]],
    );
    test(
        "{\n  \"detail\": {\n    \"state\": [{\"prefix\": 1}]\n  }\n}",
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0230]: the event pattern is not valid in `detail.state`: prefix match pattern must be a string
          at --pattern:3:27
              "state": [{"prefix": 1}]
                                    ^
    "#]],
    );
    test(
        r#"{"detail":"#,
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0230]: the event pattern is not valid in `detail`: Unexpected end-of-input: expected close marker for Object
          at --pattern:1:11
          {"detail":
                    ^
    "#]],
    );
    let place = Place::new();
    place.write("event.json", EVENT).write("pattern.json", "{\n  \"source\": \"app\"\n}\n");
    place.check(
        &["events", "test", "--pattern", "@pattern.json", "--event", "@event.json"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0230]: the event pattern is not valid in `source`: "source" must be an object or an array
          at pattern.json:2:18
            "source": "app"
                           ^
    "#]],
    );
    place.check(&["events", "test", "--pattern", "pattern.json", "--event", "@event.json"], expect![[r#"
        exit 2
        --- stderr
        error[NG-E0230]: the event pattern is not valid: Unrecognized token 'pattern': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')
          at --pattern:1:1
          pattern.json
          ^

        hint: for what is in the file write `--pattern @pattern.json`
    "#]]);
    place.check(
        &["events", "test", "--pattern", "@nowhere.json", "--event", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0210]: cannot read `nowhere.json`: No such file or directory (os error 2)
    "#]],
    );
    place.check(
        &["events", "test", "--pattern", r#"{"source":["app"]}"#, "--event", r#"{"source":app}"#],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0208]: the event is not readable as JSON: expected value
          at --event:1:11
          {"source":app}
                    ^
    "#]],
    );
    place.check(
        &["events", "test", "--pattern", r#"{"source":["app"]}"#, "--event", "[1]"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0208]: event must be a JSON object
              at --event
        "#]],
    );
    place.check(
        &["events", "test", "--pattern", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --event <JSON>

        Usage: neargate events test --pattern <JSON> --event <JSON>

        For more information, try '--help'.
    "#]],
    );
}

#[needs()]
fn verdicts_as_json() {
    let place = Place::new();
    let verdict = |pattern: &str, expected: Expect| {
        let event = r#"{"source":"app"}"#;
        place.check(&["events", "test", "--format", "json", "--pattern", pattern, "--event", event], expected);
    };
    verdict(
        r#"{"source":["app"]}"#,
        expect![[r#"
        exit 0
        --- stdout
        {"verdict":"match"}
    "#]],
    );
    verdict(
        r#"{"source":["other"]}"#,
        expect![[r#"
        exit 1
        --- stdout
        {"verdict":"no_match","why":"source is \"app\", wanted [\"other\"]","field":"source","wanted":"[\"other\"]","got":["\"app\""]}
    "#]],
    );
    verdict(
        r#"{"source":[]}"#,
        expect![[r#"
            exit 2
            --- stdout
            {"verdict":"invalid","why":"Empty arrays are not allowed at line 1, column 13 (`source`)","place":"1:13"}
            --- stderr
            error[NG-E0230]: the event pattern is not valid in `source`: Empty arrays are not allowed
              at --pattern:1:13
              {"source":[]}
                          ^
        "#]],
    );
}

#[needs()]
fn many_patterns() {
    let lines = br#"{"id":1,"pattern":{"source":["app"]},"event":{"source":"app"}}

{"id":"two","event":"{\"source\":\"other\"}","pattern":"{\"source\":[\"app\"]}"}
{"id":{"three":3},"pattern":"{\"source\":[]}","event":"{}"}
{"id":4,"pattern":{"source":["app"]}}
{"id":5,"pattern":{"source":["app"]},"event":"{\"source\":"}
{"id":6,"pattern":
nonsense
{"id":7,"pattern":{"source":["app"]},"event":"{1}"}
{"id":8,"pattern":{"source":["app"]},"event":[]}
"#;
    let mut lines = lines.to_vec();
    lines.extend_from_slice(b"{\"id\":\"\xff\"}\n{\"id\":9,\"pattern\":{\"a\":[1]},\"event\":{\"a\":1}}");
    expect![[r#"
        exit 2
        --- stdout
        {"id":1,"verdict":"match"}
        {"id":"two","verdict":"no_match","why":"source is \"other\", wanted [\"app\"]","field":"source","wanted":"[\"app\"]","got":["\"other\""]}
        {"id":{"three":3},"verdict":"invalid","why":"Empty arrays are not allowed at line 1, column 13 (`source`)","place":"1:13"}
        {"id":4,"line":5,"error":"`event` is missing"}
        {"id":5,"line":6,"error":"`event` is not readable as JSON: EOF while parsing a value at line 1, column 10"}
        {"line":7,"error":"not readable as JSON: expected a value at byte 20"}
        {"line":8,"error":"expected a JSON object"}
        {"id":7,"line":9,"error":"`event` is not readable as JSON: key must be a string at line 1, column 2"}
        {"id":8,"line":10,"error":"event must be a JSON object"}
        {"line":11,"error":"the line is not UTF-8: invalid utf-8 sequence of 1 bytes from index 7"}
        {"id":9,"verdict":"match"}
        --- stderr
        error[NG-E0235]: 7 of 11 lines could not be answered

        hint: the answers with an `error` say which and why
    "#]].assert_eq(&Place::new().answer(&["events", "test", "--stdin"], &lines).shown());
    Place::new().check(
        &["events", "test", "--stdin"],
        expect![[r#"
        exit 0
    "#]],
    );
    Place::new().check(
        &["events", "test", "--stdin", "--event", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error: the argument '--stdin' cannot be used with '--event <JSON>'

        Usage: neargate events test --stdin

        For more information, try '--help'.
    "#]],
    );
}

#[needs()]
fn answers_come_before_the_next_question() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;

    let mut child = Place::new()
        .command(&["events", "test", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let mut questions = child.stdin.take().unwrap();
    for id in ["1", "2"] {
        writeln!(questions, r#"{{"id":{id},"pattern":{{"a":[1]}},"event":{{"a":{id}}}}}"#).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("{{\"id\":{id},\"verdict\":")), "{answer}");
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

/// Transforms the event.
fn transform(arguments: &[&str], expected: Expect) {
    let place = Place::new();
    place.write("event.json", EVENT);
    place.write("template.txt", "\"<n> by <aws.events.rule-name>\"\n");
    let all: Vec<&str> = ["events", "transform", "--event", "@event.json"].iter().chain(arguments).copied().collect();
    place.check(&all, expected);
}

#[needs()]
fn payloads() {
    transform(
        &[],
        expect![[r#"
        exit 0
        --- stdout
        {"version":"0","id":"1","detail-type":"Go","source":"app","account":"111122223333","time":"2026-11-21T10:00:00Z","region":"eu-west-1","resources":[],"detail":{"state":"running","n":12345678901234567890.10,"list":[{"a":1,"b":2},{"a":3,"b":4}],"command":"migrate"}}
    "#]],
    );
    transform(
        &["--input-path", "$.detail.n"],
        expect![[r#"
        exit 0
        --- stdout
        12345678901234567890.10
    "#]],
    );
    transform(
        &["--input-path", "$.detail.state"],
        expect![[r#"
        exit 0
        --- stdout
        "running"
    "#]],
    );
    transform(
        &["--input-paths", r#"{"c":"$.detail.command","n":"$.detail.n"}"#, "--template", r#"{"run": <c>, "n": <n>}"#],
        expect![[r#"
        exit 0
        --- stdout
        {"run": "migrate", "n": 12345678901234567890.10}
    "#]],
    );
    transform(
        &["--input-paths", r#"{"n":"$.detail.n"}"#, "--template", "@template.txt"],
        expect![[r#"
        exit 0
        --- stdout
        "12345678901234567890.10 by rule"
    "#]],
    );
    transform(
        &["--template", r#""<aws.events.rule-arn> <aws.events.event.ingestion-time>""#],
        expect![[r#"
        exit 0
        --- stdout
        "arn:aws:events:eu-west-1:111122223333:rule/rule 2026-11-21T10:00:00Z"
    "#]],
    );
    transform(
        &[
            "--template",
            r#"{"by":<aws.events.rule-name>,"at":<aws.events.event.ingestion-time>}"#,
            "--ingestion-time",
            "2026-11-21T11:00:00Z",
            "--rule-arn",
            "arn:aws:events:eu-west-1:111122223333:rule/bus/nightly",
        ],
        expect![[r#"
            exit 0
            --- stdout
            {"by":"nightly","at":"2026-11-21T11:00:00Z"}
        "#]],
    );
}

#[needs()]
fn payloads_as_json() {
    transform(
        &["--format", "json", "--input-path", "$.detail.n"],
        expect![[r#"
        exit 0
        --- stdout
        {"type":"text","value":"12345678901234567890.10"}
    "#]],
    );
    transform(
        &["--format", "json", "--template", "{\n  \"id\": <aws.events.rule-name>\n}"],
        expect![[r#"
        exit 0
        --- stdout
        {"type":"json","value":{   "id": "rule" }}
    "#]],
    );
    transform(
        &["--format", "json", "--template", r#"{"id": <nobody>}"#],
        expect![[r#"
        exit 2
        --- stdout
        {"type":"put_targets_error","value":null,"code":"ValidationException","message":"InputTemplate for target <target-id> contains invalid placeholder nobody.","why":"placeholder `<nobody>` is not defined, expected one of `aws.events.rule-arn`, `aws.events.rule-name`, `aws.events.event.ingestion-time`, `aws.events.event`, `aws.events.event.json`"}
        --- stderr
        error[NG-E0231]: placeholder `<nobody>` is not defined, expected one of `aws.events.rule-arn`, `aws.events.rule-name`, `aws.events.event.ingestion-time`, `aws.events.event`, `aws.events.event.json`
          `PutTargets` answers `ValidationException`: InputTemplate for target <target-id> contains invalid placeholder nobody.
    "#]],
    );
    transform(
        &["--format", "json", "--input-paths", r#"{"l":"$.detail.list"}"#, "--template", r#"{"id": "<l>"}"#],
        expect![[r#"
        exit 1
        --- stdout
        {"type":"not_delivered","value":null,"why":"not delivered: the filled template is not JSON: expected `,` or `}` at line 1, column 12; `<l>` is a list inside a string; take it out of the quotes"}
        --- stderr
        error[NG-E0232]: not delivered: the filled template is not JSON: expected `,` or `}` at line 1, column 12; `<l>` is a list inside a string; take it out of the quotes
          the filled template: {"id": "[{"a":1,"b":2},{"a":3,"b":4}]"}
    "#]],
    );
}

#[needs()]
fn what_is_refused_or_not_delivered() {
    transform(
        &["--template", r#"{"id": <nobody>}"#],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0231]: placeholder `<nobody>` is not defined, expected one of `aws.events.rule-arn`, `aws.events.rule-name`, `aws.events.event.ingestion-time`, `aws.events.event`, `aws.events.event.json`
          `PutTargets` answers `ValidationException`: InputTemplate for target <target-id> contains invalid placeholder nobody.
    "#]],
    );
    transform(
        &["--template", "run <aws.events.rule-name>"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0231]: `InputTemplate` is neither JSON nor a quoted string: expected a value at line 1, column 1; quote a text as `"... <name> ..."`
          `PutTargets` answers `ValidationException`: Invalid InputTemplate for target <target-id> : expected a value at line 1, column 1.
    "#]],
    );
    transform(
        &["--input-path", "$.detail[*]"],
        expect![[r#"
        exit 0
        --- stdout
        ["running",12345678901234567890.10,[{"a":1,"b":2},{"a":3,"b":4}],"migrate"]
    "#]],
    );
    transform(
        &["--input-path", "$.detail", "--template", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0231]: got more than one of `Input`, `InputPath` and `InputTransformer`, expected at most one
          `PutTargets` answers `ValidationException`: Only one of Input, InputPath, or InputTransformer must be provided for target <target-id>.
    "#]],
    );
    transform(
        &["--input-paths", r#"{"l":"$.detail.list"}"#, "--template", r#"{"id": "<l>"}"#],
        expect![[r#"
        exit 1
        --- stderr
        error[NG-E0232]: not delivered: the filled template is not JSON: expected `,` or `}` at line 1, column 12; `<l>` is a list inside a string; take it out of the quotes
          the filled template: {"id": "[{"a":1,"b":2},{"a":3,"b":4}]"}
    "#]],
    );
    transform(
        &["--input-paths", "{\"l\":", "--template", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0208]: `--input-paths` is not readable as JSON: EOF while parsing a value
          at --input-paths:1:5
          {"l":
              ^
    "#]],
    );
    transform(
        &["--input-paths", r#"{"l":1}"#, "--template", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: the input paths: `l` must be a string
    "#]],
    );
    transform(
        &["--input-paths", "{}"],
        expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --template <TEMPLATE>

        Usage: neargate events transform --template <TEMPLATE> --event <JSON> --input-paths <JSON>

        For more information, try '--help'.
    "#]],
    );
    let place = Place::new();
    place.check(
        &["events", "transform", "--event", "3"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0208]: the event: expected a JSON object
              at --event
        "#]],
    );
    place.check(
        &["events", "transform"],
        expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --event <JSON>

        Usage: neargate events transform --event <JSON>

        For more information, try '--help'.
    "#]],
    );
}

#[needs()]
fn many_transformations() {
    let lines = br#"{"id":1,"event":{"detail":{"n":1.0e2,"big":12345678901234567890123}},"input_path":"$.detail"}
{"id":2,"event":{"time":"now"},"input_paths":{"t":"$.time"},"template":"\"<t>, <aws.events.rule-name>\"","context":{"rule_name":"r"}}
{"id":3,"event":{},"template":"<x>"}
{"id":4,"event":{"detail":{"l":[1]}},"input_paths":{"l":"$.detail.l"},"template":"{\"l\":\"<l>\"}"}
{"id":5,"event":{},"input_paths":{"l":1},"template":"{}"}
{"id":6,"event":{},"input_paths":{"l":"$.l"}}
{"id":7,"event":"{","input_path":"$"}
{"id":8,"input_path":"$"}
{"id":9,"event":{},"context":"x"}
"#;
    expect![[r#"
        exit 2
        --- stdout
        {"id":1,"type":"json","value":{"n":1.0e2,"big":12345678901234567890123}}
        {"id":2,"type":"text","value":"\"now, r\""}
        {"id":3,"type":"put_targets_error","value":null,"code":"ValidationException","message":"InputTemplate for target <target-id> contains invalid placeholder x.","why":"placeholder `<x>` is not defined, expected one of `aws.events.rule-arn`, `aws.events.rule-name`, `aws.events.event.ingestion-time`, `aws.events.event`, `aws.events.event.json`"}
        {"id":4,"type":"json","value":{"l":"[1]"}}
        {"id":5,"line":5,"error":"the input paths: `l` must be a string"}
        {"id":6,"line":6,"error":"there are input paths, and no template to put what they find into"}
        {"id":7,"line":7,"error":"event is not JSON: expected `\"` at line 1, column 2"}
        {"id":8,"line":8,"error":"`event` is missing"}
        {"id":9,"line":9,"error":"`context`: expected a JSON object"}
        --- stderr
        error[NG-E0235]: 5 of 9 lines could not be answered

        hint: the answers with an `error` say which and why
    "#]].assert_eq(&Place::new().answer(&["events", "transform", "--stdin"], lines).shown());
}
