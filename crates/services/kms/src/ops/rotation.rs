//! `EnableKeyRotation`, `DisableKeyRotation`, `GetKeyRotationStatus`, `RotateKeyOnDemand`, `ListKeyRotations`.
//!
//! A rotation on demand is done when the call returns; AWS takes a while.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::on_key;
use crate::errors::KmsError;
use crate::state::{KeyRecord, KeyState, Material};
use crate::{api, reference};

const PERIOD_DAYS: i32 = 365;
const ON_DEMAND_MAX: usize = 25;

pub(crate) struct EnableKeyRotation;

impl Operation for EnableKeyRotation {
    const SHAPE: &'static OperationShape = &api::ENABLE_KEY_ROTATION;
    type Input = api::EnableKeyRotationInput;
    type Output = api::EnableKeyRotationOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let days = input.rotation_period_in_days.unwrap_or(PERIOD_DAYS);
        on_key(cx, "EnableKeyRotation", &input.key_id).with("kms:RotationPeriodInDays", days.to_string()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.usable(&cx.scope)?;
        let days = input.rotation_period_in_days.unwrap_or(PERIOD_DAYS);
        if key.rotation.as_ref().is_none_or(|rotation| rotation.period_days != days) {
            key.rotate_every(cx, days);
            cx.put(&key.id.clone(), key);
        }
        Ok(api::EnableKeyRotationOutput {})
    }
}

pub(crate) struct DisableKeyRotation;

impl Operation for DisableKeyRotation {
    const SHAPE: &'static OperationShape = &api::DISABLE_KEY_ROTATION;
    type Input = api::DisableKeyRotationInput;
    type Output = api::DisableKeyRotationOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "DisableKeyRotation", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.usable(&cx.scope)?;
        key.stop_rotation(cx);
        cx.put(&key.id.clone(), key);
        Ok(api::DisableKeyRotationOutput {})
    }
}

pub(crate) struct GetKeyRotationStatus;

impl Operation for GetKeyRotationStatus {
    const SHAPE: &'static OperationShape = &api::GET_KEY_ROTATION_STATUS;
    type Input = api::GetKeyRotationStatusInput;
    type Output = api::GetKeyRotationStatusOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "GetKeyRotationStatus", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let found = reference::find_key(cx, &input.key_id)?;
        let is_lasting = !matches!(found.key.state, KeyState::PendingDeletion { .. });
        let rotation = found.key.rotation.as_ref().filter(|_| is_lasting);
        Ok(api::GetKeyRotationStatusOutput {
            key_rotation_enabled: Some(rotation.is_some()),
            key_id: Some(found.arn()),
            rotation_period_in_days: rotation.map(|rotation| rotation.period_days),
            next_rotation_date: rotation.map(|rotation| rotation.next),
            on_demand_rotation_start_date: None,
        })
    }
}

pub(crate) struct RotateKeyOnDemand;

impl Operation for RotateKeyOnDemand {
    const SHAPE: &'static OperationShape = &api::ROTATE_KEY_ON_DEMAND;
    type Input = api::RotateKeyOnDemandInput;
    type Output = api::RotateKeyOnDemandOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "RotateKeyOnDemand", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.usable(&cx.scope)?;
        let arn = key.arn(&cx.scope);
        let on_demand = |material: &&Material| material.rotation.as_deref() == Some("ON_DEMAND");
        if key.materials.iter().filter(on_demand).count() >= ON_DEMAND_MAX {
            return Err(KmsError::RotationLimit(arn).into());
        }
        key.add_material(cx, Some("ON_DEMAND"))?;
        cx.put(&key.id.clone(), key);
        Ok(api::RotateKeyOnDemandOutput { key_id: Some(arn) })
    }
}

pub(crate) struct ListKeyRotations;

impl Operation for ListKeyRotations {
    const SHAPE: &'static OperationShape = &api::LIST_KEY_ROTATIONS;
    type Input = api::ListKeyRotationsInput;
    type Output = api::ListKeyRotationsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "ListKeyRotations", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let found = reference::find_key(cx, &input.key_id)?;
        let has_first = input.include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
        let arn = found.arn();
        let shown = |material: &Material| entry(&arn, &found.key, material);
        let materials = found.key.materials.iter().filter(|material| has_first || material.rotation.is_some());
        let page = page(materials.map(shown).collect(), input.marker.as_deref(), input.limit, 100)?;
        Ok(api::ListKeyRotationsOutput { rotations: page.items, next_marker: page.next, truncated: page.truncated })
    }
}

fn entry(arn: &str, key: &KeyRecord, material: &Material) -> api::RotationsListEntry {
    let is_latest = key.materials.last() == Some(material);
    api::RotationsListEntry {
        key_id: Some(arn.to_owned()),
        key_material_id: Some(material.id.clone()),
        key_material_state: Some(if is_latest { "CURRENT" } else { "NON_CURRENT" }.to_owned()),
        rotation_date: material.rotation.as_ref().map(|_| material.made),
        rotation_type: material.rotation.clone(),
        ..api::RotationsListEntry::default()
    }
}
