use std::collections::BTreeMap;

use neargate_constructs::ecs::{
    Cluster, ClusterProps, ContainerDefinitionProps, ContainerImage, FargateTaskDefinition, FargateTaskDefinitionProps,
};
use neargate_constructs::events::{Rule, RuleProps, Schedule};
use neargate_constructs::logs::{LogGroup, LogGroupProps};
use neargate_constructs::{
    CfnCondition, CfnOutput, CfnOutputProps, CfnParameter, CfnParameterProps, CfnResource, Duration, Json, Stack,
    StackProps, TagOptions, Tags, UntypedResource, intrinsic,
};
use neargate_l1::TagStyle;

use super::{app, check};

fn only(types: &[&str]) -> Vec<String> {
    types.iter().map(ToString::to_string).collect()
}

fn tag(stack: &Stack, cluster: &Cluster) {
    Tags::of(stack).add("Team", "data");
    Tags::of(cluster).add("Team", "jobs");
    let include = TagOptions { include_resource_types: only(&["AWS::EC2::VPC"]), ..Default::default() };
    Tags::of(cluster).add_with("Only", "vpc", include);
    let exclude =
        TagOptions { exclude_resource_types: only(&["AWS::EC2::VPC", "AWS::EC2::Subnet"]), ..Default::default() };
    Tags::of(cluster).add_with("Not", "vpc", exclude);
    let vpc = cluster.vpc().unwrap();
    Tags::of(vpc).add_with("Team", "network", TagOptions { priority: Some(50), ..Default::default() });
    Tags::of(&vpc.public_subnets()[0]).remove("Name");
}

#[test]
fn tags_parameters_conditions_outputs_and_dependencies() {
    let app = app();
    let props = StackProps {
        stack_name: Some("our-clusters".into()),
        description: Some("clusters".into()),
        tags: BTreeMap::from([("owner".to_owned(), "us".to_owned())]),
        termination_protection: true,
        ..Default::default()
    };
    let stack = Stack::new(&app, "Clusters", props);
    let cluster = Cluster::new(&stack, "Own", ClusterProps::default());
    tag(&stack, &cluster);
    let rate = RuleProps { schedule: Some(Schedule::rate(Duration::minutes(5))), ..Default::default() };
    let rule = Rule::new(&stack, "Rule", rate);
    LogGroup::new(&stack, "Log", LogGroupProps::default());
    let untyped = UntypedResource {
        r#type: "AWS::SSM::Parameter".into(),
        properties: Json::map([
            ("Type", Json::from("String")),
            ("Value", Json::from(stack.format_arn("logs", "x"))),
            ("Tags", Json::map([("own", Json::from("tag"))])),
        ]),
        tag_style: TagStyle::Map,
    };
    CfnResource::new(&stack, "Parameter", untyped);
    let parameter = CfnParameterProps {
        r#type: Some("Number".into()),
        default: Some(Json::from(256)),
        description: Some("units".into()),
        allowed_values: Some(only(&["256", "512"])),
        ..Default::default()
    };
    let parameter = CfnParameter::new(&stack, "Cpu", parameter);
    let is_ireland = intrinsic::equals(Json::from(stack.region()), Json::from("eu-west-1"));
    let production = CfnCondition::new(&stack, "Production", is_ireland);
    let props = FargateTaskDefinitionProps { cpu: Some(parameter.value_as_number()), ..Default::default() };
    let task = FargateTaskDefinition::new(&stack, "Task", props);
    let image = Some(ContainerImage::from_registry("busybox:1.37"));
    task.add_container("app", ContainerDefinitionProps { image, ..Default::default() });
    let resource = task.try_find_child("Resource").and_then(|scope| scope.construct::<CfnResource>()).unwrap();
    resource.set_condition(&production);
    resource.override_logical_id("TheTask");
    task.add_dependency(&rule);
    let output = CfnOutputProps {
        value: Some(task.task_definition_arn()),
        description: Some("the task".into()),
        export_name: Some("task-arn".into()),
        condition: Some(production),
    };
    CfnOutput::new(&stack, "TaskArn", output);
    check(&app, &["Clusters"]);
}

#[test]
fn the_assembly_on_disk_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let app = app();
    let props = StackProps {
        stack_name: Some("our-clusters".into()),
        tags: [("owner".to_owned(), "us".to_owned())].into(),
        ..super::fixed()
    };
    let stack = Stack::new(&app, "Clusters", props);
    Cluster::new(&stack, "Own", ClusterProps::default());
    let assembly = app.assemble().unwrap().write(directory.path()).unwrap();
    assert_eq!(assembly.directory, directory.path());
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(directory.path().join(name)).unwrap()).unwrap()
    };
    let manifest = read("manifest.json");
    assert_eq!(manifest["version"], "55.0.0");
    let artifact = &manifest["artifacts"]["Clusters"];
    assert_eq!(artifact["environment"], "aws://123456789012/eu-west-1");
    assert_eq!(artifact["properties"]["stackName"], "our-clusters");
    assert_eq!(artifact["properties"]["tags"], serde_json::json!({"owner": "us"}));
    assert_eq!(artifact["dependencies"], serde_json::json!(["Clusters.assets"]));
    let parsed = neargate_template::Assembly::parse(&manifest.to_string(), "manifest.json").unwrap();
    assert_eq!((parsed.stacks.len(), parsed.stacks[0].name.as_str()), (1, "our-clusters"));
    assert_eq!(manifest["artifacts"]["Tree"]["properties"]["file"], "tree.json");
    let assets = read("Clusters.assets.json");
    for (hash, file) in assets["files"].as_object().unwrap() {
        let path = directory.path().join(file["source"]["path"].as_str().unwrap());
        assert!(path.exists(), "{hash}");
        assert!(file["destinations"].as_object().unwrap().values().all(|to| to["region"] == "eu-west-1"), "{file}");
    }
    assert_eq!(
        read("tree.json")["tree"]["children"]["Clusters"]["children"]["Own"]["constructInfo"]["fqn"],
        "neargate.ecs.Cluster"
    );
    let (found, diagnostics) =
        neargate_template::Template::parse(&read("Clusters.template.json").to_string(), "template");
    assert!(found.is_some() && diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn the_same_app_makes_the_same_bytes() {
    let make = || {
        let app = app();
        Cluster::new(&Stack::new(&app, "Stack", StackProps::default()), "Own", ClusterProps::default());
        app.assemble().unwrap().stacks[0].template.to_string()
    };
    assert_eq!(make(), make());
}
