//! What EC2 refuses, and in which words.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::world::World;

/// A VPC with a bit of everything, and names for its ids.
fn world() -> (World, Vec<(String, &'static str)>) {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let table = world.make("CreateRouteTable", json!({ "VpcId": vpc }), "/RouteTable/RouteTableId");
    let association = json!({ "RouteTableId": table, "SubnetId": subnet });
    let association = world.make("AssociateRouteTable", association, "/AssociationId");
    let gateway = world.make("CreateInternetGateway", json!({}), "/InternetGateway/InternetGatewayId");
    world.call("AttachInternetGateway", json!({ "VpcId": vpc, "InternetGatewayId": gateway })).unwrap();
    let route = json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway });
    world.call("CreateRoute", route).unwrap();
    let address = world.make("AllocateAddress", json!({}), "/AllocationId");
    let nat = json!({ "SubnetId": subnet, "AllocationId": address });
    let nat = world.make("CreateNatGateway", nat, "/NatGateway/NatGatewayId");
    let group = world.group(&vpc, "web");
    let vpcs = world.call(
        "DescribeSecurityGroups",
        json!({ "Filters": [{ "Name": "group-name", "Values": ["default"] }, { "Name": "vpc-id", "Values": [vpc] }] }),
    );
    let default = vpcs.unwrap()["SecurityGroups"][0]["GroupId"].as_str().unwrap().to_owned();
    let names = vec![
        (vpc, "VPC"),
        (subnet, "SUBNET"),
        (table, "TABLE"),
        (association, "ASSOCIATION"),
        (gateway, "IGW"),
        (address, "ADDRESS"),
        (nat, "NAT"),
        (group, "GROUP"),
        (default, "DEFAULT"),
    ];
    (world, names)
}

/// Every call must be refused; names stand for ids both ways.
fn refused(calls: &[(&str, Json)]) -> String {
    let (mut world, names) = world();
    let before = world.rows();
    let mut said = vec![];
    for (operation, input) in calls {
        let mut text = input.to_string();
        for (id, name) in &names {
            text = text.replace(&format!("\"{name}\""), &format!("\"{id}\""));
        }
        let fault = world.call(operation, serde_json::from_str(&text).unwrap()).expect_err(operation);
        let fault = names.iter().fold(fault, |fault, (id, name)| fault.replace(id, name));
        said.push(format!("{operation}: {fault}"));
    }
    assert_eq!(world.rows(), before, "a refused call leaves no trace");
    said.join("\n")
}

