//! `POST /_neargate/events`: events in the form that rules see, those of AWS services among them.

use neargate_base::{Account, Scope};
use neargate_events::visible;
use neargate_wire::{Request, Response, parse_form};

use super::Edge;
use super::control::{answer_json, unanswered};
use super::edge::plain;

/// Puts the events and answers what each one met. What names no account or region goes to those of the query's `account` and
/// `region`, else to the defaults.
pub(super) async fn put(edge: &Edge, request: &Request<'_>) -> Response {
    let query = parse_form(request.query.as_bytes());
    let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let mut here = Scope::default();
    if let Some(account) = asked("account") {
        if !Account::is_valid(&account) {
            return plain(400, &format!("`{account}` is no account, expected twelve digits"));
        }
        here = Scope::new(&account, here.region.as_str());
    }
    if let Some(region) = asked("region") {
        here = Scope::new(here.account.as_str(), &region);
    }
    let events = match visible::read(request.body, &here) {
        Ok(events) => events,
        Err(why) => return plain(400, &why),
    };
    let bus = asked("bus");
    match edge.writer.perform(here, move |cx| visible::put(cx, bus.as_deref(), &events)).await {
        Ok(Ok(answer)) => answer_json(Some(answer)),
        Ok(Err(fault)) if fault.code == "ResourceNotFoundException" => plain(404, &fault.message),
        Ok(Err(fault)) => plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(refused) => unanswered(refused),
    }
}
