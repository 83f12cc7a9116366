//! What a container is made with.

use std::collections::BTreeMap;

use neargate_l1::Value;

use super::container_parts::{HealthCheck, LinuxParameters, PortMapping, Ulimit};
use super::image::ContainerImage;
use super::log_driver::LogDriver;
use super::secret::Secret;
use crate::Duration;

/// Properties of a [`super::ContainerDefinition`].
#[derive(Clone, Debug, Default)]
pub struct ContainerDefinitionProps {
    /// The image; required.
    pub image: Option<ContainerImage>,
    /// The name. Default: the id.
    pub container_name: Option<String>,
    /// The command: the image's `CMD` is replaced. Default: the image's.
    pub command: Option<Vec<Value<String>>>,
    /// The entry point: the image's `ENTRYPOINT` is replaced. Default: the image's.
    pub entry_point: Option<Vec<Value<String>>>,
    /// CPU units set aside: 1024 are a vCPU. Default: a share of the task's.
    pub cpu: Option<Value<i64>>,
    /// The memory at which the container is killed, at least 6 MiB. Default: the task's.
    pub memory_limit_mib: Option<Value<i64>>,
    /// The memory set aside, at most the limit. Default: none.
    pub memory_reservation_mib: Option<Value<i64>>,
    /// Environment variables.
    pub environment: BTreeMap<String, Value<String>>,
    /// Environment variables with secret values.
    pub secrets: BTreeMap<String, Secret>,
    /// Whether the task stops when this container does. Default: yes.
    pub essential: Option<bool>,
    /// Whether the container is well. Default: nobody asks.
    pub health_check: Option<HealthCheck>,
    /// Whether standard input stays open. Default: no.
    pub interactive: Option<bool>,
    /// Whether there is a terminal. Default: no.
    pub pseudo_terminal: Option<bool>,
    /// Linux options. Default: none.
    pub linux_parameters: Option<LinuxParameters>,
    /// Where output goes. Default: nowhere.
    pub logging: Option<LogDriver>,
    /// Ports that the container listens on.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the image's files cannot be changed. Default: they can.
    pub readonly_root_filesystem: Option<bool>,
    /// How long other containers wait for this one, up to 120 seconds. Default: 180 seconds.
    pub start_timeout: Option<Duration>,
    /// How long it may take to stop before it is killed, up to 120 seconds. Default: 30 seconds.
    pub stop_timeout: Option<Duration>,
    /// Limits on what its processes may use.
    pub ulimits: Vec<Ulimit>,
    /// `user`, `user:group`, or ids. Default: the image's.
    pub user: Option<String>,
    /// The directory that the command runs in. Default: the image's.
    pub working_directory: Option<String>,
    /// Labels that the container runtime shows.
    pub docker_labels: BTreeMap<String, String>,
    /// Kernel parameters of the container, by name.
    pub system_controls: BTreeMap<String, String>,
    /// Whether the image's tag is resolved to a digest once for all tasks of a deployment. Default: yes.
    pub version_consistency: Option<bool>,
    /// Whether the container is started again when it ends. Default: no, but yes where one of the next two is given.
    pub enable_restart_policy: Option<bool>,
    /// Exit codes after which it is not started again, at most 50.
    pub restart_ignored_exit_codes: Option<Vec<i64>>,
    /// How long it must have run to be started again, 60 to 1800 seconds. Default: 300 seconds.
    pub restart_attempt_period: Option<Duration>,
}
