//! What a browser wants to hear before a page of another origin may call, and see the answer.
//!
//! Invariant: said to pages of origins that were allowed by name, and to nobody else.

use hyper::Method;
use hyper::http::request::Parts;
use neargate_wire::{Body, Response};

const SHOWN: &str = "x-amzn-requestid, x-amzn-errortype, x-neargate-hint, x-neargate-not-simulated";

/// The answer to a browser that asks whether the page may call.
pub(super) fn preflight(head: &Parts) -> Option<Response> {
    if head.method != Method::OPTIONS || !head.headers.contains_key("access-control-request-method") {
        return None;
    }
    let asked = head.headers.get("access-control-request-headers").and_then(|value| value.to_str().ok());
    let headers = vec![
        ("access-control-allow-methods".into(), "GET, HEAD, POST, PUT, PATCH, DELETE".to_owned()),
        ("access-control-allow-headers".into(), asked.unwrap_or_default().to_owned()),
        ("access-control-max-age".into(), "60".to_owned()),
    ];
    Some(Response { status: 204, headers, body: Body::default() })
}

/// Lets a page of that origin see the answer.
pub(super) fn show_to(page: &str, response: &mut Response) {
    response.headers.extend([
        ("access-control-allow-origin".into(), page.to_owned()),
        ("access-control-expose-headers".into(), SHOWN.to_owned()),
        ("vary".into(), "origin".to_owned()),
    ]);
}
