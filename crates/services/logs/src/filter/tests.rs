//! Patterns against messages.

use neargate_kernel::Fault;

use super::Filter;

fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let filter = Filter::parse(pattern).unwrap();
    for message in yes {
        assert!(filter.matches(message), "{pattern} should match {message}");
    }
    for message in no {
        assert!(!filter.matches(message), "{pattern} should not match {message}");
    }
}

fn refused(pattern: &str) -> String {
    Fault::from(Filter::parse(pattern).unwrap_err()).to_string()
}

#[test]
fn terms() {
    check("", &["anything", " "], &[]);
    check("ERROR", &["[ERROR] x", "ERRORS"], &["error", "x"]);
    check("ERROR  ARGUMENTS", &["ERROR a ARGUMENTS", "ARGUMENTS ERROR"], &["ERROR", "ARGUMENTS"]);
    check(r#""INTERNAL SERVER ERROR""#, &["x INTERNAL SERVER ERROR y"], &["SERVER ERROR INTERNAL"]);
    check(r#""say \"hi\"""#, &[r#"they say "hi""#], &["say hi"]);
    check("?ERROR ?WARN", &["ERROR", "a WARN"], &["INFO"]);
    check("ERROR -EXITING", &["ERROR x"], &["ERROR EXITING", "x"]);
    check(r#"-"in progress""#, &["done"], &["it is in progress"]);
    check("INFO ?ERROR", &["INFO"], &["ERROR"]);
}

#[test]
fn json() {
    let event = r#"{"level":"error","code":404,"ratio":0.5,"ok":true,"no":null,"user":{"name":"root","ids":[7,8]},"list":[{"k":"a"},{"k":"b"}],"a-b":"x","quoted":"404"}"#;
    for (pattern, wanted) in [
        (r#"{ $.level = "error" }"#, true),
        (r#"{$.level="err*"}"#, true),
        (r#"{ $.level = *rr* }"#, true),
        (r#"{ $.level = "*or" }"#, true),
        (r#"{ $.level = "*error*or" }"#, false),
        (r#"{ $.level = "e*r*r" }"#, true),
        (r#"{ $.level = "warn" }"#, false),
        (r#"{ $.level != "warn" }"#, true),
        (r#"{ $.missing != "warn" }"#, false),
        ("{ $.code = 404 }", true),
        ("{ $.code = 404.0 }", true),
        ("{ $.code = 4* }", true),
        ("{ $.code >= 404 && $.code < 405 }", true),
        ("{ $.code > 404 }", false),
        ("{ $.ratio <= 5e-1 }", true),
        ("{ $.ok IS TRUE }", true),
        ("{ $.ok is false }", false),
        ("{ $.no IS NULL }", true),
        ("{ $.nothing IS NULL }", false),
        ("{ $.nothing NOT EXISTS }", true),
        ("{ $.no NOT EXISTS }", false),
        (r#"{ $.user = "*" }"#, true),
        ("{ $.user.name = root }", true),
        ("{ $.user.ids[1] = 8 }", true),
        ("{ $.user.ids[2] = 8 }", false),
        (r#"{ $.list[*].k = "b" }"#, true),
        (r#"{ $.list[0].k = "b" }"#, false),
        (r#"{ $.a-b = "x" }"#, true),
        (r#"{ $.quoted = 404 }"#, true),
        (r#"{ ($.level = "warn" || $.code = 404) && $.ok IS TRUE }"#, true),
        (r#"{ $.level = "error" || $.code = 1 && $.code = 2 }"#, true),
        (r#"{ ($.level = "error" || $.code = 1) && $.code = 2 }"#, false),
    ] {
        assert_eq!(Filter::parse(pattern).unwrap().matches(event), wanted, "{pattern}");
    }
    check(r#"{ $.level = "*" }"#, &[r#" {"level":1}"#], &["level", r#"{"other":1}"#, "\"level\""]);
}

#[test]
fn rows() {
    let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    check("[ip, id, user, time, request, status, bytes]", &[line], &["one two"]);
    check("[ip, id, user, time, request = *html*, status = 4*, bytes > 1000]", &[line], &[]);
    check("[..., status = 4* && status != 403, bytes]", &[line, "404 0"], &["403 1", "404"]);
    check("[w1 = ERROR, ...]", &["ERROR", "ERROR a b"], &["INFO ERROR", ""]);
    check("[ip, id, user, ..., bytes < 1000]", &[], &[line]);
    check(r#"[request = "a, b"]"#, &[r#""a, b""#], &["a, b"]);
}

#[test]
fn what_is_not_understood_is_refused() {
    for (pattern, text) in [
        ("a/b", "InvalidParameterException: Invalid filter pattern: Invalid character(s) in term 'a/b'"),
        ("\"open", "InvalidParameterException: Invalid filter pattern: Invalid character(s) in term '\"open'"),
        ("-", "InvalidParameterException: Invalid filter pattern: Invalid character(s) in term ''"),
        (
            "{ $.a = 1",
            "InvalidParameterException: Invalid filter pattern: If a filter pattern starts with '{' it must end with '}'",
        ),
        ("{ }", "InvalidParameterException: Invalid filter pattern: the pattern ends too early"),
        ("{ $.a }", "InvalidParameterException: Invalid filter pattern: ' ' is not an operator"),
        (
            "{ a = 1 }",
            "InvalidParameterException: Invalid filter pattern: 'a' is not a property selector; they begin with '$.'",
        ),
        ("{ $.a < b }", "InvalidParameterException: Invalid filter pattern: 'b' is not a number"),
        ("{ $.a = 1 && }", "InvalidParameterException: Invalid filter pattern: the pattern ends too early"),
        (
            "{ $.a = 1 $.b = 2 }",
            "InvalidParameterException: Invalid filter pattern: Invalid character(s) in term '$.b = 2'",
        ),
        ("{ ($.a = 1 }", "InvalidParameterException: Invalid filter pattern: the pattern ends too early"),
        ("[a, , b]", "InvalidParameterException: Invalid filter pattern: a field has no name"),
        ("[a, b = 1 && c = 2]", "InvalidParameterException: Invalid filter pattern: 'c' is not a field of the pattern"),
        ("[..., a, ...]", "InvalidParameterException: Invalid filter pattern: '...' can be used once"),
        ("%ab+c%", "NotImplemented: Neargate does not implement regular expressions in filter patterns (%..%)"),
        ("{ $.a = %x% }", "NotImplemented: Neargate does not implement regular expressions in filter patterns (%..%)"),
    ] {
        assert_eq!(refused(pattern), text, "{pattern}");
    }
}

#[test]
fn no_pattern_and_no_message_panics() {
    let pieces = [
        "{", "}", "[", "]", "$", ".a", "[*]", "\"", "\\", " ", "=", "!=", "<", "&&", "||", "(", ")", "IS", "NULL",
        "...", ",", "é", "-", "?", "1",
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    let mut parsed = 0;
    for _ in 0..20_000 {
        let mut text = || (0..rng.usize(..9)).map(|_| *rng.choice(&pieces).unwrap()).collect::<String>();
        let (pattern, message) = (text(), text());
        for pattern in [pattern.clone(), format!("{{{pattern}}}"), format!("[{pattern}]")] {
            if let Ok(filter) = Filter::parse(&pattern) {
                filter.matches(&message);
                parsed += 1;
            }
        }
    }
    assert!(parsed > 1000, "{parsed}");
}
