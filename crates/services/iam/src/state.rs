//! Roles and policies as they are kept.
//!
//! Invariant: everything lies in the account's part of the state that has no region.
//!
//! Invariant: a document is parsed once, when it is stored or loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use neargate_base::{Account, Scope, Timestamp};
use neargate_decide::{Document, Kind, Malformed};
use neargate_kernel::{Cx, Record, Store};
use serde::{Deserialize, Serialize};

use crate::api::Tag;
use crate::errors::IamError;

/// A policy document: the text that is given back, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub(crate) struct StoredDocument {
    kind: Kind,
    pub(crate) text: String,
    /// The unique ids of the roles that it names, by ARN, when it was stored.
    pub(crate) principals: BTreeMap<String, String>,
    pub(crate) parsed: Arc<Document>,
}

/// A policy document in a row.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Naming(Kind, String, BTreeMap<String, String>),
    Plain(Kind, String),
}

impl StoredDocument {
    /// The document of a text that is about to be stored.
    pub(crate) fn new(text: &str, kind: Kind) -> Result<Self, Malformed> {
        let parsed = Arc::new(Document::parse(text, kind)?);
        Ok(Self { kind, text: text.to_owned(), principals: BTreeMap::new(), parsed })
    }

    /// The document of a row.
    fn kept(text: String, kind: Kind, principals: BTreeMap<String, String>) -> Result<Self, Malformed> {
        let mut parsed = Document::load(&text, kind)?;
        parsed.tie_principals(|arn| principals.get(arn).cloned());
        Ok(Self { kind, text, principals, parsed: Arc::new(parsed) })
    }

    /// The text as it was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn document(&self) -> &Document {
        &self.parsed
    }

    /// Its size as quotas count it: without white space.
    pub(crate) fn size(&self) -> usize {
        self.text.chars().filter(|letter| !letter.is_whitespace()).count()
    }
}

impl TryFrom<Kept> for StoredDocument {
    type Error = Malformed;

    fn try_from(kept: Kept) -> Result<Self, Malformed> {
        match kept {
            Kept::Naming(kind, text, principals) => Self::kept(text, kind, principals),
            Kept::Plain(kind, text) => Self::kept(text, kind, BTreeMap::new()),
        }
    }
}

impl From<StoredDocument> for Kept {
    fn from(stored: StoredDocument) -> Self {
        match stored.principals.is_empty() {
            true => Self::Plain(stored.kind, stored.text),
            false => Self::Naming(stored.kind, stored.text, stored.principals),
        }
    }
}

/// A role. Kept under its name in lower case, since names that differ in case only collide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoleRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) session_s_max: i32,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) trust: StoredDocument,
    pub(crate) inline: BTreeMap<String, StoredDocument>,
    /// The ARNs of the attached policies, in the order of attachment.
    pub(crate) attached: Vec<String>,
}

impl Record for RoleRecord {
    const TABLE: &'static str = "iam.role";
    const IS_PUBLISHED: bool = true;
}

impl RoleRecord {
    pub(crate) fn arn(&self, account: &Account) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.name)
    }
}

/// A managed policy. Kept under its ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    /// Unknown for AWS's own.
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<Tag>,
    /// Oldest first.
    pub(crate) versions: Vec<VersionRecord>,
    pub(crate) default_version: String,
    /// How many versions were ever made: their numbers are not used twice.
    pub(crate) versions_made: u32,
}

/// One version of a managed policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    pub(crate) id: String,
    pub(crate) document: StoredDocument,
    pub(crate) created: Option<Timestamp>,
}

impl Record for PolicyRecord {
    const TABLE: &'static str = "iam.policy";
    const IS_PUBLISHED: bool = true;
}

impl PolicyRecord {
    /// The document that is in force.
    pub(crate) fn document(&self) -> Option<&StoredDocument> {
        self.version(&self.default_version).map(|version| &version.document)
    }

    pub(crate) fn version(&self, id: &str) -> Option<&VersionRecord> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// Adds a version and puts it in force.
    pub(crate) fn add_version(&mut self, document: StoredDocument, now: Timestamp, is_default: bool) -> String {
        self.versions_made += 1;
        let id = format!("v{}", self.versions_made);
        self.versions.push(VersionRecord { id: id.clone(), document, created: Some(now) });
        self.updated = Some(now);
        if is_default {
            self.default_version.clone_from(&id);
        }
        id
    }
}

/// Where an account's roles and policies lie.
pub(crate) fn home(account: &Account) -> Scope {
    Scope::new(account.as_str(), "global")
}

/// A role, by its exact name.
pub(crate) fn find_role<'s>(store: &'s Store, account: &Account, name: &str) -> Option<&'s RoleRecord> {
    store.get::<RoleRecord>(&home(account), &name.to_lowercase()).filter(|role| role.name == name)
}

/// A copy of a role of the context's account.
pub(crate) fn role(cx: &Cx<'_>, name: &str) -> Result<RoleRecord, IamError> {
    let role = find_role(cx.store(), &cx.scope.account, name).cloned();
    role.ok_or_else(|| IamError::RoleNotFound(name.to_owned()))
}

pub(crate) fn put_role(cx: &mut Cx<'_>, role: RoleRecord) {
    cx.in_global(|cx| cx.put(&role.name.to_lowercase(), role));
}

pub(crate) fn put_policy(cx: &mut Cx<'_>, policy: PolicyRecord) {
    cx.in_global(|cx| cx.put(&policy.arn.clone(), policy));
}

/// Every role of the account, in order of name.
pub(crate) fn roles<'s>(store: &'s Store, account: &Account) -> impl Iterator<Item = &'s RoleRecord> {
    store.scan::<RoleRecord>(&home(account), "").map(|(_, role)| role)
}

/// To how many roles a policy is attached.
pub(crate) fn attachments(store: &Store, account: &Account, arn: &str) -> usize {
    roles(store, account).filter(|role| role.attached.iter().any(|attached| attached == arn)).count()
}
