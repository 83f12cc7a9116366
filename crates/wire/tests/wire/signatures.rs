//! Signature Version 4 against botocore's, and against requests that were tampered with.

use neargate_base::Timestamp;
use neargate_shape::{Protocol, scalar};
use neargate_testkit::needs::needs;
use neargate_wire::sigv4::{Credentials, SignatureError, Signing, open, presign, sign, verify};
use neargate_wire::{Request, parse_form};
use serde_json::json;

use crate::botocore::Sent;
use crate::oracle::Oracle;

const NOW: Timestamp = Timestamp(1_795_255_200_000);
const HOST: &str = "127.0.0.1:4566";

struct Case {
    service: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    token: Option<&'static str>,
    body: &'static str,
}

const CASES: &[Case] = &[
    Case { service: "ecs", method: "POST", path: "/", query: "", token: None, body: "{}" },
    Case {
        service: "sts",
        method: "POST",
        path: "/",
        query: "",
        token: Some("to/k+en=="),
        body: "Action=GetCallerIdentity",
    },
    Case {
        service: "lambda",
        method: "GET",
        path: "/2015-03-31/functions/a%3Ab%20c",
        query: "Qualifier=1",
        token: None,
        body: "",
    },
    Case {
        service: "lambda",
        method: "GET",
        path: "/a/./b//c/../d/",
        query: "b=2&a=3&empty=&none",
        token: None,
        body: "",
    },
    Case { service: "s3", method: "PUT", path: "/bucket/k%20e/./y//%C3%BC~%2B", query: "", token: None, body: "bytes" },
    Case {
        service: "s3",
        method: "GET",
        path: "/bucket",
        query: "list-type=2&prefix=a%2Fb%20c",
        token: Some("t"),
        body: "",
    },
];

fn credentials(case: &Case) -> Credentials {
    Credentials {
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: "wJalrXUtnFEMI/K7MDENG".to_owned(),
        session_token: case.token.map(str::to_owned),
    }
}

fn ask(case: &Case, form: &str) -> serde_json::Value {
    let Case { service, method, path, query, token, body } = case;
    let credentials = credentials(case);
    json!({
        "do": "sign", "form": form, "service": service, "region": "eu-west-1", "method": method, "host": HOST, "path": path,
        "query": query, "headers": [["X-Custom", "  two   words "], ["Content-Type", "text/plain"]], "token": token,
        "body": scalar::base64_encode(body.as_bytes()), "now": NOW.millis() / 1000,
        "access_key": credentials.access_key, "secret_key": credentials.secret_key,
    })
}

fn check(sent: &Sent, secret: &str, now: Timestamp) -> Result<String, SignatureError> {
    sent.with(|request| {
        let mut headers = request.headers.to_vec();
        if request.header("host").is_none() {
            headers.push(("host", HOST));
        }
        let request = Request { headers: &headers, ..*request };
        let verified = verify(&request, Some(now), &|_| Some(secret.to_owned()))?;
        Ok(format!("{} {}", verified.claim.region, verified.claim.service))
    })
}

#[needs(botocore)]
fn botocores_signatures_hold_and_tampering_breaks_them() {
    let mut oracle = Oracle::start();
    for case in CASES {
        // botocore presigns nothing with a body but forms, whose members it moves into the query string.
        let forms: &[&str] = if case.body.is_empty() { &["header", "query"] } else { &["header"] };
        for form in forms {
            let sent = Sent::from_json(&oracle.ask(&ask(case, form)));
            let secret = credentials(case).secret_key;
            let context = format!("{} {} {form}", case.service, case.path);
            assert_eq!(check(&sent, &secret, NOW), Ok(format!("eu-west-1 {}", case.service)), "{context}");
            assert_eq!(check(&sent, "another", NOW), Err(SignatureError::Differs), "{context}");
            assert!(
                matches!(check(&sent, &secret, NOW.plus_ms(7_200_000)), Err(SignatureError::Expired(_))),
                "{context}"
            );
            let early = check(&sent, &secret, NOW.plus_ms(-600_000));
            let wanted = "20261121T100000Z is still later than 20261121T095500Z (20261121T095000Z + 5 min.)";
            assert_eq!(early, Err(SignatureError::NotYetCurrent(wanted.to_owned())), "{context}");
            let other = Sent { method: "DELETE".to_owned(), ..sent };
            assert_eq!(check(&other, &secret, NOW), Err(SignatureError::Differs), "{context}");
            let other = Sent { path: format!("{}x", case.path), method: case.method.to_owned(), ..other };
            assert_eq!(check(&other, &secret, NOW), Err(SignatureError::Differs), "{context}");
        }
    }
}

#[needs(botocore)]
fn our_signatures_equal_botocores() {
    let mut oracle = Oracle::start();
    for case in CASES {
        let credentials = credentials(case);
        let signing = Signing { credentials: &credentials, region: "eu-west-1", service: case.service, now: NOW };
        let headers = [("host", HOST), ("X-Custom", "  two   words "), ("Content-Type", "text/plain")];
        let Case { method, path, query, body, .. } = case;
        let request = Request { method, path, query, headers: &headers, body: body.as_bytes() };
        let theirs = Sent::from_json(&oracle.ask(&ask(case, "header")));
        let ours = sign(&request, &signing);
        let (_, wanted) = theirs.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        assert_eq!(&ours.last().unwrap().1, wanted, "{} {path}", case.service);
        if body.is_empty() {
            let theirs = Sent::from_json(&oracle.ask(&ask(case, "query")));
            let ours = presign(&request, &signing, 3600);
            assert_eq!(sorted(&ours), sorted(&theirs.query), "{} {path}", case.service);
        }
    }
}

fn sorted(query: &str) -> Vec<(String, String)> {
    let mut pairs = parse_form(query.as_bytes());
    pairs.sort();
    pairs
}

