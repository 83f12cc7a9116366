//! `{{resolve:…}}` inside texts.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.

use std::fmt;

use crate::environment::DynamicReference;

const OPEN: &str = "{{resolve:";

/// A piece of a text with dynamic references.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// As it stands; also a `{{resolve:…}}` of an unknown service.
    Text(&'a str),
    /// A reference to be looked up.
    Reference(DynamicReference),
}

/// Whether the text may hold a reference.
pub(crate) fn is_dynamic(text: &str) -> bool {
    text.contains(OPEN)
}

/// The text's pieces in order.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = vec![];
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find("}}") else { break };
        let (whole, after) = from.split_at(end + 2);
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        let inside = whole.strip_prefix(OPEN).and_then(|inside| inside.strip_suffix("}}"));
        parts.push(inside.and_then(reference).map_or(Part::Text(whole), Part::Reference));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

fn reference(inside: &str) -> Option<DynamicReference> {
    let (service, key) = inside.split_once(':')?;
    match service {
        "ssm" | "ssm-secure" => {
            // A parameter's ARN has colons of its own; a version is digits only.
            let (name, version) = match key.rsplit_once(':') {
                Some((name, version)) if version.parse::<u64>().is_ok() && !name.is_empty() => {
                    (name, version.parse().ok())
                }
                _ => (key, None),
            };
            let name = name.to_owned();
            Some(if service == "ssm" {
                DynamicReference::Ssm { name, version }
            } else {
                DynamicReference::SsmSecure { name, version }
            })
        }
        "secretsmanager" => {
            let arn_parts = if key.starts_with("arn:") { 7 } else { 1 };
            let parts: Vec<&str> = key.split(':').collect();
            let secret_id = parts.iter().take(arn_parts).copied().collect::<Vec<_>>().join(":");
            // Then `SecretString`, the JSON key, the stage and the version's id, each of which may be empty.
            let optional =
                |at: usize| parts.get(arn_parts + at).filter(|part| !part.is_empty()).map(|part| (*part).to_owned());
            Some(DynamicReference::Secret {
                secret_id,
                json_key: optional(1),
                version_stage: optional(2),
                version_id: optional(3),
            })
        }
        _ => None,
    }
}

impl fmt::Display for DynamicReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssm { name, version: None } => write!(f, "{{{{resolve:ssm:{name}}}}}"),
            Self::Ssm { name, version: Some(version) } => write!(f, "{{{{resolve:ssm:{name}:{version}}}}}"),
            Self::SsmSecure { name, version: None } => write!(f, "{{{{resolve:ssm-secure:{name}}}}}"),
            Self::SsmSecure { name, version: Some(version) } => {
                write!(f, "{{{{resolve:ssm-secure:{name}:{version}}}}}")
            }
            Self::Secret { secret_id, json_key, version_stage, version_id } => {
                let text = |part: &Option<String>| part.clone().unwrap_or_default();
                let (key, stage, version) = (text(json_key), text(version_stage), text(version_id));
                let rest = format!(":SecretString:{key}:{stage}:{version}");
                let rest = rest.trim_end_matches(':');
                let rest = if rest == ":SecretString" { "" } else { rest };
                write!(f, "{{{{resolve:secretsmanager:{secret_id}{rest}}}}}")
            }
        }
    }
}
