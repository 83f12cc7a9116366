//! A VPC is a network namespace that routes between its tasks.
//!
//! Each task has a namespace of its own, joined to the VPC's by a pair of interfaces. The task's end has the private
//! address and a default route to the subnet's router address; the VPC's end has a host route to the task. Each side
//! knows the other's hardware address beforehand (permanent neighbours), so nothing is ever asked by ARP: no bridge, no
//! proxy ARP, whose answers the kernel delays by up to 0.8 s, and no first packet that waits.
//!
//! Invariant: the host's own network namespace is never touched.
//!
//! Invariant: a VPC's namespace is pinned by a bind mount at `<run>/net/<vpc>`, made and removed under `<vpc>.lock`.

mod netlink;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use self::netlink::{End, Mac, Netlink};
use super::paths::Layout;
use crate::spec::{Ipv4Cidr, TaskId, TaskNetwork};
use crate::sys;

/// The interface that has the private address in a task, named as on Fargate.
const TASK_INTERFACE: &str = "eth1";
/// Where tasks ask for their metadata and credentials.
const TASK_ENDPOINT: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
/// The resolver's place in a VPC's range.
const RESOLVER: u32 = 2;
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// Moves the calling thread into a network namespace.
pub(super) fn join_netns(netns: &OwnedFd) -> io::Result<()> {
    use std::os::fd::AsFd;
    move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(())
}

/// Makes the task's network namespace, connects it to its VPC and leaves the calling process in it.
pub(super) fn connect(layout: &Layout, network: &TaskNetwork, task: &TaskId) -> io::Result<OwnedFd> {
    let mac = parse_mac(&network.mac)?;
    let dir = layout.net_dir();
    let lock = lock_vpc(&dir, &network.vpc_id)?;
    let router = enter_router(&dir.join(&network.vpc_id), network.vpc_cidr)?;
    let router_link = Netlink::open()?;

    sys::unshare(libc::CLONE_NEWNET)?;
    let netns = own_netns()?;
    let task_link = Netlink::open()?;
    let [first, rest @ ..] = mac;
    let router_mac: Mac = {
        let [a, b, c, d, e] = rest;
        [first ^ 0x08, a, b, c, d, e]
    };
    let name = format!("ng{}", task.short());
    let there = End { name: &name, mac: router_mac };
    task_link.add_pair(&End { name: TASK_INTERFACE, mac }, &there, &router)?;

    let gateway = network.subnet_cidr.host(1);
    let index = router_link.index(&name)?;
    router_link.up(index)?;
    router_link.add_address(router_link.index("lo")?, gateway, 32)?;
    router_link.add_host_route(index, network.private_ip, gateway)?;
    router_link.add_neighbour(index, network.private_ip, mac)?;
    drop(lock);

    task_link.up(task_link.index("lo")?)?;
    let index = task_link.index(TASK_INTERFACE)?;
    task_link.add_address(index, network.private_ip, network.subnet_cidr.prefix_len)?;
    task_link.up(index)?;
    task_link.add_neighbour(index, gateway, router_mac)?;
    task_link.add_default_route(index, gateway)?;
    Ok(netns)
}

/// Enters the VPC's namespace, making it where it is not there yet.
fn enter_router(pin: &Path, cidr: Ipv4Cidr) -> io::Result<OwnedFd> {
    if is_pinned(pin) {
        let router = rustix::fs::open(pin, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        join_netns(&router)?;
        return Ok(router);
    }
    sys::unshare(libc::CLONE_NEWNET)?;
    let link = Netlink::open()?;
    let lo = link.index("lo")?;
    link.up(lo)?;
    link.add_address(lo, TASK_ENDPOINT, 32)?;
    link.add_address(lo, cidr.host(RESOLVER), 32)?;
    fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
    fs::write(pin, "")?;
    mount_bind("/proc/thread-self/ns/net", pin)?;
    own_netns()
}

/// Makes a pair of interfaces in the caller's network namespace, to see whether it can be done.
pub(super) fn try_pair() -> io::Result<String> {
    let link = Netlink::open()?;
    let ends = [End { name: "ngprobe0", mac: [2, 0, 0, 0, 0, 1] }, End { name: "ngprobe1", mac: [2, 0, 0, 0, 0, 2] }];
    let [here, there] = ends;
    link.add_pair(&here, &there, &own_netns()?)?;
    link.up(link.index("ngprobe0")?)?;
    Ok("routed `veth` pairs".to_owned())
}

pub(super) fn own_netns() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

fn is_pinned(pin: &Path) -> bool {
    rustix::fs::statfs(pin).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == NSFS_MAGIC))
}

