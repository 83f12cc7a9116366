//! Signatures for another service than the called one, refused in each protocol's words and in both forms.

use neargate_testkit::needs::needs;
use neargate_wire::Request;

use crate::engine::{Answer, Engine, bytes, presigned, signed};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const LIST_ROLES: &str = "Action=ListRoles&Version=2010-05-08";

/// A call, and how it is refused when it is signed for another service.
struct Case {
    called: &'static str,
    headers: &'static [(&'static str, &'static str)],
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: &'static str,
    refused: (u16, &'static str),
}

fn cases() -> Vec<Case> {
    let target = &[JSON, ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters")];
    let of = |called, headers, method, path, query, body, refused| Case {
        called,
        headers,
        method,
        path,
        query,
        body,
        refused,
    };
    vec![
        of("ecs", target, "POST", "/", "", "{}", (400, "InvalidSignatureException")),
        of("iam", &[FORM], "POST", "/", "", LIST_ROLES, (403, "SignatureDoesNotMatch")),
        of("iam", &[], "GET", "/", LIST_ROLES, "", (403, "SignatureDoesNotMatch")),
        of("ec2", &[FORM], "POST", "/", "", "Action=DescribeVpcs&Version=2016-11-15", (401, "AuthFailure")),
        of("lambda", &[], "GET", "/2015-03-31/functions", "", "", (403, "InvalidSignatureException")),
    ]
}

fn send(engine: &Engine, case: &Case, service: &str, is_presigned: bool) -> Answer {
    let host = engine.host();
    let mut headers = [&[("host", host.as_str())], case.headers].concat();
    let Case { method, path, query, body, .. } = *case;
    let request = Request { method, path, query, headers: &headers, body: body.as_bytes() };
    if is_presigned {
        let target = format!("{path}?{}", presigned(&request, service));
        return engine.send(&bytes(method, &target, &headers, body.as_bytes()));
    }
    let signature = signed(&request, service);
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    engine.send(&bytes(method, &target, &headers, body.as_bytes()))
}

#[needs()]
fn a_signature_is_for_the_called_service() {
    let engine = Engine::start(&[]);
    for case in cases() {
        for is_presigned in [false, true] {
            let what = format!("{} {} presigned {is_presigned}", case.called, case.method);
            let answer = send(&engine, &case, case.called, is_presigned);
            assert_eq!(answer.status, 200, "{what}: {answer:?}");
            for other in ["sts", "kms", "no-service"] {
                let answer = send(&engine, &case, other, is_presigned);
                let (status, code) = case.refused;
                assert_eq!(answer.status, status, "{what} for {other}: {answer:?}");
                let text = format!("Credential should be scoped to correct service: '{}'. ", case.called);
                let is_said = answer.body.contains(&text) || answer.body.contains(&text.replace('\'', "&apos;"));
                assert!(is_said, "{what} for {other}: {answer:?}");
                assert!(format!("{}{}", answer.head, answer.body).contains(code), "{what} for {other}: {answer:?}");
            }
        }
    }
}
