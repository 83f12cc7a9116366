//! Calls of a test to an engine's AWS endpoint: what the command line itself never shows, such as the value of a secret.

use std::io::{Read, Write};
use std::net::TcpStream;

use neargate_shape::{ServiceShape, from_json, to_json};
use neargate_wire::sigv4::{Credentials, Signing, sign};
use neargate_wire::{Answer, Request, codec};
use serde_json::Value as Json;

/// Calls an operation as the default account's root; an error is AWS's code and text.
pub(crate) fn call(
    port: &str,
    region: &str,
    service: &'static ServiceShape,
    name: &str,
    input: Json,
) -> Result<Json, String> {
    let operation = service.operation(name).unwrap();
    let codec = codec(service.protocol).unwrap();
    let input = from_json((operation.input)(), input, &mut vec![]).unwrap();
    let outgoing = codec.encode_request(service, operation, &input);
    let host = format!("127.0.0.1:{port}");
    let headers = outgoing.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers.chain([("host", host.as_str())]).collect();
    let (method, path, query, body) = (outgoing.method, &outgoing.path, &outgoing.query, &outgoing.body);
    let request = Request { method, path, query, headers: &headers, body };
    let credentials = Credentials { access_key: "test".into(), secret_key: "test".into(), session_token: None };
    let signing =
        Signing { credentials: &credentials, region, service: service.signing_name, now: neargate_engine::now() };
    let signature = sign(&request, &signing);
    let signature = signature.iter().map(|(name, value)| (*name, value.as_str()));
    let mut head = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    for (name, value) in headers.iter().copied().chain(signature) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let (status, body) = exchange(&host, &head, body);
    let answer = Answer { status, headers: &[], body: &body };
    if status != 200 {
        let fault = codec.decode_error(&answer);
        return Err(format!("{}: {}", fault.code, fault.message));
    }
    Ok(to_json(&codec.decode_response(operation, &answer).unwrap()))
}

/// What the control endpoint answers.
pub(crate) fn control(port: &str, call: &str) -> Json {
    let host = format!("127.0.0.1:{port}");
    let head = format!("GET /_neargate/{call} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    let (status, body) = exchange(&host, &head, b"");
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

/// What the control endpoint answers to a body: status and text.
pub(crate) fn tell(port: &str, call: &str, body: &Json) -> (u16, String) {
    let (host, body) = (format!("127.0.0.1:{port}"), body.to_string());
    let head = format!(
        "POST /_neargate/{call} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nx-neargate-client: test\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    let (status, answer) = exchange(&host, &head, body.as_bytes());
    (status, String::from_utf8(answer).unwrap())
}

fn exchange(host: &str, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat()).unwrap();
    let mut answer = vec![];
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_off(end + 4))
}
