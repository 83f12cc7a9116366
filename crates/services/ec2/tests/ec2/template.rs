//! The network of a CDK app, made and taken away resource by resource.

use std::collections::BTreeMap;

use neargate_kernel::ResourceState;
use serde_json::{Value as Json, json};

use crate::world::{Step, World};

const TEMPLATE: &str = include_str!("../data/triggered-dynamic-network.template.json");

#[test]
fn the_network_of_a_cdk_app_leaves_nothing_behind() {
    let mut world = World::new();
    world.call("DescribeVpcs", serde_json::json!({})).unwrap();
    let before = world.rows();
    let made = create_all(&mut world);
    assert_eq!(made.len(), 25);
    let nat_steps: Vec<_> = made.iter().filter(|it| it.0.type_name == "AWS::EC2::NatGateway").map(|it| it.2).collect();
    assert_eq!(nat_steps, [2, 2], "a NAT gateway is ordered, then looked at");

    let mut world = world.restarted();
    check_network(&mut world, &made);
    for (step, state, _) in made.iter().rev() {
        let (left, _) = world.settle(step.delete(state)).unwrap();
        assert_eq!(left.physical_id, state.physical_id);
    }
    assert_eq!(world.rows(), before, "the default VPC alone");
    // What is gone already is no error.
    for (step, state, _) in made.iter().rev() {
        world.settle(step.delete(state)).unwrap();
    }
}

/// Routes lead to where they should and the default group lets nothing through.
fn check_network(world: &mut World, made: &[Made<'_>]) {
    let tables = world
        .call("DescribeRouteTables", json!({ "Filters": [{ "Name": "route.nat-gateway-id", "Values": ["nat-*"] }] }));
    assert_eq!(tables.unwrap()["RouteTables"].as_array().unwrap().len(), 2);
    let vpc = &made.iter().find(|it| it.0.type_name == "AWS::EC2::VPC").unwrap().1;
    let group = vpc.attributes["DefaultSecurityGroup"].clone();
    let groups = world.call("DescribeSecurityGroups", json!({ "GroupIds": [group] })).unwrap();
    assert_eq!(groups["SecurityGroups"][0]["IpPermissions"], json!([]));
    assert_eq!(groups["SecurityGroups"][0]["IpPermissionsEgress"], json!([]));
    let tasks = json!({ "Filters": [{ "Name": "tag:aws:cloudformation:logical-id", "Values": ["TaskSG*"] }] });
    let groups = world.call("DescribeSecurityGroups", tasks).unwrap();
    let egress = json!([{ "CidrIp": "0.0.0.0/0", "Description": "Allow all outbound traffic by default" }]);
    assert_eq!(groups["SecurityGroups"][0]["IpPermissionsEgress"][0]["IpRanges"], egress);
    let attribute = json!({ "VpcId": vpc.physical_id, "Attribute": "enableDnsHostnames" });
    assert_eq!(world.call("DescribeVpcAttribute", attribute).unwrap()["EnableDnsHostnames"]["Value"], true);
    let subnets = json!({ "Filters": [{ "Name": "map-public-ip-on-launch", "Values": ["true"] }] });
    let subnets = world.call("DescribeSubnets", subnets).unwrap();
    let zones: Vec<_> =
        subnets["Subnets"].as_array().unwrap().iter().map(|it| it["AvailabilityZone"].clone()).collect();
    assert!(zones.contains(&json!("us-east-1a")) && zones.contains(&json!("us-east-1b")), "{zones:?}");
}

type Made<'a> = (Step<'a>, ResourceState, usize);

/// Makes every resource once what it refers to and depends on is made.
fn create_all(world: &mut World) -> Vec<Made<'static>> {
    let template: &'static Json = Box::leak(Box::new(serde_json::from_str(TEMPLATE).unwrap()));
    let mut left: BTreeMap<&'static str, &'static Json> =
        template["Resources"].as_object().unwrap().iter().map(|(id, resource)| (id.as_str(), resource)).collect();
    let mut states: BTreeMap<&str, ResourceState> = BTreeMap::new();
    let mut made = vec![];
    while !left.is_empty() {
        let ready = left.iter().find_map(|(id, resource)| {
            let depends = resource["DependsOn"].as_array().into_iter().flatten().filter_map(Json::as_str);
            let is_free = depends.into_iter().all(|on| states.contains_key(on));
            let properties = if is_free { resolve(&resource["Properties"], &states)? } else { return None };
            Some((*id, *resource, properties))
        });
        let (id, resource, properties) = ready.unwrap_or_else(|| panic!("nothing can be made of {:?}", left.keys()));
        let step = Step::create(resource["Type"].as_str().unwrap(), id, properties);
        let (state, steps) = world.settle(step.clone()).unwrap_or_else(|fault| panic!("{id}: {fault}"));
        states.insert(id, state.clone());
        made.push((step, state, steps));
        left.remove(id);
    }
    made
}

/// A value with its intrinsics evaluated; `None` while it refers to something that is not made.
fn resolve(value: &Json, states: &BTreeMap<&str, ResourceState>) -> Option<Json> {
    match value {
        Json::Array(items) => items.iter().map(|item| resolve(item, states)).collect::<Option<_>>().map(Json::Array),
        Json::Object(members) => match members.iter().next() {
            Some((name, Json::String(id))) if name == "Ref" && id == "AWS::AccountId" => Some(json!("123456789012")),
            Some((name, Json::String(id))) if name == "Ref" => Some(json!(states.get(id.as_str())?.physical_id)),
            // The custom resource's function is none of ours.
            Some((name, path)) if name == "Fn::GetAtt" && path[1] == "Arn" => {
                Some(json!("arn:aws:lambda:::function:f"))
            }
            Some((name, path)) if name == "Fn::GetAtt" => {
                Some(states.get(path[0].as_str()?)?.attributes.get(path[1].as_str()?)?.clone())
            }
            Some((name, path)) if name == "Fn::Select" => {
                let zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
                Some(json!(zones[usize::try_from(path[0].as_u64()?).ok()?]))
            }
            _ => {
                let resolved = members.iter().map(|(name, value)| Some((name.clone(), resolve(value, states)?)));
                resolved.collect::<Option<_>>().map(Json::Object)
            }
        },
        other => Some(other.clone()),
    }
}
