//! What a request on a key must be allowed, with everything that key policies ask about.
//!
//! Follows <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Cx, Principal};

use crate::cipher::{Ciphertext, Context};
use crate::errors::KmsError;
use crate::grants::policy_with_grants;
use crate::reference::{self, Found};
use crate::state::AliasRecord;

static NO_CONTEXT: Context = BTreeMap::new();

/// An action on the key that a text names by id, ARN or alias. `operation` is the action without its service.
pub(crate) fn on_key(cx: &Cx<'_>, operation: &str, key_id: &str) -> Access {
    on_found(cx, operation, key_id, reference::find(cx, key_id), &NO_CONTEXT)
}

/// An action with an encryption context.
pub(crate) fn with_context(cx: &Cx<'_>, operation: &str, key_id: &str, context: Option<&Context>) -> Access {
    let context = context.unwrap_or(&NO_CONTEXT);
    of_context(on_found(cx, operation, key_id, reference::find(cx, key_id), context), context)
}

/// Decrypting: the key is the one that the ciphertext names. A ciphertext that names none needs no permission to be refused.
pub(crate) fn on_ciphertext(
    cx: &Cx<'_>,
    operation: &str,
    blob: Option<&[u8]>,
    context: Option<&Context>,
) -> Option<Access> {
    let ciphertext = Ciphertext::read(blob?).ok()?;
    let scope = neargate_base::Scope::new(&ciphertext.account, cx.scope.region.as_str());
    let arn = scope.arn("kms", &format!("key/{}", ciphertext.key_id));
    Some(with_context(cx, operation, &arn, context))
}

/// The condition keys that say who asks, and through which service.
pub(crate) fn with_caller(cx: &Cx<'_>, mut access: Access) -> Access {
    if let Principal::Root { account } | Principal::Role { account, .. } = &cx.principal {
        access = access.with("kms:CallerAccount", account.as_str());
    }
    if let Some(service) = cx.called_via() {
        let region = &cx.scope.region;
        access = access.with("kms:ViaService", format!("{service}.{region}.{}", region.partition().url_suffix()));
    }
    // Every other key of KMS speaks of what there is not here: attestations, imported material, keys in several regions.
    access.complete("kms:").with_resource_tags(None, [])
}

fn on_found(cx: &Cx<'_>, operation: &str, text: &str, found: Result<Found, KmsError>, context: &Context) -> Access {
    let action = format!("kms:{operation}");
    let found = match (found, reference::unmade(cx, text)) {
        (Ok(found), _) => found,
        (Err(_), Some(service)) => {
            let access = Access::new(&action, reference::arn(cx, text));
            return with_caller(cx, access).governed_by(service.policy(&cx.scope));
        }
        (Err(_), None) => return with_caller(cx, Access::new(&action, reference::arn(cx, text))),
    };
    let aliases = cx.store().scan::<AliasRecord>(&found.scope, "").filter(|(_, alias)| alias.key_id == found.key.id);
    let aliases: Vec<_> = aliases.map(|(name, _)| name.to_owned()).collect();
    let mut access = with_caller(cx, Access::new(&action, found.arn()))
        .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
        .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
        .with("kms:KeyOrigin", "AWS_KMS")
        .with("kms:MultiRegion", "false");
    if !aliases.is_empty() {
        access = access.with_all("kms:ResourceAliases", aliases);
    }
    if let Some(alias) = &found.alias {
        access = access.with("kms:RequestAlias", alias.as_str());
    }
    access =
        access.with_resource_tags(None, found.key.tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone())));
    access.governed_by(policy_with_grants(cx, &found, operation, context)).naming(&found.key.principals)
}

fn of_context(mut access: Access, context: &Context) -> Access {
    access = access.with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
    for (key, value) in context {
        access = access.with(&format!("kms:EncryptionContext:{key}"), value.as_str());
    }
    if context.is_empty() {
        return access;
    }
    access.with_all("kms:EncryptionContextKeys", context.keys().cloned().collect())
}
