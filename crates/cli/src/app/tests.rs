//! Tables for `neargate.toml`.
#![allow(clippy::too_many_lines, reason = "snapshots are long")]

use std::fmt::Debug;
use std::mem::take;

use expect_test::{Expect, expect};

use super::config::{Config, parse};

fn check(text: &str, expected: Expect) {
    let (config, findings) = parse(text, "neargate.toml");
    let shown = match findings.as_slice() {
        [] => format!("{config:#?}"),
        _ => findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n"),
    };
    expected.assert_eq(&shown);
}

/// Checks the one part that the text says something of; all others are as they are without a file.
fn check_part<T: Debug + Default>(text: &str, part: impl Fn(&mut Config) -> &mut T, expected: Expect) {
    let (mut config, findings) = parse(text, "neargate.toml");
    assert_eq!(findings, vec![]);
    expected.assert_eq(&format!("{:#?}", take(part(&mut config))));
    assert_eq!(config, Config::default());
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
ssm."/corp/db-password" = { secure = { random = 20 } }
[fixtures.secrets]
"app/creds" = { json = { apiKey = { random = 32 }, user = "me", ports = [1, { random = 4 }] } }
"app/token" = { random = 40 }
"app/text" = "hidden"
"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf" = "hidden"
[event]
source = "com.corp"
detail-type = "Management"
resources = ["arn:a"]
bus = "other"
detail = { subject = "execute", count = 3, ratio = 0.5, deep = { list = [1, true] }, hex = 0xff }
"#,
        expect![[r#"
            Config {
                app: Some(
                    "cargo run",
                ),
                template: None,
                parameters: {
                    "Stage": "dev",
                },
                images: {
                    "corp/my-proj:1.0": Build(
                        Build {
                            directory: Some(
                                "image",
                            ),
                            binary: None,
                            host_programs: [
                                "sh",
                            ],
                            entrypoint: [
                                "sh",
                            ],
                            cmd: [
                                "-c",
                                "true",
                            ],
                            env: {
                                "A": "1",
                            },
                            user: "1:1",
                            workdir: "/srv",
                        },
                    ),
                    "five": Build(
                        Build {
                            directory: None,
                            binary: None,
                            host_programs: [
                                "sh",
                            ],
                            entrypoint: [],
                            cmd: [],
                            env: {},
                            user: "",
                            workdir: "",
                        },
                    ),
                    "four": Image(
                        "one:latest",
                    ),
                    "one": Build(
                        Build {
                            directory: None,
                            binary: Some(
                                "target/one",
                            ),
                            host_programs: [],
                            entrypoint: [],
                            cmd: [],
                            env: {},
                            user: "",
                            workdir: "",
                        },
                    ),
                    "three": Layout(
                        "three",
                    ),
                    "two": Archive(
                        "two.tar",
                    ),
                },
                fixtures: Fixtures {
                    ssm: {
                        "/corp/db": SsmFixture {
                            value: Given,
                            is_secure: false,
                        },
                        "/corp/db-password": SsmFixture {
                            value: Random(20),
                            is_secure: true,
                        },
                    },
                    exports: {},
                    secrets: {
                        "app/creds": Json(
                            {
                                "apiKey": Random(32),
                                "ports": [
                                    Given,
                                    Random(4),
                                ],
                                "user": Given,
                            },
                        ),
                        "app/text": Text(
                            Given,
                        ),
                        "app/token": Text(
                            Random(40),
                        ),
                        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf": Text(
                            Given,
                        ),
                    },
                },
                events: [
                    EventEntry {
                        source: "com.corp",
                        detail_type: "Management",
                        detail: "{\"count\":3,\"deep\":{\"list\":[1,true]},\"hex\":255,\"ratio\":0.5,\"subject\":\"execute\"}",
                        bus: Some(
                            "other",
                        ),
                        resources: [
                            "arn:a",
                        ],
                        time: None,
                        id: None,
                        place: [
                            None,
                            None,
                        ],
                    },
                ],
                event_files: [],
            }"#]],
    );
}

