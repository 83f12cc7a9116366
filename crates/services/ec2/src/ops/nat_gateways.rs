//! NAT gateways: recorded; no route leads outside.
//!
//! As in AWS, what stands against a NAT gateway beyond its parameters does not fail the call but the gateway. A
//! gateway is ready at once; one that is deleted is gone, while AWS shows it for another hour.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, creates, on, real};
use crate::api;
use crate::errors::Ec2Error;
use crate::interfaces::{New, make};
use crate::kind::{Kind, new_id};
use crate::list::{Field, Listed, Query, list, text};
use crate::state::{Address, InternetGateway, NatGateway, NetworkInterface, Serves, Subnet, forget, known};
use crate::tags;
use neargate_base::zone_id;

/// `CreateNatGateway` makes a gateway with an interface in the subnet.
pub(crate) struct CreateNatGateway;

impl Operation for CreateNatGateway {
    const SHAPE: &'static OperationShape = &api::CREATE_NAT_GATEWAY;
    type Input = api::CreateNatGatewayInput;
    type Output = api::CreateNatGatewayOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let action = "CreateNatGateway";
        let mut accesses = creates(cx, action, Kind::NatGateway, input.tag_specifications.as_ref(), None);
        accesses.extend(input.subnet_id.iter().map(|id| on(cx, action, Kind::Subnet, id)));
        accesses.extend(input.allocation_id.iter().map(|id| on(cx, action, Kind::Address, id)));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let more = input.secondary_allocation_ids.is_some() || input.secondary_private_ip_addresses.is_some();
        if input.availability_mode.as_deref() == Some("regional") || more || input.private_ip_address.is_some() {
            let text = "Neargate has zonal NAT gateways with one address that it chooses";
            return Err(Fault::sender("UnsupportedOperation", text));
        }
        let subnet_id = input.subnet_id.ok_or_else(|| Ec2Error::MissingParameter("SubnetId".to_owned()))?;
        let subnet = known::<Subnet>(cx, &subnet_id)?;
        let public = input.connectivity_type.as_deref() != Some("private");
        if public && input.allocation_id.is_none() {
            return Err(Ec2Error::MissingParameter("AllocationId".to_owned()).into());
        }
        if !public && input.allocation_id.is_some() {
            let text = "An allocation ID cannot be specified for a private NAT gateway".to_owned();
            return Err(Ec2Error::InvalidCombination(text).into());
        }
        if let Some(allocation) = &input.allocation_id {
            known::<Address>(cx, allocation)?;
        }
        let id = Kind::NatGateway.id(cx);
        let gateway = NatGateway {
            vpc: subnet.vpc.clone(),
            subnet: subnet_id,
            public,
            allocation: input.allocation_id,
            interface: None,
            created: cx.time(),
            failure: None,
        };
        let gateway = connect(cx, &id, &subnet, gateway);
        cx.put(&id, gateway.clone());
        tags::specify(cx, Kind::NatGateway, &id, input.tag_specifications.as_ref())?;
        cx.not_simulated("ec2:CreateNatGateway", "recorded; no route leads outside yet");
        let made = api::NatGateway { state: Some("pending".to_owned()), ..view(cx, &id, &gateway) };
        let made = api::NatGateway { failure_code: None, failure_message: None, ..made };
        Ok(api::CreateNatGatewayOutput { client_token: input.client_token, nat_gateway: Some(made) })
    }
}

/// Gives the gateway its interface and address, or the reason why it has none.
fn connect(cx: &mut Cx<'_>, id: &str, subnet: &Subnet, gateway: NatGateway) -> NatGateway {
    let failed = |code: &str, text: String| NatGateway { failure: Some((code.to_owned(), text)), ..gateway.clone() };
    let address = gateway.allocation.as_ref().and_then(|id| Some((id.clone(), cx.get::<Address>(id)?.clone())));
    if let Some((allocation, _)) = address.as_ref().filter(|(_, address)| address.association.is_some()) {
        let text = format!("Elastic IP address [{allocation}] is already associated");
        return failed("Resource.AlreadyAssociated", text);
    }
    let is_attached = cx.scan::<InternetGateway>("").any(|(_, it)| it.vpc.as_ref() == Some(&gateway.vpc));
    if gateway.public && !is_attached {
        return failed("Gateway.NotAttached", format!("Network {} has no Internet gateway attached", gateway.vpc));
    }
    let description = format!("Interface for NAT Gateway {id}");
    let new = New { subnet: &gateway.subnet, serves: Serves::NatGateway, description: &description, groups: vec![] };
    let Some((interface, _)) = make(cx, subnet, new) else {
        let text = "Subnet has insufficient free addresses to create this NAT gateway".to_owned();
        return failed("InsufficientFreeAddressesInSubnet", text);
    };
    if let Some((allocation, address)) = address {
        let association = Some((new_id(cx, "eipassoc"), interface.clone()));
        cx.update::<NetworkInterface, _>(&interface, |it| it.public_ip = Some(address.public_ip));
        cx.put(&allocation, Address { association, ..address });
    }
    NatGateway { interface: Some(interface), ..gateway }
}

