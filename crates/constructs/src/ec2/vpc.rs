//! Virtual private clouds.

use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, ec2 as l1};

use super::cidr::{self, Cidr};
use super::selection::{SelectedSubnets, SubnetSelection, Subnets};
use super::subnet::{Subnet, SubnetPlan};
use super::subnet_group::{SubnetConfiguration, SubnetType};
use super::{nat, restrict, zone};
use crate::{CfnResource, Scope, Tags, codes, construct};

/// Whether instances share hardware by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstanceTenancy {
    /// Shared.
    #[default]
    Default,
    /// Dedicated.
    Dedicated,
}

/// Properties of a [`Vpc`].
#[derive(Clone, Debug, Default)]
pub struct VpcProps {
    /// The IPv4 range, /16 to /28. Default: `10.0.0.0/16`.
    pub cidr: Option<String>,
    /// How many zones it spans at most; not together with `availability_zones`. Default: 3.
    pub max_azs: Option<usize>,
    /// The zones it spans. Default: the stack's first `max_azs`.
    pub availability_zones: Option<Vec<String>>,
    /// For how many further zones ranges are kept free. Default: 0.
    pub reserved_azs: usize,
    /// How many NAT gateways. Default: one per zone where there are private subnets.
    pub nat_gateways: Option<usize>,
    /// Which public subnets get them. Default: the first ones.
    pub nat_gateway_subnets: Option<SubnetSelection>,
    /// The groups of subnets. Default: `Public` and `Private`, or `Public` and `Isolated` where `nat_gateways` is 0.
    pub subnet_configuration: Option<Vec<SubnetConfiguration>>,
    /// Whether instances with public addresses get public DNS names. Default: yes.
    pub enable_dns_hostnames: Option<bool>,
    /// Whether Amazon's resolver answers. Default: yes.
    pub enable_dns_support: Option<bool>,
    /// Whether there is an internet gateway for the subnets that need one. Default: yes.
    pub create_internet_gateway: Option<bool>,
    /// Default tenancy of instances. Default: shared.
    pub default_instance_tenancy: InstanceTenancy,
    /// The `Name` tag. Default: the path.
    pub vpc_name: Option<String>,
    /// Whether the default security group loses its rules (by a custom resource). Default: yes.
    pub restrict_default_security_group: Option<bool>,
}

/// A virtual private cloud: a network with subnets in several availability zones.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ec2};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Network", StackProps::default());
/// let vpc = ec2::Vpc::new(&stack, "Vpc", ec2::VpcProps { max_azs: Some(2), nat_gateways: Some(1), ..Default::default() });
/// assert_eq!((vpc.public_subnets().len(), vpc.private_subnets().len()), (2, 2));
/// ```
#[derive(Clone)]
pub struct Vpc(Rc<State>);

construct!(Vpc);

pub(super) struct State {
    pub(super) scope: Scope,
    pub(super) vpc_id: Value<String>,
    pub(super) cidr_block: Option<Value<String>>,
    pub(super) availability_zones: Vec<Value<String>>,
    pub(super) public: Vec<Subnet>,
    pub(super) private: Vec<Subnet>,
    pub(super) isolated: Vec<Subnet>,
}

impl Vpc {
    /// Makes a VPC with its subnets, routes, gateways and NAT gateways.
    pub fn new(scope: &Scope, id: &str, props: VpcProps) -> Self {
        let scope = scope.child(id);
        check(&scope, &props);
        let cidr = props.cidr.clone().unwrap_or_else(|| "10.0.0.0/16".to_owned());
        Tags::of(&scope).add("Name", props.vpc_name.clone().unwrap_or_else(|| scope.path()));
        let resource = CfnResource::new(&scope, "Resource", resource(&props, &cidr));
        let mut zones: Vec<Option<Value<String>>> = zones(&scope, &props).into_iter().map(Some).collect();
        zones.resize(zones.len() + props.reserved_azs, None);
        let without_nat = props.nat_gateways == Some(0);
        let groups = props.subnet_configuration.clone().unwrap_or_else(|| default_groups(without_nat));
        let gateways = nat::count(&scope, props.nat_gateways, &groups, zones.len());

        let mut state = State {
            scope: scope.clone(),
            vpc_id: resource.reference(),
            cidr_block: Some(resource.attribute("CidrBlock")),
            availability_zones: zones.iter().flatten().cloned().collect(),
            public: vec![],
            private: vec![],
            isolated: vec![],
        };
        state.make_subnets(&cidr, &zones, &groups);
        let needs_gateway =
            groups.iter().any(|group| group.subnet_type != SubnetType::PrivateIsolated && !group.reserved);
        let vpc = if needs_gateway && props.create_internet_gateway != Some(false) {
            let attachment = attach_internet_gateway(&scope, &state.vpc_id);
            state.public.iter().for_each(|subnet| subnet.add_default_internet_route(&attachment.0, &attachment.1));
            let vpc = Self(Rc::new(state));
            let choice = props.nat_gateway_subnets.clone().unwrap_or_else(|| SubnetType::Public.into());
            if gateways > 0 && !vpc.public_subnets().is_empty() {
                nat::connect(gateways, &vpc.public_subnets_of(&choice), vpc.private_subnets());
            }
            vpc
        } else {
            Self(Rc::new(state))
        };
        if props.restrict_default_security_group != Some(false) {
            restrict::restrict_default_security_group(&resource, &scope);
        }
        vpc.register("neargate.ec2.Vpc", &vpc);
        vpc
    }