#[test]
fn events_in_files_and_lists() {
    check_part(
        "event = \"event.json\"",
        |config| &mut config.event_files,
        expect![[r#"
        [
            "event.json",
        ]"#]],
    );
    check_part(
        "event = [\"a.json\", \"b.json\"]",
        |config| &mut config.event_files,
        expect![[r#"
        [
            "a.json",
            "b.json",
        ]"#]],
    );
    check_part(
        "[[event]]\nsource = \"a\"\ndetail-type = \"b\"\n[[event]]\nsource = \"c\"\ndetail-type = \"d\"",
        |config| &mut config.events,
        expect![[r#"
            [
                EventEntry {
                    source: "a",
                    detail_type: "b",
                    detail: "{}",
                    bus: None,
                    resources: [],
                    time: None,
                    id: None,
                    place: [
                        None,
                        None,
                    ],
                },
                EventEntry {
                    source: "c",
                    detail_type: "d",
                    detail: "{}",
                    bus: None,
                    resources: [],
                    time: None,
                    id: None,
                    place: [
                        None,
                        None,
                    ],
                },
            ]"#]],
    );
}

#[test]
fn broken_toml() {
    check(
        "app = \"x\nimages",
        expect![[r#"
            error[NG-E0204]: not readable as TOML: invalid basic string, expected `"`
              at neargate.toml:1:9"#]],
    );
    check(
        "app = 'a'\napp = 'b'",
        expect![[r#"
        error[NG-E0204]: not readable as TOML: duplicate key
          at neargate.toml:2:1"#]],
    );
}

#[test]
fn unknown_keys_have_a_nearest() {
    check(
        "apq = 'x'",
        expect![[r#"
        error[NG-E0205]: unknown key `apq`
          at neargate.toml:1:1

        hint: did you mean `app`?"#]],
    );
    check(
        "[imagse]\n",
        expect![[r#"
        error[NG-E0205]: unknown key `imagse`
          at neargate.toml:1:2

        hint: did you mean `images`?"#]],
    );
    check(
        "[images]\n\"a:1\" = { build = 'x', entry_point = ['a'] }",
        expect![[r#"
        error[NG-E0205]: unknown key `entry_point` in `images."a:1"`
          at neargate.toml:2:24

        hint: did you mean `entrypoint`?"#]],
    );
    check(
        "zebra = 1",
        expect![[r#"
        error[NG-E0205]: unknown key `zebra`
          at neargate.toml:1:1

        hint: known keys: `app`, `event`, `fixtures`, `images`, `parameters`, `template`"#]],
    );
    check(
        "[event]\nsource = 'a'\ndetail_type = 'b'",
        expect![[r#"
        error[NG-E0205]: unknown key `detail_type` in `event`
          at neargate.toml:3:1

        hint: did you mean `detail-type`?
        ---
        error[NG-E0205]: `event` lacks `detail-type`
          at neargate.toml:1:1"#]],
    );
    check_part(
        "[fixtures]\nsecrets.a = 'b'",
        |config| &mut config.fixtures,
        expect![[r#"
            Fixtures {
                ssm: {},
                exports: {},
                secrets: {
                    "a": Text(
                        Given,
                    ),
                },
            }"#]],
    );
}

#[test]
fn wrong_kinds_of_values() {
    check(
        "app = 3\ntemplate = ['a']\nimages = true",
        expect![[r#"
        error[NG-E0205]: `app` must be a string, got an integer
          at neargate.toml:1:7
        ---
        error[NG-E0205]: `template` must be a string, got a list
          at neargate.toml:2:12
        ---
        error[NG-E0205]: `images` must be a table, got a boolean
          at neargate.toml:3:10"#]],
    );
    check(
        "[images]\na = 'dir'",
        expect![[r#"
        error[NG-E0205]: `a` must be a table, got a string
          at neargate.toml:2:5"#]],
    );
    check(
        "[images]\na = { build = 'd', cmd = 'x', env = { A = 1 }, host_programs = [1] }",
        expect![[r#"
        error[NG-E0205]: `host_programs` must be a list of strings, got an integer
          at neargate.toml:2:65
        ---
        error[NG-E0205]: `cmd` must be a list of strings, got a string
          at neargate.toml:2:26
        ---
        error[NG-E0205]: `A` must be a string, got an integer
          at neargate.toml:2:43"#]],
    );
    check(
        "event = 3",
        expect![[r#"
        error[NG-E0205]: `event` must be a table, a list of tables, or the name of a JSON file
          at neargate.toml:1:9"#]],
    );
    check(
        "[event]\nsource = 'a'\ndetail-type = 'b'\ndetail = 'c'",
        expect![[r#"
        error[NG-E0205]: `detail` must be a table, got `"c"`
          at neargate.toml:4:10"#]],
    );
}

#[test]
fn contradictions() {
    check(
        "app = 'a'\ntemplate = 'b'",
        expect![[r#"
        error[NG-E0205]: got `app` and `template`, exactly one is expected
          at neargate.toml:2:12"#]],
    );
    check(
        "[images]\na = { build = 'd', archive = 'e' }",
        expect![[r#"
            error[NG-E0205]: `images."a"` names `build` and `archive`, exactly one of `build`, `binary`, `archive`, `layout`, `image` is expected
              at neargate.toml:2:5"#]],
    );
    check(
        "[images]\na = { user = '1' }",
        expect![[r#"
            error[NG-E0205]: `images."a"` names no origin, exactly one of `build`, `binary`, `archive`, `layout`, `image` is expected
              at neargate.toml:2:5"#]],
    );
    check(
        "[images]\na = { archive = 'd', cmd = ['x'] }",
        expect![[r#"
        error[NG-E0205]: `cmd` does not go with `archive`: the image has its own
          at neargate.toml:2:28

        hint: leave it out, or use `build` in place of `archive`"#]],
    );
    check(
        "[images]\nA = { archive = 'd' }",
        expect![[r#"
        error[NG-E0205]: `A` is no image reference: `A` must be lowercase
          at neargate.toml:2:1

        hint: write it as `repository:tag`, for example `corp/my-proj:1.0`"#]],
    );
}

#[test]
fn fixtures_of_a_wrong_shape() {
    check(
        r#"
[fixtures]
ssn = 1
ssm."/a" = 1
ssm."/b" = { secret = "hidden" }
ssm."/c" = { secure = 1 }
ssm."/d" = { secure = { random = 0 } }
[fixtures.secrets]
"a" = 1
"b" = {}
"c" = { json = "hidden" }
"d" = { json = {}, random = 1 }
"e" = { random = 4097 }
"f" = { random = "many" }
"g" = { json = { deep = [{ random = -1 }] } }
"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds" = "hidden"
"arn:aws:ssm:eu-west-1:123456789012:parameter/app" = "hidden"
"#,
        expect![[r#"
            error[NG-E0205]: unknown key `ssn` in `fixtures`
              at neargate.toml:3:1

            hint: did you mean `ssm`?
            ---
            error[NG-E0205]: `/a` must be a string or `{ secure = … }`, got an integer
              at neargate.toml:4:12
            ---
            error[NG-E0205]: unknown key `secret` in `fixtures.ssm."/b"`
              at neargate.toml:5:14

            hint: did you mean `secure`?
            ---
            error[NG-E0205]: `secure` must be a string or `{ random = N }`, got an integer
              at neargate.toml:6:23
            ---
            error[NG-E0205]: `random` must be a number of characters, 1 to 4096, got `0`
              at neargate.toml:7:34
            ---
            error[NG-E0205]: `a` must be a string, `{ json = { … } }` or `{ random = N }`, got an integer
              at neargate.toml:9:7
            ---
            error[NG-E0205]: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds` is no complete ARN of a secret
              at neargate.toml:16:1

            hint: it ends in a hyphen and the six characters that Secrets Manager has added to the name; where any will do, write the name
            ---
            error[NG-E0205]: `arn:aws:ssm:eu-west-1:123456789012:parameter/app` is no complete ARN of a secret
              at neargate.toml:17:1

            hint: it ends in a hyphen and the six characters that Secrets Manager has added to the name; where any will do, write the name
            ---
            error[NG-E0205]: `fixtures.secrets."b"` must be a string, `{ json = { … } }` or `{ random = N }`, got a table
              at neargate.toml:10:7
            ---
            error[NG-E0205]: `json` must be a table with the secret's keys, got a string
              at neargate.toml:11:16
            ---
            error[NG-E0205]: `fixtures.secrets."d"` has `json` and `random`, exactly one is expected
              at neargate.toml:12:7
            ---
            error[NG-E0205]: `random` must be a number of characters, 1 to 4096, got `4097`
              at neargate.toml:13:18
            ---
            error[NG-E0205]: `random` must be a number of characters, 1 to 4096, got a string
              at neargate.toml:14:18
            ---
            error[NG-E0205]: `random` must be a number of characters, 1 to 4096, got `-1`
              at neargate.toml:15:37"#]],
    );
}
