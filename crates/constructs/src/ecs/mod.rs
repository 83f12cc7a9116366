//! Amazon ECS on AWS Fargate: clusters, task definitions and containers.
//!
//! What Fargate does not support has no field here: privileged containers, links, host paths, devices, GPUs, DNS settings, other
//! network modes than `awsvpc`. The typed escape hatch ([`crate::CfnResource::modify`]) reaches them all the same.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html>.

mod cluster;
mod container;
mod container_parts;
mod container_props;
mod definition;
mod image;
mod log_driver;
mod platform;
mod secret;
mod size;
mod task_definition;
mod volume;

pub use cluster::{Cluster, ClusterAttributes, ClusterProps, ContainerInsights};
pub use container_parts::{
    AppProtocol, HealthCheck, LinuxParameters, MountPoint, PortMapping, Protocol, Tmpfs, Ulimit, UlimitName, VolumeFrom,
};
pub use container_props::ContainerDefinitionProps;
pub use definition::{ContainerDefinition, ContainerDependency, ContainerDependencyCondition, FargateTaskDefinition};
pub use image::{AssetImageProps, ContainerImage};
pub use log_driver::{AwsLogDriverMode, AwsLogDriverProps, LogDriver};
pub use platform::{CpuArchitecture, FargatePlatformVersion, OperatingSystemFamily, RuntimePlatform};
pub use secret::{Secret, SecretVersionInfo};
pub use size::{FargateSize, is_fargate_size, nearest_fargate_sizes};
pub use task_definition::{FargateTaskDefinitionAttributes, FargateTaskDefinitionProps};
pub use volume::{EfsVolume, Volume};
