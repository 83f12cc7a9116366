//! A client of the endpoint that measures little of itself: one connection, signed requests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use neargate_base::Timestamp;
use neargate_wire::Request;
use neargate_wire::sigv4::{Credentials, Signing, sign};
use serde_json::Value as Json;

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    host: String,
    credentials: Credentials,
}

impl Client {
    /// Connects, once.
    pub(crate) fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let credentials = Credentials { access_key: "test".into(), secret_key: "test".into(), session_token: None };
        Ok(Self { stream, host: address.to_string(), credentials })
    }

    /// The same connection, signing with other credentials.
    pub(crate) fn with(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    /// A JSON call's bytes, signed.
    pub(crate) fn json(&self, service: &str, target: &str, body: &Json) -> Vec<u8> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        self.request(service, &headers, body.to_string().as_bytes())
    }

    /// A query call's bytes, signed.
    pub(crate) fn query(&self, service: &str, pairs: &[(&str, &str)]) -> Vec<u8> {
        let body: Vec<_> =
            pairs.iter().map(|(name, value)| format!("{name}={}", neargate_wire::percent_encode(value, ""))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        self.request(service, &headers, body.join("&").as_bytes())
    }

    /// A call of the control endpoint.
    pub(crate) fn control(&mut self, method: &str, call: &str, body: &Json) -> Result<Json, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} /_neargate/{call} HTTP/1.1\r\nhost: {}\r\nx-neargate-client: bench\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let answer = self.send(&[head.as_bytes(), body.as_bytes()].concat())?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    fn request(&self, service: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut all = vec![("host", self.host.as_str())];
        all.extend(headers);
        let request = Request { method: "POST", path: "/", query: "", headers: &all, body };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp(i64::try_from(since.as_millis()).unwrap_or(0));
        let signed = sign(&request, &Signing { credentials: &self.credentials, region: "us-east-1", service, now });
        let mut text = String::from("POST / HTTP/1.1\r\n");
        for (name, value) in all.iter().map(|(n, v)| (*n, *v)).chain(signed.iter().map(|(n, v)| (*n, v.as_str()))) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        [text.as_bytes(), body].concat()
    }

    /// Sends bytes made before and reads the answer's body; anything but 200 is an error.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        self.stream.write_all(request).map_err(|error| error.to_string())?;
        let mut held = vec![];
        let mut chunk = [0; 16_384];
        loop {
            let read = self.stream.read(&mut chunk).map_err(|error| error.to_string())?;
            if read == 0 {
                return Err("the endpoint closed the connection".to_owned());
            }
            held.extend_from_slice(chunk.get(..read).unwrap_or_default());
            if let Some(body) = body(&held)? {
                return Ok(body);
            }
        }
    }

    /// A JSON call.
    pub(crate) fn call(&mut self, service: &str, target: &str, body: &Json) -> Result<Json, String> {
        let request = self.json(service, target, body);
        let answer = self.send(&request)?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }
}

/// The body, once all of it is there.
fn body(held: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let Some(end) = held.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(held.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let body = held.get(end + 4..).unwrap_or_default();
    if body.len() < length.unwrap_or(0) {
        return Ok(None);
    }
    if head.starts_with("http/1.1 200") {
        return Ok(Some(body.to_vec()));
    }
    Err(format!("{}: {}", head.lines().next().unwrap_or_default(), String::from_utf8_lossy(body)))
}
