//! One rule of EventBridge a test.

use neargate_event_transform::{Context, Event, InputTransformer, TargetInput};

const EVENT: &str = r#"{
  "version": "0", "id": "e1", "detail-type": "T", "source": "s", "account": "1", "time": "2026-11-21T10:00:00Z",
  "region": "r", "resources": ["a", "b"],
  "detail": {
    "s": "x", "q": "say \"hi\"", "nl": "1\n2", "lt": "<other>", "nul": null, "f": 1.50, "e": 3.0e2,
    "big": 123456789012345678901234567890, "neg": -12345678901234567890, "em": [], "ints": [1, 2],
    "o": {"a": "b", "n": 1}, "list": [{"k": 1}, {"k": "two"}, {"z": 3}], "a/b": "slash", "dup": 1, "dup": 2
  }
}"#;

fn paths(template: &str) -> Vec<(String, String)> {
    let names = template.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(name, _)| name);
    names
        .filter(|name| !name.contains(['.', '/', ' ']))
        .map(|name| (name.to_owned(), format!("$.detail.{name}")))
        .collect()
}

fn render(template: &str) -> String {
    let paths = paths(template);
    let pairs = paths.iter().map(|(name, path)| (name.as_str(), path.as_str()));
    let context = Context { rule_arn: "arn", rule_name: "rule", ingestion_time: "now" };
    match InputTransformer::parse(pairs, template) {
        Err(error) => error.to_string(),
        Ok(transformer) => {
            match TargetInput::Transformer(transformer).render(&Event::parse(EVENT).unwrap(), &context) {
                Ok(rendered) => format!("{}: {}", rendered.kind(), rendered.text),
                Err(error) => error.to_string(),
            }
        }
    }
}

fn check(template: &str, expected: &str) {
    assert_eq!(render(template), expected, "for {template}");
}

fn select(path: &str) -> String {
    match TargetInput::from_members(None, Some(path), None) {
        Ok(input) => input.render(&Event::parse(EVENT).unwrap(), &Context::default()).unwrap().text,
        Err(error) => error.to_string(),
    }
}

