//! The chain of causes behind a thing, from the store.

use neargate_base::Scope;
use neargate_kernel::{Cause, Store};
use serde_json::{Value as Json, json};

/// Links of one chain; no service makes longer ones.
const LINKS_MAX: usize = 64;

/// What led to a thing, first things first, without the thing itself; `None` where nothing is known of it.
pub(super) fn chain(store: &Store, id: &str) -> Option<Json> {
    let scope = store.all::<Cause>().find(|(_, found, _)| *found == id).map(|(scope, _, _)| scope)?;
    let mut links = vec![];
    let mut next = store.get::<Cause>(&scope, id)?.parent.clone();
    while let Some(id) = next.filter(|_| links.len() < LINKS_MAX) {
        let Some(cause) = store.get::<Cause>(&scope, &id) else { break };
        links.push(link(&scope, &id, cause));
        next = cause.parent.clone();
    }
    links.reverse();
    Some(Json::Array(links))
}

fn link(scope: &Scope, id: &str, cause: &Cause) -> Json {
    json!({
        "kind": cause.kind, "id": id, "name": cause.name, "time": cause.time.map(|time| time.to_string()),
        "account": scope.account.as_str(), "region": scope.region.as_str(),
    })
}