#[needs()]
fn our_signatures_hold_and_tampering_breaks_them() {
    for case in CASES {
        let credentials = credentials(case);
        let signing = Signing { credentials: &credentials, region: "eu-west-1", service: case.service, now: NOW };
        let Case { method, path, query, body, .. } = case;
        let request = Request { method, path, query, headers: &[("host", HOST)], body: body.as_bytes() };
        let added = sign(&request, &signing);
        let mut headers = vec![("Host", HOST)];
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
        let secret = |_: &_| Some(credentials.secret_key.clone());
        let signed = Request { headers: &headers, ..request };
        assert!(verify(&signed, Some(NOW), &secret).is_ok(), "{path}");
        assert!(verify(&signed, None, &secret).is_ok(), "{path}");
        assert!(verify(&Request { body: b"other", ..signed }, Some(NOW), &secret).is_err(), "{path}");
        assert!(verify(&Request { query: "other=1", ..signed }, Some(NOW), &secret).is_err(), "{path}");
        let query = presign(&request, &signing, 60);
        let presigned = Request { query: &query, ..request };
        assert!(verify(&presigned, Some(NOW.plus_ms(60_000)), &secret).is_ok(), "{path}");
        assert!(verify(&presigned, Some(NOW.plus_ms(60_001)), &secret).is_err(), "{path}");
    }
}

/// S3's clients say the payload's hash in a header: a wrong signature needs no body to be seen. The others' need one.
#[needs()]
fn a_signature_is_refused_before_the_body_where_the_head_says_enough() {
    for (service, is_told_by_head) in [("s3", true), ("ecs", false)] {
        let credentials =
            Credentials { access_key: "test".to_owned(), secret_key: "right".to_owned(), session_token: None };
        let signing = Signing { credentials: &credentials, region: "eu-west-1", service, now: NOW };
        let request = Request { method: "PUT", path: "/a/b", query: "", headers: &[("host", HOST)], body: b"body" };
        let added = sign(&request, &signing);
        let headers: Vec<_> =
            request.headers.iter().copied().chain(added.iter().map(|(name, text)| (*name, text.as_str()))).collect();
        let signed = Request { headers: &headers, ..request };
        let head = Request { body: b"", ..signed };
        let with = |secret: &'static str| open(&head, Some(NOW), &move |_| Some(secret.to_owned()));
        assert!(with("right").unwrap().close(&signed).is_ok(), "{service}");
        let other = if is_told_by_head { SignatureError::PayloadDiffers } else { SignatureError::Differs };
        assert_eq!(with("right").unwrap().close(&Request { body: b"other", ..signed }), Err(other), "{service}");
        match with("wrong") {
            Err(error) => assert!(is_told_by_head && error == SignatureError::Differs, "{service}"),
            Ok(opened) => {
                assert!(!is_told_by_head, "{service}");
                assert_eq!(opened.close(&signed), Err(SignatureError::Differs));
            }
        }
        assert!(matches!(open(&head, Some(NOW), &|_| None), Err(SignatureError::UnknownKey)));
    }
}

#[needs()]
fn each_protocol_refuses_a_signature_in_its_own_way() {
    let fault = |error: &SignatureError, protocol| {
        let fault = error.fault(protocol);
        format!("{} {}", fault.status, fault.code)
    };
    let expired = SignatureError::Expired("x".to_owned());
    assert_eq!(fault(&SignatureError::Differs, Protocol::AwsJson11), "400 InvalidSignatureException");
    assert_eq!(fault(&SignatureError::Differs, Protocol::Query), "403 SignatureDoesNotMatch");
    assert_eq!(fault(&SignatureError::Differs, Protocol::Ec2), "401 AuthFailure");
    assert_eq!(fault(&SignatureError::UnknownKey, Protocol::AwsJson10), "400 UnrecognizedClientException");
    assert_eq!(fault(&SignatureError::UnknownKey, Protocol::Query), "403 InvalidClientTokenId");
    assert_eq!(fault(&SignatureError::Missing, Protocol::Query), "403 MissingAuthenticationToken");
    assert_eq!(fault(&expired, Protocol::Ec2), "400 RequestExpired");
    assert_eq!(expired.fault(Protocol::Query).message, "Signature expired: x");
    let wrong = SignatureError::WrongService("ecs".to_owned());
    assert_eq!(wrong.fault(Protocol::AwsJson11).message, "Credential should be scoped to correct service: 'ecs'. ");
    assert_eq!(fault(&wrong, Protocol::AwsJson11), "400 InvalidSignatureException");
    assert_eq!(fault(&wrong, Protocol::RestJson), "403 InvalidSignatureException");
    assert_eq!(fault(&wrong, Protocol::Query), "403 SignatureDoesNotMatch");
    assert_eq!(fault(&wrong, Protocol::Ec2), "401 AuthFailure");
}

#[needs()]
fn what_is_no_signature_is_told_apart_from_a_wrong_one() {
    let secret = |_: &_| None;
    let with = |headers: &[(&str, &str)]| {
        verify(&Request { method: "POST", path: "/", query: "", headers, body: b"" }, Some(NOW), &secret).unwrap_err()
    };
    assert_eq!(with(&[]), SignatureError::Missing);
    assert!(matches!(with(&[("authorization", "Bearer x")]), SignatureError::Incomplete(_)));
    let scope = "AWS4-HMAC-SHA256 Credential=AK/20261121/r/s/aws4_request, SignedHeaders=host, Signature=00";
    assert!(matches!(with(&[("authorization", scope)]), SignatureError::Incomplete(_)));
    assert_eq!(with(&[("authorization", scope), ("x-amz-date", "20261121T100000Z")]), SignatureError::UnknownKey);
}
