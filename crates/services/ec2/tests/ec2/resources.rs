//! CloudFormation types: updates, refusals, and what they say is not simulated.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::world::{Step, World};

#[test]
fn attributes_are_those_that_get_att_documents() {
    let mut world = World::new();
    let mut lines = vec![];
    let mut show = |world: &mut World, type_name: &'static str, properties: Json| {
        let (state, _) = world.settle(Step::create(type_name, "It", properties)).unwrap();
        lines.push(format!("{type_name}: {}", state.attributes.keys().cloned().collect::<Vec<_>>().join(" ")));
        state
    };
    let vpc = show(&mut world, "AWS::EC2::VPC", json!({ "CidrBlock": "10.0.0.0/16" })).physical_id;
    let subnet = show(&mut world, "AWS::EC2::Subnet", json!({ "CidrBlock": "10.0.0.0/24", "VpcId": vpc })).physical_id;
    let table = show(&mut world, "AWS::EC2::RouteTable", json!({ "VpcId": vpc })).physical_id;
    let association = json!({ "RouteTableId": table, "SubnetId": subnet });
    show(&mut world, "AWS::EC2::SubnetRouteTableAssociation", association);
    let gateway = show(&mut world, "AWS::EC2::InternetGateway", Json::Null).physical_id;
    let attachment = json!({ "VpcId": vpc, "InternetGatewayId": gateway });
    let attachment = show(&mut world, "AWS::EC2::VPCGatewayAttachment", attachment);
    assert_eq!(attachment.physical_id, format!("IGW|{vpc}"));
    let route = json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway });
    assert_eq!(show(&mut world, "AWS::EC2::Route", route).physical_id, format!("{table}|0.0.0.0/0"));
    let address = show(&mut world, "AWS::EC2::EIP", json!({ "Domain": "vpc" }));
    assert_eq!(address.physical_id, "203.0.113.1");
    let nat = json!({ "SubnetId": subnet, "AllocationId": address.attributes["AllocationId"] });
    show(&mut world, "AWS::EC2::NatGateway", nat);
    let group = json!({ "GroupDescription": "d", "VpcId": vpc });
    let group = show(&mut world, "AWS::EC2::SecurityGroup", group).physical_id;
    let rule = json!({ "GroupId": group, "IpProtocol": "tcp", "FromPort": "80", "ToPort": 80, "CidrIp": "0.0.0.0/0" });
    show(&mut world, "AWS::EC2::SecurityGroupIngress", rule.clone());
    show(&mut world, "AWS::EC2::SecurityGroupEgress", rule);
    expect![[r#"
        AWS::EC2::VPC: CidrBlock CidrBlockAssociations DefaultNetworkAcl DefaultSecurityGroup Ipv6CidrBlocks VpcId
        AWS::EC2::Subnet: AvailabilityZone AvailabilityZoneId CidrBlock Ipv6CidrBlocks NetworkAclAssociationId OutpostArn SubnetId VpcId
        AWS::EC2::RouteTable: RouteTableId
        AWS::EC2::SubnetRouteTableAssociation: Id
        AWS::EC2::InternetGateway: InternetGatewayId
        AWS::EC2::VPCGatewayAttachment: AttachmentType
        AWS::EC2::Route: CidrBlock
        AWS::EC2::EIP: AllocationId PublicIp
        AWS::EC2::NatGateway: EniId NatGatewayId
        AWS::EC2::SecurityGroup: GroupId Id VpcId
        AWS::EC2::SecurityGroupIngress: Id
        AWS::EC2::SecurityGroupEgress: Id"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn what_cannot_change_is_replaced_and_the_rest_changes_in_place() {
    let mut world = World::new();
    let vpc = Step::create(
        "AWS::EC2::VPC",
        "Vpc",
        json!({ "CidrBlock": "10.0.0.0/16", "Tags": [{ "Key": "a", "Value": "1" }] }),
    );
    let (state, _) = world.settle(vpc.clone()).unwrap();
    let replaced = world.step(vpc.update(&state, json!({ "CidrBlock": "10.1.0.0/16" }))).unwrap();
    assert_eq!(replaced, json!({ "progress": "Replace" }));
    let after = json!({ "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": "true", "EnableDnsSupport": false,
        "Tags": [{ "Key": "b", "Value": "2" }] });
    assert_eq!(world.settle(vpc.update(&state, after)).unwrap().0, state);
    let shown = world.call("DescribeVpcs", json!({ "VpcIds": [state.physical_id] })).unwrap();
    let keys: Vec<_> = shown["Vpcs"][0]["Tags"].as_array().unwrap().iter().map(|tag| tag["Key"].clone()).collect();
    let marks = ["aws:cloudformation:logical-id", "aws:cloudformation:stack-id", "aws:cloudformation:stack-name", "b"];
    assert_eq!(keys, marks);
    for (attribute, member, wanted) in
        [("enableDnsHostnames", "EnableDnsHostnames", true), ("enableDnsSupport", "EnableDnsSupport", false)]
    {
        let input = json!({ "VpcId": state.physical_id, "Attribute": attribute });
        assert_eq!(world.call("DescribeVpcAttribute", input).unwrap()[member]["Value"], wanted);
    }
}

#[test]
fn a_groups_rules_follow_its_properties() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let properties = |ingress: Json, egress: Json| json!({ "GroupDescription": "d", "VpcId": vpc, "SecurityGroupIngress": ingress, "SecurityGroupEgress": egress });
    let tcp = |port: u16, peer: &str| json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": peer });
    let step = Step::create("AWS::EC2::SecurityGroup", "Web", properties(json!([tcp(80, "0.0.0.0/0")]), json!([])));
    let (state, _) = world.settle(step.clone()).unwrap();
    let mut lines = vec![rules(&mut world)];
    let more = properties(json!([tcp(80, "0.0.0.0/0"), tcp(443, "0.0.0.0/0")]), json!([tcp(3306, "10.0.0.0/8")]));
    world.settle(step.update(&state, more.clone())).unwrap();
    lines.push(rules(&mut world));
    let back =
        Step { properties: more, ..step.clone() }.update(&state, properties(json!([tcp(443, "0.0.0.0/0")]), json!([])));
    world.settle(back).unwrap();
    lines.push(rules(&mut world));
    expect![[r#"
        in: 80 0.0.0.0/0; out: null 0.0.0.0/0
        in: 80 0.0.0.0/0, 443 0.0.0.0/0; out: 3306 10.0.0.0/8
        in: 443 0.0.0.0/0; out: null 0.0.0.0/0"#]]
    .assert_eq(&lines.join("\n"));
    let renamed = world.step(step.update(&state, json!({ "GroupDescription": "other", "VpcId": vpc }))).unwrap();
    assert_eq!(renamed["progress"], "Replace");
    world.settle(step.delete(&state)).unwrap();
}

/// The rules of the groups that stacks made.
fn rules(world: &mut World) -> String {
    let stacks = json!({ "Filters": [{ "Name": "tag-key", "Values": ["aws:cloudformation:stack-name"] }] });
    let groups = world.call("DescribeSecurityGroups", stacks).unwrap();
    let group = &groups["SecurityGroups"][0];
    let one = |permission: &Json| {
        format!("{} {}", permission["FromPort"], permission["IpRanges"][0]["CidrIp"].as_str().unwrap())
    };
    let side = |name: &str| group[name].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(", ");
    format!("in: {}; out: {}", side("IpPermissions"), side("IpPermissionsEgress"))
}

#[test]
fn a_rule_changes_its_description_in_place() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let group = world.group(&vpc, "web");
    let rule = |port: u16, description: &str| json!({ "GroupId": group, "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0", "Description": description });
    let step = Step::create("AWS::EC2::SecurityGroupIngress", "Rule", rule(80, "old"));
    let (state, _) = world.settle(step.clone()).unwrap();
    world.settle(step.update(&state, rule(80, "new"))).unwrap();
    let shown =
        world.call("DescribeSecurityGroupRules", json!({ "SecurityGroupRuleIds": [state.physical_id] })).unwrap();
    assert_eq!(shown["SecurityGroupRules"][0]["Description"], "new");
    assert_eq!(world.step(step.update(&state, rule(81, "old"))).unwrap()["progress"], "Replace");
    world.settle(step.delete(&state)).unwrap();
    world.settle(step.delete(&state)).unwrap();
}

#[test]
fn a_delete_waits_for_what_hangs_on_the_resource() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let step = Step::create("AWS::EC2::Subnet", "Subnet", json!({ "CidrBlock": "10.0.0.0/24", "VpcId": vpc }));
    let (state, _) = world.settle(step.clone()).unwrap();
    let interface = world.attach(&[&state.physical_id], &[], false).unwrap()["id"].as_str().unwrap().to_owned();
    let waiting = world.step(step.delete(&state)).unwrap();
    assert_eq!((&waiting["progress"], &waiting["callback"]), (&json!("InProgress"), &json!({ "attempt": 1 })));
    let fault = world.settle(step.delete(&state)).unwrap_err();
    assert!(fault.starts_with("DependencyViolation: The subnet"), "{fault}");
    world.detach(&interface);
    let resumed = Step { callback: Some(waiting["callback"].clone()), ..step.delete(&state) };
    assert_eq!(world.settle(resumed).unwrap().1, 1);
}

