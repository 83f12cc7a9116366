//! An engine of a test's own, and requests to it byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use neargate_wire::Request;
use neargate_wire::sigv4::{Credentials, Signing, presign, sign};
use serde_json::Value as Json;

/// Longer than anything takes that is not stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Stopped when this is dropped.
pub(crate) struct Engine {
    child: Child,
    door: Door,
    /// What `up` has printed.
    pub(crate) exports: String,
    pub(crate) folder: tempfile::TempDir,
}

/// Where an engine is called.
#[derive(Clone, Copy)]
pub(crate) struct Door {
    pub(crate) port: u16,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Engine {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(Command::new(env!("CARGO_BIN_EXE_neargate")), arguments)
    }

    /// An engine whose process may have so many descriptors.
    pub(crate) fn start_with_descriptors(count: usize) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {count}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_neargate")]);
        Self::start_with(shell, &[])
    }

    fn start_with(mut command: Command, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command
            .args(["up", "--no-app", "--port", "0", "--data-dir"])
            .arg(folder.path().join("data"))
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", folder.path())
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut exports = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut exports).unwrap();
        let port = exports.split_once("http://127.0.0.1:").unwrap().1.split(' ').next().unwrap().parse().unwrap();
        Self { child, door: Door { port }, exports, folder }
    }

    /// A line of the process's own account of its memory, in bytes.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let found = status.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':')).unwrap();
        found.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Lets the process's account of its peak begin anew.
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }
}

impl std::ops::Deref for Engine {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

impl Door {
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends bytes on a connection of their own and reads what comes until its end.
    pub(crate) fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        read(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What the control endpoint's status says.
    pub(crate) fn status(&self) -> Json {
        let answer = self.send(&bytes("GET", "/_neargate/status", &[("host", &self.host())], b""));
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// How many requests have come from browsers, or programs that pretend to be one; and how many were refused at the door.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let status = self.status();
        let refused = status["endpoint"]["refused"].as_object().unwrap().values();
        (status["endpoint"]["of_browsers"].as_u64().unwrap(), refused.map(|count| count.as_u64().unwrap()).sum())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Reads an answer up to the end of the connection.
pub(crate) fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = vec![];
    // Whoever is refused in mid-sentence may see a reset after the answer.
    let ended = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { panic!("no answer: {text:?} {ended:?}") };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request's bytes, for a connection that ends with it.
pub(crate) fn bytes(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    [head.as_bytes(), b"\r\n", body].concat()
}

/// A request under the keys that everybody knows.
pub(crate) fn signed(request: &Request<'_>, service: &str) -> Vec<(String, String)> {
    signed_as(request, service, &known())
}

pub(crate) fn signed_as(request: &Request<'_>, service: &str, credentials: &Credentials) -> Vec<(String, String)> {
    let signing = Signing { credentials, region: "us-east-1", service, now: neargate_engine::now() };
    sign(request, &signing).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A query string under the keys that everybody knows: whoever knows it can send the request.
pub(crate) fn presigned(request: &Request<'_>, service: &str) -> String {
    let credentials = known();
    presign(
        request,
        &Signing { credentials: &credentials, region: "us-east-1", service, now: neargate_engine::now() },
        3600,
    )
}

fn known() -> Credentials {
    Credentials { access_key: "test".to_owned(), secret_key: "test".to_owned(), session_token: None }
}
