//! What must be there before an app's stacks are and no operation of AWS can make.
//!
//! Invariant: what comes in here is not in any answer.

use neargate_base::{Account, Scope};
use neargate_wire::{Request, Response};
use serde_json::{Value as Json, json};

use super::Edge;
use super::control::{answer_json, unanswered};
use super::edge::plain;

/// Gives a public parameter, `/aws/service/…`, its value in an account and region.
pub(super) async fn parameter(edge: &Edge, request: &Request<'_>) -> Response {
    let mut wanted = serde_json::from_slice::<Json>(request.body).unwrap_or_default();
    let mut text = |member: &str| wanted.get_mut(member).map(Json::take).and_then(|it| it.as_str().map(str::to_owned));
    let (Some(account), Some(region), Some(name), Some(value)) =
        (text("account"), text("region"), text("name"), text("value"))
    else {
        return plain(400, "a JSON object with the strings `account`, `region`, `name` and `value` is expected");
    };
    if !Account::is_valid(&account) || region.is_empty() {
        return plain(400, "`account` must have twelve digits, and `region` a name");
    }
    let scope = Scope::new(&account, &region);
    match edge.writer.perform(scope, move |cx| neargate_ssm::provide(cx, &name, value)).await {
        Ok(Ok(())) => answer_json(Some(json!({}))),
        Ok(Err(fault)) => plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(refused) => unanswered(refused),
    }
}
