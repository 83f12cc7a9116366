//! The smaller parts of a container definition.

use neargate_l1::{Value, ecs::task_definition as l1};

use crate::Duration;

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// What is spoken on a port, for ECS Service Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppProtocol {
    /// HTTP/1.1.
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
}

/// A port that a container listens on. On Fargate the host's port is the container's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortMapping {
    /// The port.
    pub container_port: u16,
    /// Default: TCP.
    pub protocol: Protocol,
    /// A name for Service Connect. Default: none.
    pub name: Option<String>,
    /// What is spoken; needs a name. Default: plain TCP.
    pub app_protocol: Option<AppProtocol>,
}

impl PortMapping {
    pub(super) fn render(&self) -> l1::PortMapping {
        let app_protocol = self.app_protocol.map(|protocol| match protocol {
            AppProtocol::Http => "http",
            AppProtocol::Http2 => "http2",
            AppProtocol::Grpc => "grpc",
        });
        l1::PortMapping {
            app_protocol: app_protocol.map(Value::from),
            container_port: Some(i64::from(self.container_port).into()),
            name: self.name.as_deref().map(Value::from),
            protocol: Some(if self.protocol == Protocol::Udp { "udp" } else { "tcp" }.into()),
            ..Default::default()
        }
    }
}

/// How Amazon ECS finds out whether a container is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// A shell command as one string, or `["CMD", …]`, or `["CMD-SHELL", …]`.
    pub command: Vec<String>,
    /// Between checks, 5 to 300 seconds. Default: 30.
    pub interval: Duration,
    /// How long a check may take, 2 to 60 seconds. Default: 5.
    pub timeout: Duration,
    /// After how many failures in a row it is unwell, 1 to 10. Default: 3.
    pub retries: i64,
    /// For how long failures do not count, up to 300 seconds. Default: none.
    pub start_period: Option<Duration>,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            command: vec![],
            interval: Duration::seconds(30),
            timeout: Duration::seconds(5),
            retries: 3,
            start_period: None,
        }
    }
}

impl HealthCheck {
    pub(super) fn render(&self) -> l1::HealthCheck {
        let mut command: Vec<Value<String>> = Vec::new();
        match self.command.as_slice() {
            [_] => command.push("CMD-SHELL".into()),
            [first, ..] if first != "CMD" && first != "CMD-SHELL" => command.push("CMD".into()),
            _ => {}
        }
        command.extend(self.command.iter().map(|word| Value::from(word.as_str())));
        l1::HealthCheck {
            command: Some(command.into()),
            interval: Some(self.interval.to_seconds().into()),
            retries: Some(self.retries.into()),
            start_period: self.start_period.map(|period| period.to_seconds().into()),
            timeout: Some(self.timeout.to_seconds().into()),
        }
    }

    /// What Amazon ECS would refuse.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut within = |name: &str, value: i64, least: i64, most: i64| {
            if !(least..=most).contains(&value) {
                problems.push(format!("`health_check.{name}` is {value}: expected {least} to {most}"));
            }
        };
        within("interval", self.interval.to_seconds(), 5, 300);
        within("timeout", self.timeout.to_seconds(), 2, 60);
        within("retries", self.retries, 1, 10);
        within("start_period", self.start_period.map_or(0, Duration::to_seconds), 0, 300);
        if self.command.is_empty() {
            problems.push("`health_check.command` is empty: expected at least one word".to_owned());
        }
        if self.interval < self.timeout {
            problems.push("`health_check.interval` is shorter than its `timeout`".to_owned());
        }
        problems
    }
}

/// A limit on what a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of `setrlimit`")]
pub enum UlimitName {
    Core,
    Cpu,
    Data,
    Fsize,
    Locks,
    Memlock,
    Msgqueue,
    Nice,
    Nofile,
    Nproc,
    Rss,
    Rtprio,
    Rttime,
    Sigpending,
    Stack,
}

/// A limit with its soft and hard value. Fargate lets only `nofile` differ from the host's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// What is limited.
    pub name: UlimitName,
    /// The value that counts at first.
    pub soft_limit: i64,
    /// The value up to which a process may raise it.
    pub hard_limit: i64,
}

impl Ulimit {
    pub(super) fn render(&self) -> l1::Ulimit {
        l1::Ulimit {
            hard_limit: Some(self.hard_limit.into()),
            name: Some(format!("{:?}", self.name).to_lowercase().into()),
            soft_limit: Some(self.soft_limit.into()),
        }
    }
}

/// Where a volume of the task appears in the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountPoint {
    /// The path in the container.
    pub container_path: String,
    /// Whether the container may only read.
    pub read_only: bool,
    /// The name of the task definition's volume.
    pub source_volume: String,
}

impl MountPoint {
    pub(super) fn render(&self) -> l1::MountPoint {
        l1::MountPoint {
            container_path: Some(self.container_path.as_str().into()),
            read_only: Some(self.read_only.into()),
            source_volume: Some(self.source_volume.as_str().into()),
        }
    }
}

/// The volumes of another container of the task, mounted at the same places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFrom {
    /// The other container's name.
    pub source_container: String,
    /// Whether this container may only read.
    pub read_only: bool,
}

impl VolumeFrom {
    pub(super) fn render(&self) -> l1::VolumeFrom {
        l1::VolumeFrom {
            read_only: Some(self.read_only.into()),
            source_container: Some(self.source_container.as_str().into()),
        }
    }
}

/// Memory that a container sees as a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tmpfs {
    /// The path in the container.
    pub container_path: String,
    /// Its size.
    pub size_mib: i64,
    /// Options of `mount`, such as `noexec`.
    pub mount_options: Vec<String>,
}

/// Linux options that Fargate supports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinuxParameters {
    /// Whether a process that reaps zombies and passes signals on runs first. Default: no.
    pub init_process_enabled: Option<bool>,
    /// Kernel capabilities to add: Fargate allows `SYS_PTRACE`.
    pub add_capabilities: Vec<String>,
    /// Kernel capabilities to take away.
    pub drop_capabilities: Vec<String>,
    /// Memory as directories.
    pub tmpfs: Vec<Tmpfs>,
}

impl LinuxParameters {
    pub(super) fn render(&self) -> l1::LinuxParameters {
        let names = |names: &[String]| {
            let names: Vec<Value<String>> = names.iter().map(|name| Value::from(name.as_str())).collect();
            (!names.is_empty()).then(|| names.into())
        };
        let capabilities =
            l1::KernelCapabilities { add: names(&self.add_capabilities), drop: names(&self.drop_capabilities) };
        let tmpfs: Vec<Value<l1::Tmpfs>> = self
            .tmpfs
            .iter()
            .map(|tmpfs| {
                let rendered = l1::Tmpfs {
                    container_path: Some(tmpfs.container_path.as_str().into()),
                    mount_options: names(&tmpfs.mount_options),
                    size: Some(tmpfs.size_mib.into()),
                };
                rendered.into()
            })
            .collect();
        l1::LinuxParameters {
            capabilities: Some(capabilities.into()),
            init_process_enabled: self.init_process_enabled.map(Value::Literal),
            tmpfs: (!tmpfs.is_empty()).then(|| tmpfs.into()),
            ..Default::default()
        }
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let refused = self.add_capabilities.iter().filter(|name| *name != "SYS_PTRACE");
        refused.map(|name| format!("the capability `{name}` cannot be added on Fargate: only `SYS_PTRACE`")).collect()
    }
}
