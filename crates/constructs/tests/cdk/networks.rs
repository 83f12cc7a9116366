use neargate_constructs::ec2::{
    InstanceTenancy, SubnetConfiguration, SubnetSelection, SubnetType, Subnets, Vpc, VpcProps,
};
use neargate_constructs::{CfnOutput, CfnOutputProps, Json, Stack, StackProps, codes, intrinsic};

use super::{app, check, fixed};

#[test]
fn vpcs_with_every_prop() {
    let app = app();
    let stack = Stack::new(&app, "Networks", StackProps::default());
    let one_nat =
        VpcProps { max_azs: Some(2), nat_gateways: Some(1), cidr: Some("172.31.0.0/20".into()), ..Default::default() };
    Vpc::new(&stack, "OneNat", one_nat);
    let no_nat = VpcProps {
        nat_gateways: Some(0),
        vpc_name: Some("closed".into()),
        enable_dns_hostnames: Some(false),
        enable_dns_support: Some(false),
        ..Default::default()
    };
    Vpc::new(&stack, "NoNat", no_nat);
    let group = |name: &str, subnet_type, cidr_mask| SubnetConfiguration {
        cidr_mask,
        ..SubnetConfiguration::new(name, subnet_type)
    };
    let groups = vec![
        SubnetConfiguration { map_public_ip_on_launch: Some(false), ..group("Edge", SubnetType::Public, Some(26)) },
        group("Data", SubnetType::PrivateIsolated, Some(24)),
        SubnetConfiguration { reserved: true, ..group("Later", SubnetType::PrivateIsolated, Some(24)) },
        group("Work", SubnetType::PrivateWithEgress, None),
    ];
    let edge = SubnetSelection { subnets: Some(Subnets::GroupName("Edge".into())), ..Default::default() };
    let grouped = VpcProps {
        max_azs: Some(1),
        default_instance_tenancy: InstanceTenancy::Dedicated,
        restrict_default_security_group: Some(false),
        nat_gateway_subnets: Some(edge),
        reserved_azs: 1,
        subnet_configuration: Some(groups),
        ..Default::default()
    };
    Vpc::new(&stack, "Groups", grouped);
    let no_gateway = VpcProps {
        max_azs: Some(1),
        create_internet_gateway: Some(false),
        nat_gateways: Some(0),
        subnet_configuration: Some(vec![SubnetConfiguration::new("Public", SubnetType::Public)]),
        ..Default::default()
    };
    Vpc::new(&stack, "NoGateway", no_gateway);
    check(&app, &["Networks"]);
}

#[test]
fn vpcs_of_a_known_environment_and_subnet_selections() {
    let app = app();
    let stack = Stack::new(&app, "FixedNetwork", fixed());
    let vpc = Vpc::new(&stack, "Vpc", VpcProps { nat_gateways: Some(2), ..Default::default() });
    let named = VpcProps { availability_zones: Some(vec!["eu-west-1c".into()]), ..Default::default() };
    Vpc::new(&stack, "Named", named);
    let show = |name: &str, selection: &SubnetSelection| {
        let ids = vpc.select_subnets(selection).subnet_ids().into_iter().map(Json::from);
        let value = Some(intrinsic::join(",", Json::list(ids)));
        CfnOutput::new(&stack, name, CfnOutputProps { value, ..Default::default() });
    };
    show("Usual", &SubnetSelection::default());
    show("Public", &SubnetType::Public.into());
    show("Zone", &SubnetSelection { availability_zones: vec!["eu-west-1b".into()], ..Default::default() });
    let private = Some(Subnets::GroupName("Private".into()));
    show("Group", &SubnetSelection { subnets: private, one_per_az: true, ..Default::default() });
    check(&app, &["FixedNetwork"]);
}

#[test]
fn what_cannot_be_is_reported_all_at_once() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let contradiction = VpcProps {
        availability_zones: Some(vec!["a".into()]),
        max_azs: Some(1),
        enable_dns_hostnames: Some(true),
        enable_dns_support: Some(false),
        ..Default::default()
    };
    Vpc::new(&stack, "Contradiction", contradiction);
    Vpc::new(&stack, "NoRange", VpcProps { cidr: Some("10.0.0.0".into()), ..Default::default() });
    let private = Some(vec![SubnetConfiguration::new("Private", SubnetType::PrivateWithEgress)]);
    Vpc::new(&stack, "NoPublic", VpcProps { subnet_configuration: private, ..Default::default() });
    let small = VpcProps { cidr: Some("10.0.0.0/27".into()), ..Default::default() };
    let small = Vpc::new(&stack, "Small", small);
    small.select_subnets(&SubnetType::PrivateIsolated.into());
    let found: Vec<String> =
        app.assemble().unwrap_err().iter().map(|d| format!("{} {}: {}", d.code, d.path, d.message)).collect();
    let expected = [
        "NG-C0100 Stack/Contradiction: `enable_dns_hostnames` needs `enable_dns_support`, which is off",
        "NG-C0100 Stack/Contradiction: `availability_zones` and `max_azs` are both given",
        "NG-C0100 Stack/NoRange: `10.0.0.0` is no IPv4 range",
        "NG-C0100 Stack/NoPublic: there is no public subnet to put the NAT gateways into",
        "NG-C0100 Stack/Small: a subnet cannot be a /29: expected /16 to /28",
    ];
    assert_eq!(found.get(..5).unwrap(), expected);
    assert!(found.iter().any(|line| line.starts_with(codes::SUBNET_SELECTION.0)), "{found:?}");
}
