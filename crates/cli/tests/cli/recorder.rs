//! What a command asks an engine, call by call.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

/// The name of an operation, or the path of a call that has none; and its input.
type Call = (String, Json);

/// Stands before an engine and takes note of every request.
pub(crate) struct Recorder {
    pub(crate) port: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Recorder {
    pub(crate) fn before(engine_port: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let (calls, engine_port) = (Arc::new(Mutex::new(vec![])), engine_port.to_owned());
        let recorded = Arc::clone(&calls);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // A client may go away at any time.
                let _ = pass(client.unwrap(), &engine_port, &recorded);
            }
        });
        Self { port, calls }
    }

    /// The calls since this was asked last.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

fn pass(mut client: TcpStream, engine_port: &str, calls: &Mutex<Vec<Call>>) -> std::io::Result<()> {
    let (mut request, mut buffer) = (vec![], [0; 4096]);
    let call = loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
        if let Some(call) = parse(&request) {
            break call;
        }
    };
    calls.lock().unwrap().push(call);
    let mut engine = TcpStream::connect(format!("127.0.0.1:{engine_port}"))?;
    engine.write_all(&request)?;
    std::io::copy(&mut engine, &mut client).map(drop)
}

/// A request that is complete.
fn parse(request: &[u8]) -> Option<Call> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let header = |wanted: &str| {
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let body = request.get(end + 4..end + 4 + length)?;
    let name = match header("x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap(),
        None => head.split(' ').nth(1).unwrap().split('?').next().unwrap(),
    };
    Some((name.to_owned(), serde_json::from_slice(body).unwrap_or_default()))
}
