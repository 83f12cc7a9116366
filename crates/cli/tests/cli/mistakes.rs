//! Everything a user may get wrong before an engine has anything to do with it.

use neargate_testkit::needs::needs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use expect_test::expect;

use crate::harness::Place;

#[needs()]
fn no_app() {
    let place = Place::new();
    place.check(
        &["synth"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0203]: there is no app here: neither `neargate.toml` nor `cdk.json` nor `manifest.json`

        hint: name one: a directory, a cloud assembly (`cdk.out`) or a template
    "#]],
    );
    place.check(
        &["try", "nowhere"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-E0203]: there is no app at `nowhere`: no such file or directory
        "#]],
    );
    place.write("notes.txt", "").write("empty/notes.txt", "");
    place.check(
        &["try", "notes.txt"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-E0203]: `notes.txt` is no app: expected a directory or a template (`.json`, `.yaml`)
        "#]],
    );
    place.check(
        &["synth", "empty"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0203]: there is no app in `empty`: neither `neargate.toml` nor `cdk.json` nor `manifest.json`

            hint: name the command that writes the cloud assembly in `neargate.toml`: `app = "…"`; a Rust package that depends on `neargate` needs none
        "#]],
    );
    place.write("bare/neargate.toml", "");
    place.check(&["synth", "bare"], expect![[r#"
        exit 2
        --- stderr
        error[NG-E0203]: `[PLACE]/bare/neargate.toml` names neither `app` nor `template`, and there is no `cdk.json` beside it

        hint: add `app = "…"`, the command that writes the cloud assembly
    "#]]);
}

#[needs()]
fn a_broken_configuration() {
    let place = Place::new();
    place.write("neargate.toml", "app = \"true\nfixtures");
    place.check(
        &["synth"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0204]: not readable as TOML: invalid basic string, expected `"`
              at [PLACE]/neargate.toml:1:12
        "#]],
    );
    place.write("neargate.toml", "apl = \"true\"\n\n[images]\n\"Corp\" = { bild = 3 }\n");
    place.check(&["synth"], expect![[r#"
        exit 2
        --- stderr
        error[NG-E0205]: unknown key `apl`
          at [PLACE]/neargate.toml:1:1

        hint: did you mean `app`?

        error[NG-E0205]: `Corp` is no image reference: `Corp` must be lowercase
          at [PLACE]/neargate.toml:4:1

        hint: write it as `repository:tag`, for example `corp/my-proj:1.0`

        error[NG-E0205]: unknown key `bild` in `images."Corp"`
          at [PLACE]/neargate.toml:4:12

        hint: did you mean `build`?

        error[NG-E0205]: `images."Corp"` names no origin, exactly one of `build`, `binary`, `archive`, `layout`, `image` is expected
          at [PLACE]/neargate.toml:4:10
    "#]]);
    place.check(&["synth", "--format", "json"], expect![[r#"
        exit 2
        --- stdout
        {
          "exit_code": 2,
          "diagnostics": [
            {
              "code": "NG-E0205",
              "severity": "error",
              "path": "[PLACE]/neargate.toml:1:1",
              "message": "unknown key `apl`",
              "details": [],
              "hints": [
                "did you mean `app`?"
              ]
            },
            {
              "code": "NG-E0205",
              "severity": "error",
              "path": "[PLACE]/neargate.toml:4:1",
              "message": "`Corp` is no image reference: `Corp` must be lowercase",
              "details": [],
              "hints": [
                "write it as `repository:tag`, for example `corp/my-proj:1.0`"
              ]
            },
            {
              "code": "NG-E0205",
              "severity": "error",
              "path": "[PLACE]/neargate.toml:4:12",
              "message": "unknown key `bild` in `images.\"Corp\"`",
              "details": [],
              "hints": [
                "did you mean `build`?"
              ]
            },
            {
              "code": "NG-E0205",
              "severity": "error",
              "path": "[PLACE]/neargate.toml:4:10",
              "message": "`images.\"Corp\"` names no origin, exactly one of `build`, `binary`, `archive`, `layout`, `image` is expected",
              "details": [],
              "hints": []
            }
          ]
        }
        --- stderr
        error[NG-E0205]: unknown key `apl`
          at [PLACE]/neargate.toml:1:1

        hint: did you mean `app`?

        error[NG-E0205]: `Corp` is no image reference: `Corp` must be lowercase
          at [PLACE]/neargate.toml:4:1

        hint: write it as `repository:tag`, for example `corp/my-proj:1.0`

        error[NG-E0205]: unknown key `bild` in `images."Corp"`
          at [PLACE]/neargate.toml:4:12

        hint: did you mean `build`?

        error[NG-E0205]: `images."Corp"` names no origin, exactly one of `build`, `binary`, `archive`, `layout`, `image` is expected
          at [PLACE]/neargate.toml:4:10
    "#]]);
}

#[needs()]
fn a_failing_app() {
    let place = Place::new();
    place.write("neargate.toml", "app = \"echo one >&2; echo two >&2; exit 3\"");
    place.check(
        &["synth"],
        expect![[r#"
            exit 1
            --- stderr
                   synth echo one >&2; echo two >&2; exit 3
                         one
                         two
            error[NG-E0206]: the app's command `echo one >&2; echo two >&2; exit 3` exited with code 3
              at [PLACE]
        "#]],
    );
    place.write("neargate.toml", "app = \"no-such-program-anywhere\"");
    assert_eq!(place.run(&["synth"]).code, 1);
    place.write("neargate.toml", "app = \"true\"");
    place.check(
        &["synth"],
        expect![[r#"
        exit 1
        --- stderr
               synth true
        error[NG-E0206]: the app's command `true` ended well but wrote no cloud assembly to `[PLACE]/cdk.out`

        hint: it must write to the directory in `CDK_OUTDIR`: does the app call `synth()` at its end?
    "#]],
    );
    place.write("neargate.toml", "").write("cdk.json", "{\"app\": 3,");
    place.check(
        &["synth"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0207]: not readable as JSON: EOF while parsing a value
              at [PLACE]/cdk.json:1:10
        "#]],
    );
}

#[needs()]
fn somebody_else_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let answers = [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nnope\n",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ];
    let server = std::thread::spawn(move || {
        for answer in answers.iter().cycle().take(9) {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = std::io::Read::read(&mut stream, &mut request).unwrap();
            std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        }
    });
    let place = Place::new();
    for _ in answers {
        for command in [&["down"][..], &["clock", "show"], &["env"]] {
            let ran = place.run(&[command, &["--port", &port]].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{command:?} {}", ran.stderr);
            assert!(ran.stderr.contains("NG-E0214") && ran.stderr.contains("is no Neargate engine"), "{}", ran.stderr);
        }
    }
    server.join().unwrap();
}

#[needs(containers)]
fn a_broken_template() {
    let place = Place::new();
    place.write(
        "stack.yaml",
        "Resources:\n  Cluster:\n    Type: AWS::ECS::Cluster\n    Propertys:\n      A: !Ref Nothing\n",
    );
    place.check(
        &["synth", "stack.yaml"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-T0004]: a resource has no `Propertys`
              at Resources.Cluster.Propertys
              [PLACE]/stack.yaml:4:5

            hint: did you mean `Properties`?
        "#]],
    );
    place.write("stack.json", "{\"Resources\": ");
    place.check(
        &["try", "stack.json"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-T0001]: `[PLACE]/stack.json` is not readable as JSON: EOF while parsing a value
              at [PLACE]/stack.json:1:14
        "#]],
    );
}

#[needs()]
fn a_broken_event() {
    let place = Place::new();
    place.write("stack.yaml", "Resources:\n  Cluster:\n    Type: AWS::ECS::Cluster\n");
    place.write("event.json", "{\"source\": \"a\"}");
    place.check(
        &["try", "stack.yaml", "--event", "event.json"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-E0208]: the event lacks `detail-type` or `DetailType`
              at event.json

            hint: an event is `{"source": "…", "detail-type": "…", "detail": {…}}`, or a list of such
        "#]],
    );
    place.check(
        &["events", "put", "--source", "a", "--detail-type", "b", "--detail", "{"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0208]: `--detail` is not readable as JSON: EOF while parsing an object

            hint: quote it for the shell: `--detail '{"key": "value"}'`
        "#]],
    );
    place.check(
        &["try", "stack.yaml", "--event", "other.json"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-E0210]: cannot read `other.json`: No such file or directory (os error 2)
        "#]],
    );
}

#[needs()]
fn no_engine_runs() {
    let place = Place::new();
    place.check(
        &["task", "ls", "--port", "1"],
        expect![[r#"
        exit 1
        --- stderr
        error[NG-E0201]: no engine answers at `127.0.0.1:1`: Connection refused (os error 111)

        hint: start one with `neargate up`, or say where it is with `--port`
    "#]],
    );
    place.check(
        &["down", "--port", "1"],
        expect![[r#"
        exit 0
        --- stderr
             nothing no engine runs at 127.0.0.1:1
    "#]],
    );
}

#[needs()]
fn a_used_port() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    // Answers every request, but not as an engine does.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    let ran = place.run(&["up", "--port", &port]);
    assert_eq!(ran.code, 1);
    expect![[r#"
        error[NG-E0214]: what answers at `127.0.0.1:[PORT]` is no Neargate engine

        hint: start one on another port with `neargate up --port PORT`, or say where it is with `--port`
    "#]]
    .assert_eq(&ran.stderr.replace(&port, "[PORT]"));
}

#[needs()]
fn wrong_arguments() {
    let place = Place::new();
    place.check(
        &["up", "--clock", "yesterday"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: `yesterday` is no time: expected RFC 3339 such as `2026-11-21T10:00:00Z`

        hint: write a time such as `2026-12-01T04:00:00Z`, or `system`
    "#]],
    );
    place.check(
        &["clock", "advance", "soon"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0209]: `soon` is neither a span of time nor a time

            hint: write a span such as `90s`, `2h30m` or `31d`, or a time such as `2026-12-01T04:00:00Z`
        "#]],
    );
    place.check(
        &["image", "build", "--tag", "a:1"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: there is nothing to build from: got neither a directory nor `--binary` nor `--host-program`
    "#]],
    );
    place.write("stack.yaml", "Resources:\n  Cluster:\n    Type: AWS::ECS::Cluster\n");
    place.check(
        &["synth", "stack.yaml", "-o", "out"],
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: `--output` has no meaning here: `stack.yaml` is no program that writes templates

        hint: leave `--output` out
    "#]],
    );
    place.check(
        &["down", "--purge", "--data-dir", "home", "--port", "1"],
        expect![[r#"
        exit 2
        --- stderr
             nothing no engine runs at 127.0.0.1:1
        error[NG-E0209]: `home` is no data directory of an engine, so it is not removed
    "#]],
    );
}