/// `DeleteNatGateway` takes a gateway away and frees its elastic IP address; routes to it become black holes.
pub(crate) struct DeleteNatGateway;

impl Operation for DeleteNatGateway {
    const SHAPE: &'static OperationShape = &api::DELETE_NAT_GATEWAY;
    type Input = api::DeleteNatGatewayInput;
    type Output = api::DeleteNatGatewayOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteNatGateway", Kind::NatGateway, &input.nat_gateway_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = input.nat_gateway_id;
        let gateway = known::<NatGateway>(cx, &id)?;
        if let Some(interface) = gateway.interface {
            forget::<NetworkInterface>(cx, &interface);
            if let Some(allocation) = gateway.allocation {
                cx.update::<Address, _>(&allocation, |address| address.association = None);
            }
        }
        forget::<NatGateway>(cx, &id);
        Ok(api::DeleteNatGatewayOutput { nat_gateway_id: Some(id) })
    }
}

/// `DescribeNatGateways` lists NAT gateways.
pub(crate) struct DescribeNatGateways;

impl Operation for DescribeNatGateways {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_NAT_GATEWAYS;
    type Input = api::DescribeNatGatewaysInput;
    type Output = api::DescribeNatGatewaysOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeNatGateways")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.nat_gateway_ids, filters: input.filter, max_results, next_token };
        let all = cx.scan::<NatGateway>("").map(|(id, gateway)| view(cx, id, gateway)).collect();
        let (gateways, next_token) = list(all, query)?;
        Ok(api::DescribeNatGatewaysOutput { nat_gateways: Some(gateways), next_token })
    }
}

impl Listed for api::NatGateway {
    const FIELDS: &'static [Field<Self>] = &[
        ("nat-gateway-id", |it| text(&it.nat_gateway_id)),
        ("state", |it| text(&it.state)),
        ("subnet-id", |it| text(&it.subnet_id)),
        ("vpc-id", |it| text(&it.vpc_id)),
    ];

    fn id(&self) -> &str {
        self.nat_gateway_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::NatGateway.missing(id)
    }
}

fn view(cx: &Cx<'_>, id: &str, gateway: &NatGateway) -> api::NatGateway {
    let interface = gateway.interface.as_deref().and_then(|id| cx.get::<NetworkInterface>(id));
    let address = gateway.allocation.as_deref().and_then(|id| cx.get::<Address>(id));
    let zone = cx.get::<Subnet>(&gateway.subnet).map(|subnet| subnet.zone.clone());
    let shown = api::NatGatewayAddress {
        allocation_id: gateway.allocation.clone(),
        network_interface_id: gateway.interface.clone(),
        private_ip: interface.map(|it| it.private_ip.to_string()),
        public_ip: address.map(|address| address.public_ip.to_string()),
        association_id: interface.and_then(|_| Some(address?.association.as_ref()?.0.clone())),
        is_primary: Some(true),
        failure_message: gateway.failure.as_ref().map(|(_, text)| text.clone()),
        status: Some(if gateway.failure.is_some() { "failed" } else { "succeeded" }.to_owned()),
        availability_zone_id: zone.as_deref().and_then(|zone| zone_id(cx.scope.region.as_str(), zone)),
        availability_zone: zone,
    };
    let (failure_code, failure_message) = gateway.failure.clone().unzip();
    api::NatGateway {
        create_time: Some(gateway.created),
        state: Some(if failure_code.is_some() { "failed" } else { "available" }.to_owned()),
        failure_code,
        failure_message,
        nat_gateway_addresses: Some(vec![shown]),
        nat_gateway_id: Some(id.to_owned()),
        subnet_id: Some(gateway.subnet.clone()),
        vpc_id: Some(gateway.vpc.clone()),
        tags: tags::view(cx, id),
        connectivity_type: Some(if gateway.public { "public" } else { "private" }.to_owned()),
        availability_mode: Some("zonal".to_owned()),
        ..api::NatGateway::default()
    }
}
