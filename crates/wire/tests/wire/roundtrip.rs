//! decode(encode(x)) = x, for every codec, both ways.

use neargate_shape::ServiceShape;
use neargate_testkit::needs::needs;
use neargate_wire::{Answer, Codec, Fault, Outgoing, Request, Response, codec};

use crate::arbitrary::{Limits, carries_empty, plain, value};
use crate::services;

const SEEDS: u64 = 12;

fn each(check: impl Fn(&'static ServiceShape, &'static dyn Codec, Limits)) {
    for service in services() {
        let Some(codec) = codec(service.protocol) else { continue };
        check(service, codec, Limits { empty: carries_empty(service.protocol), milliseconds: true, in_header: false });
    }
}

pub(crate) fn incoming<'a>(outgoing: &'a Outgoing, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: outgoing.method, path: &outgoing.path, query: &outgoing.query, headers, body: &outgoing.body }
}

pub(crate) fn answered(response: &Response) -> Vec<(&str, &str)> {
    response.headers.iter().map(|(name, text)| (name.as_ref(), text.as_str())).collect()
}

#[needs()]
fn requests_survive() {
    each(|service, codec, limits| {
        for operation in service.operations {
            for seed in 0..SEEDS {
                let input = value((operation.input)(), limits, &mut fastrand::Rng::with_seed(seed));
                let outgoing = codec.encode_request(service, operation, &input);
                let headers: Vec<_> =
                    outgoing.headers.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
                let decoded = codec.decode_request(operation, &incoming(&outgoing, &headers)).unwrap();
                assert_eq!(plain(&decoded.value), plain(&input), "{} {} seed {seed}", service.name, operation.name);
                assert!(decoded.unknown.is_empty(), "{} {} {:?}", service.name, operation.name, decoded.unknown);
            }
        }
    });
}

#[needs()]
fn responses_survive() {
    each(|service, codec, limits| {
        let limits = Limits { empty: true, ..limits };
        for operation in service.operations {
            for seed in 0..SEEDS {
                let output = value((operation.output)(), limits, &mut fastrand::Rng::with_seed(seed));
                let response = codec.encode_response(service, operation, &output, "id");
                let headers = answered(&response);
                let answer =
                    Answer { status: response.status, headers: &headers, body: response.body.whole().unwrap() };
                let decoded = codec.decode_response(operation, &answer).unwrap();
                assert_eq!(plain(&decoded), plain(&output), "{} {} seed {seed}", service.name, operation.name);
            }
        }
    });
}

#[needs()]
fn errors_survive() {
    each(|service, codec, _| {
        let fault = Fault::sender("SomeCode", "a <message> & more").with_status(404);
        let response = codec.encode_error(service, &fault, "id");
        let headers = answered(&response);
        let answer = Answer { status: response.status, headers: &headers, body: response.body.whole().unwrap() };
        assert_eq!(codec.decode_error(&answer), fault, "{}", service.name);
    });
}
