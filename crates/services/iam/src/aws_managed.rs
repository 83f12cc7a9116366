//! The managed policies of AWS's own: every one by its name, and the text of those that workloads here meet.
//!
//! A policy whose text is not kept can be attached as on AWS, and grants nothing here, which is said when it is attached and when an
//! access is refused.
//!
//! Invariant: the same in every account, never in the state.

mod documents;
pub(crate) mod known;
mod names;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use neargate_decide::Kind;
use neargate_kernel::Cx;

use crate::state::{PolicyRecord, StoredDocument, VersionRecord};
use known::{PREFIX, is_arn};

/// The unique ids that are known.
const IDS: &[(&str, &str)] = &[
    ("AdministratorAccess", "ANPAIWMBCKSKIEE64ZLYK"),
    ("AWSLambdaBasicExecutionRole", "ANPAJNCQGXC42545SKXIK"),
    ("AWSLambdaVPCAccessExecutionRole", "ANPAJVTME3YLVNL72YR2K"),
    ("AmazonEC2ContainerServiceEventsRole", "ANPAITKFNIUAG27VSYNZ4"),
    ("AmazonECSTaskExecutionRolePolicy", "ANPAJG4T4G4PV56DE72PY"),
    ("AmazonS3FullAccess", "ANPAIFIR6V6BVTRAHWINE"),
    ("AmazonS3ReadOnlyAccess", "ANPAIZTJ4DXE7G6AGAE6M"),
    ("AmazonSSMManagedInstanceCore", "ANPAIXSHM2BNB2D3AXXRU"),
    ("CloudWatchLogsFullAccess", "ANPAJ3ZGNWK2R5HW5BQFO"),
    ("ReadOnlyAccess", "ANPAILL3HVNFSB6DCOWYQ"),
];

/// Every one of them, by the last part of its ARN.
fn by_resource() -> &'static BTreeMap<String, PolicyRecord> {
    static ALL: OnceLock<BTreeMap<String, PolicyRecord>> = OnceLock::new();
    ALL.get_or_init(|| {
        let documents: BTreeMap<_, _> = documents::DOCUMENTS.iter().copied().collect();
        let record = |(path, name, version): &(&str, &str, &str)| {
            (format!("policy{path}{name}"), record(path, name, version, documents.get(name).copied()))
        };
        names::NAMES.iter().map(record).collect()
    })
}

/// Every one of them.
pub(crate) fn all() -> impl Iterator<Item = &'static PolicyRecord> {
    by_resource().values()
}

/// The one with this ARN. The ARN's partition does not matter.
pub(crate) fn find(arn: &str) -> Option<&'static PolicyRecord> {
    by_resource().get(arn.splitn(6, ':').nth(5).filter(|_| is_arn(arn))?)
}

/// Tells the user of a policy whose text is not kept that it grants nothing.
pub(crate) fn say_if_unknown(cx: &mut Cx<'_>, operation: &str, arn: &str) {
    if find(arn).is_some_and(|policy| policy.document().is_none()) {
        let text = format!("the text of AWS's policy `{arn}` is not known here: it is attached and grants nothing");
        cx.not_simulated(format!("iam:{operation}"), text);
    }
}

fn record(path: &str, name: &str, version: &str, document: Option<&str>) -> PolicyRecord {
    let document = document.and_then(|text| StoredDocument::new(text, Kind::Identity).ok());
    let versions = document.map(|document| VersionRecord { id: version.to_owned(), document, created: None });
    let id = IDS.iter().find(|(known, _)| *known == name).map_or("", |(_, id)| id);
    PolicyRecord {
        name: name.to_owned(),
        path: path.to_owned(),
        id: id.to_owned(),
        arn: format!("{PREFIX}{path}{name}"),
        created: None,
        updated: None,
        description: None,
        tags: vec![],
        versions: versions.into_iter().collect(),
        default_version: version.to_owned(),
        versions_made: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{all, documents, find, names};

    #[test]
    fn every_policy_is_found_and_every_text_that_is_kept_is_read() {
        assert!(all().count() == names::NAMES.len() && names::NAMES.len() > 1500);
        assert_eq!(all().filter(|policy| policy.document().is_some()).count(), documents::DOCUMENTS.len());
        let policy = find("arn:aws-cn:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy").unwrap();
        assert_eq!(policy.id, "ANPAJG4T4G4PV56DE72PY");
        assert!(
            find("arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy").is_none(),
            "the path is part of the ARN"
        );
        assert!(find("arn:aws:iam::000000000000:policy/AdministratorAccess").is_none());
    }
}
