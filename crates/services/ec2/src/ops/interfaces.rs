//! Network interfaces, to look at: tasks and NAT gateways make them.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, real};
use crate::api;
use crate::errors::Ec2Error;
use crate::interfaces::private_dns_name;
use crate::kind::Kind;
use crate::list::{Field, Listed, Query, each, flag, list, text};
use crate::state::{Address, NetworkInterface, SecurityGroup, Serves, Subnet};
use crate::tags;
use neargate_base::zone_id;

/// `DescribeNetworkInterfaces` lists network interfaces.
pub(crate) struct DescribeNetworkInterfaces;

impl Operation for DescribeNetworkInterfaces {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_NETWORK_INTERFACES;
    type Input = api::DescribeNetworkInterfacesInput;
    type Output = api::DescribeNetworkInterfacesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeNetworkInterfaces")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.network_interface_ids, filters: input.filters, max_results, next_token };
        let all = cx.scan::<NetworkInterface>("").map(|(id, interface)| view(cx, id, interface)).collect();
        let (interfaces, next_token) = list(all, query)?;
        Ok(api::DescribeNetworkInterfacesOutput { network_interfaces: Some(interfaces), next_token })
    }
}

impl Listed for api::NetworkInterface {
    const FIELDS: &'static [Field<Self>] = &[
        ("addresses.association.public-ip", public_ip),
        ("addresses.primary", |it| each(&it.private_ip_addresses, |a| a.primary.map(|primary| primary.to_string()))),
        ("addresses.private-ip-address", |it| each(&it.private_ip_addresses, |a| a.private_ip_address.clone())),
        ("association.allocation-id", |it| it.association.iter().filter_map(|a| a.allocation_id.clone()).collect()),
        ("association.association-id", |it| it.association.iter().filter_map(|a| a.association_id.clone()).collect()),
        ("association.public-ip", public_ip),
        ("attachment.attachment-id", |it| it.attachment.iter().filter_map(|a| a.attachment_id.clone()).collect()),
        ("attachment.status", |it| it.attachment.iter().filter_map(|a| a.status.clone()).collect()),
        ("availability-zone", |it| text(&it.availability_zone)),
        ("availability-zone-id", |it| text(&it.availability_zone_id)),
        ("description", |it| text(&it.description)),
        ("group-id", |it| each(&it.groups, |group| group.group_id.clone())),
        ("group-name", |it| each(&it.groups, |group| group.group_name.clone())),
        ("interface-type", |it| text(&it.interface_type)),
        ("mac-address", |it| text(&it.mac_address)),
        ("network-interface-id", |it| text(&it.network_interface_id)),
        ("owner-id", |it| text(&it.owner_id)),
        ("private-dns-name", |it| text(&it.private_dns_name)),
        ("private-ip-address", |it| text(&it.private_ip_address)),
        ("requester-id", |it| text(&it.requester_id)),
        ("requester-managed", |it| flag(it.requester_managed)),
        ("source-dest-check", |it| flag(it.source_dest_check)),
        ("status", |it| text(&it.status)),
        ("subnet-id", |it| text(&it.subnet_id)),
        ("vpc-id", |it| text(&it.vpc_id)),
    ];

    fn id(&self) -> &str {
        self.network_interface_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tag_set.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::NetworkInterface.missing(id)
    }
}

fn public_ip(it: &api::NetworkInterface) -> Vec<String> {
    it.association.iter().filter_map(|association| association.public_ip.clone()).collect()
}

fn view(cx: &Cx<'_>, id: &str, interface: &NetworkInterface) -> api::NetworkInterface {
    let zone = cx.get::<Subnet>(&interface.subnet).map(|subnet| subnet.zone.clone());
    let association = association(cx, interface);
    let name = private_dns_name(cx, interface.private_ip);
    let address = api::NetworkInterfacePrivateIpAddress {
        association: association.clone(),
        primary: Some(true),
        private_dns_name: Some(name.clone()),
        private_ip_address: Some(interface.private_ip.to_string()),
    };
    let is_nat = interface.serves == Serves::NatGateway;
    api::NetworkInterface {
        association,
        attachment: Some(attachment(interface)),
        availability_zone_id: zone.as_deref().and_then(|zone| zone_id(cx.scope.region.as_str(), zone)),
        availability_zone: zone,
        description: Some(interface.description.clone()),
        groups: Some(interface.groups.iter().map(|group| identifier(cx, group)).collect()),
        interface_type: Some(if is_nat { "natGateway" } else { "interface" }.to_owned()),
        ipv6_addresses: Some(vec![]),
        mac_address: Some(interface.mac.clone()),
        network_interface_id: Some(id.to_owned()),
        owner_id: Some(cx.scope.account.to_string()),
        private_dns_name: Some(name),
        private_ip_address: Some(interface.private_ip.to_string()),
        private_ip_addresses: Some(vec![address]),
        requester_managed: Some(true),
        source_dest_check: Some(!is_nat),
        status: Some("in-use".to_owned()),
        subnet_id: Some(interface.subnet.clone()),
        tag_set: tags::view(cx, id),
        vpc_id: Some(interface.vpc.clone()),
        ..api::NetworkInterface::default()
    }
}

/// The public address: allocated by the account, or lent by Amazon.
fn association(cx: &Cx<'_>, interface: &NetworkInterface) -> Option<api::NetworkInterfaceAssociation> {
    let public_ip = interface.public_ip?;
    let allocated = cx.scan::<Address>("").find(|(_, address)| address.public_ip == public_ip);
    let (allocation_id, association_id) = match allocated {
        Some((id, address)) => (Some(id.to_owned()), address.association.clone().map(|(id, _)| id)),
        None => (None, None),
    };
    let owner = if allocation_id.is_some() { cx.scope.account.to_string() } else { "amazon".to_owned() };
    Some(api::NetworkInterfaceAssociation {
        allocation_id,
        association_id,
        ip_owner_id: Some(owner),
        public_ip: Some(public_ip.to_string()),
        ..api::NetworkInterfaceAssociation::default()
    })
}

fn attachment(interface: &NetworkInterface) -> api::NetworkInterfaceAttachment {
    api::NetworkInterfaceAttachment {
        attach_time: Some(interface.created),
        attachment_id: Some(interface.attachment.clone()),
        delete_on_termination: Some(false),
        device_index: Some(1),
        network_card_index: Some(0),
        instance_owner_id: Some("amazon-aws".to_owned()),
        status: Some("attached".to_owned()),
        ..api::NetworkInterfaceAttachment::default()
    }
}

fn identifier(cx: &Cx<'_>, group: &str) -> api::GroupIdentifier {
    let name = cx.get::<SecurityGroup>(group).map(|group| group.name.clone());
    api::GroupIdentifier { group_id: Some(group.to_owned()), group_name: name }
}
