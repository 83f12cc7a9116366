//! Filters, pages and tags.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::world::World;

/// Three subnets, each with tags.
fn world() -> World {
    let mut world = World::in_region("eu-west-1");
    let vpc = world.vpc("10.0.0.0/16");
    for (at, zone, stage) in [(0, "a", "prod"), (1, "b", "test"), (2, "a", "proof")] {
        let tags = json!([{ "Key": "stage", "Value": stage }, { "Key": format!("n{at}"), "Value": "" }]);
        let input = json!({
            "VpcId": vpc, "CidrBlock": format!("10.0.{at}.0/24"), "AvailabilityZone": format!("eu-west-1{zone}"),
            "TagSpecifications": [{ "ResourceType": "subnet", "Tags": tags }],
        });
        world.call("CreateSubnet", input).unwrap();
    }
    world
}

/// The blocks of the subnets that pass.
fn blocks(world: &mut World, filters: Json) -> String {
    let subnets = world.call("DescribeSubnets", json!({ "Filters": filters })).unwrap();
    let mut blocks: Vec<_> =
        subnets["Subnets"].as_array().unwrap().iter().map(|it| it["CidrBlock"].as_str().unwrap().to_owned()).collect();
    blocks.sort();
    blocks.join(" ")
}

#[test]
fn all_filters_must_pass_and_any_of_their_values() {
    let mut world = world();
    let cases = [
        json!([]),
        json!([{ "Name": "availability-zone", "Values": ["eu-west-1a"] }]),
        json!([{ "Name": "availability-zone-id", "Values": ["euw1-az2"] }]),
        json!([{ "Name": "tag:stage", "Values": ["pro*"] }]),
        json!([{ "Name": "tag:stage", "Values": ["pro?", "test"] }]),
        json!([{ "Name": "tag:stage", "Values": ["pro*"] }, { "Name": "cidr-block", "Values": ["10.0.2.0/24"] }]),
        json!([{ "Name": "tag-key", "Values": ["n1"] }]),
        json!([{ "Name": "tag-value", "Values": ["test"] }]),
        json!([{ "Name": "tag:Stage", "Values": ["prod"] }]),
        json!([{ "Name": "state", "Values": [] }]),
        json!([{ "Name": "default-for-az", "Values": ["false"] }, { "Name": "available-ip-address-count", "Values": ["251"] }]),
    ];
    let lines: Vec<_> =
        cases.into_iter().map(|filters| format!("{filters} {}", blocks(&mut world, filters.clone()))).collect();
    expect![[r#"
        [] 10.0.0.0/24 10.0.1.0/24 10.0.2.0/24 172.31.0.0/20 172.31.16.0/20 172.31.32.0/20
        [{"Name":"availability-zone","Values":["eu-west-1a"]}] 10.0.0.0/24 10.0.2.0/24 172.31.0.0/20
        [{"Name":"availability-zone-id","Values":["euw1-az2"]}] 10.0.1.0/24 172.31.16.0/20
        [{"Name":"tag:stage","Values":["pro*"]}] 10.0.0.0/24 10.0.2.0/24
        [{"Name":"tag:stage","Values":["pro?","test"]}] 10.0.0.0/24 10.0.1.0/24
        [{"Name":"tag:stage","Values":["pro*"]},{"Name":"cidr-block","Values":["10.0.2.0/24"]}] 10.0.2.0/24
        [{"Name":"tag-key","Values":["n1"]}] 10.0.1.0/24
        [{"Name":"tag-value","Values":["test"]}] 10.0.1.0/24
        [{"Name":"tag:Stage","Values":["prod"]}] 
        [{"Name":"state","Values":[]}] 
        [{"Name":"default-for-az","Values":["false"]},{"Name":"available-ip-address-count","Values":["251"]}] 10.0.0.0/24 10.0.1.0/24 10.0.2.0/24"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn pages_give_everything_once() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let mut made: Vec<_> = (0..12).map(|at| world.subnet(&vpc, &format!("10.0.{at}.0/24"))).collect();
    made.sort();
    let of_vpc = json!([{ "Name": "vpc-id", "Values": [vpc] }]);
    let (mut seen, mut sizes, mut token) = (vec![], vec![], Json::Null);
    loop {
        let mut page =
            world.call("DescribeSubnets", json!({ "MaxResults": 5, "NextToken": token, "Filters": of_vpc })).unwrap();
        let subnets = page["Subnets"].as_array().unwrap();
        sizes.push(subnets.len());
        seen.extend(subnets.iter().map(|subnet| subnet["SubnetId"].as_str().unwrap().to_owned()));
        token = page["NextToken"].take();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(sizes, [5, 5, 2]);
    assert_eq!(seen, made);
}

#[test]
fn tags_are_added_replaced_and_taken_away() {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let tag = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let give = json!({ "Resources": [vpc], "Tags": [tag("a", "1"), tag("b", "2"), tag("c", "3")] });
    world.call("CreateTags", give).unwrap();
    world.call("CreateTags", json!({ "Resources": [vpc], "Tags": [tag("a", "9")] })).unwrap();
    // By key, by key and value; a value that differs leaves the tag.
    let take = json!({ "Resources": [vpc], "Tags": [{ "Key": "b" }, tag("c", "other")] });
    world.call("DeleteTags", take).unwrap();
    let shown = |world: &mut World, input: Json| {
        let tags = world.call("DescribeTags", input).unwrap()["Tags"].take();
        let line = |tag: &Json| {
            format!(
                "{} {}={}",
                tag["ResourceType"].as_str().unwrap(),
                tag["Key"].as_str().unwrap(),
                tag["Value"].as_str().unwrap()
            )
        };
        tags.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(shown(&mut world, json!({})), ["vpc a=9", "vpc c=3"]);
    assert_eq!(shown(&mut world, json!({ "Filters": [{ "Name": "tag:c", "Values": ["3"] }] })), ["vpc c=3"]);
    assert_eq!(shown(&mut world, json!({ "Filters": [{ "Name": "key", "Values": ["a"] }] })), ["vpc a=9"]);
    world.call("DeleteTags", json!({ "Resources": [vpc] })).unwrap();
    assert_eq!(shown(&mut world, json!({})), Vec::<String>::new());
    let many: Vec<_> = (0..51).map(|at| tag(&format!("k{at}"), "")).collect();
    let fault = world.call("CreateTags", json!({ "Resources": [vpc], "Tags": many })).unwrap_err();
    assert_eq!(fault, format!("TagLimitExceeded: More than 50 tags specified for resource {vpc}"));
}

#[test]
fn zones_and_regions_are_known() {
    let mut world = World::in_region("eu-central-1");
    let zones = world.call("DescribeAvailabilityZones", json!({})).unwrap();
    let zones = zones["AvailabilityZones"].as_array().unwrap();
    let names: Vec<_> = zones.iter().map(|zone| format!("{} {}", zone["ZoneName"], zone["ZoneId"])).collect();
    assert_eq!(
        names.join(", "),
        r#""eu-central-1a" "euc1-az1", "eu-central-1b" "euc1-az2", "eu-central-1c" "euc1-az3""#
    );
    let count = |world: &mut World, input: Json| {
        world.call("DescribeRegions", input).unwrap()["Regions"].as_array().unwrap().len()
    };
    assert_eq!(count(&mut world, json!({})), 17);
    assert_eq!(count(&mut world, json!({ "AllRegions": true })), 34);
    assert_eq!(count(&mut world, json!({ "RegionNames": ["us-east-1"] })), 1);
}
