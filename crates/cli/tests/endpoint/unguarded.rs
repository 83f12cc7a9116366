//! The endpoint as it would be without its guard: requests of pages reach it as a program's, and its answers are for every page.
//!
//! What the guard looks at is taken out on the way. The control endpoint is not reached: its calls are counted only.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Door;

/// What every page may read and send.
const LEAVE: &str = "access-control-allow-origin: *\r\naccess-control-allow-headers: *, authorization\r\n\
                     access-control-allow-methods: *\r\n";

/// A port before an endpoint.
pub(crate) struct Unguarded {
    pub(crate) port: u16,
    arrived: AtomicU64,
}

impl Unguarded {
    /// Lets everybody through to an endpoint, for good.
    pub(crate) fn before(engine: Door) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(Self { port, arrived: AtomicU64::new(0) });
        let counting = Arc::clone(&open);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let open = Arc::clone(&counting);
                // A browser drops connections as it likes.
                std::thread::spawn(move || drop(open.attend(stream.unwrap(), engine)));
            }
        });
        open
    }

    /// How many requests have come; each is counted once it has been answered.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Acquire)
    }

    fn attend(&self, mut stream: TcpStream, engine: Door) -> std::io::Result<()> {
        let Some((head, body)) = request(&mut stream)? else { return Ok(()) };
        let answer = self.answer(&head, &body, engine);
        self.arrived.fetch_add(1, Ordering::AcqRel);
        stream.write_all(&answer?)
    }

    fn answer(&self, head: &str, body: &[u8], engine: Door) -> std::io::Result<Vec<u8>> {
        let (first, rest) = head.split_once("\r\n").unwrap_or((head, ""));
        let is_control = first.split(' ').nth(1).is_some_and(|path| path.starts_with("/_neargate/"));
        if first.starts_with("OPTIONS ") || is_control {
            return Ok(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{LEAVE}connection: close\r\n\r\n").into_bytes());
        }
        let tells = ["origin", "referer", "user-agent", "connection"];
        let is_kept = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            !tells.contains(&name.as_str()) && !name.starts_with("sec-")
        };
        let kept: Vec<&str> = rest.split("\r\n").filter(|line| !line.is_empty()).filter(is_kept).collect();
        let head = format!("{first}\r\n{}\r\nconnection: close\r\n\r\n", kept.join("\r\n"));
        let mut engine = engine.connect();
        engine.write_all(&[head.as_bytes(), body].concat())?;
        let mut answer = vec![];
        engine.read_to_end(&mut answer)?;
        let end = answer.windows(2).position(|two| two == b"\r\n").unwrap_or(0) + 2;
        answer.splice(end..end, LEAVE.bytes());
        Ok(answer)
    }
}

/// A request's head and body.
fn request(stream: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let (mut held, mut chunk) = (vec![], [0; 8192]);
    loop {
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&held[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if held.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(Some((head, held[end + 4..].to_vec())));
            }
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            count => held.extend_from_slice(&chunk[..count]),
        }
    }
}