#[test]
fn what_a_stack_cannot_have_is_named() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let address = world.make("AllocateAddress", json!({}), "/AllocationId");
    let cases = [
        ("AWS::EC2::VPC", json!({ "CidrBlock": "10.0.0.0/16", "Colour": "red" })),
        ("AWS::EC2::VPCGatewayAttachment", json!({ "VpcId": vpc, "VpnGatewayId": "vgw-1" })),
        ("AWS::EC2::NatGateway", json!({ "SubnetId": subnet, "AllocationId": address })),
        (
            "AWS::EC2::SecurityGroup",
            json!({ "GroupDescription": "d", "VpcId": vpc, "SecurityGroupIngress": [
            { "IpProtocol": "-1", "DestinationSecurityGroupId": "sg-1" }] }),
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({ "GroupDescription": "d", "VpcId": vpc, "SecurityGroupIngress": [
            { "IpProtocol": "-1", "CidrIp": "10.0.0.0/8", "CidrIpv6": "::/0" }] }),
        ),
        ("Custom::VpcRestrictDefaultSG", json!({ "DefaultSecurityGroupId": "sg-1", "Group": "sg-1" })),
        (
            "AWS::EC2::Route",
            json!({ "RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1" }),
        ),
    ];
    let mut said = vec![];
    for (type_name, properties) in cases {
        let fault = world.settle(Step::create(type_name, "It", properties)).unwrap_err();
        said.push(format!("{type_name}: {fault}"));
    }
    let said = said.join("\n").replace(&vpc, "VPC");
    let nat = said.split_whitespace().find(|word| word.starts_with("nat-")).unwrap().to_owned();
    expect![[r#"
        AWS::EC2::VPC: ValidationException: `Colour` is not known here
        AWS::EC2::VPCGatewayAttachment: ValidationException: `VpnGatewayId` is not known here
        AWS::EC2::NatGateway: NotStabilized: NatGateway NAT is in state failed and hence failed to stabilize. Detailed failure message: Network VPC has no Internet gateway attached
        AWS::EC2::SecurityGroup: ValidationException: unknown property `DestinationSecurityGroupId` in `SecurityGroupIngress`
        AWS::EC2::SecurityGroup: ValidationException: `SecurityGroupIngress` has more than one peer: give one of `CidrIp`, `CidrIpv6`, a prefix list and a security group
        Custom::VpcRestrictDefaultSG: ValidationException: unknown property `Group` in `Custom::VpcRestrictDefaultSG`
        AWS::EC2::Route: InvalidRouteTableID.NotFound: The routeTable ID 'rtb-1' does not exist"#]].assert_eq(&said.replace(&nat, "NAT"));
}

#[test]
fn an_association_moves_to_another_table() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let mut table = || world.make("CreateRouteTable", json!({ "VpcId": vpc }), "/RouteTable/RouteTableId");
    let (first, second) = (table(), table());
    let properties = |table: &str| json!({ "SubnetId": subnet, "RouteTableId": table });
    let step = Step::create("AWS::EC2::SubnetRouteTableAssociation", "It", properties(&first));
    let (state, _) = world.settle(step.clone()).unwrap();
    let (moved, _) = world.settle(step.update(&state, properties(&second))).unwrap();
    assert_ne!(moved.physical_id, state.physical_id);
    let of_subnet = json!({ "Filters": [{ "Name": "association.subnet-id", "Values": [subnet] }] });
    let shown = world.call("DescribeRouteTables", of_subnet).unwrap();
    assert_eq!(shown["RouteTables"].as_array().unwrap().len(), 1);
    assert_eq!(shown["RouteTables"][0]["RouteTableId"], second);
}