#[test]
fn what_is_not_there() {
    let said = refused(&[
        ("DescribeVpcs", json!({ "VpcIds": ["vpc-1"] })),
        ("DescribeSubnets", json!({ "SubnetIds": ["SUBNET", "subnet-1"] })),
        ("DescribeRouteTables", json!({ "RouteTableIds": ["rtb-1"] })),
        ("DescribeInternetGateways", json!({ "InternetGatewayIds": ["igw-1"] })),
        ("DescribeNatGateways", json!({ "NatGatewayIds": ["nat-1"] })),
        ("DescribeAddresses", json!({ "AllocationIds": ["eipalloc-1"] })),
        ("DescribeAddresses", json!({ "PublicIps": ["1.1.1.1"] })),
        ("DescribeSecurityGroups", json!({ "GroupIds": ["sg-1"] })),
        ("DescribeSecurityGroups", json!({ "GroupIds": ["web"] })),
        ("DescribeSecurityGroupRules", json!({ "SecurityGroupRuleIds": ["sgr-1"] })),
        ("DescribeNetworkInterfaces", json!({ "NetworkInterfaceIds": ["eni-1"] })),
        ("DescribeAvailabilityZones", json!({ "ZoneNames": ["us-east-1z"] })),
        ("DescribeVpcs", json!({ "Filters": [{ "Name": "colour", "Values": ["red"] }] })),
        ("DeleteVpc", json!({ "VpcId": "vpc-1" })),
        ("DisassociateRouteTable", json!({ "AssociationId": "rtbassoc-1" })),
        ("DeleteRoute", json!({ "RouteTableId": "TABLE", "DestinationCidrBlock": "1.0.0.0/8" })),
        (
            "CreateRoute",
            json!({ "RouteTableId": "TABLE", "DestinationCidrBlock": "1.0.0.0/8", "NatGatewayId": "nat-1" }),
        ),
        ("CreateTags", json!({ "Resources": ["VPC", "thing"], "Tags": [{ "Key": "a", "Value": "b" }] })),
        ("CreateTags", json!({ "Resources": ["vpc-1"], "Tags": [{ "Key": "a", "Value": "b" }] })),
        ("CreateVpc", json!({ "CidrBlock": "10.9.0.0/16", "DryRun": true })),
    ]);
    expect![[r#"
        DescribeVpcs: InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist
        DescribeSubnets: InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist
        DescribeRouteTables: InvalidRouteTableID.NotFound: The routeTable ID 'rtb-1' does not exist
        DescribeInternetGateways: InvalidInternetGatewayID.NotFound: The internetGateway ID 'igw-1' does not exist
        DescribeNatGateways: NatGatewayNotFound: The Nat Gateway nat-1 was not found
        DescribeAddresses: InvalidAllocationID.NotFound: The allocation ID 'eipalloc-1' does not exist
        DescribeAddresses: InvalidAddress.NotFound: Address '1.1.1.1' not found.
        DescribeSecurityGroups: InvalidGroup.NotFound: The security group 'sg-1' does not exist
        DescribeSecurityGroups: InvalidGroupId.Malformed: Invalid id: "web" (expecting "sg-...")
        DescribeSecurityGroupRules: InvalidSecurityGroupRuleId.NotFound: The security group rule ID 'sgr-1' does not exist
        DescribeNetworkInterfaces: InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-1' does not exist
        DescribeAvailabilityZones: InvalidParameterValue: Invalid availability zone: [us-east-1z]
        DescribeVpcs: InvalidParameterValue: The filter 'colour' is invalid
        DeleteVpc: InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist
        DisassociateRouteTable: InvalidAssociationID.NotFound: The association ID 'rtbassoc-1' does not exist
        DeleteRoute: InvalidRoute.NotFound: no route with destination-cidr-block 1.0.0.0/8 in route table TABLE
        CreateRoute: InvalidNatGatewayID.NotFound: The natGateway ID 'nat-1' does not exist
        CreateTags: InvalidID: The ID 'thing' is not valid
        CreateTags: InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist
        CreateVpc: DryRunOperation: Request would have succeeded, but DryRun flag is set."#]].assert_eq(&said);
}

#[test]
fn what_does_not_fit() {
    let said = refused(&[
        ("CreateVpc", json!({})),
        ("CreateVpc", json!({ "CidrBlock": "10.0.0.0" })),
        ("CreateVpc", json!({ "CidrBlock": "10.0.0.0/8" })),
        ("CreateVpc", json!({ "CidrBlock": "10.0.0.0/29" })),
        ("CreateSubnet", json!({ "VpcId": "VPC", "CidrBlock": "10.1.0.0/24" })),
        ("CreateSubnet", json!({ "VpcId": "VPC", "CidrBlock": "10.0.0.128/25" })),
        ("CreateSubnet", json!({ "VpcId": "VPC", "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1z" })),
        ("CreateRoute", json!({ "RouteTableId": "TABLE", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "NAT" })),
        ("AssociateRouteTable", json!({ "RouteTableId": "TABLE", "SubnetId": "SUBNET" })),
        ("AttachInternetGateway", json!({ "VpcId": "VPC", "InternetGatewayId": "IGW" })),
        ("DetachInternetGateway", json!({ "VpcId": "vpc-1", "InternetGatewayId": "IGW" })),
        ("ModifyVpcAttribute", json!({ "VpcId": "VPC" })),
        ("CreateNatGateway", json!({ "SubnetId": "SUBNET" })),
        ("CreateSecurityGroup", json!({ "VpcId": "VPC", "GroupName": "web", "Description": "d" })),
        ("CreateSecurityGroup", json!({ "VpcId": "VPC", "GroupName": "default", "Description": "d" })),
        ("CreateSecurityGroup", json!({ "VpcId": "VPC", "GroupName": "sg-a", "Description": "d" })),
        ("CreateSecurityGroup", json!({ "VpcId": "VPC", "GroupName": "a", "Description": "<d>" })),
        ("CreateTags", json!({ "Resources": ["VPC"], "Tags": [{ "Key": "aws:a", "Value": "b" }] })),
        (
            "CreateVpc",
            json!({ "CidrBlock": "10.9.0.0/16", "TagSpecifications": [{ "ResourceType": "subnet", "Tags": [] }] }),
        ),
        ("DescribeVpcs", json!({ "MaxResults": 1 })),
    ]);
    expect![[r#"
        CreateVpc: MissingParameter: The request must contain the parameter cidrBlock
        CreateVpc: InvalidParameterValue: Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.
        CreateVpc: InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.
        CreateVpc: InvalidVpc.Range: The CIDR '10.0.0.0/29' is invalid.
        CreateSubnet: InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.
        CreateSubnet: InvalidSubnet.Conflict: The CIDR '10.0.0.128/25' conflicts with another subnet
        CreateSubnet: InvalidParameterValue: Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c.
        CreateRoute: RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.
        AssociateRouteTable: Resource.AlreadyAssociated: the specified association for route table TABLE conflicts with an existing association
        AttachInternetGateway: Resource.AlreadyAssociated: resource IGW is already attached to network VPC
        DetachInternetGateway: Gateway.NotAttached: resource IGW is not attached to network vpc-1
        ModifyVpcAttribute: InvalidParameterCombination: No attributes specified.
        CreateNatGateway: MissingParameter: The request must contain the parameter AllocationId
        CreateSecurityGroup: InvalidGroup.Duplicate: The security group 'web' already exists for VPC 'VPC'
        CreateSecurityGroup: InvalidParameterValue: Cannot use reserved security group name: default
        CreateSecurityGroup: InvalidParameterValue: Group names may not be in the format sg-*
        CreateSecurityGroup: InvalidParameterValue: Invalid security group description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*
        CreateTags: InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use
        CreateVpc: InvalidParameterValue: 'subnet' is not a valid taggable resource type for this operation.
        DescribeVpcs: InvalidParameterValue: Value (1) for parameter MaxResults is invalid."#]].assert_eq(&said);
}

#[test]
fn what_something_else_hangs_on() {
    let said = refused(&[
        ("DeleteVpc", json!({ "VpcId": "VPC" })),
        ("DeleteSubnet", json!({ "SubnetId": "SUBNET" })),
        ("DeleteRouteTable", json!({ "RouteTableId": "TABLE" })),
        ("DeleteInternetGateway", json!({ "InternetGatewayId": "IGW" })),
        ("DetachInternetGateway", json!({ "VpcId": "VPC", "InternetGatewayId": "IGW" })),
        ("ReleaseAddress", json!({ "AllocationId": "ADDRESS" })),
        ("DeleteSecurityGroup", json!({ "GroupId": "DEFAULT" })),
    ]);
    expect![[r#"
        DeleteVpc: DependencyViolation: The vpc 'VPC' has dependencies and cannot be deleted.
        DeleteSubnet: DependencyViolation: The subnet 'SUBNET' has dependencies and cannot be deleted.
        DeleteRouteTable: DependencyViolation: The routeTable 'TABLE' has dependencies and cannot be deleted.
        DeleteInternetGateway: DependencyViolation: The internetGateway 'IGW' has dependencies and cannot be deleted.
        DetachInternetGateway: DependencyViolation: Network VPC has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.
        ReleaseAddress: InvalidIPAddress.InUse: Address 203.0.113.1 is in use.
        DeleteSecurityGroup: CannotDelete: the specified group: "DEFAULT" name: "default" cannot be deleted by a user"#]].assert_eq(&said);
}

#[test]
fn a_nat_gateway_without_a_way_out_fails_by_itself() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let address = world.make("AllocateAddress", json!({}), "/AllocationId");
    let input = json!({ "SubnetId": subnet, "AllocationId": address });
    let nat = world.make("CreateNatGateway", input, "/NatGateway/NatGatewayId");
    let shown = world.call("DescribeNatGateways", json!({ "NatGatewayIds": [nat] })).unwrap();
    let shown = &shown["NatGateways"][0];
    assert_eq!((&shown["State"], &shown["FailureCode"]), (&json!("failed"), &json!("Gateway.NotAttached")));
    assert_eq!(shown["FailureMessage"], format!("Network {vpc} has no Internet gateway attached"));
    world.call("DeleteNatGateway", json!({ "NatGatewayId": nat })).unwrap();
    world.call("ReleaseAddress", json!({ "AllocationId": address })).unwrap();
}
