//! Background jobs: rotates keys, and removes those whose waiting period has passed (service time).

use neargate_kernel::{Cx, Due, Fault, Job};

use crate::state::{AliasRecord, GrantRecord, KeyRecord, KeyState, MS_PER_DAY};

/// A key's material is due.
pub(crate) const ROTATE: &str = "kms.rotate";
/// A key's waiting period is over.
pub(crate) const DELETE: &str = "kms.delete";

/// Gives a key new material and waits for the next time. A key that is disabled gets it when it is enabled again.
pub(crate) fn rotate(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let id = job.payload.as_str().unwrap_or_default();
    let Some(mut key) = cx.get::<KeyRecord>(id).cloned() else { return Ok(()) };
    if key.state == KeyState::Enabled {
        rotate_now(cx, &mut key)?;
    }
    cx.put(id, key);
    Ok(())
}

/// Rotates a key whose time has come, and says when it will be the next time.
pub(crate) fn rotate_now(cx: &mut Cx<'_>, key: &mut KeyRecord) -> Result<(), Fault> {
    let Some(mut rotation) = key.rotation.clone() else { return Ok(()) };
    key.add_material(cx, Some("AUTOMATIC"))?;
    let period_ms = i64::from(rotation.period_days) * MS_PER_DAY;
    while rotation.next <= cx.time() {
        rotation.next = rotation.next.plus_ms(period_ms.max(MS_PER_DAY));
    }
    rotation.job = cx.schedule(Due::Service(rotation.next), ROTATE, serde_json::Value::from(key.id.as_str()));
    key.rotation = Some(rotation);
    Ok(())
}

/// Deletes a key for good, with its aliases and grants. What was encrypted with it is lost.
pub(crate) fn delete(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let id = job.payload.as_str().unwrap_or_default();
    let Some(mut key) = cx.get::<KeyRecord>(id).cloned() else { return Ok(()) };
    key.stop_rotation(cx);
    let aliases = cx.scan::<AliasRecord>("").filter(|(_, alias)| alias.key_id == id);
    let aliases: Vec<_> = aliases.map(|(name, _)| name.to_owned()).collect();
    let grants: Vec<_> = cx.scan::<GrantRecord>(&format!("{id}/")).map(|(place, _)| place.to_owned()).collect();
    aliases.iter().for_each(|name| cx.delete::<AliasRecord>(name));
    grants.iter().for_each(|place| cx.delete::<GrantRecord>(place));
    cx.delete::<KeyRecord>(id);
    Ok(())
}
