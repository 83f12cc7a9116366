//! Whatever comes in, nothing panics; and every shape is one we can handle.

use neargate_testkit::needs::needs;
use std::collections::BTreeSet;

use neargate_shape::{Kind, Protocol, Shape, supports_pattern, validate};
use neargate_wire::{Request, codec, identify, sigv4};

use crate::arbitrary::{Limits, value};
use crate::roundtrip::incoming;
use crate::services;

/// A mutated request is refused or read; what is read fits its shape well enough to be validated.
#[needs()]
fn mutated_requests_never_panic() {
    let mut read = 0;
    for service in services() {
        let Some(codec) = codec(service.protocol) else { continue };
        for (index, operation) in service.operations.iter().enumerate() {
            let random = &mut fastrand::Rng::with_seed(index as u64);
            let limits = Limits { empty: true, milliseconds: true, in_header: false };
            let mut outgoing = codec.encode_request(service, operation, &value((operation.input)(), limits, random));
            for _ in 0..30 {
                mutate(&mut outgoing.body, random);
                let request = incoming(&outgoing, &[]);
                match codec.decode_request(operation, &request) {
                    Ok(decoded) => {
                        read += 1;
                        validate((operation.input)(), &decoded.value);
                    }
                    Err(error) => assert_eq!(codec.refusal(&error).status, 400),
                }
                identify(&services(), &request);
            }
        }
    }
    assert!(read > 100, "only {read} of the mutated requests could be read");
}

fn mutate(body: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let at = random.usize(0..=body.len());
    match random.u8(0..3) {
        0 => body.insert(at, *random.choice(b"\"{}[]:,.%&=+1-e\\x\xff<>/\xa1\x9f\x5b").unwrap()),
        1 if at < body.len() => {
            body.remove(at);
        }
        _ if at < body.len() => body[at] = random.u8(..),
        _ => {}
    }
}

#[needs()]
fn deep_requests_are_refused_before_anything_recurses() {
    let deep = "a.".repeat(200_000);
    let form = format!("Action=DescribeVpcs&Version=2016-11-15&{deep}=1");
    let json = "{\"a\":".repeat(200_000);
    let xml = "<a>".repeat(200_000);
    for service in services() {
        let Some(codec) = codec(service.protocol) else { continue };
        for body in [&form, &json, &xml] {
            let request = Request { method: "POST", path: "/", query: "", headers: &[], body: body.as_bytes() };
            identify(&services(), &request);
            let decoded = codec.decode_request(service.operations[0], &request);
            let ignored = !body.starts_with('A') || matches!(service.protocol, Protocol::S3 | Protocol::RestXml);
            assert!(decoded.is_err() || ignored, "{}", service.name);
        }
    }
}

#[needs()]
fn malformed_authorization_is_no_claim() {
    for header in [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/20261121/r/s/aws4, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/20261121/r/s/aws4_request, Signature=x",
        "Basic dTpw",
    ] {
        let headers = [("authorization", header)];
        let request = Request { method: "POST", path: "/", query: "", headers: &headers, body: b"" };
        assert_eq!(sigv4::claim(&request), None, "{header}");
    }
}

#[needs()]
fn every_pattern_of_the_models_can_be_checked() {
    let mut seen = BTreeSet::new();
    for operation in services().iter().flat_map(|service| service.operations) {
        visit((operation.input)(), &mut seen);
        visit((operation.output)(), &mut seen);
    }
    assert!(seen.len() > 500);
}

fn visit(shape: &'static Shape, seen: &mut BTreeSet<*const Shape>) {
    if !seen.insert(std::ptr::from_ref(shape)) {
        return;
    }
    let pattern = shape.constraints.pattern;
    assert!(pattern.is_empty() || supports_pattern(pattern), "{}: `{pattern}`", shape.name);
    match shape.kind {
        Kind::List { member, .. } => visit(member.get(), seen),
        Kind::Map { key, value, .. } => {
            visit(key.get(), seen);
            visit(value.get(), seen);
        }
        Kind::Structure { members } => members.iter().for_each(|member| visit(member.shape.get(), seen)),
        _ => {}
    }
}
