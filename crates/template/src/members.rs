//! Members of the entries of a template: those that must be text, and those that do not belong there.

use serde_json::{Map, Value as Json};

use crate::codes;
use crate::expr::{Reader, kind};
use crate::finding::Finding;

/// Records a member that the entry at the present path cannot have.
pub(crate) fn foreign_member(reader: &mut Reader, key: &str, of: &str, known: &[&str], aws: String) {
    let article = if of.starts_with(['a', 'o']) { "an" } else { "a" };
    let finding = Finding::error(codes::MEMBER, format!("{article} {of} has no `{key}`"), aws);
    reader.key(key, |reader| reader.report(finding.nearest(key, known.iter().copied())));
}

/// A member that must be text where it is given.
pub(crate) fn expect_text(reader: &mut Reader, members: &Map<String, Json>, key: &str) -> Option<String> {
    match members.get(key)? {
        Json::String(text) => Some(text.clone()),
        other => {
            let message = format!("`{key}` must be text, got {}", kind(other));
            let aws = format!("Template format error: {key} must be a string.");
            reader.key(key, |reader| reader.report(Finding::error(codes::SHAPE, message, aws)));
            None
        }
    }
}
