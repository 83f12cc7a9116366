//! Network interfaces: the port through which tasks get theirs, and the addresses behind it.
//!
//! Invariant: a private address belongs to one interface of its subnet; the lowest that is free is taken.
//!
//! Invariant: public addresses come from the blocks that are reserved for documentation and benchmarks; they are
//! recorded, and nothing reaches them.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use neargate_kernel::{Cx, Fault, Interface, InterfaceRequest, Networks};

use crate::cidr::Cidr;
use crate::errors::Ec2Error;
use crate::kind::{Kind, new_id};
use crate::state::{Address, NetworkInterface, SecurityGroup, Serves, Subnet, Vpc, forget, known};

/// The network interfaces of tasks.
#[derive(Clone, Copy, Debug)]
pub struct Interfaces;

impl Networks for Interfaces {
    fn attach(&self, cx: &mut Cx<'_>, request: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        let (subnet_id, subnet) = choose(cx, request.subnets)?;
        let vpc = known::<Vpc>(cx, &subnet.vpc)?;
        let groups = groups(cx, request.security_groups, &subnet.vpc, &vpc)?;
        let new = New { subnet: &subnet_id, serves: Serves::Task, description: request.description, groups };
        let (id, made) = make(cx, &subnet, new).ok_or_else(|| {
            let public = if request.public_ip { " with public IP assignment enabled" } else { "" };
            Fault::sender(
                "InsufficientFreeAddressesInSubnet",
                format!(
                    "Unexpected EC2 error while attempting to Create Network Interface{public} in subnet '{subnet_id}': \
                     InsufficientFreeAddressesInSubnet"
                ),
            )
        })?;
        if request.public_ip {
            let public_ip = free_public_ip(cx)?;
            cx.update::<NetworkInterface, _>(&id, |interface| interface.public_ip = Some(public_ip));
            cx.not_simulated(
                "ecs:RunTask awsvpcConfiguration.assignPublicIp",
                "the address is recorded; nothing reaches it",
            );
        }
        Ok(Interface {
            id,
            subnet_id,
            subnet_cidr: subnet.cidr.to_string(),
            availability_zone: subnet.zone,
            vpc_id: subnet.vpc,
            vpc_cidr: vpc.cidr.to_string(),
            private_ip: made.private_ip.to_string(),
            private_dns_name: private_dns_name(cx, made.private_ip),
            mac: made.mac,
        })
    }

    fn detach(&self, cx: &mut Cx<'_>, interface_id: &str) {
        forget::<NetworkInterface>(cx, interface_id);
    }
}

/// The subnet with the most free addresses, of several the first. All must exist and lie in one VPC.
fn choose(cx: &Cx<'_>, ids: &[String]) -> Result<(String, Subnet), Fault> {
    let mut subnets: Vec<(&String, Subnet)> = vec![];
    for id in ids {
        let subnet = known::<Subnet>(cx, id).map_err(|error| retrieving("subnet", id, error))?;
        if subnets.iter().any(|(_, other)| other.vpc != subnet.vpc) {
            return Err(refused("Subnets must all be in the same VPC.".to_owned()));
        }
        subnets.push((id, subnet));
    }
    // `max_by_key` takes the last of several, hence from the end.
    let best = subnets.into_iter().rev().max_by_key(|(id, subnet)| free_addresses(cx, id, subnet.cidr));
    let (id, subnet) = best.ok_or_else(|| refused("subnets can not be empty.".to_owned()))?;
    Ok((id.clone(), subnet))
}

/// The groups asked for, or the VPC's default group.
fn groups(cx: &Cx<'_>, ids: &[String], vpc_id: &str, vpc: &Vpc) -> Result<Vec<String>, Fault> {
    for id in ids {
        let group = known::<SecurityGroup>(cx, id).map_err(|error| retrieving("security group", id, error))?;
        if group.vpc != vpc_id {
            let text = format!("Security group {id} does not appear to belong to the same VPC as the input subnets.");
            return Err(refused(text));
        }
    }
    Ok(if ids.is_empty() { vec![vpc.default_group.clone()] } else { ids.to_vec() })
}

