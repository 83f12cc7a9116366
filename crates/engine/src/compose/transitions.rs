//! What becomes of a resource of every type: made, changed in place, replaced, and put back when its stack fails.

use std::collections::BTreeSet;

use expect_test::expect;
use neargate_api::resources::find;
use neargate_shape::ResourceShape;
use serde_json::{Map, Value as Json, json};

use super::stacks::{Case, World, cases, outcome};

/// For a type, what to change so that another resource takes its place: a property that cannot be changed.
fn other(type_name: &str) -> Option<Json> {
    Some(match type_name {
        "AWS::EC2::EIP" => json!({"NetworkBorderGroup": "eu-west-1"}),
        "AWS::EC2::NatGateway" => json!({"AllocationId": null, "ConnectivityType": "private"}),
        "AWS::EC2::Route" => json!({"DestinationCidrBlock": "172.17.0.0/16"}),
        "AWS::EC2::RouteTable" => json!({"VpcId": "$OtherVpc"}),
        "AWS::EC2::SecurityGroup" => json!({"GroupName": "other", "GroupDescription": "e"}),
        "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => json!({"FromPort": 81, "ToPort": 81}),
        "AWS::EC2::Subnet" => json!({"CidrBlock": "10.0.10.0/24"}),
        "AWS::EC2::SubnetRouteTableAssociation" => json!({"SubnetId": "$OtherSubnet"}),
        "AWS::EC2::VPC" => json!({"CidrBlock": "10.3.0.0/16"}),
        "AWS::EC2::VPCGatewayAttachment" => json!({"VpcId": "$ThirdVpc", "InternetGatewayId": "$FourthGateway"}),
        "AWS::ECS::Cluster" => json!({"ClusterName": "other"}),
        "AWS::ECS::ClusterCapacityProviderAssociations" => json!({"Cluster": "$OtherCluster"}),
        "AWS::ECS::TaskDefinition" => json!({"Cpu": "256", "Memory": "512"}),
        "AWS::Events::EventBus" | "AWS::Events::Rule" => json!({"Name": "other"}),
        "AWS::IAM::ManagedPolicy" => json!({"ManagedPolicyName": "other"}),
        "AWS::IAM::Role" => json!({"RoleName": "other"}),
        "AWS::IAM::RolePolicy" => json!({"PolicyName": "other"}),
        "AWS::KMS::Alias" => json!({"AliasName": "alias/other"}),
        "AWS::Lambda::Function" => json!({"FunctionName": "other"}),
        "AWS::Logs::LogGroup" => json!({"LogGroupName": "other"}),
        "AWS::Logs::LogStream" => json!({"LogStreamName": "third"}),
        "AWS::SecretsManager::ResourcePolicy" => json!({"SecretId": "$OtherSecret"}),
        "AWS::SecretsManager::Secret" | "AWS::SSM::Parameter" => json!({"Name": "other"}),
        _ => return None,
    })
}

/// The case's properties with some of them changed; null takes one away.
fn with(case: &Case, change: &Json) -> Json {
    let mut properties = case.made.clone();
    let members = properties.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    properties
}

/// Attributes that are lists.
const LISTS: [&str; 3] = ["CidrBlockAssociations", "Ipv6CidrBlocks", "BlockPublicAccessStates"];