    pub(super) fn of(state: State) -> Self {
        let vpc = Self(Rc::new(state));
        vpc.register("neargate.ec2.Vpc", &vpc);
        vpc
    }

    /// The id.
    pub fn vpc_id(&self) -> Value<String> {
        self.0.vpc_id.clone()
    }

    /// The IPv4 range, where it is known to the app or to deployment.
    pub fn vpc_cidr_block(&self) -> Option<Value<String>> {
        self.0.cidr_block.clone()
    }

    /// The zones it spans.
    pub fn availability_zones(&self) -> &[Value<String>] {
        &self.0.availability_zones
    }

    /// Subnets that the internet can reach.
    pub fn public_subnets(&self) -> &[Subnet] {
        &self.0.public
    }

    /// Subnets that can reach the internet.
    pub fn private_subnets(&self) -> &[Subnet] {
        &self.0.private
    }

    /// Subnets that can do neither.
    pub fn isolated_subnets(&self) -> &[Subnet] {
        &self.0.isolated
    }

    /// The subnets that a selection means. One that means none is a diagnostic.
    pub fn select_subnets(&self, selection: &SubnetSelection) -> SelectedSubnets {
        self.select_subnets_for(self, selection)
    }

    /// The subnets that somebody's selection means; it is theirs where it means none.
    pub(crate) fn select_subnets_for(&self, whose: &Scope, selection: &SubnetSelection) -> SelectedSubnets {
        let groups = [
            (SubnetType::PrivateWithEgress, self.private_subnets()),
            (SubnetType::PrivateIsolated, self.isolated_subnets()),
            (SubnetType::Public, self.public_subnets()),
        ];
        let default =
            groups.iter().find(|(_, subnets)| !subnets.is_empty()).map_or(SubnetType::Public, |(kind, _)| *kind);
        let (found, none) = match selection.subnets.clone().unwrap_or(Subnets::Type(default)) {
            Subnets::These(subnets) => return SelectedSubnets { subnets: selection.filter(subnets) },
            Subnets::Type(wanted) => {
                let found: Vec<Subnet> = groups
                    .iter()
                    .filter(|(kind, _)| *kind == wanted)
                    .flat_map(|(_, subnets)| subnets.to_vec())
                    .collect();
                let available: Vec<&str> =
                    groups.iter().filter(|(_, subnets)| !subnets.is_empty()).map(|(kind, _)| kind.as_str()).collect();
                (
                    found,
                    format!(
                        "the VPC `{}` has no `{}` subnets: it has {}",
                        self.path(),
                        wanted.as_str(),
                        list(&available)
                    ),
                )
            }
            Subnets::GroupName(name) => {
                let all = groups.iter().flat_map(|(_, subnets)| subnets.iter());
                let found = all.clone().filter(|subnet| group_name(&subnet.id()) == name).cloned().collect();
                let mut names: Vec<String> = all.map(|subnet| group_name(&subnet.id())).collect();
                names.dedup();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                (found, format!("the VPC `{}` has no subnet group `{name}`: it has {}", self.path(), list(&names)))
            }
        };
        if found.is_empty() {
            whose.report(
                Diagnostic::error(codes::SUBNET_SELECTION, none)
                    .hint("select other subnets, or change the VPC's `subnet_configuration`"),
            );
        }
        SelectedSubnets { subnets: selection.filter(found) }
    }

    fn public_subnets_of(&self, selection: &SubnetSelection) -> Vec<Subnet> {
        let mut subnets = self.select_subnets(selection).subnets;
        let before = subnets.len();
        subnets.retain(|subnet| self.public_subnets().contains(subnet));
        if subnets.len() < before {
            self.error(codes::VPC, "`nat_gateway_subnets` selects subnets that are not public");
        }
        subnets
    }
}

