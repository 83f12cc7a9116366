//! NAT gateways: where they are put and which private subnet uses which.

use neargate_base::Diagnostic;

use super::subnet::Subnet;
use super::subnet_group::{SubnetConfiguration, SubnetType};
use crate::{CfnResource, Scope, codes};

/// How many NAT gateways a VPC gets.
pub(super) fn count(scope: &Scope, asked: Option<usize>, configuration: &[SubnetConfiguration], zones: usize) -> usize {
    let has = |wanted: SubnetType| configuration.iter().any(|group| group.subnet_type == wanted && !group.reserved);
    let count = asked.map_or(if has(SubnetType::PrivateWithEgress) { zones } else { 0 }, |asked| asked.min(zones));
    if count > 0 && !has(SubnetType::Public) {
        scope.report(
            Diagnostic::error(codes::VPC, "there is no public subnet to put the NAT gateways into")
                .hint("add a group of public subnets to `subnet_configuration`, or set `nat_gateways` to 0"),
        );
        return 0;
    }
    count
}

/// Makes the gateways and the private subnets' routes: a subnet uses the gateway of its own zone, or else they take turns.
pub(super) fn connect(count: usize, public: &[Subnet], private: &[Subnet]) {
    let gateways: Vec<(&Subnet, CfnResource)> =
        public.iter().take(count).map(|subnet| (subnet, subnet.add_nat_gateway())).collect();
    let mut turn = gateways.iter().cycle();
    for subnet in private {
        let own = gateways.iter().find(|(public, _)| public.availability_zone() == subnet.availability_zone());
        if let Some((_, gateway)) = own.or_else(|| turn.next()) {
            subnet.add_default_nat_route(gateway);
        }
    }
}
