//! Volumes of tasks.

use neargate_l1::{Value, ecs::task_definition as l1};

/// A file system of Amazon EFS as a volume.
#[derive(Clone, Debug, Default)]
pub struct EfsVolume {
    /// The file system's id; required.
    pub file_system_id: Value<String>,
    /// The directory that is mounted; not together with an access point. Default: `/`.
    pub root_directory: Option<String>,
    /// Whether traffic is encrypted. Default: no.
    pub transit_encryption: Option<bool>,
    /// The port of encrypted traffic. Default: the mount helper's choice.
    pub transit_encryption_port: Option<i64>,
    /// The access point's id; needs encrypted traffic. Default: none.
    pub access_point_id: Option<Value<String>>,
    /// Whether the task role counts; needs encrypted traffic. Default: no.
    pub iam: Option<bool>,
}

/// A volume of a task: empty at first, or a file system.
#[derive(Clone, Debug, Default)]
pub struct Volume {
    /// The name that mount points use.
    pub name: String,
    /// A file system of Amazon EFS. Default: an empty directory that lives as long as the task.
    pub efs: Option<EfsVolume>,
}

impl Volume {
    pub(super) fn render(&self) -> l1::Volume {
        let on_off = |on: bool| Value::from(if on { "ENABLED" } else { "DISABLED" });
        let efs = self.efs.as_ref().map(|efs| {
            let authorization = (efs.access_point_id.is_some() || efs.iam.is_some()).then(|| {
                let authorization =
                    l1::AuthorizationConfig { access_point_id: efs.access_point_id.clone(), iam: efs.iam.map(on_off) };
                authorization.into()
            });
            let configuration = l1::EfsVolumeConfiguration {
                authorization_config: authorization,
                filesystem_id: Some(efs.file_system_id.clone()),
                root_directory: efs.root_directory.as_deref().map(Value::from),
                transit_encryption: efs.transit_encryption.map(on_off),
                transit_encryption_port: efs.transit_encryption_port.map(Value::Literal),
            };
            configuration.into()
        });
        l1::Volume { efs_volume_configuration: efs, name: Some(self.name.as_str().into()), ..Default::default() }
    }
}