/// A template with the resource, outputs of its attributes, and where the stack is to fail something that cannot be made.
fn template(case: &Case, properties: &Json, attributes: &[&str], fails: bool) -> String {
    let mut resources = json!({"It": {"Type": case.type_name, "Properties": properties}});
    if fails {
        resources["Bad"] =
            json!({"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "a name!"}, "DependsOn": "It"});
    }
    let value = |attribute: &&str| match LISTS.contains(attribute) {
        true => json!({"Fn::Join": [",", {"Fn::GetAtt": ["It", attribute]}]}),
        false => json!({"Fn::GetAtt": ["It", attribute]}),
    };
    let outputs: Map<_, _> = attributes
        .iter()
        .map(|it| ((*it).to_owned(), json!({"Value": {"Fn::Sub": ["${it}", {"it": value(it)}]}})))
        .collect();
    json!({"Resources": resources, "Outputs": outputs}).to_string()
}

fn take(world: &mut World, operation: &str, name: &str, template: &str) -> (String, String) {
    let input = json!({"StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    world.harness.call("cloudformation", operation, input).unwrap();
    world.harness.pass(200_000);
    outcome(&mut world.harness, name)
}

fn physical_id(world: &mut World, name: &str) -> String {
    let input = json!({"StackName": name, "LogicalResourceId": "It"});
    let found = world.harness.call("cloudformation", "DescribeStackResource", input).unwrap();
    found["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap().to_owned()
}

/// Changes a stack's resource, and what that comes to: whether it is another resource afterwards.
fn change(world: &mut World, name: &str, case: &Case, properties: &Json) -> bool {
    let before = physical_id(world, name);
    let text = template(case, &world.fill(properties), &[], false);
    let (status, reasons) = take(world, "UpdateStack", name, &text);
    assert_eq!(status, "UPDATE_COMPLETE", "{} {properties}: {reasons}", case.type_name);
    physical_id(world, name) != before
}

/// A change that fails leaves the resource, and everything else, as it was.
fn fail(world: &mut World, name: &str, case: &Case, properties: &Json) {
    let (id, before) = (physical_id(world, name), world.rows());
    let text = template(case, &world.fill(properties), &[], true);
    let (status, reasons) = take(world, "UpdateStack", name, &text);
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE", "{} {properties}: {reasons}", case.type_name);
    assert_eq!(physical_id(world, name), id, "{} {properties}", case.type_name);
    let after: BTreeSet<_> = world.rows().into_iter().map(|row| (row.table.to_string(), row.key.clone())).collect();
    let lost: Vec<_> = before
        .iter()
        .filter(|row| !after.contains(&(row.table.to_string(), row.key.clone())))
        .map(|row| &row.key)
        .collect();
    assert_eq!(lost, Vec::<&String>::new(), "{} {properties}", case.type_name);
}

fn shape(case: &Case) -> Option<&'static ResourceShape> {
    find(case.type_name)
}

#[test]
fn every_type_changes_in_place_or_is_replaced_as_its_schema_says() {
    let mut world = World::new();
    for case in cases() {
        let Some(shape) = shape(&case) else { continue };
        let name = case.type_name.replace("::", "-");
        let text = template(&case, &world.fill(&case.made), &[], false);
        let (status, reasons) = take(&mut world, "CreateStack", &name, &text);
        assert_eq!(status, "CREATE_COMPLETE", "{}: {reasons}", case.type_name);

        fail(&mut world, &name, &case, &case.changed);
        let is_fixed = shape.changes_of_fixed(&case.made, &case.changed).next().is_some();
        let is_other = change(&mut world, &name, &case, &case.changed);
        // A subnet's association has another id for each route table.
        assert!(
            is_other == is_fixed || case.type_name == "AWS::EC2::SubnetRouteTableAssociation",
            "{}",
            case.type_name
        );
        change(&mut world, &name, &case, &case.made);

        let fixed = shape.create_only;
        match other(case.type_name) {
            None => assert!(fixed.is_empty(), "{} needs a case for {fixed:?}", case.type_name),
            Some(other) => {
                let other = with(&case, &other);
                fail(&mut world, &name, &case, &other);
                assert!(change(&mut world, &name, &case, &other), "{}", case.type_name);
            }
        }
        let (status, reasons) = world.delete(&name);
        assert_eq!(status, "DELETE_COMPLETE", "{}: {reasons}", case.type_name);
    }
}

/// A change that cannot be made leaves what was there, and the way back finds it so.
#[test]
fn a_gateway_that_cannot_be_attached_leaves_the_one_before() {
    let mut world = World::new();
    let case = cases().into_iter().find(|it| it.type_name == "AWS::EC2::VPCGatewayAttachment").unwrap();
    let text = template(&case, &world.fill(&case.made), &[], false);
    assert_eq!(take(&mut world, "CreateStack", "s", &text).0, "CREATE_COMPLETE");
    let before = world.rows();
    let taken = with(&case, &json!({"InternetGatewayId": "$Gateway"}));
    let text = template(&case, &world.fill(&taken), &[], false);
    let (status, reasons) = take(&mut world, "UpdateStack", "s", &text);
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE", "{reasons}");
    // To ask for gateways makes the default VPC with its own.
    let after = world.rows();
    assert_eq!(
        before.iter().filter(|row| !after.contains(row)).map(|row| &row.key).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

/// Attributes of the schemas that no resource answers to here.
#[test]
fn every_type_answers_with_its_attributes() {
    let mut world = World::new();
    let mut lacking = vec![];
    for case in cases() {
        let Some(shape) = shape(&case) else { continue };
        for attribute in shape.read_only.iter().filter(|it| !it.contains('/')) {
            let name = format!("{}-{attribute}", case.type_name.replace("::", "-"));
            let text = template(&case, &world.fill(&case.made), &[attribute], false);
            let (status, reasons) = take(&mut world, "CreateStack", &name, &text);
            if status != "CREATE_COMPLETE" {
                lacking.push(format!("{} {attribute} {reasons}", case.type_name));
            }
            let (status, reasons) = world.delete(&name);
            assert_eq!(status, "DELETE_COMPLETE", "{}: {reasons}", case.type_name);
        }
    }
    expect![[r#"
        AWS::EC2::NatGateway AutoProvisionZones 
        AWS::EC2::NatGateway AutoScalingIps 
        AWS::EC2::NatGateway RouteTableId 
        AWS::EC2::Subnet BlockPublicAccessStates 
        AWS::Lambda::Function SnapStartResponse "#]]
    .assert_eq(&lacking.join("\n"));
}
