//! `up --auth`: who is root, and who may use the control endpoint, where the machine has other users.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Output};

use neargate_testkit::needs::needs;
use neargate_wire::Request;
use neargate_wire::sigv4::Credentials;

use crate::engine::{Answer, Engine, bytes, signed_as};

fn credentials(access_key: &str, secret_key: &str) -> Credentials {
    Credentials { access_key: access_key.to_owned(), secret_key: secret_key.to_owned(), session_token: None }
}

/// The key in what `up` has printed.
fn printed(engine: &Engine) -> (String, String) {
    let variable = |name: &str| {
        let rest = engine.exports.split_once(&format!("{name}=")).unwrap().1;
        rest.split_whitespace().next().unwrap().to_owned()
    };
    (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
}

fn call(engine: &Engine, method: &str, path: &str, service: &str, key: &Credentials, body: &str) -> Answer {
    let host = engine.host();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let mut headers = vec![("host", host.as_str()), form, ("x-neargate-client", "test")];
    let request = Request { method, path, query: "", headers: &headers, body: body.as_bytes() };
    let signature = signed_as(&request, service, key);
    headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    engine.send(&bytes(method, path, &headers, body.as_bytes()))
}

fn identity(engine: &Engine, key: &Credentials) -> Answer {
    call(engine, "POST", "/", "sts", key, "Action=GetCallerIdentity&Version=2011-06-15")
}

/// The command line, with nothing in its environment but these.
fn neargate(engine: &Engine, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neargate"));
    command.args(arguments).env_clear().envs(environment.iter().copied()).env("HOME", engine.folder.path());
    command.current_dir(engine.folder.path()).output().unwrap()
}

#[needs()]
fn root_and_the_control_endpoint_need_the_generated_key() {
    let engine = Engine::start(&["--auth"]);
    let (access_key, secret) = printed(&engine);
    assert!(access_key.starts_with("NGEK") && secret.len() == 40, "{}", engine.exports);
    let file = engine.folder.path().join("data/endpoint.key");
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    let own = credentials(&access_key, &secret);
    let answer = identity(&engine, &own);
    assert!(answer.status == 200 && answer.body.contains("<Account>000000000000</Account>"), "{answer:?}");
    let answer = identity(&engine, &credentials("123456789012", &secret));
    assert!(answer.status == 200 && answer.body.contains("<Account>123456789012</Account>"), "{answer:?}");
    for (key, secret) in
        [("test", "test"), ("000000000000", "test"), ("123456789012", "test"), ("test", secret.as_str())]
    {
        let answer = identity(&engine, &credentials(key, secret));
        assert_eq!(answer.status, 403, "{key}: {answer:?}");
        assert!(answer.head.contains("x-neargate-hint: the engine was started with `--auth`"), "{answer:?}");
    }
    let host = engine.host();
    for call in ["status", "tasks", "notices", "schedules", "anything"] {
        let answer = engine.send(&bytes("GET", &format!("/_neargate/{call}"), &[("host", &host)], b""));
        assert_eq!(answer.status, 401, "{call}: {answer:?}");
    }
    for (key, status) in [(&own, 200), (&credentials("test", "test"), 401), (&credentials(&access_key, "test"), 401)] {
        assert_eq!(call(&engine, "GET", "/_neargate/status", "neargate", key, "").status, status);
        let advanced = call(&engine, "POST", "/_neargate/clock", "neargate", key, r#"{"advance_ms":1}"#);
        assert_eq!(advanced.status, status, "{advanced:?}");
    }
}

#[needs()]
fn the_command_line_finds_the_key_by_itself_and_prints_it_once() {
    let engine = Engine::start(&["--auth"]);
    let (access_key, secret) = printed(&engine);
    let port = engine.port.to_string();
    let works = |environment: &[(&str, &str)]| {
        for command in [&["task", "ls", "--port", &port][..], &["clock", "show", "--port", &port]] {
            let output = neargate(&engine, command, environment);
            assert!(output.status.success(), "{command:?} {environment:?} {output:?}");
        }
    };
    works(&[]);
    works(&[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    let again = neargate(&engine, &["up", "--no-app", "--port", &port], &[]);
    assert_eq!(printed_by(&again), printed_by_line(&engine.exports));
    let late = neargate(&engine, &["up", "--no-app", "--port", &port, "--auth"], &[]);
    assert!(String::from_utf8_lossy(&late.stderr).contains("`--auth` comes too late"), "{late:?}");
    // Who cannot read the file needs the variables.
    let data = engine.folder.path().join("data");
    std::fs::rename(data.join("endpoint.key"), data.join("elsewhere")).unwrap();
    let without = neargate(&engine, &["task", "ls", "--port", &port], &[]);
    assert!(String::from_utf8_lossy(&without.stderr).contains("error[NG-E0215]"), "{without:?}");
    works(&[("AWS_ACCESS_KEY_ID", &access_key), ("AWS_SECRET_ACCESS_KEY", &secret)]);
}

fn printed_by(output: &Output) -> String {
    printed_by_line(&String::from_utf8_lossy(&output.stdout))
}

fn printed_by_line(line: &str) -> String {
    line.trim().split_once("AWS_ACCESS_KEY_ID").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

#[needs()]
fn what_is_no_engine_is_said_to_be_none() {
    let engine = Engine::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let answers = [
                "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
                "SSH-2.0-OpenSSH\r\n",
                "HTTP/1.1 200 OK\r\n\r\n{}",
            ];
            let _ = stream.write_all(answers[index % answers.len()].as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut vec![]);
        }
    });
    for command in ["task ls", "down", "clock show", "logs tail x", "up --no-app", "task ls"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--port", &port]).collect();
        let output = neargate(&engine, &arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("error[NG-E0214]"), "{command}: {said}");
        assert!(said.contains(&format!("what answers at `127.0.0.1:{port}` is no Neargate engine")), "{said}");
    }
    for url in ["garbage", "https://127.0.0.1:4566", "http://example.test:4566"] {
        let output = neargate(&engine, &["task", "ls"], &[("AWS_ENDPOINT_URL", url)]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("`AWS_ENDPOINT_URL` is `{url}`, expected `http://127.0.0.1:PORT`")), "{said}");
    }
}

/// The command line as another user of the machine, who may run it and go where it runs.
fn neargate_of_another(engine: &Engine, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let program = engine.folder.path().join("neargate");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_neargate"), &program).unwrap();
        for path in [engine.folder.path(), &program] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).args(arguments);
    command.env_clear().envs(environment.iter().copied()).env("HOME", "/nonexistent");
    command.env("PATH", std::env::var_os("PATH").unwrap()).current_dir("/").output().unwrap()
}

