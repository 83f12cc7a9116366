//! What a task is made of, as the runtime needs it: resolved, without references to any service.
//!
//! The engine resolves images, secrets, roles and volumes first; what arrives here is complete, so that a task can be
//! started, adopted and removed without asking anyone. The specification is written to the task's directory before
//! anything is started (the intent), as JSON with a format version.
//!
//! Invariant: a specification names nothing of this machine but host directories to mount.
//!
//! Invariant: secrets and the spool key are in its memory alone: its JSON form has no place for them, so whoever reads
//! that has to be told them by another way.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::secret::{SecretText, SpoolKey};

/// The version of the specification's JSON form that this build writes and reads.
pub const SPEC_FORMAT: u32 = 1;

/// The id of a task: 32 lowercase hexadecimal digits, the last part of its ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(Box<str>);

impl TaskId {
    /// Reads 32 lowercase hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Self(text.into()));
        }
        Err(format!("`{text}` is no task id: expected 32 lowercase hexadecimal digits"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last 12 digits, for names of kernel objects, which are short.
    #[cfg(target_os = "linux")]
    pub(crate) fn short(&self) -> &str {
        self.0.get(20..).unwrap_or(&self.0)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TaskId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0.into()
    }
}

/// An IPv4 address range such as `10.0.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ipv4Cidr {
    /// The network address (host bits cleared).
    pub network: Ipv4Addr,
    /// The prefix length in bits, 0 to 32.
    pub prefix_len: u8,
}

impl Ipv4Cidr {
    /// The address `offset` after the network address: 1 is a subnet's router, 2 a VPC's resolver.
    pub fn host(&self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network).wrapping_add(offset))
    }

    /// Whether the address lies in the range.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.prefix_len) == u32::from(self.network)
    }
}

fn mask(prefix_len: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix_len.min(32))).unwrap_or(0)
}

impl FromStr for Ipv4Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no address range: expected something like `10.0.0.0/16`");
        let (address, length) = text.split_once('/').ok_or_else(bad)?;
        let address: Ipv4Addr = address.parse().map_err(|_| bad())?;
        let prefix_len: u8 = length.parse().ok().filter(|n| *n <= 32).ok_or_else(bad)?;
        Ok(Self { network: Ipv4Addr::from(u32::from(address) & mask(prefix_len)), prefix_len })
    }
}

impl fmt::Display for Ipv4Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix_len)
    }
}

impl TryFrom<String> for Ipv4Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Ipv4Cidr> for String {
    fn from(cidr: Ipv4Cidr) -> Self {
        cidr.to_string()
    }
}

/// The task's elastic network interface and the VPC it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskNetwork {
    /// `vpc-…`: tasks of one VPC share a router.
    pub vpc_id: String,
    /// The VPC's primary range.
    pub vpc_cidr: Ipv4Cidr,
    /// `eni-…`.
    pub eni_id: String,
    /// The interface's private address.
    pub private_ip: Ipv4Addr,
    /// The subnet's range; its first address is the router.
    pub subnet_cidr: Ipv4Cidr,
    /// The interface's hardware address, `02:…`.
    pub mac: String,
    /// The containers' host name, such as `ip-10-0-1-7.ec2.internal`.
    pub hostname: String,
}

/// A task: containers that share a network namespace and a size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// [`SPEC_FORMAT`].
    pub format: u32,
    /// The task.
    pub task_id: TaskId,
    /// Its network interface.
    pub network: TaskNetwork,
    /// CPU units of the whole task (1024 are one processor); 0 is no limit.
    pub cpu_units: u32,
    /// Memory of the whole task in MiB; 0 is no limit.
    pub memory_mib: u32,
    /// Ephemeral storage in GiB.
    pub ephemeral_gib: u32,
    /// The containers, in the order in which they are started.
    pub containers: Vec<ContainerSpec>,
    /// The key under which the containers' output lies on disk; the same at every [`crate::Backend::adopt`] of the task.
    /// Not in the JSON form: what is read from that has none, and cannot be started.
    #[serde(skip, default = "SpoolKey::not_given")]
    pub spool_key: SpoolKey,
    /// What the engine wants back after a restart (task ARN, group …); the runtime does not read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, String)>,
}

impl TaskSpec {
    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&ContainerSpec> {
        self.containers.iter().find(|container| container.name == name)
    }
}

/// One container, with image configuration and overrides already merged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The name within the task: letters, digits, `-` and `_`, at most 255.
    pub name: String,
    /// The image's unpacked layers, **lowest first**; read-only to the runtime.
    pub lower_dirs: Vec<PathBuf>,
    /// Entry point and command.
    pub argv: Vec<String>,
    /// The environment, in order; a later entry of the same name wins.
    pub env: Vec<(String, String)>,
    /// Variables whose values are secrets; they win over those of the same name in `env`. Not in the JSON form, and not
    /// needed to adopt a task, which has them already.
    #[serde(skip)]
    pub secrets: Vec<(String, SecretText)>,
    /// `user`, `user:group`, ids or names of the image; empty is root.
    pub user: String,
    /// The working directory; empty is `/`, and it is made where it is missing.
    pub working_dir: String,
    /// CPU units: a weight among the task's containers; 0 is the least.
    pub cpu_units: u32,
    /// Hard memory limit in MiB; 0 is only the task's.
    pub memory_mib: u32,
    /// Soft memory limit in MiB; 0 is none.
    pub memory_reservation_mib: u32,
    /// Whether the root file system is read-only.
    pub readonly_root: bool,
    /// Whether a small init process is PID 1: forwards signals, reaps orphans.
    pub init: bool,
    /// The signal that asks the container to end, `SIGTERM` or `15`; empty is `SIGTERM`.
    pub stop_signal: String,
    /// Seconds from the stop signal to SIGKILL, where a stop order does not say.
    pub stop_timeout_s: u32,
    /// Resource limits beyond Fargate's default (nofile 65535).
    pub ulimits: Vec<Ulimit>,
    /// Capabilities added to the default set, without `CAP_`.
    pub capabilities_add: Vec<String>,
    /// Capabilities dropped from the default set, or `ALL`.
    pub capabilities_drop: Vec<String>,
    /// Memory file systems.
    pub tmpfs: Vec<Tmpfs>,
    /// Host directories or files mounted into the container: task volumes, EFS, volumes from other containers.
    pub mounts: Vec<BindMount>,
    /// Kernel parameters of the container's namespaces, such as `net.ipv4.tcp_keepalive_time`.
    pub system_controls: Vec<(String, String)>,
    /// Whether the container starts with the task; otherwise it waits for an order.
    pub start_on_launch: bool,
}

