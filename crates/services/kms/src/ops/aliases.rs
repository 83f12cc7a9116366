//! `CreateAlias`, `UpdateAlias`, `DeleteAlias`, `ListAliases`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::{on_key, with_caller};
use crate::errors::KmsError;
use crate::state::AliasRecord;
use crate::{api, reference};

fn on_alias(cx: &Cx<'_>, action: &str, name: &str) -> Access {
    with_caller(cx, Access::new(action, cx.scope.arn("kms", name)))
}

/// Refuses names that no alias can have.
fn check_name(name: &str) -> Result<(), KmsError> {
    let rest = name.strip_prefix("alias/").filter(|rest| !rest.is_empty()).ok_or(KmsError::AliasPrefix)?;
    if rest.starts_with("aws/") {
        return Err(KmsError::AliasReserved);
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    if rest.bytes().all(is_letter) { Ok(()) } else { Err(KmsError::AliasSpelling(name.to_owned())) }
}

fn existing(cx: &Cx<'_>, name: &str) -> Result<AliasRecord, KmsError> {
    cx.get::<AliasRecord>(name).cloned().ok_or_else(|| KmsError::AliasNotFound(cx.scope.arn("kms", name)))
}

pub(crate) struct CreateAlias;

impl Operation for CreateAlias {
    const SHAPE: &'static OperationShape = &api::CREATE_ALIAS;
    type Input = api::CreateAliasInput;
    type Output = api::CreateAliasOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Accesses::new(on_alias(cx, "kms:CreateAlias", &input.alias_name)).and([on_key(
            cx,
            "CreateAlias",
            &input.target_key_id,
        )])
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = input.alias_name;
        check_name(&name)?;
        if cx.get::<AliasRecord>(&name).is_some() {
            return Err(KmsError::AliasExists(cx.scope.arn("kms", &name)).into());
        }
        let key = reference::own_key(cx, &input.target_key_id)?;
        key.lasting(&cx.scope)?;
        let now = cx.time();
        cx.put(&name, AliasRecord { key_id: key.id, created: now, updated: now });
        Ok(api::CreateAliasOutput {})
    }
}

pub(crate) struct UpdateAlias;

impl Operation for UpdateAlias {
    const SHAPE: &'static OperationShape = &api::UPDATE_ALIAS;
    type Input = api::UpdateAliasInput;
    type Output = api::UpdateAliasOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let before = cx.get::<AliasRecord>(&input.alias_name).map(|alias| on_key(cx, "UpdateAlias", &alias.key_id));
        let alias = on_alias(cx, "kms:UpdateAlias", &input.alias_name);
        Accesses::new(alias).and([on_key(cx, "UpdateAlias", &input.target_key_id)]).and(before)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_name(&input.alias_name)?;
        let mut alias = existing(cx, &input.alias_name)?;
        let key = reference::own_key(cx, &input.target_key_id)?;
        key.lasting(&cx.scope)?;
        (alias.key_id, alias.updated) = (key.id, cx.time());
        cx.put(&input.alias_name, alias);
        Ok(api::UpdateAliasOutput {})
    }
}

pub(crate) struct DeleteAlias;

impl Operation for DeleteAlias {
    const SHAPE: &'static OperationShape = &api::DELETE_ALIAS;
    type Input = api::DeleteAliasInput;
    type Output = api::DeleteAliasOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let key = cx.get::<AliasRecord>(&input.alias_name).map(|alias| on_key(cx, "DeleteAlias", &alias.key_id));
        Accesses::new(on_alias(cx, "kms:DeleteAlias", &input.alias_name)).and(key)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.alias_name.starts_with("alias/aws/") {
            return Err(KmsError::AliasOfManagedKey.into());
        }
        existing(cx, &input.alias_name)?;
        cx.delete::<AliasRecord>(&input.alias_name);
        Ok(api::DeleteAliasOutput {})
    }
}

pub(crate) struct ListAliases;

impl Operation for ListAliases {
    const SHAPE: &'static OperationShape = &api::LIST_ALIASES;
    type Input = api::ListAliasesInput;
    type Output = api::ListAliasesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let key = input.key_id.as_ref().map(|key| on_key(cx, "ListAliases", key));
        key.unwrap_or_else(|| Access::new("kms:ListAliases", "*")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let of = input.key_id.as_deref().map(|key| reference::own_key(cx, key)).transpose()?.map(|key| key.id);
        let entry = |(name, alias): (&str, &AliasRecord)| api::AliasListEntry {
            alias_name: Some(name.to_owned()),
            alias_arn: Some(cx.scope.arn("kms", name)),
            target_key_id: Some(alias.key_id.clone()),
            creation_date: Some(alias.created),
            last_updated_date: Some(alias.updated),
        };
        let aliases = cx.scan::<AliasRecord>("").filter(|(_, alias)| of.as_ref().is_none_or(|id| *id == alias.key_id));
        let page = page(aliases.map(entry).collect(), input.marker.as_deref(), input.limit, 50)?;
        Ok(api::ListAliasesOutput { aliases: page.items, next_marker: page.next, truncated: page.truncated })
    }
}
