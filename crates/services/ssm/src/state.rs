//! Parameters as they are kept.

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Cx, Record};
use serde::{Deserialize, Serialize};

use crate::api::{self, Tag};
use crate::errors::SsmError;
use crate::name::{self, Reference, Selector};

/// How many versions of a parameter there are at a time.
const VERSIONS_MAX: i64 = 100;

/// A parameter and its latest version. Kept under its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ParameterRecord {
    pub(crate) latest: Version,
    pub(crate) tags: Vec<Tag>,
}

impl Record for ParameterRecord {
    const TABLE: &'static str = "ssm.parameter";
}

/// A version that is not the latest any more. Kept under the name, a colon and the version with nine digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EarlierVersion(pub(crate) Version);

impl Record for EarlierVersion {
    const TABLE: &'static str = "ssm.parameter_version";
}

/// One version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) kind: String,
    /// Of a `SecureString` the ciphertext, in base64.
    pub(crate) value: String,
    /// The key that a `SecureString` was encrypted with, as it was named.
    pub(crate) key_id: Option<String>,
    pub(crate) data_type: String,
    pub(crate) tier: String,
    pub(crate) description: Option<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) policies: Option<String>,
    pub(crate) modified: Timestamp,
    pub(crate) modified_by: String,
}

impl Version {
    /// As `GetParameter` and its siblings answer it.
    pub(crate) fn shown(&self, scope: &Scope, selector: &Selector) -> api::Parameter {
        api::Parameter {
            name: Some(self.name.clone()),
            r#type: Some(self.kind.clone()),
            value: Some(self.value.clone()),
            version: Some(self.version),
            selector: match selector {
                Selector::Latest => None,
                Selector::Version(version) => Some(format!(":{version}")),
                Selector::Label(label) => Some(format!(":{label}")),
            },
            source_result: None,
            last_modified_date: Some(self.modified),
            arn: Some(name::arn(scope, &self.name)),
            data_type: Some(self.data_type.clone()),
        }
    }

    /// The policies as they are answered: one, as it was given.
    pub(crate) fn policies_shown(&self) -> Option<Vec<api::ParameterInlinePolicy>> {
        let text = self.policies.clone()?;
        let policy = api::ParameterInlinePolicy { policy_text: Some(text), policy_type: None, policy_status: None };
        Some(vec![policy])
    }
}

/// The parameter that a request names. None is shared by another account.
pub(crate) fn find<'c>(cx: &'c Cx<'_>, reference: &Reference) -> Option<&'c ParameterRecord> {
    if reference.scope.as_ref().is_some_and(|scope| *scope != cx.scope) {
        return None;
    }
    let name = reference.name.as_str();
    // A name of one level is the same with a slash before it and without.
    let other = match name.strip_prefix('/') {
        Some(rest) if reference.scope.is_some() || !rest.contains('/') => Some(rest.to_owned()),
        None if !name.contains('/') => Some(format!("/{name}")),
        _ => None,
    };
    cx.get::<ParameterRecord>(name).or_else(|| cx.get::<ParameterRecord>(&other?))
}

/// The version that a request names.
pub(crate) fn version(cx: &Cx<'_>, reference: &Reference) -> Result<Version, SsmError> {
    let name = || reference.name.clone();
    let record = find(cx, reference).ok_or_else(|| SsmError::NotFound(name()))?;
    match &reference.selector {
        Selector::Latest => Ok(record.latest.clone()),
        Selector::Version(version) if *version == record.latest.version => Ok(record.latest.clone()),
        Selector::Version(version) => match cx.get::<EarlierVersion>(&earlier_key(&record.latest.name, *version)) {
            Some(earlier) => Ok(earlier.0.clone()),
            None => Err(SsmError::VersionNotFound { name: name(), version: version.to_string() }),
        },
        Selector::Label(label) => Err(SsmError::LabelNotFound { name: name(), label: label.clone() }),
    }
}

/// Every version that is kept, oldest first.
pub(crate) fn history(cx: &Cx<'_>, record: &ParameterRecord) -> Vec<Version> {
    let earlier = cx.scan::<EarlierVersion>(&format!("{}:", record.latest.name)).map(|(_, earlier)| earlier.0.clone());
    earlier.chain([record.latest.clone()]).collect()
}

/// Adds a version in front of what was the latest one. The oldest of a hundred goes.
pub(crate) fn put_version(cx: &mut Cx<'_>, mut record: ParameterRecord, latest: Version) {
    let name = latest.name.clone();
    let before = std::mem::replace(&mut record.latest, latest);
    cx.delete::<EarlierVersion>(&earlier_key(&name, record.latest.version - VERSIONS_MAX));
    cx.put(&earlier_key(&name, before.version), EarlierVersion(before));
    cx.put(&name, record);
}

/// Takes a parameter and its history away.
pub(crate) fn remove(cx: &mut Cx<'_>, name: &str) {
    let earlier: Vec<_> = cx.scan::<EarlierVersion>(&format!("{name}:")).map(|(key, _)| key.to_owned()).collect();
    for key in earlier {
        cx.delete::<EarlierVersion>(&key);
    }
    cx.delete::<ParameterRecord>(name);
}

fn earlier_key(name: &str, version: i64) -> String {
    format!("{name}:{version:09}")
}