fn lock_vpc(dir: &Path, vpc: &str) -> io::Result<OwnedFd> {
    fs::create_dir_all(dir)?;
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
    let lock = rustix::fs::open(dir.join(format!("{vpc}.lock")), flags, Mode::from_raw_mode(0o600))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    Ok(lock)
}

fn parse_mac(text: &str) -> io::Result<Mac> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut mac {
        let part = parts.next().filter(|part| part.len() == 2);
        *byte = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or_else(|| bad_mac(text))?;
    }
    if parts.next().is_some() { Err(bad_mac(text)) } else { Ok(mac) }
}

fn bad_mac(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("`{text}` is no hardware address"))
}

/// Makes a VPC's namespace where it is not there.
pub(super) fn keep_vpc(layout: &Layout, vpc: &str, cidr: Ipv4Cidr) -> io::Result<()> {
    let dir = layout.net_dir();
    on_a_thread(|| {
        let _lock = lock_vpc(&dir, vpc)?;
        enter_router(&dir.join(vpc), cidr).map(drop)
    })
}

/// Does something in a VPC's namespace, on a thread of its own; a socket that it opens stays in that namespace.
pub(super) fn in_vpc<T: Send>(layout: &Layout, vpc: &str, act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let router = rustix::fs::open(layout.net_dir().join(vpc), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    on_a_thread(|| {
        join_netns(&router)?;
        act()
    })
}

fn on_a_thread<T: Send>(act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let panicked = |_| Err(io::Error::other("the thread in the network namespace panicked"));
    std::thread::scope(|scope| scope.spawn(act).join().unwrap_or_else(panicked))
}

/// Lets go of a VPC's namespace; it ends with its last task.
pub(super) fn remove_vpc(layout: &Layout, vpc: &str) -> io::Result<bool> {
    let dir = layout.net_dir();
    let pin = dir.join(vpc);
    if !pin.exists() {
        return Ok(false);
    }
    let _lock = lock_vpc(&dir, vpc)?;
    while is_pinned(&pin) {
        unmount(&pin, UnmountFlags::DETACH)?;
    }
    fs::remove_file(&pin)?;
    Ok(true)
}

/// The VPCs that have a namespace, by name.
pub(super) fn vpcs(layout: &Layout) -> Vec<String> {
    let entries = fs::read_dir(layout.net_dir()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| Path::new(name).extension().is_none_or(|extension| extension != "lock"));
    names.sort();
    names
}

/// The files under `/etc` that all containers of a task have, each its own: hosts, resolver and host name.
pub(super) fn task_files(network: &TaskNetwork) -> [(&'static str, String); 3] {
    let TaskNetwork { hostname, private_ip, vpc_cidr, .. } = network;
    let search = hostname.split_once('.').map_or(String::new(), |(_, domain)| format!("search {domain}\n"));
    [
        ("hosts", format!("127.0.0.1 localhost\n::1 localhost\n{private_ip} {hostname}\n")),
        ("resolv.conf", format!("{search}nameserver {}\n", vpc_cidr.host(RESOLVER))),
        ("hostname", format!("{hostname}\n")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_read() {
        assert_eq!(parse_mac("02:00:0a:00:01:07").unwrap(), [2, 0, 10, 0, 1, 7]);
        for bad in ["", "02:00:0a:00:01", "02:00:0a:00:01:07:08", "02:00:0a:00:01:7"] {
            assert!(parse_mac(bad).is_err(), "{bad}");
        }
    }
}
