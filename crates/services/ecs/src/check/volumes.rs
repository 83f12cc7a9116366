//! Volumes and where containers mount them.

use std::collections::BTreeSet;

use super::{client, name};
use crate::api::{EFSVolumeConfiguration, RegisterTaskDefinitionInput, Volume};
use crate::errors::EcsError;

/// Every mount point is of a volume that there is, and every volume makes sense.
pub(super) fn check(input: &RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let mut volumes: BTreeSet<&str> = BTreeSet::new();
    for volume in input.volumes.iter().flatten() {
        let name = volume.name.as_deref().unwrap_or_default();
        if name.is_empty() {
            return client("Volume name should not be null or empty.");
        }
        if !volumes.insert(name) {
            return client(format!("Volume names must be unique within a task definition: {name}"));
        }
        if let Some(efs) = &volume.efs_volume_configuration {
            check_efs(efs)?;
        }
    }
    let containers = &input.container_definitions;
    let mut mounted: BTreeSet<&str> = BTreeSet::new();
    for container in containers {
        for mount in container.mount_points.iter().flatten() {
            let source = mount.source_volume.as_deref().unwrap_or_default();
            if !volumes.contains(source) {
                return client(format!("Unknown volume '{source}'."));
            }
            if mount.container_path.as_deref().unwrap_or_default().is_empty() {
                return client(format!(
                    "Invalid setting for container '{}'. Mount point container path should not be null or empty.",
                    name(container)
                ));
            }
            mounted.insert(source);
        }
        for from in container.volumes_from.iter().flatten() {
            let source = from.source_container.as_deref().unwrap_or_default();
            if !containers.iter().any(|other| name(other) == source) {
                return client(format!("Invalid 'volumesFrom' setting. Unknown container: '{source}'"));
            }
        }
    }
    let is_idle = |it: &&Volume| {
        it.configured_at_launch == Some(true) && it.name.as_deref().is_none_or(|name| !mounted.contains(name))
    };
    let idle: Vec<_> = input.volumes.iter().flatten().filter(is_idle).filter_map(|it| it.name.as_deref()).collect();
    if idle.is_empty() {
        return Ok(());
    }
    client(format!("Volumes [{}] are not referenced by any of the containers.", idle.join(", ")))
}

fn check_efs(efs: &EFSVolumeConfiguration) -> Result<(), EcsError> {
    let is_encrypted = efs.transit_encryption.as_deref() == Some("ENABLED");
    let authorization = efs.authorization_config.as_ref();
    let root = efs.root_directory.as_deref().unwrap_or("/");
    if authorization.and_then(|it| it.iam.as_deref()) == Some("ENABLED") && !is_encrypted {
        return client("EFS IAM authorization requires TransitEncryption to be enabled.");
    }
    if authorization.is_some_and(|it| it.access_point_id.is_some()) {
        if !matches!(root, "" | "/") {
            return client(
                "When using an EFS access point, the root directory must either be set to \"/\" or be omitted.",
            );
        }
        if !is_encrypted {
            return client("EFS access points require TransitEncryption to be enabled.");
        }
    }
    if efs.transit_encryption_port.is_some() && !is_encrypted {
        return client("TransitEncryptionPort requires that TransitEncryption is enabled.");
    }
    Ok(())
}
