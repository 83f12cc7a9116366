//! What a caller must be allowed.

use expect_test::expect;
use serde_json::json;

use crate::world::World;

#[test]
fn operations_ask_for_ec2s_actions_on_ec2s_arns() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    world.call("CreateTags", json!({ "Resources": [vpc], "Tags": [{ "Key": "stage", "Value": "prod" }] })).unwrap();
    let tagged =
        json!([{ "ResourceType": "subnet", "Tags": [{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }] }]);
    let input = json!({ "VpcId": vpc, "CidrBlock": "10.0.0.0/24", "TagSpecifications": tagged });
    let subnet = world.make("CreateSubnet", input, "/Subnet/SubnetId");
    let group = world.group(&vpc, "web");
    let web = json!({ "GroupId": group, "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" });
    world.call("AuthorizeSecurityGroupIngress", web).unwrap();
    world.call("DescribeSubnets", json!({})).unwrap();
    world.call("DeleteTags", json!({ "Resources": [subnet] })).unwrap();
    world.call("DeleteSubnet", json!({ "SubnetId": subnet })).unwrap();
    let asked = world.asked().join("\n").replace(&vpc, "VPC").replace(&subnet, "SUBNET").replace(&group, "GROUP");
    expect![[r#"
        ec2:CreateVpc arn:aws:ec2:us-east-1:123456789012:vpc/* ec2:Region=us-east-1 ec2:Tenancy=default
        ec2:CreateTags arn:aws:ec2:us-east-1:123456789012:vpc/VPC ec2:Region=us-east-1 ec2:VpcID=VPC ec2:Tenancy=default aws:RequestTag/stage=prod aws:TagKeys=stage
        ec2:CreateSubnet arn:aws:ec2:us-east-1:123456789012:subnet/* aws:RequestTag/a=1 aws:RequestTag/b=2 aws:TagKeys=a,b ec2:Region=us-east-1 ec2:Vpc=arn:aws:ec2:us-east-1:123456789012:vpc/VPC
        ec2:CreateTags arn:aws:ec2:us-east-1:123456789012:subnet/* aws:RequestTag/a=1 aws:RequestTag/b=2 aws:TagKeys=a,b ec2:Region=us-east-1 ec2:Vpc=arn:aws:ec2:us-east-1:123456789012:vpc/VPC ec2:CreateAction=CreateSubnet
        ec2:CreateSubnet arn:aws:ec2:us-east-1:123456789012:vpc/VPC ec2:Region=us-east-1 ec2:VpcID=VPC ec2:Tenancy=default ec2:ResourceTag/stage=prod aws:ResourceTag/stage=prod
        ec2:CreateSecurityGroup arn:aws:ec2:us-east-1:123456789012:security-group/* ec2:Region=us-east-1 ec2:Vpc=arn:aws:ec2:us-east-1:123456789012:vpc/VPC
        ec2:CreateSecurityGroup arn:aws:ec2:us-east-1:123456789012:vpc/VPC ec2:Region=us-east-1 ec2:VpcID=VPC ec2:Tenancy=default ec2:ResourceTag/stage=prod aws:ResourceTag/stage=prod
        ec2:AuthorizeSecurityGroupIngress arn:aws:ec2:us-east-1:123456789012:security-group/GROUP ec2:Region=us-east-1 ec2:SecurityGroupID=GROUP ec2:Vpc=arn:aws:ec2:us-east-1:123456789012:vpc/VPC
        ec2:DescribeSubnets *
        ec2:DeleteTags arn:aws:ec2:us-east-1:123456789012:subnet/SUBNET ec2:Region=us-east-1 ec2:SubnetID=SUBNET ec2:Vpc=arn:aws:ec2:us-east-1:123456789012:vpc/VPC ec2:AvailabilityZone=us-east-1a ec2:AvailabilityZoneId=use1-az1 ec2:ResourceTag/a=1 aws:ResourceTag/a=1 ec2:ResourceTag/b=2 aws:ResourceTag/b=2
        ec2:DeleteSubnet arn:aws:ec2:us-east-1:123456789012:subnet/SUBNET ec2:Region=us-east-1 ec2:SubnetID=SUBNET ec2:Vpc=arn:aws:ec2:us-east-1:123456789012:vpc/VPC ec2:AvailabilityZone=us-east-1a ec2:AvailabilityZoneId=use1-az1"#]].assert_eq(&asked);
}
