//! `POST /_neargate/template`: a template that is too long for the body of a call.

use neargate_cloudformation::uploads;
use neargate_wire::{Request, Response};
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
