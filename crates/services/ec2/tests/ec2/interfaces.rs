//! The port through which tasks get their interfaces.

use expect_test::expect;
use serde_json::json;

use crate::world::World;

#[test]
fn a_task_gets_the_lowest_free_address() {
    let mut world = World::in_region("eu-west-1");
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.1.0/24");
    let first = world.attach(&[&subnet], &[], false).unwrap();
    assert_eq!(first["private_ip"], "10.0.1.4");
    assert_eq!(first["private_dns_name"], "ip-10-0-1-4.eu-west-1.compute.internal");
    assert_eq!(first["vpc_cidr"], "10.0.0.0/16");
    assert_eq!(first["subnet_cidr"], "10.0.1.0/24");
    assert_eq!(first["availability_zone"], "eu-west-1a");
    assert!(first["mac"].as_str().unwrap().starts_with("02:") && first["mac"].as_str().unwrap().len() == 17);
    assert_eq!(world.attach(&[&subnet], &[], false).unwrap()["private_ip"], "10.0.1.5");

    let mut world = world.restarted();
    world.detach(first["id"].as_str().unwrap());
    world.detach("eni-00000000000000000");
    assert_eq!(world.attach(&[&subnet], &[], false).unwrap()["private_ip"], "10.0.1.4");
    assert_eq!(world.attach(&[&subnet], &[], false).unwrap()["private_ip"], "10.0.1.6");
}

#[test]
fn interfaces_spread_over_subnets() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let (small, large) = (world.subnet(&vpc, "10.0.0.0/28"), world.subnet(&vpc, "10.0.1.0/27"));
    let twin = world.subnet(&vpc, "10.0.2.0/27");
    let order = [&*small, &large, &twin];
    let chosen: Vec<_> = (0..4).map(|_| world.attach(&order, &[], false).unwrap()["private_ip"].clone()).collect();
    assert_eq!(chosen, ["10.0.1.4", "10.0.2.4", "10.0.1.5", "10.0.2.5"]);
    let shown = world.call("DescribeSubnets", json!({ "SubnetIds": [large] })).unwrap();
    assert_eq!(shown["Subnets"][0]["AvailableIpAddressCount"], 25);
}

#[test]
fn an_interface_is_described() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.1.0/24");
    let group = world.group(&vpc, "web");
    let made = world.attach(&[&subnet], &[&group], true).unwrap();
    assert_eq!(made["private_dns_name"], "ip-10-0-1-4.ec2.internal");
    expect!["ecs:RunTask awsvpcConfiguration.assignPublicIp: the address is recorded; nothing reaches it"]
        .assert_eq(&world.notices.join("\n"));
    let filters = json!({ "Filters": [{ "Name": "group-name", "Values": ["web"] }] });
    let shown = world.call("DescribeNetworkInterfaces", filters).unwrap();
    let shown = &shown["NetworkInterfaces"][0];
    assert_eq!(shown["NetworkInterfaceId"], made["id"]);
    assert_eq!(shown["Association"]["PublicIp"], "203.0.113.1");
    assert_eq!(shown["Association"]["IpOwnerId"], "amazon");
    assert_eq!(shown["Groups"], json!([{ "GroupId": group, "GroupName": "web" }]));
    assert_eq!(shown["MacAddress"], made["mac"]);
    // An address on an interface is not allocated to anyone else.
    assert_eq!(world.make("AllocateAddress", json!({}), "/PublicIp"), "203.0.113.2");
}

#[test]
fn without_groups_the_default_group_is_taken() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.1.0/24");
    world.attach(&[&subnet], &[], false).unwrap();
    let shown = world.call("DescribeNetworkInterfaces", json!({})).unwrap();
    assert_eq!(shown["NetworkInterfaces"][0]["Groups"][0]["GroupName"], "default");
}

#[test]
fn ecs_hears_of_wrong_networks_in_its_own_words() {
    let mut world = World::new();
    let (vpc, other) = (world.vpc("10.0.0.0/16"), world.vpc("10.1.0.0/16"));
    let (subnet, far) = (world.subnet(&vpc, "10.0.1.0/28"), world.subnet(&other, "10.1.1.0/24"));
    let far_group = world.group(&other, "far");
    let mut said = vec![];
    said.extend(world.attach(&["subnet-1"], &[], false).err());
    said.extend(world.attach(&[&subnet], &["sg-1"], false).err());
    said.extend(world.attach(&[&subnet], &[&far_group], false).err());
    said.extend(world.attach(&[&subnet, &far], &[], false).err());
    said.extend(world.attach(&[], &[], false).err());
    for _ in 0..11 {
        world.attach(&[&subnet], &[], false).unwrap();
    }
    said.extend(world.attach(&[&subnet], &[], false).err());
    said.extend(world.attach(&[&subnet], &[], true).err());
    let said = said.join("\n").replace(&*far_group, "sg-far").replace(&*subnet, "subnet-full");
    expect![[r#"
        InvalidParameterException: Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist (ErrorCode: InvalidSubnetID.NotFound)
        InvalidParameterException: Error retrieving security group information for [sg-1]: The security group 'sg-1' does not exist (ErrorCode: InvalidGroup.NotFound)
        InvalidParameterException: Security group sg-far does not appear to belong to the same VPC as the input subnets.
        InvalidParameterException: Subnets must all be in the same VPC.
        InvalidParameterException: subnets can not be empty.
        InsufficientFreeAddressesInSubnet: Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-full': InsufficientFreeAddressesInSubnet
        InsufficientFreeAddressesInSubnet: Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-full': InsufficientFreeAddressesInSubnet"#]].assert_eq(&said);
}
