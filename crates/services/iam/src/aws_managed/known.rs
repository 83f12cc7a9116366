//! Which ARNs are of AWS's own managed policies, and which of those have like names.

use super::names::NAMES;

pub(crate) const PREFIX: &str = "arn:aws:iam::aws:policy";

/// Whether the ARN names a policy of AWS's own.
pub(crate) fn is_arn(arn: &str) -> bool {
    arn.split(':').nth(4) == Some("aws")
}

/// The ARNs of up to five whose name is this one or has it within, in whatever case.
pub(crate) fn like(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    let is_like = |known: &str| known.to_lowercase().contains(&name);
    let found = NAMES.iter().filter(|(_, known, _)| is_like(known));
    let mut found: Vec<String> = found.map(|(path, known, _)| format!("{PREFIX}{path}{known}")).collect();
    found.sort();
    found.truncate(5);
    found
}
