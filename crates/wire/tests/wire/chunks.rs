//! Bodies in chunks: AWS's published examples, what botocore frames and signs, and what was tampered with.

use neargate_base::Timestamp;
use neargate_shape::scalar;
use neargate_testkit::needs::needs;
use neargate_wire::sigv4::{BodyError, Credentials, SignatureError, Signing, open, presign, sign_payload};
use neargate_wire::{Checksum, ChecksumAlgorithm, Request};
use serde_json::json;

use crate::botocore::Sent;
use crate::oracle::Oracle;

const NOW: Timestamp = Timestamp(1_795_255_200_000);
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

#[derive(Debug, PartialEq)]
enum Failure {
    Head(SignatureError),
    Body(BodyError),
}

type Read = (Vec<u8>, Vec<(ChecksumAlgorithm, String)>);

/// Reads a request's body in pieces of one length.
fn read(request: &Request<'_>, now: Timestamp, piece: usize) -> Result<Read, Failure> {
    let opened = open(request, Some(now), &|_| Some(SECRET.to_owned())).map_err(Failure::Head)?;
    let mut reader = opened.body(request).unwrap().map_err(Failure::Body)?;
    let mut body = Vec::new();
    for mut input in request.body.chunks(piece) {
        while let Some(bytes) = reader.next(&mut input).map_err(Failure::Body)? {
            body.extend_from_slice(bytes);
        }
    }
    Ok((body, reader.finish().map_err(Failure::Body)?))
}

/// Of AWS's documentation: 65 KiB of `a`, in chunks of 64 KiB.
fn example(more: &[(&'static str, &'static str)], signed: &str, signature: &str) -> Vec<(&'static str, String)> {
    let credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature={signature}");
    let mut headers = vec![
        ("host", "s3.amazonaws.com".to_owned()),
        ("x-amz-date", "20130524T000000Z".to_owned()),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY".to_owned()),
        ("content-encoding", "aws-chunked".to_owned()),
        ("x-amz-decoded-content-length", "66560".to_owned()),
        ("authorization", authorization),
    ];
    headers.extend(more.iter().map(|(name, text)| (*name, (*text).to_owned())));
    headers
}

fn framed(signatures: [&str; 3]) -> Vec<u8> {
    let mut body = Vec::new();
    for (length, signature) in [65536, 1024, 0].into_iter().zip(signatures) {
        body.extend(format!("{length:x};chunk-signature={signature}\r\n").bytes());
        body.extend(vec![b'a'; length]);
        if length > 0 {
            body.extend(b"\r\n");
        }
    }
    body
}

