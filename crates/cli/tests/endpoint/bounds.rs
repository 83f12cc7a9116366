//! What a connection can cost: memory, places, and the patience of others.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use neargate_testkit::needs::needs;
use neargate_wire::Request;

use crate::engine::{Engine, bytes, read, signed};

const MEBIBYTE: usize = 1 << 20;
/// The largest bodies: of the JSON and query protocols, and of the rest protocols.
const BODY_BYTES_MAX: usize = 8 * MEBIBYTE;
const REST_BYTES_MAX: usize = 16 * MEBIBYTE;
const TARGET: (&str, &str) = ("x-amz-target", "AmazonEC2ContainerServiceV20141113.CreateCluster");
const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A text of exactly so many bytes: `head`, many times `middle`, `tail`.
fn filled(length: usize, head: &str, middle: &str, tail: &str) -> Vec<u8> {
    let mut body = head.as_bytes().to_vec();
    while body.len() + middle.len() + tail.len() <= length {
        body.extend_from_slice(middle.as_bytes());
    }
    body.resize(length - tail.len(), middle.as_bytes()[0]);
    body.extend_from_slice(tail.as_bytes());
    body
}

fn signed_bytes(engine: &Engine, service: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    sent(engine, service, "POST", "/", headers, body)
}

fn sent(engine: &Engine, service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let host = engine.host();
    let mut headers = [&[("host", host.as_str())], headers].concat();
    let request = Request { method, path, query: "", headers: &headers, body };
    let signature = signed(&request, service);
    headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    bytes(method, path, &headers, body)
}

/// Requests that stop in the middle: of the head, after it, in the body.
fn half_open(engine: &Engine, count: usize) -> Vec<TcpStream> {
    let host = engine.host();
    let head = format!("POST / HTTP/1.1\r\nhost: {host}\r\nx-filler: {}", "a".repeat(48 << 10));
    let body = signed_bytes(engine, "ecs", &[JSON, TARGET], &vec![b' '; MEBIBYTE]);
    let starts: [&[u8]; 4] = [b"POST / HTTP/1.1\r\n", head.as_bytes(), &body[..2000], &body[..MEBIBYTE / 2]];
    let one = |start: &&[u8]| {
        let mut stream = engine.connect();
        stream.set_nonblocking(true).unwrap();
        // What the engine does not take in stays in the socket.
        let _ = stream.write(start);
        stream
    };
    starts.iter().cycle().take(count).map(one).collect()
}

