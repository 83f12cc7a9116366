//! `CreateKey`, `DescribeKey`, `ListKeys`, `UpdateKeyDescription`, `EnableKey`, `DisableKey`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use super::tags::check_tags;
use crate::access::{on_key, with_caller};
use crate::state::{KeyRecord, KeyState};
use crate::{api, jobs, policy, reference};

pub(crate) struct CreateKey;

impl Operation for CreateKey {
    const SHAPE: &'static OperationShape = &api::CREATE_KEY;
    type Input = api::CreateKeyInput;
    type Output = api::CreateKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let bypass = (input.bypass_policy_lockout_safety_check == Some(true)).to_string();
        let mut create = Access::new("kms:CreateKey", "*")
            .with("kms:KeySpec", input.key_spec.as_deref().unwrap_or("SYMMETRIC_DEFAULT"))
            .with("kms:KeyUsage", input.key_usage.as_deref().unwrap_or("ENCRYPT_DECRYPT"))
            .with("kms:KeyOrigin", input.origin.as_deref().unwrap_or("AWS_KMS"))
            .with("kms:BypassPolicyLockoutSafetyCheck", bypass);
        let tags = input.tags.as_deref().unwrap_or_default();
        create = with_caller(cx, create)
            .with("kms:MultiRegion", (input.multi_region == Some(true)).to_string())
            .with_request_tags(tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone())));
        let tag = (!tags.is_empty()).then(|| Access { action: "kms:TagResource".to_owned(), ..create.clone() });
        Accesses::new(create).and(tag)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        refuse_other_kinds(&input)?;
        let tags = input.tags.unwrap_or_default();
        check_tags(&tags, &[])?;
        let text = input.policy.unwrap_or_else(|| policy::default(cx));
        let mut key = KeyRecord::make(cx, input.description.unwrap_or_default(), text, tags)?;
        key.principals = cx.registry.ports.authorizer.principal_ids(cx.store(), &key.policy);
        let may_lock_out = input.bypass_policy_lockout_safety_check == Some(true);
        policy::check(cx, &key.policy, &key.arn(&cx.scope), may_lock_out)?;
        let shown = key.shown(&cx.scope);
        cx.put(&shown.key_id, key);
        Ok(api::CreateKeyOutput { key_metadata: Some(shown) })
    }
}

/// What AWS has and Neargate has not, by name.
fn refuse_other_kinds(input: &api::CreateKeyInput) -> Result<(), Fault> {
    let other = |name: &str, value: Option<&String>, only: &str| {
        value.filter(|value| *value != only).map(|value| format!("CreateKey with {name} {value}"))
    };
    let lacking = other("KeySpec", input.key_spec.as_ref(), "SYMMETRIC_DEFAULT")
        .or_else(|| other("CustomerMasterKeySpec", input.customer_master_key_spec.as_ref(), "SYMMETRIC_DEFAULT"))
        .or_else(|| other("KeyUsage", input.key_usage.as_ref(), "ENCRYPT_DECRYPT"))
        .or_else(|| other("Origin", input.origin.as_ref(), "AWS_KMS"))
        .or_else(|| (input.multi_region == Some(true)).then(|| "CreateKey with MultiRegion".to_owned()))
        .or_else(|| input.custom_key_store_id.as_ref().map(|_| "CreateKey with CustomKeyStoreId".to_owned()))
        .or_else(|| input.xks_key_id.as_ref().map(|_| "CreateKey with XksKeyId".to_owned()));
    match lacking {
        Some(what) => Err(Fault::not_implemented("kms", &what).with_hint("keys here are symmetric: leave it out")),
        None => Ok(()),
    }
}

pub(crate) struct DescribeKey;

impl Operation for DescribeKey {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_KEY;
    type Input = api::DescribeKeyInput;
    type Output = api::DescribeKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "DescribeKey", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let found = reference::find_or_make(cx, &input.key_id)?;
        Ok(api::DescribeKeyOutput { key_metadata: Some(found.key.shown(&found.scope)) })
    }
}

pub(crate) struct ListKeys;

impl Operation for ListKeys {
    const SHAPE: &'static OperationShape = &api::LIST_KEYS;
    type Input = api::ListKeysInput;
    type Output = api::ListKeysOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("kms:ListKeys", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let entry = |(id, key): (&str, &KeyRecord)| api::KeyListEntry {
            key_id: Some(id.to_owned()),
            key_arn: Some(key.arn(&cx.scope)),
        };
        let keys = cx.scan::<KeyRecord>("").map(entry).collect();
        let page = page(keys, input.marker.as_deref(), input.limit, 100)?;
        Ok(api::ListKeysOutput { keys: page.items, next_marker: page.next, truncated: page.truncated })
    }
}

pub(crate) struct UpdateKeyDescription;

impl Operation for UpdateKeyDescription {
    const SHAPE: &'static OperationShape = &api::UPDATE_KEY_DESCRIPTION;
    type Input = api::UpdateKeyDescriptionInput;
    type Output = api::UpdateKeyDescriptionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "UpdateKeyDescription", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.lasting(&cx.scope)?;
        key.description = input.description;
        cx.put(&key.id.clone(), key);
        Ok(api::UpdateKeyDescriptionOutput {})
    }
}

pub(crate) struct EnableKey;

impl Operation for EnableKey {
    const SHAPE: &'static OperationShape = &api::ENABLE_KEY;
    type Input = api::EnableKeyInput;
    type Output = api::EnableKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "EnableKey", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.lasting(&cx.scope)?;
        key.state = KeyState::Enabled;
        // A rotation that fell due meanwhile.
        if key.rotation.as_ref().is_some_and(|rotation| rotation.next <= cx.time()) {
            jobs::rotate_now(cx, &mut key)?;
        }
        cx.put(&key.id.clone(), key);
        Ok(api::EnableKeyOutput {})
    }
}

pub(crate) struct DisableKey;

impl Operation for DisableKey {
    const SHAPE: &'static OperationShape = &api::DISABLE_KEY;
    type Input = api::DisableKeyInput;
    type Output = api::DisableKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "DisableKey", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.lasting(&cx.scope)?;
        key.state = KeyState::Disabled;
        cx.put(&key.id.clone(), key);
        Ok(api::DisableKeyOutput {})
    }
}