/// ECS's way of passing on what EC2 said.
fn retrieving(what: &str, id: &str, error: Ec2Error) -> Fault {
    let fault = Fault::from(error);
    refused(format!("Error retrieving {what} information for [{id}]: {} (ErrorCode: {})", fault.message, fault.code))
}

fn refused(text: String) -> Fault {
    Fault::sender("InvalidParameterException", text)
}

/// What a new interface is to be.
pub(crate) struct New<'a> {
    pub(crate) subnet: &'a str,
    pub(crate) serves: Serves,
    pub(crate) description: &'a str,
    pub(crate) groups: Vec<String>,
}

/// Makes an interface with the lowest free address; `None` where the subnet has none left.
pub(crate) fn make(cx: &mut Cx<'_>, subnet: &Subnet, new: New<'_>) -> Option<(String, NetworkInterface)> {
    let used = used_addresses(cx, new.subnet);
    let free = subnet.cidr.assignable().find(|address| !used.contains(address))?;
    let id = Kind::NetworkInterface.id(cx);
    let octets: Vec<_> = (0..5).map(|_| cx.rng.hex(2)).collect();
    let made = NetworkInterface {
        vpc: subnet.vpc.clone(),
        subnet: new.subnet.to_owned(),
        private_ip: Ipv4Addr::from(free),
        public_ip: None,
        mac: format!("02:{}", octets.join(":")),
        description: new.description.to_owned(),
        groups: new.groups,
        serves: new.serves,
        attachment: new_id(cx, "eni-attach"),
        created: cx.time(),
    };
    cx.put(&id, made.clone());
    Some((id, made))
}

/// How many addresses of a subnet no interface has.
pub(crate) fn free_addresses(cx: &Cx<'_>, subnet: &str, cidr: Cidr) -> usize {
    cidr.assignable_count().saturating_sub(used_addresses(cx, subnet).len())
}

fn used_addresses(cx: &Cx<'_>, subnet: &str) -> BTreeSet<u32> {
    let interfaces = cx.scan::<NetworkInterface>("").filter(|(_, interface)| interface.subnet == subnet);
    interfaces.map(|(_, interface)| u32::from(interface.private_ip)).collect()
}

/// The lowest public address that neither an interface nor an allocation has.
pub(crate) fn free_public_ip(cx: &Cx<'_>) -> Result<Ipv4Addr, Ec2Error> {
    // The three documentation blocks of RFC 5737, then the benchmark block of RFC 2544.
    const POOL: [(Ipv4Addr, u32); 4] = [
        (Ipv4Addr::new(203, 0, 113, 0), 255),
        (Ipv4Addr::new(198, 51, 100, 0), 255),
        (Ipv4Addr::new(192, 0, 2, 0), 255),
        (Ipv4Addr::new(198, 18, 0, 0), 131_071),
    ];
    let allocated = cx.scan::<Address>("").map(|(_, address)| address.public_ip);
    let on_interfaces = cx.scan::<NetworkInterface>("").filter_map(|(_, interface)| interface.public_ip);
    let used: BTreeSet<Ipv4Addr> = allocated.chain(on_interfaces).collect();
    let pool =
        POOL.into_iter().flat_map(|(base, last)| (1..last).map(move |offset| Ipv4Addr::from(u32::from(base) + offset)));
    pool.into_iter().find(|address| !used.contains(address)).ok_or(Ec2Error::AddressLimit)
}

/// `ip-10-0-1-7.ec2.internal`, or the region's own domain.
pub(crate) fn private_dns_name(cx: &Cx<'_>, address: Ipv4Addr) -> String {
    let host = address.to_string().replace('.', "-");
    match cx.scope.region.as_str() {
        "us-east-1" => format!("ip-{host}.ec2.internal"),
        region => format!("ip-{host}.{region}.compute.internal"),
    }
}
