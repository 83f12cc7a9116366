//! Properties as the operations of their type take them.

use serde_json::Value as Json;

use super::ResourceType;

/// The properties with the names that operations have for them, without those that are recorded only; and the paths of the
/// latter that say something.
pub fn adapted(handler: &dyn ResourceType, properties: &Json) -> (Json, Vec<&'static str>) {
    let (mut adapted, mut dropped) = (properties.clone(), vec![]);
    for (path, name) in handler.renamed() {
        let parts: Vec<_> = path.split('/').collect();
        if rename(&mut adapted, &parts, *name) && name.is_none() {
            dropped.push(*path);
        }
    }
    (adapted, dropped)
}

/// Renames, or takes away, what a path leads to. Answers whether there was anything that says something.
fn rename(json: &mut Json, path: &[&str], name: Option<&str>) -> bool {
    match (path, json) {
        (["*", rest @ ..], Json::Array(items)) => {
            let say = items.iter_mut().map(|item| rename(item, rest, name));
            say.filter(|says_something| *says_something).count() > 0
        }
        ([last], Json::Object(members)) => {
            let Some(value) = members.shift_remove(*last) else { return false };
            let says_nothing = match &value {
                Json::Null | Json::Bool(false) => true,
                Json::String(text) => text.is_empty() || text.eq_ignore_ascii_case("false"),
                Json::Array(items) => items.is_empty(),
                Json::Object(members) => members.is_empty(),
                _ => false,
            };
            if let Some(name) = name {
                members.insert(name.to_owned(), value);
            }
            !says_nothing
        }
        ([first, rest @ ..], Json::Object(members)) => {
            members.get_mut(*first).is_some_and(|member| rename(member, rest, name))
        }
        _ => false,
    }
}