#[test]
fn numbers_keep_their_spelling() {
    check(
        r#"{"v":[<f>,<e>,<big>,<neg>]}"#,
        r#"json: {"v":[1.50,3.0e2,123456789012345678901234567890,-12345678901234567890]}"#,
    );
    check(r#""<f> <e> <big>""#, r#"text: "1.50 3.0e2 123456789012345678901234567890""#);
}

#[test]
fn strings_are_quoted_outside_strings_and_bare_inside() {
    check(r#"{"v": <s>, "w": "-<s>-", "<s>": 1}"#, r#"json: {"v": "x", "w": "-x-", "x": 1}"#);
    check(r#"{"v": <q>, "w": <nl>}"#, r#"json: {"v": "say \"hi\"", "w": "1\n2"}"#);
    check("\"<q> <nl>\"", "text: \"say \"hi\" 1\n2\"");
    check(r#"{"v": "\"<s>\"", "w": <s>}"#, r#"json: {"v": "\"x\"", "w": "x"}"#);
}

#[test]
fn a_value_that_breaks_a_json_string_is_not_delivered() {
    check(
        r#"{"v": "<q>"}"#,
        "not delivered: the filled template is not JSON: expected `,` or `}` at line 1, column 13; \
         `<q>` holds a quote, backslash or line break and is not escaped inside a string",
    );
    check(
        r#"{"v": "<o>"}"#,
        "not delivered: the filled template is not JSON: expected `,` or `}` at line 1, column 10; \
         `<o>` is an object inside a string; take it out of the quotes",
    );
}

#[test]
fn missing_is_empty_and_null_is_null() {
    check(r#"{"v": <nowhere>, "w": "[<nowhere>]", "n": <nul>}"#, r#"json: {"v": "", "w": "[]", "n": null}"#);
    check(r#""<nowhere>|<nul>""#, r#"text: "|null""#);
}

#[test]
fn objects_lose_their_quotes_in_text_only() {
    check(r#""<o> <ints> <em>""#, r#"text: "{a:b,n:1} [1,2] []""#);
    check(r#"{"o": <o>}"#, r#"json: {"o": {"a":"b","n":1}}"#);
}

#[test]
fn a_bare_placeholder_is_a_json_template() {
    check("<o>", r#"json: {"a":"b","n":1}"#);
    check("<s>", r#"text: "x""#);
    check("[<s>, <ints>]", r#"json: ["x", [1,2]]"#);
}

#[test]
fn a_value_is_not_expanded_again() {
    check(r#"{"v": <lt>, "w": "<lt>"}"#, r#"json: {"v": "<other>", "w": "<other>"}"#);
}

#[test]
fn angle_brackets_around_other_text_are_text() {
    check(r#""1 < 2 <br/> <s> >""#, r#"text: "1 < 2 <br/> x >""#);
}

#[test]
fn lines_of_quoted_strings_are_text() {
    check("\"a <s>\"\n\"b <s>\"", "text: \"a x\"\n\"b x\"");
}

#[test]
fn predefined_variables() {
    check(
        r#"{"a": <aws.events.rule-arn>, "n": "<aws.events.rule-name>", "t": <aws.events.event.ingestion-time>}"#,
        r#"json: {"a": "arn", "n": "rule", "t": "now"}"#,
    );
    check(
        r#"{"e": <aws.events.event>}"#,
        r#"json: {"e": {"id":"e1","account":"1","detailType":"T","time":"2026-11-21T10:00:00Z","source":"s","region":"r","resources":["a","b"],"version":"0"}}"#,
    );
}

#[test]
fn put_targets_refuses() {
    check(
        r#""<aws.events.nothing>""#,
        "placeholder `<aws.events.nothing>` is not defined, expected one of `aws.events.rule-arn`, `aws.events.rule-name`, \
         `aws.events.event.ingestion-time`, `aws.events.event`, `aws.events.event.json`",
    );
    check("", "`InputTemplate` is empty");
    check(
        "Hello <s>",
        "`InputTemplate` is neither JSON nor a quoted string: expected a value at line 1, column 1; \
         quote a text as `\"... <name> ...\"`",
    );
    let refused = |name: &str, path: &str| InputTransformer::parse([(name, path)], "{}").unwrap_err().to_string();
    assert_eq!(refused("AWSx", "$"), "variable `AWSx` is reserved: names that start with `AWS` belong to EventBridge");
    assert_eq!(refused("a.b", "$"), "variable `a.b` is not a name: expected 1 to 256 of `A-Z a-z 0-9 _ -`");
    assert!(InputTransformer::parse([("aws", "$")], "<aws>").is_ok());
    let many: Vec<String> = (0..101).map(|index| format!("v{index}")).collect();
    let too_many = InputTransformer::parse(many.iter().map(|name| (name.as_str(), "$")), "{}");
    assert_eq!(too_many.unwrap_err().to_string(), "`InputPathsMap` has 101 entries, expected at most 100");
    assert!(InputTransformer::parse(many.iter().skip(1).map(|name| (name.as_str(), "$")), "{}").is_ok());
    let template = |chars: usize| InputTransformer::parse([], &format!("\"{}\"", "é".repeat(chars - 2)));
    assert!(template(8192).is_ok());
    assert_eq!(template(8193).unwrap_err().to_string(), "`InputTemplate` has 8193 characters, expected at most 8192");
}

#[test]
fn members_exclude_each_other() {
    let both = TargetInput::from_members(Some("{}"), Some("$"), None).unwrap_err();
    assert_eq!(
        both.aws_message("t1"),
        "Only one of Input, InputPath, or InputTransformer must be provided for target t1."
    );
    let text = TargetInput::from_members(Some("not json"), None, None).unwrap_err();
    assert_eq!(text.aws_message("t1"), "Input for target t1 is not a valid JSON text.");
    let constant = TargetInput::from_members(Some("{\"a\": 1}"), None, None).unwrap();
    let rendered = constant.render(&Event::parse(EVENT).unwrap(), &Context::default()).unwrap();
    assert_eq!((rendered.kind(), rendered.text.as_str()), ("json", "{\"a\": 1}"));
}

#[test]
fn paths_select() {
    assert_eq!(select("$.resources[1]"), "\"b\"");
    assert_eq!(select("$.resources[2]"), "\"\"");
    assert_eq!(select("$.detail.list[*].k"), "[1,\"two\"]");
    assert_eq!(select("$.detail.o.*"), "[\"b\",1]");
    assert_eq!(select("$.detail.a/b"), "\"slash\"");
    assert_eq!(select("$.detail.dup"), "2");
    assert_eq!(select("$.detail.nul"), "null");
    assert_eq!(select("$.detail.s.deeper"), "\"\"");
}

#[test]
fn paths_are_refused_at_their_column() {
    let check = |path: &str, expected: &str| assert_eq!(select(path), expected);
    check("detail", "path `detail` is not supported at column 0: a path starts with `$`");
    check("$.", "path `$.` is not supported at column 1: expected a name after `.`");
    check("$..a", "path `$..a` is not supported at column 1: expected a name after `.`");
    check("$.a['b']", "path `$.a['b']` is not supported at column 3: names go in dot notation, not in brackets");
    check("$.a[-1]", "path `$.a[-1]` is not supported at column 3: expected an index or `*` in brackets");
    check("$.a[?(@.b)]", "path `$.a[?(@.b)]` is not supported at column 3: expected an index or `*` in brackets");
    check("$.a b", "path `$.a b` is not supported at column 3: expected `.` or `[`");
}

#[test]
fn escapes_and_surrogates_are_read() {
    let event = Event::parse(r#"{"a":"\u00e9\ud83d\ude00\/\u0001","b":"\ud800"}"#).unwrap();
    let rendered = TargetInput::Matched.render(&event, &Context::default()).unwrap();
    assert_eq!(rendered.text, "{\"a\":\"é😀/\\u0001\",\"b\":\"\u{fffd}\"}");
    let wrong = ["{", "[1,]", "{\"a\":1,}", "01", "1.", "\"\u{1}\"", "nul", "\"\\x\"", "\"\\u12g4\"", "{}{}", ""];
    for text in wrong {
        assert!(Event::parse(text).is_err(), "{text} is not JSON");
    }
    assert!(Event::parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn a_template_does_not_multiply_an_event_without_bound() {
    let event = Event::parse(&format!(r#"{{"detail":"{}"}}"#, "x".repeat(1 << 20))).unwrap();
    let fill = |times: usize| {
        let template = format!(r#"["{}"]"#, "<d>".repeat(times));
        let transformer = InputTransformer::parse([("d", "$.detail")], &template).unwrap();
        let rendered = TargetInput::Transformer(transformer).render(&event, &Context::default());
        rendered.map(|rendered| rendered.text.len()).map_err(|error| error.to_string())
    };
    assert_eq!(fill(7), Ok((7 << 20) + 4));
    let told = "not delivered: the filled template has more than 8388608 bytes; put in less of the event";
    assert_eq!(fill(2000), Err(told.to_owned()));
}