impl ContainerSpec {
    /// A container with Fargate's defaults: started at launch, SIGTERM, 30 s.
    pub fn new(name: &str, lower_dirs: Vec<PathBuf>, argv: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            lower_dirs,
            argv,
            env: Vec::new(),
            secrets: Vec::new(),
            user: String::new(),
            working_dir: String::new(),
            cpu_units: 0,
            memory_mib: 0,
            memory_reservation_mib: 0,
            readonly_root: false,
            init: false,
            stop_signal: String::new(),
            stop_timeout_s: 30,
            ulimits: Vec::new(),
            capabilities_add: Vec::new(),
            capabilities_drop: Vec::new(),
            tmpfs: Vec::new(),
            mounts: Vec::new(),
            system_controls: Vec::new(),
            start_on_launch: true,
        }
    }
}

/// A resource limit, named as in a task definition (`nofile`, `nproc`, `core` …).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// The limit's name.
    pub name: String,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit.
    pub hard: u64,
}

/// A memory file system in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Where, absolute.
    pub container_path: String,
    /// The size in MiB.
    pub size_mib: u32,
    /// Mount options as a task definition spells them: `noexec`, `ro`, `mode=1777` …
    pub options: Vec<String>,
}

/// A directory or file of the host, seen in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindMount {
    /// The host's directory or file; it must exist.
    pub source: PathBuf,
    /// Where, absolute.
    pub container_path: String,
    /// Whether the container may not write to it.
    pub read_only: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> String {
        match text.parse::<Ipv4Cidr>() {
            Ok(cidr) => format!("{cidr} router {} resolver {}", cidr.host(1), cidr.host(2)),
            Err(e) => e,
        }
    }

    #[test]
    fn ranges_are_read_and_counted_from_their_first_address() {
        assert_eq!(cidr("10.0.1.77/24"), "10.0.1.0/24 router 10.0.1.1 resolver 10.0.1.2");
        assert_eq!(cidr("0.0.0.0/0"), "0.0.0.0/0 router 0.0.0.1 resolver 0.0.0.2");
        assert_eq!(cidr("10.0.0.5/32"), "10.0.0.5/32 router 10.0.0.6 resolver 10.0.0.7");
        assert_eq!(cidr("10.0.0.0/33"), "`10.0.0.0/33` is no address range: expected something like `10.0.0.0/16`");
        assert_eq!(cidr("ten"), "`ten` is no address range: expected something like `10.0.0.0/16`");
        let range: Ipv4Cidr = "10.0.16.0/20".parse().unwrap();
        assert!(range.contains("10.0.31.255".parse().unwrap()) && !range.contains("10.0.32.0".parse().unwrap()));
    }

    #[test]
    fn task_ids_are_32_lowercase_hexadecimal_digits() {
        assert!(TaskId::parse("0123456789abcdef0123456789abcdef").is_ok());
        for bad in ["", "0123", "0123456789ABCDEF0123456789abcdef", "../3456789abcdef0123456789abcdef"] {
            assert!(TaskId::parse(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<TaskId>("\"..\"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_specification_comes_back_from_json_without_its_secrets(name in ".*", argv in proptest::collection::vec(".*", 0..4), env in proptest::collection::vec((".*", ".*"), 0..4), units in 0_u32.., host in 0_u32..) {
            let mut container = ContainerSpec::new(&name, vec![PathBuf::from("/layer")], argv);
            container.env = env;
            container.cpu_units = units;
            container.secrets.push(("TOKEN".to_owned(), SecretText::from("hunter2hunter2".to_owned())));
            container.tmpfs.push(Tmpfs { container_path: name.clone(), size_mib: units, options: Vec::new() });
            let address = Ipv4Addr::from(host);
            let network = TaskNetwork {
                vpc_id: name.clone(), vpc_cidr: format!("{address}/16").parse().unwrap(), eni_id: name.clone(), private_ip: address,
                subnet_cidr: format!("{address}/24").parse().unwrap(), mac: name.clone(), hostname: name,
            };
            let mut spec = TaskSpec {
                format: SPEC_FORMAT, task_id: TaskId::parse(&format!("{units:032x}")).unwrap(), network, cpu_units: units,
                memory_mib: units, ephemeral_gib: 21, containers: vec![container],
                spool_key: SpoolKey::new([0x41; 32]), labels: vec![("a".to_owned(), "b".to_owned())],
            };
            let text = serde_json::to_string(&spec).unwrap();
            proptest::prop_assert!(!text.contains("hunter2hunter2") && !text.contains("TOKEN") && !text.contains("65,65"), "{}", text);
            // All comes back but what is not in it.
            spec.spool_key = SpoolKey::not_given();
            spec.containers.iter_mut().for_each(|container| container.secrets.clear());
            proptest::prop_assert_eq!(serde_json::from_str::<TaskSpec>(&text).unwrap(), spec);
        }
    }
}