#[needs(root)]
fn another_user_of_the_machine_is_not_let_in() {
    let engine = Engine::start(&["--auth"]);
    let (access_key, secret) = printed(&engine);
    let port = engine.port.to_string();
    let file = engine.folder.path().join("data/endpoint.key");
    // The file is there, and root reads it.
    assert!(std::fs::read_to_string(&file).unwrap().contains(&secret));
    let commands: [&[&str]; 5] = [
        &["task", "ls", "--port", &port],
        &["env", "--port", &port],
        &["clock", "advance", "1d", "--port", &port],
        &["events", "put", "--source", "a", "--detail-type", "b", "--port", &port],
        &["down", "--port", &port],
    ];
    let known = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    for environment in [&[][..], &known] {
        for command in commands {
            let refused = neargate_of_another(&engine, command, environment);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && said.contains("error[NG-E0215]"), "{command:?}: {refused:?}");
            assert!(!said.contains(&secret) && !String::from_utf8_lossy(&refused.stdout).contains(&secret), "{said}");
        }
    }
    let key = [("AWS_ACCESS_KEY_ID", access_key.as_str()), ("AWS_SECRET_ACCESS_KEY", secret.as_str())];
    // It runs still. Root is let in, and so is whoever was given the key.
    for command in &commands[..2] {
        let output = neargate(&engine, command, &[]);
        assert!(output.status.success(), "{command:?}: {output:?}");
        let output = neargate_of_another(&engine, command, &key);
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
    assert_eq!(identity(&engine, &credentials("test", "test")).status, 403);
}