#[needs()]
fn half_open_requests_and_large_bodies_cost_little_memory() {
    let engine = Engine::start(&[]);
    let (json, most, rest, all) = ([JSON, TARGET], BODY_BYTES_MAX, REST_BYTES_MAX, 32 * MEBIBYTE);
    let lambda = |body: &[u8]| sent(&engine, "lambda", "GET", "/2015-03-31/functions", &[], body);
    let kinds = [
        // What it takes as a value, and the answer.
        (signed_bytes(&engine, "ecs", &json, &filled(all, "{", " ", "}")), 413),
        (signed_bytes(&engine, "ecs", &json, &filled(most, r#"{"clusterName":""#, "a", r#""}"#)), 400),
        (signed_bytes(&engine, "ecs", &json, &filled(most, r#"{"tags":["#, "1,", "1]}")), 400),
        (signed_bytes(&engine, "ec2", &[FORM], &filled(most, "Action=CreateVpc&", "a&", "a")), 400),
        (signed_bytes(&engine, "ec2", &[FORM], &filled(most, "Action=CreateVpc&", "a.b.c.d.e.f.g.h=1&", "a")), 400),
        (lambda(&filled(rest, r#"{"Nobody":""#, "a", r#""}"#)), 200),
        (lambda(&filled(rest, r#"{"Nobody":["#, "{},", "1]}")), 400),
        (bytes("POST", "/", &[("host", &engine.host()), JSON, TARGET], &vec![b' '; all]), 400),
    ]
    .map(Arc::new);
    engine.status();
    engine.forget_peak();
    let idle = engine.memory("VmRSS");
    let half_open = half_open(&engine, 500);
    let large: Vec<_> = (0..40)
        .map(|index| {
            let (kind, mut stream) = (Arc::clone(&kinds[index % kinds.len()]), engine.connect());
            std::thread::spawn(move || {
                let _ = stream.write_all(&kind.0);
                (read(&mut stream).status, kind.1)
            })
        })
        .collect();
    for thread in large {
        let (status, expected) = thread.join().unwrap();
        // One that has waited long for its turn may be told to come again.
        assert!(status == expected || status == 503, "{status}, expected {expected}");
    }
    let above = engine.memory("VmHWM").saturating_sub(idle) >> 20;
    println!("{} MiB idle, at most {above} MiB above", idle >> 20);
    assert!(above <= 128, "{above} MiB above idle");
    drop(half_open);
    engine.status();
}

#[needs()]
fn who_opens_connections_and_says_nothing_keeps_nobody_out() {
    let engine = Engine::start_with_descriptors(256);
    let mut silent = vec![];
    for _ in 0..300 {
        silent.push(engine.connect());
    }
    for _ in 0..3 {
        let status = engine.status();
        let connections = status["endpoint"]["connections"].as_u64().unwrap();
        assert!(connections <= 65, "{connections} connections");
    }
    // Nor does it end the engine, whose own terminal is one of its clients.
    drop(silent);
    std::thread::sleep(std::time::Duration::from_millis(500));
    engine.status();
}

#[needs()]
fn a_head_is_bounded() {
    let engine = Engine::start(&[]);
    let host = engine.host();
    let long = "a".repeat(100 << 10);
    let answer = engine.send(&bytes("GET", "/_neargate/status", &[("host", &host), ("x-long", &long)], b""));
    assert_eq!(answer.status, 431, "{answer:?}");
    let many: Vec<_> = std::iter::repeat_n(("x-many", "1"), 200).chain([("host", host.as_str())]).collect();
    assert_eq!(engine.send(&bytes("GET", "/_neargate/status", &many, b"")).status, 431);
    let long = format!("/_neargate/status?{}", "a".repeat(100 << 10));
    let status = engine.send(&bytes("GET", &long, &[("host", &host)], b"")).status;
    assert!([414, 431].contains(&status), "{status}");
}

/// The answer comes though not a byte of the body does.
#[needs()]
fn who_is_not_signed_or_too_large_is_answered_before_the_body() {
    let engine = Engine::start(&[]);
    let host = engine.host();
    let claim =
        "AWS4-HMAC-SHA256 Credential=nobody/20261121/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=00";
    let now = signed_bytes(&engine, "ecs", &[JSON, TARGET], b"{}");
    let now = String::from_utf8(now).unwrap();
    let line = |name: &str| now.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
    let (date, authorization) = (line("x-amz-date"), line("authorization"));
    let stranger = authorization.replace("Credential=test/", "Credential=nobody/");
    let head = |length: usize, headers: &[(&str, &str)]| {
        let mut head = format!("POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n");
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        engine.send(format!("{head}\r\n").as_bytes())
    };
    let json = [JSON, TARGET];
    for (length, headers, status, text) in [
        (9, &[] as &[(&str, &str)], 403, "MissingAuthenticationToken"),
        (9, &[FORM], 403, "MissingAuthenticationToken"),
        (9, &json, 400, "MissingAuthenticationTokenException"),
        (9, &[JSON, TARGET, ("authorization", "Bearer x")], 400, "IncompleteSignatureException"),
        (9, &[JSON, TARGET, ("authorization", claim)], 400, "IncompleteSignatureException"),
        (
            9,
            &[JSON, TARGET, ("authorization", claim), ("x-amz-date", "20261121T100000Z")],
            400,
            "InvalidSignatureException",
        ),
        (9, &[JSON, TARGET, ("authorization", &stranger), ("x-amz-date", date)], 400, "UnrecognizedClientException"),
        (
            9,
            &[JSON, TARGET, ("authorization", authorization), ("x-amz-date", date), ("x-amz-content-sha256", "00")],
            400,
            "InvalidSignatureException",
        ),
        (
            BODY_BYTES_MAX + 1,
            &[JSON, TARGET, ("authorization", authorization), ("x-amz-date", date)],
            413,
            "RequestEntityTooLarge",
        ),
        (9, &[("x-amz-target", "Nobody_20200101.Nothing")], 403, "missing Authentication Token"),
    ] {
        let answer = head(length, headers);
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        assert!(answer.body.contains(text), "{headers:?}: {answer:?}");
    }
    let control = format!("POST /_neargate/clock HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n", 2 * MEBIBYTE);
    assert_eq!(engine.send(control.as_bytes()).status, 413);
}

/// A client that has sent a large body before it looks finds the answer, not a reset connection.
#[needs()]
fn who_is_refused_while_sending_can_read_why() {
    let engine = Engine::start(&[]);
    let host = engine.host();
    let answer = engine.send(&bytes("POST", "/", &[("host", &host), JSON, TARGET], &vec![b' '; BODY_BYTES_MAX]));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.body.contains("MissingAuthenticationTokenException"), "{answer:?}");
    let page = [("host", host.as_str()), JSON, TARGET, ("origin", "null")];
    let answer = engine.send(&bytes("POST", "/", &page, &vec![b' '; 4 * MEBIBYTE]));
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[needs()]
fn a_connection_carries_many_requests() {
    let engine = Engine::start(&[]);
    let request = String::from_utf8(signed_bytes(&engine, "ecs", &[JSON, TARGET], b"{}")).unwrap();
    let kept = request.replace("connection: close\r\n", "");
    let mut stream = engine.connect();
    stream.write_all(format!("{kept}{kept}{request}").as_bytes()).unwrap();
    let answers = read(&mut stream);
    let all = format!("{}{}", answers.head, answers.body);
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 3, "{all}");
}
