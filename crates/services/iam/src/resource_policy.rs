//! Policies of resources: read, checked before they are stored, and shown.

use neargate_base::Account;
use neargate_decide::{Document, Kind, Malformed};
use neargate_kernel::{PolicyFlaw, ResourcePolicy, Store};

use crate::state;

/// The name of a resource's policy in explanations.
pub(crate) const NAME: &str = "the resource's policy";

/// A resource's policy, its principals tied to the roles that they named when it was stored.
pub(crate) fn parse(policy: &ResourcePolicy) -> Result<Document, Malformed> {
    let mut document = Document::load(&policy.text, Kind::Resource)?;
    document.tie_principals(|arn| policy.principals.get(arn).cloned());
    Ok(document)
}

/// Whether a resource's policy may be stored.
pub(crate) fn check(store: &Store, text: &str) -> Result<(), PolicyFlaw> {
    let document = Document::parse(text, Kind::Resource).map_err(|flaw| PolicyFlaw::Document {
        text: flaw.to_string(),
        hint: flaw.hint().unwrap_or_default().to_owned(),
    })?;
    let exists = |arn: &str| {
        let mut parts = arn.split(':').skip(4);
        let (Some(account), Some(resource)) = (parts.next(), parts.next()) else { return false };
        let account = Account::new(account);
        match resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next()) {
            // Roles of accounts that have none here belong to somebody else's installation.
            Some(name) if state::roles(store, &account).next().is_some() => {
                state::find_role(store, &account, name).is_some_and(|role| role.arn(&account) == arn)
            }
            _ => arn.starts_with("arn:"),
        }
    };
    match document.arns_named().find(|arn| !exists(arn)) {
        Some(arn) => Err(PolicyFlaw::Principal(arn.to_owned())),
        None => Ok(()),
    }
}

/// The text with another principal in the place of one, in `Principal` and `NotPrincipal` only.
pub(crate) fn with_principal(text: &str, from: &str, to: &str) -> String {
    let (from, to) = (format!("\"{from}\""), format!("\"{to}\""));
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    // Both elements end with the same word; `"AWS"` and its value follow in braces.
    while let Some((before, after)) = rest.split_once("Principal\"") {
        let (value, remainder) = after.split_at(after.find('}').map_or(after.len(), |end| end + 1));
        shown.push_str(before);
        shown.push_str("Principal\"");
        shown.push_str(&value.replace(&from, &to));
        rest = remainder;
    }
    shown.push_str(rest);
    shown
}
