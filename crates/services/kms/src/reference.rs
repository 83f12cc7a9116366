//! What a request calls a key: its id, its ARN, an alias, an alias's ARN.

use neargate_base::Scope;
use neargate_kernel::{Cx, Fault};

use crate::errors::KmsError;
use crate::managed;
use crate::state::{AliasRecord, KeyRecord};

/// A key that a request names, and where it is. It may be another account's.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) scope: Scope,
    pub(crate) key: KeyRecord,
    /// The alias by which it was named.
    pub(crate) alias: Option<String>,
}

impl Found {
    pub(crate) fn arn(&self) -> String {
        self.key.arn(&self.scope)
    }

    pub(crate) fn usable(&self) -> Result<(), KmsError> {
        self.key.usable(&self.scope)
    }
}

/// A reference, read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    scope: Scope,
    /// `alias/…`, or a key's id.
    name: String,
}

/// The key that is named by id, ARN, alias or alias ARN.
pub(crate) fn find(cx: &Cx<'_>, text: &str) -> Result<Found, KmsError> {
    let Reference { scope, name } = read(cx, text)?;
    if !name.starts_with("alias/") {
        return key(cx, &scope, &name);
    }
    let missing = || KmsError::AliasNotFound(scope.arn("kms", &name));
    let alias = cx.store().get::<AliasRecord>(&scope, &name).ok_or_else(missing)?;
    Ok(Found { alias: Some(name.clone()), ..key(cx, &scope, &alias.key_id)? })
}

/// As [`find`]; makes the key of a service that is used for the first time.
pub(crate) fn find_or_make(cx: &mut Cx<'_>, text: &str) -> Result<Found, Fault> {
    if let Some(service) = unmade(cx, text) {
        managed::make(cx, service)?;
    }
    Ok(find(cx, text)?)
}

/// The service whose key is named and does not exist yet.
pub(crate) fn unmade(cx: &Cx<'_>, text: &str) -> Option<&'static managed::Managed> {
    let Reference { scope, name } = read(cx, text).ok()?;
    let service = managed::of_alias(&name).filter(|_| scope == cx.scope)?;
    cx.get::<AliasRecord>(&name).is_none().then_some(service)
}

/// The key that is named by id or ARN: what changes a key takes no alias.
pub(crate) fn find_key(cx: &Cx<'_>, text: &str) -> Result<Found, KmsError> {
    let Reference { scope, name } = read(cx, text)?;
    if name.starts_with("alias/") { Err(KmsError::InvalidKeyId(text.to_owned())) } else { key(cx, &scope, &name) }
}

/// As [`find_key`], in the caller's own account.
pub(crate) fn own_key(cx: &Cx<'_>, text: &str) -> Result<KeyRecord, KmsError> {
    let found = find_key(cx, text)?;
    if found.scope == cx.scope { Ok(found.key) } else { Err(KmsError::KeyNotFound(found.arn())) }
}

/// The ARN that a text would name, whether there is such a key or not.
pub(crate) fn arn(cx: &Cx<'_>, text: &str) -> String {
    match read(cx, text) {
        Ok(Reference { scope, name }) if name.starts_with("alias/") => scope.arn("kms", &name),
        Ok(Reference { scope, name }) => scope.arn("kms", &format!("key/{name}")),
        Err(_) if text.starts_with("arn:") => text.to_owned(),
        Err(_) => cx.scope.arn("kms", &format!("key/{text}")),
    }
}

fn key(cx: &Cx<'_>, scope: &Scope, id: &str) -> Result<Found, KmsError> {
    match cx.store().get::<KeyRecord>(scope, id) {
        Some(key) => Ok(Found { scope: scope.clone(), key: key.clone(), alias: None }),
        None => Err(KmsError::KeyNotFound(scope.arn("kms", &format!("key/{id}")))),
    }
}

fn read(cx: &Cx<'_>, text: &str) -> Result<Reference, KmsError> {
    if !text.starts_with("arn:") {
        let is_id = |text: &str| text.starts_with("mrk-") || is_uuid(text);
        return match text {
            _ if text.starts_with("alias/") || is_id(text) => {
                Ok(Reference { scope: cx.scope.clone(), name: text.to_owned() })
            }
            _ => Err(KmsError::InvalidKeyId(text.to_owned())),
        };
    }
    let invalid = || KmsError::InvalidArn(text.to_owned());
    let mut parts = text.splitn(6, ':').skip(2);
    let mut part = || parts.next().ok_or_else(invalid);
    let (service, region, account, resource) = (part()?, part()?, part()?, part()?);
    if service != "kms" {
        return Err(invalid());
    }
    if region != cx.scope.region.as_str() {
        return Err(KmsError::InvalidArn(region.to_owned()));
    }
    let name =
        if resource.starts_with("alias/") { resource } else { resource.strip_prefix("key/").ok_or_else(invalid)? };
    Ok(Reference { scope: Scope::new(account, region), name: name.to_owned() })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
