//! Elastic IP addresses: recorded, from the blocks reserved for documentation.

use std::net::Ipv4Addr;

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, creates, on, real};
use crate::api;
use crate::errors::Ec2Error;
use crate::interfaces::free_public_ip;
use crate::kind::Kind;
use crate::list::{Field, Listed, Query, list, text};
use crate::state::{Address, NetworkInterface, forget, known};
use crate::tags;

/// `AllocateAddress` takes the lowest free address.
pub(crate) struct AllocateAddress;

impl Operation for AllocateAddress {
    const SHAPE: &'static OperationShape = &api::ALLOCATE_ADDRESS;
    type Input = api::AllocateAddressInput;
    type Output = api::AllocateAddressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        creates(cx, "AllocateAddress", Kind::Address, input.tag_specifications.as_ref(), None)
            .map(|access| access.with("ec2:Domain", "vpc"))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        if let Some(address) = input.address {
            return Err(Ec2Error::AddressNotFound(address).into());
        }
        let public_ip = free_public_ip(cx)?;
        let id = Kind::Address.id(cx);
        cx.put(&id, Address { public_ip, association: None });
        tags::specify(cx, Kind::Address, &id, input.tag_specifications.as_ref())?;
        cx.not_simulated("ec2:AllocateAddress", "the address is recorded; nothing reaches it");
        Ok(api::AllocateAddressOutput {
            allocation_id: Some(id),
            public_ipv4_pool: Some("amazon".to_owned()),
            network_border_group: Some(cx.scope.region.to_string()),
            domain: Some("vpc".to_owned()),
            public_ip: Some(public_ip.to_string()),
            ..api::AllocateAddressOutput::default()
        })
    }
}

/// `ReleaseAddress` gives an address back that nothing uses.
pub(crate) struct ReleaseAddress;

impl Operation for ReleaseAddress {
    const SHAPE: &'static OperationShape = &api::RELEASE_ADDRESS;
    type Input = api::ReleaseAddressInput;
    type Output = api::ReleaseAddressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        match find(cx, input) {
            Ok((id, _)) => on(cx, "ReleaseAddress", Kind::Address, &id).into(),
            Err(_) => anything("ReleaseAddress"),
        }
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (id, address) = find(cx, &input)?;
        if address.association.is_some() {
            return Err(Ec2Error::AddressInUse(address.public_ip.to_string()).into());
        }
        forget::<Address>(cx, &id);
        Ok(api::ReleaseAddressOutput::default())
    }
}

fn find(cx: &Cx<'_>, input: &api::ReleaseAddressInput) -> Result<(String, Address), Ec2Error> {
    match (&input.allocation_id, &input.public_ip) {
        (Some(id), _) => Ok((id.clone(), known::<Address>(cx, id)?)),
        (_, Some(ip)) => {
            let wanted = ip.parse::<Ipv4Addr>().ok();
            let found = cx.scan::<Address>("").find(|(_, address)| Some(address.public_ip) == wanted);
            let found = found.map(|(id, address)| (id.to_owned(), address.clone()));
            found.ok_or_else(|| Ec2Error::AddressNotFound(ip.clone()))
        }
        _ => Err(Ec2Error::MissingParameter("AllocationId".to_owned())),
    }
}

/// `DescribeAddresses` lists elastic IP addresses.
pub(crate) struct DescribeAddresses;

impl Operation for DescribeAddresses {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_ADDRESSES;
    type Input = api::DescribeAddressesInput;
    type Output = api::DescribeAddressesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeAddresses")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let mut all: Vec<_> = cx.scan::<Address>("").map(|(id, address)| view(cx, id, address)).collect();
        if let Some(ips) = input.public_ips.filter(|ips| !ips.is_empty()) {
            if let Some(absent) = ips.iter().find(|ip| all.iter().all(|it| it.public_ip.as_ref() != Some(ip))) {
                return Err(Ec2Error::AddressNotFound(absent.clone()).into());
            }
            all.retain(|it| it.public_ip.as_ref().is_some_and(|ip| ips.contains(ip)));
        }
        let max_results = i32::try_from(all.len()).ok();
        let query = Query { ids: input.allocation_ids, filters: input.filters, max_results, next_token: None };
        let (addresses, _) = list(all, query)?;
        Ok(api::DescribeAddressesOutput { addresses: Some(addresses) })
    }
}

impl Listed for api::Address {
    const FIELDS: &'static [Field<Self>] = &[
        ("allocation-id", |it| text(&it.allocation_id)),
        ("association-id", |it| text(&it.association_id)),
        ("domain", |it| text(&it.domain)),
        ("network-border-group", |it| text(&it.network_border_group)),
        ("network-interface-id", |it| text(&it.network_interface_id)),
        ("network-interface-owner-id", |it| text(&it.network_interface_owner_id)),
        ("private-ip-address", |it| text(&it.private_ip_address)),
        ("public-ip", |it| text(&it.public_ip)),
    ];

    fn id(&self) -> &str {
        self.allocation_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::Address.missing(id)
    }
}

fn view(cx: &Cx<'_>, id: &str, address: &Address) -> api::Address {
    let (association_id, interface_id) = address.association.clone().unzip();
    let interface = interface_id.as_deref().and_then(|id| cx.get::<NetworkInterface>(id));
    api::Address {
        allocation_id: Some(id.to_owned()),
        association_id,
        domain: Some("vpc".to_owned()),
        network_interface_owner_id: interface.map(|_| cx.scope.account.to_string()),
        private_ip_address: interface.map(|it| it.private_ip.to_string()),
        tags: tags::view(cx, id),
        public_ipv4_pool: Some("amazon".to_owned()),
        network_border_group: Some(cx.scope.region.to_string()),
        network_interface_id: interface_id,
        public_ip: Some(address.public_ip.to_string()),
        ..api::Address::default()
    }
}
