//! Templates at the control endpoint: kept for a call that they are too long for, or looked through for what cannot be done.

use neargate_cloudformation::{lacks, uploads};
use neargate_wire::{Request, Response, parse_form};
use serde_json::json;

use super::Edge;
use super::control::{answer_json, unanswered};
use super::edge::plain;
use super::events::place;

/// Keeps the body as a template for one call of the account and region, and answers its URL.
pub(super) async fn keep(edge: &Edge, request: &Request<'_>) -> Response {
    let here = match place(request) {
        Ok(here) => here,
        Err(why) => return plain(400, &why),
    };
    let Ok(text) = String::from_utf8(request.body.to_vec()) else { return plain(400, "the template is not UTF-8") };
    match edge.writer.perform(here, move |cx| uploads::keep(cx, text)).await {
        Ok(Ok(url)) => answer_json(Some(json!({ "url": url }))),
        Ok(Err(fault)) => plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(refused) => unanswered(refused),
    }
}

/// What of the body's template cannot be done here, with the parameters of the query. Nothing is made.
pub(super) async fn lacks(edge: &Edge, request: &Request<'_>) -> Response {
    let here = match place(request) {
        Ok(here) => here,
        Err(why) => return plain(400, &why),
    };
    let Ok(text) = String::from_utf8(request.body.to_vec()) else { return plain(400, "the template is not UTF-8") };
    let query = parse_form(request.query.as_bytes());
    let stack = query.iter().find(|(key, _)| key == "stack").map(|(_, name)| name.clone()).unwrap_or_default();
    let given = query.into_iter().filter_map(|(key, value)| Some((key.strip_prefix("p.")?.to_owned(), value)));
    let given = given.collect();
    match edge.writer.perform(here, move |cx| lacks::of_template(cx, &stack, &text, given)).await {
        Ok(Ok(found)) => answer_json(Some(json!({ "lacks": found }))),
        // What is wrong with the template is said by the call that makes the stack.
        Ok(Err(_)) => answer_json(Some(json!({ "lacks": [] }))),
        Err(refused) => unanswered(refused),
    }
}
