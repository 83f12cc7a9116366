use neargate_constructs::ec2::{
    FromSecurityGroupIdOptions, Peer, Port, SecurityGroup, SecurityGroupProps, Vpc, VpcAttributes,
};
use neargate_constructs::{CfnParameter, CfnParameterProps, Severity, Stack, StackProps};

use super::{app, check};

fn vpc(stack: &Stack) -> Vpc {
    let attributes = VpcAttributes {
        vpc_id: "vpc-1".into(),
        availability_zones: vec!["eu-west-1a".into(), "eu-west-1b".into()],
        private_subnet_ids: vec!["subnet-1".into(), "subnet-2".into()],
        private_subnet_route_table_ids: vec!["rtb-1".into(), "rtb-2".into()],
        public_subnet_ids: vec!["subnet-3".into(), "subnet-4".into()],
        public_subnet_route_table_ids: vec!["rtb-3".into(), "rtb-4".into()],
        ..Default::default()
    };
    Vpc::from_vpc_attributes(stack, "Vpc", attributes)
}

#[test]
fn groups_with_every_prop_and_kind_of_rule() {
    let app = app();
    let stack = Stack::new(&app, "SecurityGroups", StackProps::default());
    let vpc = vpc(&stack);
    let props = || SecurityGroupProps { vpc: Some(vpc.clone()), ..Default::default() };
    let open = SecurityGroupProps {
        description: Some("open".into()),
        security_group_name: Some("open-group".into()),
        allow_all_ipv6_outbound: true,
        ..props()
    };
    let open = SecurityGroup::new(&stack, "Open", open);
    open.add_ingress_rule(&Peer::any_ipv4(), &Port::tcp(443), Some("https"));
    open.add_ingress_rule(&Peer::any_ipv4(), &Port::tcp(443), Some("said twice"));
    open.add_ingress_rule(&Peer::ipv4("10.0.0.0/8"), &Port::tcp_range(8000, 8100), None);
    open.add_ingress_rule(&Peer::any_ipv6(), &Port::udp(53), None);
    open.add_ingress_rule(&Peer::ipv4("10.1.0.0/16"), &Port::icmp_ping(), None);
    open.add_ingress_rule(&Peer::PrefixList("pl-1".into()), &Port::all_tcp(), Some("a list"));
    open.add_ingress_rule(&Peer::SecurityGroupId("sg-01234567".into()), &Port::all_traffic(), None);
    let closed =
        SecurityGroup::new(&stack, "Closed", SecurityGroupProps { allow_all_outbound: Some(false), ..props() });
    let narrow =
        SecurityGroup::new(&stack, "Narrow", SecurityGroupProps { allow_all_outbound: Some(false), ..props() });
    narrow.add_egress_rule(&Peer::ipv4("10.0.0.0/16"), &Port::udp_range(1, 2), Some("inside"));
    narrow.add_egress_rule(&Peer::SecurityGroup(open), &Port::tcp(443), None);
    narrow.add_ingress_rule(&Peer::SecurityGroup(closed), &Port::all_udp(), None);
    let apart = SecurityGroup::new(&stack, "Apart", SecurityGroupProps { disable_inline_rules: true, ..props() });
    apart.add_ingress_rule(&Peer::ipv4("10.0.0.0/16"), &Port::all_icmp(), None);
    let options = FromSecurityGroupIdOptions { allow_all_outbound: false, ..Default::default() };
    let taken = SecurityGroup::from_security_group_id(&stack, "Taken", "sg-11111111", options);
    taken.add_ingress_rule(&Peer::SecurityGroup(apart.clone()), &Port::tcp(5432), None);
    taken.add_egress_rule(&Peer::any_ipv4(), &Port::tcp(443), None);
    let options = FromSecurityGroupIdOptions { mutable: false, ..Default::default() };
    let unchanged = SecurityGroup::from_security_group_id(&stack, "Fixed", "sg-22222222", options);
    unchanged.add_ingress_rule(&Peer::SecurityGroup(apart.clone()), &Port::tcp(1), None);
    let range = CfnParameter::new(&stack, "Range", CfnParameterProps::default()).value_as_string();
    apart.add_ingress_rule(&Peer::Ipv4(range.clone()), &Port::tcp(1), None);
    apart.add_ingress_rule(&Peer::Ipv4(format!("{range}/8").into()), &Port::tcp(1), None);
    check(&app, &["SecurityGroups"]);
}

#[test]
fn rules_that_change_nothing_are_warned_of_and_wrong_ones_refused() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let group =
        SecurityGroup::new(&stack, "Group", SecurityGroupProps { vpc: Some(vpc(&stack)), ..Default::default() });
    group.add_egress_rule(&Peer::ipv4("10.0.0.0/8"), &Port::tcp(1), None);
    let assembly = app.assemble().unwrap();
    assert_eq!(assembly.diagnostics.len(), 1);
    assert_eq!(assembly.diagnostics[0].severity, Severity::Warning);

    group.add_ingress_rule(&Peer::ipv4("10.0.0.0"), &Port::tcp(1), None);
    group.add_ingress_rule(&Peer::Ipv6("fe80::/129".into()), &Port::tcp(1), None);
    let closed = SecurityGroupProps {
        vpc: Some(vpc(&Stack::new(&app, "Other", StackProps::default()))),
        allow_all_outbound: Some(false),
        ..Default::default()
    };
    let closed = SecurityGroup::new(&stack, "Closed", closed);
    closed.add_egress_rule(&Peer::any_ipv4(), &Port::all_traffic(), None);
    SecurityGroup::new(&stack, "NoVpc", SecurityGroupProps::default());
    let errors: Vec<String> = app
        .assemble()
        .unwrap_err()
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| d.message.clone())
        .collect();
    assert_eq!(
        errors,
        [
            "`10.0.0.0` is no IPv4 range: expected one such as `10.0.0.0/16`",
            "`fe80::/129` is no IPv6 range: expected one such as `2001:db8::/32`",
            "an outbound rule lets everything out",
            "the security group has no `vpc`",
        ]
    );
}
