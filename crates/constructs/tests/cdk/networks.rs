use neargate_constructs::ec2::{
    InstanceTenancy, SubnetConfiguration, SubnetSelection, SubnetType, Subnets, Vpc, VpcProps,
};
use neargate_constructs::{App, CfnOutput, CfnOutputProps, Environment, Json, Stack, StackProps, codes, intrinsic};

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
        "NG-C0100 Stack/Contradiction: `a` is no availability zone: expected a region's name and a letter",
        "NG-C0100 Stack/NoRange: `10.0.0.0` is no IPv4 range",
        "NG-C0100 Stack/NoPublic: there is no public subnet to put the NAT gateways into",
        "NG-C0100 Stack/Small: a subnet cannot be a /29: expected /16 to /28",
    ];
    assert_eq!(found.get(..6).unwrap(), expected);
    assert!(found.iter().any(|line| line.starts_with(codes::SUBNET_SELECTION.0)), "{found:?}");
}

/// What is found, as `path: message | hint`.
fn found(app: &App) -> Vec<String> {
    let found = app.assemble().map_or_else(|found| found, |assembly| assembly.diagnostics);
    found.iter().map(|d| format!("{}: {} | {}", d.path, d.message, d.hints.join(" "))).collect()
}

#[test]
fn zones_and_regions_that_are_none_come_with_one_that_is() {
    let app = app();
    let env = |account: Option<&str>, region: &str| {
        let env = Environment { account: account.map(str::to_owned), region: Some(region.to_owned()) };
        StackProps { env, ..StackProps::default() }
    };
    let zone = |stack: &Stack, id: &str, zone: &str| {
        Vpc::new(stack, id, VpcProps { availability_zones: Some(vec![zone.into()]), ..Default::default() });
    };
    let known = Stack::new(&app, "Known", fixed());
    zone(&known, "Sound", "eu-west-1b");
    zone(&known, "Unknown", "eu-west-1z");
    let region = Stack::new(&app, "Region", env(None, "us-east-1"));
    zone(&region, "Sound", "us-east-1f");
    zone(&region, "Elsewhere", "eu-west-1a");
    zone(&region, "Short", "us-east-1");
    let nowhere = Stack::new(&app, "Nowhere", StackProps::default());
    zone(&nowhere, "Sound", "us-west-2-lax-1a");
    zone(&nowhere, "Word", "first");
    Stack::new(&app, "Zone", env(None, "eu-west-1a"));
    Stack::new(&app, "Word", env(Some("123456789012"), "Ireland"));
    Stack::new(&app, "Typo", env(None, "EU-west-1"));
    let typo = Stack::new(&app, "Unknown", env(None, "eu-wst-1"));
    zone(&typo, "Sound", "eu-wst-1a");
    let expected = [
        "Known/Unknown: `eu-west-1z` is no availability zone of the stack's account and region: expected `eu-west-1a`, `eu-west-1b`, `eu-west-1c` | take one of them, or leave `availability_zones` out for the first ones",
        "Region/Elsewhere: the availability zone `eu-west-1a` is not in `us-east-1` | write it as `us-east-1a`",
        "Region/Short: `us-east-1` is no availability zone: expected a region's name and a letter | write it as `us-east-1a`",
        "Nowhere/Word: `first` is no availability zone: expected a region's name and a letter | write it as `eu-west-1a`",
        "Zone: `eu-west-1a` is no region | that is an availability zone; its region is `eu-west-1`",
        "Word: `Ireland` is no region | write it as `eu-west-1`",
        "Typo: `EU-west-1` is no region | did you mean `eu-west-1`?",
        "Unknown: `eu-wst-1` is no region that is known here | did you mean `eu-west-1`? A region that is newer is taken as it is",
    ];
    assert_eq!(found(&app), expected);
}