impl State {
    fn make_subnets(&mut self, cidr: &str, zones: &[Option<Value<String>>], groups: &[SubnetConfiguration]) {
        let Some(network) = Cidr::parse(cidr) else { return };
        let plan: Vec<(&SubnetConfiguration, usize, &Option<Value<String>>)> = groups
            .iter()
            .flat_map(|group| zones.iter().enumerate().map(move |(index, zone)| (group, index, zone)))
            .collect();
        let ranges = cidr::divide(network, &plan.iter().map(|(group, ..)| group.cidr_mask).collect::<Vec<_>>());
        let ranges = match ranges {
            Ok(ranges) => ranges,
            Err(message) => return self.scope.error(codes::VPC, message),
        };
        for ((group, index, zone), range) in plan.into_iter().zip(ranges) {
            let Some(zone) = zone.as_ref().filter(|_| !group.reserved) else { continue };
            let public = group.subnet_type == SubnetType::Public;
            let plan = SubnetPlan {
                availability_zone: zone.clone(),
                vpc_id: self.vpc_id.clone(),
                cidr_block: range.to_string(),
                map_public_ip_on_launch: public && group.map_public_ip_on_launch != Some(false),
                group_name: &group.name,
                subnet_type: group.subnet_type,
            };
            let subnet = Subnet::new(&self.scope, &format!("{}Subnet{}", group.name, index + 1), plan);
            match group.subnet_type {
                SubnetType::Public => self.public.push(subnet),
                SubnetType::PrivateWithEgress => self.private.push(subnet),
                SubnetType::PrivateIsolated => self.isolated.push(subnet),
            }
        }
    }
}

/// The group's name in a subnet's id.
fn group_name(id: &str) -> String {
    let name = id.trim_end_matches(|c: char| c.is_ascii_digit());
    if name.len() == id.len() { id } else { name.strip_suffix("Subnet").unwrap_or(id) }.to_owned()
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "none at all".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn default_groups(without_nat: bool) -> Vec<SubnetConfiguration> {
    let inner = if without_nat {
        ("Isolated", SubnetType::PrivateIsolated)
    } else {
        ("Private", SubnetType::PrivateWithEgress)
    };
    vec![SubnetConfiguration::new("Public", SubnetType::Public), SubnetConfiguration::new(inner.0, inner.1)]
}

fn resource(props: &VpcProps, cidr: &str) -> l1::Vpc {
    let tenancy = match props.default_instance_tenancy {
        InstanceTenancy::Default => "default",
        InstanceTenancy::Dedicated => "dedicated",
    };
    l1::Vpc {
        cidr_block: Some(Cidr::parse(cidr).map_or_else(|| cidr.to_owned(), |cidr| cidr.to_string()).into()),
        enable_dns_hostnames: Some(props.enable_dns_hostnames.unwrap_or(true).into()),
        enable_dns_support: Some(props.enable_dns_support.unwrap_or(true).into()),
        instance_tenancy: Some(tenancy.into()),
        ..Default::default()
    }
}

fn zones(scope: &Scope, props: &VpcProps) -> Vec<Value<String>> {
    match &props.availability_zones {
        Some(zones) => zones.iter().map(|zone| Value::from(zone.as_str())).collect(),
        None => scope.stack().availability_zones().into_iter().take(props.max_azs.unwrap_or(3)).collect(),
    }
}

fn attach_internet_gateway(scope: &Scope, vpc_id: &Value<String>) -> (CfnResource, CfnResource) {
    let gateway = CfnResource::new(scope, "IGW", l1::InternetGateway::default());
    let attachment = l1::VpcGatewayAttachment {
        internet_gateway_id: Some(gateway.reference()),
        vpc_id: Some(vpc_id.clone()),
        ..Default::default()
    };
    let attachment = CfnResource::new(scope, "VPCGW", attachment);
    (gateway, attachment)
}

fn check(scope: &Scope, props: &VpcProps) {
    let error =
        |message: String, hint: &str| scope.report(Diagnostic::error(codes::VPC, message).hint(hint.to_owned()));
    if props.enable_dns_hostnames == Some(true) && props.enable_dns_support == Some(false) {
        error("`enable_dns_hostnames` needs `enable_dns_support`, which is off".to_owned(), "leave out one of the two");
    }
    if props.availability_zones.is_some() && props.max_azs.is_some() {
        error("`availability_zones` and `max_azs` are both given".to_owned(), "give only one of the two");
    }
    let named = props.availability_zones.iter().flatten();
    named.filter_map(|name| zone::problem(&scope.stack(), name)).for_each(|problem| scope.report(problem));
    if let Some(cidr) = &props.cidr
        && Cidr::parse(cidr).is_none()
    {
        error(format!("`{cidr}` is no IPv4 range"), "give one such as `10.0.0.0/16`");
    }
    for group in props.subnet_configuration.iter().flatten() {
        if group.subnet_type != SubnetType::Public && group.map_public_ip_on_launch.is_some() {
            error(
                format!("`map_public_ip_on_launch` is given for `{}`, which is not public", group.name),
                "leave it out, or make the group public",
            );
        }
    }
}
