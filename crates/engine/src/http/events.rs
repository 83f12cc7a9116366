//! `POST /_neargate/events`: events in the form that rules see, those of AWS services among them.

use neargate_base::{Account, Region, Scope};
use neargate_events::visible;
use neargate_wire::{Request, Response, parse_form};

use super::Edge;
use super::control::{answer_json, unanswered};
use super::edge::plain;

/// Puts the events and answers what each one met. What names no account or region goes to those of the query's `account` and
/// `region`, else to the defaults.
pub(super) async fn put(edge: &Edge, request: &Request<'_>) -> Response {
    let here = match place(request) {
        Ok(here) => here,
        Err(why) => return plain(400, &why),
    };
    let events = match visible::read(request.body, &here) {
        Ok(events) => events,
        Err(why) => return plain(400, &why),
    };
    let bus = asked(request, "bus");
    match edge.writer.perform(here, move |cx| visible::put(cx, bus.as_deref(), &events)).await {
        Ok(Ok(answer)) => answer_json(Some(answer)),
        Ok(Err(fault)) if fault.code == "ResourceNotFoundException" => plain(404, &fault.message),
        Ok(Err(fault)) => plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(refused) => unanswered(refused),
    }
}

/// The account and region that a call to the control endpoint names, or the defaults.
pub(super) fn place(request: &Request<'_>) -> Result<Scope, String> {
    let default = Scope::default();
    let account = asked(request, "account").unwrap_or_else(|| default.account.as_str().to_owned());
    let region = asked(request, "region").unwrap_or_else(|| default.region.as_str().to_owned());
    if !Account::is_valid(&account) {
        return Err(format!("`{account}` is no account, expected twelve digits"));
    }
    if !Region::exists(&region) {
        return Err(format!("`{region}` is no region of AWS"));
    }
    Ok(Scope::new(&account, &region))
}

fn asked(request: &Request<'_>, name: &str) -> Option<String> {
    let query = parse_form(request.query.as_bytes());
    query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}
