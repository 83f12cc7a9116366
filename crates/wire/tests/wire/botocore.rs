//! What botocore serialises we read; what we write botocore parses.

use neargate_shape::{Protocol, scalar};
use neargate_testkit::needs::needs;
use neargate_wire::{Fault, Identified, Request, codec, identify};
use serde_json::{Value as Json, json};

use crate::arbitrary::{Limits, carries_empty, plain, value};
use crate::oracle::Oracle;
use crate::services;

const SEEDS: u64 = 4;

/// A request as the oracle gives it.
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn from_json(json: &Json) -> Self {
        let text = |key: &str| json[key].as_str().unwrap().to_owned();
        let pair = |pair: &Json| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned());
        Self {
            method: text("method"),
            path: text("path"),
            query: text("query"),
            headers: json["headers"].as_array().unwrap().iter().map(pair).collect(),
            body: scalar::base64_decode(&text("body")).unwrap(),
        }
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let Self { method, path, query, body, .. } = self;
        read(&Request { method, path, query, headers: &headers, body })
    }
}

#[needs(botocore)]
fn we_read_what_botocore_sends() {
    let mut oracle = Oracle::start();
    for service in services() {
        let Some(codec) = codec(service.protocol) else { continue };
        let empty = carries_empty(service.protocol);
        for operation in service.operations {
            for seed in 0..SEEDS {
                let limits = Limits { empty, milliseconds: false, in_header: false };
                let input = value((operation.input)(), limits, &mut fastrand::Rng::with_seed(seed));
                let ask = json!({"do": "serialize", "service": service.name, "operation": operation.name, "value": plain(&input)});
                let sent = Sent::from_json(&oracle.ask(&ask));
                let context = format!("{} {} seed {seed}", service.name, operation.name);
                let decoded = sent.with(|request| {
                    let identified = identify(&services(), request);
                    let Identified::Operation(_, found) = identified else { panic!("{context}: {identified:?}") };
                    assert!(std::ptr::eq(found, *operation), "{context}: {}", found.name);
                    codec.decode_request(found, request).unwrap_or_else(|error| panic!("{context}: {error}"))
                });
                assert_eq!(without_length(plain(&decoded.value)), without_length(plain(&input)), "{context}");
                assert!(decoded.unknown.is_empty(), "{context}: {:?}", decoded.unknown);
            }
        }
    }
}

/// `Content-Length` is HTTP's own: whoever sends a body says how long it is, whatever the member says.
fn without_length(mut input: Json) -> Json {
    if let Some(members) = input.as_object_mut() {
        members.remove("ContentLength");
    }
    input
}

#[needs(botocore)]
fn botocore_reads_what_we_answer() {
    let mut oracle = Oracle::start();
    for service in services() {
        let Some(codec) = codec(service.protocol) else { continue };
        // botocore's client puts this answer into another form before it parses it: `restxml` has it.
        let usual = service.operations.iter().filter(|operation| operation.name != "GetBucketLocation");
        for operation in usual {
            for seed in 0..SEEDS {
                let limits = Limits { empty: true, milliseconds: true, in_header: false };
                let output = value((operation.output)(), limits, &mut fastrand::Rng::with_seed(seed));
                let response = codec.encode_response(service, operation, &output, "request-1");
                let answer = oracle.ask(&json!({
                    "do": "parse", "service": service.name, "operation": operation.name, "status": response.status,
                    "headers": response.headers, "body": scalar::base64_encode(response.body.whole().unwrap()),
                }));
                let context = format!("{} {} seed {seed}", service.name, operation.name);
                assert_eq!(answer["value"], plain(&output), "{context}");
                // Where this protocol's operation has no output, botocore looks at no header.
                let is_seen = service.protocol != Protocol::RpcV2Cbor || !(operation.output)().members().is_empty();
                assert!(!is_seen || answer["request_id"] == "request-1", "{context}");
            }
        }
    }
}

#[needs(botocore)]
fn botocore_reads_our_errors() {
    let mut oracle = Oracle::start();
    for service in services() {
        let Some(codec) = codec(service.protocol) else { continue };
        let fault = Fault::sender("NoSuchThing", "no <thing> & nothing else");
        let response = codec.encode_error(service, &fault, "request-2");
        let answer = oracle.ask(&json!({
            "do": "parse", "service": service.name, "operation": service.operations[0].name, "status": response.status,
            "headers": response.headers, "body": scalar::base64_encode(response.body.whole().unwrap()),
        }));
        let error = &answer["value"]["Error"];
        assert_eq!(
            (error["Code"].as_str(), error["Message"].as_str()),
            (Some("NoSuchThing"), Some(fault.message.as_str())),
            "{answer}"
        );
        assert_eq!(answer["request_id"], "request-2", "{}", service.name);
    }
}
