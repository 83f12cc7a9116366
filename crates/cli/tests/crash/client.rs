//! A client of the engine's endpoint: signed calls in JSON, and the control endpoint.
//!
//! Invariant: an answer is either whole or the engine is taken for dead; an answer that does not come in time fails the drill.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use neargate_shape::{ServiceShape, from_json, to_json};
use neargate_wire::sigv4::{Credentials, Signing, sign};
use neargate_wire::{Answer, Request, codec};
use serde_json::Value as Json;

const PATIENCE: Duration = Duration::from_secs(60);

/// Status, headers and body.
type Received = (u16, Vec<(String, String)>, Vec<u8>);

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Nobody answers, or no longer.
    Dead,
    /// The engine refuses.
    Fault(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dead => f.write_str("nobody answers"),
            Self::Fault(text) => f.write_str(text),
        }
    }
}

/// Calls the engine on a port of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
}

impl Client {
    pub(crate) fn on_port(port: u16) -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    /// Calls an operation.
    pub(crate) fn call(&self, service: &'static ServiceShape, name: &str, input: Json) -> Result<Json, CallError> {
        let operation = service.operation(name).unwrap_or_else(|| panic!("no operation `{name}`"));
        let codec = codec(service.protocol).expect("a protocol that is spoken");
        let input = from_json((operation.input)(), input, &mut vec![]).expect("an input of the operation's shape");
        let outgoing = codec.encode_request(service, operation, &input);
        let host = self.address.to_string();
        let headers = outgoing.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<_> = headers.chain([("host", host.as_str())]).collect();
        let request = Request {
            method: outgoing.method,
            path: &outgoing.path,
            query: &outgoing.query,
            headers: &headers,
            body: &outgoing.body,
        };
        let credentials =
            Credentials { access_key: "test".to_owned(), secret_key: "test".to_owned(), session_token: None };
        let signing = Signing {
            credentials: &credentials,
            region: "eu-west-1",
            service: service.signing_name,
            now: neargate_engine::now(),
        };
        let signature = sign(&request, &signing);
        let signature = signature.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.iter().copied().chain(signature).collect();
        let (status, headers, body) = self.send(&Request { headers: &headers, ..request })?;
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = Answer { status, headers: &headers, body: &body };
        if status != 200 {
            let fault = codec.decode_error(&answer);
            return Err(CallError::Fault(format!("{name}: {}: {}", fault.code, fault.message)));
        }
        let output = codec.decode_response(operation, &answer).expect("an answer of the operation's shape");
        Ok(to_json(&output))
    }

    /// Asks the control endpoint.
    pub(crate) fn control(&self, call: &str) -> Result<Json, CallError> {
        self.controlled("GET", call, b"")
    }

    /// Orders something from the control endpoint.
    pub(crate) fn order(&self, call: &str, order: &Json) -> Result<Json, CallError> {
        self.controlled("POST", call, order.to_string().as_bytes())
    }

    fn controlled(&self, method: &str, call: &str, body: &[u8]) -> Result<Json, CallError> {
        let path = format!("/_neargate/{call}");
        let host = self.address.to_string();
        let headers = [("host", host.as_str()), ("x-neargate-client", "drill")];
        let (status, _, body) = self.send(&Request { method, path: &path, query: "", headers: &headers, body })?;
        assert_eq!(status, 200, "{call}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body).expect("an answer in JSON"))
    }

    fn send(&self, request: &Request<'_>) -> Result<Received, CallError> {
        let answer = self.exchange(request).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => panic!("no answer for {PATIENCE:?}: {error}"),
            _ => CallError::Dead,
        })?;
        parse(&answer).ok_or(CallError::Dead)
    }

    fn exchange(&self, request: &Request<'_>) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mark = if request.query.is_empty() { "" } else { "?" };
        let mut head = format!("{} {}{mark}{} HTTP/1.1\r\n", request.method, request.path, request.query);
        for (name, value) in request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", request.body.len()));
        stream.write_all(&[head.as_bytes(), request.body].concat())?;
        let mut answer = vec![];
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// The answer; nothing where less came than was announced.
fn parse(bytes: &[u8]) -> Option<Received> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let (_, length) = headers.iter().find(|(name, _)| name == "content-length")?;
    let body = bytes[end + 4..].get(..length.parse().ok()?)?.to_vec();
    Some((status, headers, body))
}
