//! What botocore serialises we read; what we write botocore parses.

use neargate_shape::{Protocol, scalar};
use neargate_testkit::needs::needs;
use neargate_wire::{Fault, Identified, Request, codec, identify};
use serde_json::{Value as Json, json};

use crate::arbitrary::{Limits, plain, value};
use crate::oracle::Oracle;

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
    for service in neargate_api::ALL {
        let Some(codec) = codec(service.protocol) else { continue };
        let json = matches!(service.protocol, Protocol::AwsJson10 | Protocol::AwsJson11 | Protocol::RestJson);
        for operation in service.operations {
            for seed in 0..SEEDS {
                let limits = Limits { empty: json, milliseconds: false };
                let input = value((operation.input)(), limits, &mut fastrand::Rng::with_seed(seed));
                let ask = json!({"do": "serialize", "service": service.name, "operation": operation.name, "value": plain(&input)});
                let sent = Sent::from_json(&oracle.ask(&ask));
                let context = format!("{} {} seed {seed}", service.name, operation.name);
                let decoded = sent.with(|request| {
                    let identified = identify(neargate_api::ALL, request);
                    let Identified::Operation(_, found) = identified else { panic!("{context}: {identified:?}") };
                    assert!(std::ptr::eq(found, *operation), "{context}: {}", found.name);
                    codec.decode_request(found, request).unwrap_or_else(|error| panic!("{context}: {error}"))
                });
                assert_eq!(plain(&decoded.value), plain(&input), "{context}");
                assert!(decoded.unknown.is_empty(), "{context}: {:?}", decoded.unknown);
            }
        }
    }
}

#[needs(botocore)]
fn botocore_reads_what_we_answer() {
    let mut oracle = Oracle::start();
    for service in neargate_api::ALL {
        let Some(codec) = codec(service.protocol) else { continue };
        for operation in service.operations {
            for seed in 0..SEEDS {
                let limits = Limits { empty: true, milliseconds: true };
                let output = value((operation.output)(), limits, &mut fastrand::Rng::with_seed(seed));
                let response = codec.encode_response(service, operation, &output, "request-1");
                let answer = oracle.ask(&json!({
                    "do": "parse", "service": service.name, "operation": operation.name, "status": response.status,
                    "headers": response.headers, "body": scalar::base64_encode(&response.body),
                }));
                let context = format!("{} {} seed {seed}", service.name, operation.name);
                assert_eq!(answer["value"], plain(&output), "{context}");
                assert_eq!(answer["request_id"], "request-1", "{context}");
            }
        }
    }
}

#[needs(botocore)]
fn botocore_reads_our_errors() {
    let mut oracle = Oracle::start();
    for service in neargate_api::ALL {
        let Some(codec) = codec(service.protocol) else { continue };
        let fault = Fault::sender("NoSuchThing", "no <thing> & nothing else");
        let response = codec.encode_error(service, &fault, "request-2");
        let answer = oracle.ask(&json!({
            "do": "parse", "service": service.name, "operation": service.operations[0].name, "status": response.status,
            "headers": response.headers, "body": scalar::base64_encode(&response.body),
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
