//! Tables for `neargate.toml`.

use expect_test::{Expect, expect};

use super::config::parse;

fn check(text: &str, expected: Expect) {
    let (config, findings) = parse(text, "neargate.toml");
    let shown = match findings.as_slice() {
        [] => format!("{config:#?}"),
        _ => findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn everything_there_is() {
    check(
        r#"
app = "cargo run"
[parameters]
Stage = "dev"
[images]
"corp/my-proj:1.0" = { build = "image", host_programs = ["sh"], entrypoint = ["sh"], cmd = ["-c", "true"], env = { A = "1" }, user = "1:1", workdir = "/srv" }
one = { binary = "target/one" }
two = { archive = "two.tar" }
three = { layout = "three" }
four = { image = "one:latest" }
five = { host_programs = ["sh"] }
[fixtures]
ssm."/corp/db" = "mysql"
[event]
source = "com.corp"
detail-type = "Management"
resources = ["arn:a"]
bus = "other"
detail = { subject = "execute", count = 3, ratio = 0.5, deep = { list = [1, true] }, hex = 0xff }
"#,
        expect![],
    );
}

#[test]
fn events_in_files_and_lists() {
    check("event = \"event.json\"", expect![]);
    check("event = [\"a.json\", \"b.json\"]", expect![]);
    check("[[event]]\nsource = \"a\"\ndetail-type = \"b\"\n[[event]]\nsource = \"c\"\ndetail-type = \"d\"", expect![]);
}

#[test]
fn broken_toml() {
    check("app = \"x\nimages", expect![]);
    check("app = 'a'\napp = 'b'", expect![]);
}

#[test]
fn unknown_keys_have_a_nearest() {
    check("apq = 'x'", expect![]);
    check("[imagse]\n", expect![]);
    check("[images]\n\"a:1\" = { build = 'x', entry_point = ['a'] }", expect![]);
    check("zebra = 1", expect![]);
    check("[event]\nsource = 'a'\ndetail_type = 'b'", expect![]);
    check("[fixtures]\nsecrets.a = 'b'", expect![]);
}

#[test]
fn wrong_kinds_of_values() {
    check("app = 3\ntemplate = ['a']\nimages = true", expect![]);
    check("[images]\na = 'dir'", expect![]);
    check("[images]\na = { build = 'd', cmd = 'x', env = { A = 1 }, host_programs = [1] }", expect![]);
    check("event = 3", expect![]);
    check("[event]\nsource = 'a'\ndetail-type = 'b'\ndetail = 'c'", expect![]);
}

#[test]
fn contradictions() {
    check("app = 'a'\ntemplate = 'b'", expect![]);
    check("[images]\na = { build = 'd', archive = 'e' }", expect![]);
    check("[images]\na = { user = '1' }", expect![]);
    check("[images]\na = { archive = 'd', cmd = ['x'] }", expect![]);
    check("[images]\nA = { archive = 'd' }", expect![]);
}
