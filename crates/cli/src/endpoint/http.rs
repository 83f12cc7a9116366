//! HTTP/1.1 as much as a client on the same machine needs: one request a connection.
//!
//! Invariant: plain HTTP to a loopback address; the engine closes the connection after its answer.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use neargate_wire::Request;

/// How long a connection may take to come about.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer, more than the engine ever gives.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// An answer.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The first header of that name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Sends a request and waits for the answer.
pub(crate) fn send(address: SocketAddr, request: &Request<'_>, patience: Duration) -> io::Result<Received> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mark = if request.query.is_empty() { "" } else { "?" };
    let mut head = format!("{} {}{mark}{} HTTP/1.1\r\n", request.method, request.path, request.query);
    for (name, value) in request.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", request.body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(request.body)?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP"))
}

fn parse(bytes: &[u8]) -> Option<Received> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = bytes.get(end + 4..)?;
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let body = match length {
        // Less than announced is an answer cut off.
        Some((_, length)) => body.get(..length.parse().ok()?)?,
        None => body,
    };
    Some(Received { status, headers, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    fn check(answer: &str, expected: Expect) {
        let shown = super::parse(answer.as_bytes()).map_or("no HTTP".to_owned(), |it| {
            format!("{} {:?} {:?}", it.status, it.headers, String::from_utf8_lossy(&it.body))
        });
        expected.assert_eq(&shown);
    }

    #[test]
    fn answers() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", expect![[r#"200 [("content-length", "2")] "{}""#]]);
        check("HTTP/1.1 404 Not Found\r\nx: a:b \r\n\r\nno", expect![[r#"404 [("x", "a:b")] "no""#]]);
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", expect!["no HTTP"]);
        check("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", expect!["no HTTP"]);
        check("HTTP/1.1 200 OK\r\n", expect!["no HTTP"]);
        check("SSH-2.0-OpenSSH\r\n\r\n", expect!["no HTTP"]);
        check("", expect!["no HTTP"]);
    }
}
