//! The VPC that every account has.

use serde_json::json;

use crate::world::World;

#[test]
fn every_account_has_one_in_each_region_with_a_way_out() {
    let ids = |region: &str| {
        let mut world = World::in_region(region);
        let of_account = json!({ "Filters": [{ "Name": "is-default", "Values": ["true"] }] });
        let vpcs = world.call("DescribeVpcs", of_account.clone()).unwrap();
        assert_eq!(vpcs["Vpcs"].as_array().unwrap().len(), 1);
        let vpc = vpcs["Vpcs"][0].clone();
        assert_eq!((&vpc["CidrBlock"], &vpc["IsDefault"]), (&json!("172.31.0.0/16"), &json!(true)));
        let id = vpc["VpcId"].as_str().unwrap().to_owned();
        let of_vpc = json!({ "Filters": [{ "Name": "vpc-id", "Values": [id] }] });
        let subnets = world.call("DescribeSubnets", of_vpc.clone()).unwrap();
        let subnets = subnets["Subnets"].as_array().unwrap();
        let zones: Vec<_> = subnets.iter().map(|it| it["AvailabilityZone"].as_str().unwrap().to_owned()).collect();
        let mut sorted = zones.clone();
        sorted.sort();
        assert_eq!(sorted, ["a", "b", "c"].map(|zone| format!("{region}{zone}")));
        assert!(
            subnets.iter().all(|it| it["DefaultForAz"] == true && it["MapPublicIpOnLaunch"] == true),
            "{subnets:?}"
        );
        let gateways = json!({ "Filters": [{ "Name": "attachment.vpc-id", "Values": [id] }] });
        let gateways = world.call("DescribeInternetGateways", gateways).unwrap();
        let gateway = gateways["InternetGateways"][0]["InternetGatewayId"].clone();
        let tables = world.call("DescribeRouteTables", of_vpc.clone()).unwrap();
        let routes = tables["RouteTables"][0]["Routes"].as_array().unwrap();
        assert!(
            routes.iter().any(|it| it["DestinationCidrBlock"] == "0.0.0.0/0" && it["GatewayId"] == gateway),
            "{routes:?}"
        );
        let mut world = world.restarted();
        let again = world.call("DescribeVpcs", of_account).unwrap();
        assert_eq!(again["Vpcs"][0]["VpcId"].as_str(), Some(id.as_str()), "it stays");
        id
    };
    assert_eq!(ids("us-east-1"), ids("us-east-1"), "its id follows from where it is");
    assert_ne!(ids("us-east-1"), ids("eu-west-1"));
}

#[test]
fn groups_without_a_vpc_lie_in_it_and_go_by_name_there() {
    let mut world = World::new();
    let made = world.call("CreateSecurityGroup", json!({ "GroupName": "web", "Description": "d" })).unwrap();
    let group = made["GroupId"].as_str().unwrap().to_owned();
    let web = json!({ "GroupName": "web", "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0" });
    world.call("AuthorizeSecurityGroupIngress", web.clone()).unwrap();
    let shown = world.call("DescribeSecurityGroups", json!({ "GroupNames": ["web"] })).unwrap();
    assert_eq!(shown["SecurityGroups"][0]["GroupId"].as_str(), Some(group.as_str()));
    assert_eq!(shown["SecurityGroups"][0]["IpPermissions"][0]["FromPort"], 80);
    world.call("RevokeSecurityGroupIngress", web).unwrap();
    world.call("DeleteSecurityGroup", json!({ "GroupName": "web" })).unwrap();
    let fault = world.call("DeleteSecurityGroup", json!({ "GroupName": "web" })).unwrap_err();
    assert!(fault.starts_with("InvalidGroup.NotFound"), "{fault}");
}

#[test]
fn who_deletes_it_does_not_get_it_back() {
    let mut world = World::new();
    let of_account = json!({ "Filters": [{ "Name": "is-default", "Values": ["true"] }] });
    let vpcs = world.call("DescribeVpcs", of_account.clone()).unwrap();
    let id = vpcs["Vpcs"][0]["VpcId"].clone();
    let of_vpc = json!({ "Filters": [{ "Name": "vpc-id", "Values": [id] }] });
    let subnets = world.call("DescribeSubnets", of_vpc).unwrap();
    for subnet in subnets["Subnets"].as_array().unwrap() {
        world.call("DeleteSubnet", json!({ "SubnetId": subnet["SubnetId"] })).unwrap();
    }
    let gateways = world.call("DescribeInternetGateways", json!({})).unwrap();
    let gateway = gateways["InternetGateways"][0]["InternetGatewayId"].clone();
    world.call("DetachInternetGateway", json!({ "VpcId": id, "InternetGatewayId": gateway })).unwrap();
    world.call("DeleteVpc", json!({ "VpcId": id })).unwrap();
    assert_eq!(world.call("DescribeVpcs", of_account).unwrap()["Vpcs"], json!([]));
    let fault = world.call("CreateSecurityGroup", json!({ "GroupName": "a", "Description": "d" })).unwrap_err();
    assert!(fault.starts_with("VPCIdNotSpecified"), "{fault}");
}