#[needs()]
fn awss_examples_hold() {
    let now = "2013-05-24T00:00:00Z".parse().unwrap();
    let headers = example(
        &[("x-amz-content-sha256", SIGNED), ("content-length", "66824")],
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    let mut body = framed([
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]);
    body.extend(b"\r\n");
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let path = "/examplebucket/chunkObject.txt";
    let request = Request { method: "PUT", path, query: "", headers: &headers, body: &body };
    assert_eq!(body.len(), 66824);
    assert_eq!(read(&request, now, 1000), Ok((vec![b'a'; 66560], vec![])));

    let headers = example(
        &[("x-amz-content-sha256", SIGNED_TRAILER), ("x-amz-trailer", "x-amz-checksum-crc32c")],
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    );
    let mut body = framed([
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ]);
    body.extend(b"x-amz-checksum-crc32c:sOO8/Q==\n");
    body.extend(b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n");
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let request = Request { headers: &headers, body: &body, ..request };
    let checksums = vec![(ChecksumAlgorithm::Crc32c, "sOO8/Q==".to_owned())];
    assert_eq!(read(&request, now, 7), Ok((vec![b'a'; 66560], checksums)));
}

struct Case {
    said: &'static str,
    trailer: Option<ChecksumAlgorithm>,
    length: usize,
    chunk: usize,
}

fn cases() -> Vec<Case> {
    let trailers = [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Sha1, ChecksumAlgorithm::Sha256];
    let mut cases = Vec::new();
    for (length, chunk) in [(0, 64), (1, 64), (64, 64), (65, 64), (1000, 300), (5000, 4096)] {
        cases.push(Case { said: SIGNED, trailer: None, length, chunk });
        for trailer in trailers {
            cases.push(Case { said: SIGNED_TRAILER, trailer: Some(trailer), length, chunk });
            cases.push(Case { said: UNSIGNED_TRAILER, trailer: Some(trailer), length, chunk });
        }
    }
    cases
}

fn body(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(length as u64);
    (0..length).map(|_| random.u8(..)).collect()
}

fn send(oracle: &mut Oracle, case: &Case) -> Sent {
    Sent::from_json(&oracle.ask(&json!({
        "do": "chunked", "said": case.said, "trailer": case.trailer.map(ChecksumAlgorithm::header), "chunk": case.chunk,
        "body": scalar::base64_encode(&body(case.length)), "host": "127.0.0.1:4566", "now": NOW.millis() / 1000,
        "access_key": "AKIDEXAMPLE", "secret_key": SECRET,
    })))
}

#[needs(botocore)]
fn what_botocore_frames_and_signs_is_read_in_any_pieces() {
    let mut oracle = Oracle::start();
    for case in cases() {
        let sent = send(&mut oracle, &case);
        let context = format!("{} {:?} {} by {}", case.said, case.trailer, case.length, case.chunk);
        let expected = case.trailer.into_iter().map(|algorithm| {
            let mut checksum = Checksum::new(algorithm);
            checksum.update(&body(case.length));
            (algorithm, checksum.finish())
        });
        let expected = expected.collect::<Vec<_>>();
        for piece in [1, 2, 7, 100, 1_000_000] {
            let (found, checksums) =
                sent.with(|request| read(request, NOW, piece)).unwrap_or_else(|e| panic!("{context}: {e:?}"));
            assert_eq!((found, &checksums), (body(case.length), &expected), "{context} piece {piece}");
        }
        // Read as a whole, the same is checked.
        let whole = sent.with(|request| open(request, Some(NOW), &|_| Some(SECRET.to_owned())).unwrap().close(request));
        assert!(whole.is_ok(), "{context}");
    }
}

/// Whatever byte is changed, lost or added: the body is refused, or it is the same body.
#[needs(botocore)]
fn a_body_that_was_tampered_with_is_never_read_as_another() {
    let mut oracle = Oracle::start();
    let mut refused = 0;
    for case in cases().into_iter().filter(|case| case.length <= 1000) {
        let sent = send(&mut oracle, &case);
        let mut random = fastrand::Rng::with_seed(case.length as u64);
        for _ in 0..200 {
            let mut bad = Sent { body: sent.body.clone(), ..clone(&sent) };
            let at = random.usize(..bad.body.len());
            match random.u8(..4) {
                0 => drop(bad.body.remove(at)),
                1 => bad.body.insert(at, *random.choice(b"0f\r\n;:= ").unwrap()),
                2 => bad.body.truncate(at),
                _ => bad.body[at] ^= 1 << random.u8(..8),
            }
            match bad.with(|request| read(request, NOW, 50)) {
                Ok((found, _)) => assert_eq!(found, body(case.length), "{} at {at}", case.said),
                Err(Failure::Body(error)) => {
                    refused += 1;
                    assert!((400..412).contains(&error.fault().status), "{error}");
                }
                Err(Failure::Head(error)) => panic!("{error:?}"),
            }
        }
    }
    assert!(refused > 3000, "only {refused} were refused");
}

fn clone(sent: &Sent) -> Sent {
    let Sent { method, path, query, headers, body } = sent;
    Sent {
        method: method.clone(),
        path: path.clone(),
        query: query.clone(),
        headers: headers.clone(),
        body: body.clone(),
    }
}

fn signing(credentials: &Credentials) -> Signing<'_> {
    Signing { credentials, region: "eu-west-1", service: "s3", now: NOW }
}

fn credentials() -> Credentials {
    Credentials { access_key: "AKIDEXAMPLE".to_owned(), secret_key: SECRET.to_owned(), session_token: None }
}

/// A presigned request, whose payload is not signed.
fn unsigned(more: &[(&str, &str)], body: &[u8]) -> Result<Read, Failure> {
    let mut headers = vec![("host", "127.0.0.1")];
    headers.extend_from_slice(more);
    let request = Request { method: "PUT", path: "/b/k", query: "", headers: &headers, body: b"" };
    let query = presign(&request, &signing(&credentials()), 60);
    read(&Request { query: &query, body, ..request }, NOW, 5)
}

#[needs()]
fn what_the_head_says_of_the_body_is_checked() {
    let checksum = |algorithm, body: &[u8]| {
        let mut checksum = Checksum::new(algorithm);
        checksum.update(body);
        checksum.finish()
    };
    for algorithm in neargate_wire::CHECKSUM_ALGORITHMS {
        let said = checksum(algorithm, b"body");
        let read = unsigned(&[(algorithm.header(), &said)], b"body").unwrap();
        assert_eq!(read, (b"body".to_vec(), vec![(algorithm, said.clone())]));
        let error = unsigned(&[(algorithm.header(), &said)], b"other").unwrap_err();
        assert_eq!(error, Failure::Body(BodyError::ChecksumDiffers(algorithm)));
    }
    assert_eq!(BodyError::ChecksumDiffers(ChecksumAlgorithm::Crc32).fault().code, "BadDigest");
    assert_eq!(unsigned(&[], b"anything"), Ok((b"anything".to_vec(), vec![])));
    assert_eq!(unsigned(&[], b""), Ok((vec![], vec![])));
}

#[needs()]
fn a_framing_that_is_not_as_it_should_be_is_told() {
    let crc = {
        let mut checksum = Checksum::new(ChecksumAlgorithm::Crc32);
        checksum.update(b"body");
        checksum.finish()
    };
    let name = "x-amz-checksum-crc32";
    let good = format!("4\r\nbody\r\n0\r\n{name}:{crc}\r\n\r\n");
    let with = |length: &str, trailer: &str, body: &str| {
        // Signed with the header, as `presign` does not say what the payload is.
        let headers = [("x-amz-decoded-content-length", length), ("x-amz-trailer", trailer)];
        let all: Vec<_> = headers.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        match framed_put(&all, body.as_bytes()) {
            Ok((bytes, _)) => String::from_utf8(bytes).unwrap(),
            Err(Failure::Body(error)) => error.to_string(),
            Err(other) => format!("{other:?}"),
        }
    };
    assert_eq!(with("4", name, &good), "body");
    assert_eq!(with("4", "X-AMZ-Checksum-CRC32", &good), "body");
    let length = "the body has another length than its head says";
    let trailers = "the trailers are not those that the head announces";
    for (said, trailer, body, expected) in [
        ("", name, good.as_str(), "`x-amz-decoded-content-length` is missing or no number"),
        ("4x", name, &good, "`x-amz-decoded-content-length` is missing or no number"),
        ("3", name, &good, length),
        ("5", name, &good, length),
        ("4", "", &good, trailers),
        ("4", "x-amz-checksum-sha1", &good, trailers),
        ("4", name, "4\r\nbody\r\n0\r\n\r\n", trailers),
        ("4", name, "4\r\nbody\r\n0\r\nnonsense\r\n\r\n", trailers),
        ("4", name, "4\r\nbody\r\n0\r\n", length),
        ("4", name, "4\r\nbody\r\n", length),
        ("4", name, "4\r\nbo", length),
        ("4", name, "", length),
        ("4", name, "3\r\nbody\r\n0\r\n\r\n", "a chunk is longer than it says"),
        ("4", name, "\r\nbody\r\n0\r\n\r\n", "a chunk without a length"),
        ("4", name, "+4\r\nbody\r\n0\r\n\r\n", "a chunk without a length"),
        ("4", name, "11111111111111111\r\nbody", "a chunk without a length"),
        ("4", name, &"1".repeat(5000), "a line without an end"),
        ("4", name, &format!("{good}x"), "bytes follow the last chunk"),
        ("4", name, &good.replace("body", "BODY"), "the body has another CRC32"),
        ("4", name, &format!("4\r\nbody\r\n0\r\n{}\r\n", "a:b\r\n".repeat(100)), trailers),
    ] {
        assert_eq!(with(said, trailer, body), expected, "{body:.40}");
    }
}

fn framed_put(more: &[(&str, &str)], body: &[u8]) -> Result<Read, Failure> {
    let mut headers = more.to_vec();
    headers.push(("host", "127.0.0.1"));
    let request = Request { method: "PUT", path: "/b/k", query: "", headers: &headers, body: b"" };
    let added = sign_payload(&request, &signing(&credentials()), UNSIGNED_TRAILER);
    let all: Vec<_> = headers.iter().copied().chain(added.iter().map(|(name, text)| (*name, text.as_str()))).collect();
    read(&Request { headers: &all, body, ..request }, NOW, 3)
}
