use neargate_constructs::ec2::{Vpc, VpcProps};
use neargate_constructs::ecs::{
    Cluster, ClusterProps, ContainerDefinitionProps, ContainerImage, FargateTaskDefinition, FargateTaskDefinitionProps,
};
use neargate_constructs::events::{Rule, RuleProps, Schedule};
use neargate_constructs::events_targets::{EcsTask, EcsTaskProps};
use neargate_constructs::{App, CfnOutput, CfnOutputProps, Duration, Environment, Scope, Stack, StackProps, codes};

use super::{app, check, fixed};

fn job(app: &App, network: StackProps, jobs: StackProps) {
    let network = Stack::new(app, "Network", network);
    let vpc = Vpc::new(&network, "Vpc", VpcProps { max_azs: Some(1), ..Default::default() });
    let cluster = Cluster::new(&network, "Cluster", ClusterProps { vpc: Some(vpc), ..Default::default() });
    let jobs = Stack::new(app, "Jobs", jobs);
    let task = FargateTaskDefinition::new(&jobs, "Task", FargateTaskDefinitionProps::default());
    let image = Some(ContainerImage::from_registry("busybox:1.37"));
    task.add_container("app", ContainerDefinitionProps { image, ..Default::default() });
    let rate = RuleProps { schedule: Some(Schedule::rate(Duration::minutes(5))), ..Default::default() };
    let rule = Rule::new(&jobs, "Rule", rate);
    rule.add_target(&EcsTask::new(&cluster, &task, EcsTaskProps::default()));
}

#[test]
fn references_between_stacks_are_weak() {
    let app = app();
    job(&app, fixed(), fixed());
    check(&app, &["Network", "Jobs"]);
    let assembly = app.assemble().unwrap();
    assert_eq!(assembly.stacks.iter().map(|stack| stack.name.as_str()).collect::<Vec<_>>(), ["Network", "Jobs"]);
}

#[test]
fn references_between_accounts_are_refused() {
    let app = app();
    let elsewhere = Environment { account: Some("210987654321".into()), region: Some("eu-west-1".into()) };
    job(&app, fixed(), StackProps { env: elsewhere, ..Default::default() });
    let found = app.assemble().unwrap_err();
    assert!(found.iter().any(|d| d.code == codes::BAD_REFERENCE), "{found:?}");
}

fn output(scope: &Scope, of: &Vpc) {
    CfnOutput::new(scope, "Out", CfnOutputProps { value: Some(of.vpc_id()), ..Default::default() });
}

#[test]
fn stacks_that_wait_for_each_other_are_refused() {
    let app = app();
    let stacks = ["A", "B"].map(|id| Stack::new(&app, id, StackProps::default()));
    let vpcs = [0, 1].map(|at| Vpc::new(&stacks[at], "Vpc", VpcProps::default()));
    output(&stacks[0], &vpcs[1]);
    output(&stacks[1], &vpcs[0]);
    let found: Vec<String> = app.assemble().unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "error[NG-C0008]: stacks wait for each other: `A`, `B`\n  at A\n\nhint: move what both need into a stack of its own"
        ]
    );
}

#[test]
fn ids_are_unique_in_their_scope_and_constructs_need_a_stack() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let _ = stack.child("a/b");
    let _ = stack.child("a--b");
    Vpc::new(&app, "Vpc", VpcProps::default());
    Stack::new(
        &app,
        "no_stack",
        StackProps { env: Environment { account: Some("1".into()), region: None }, ..Default::default() },
    );
    let found: Vec<String> = app.assemble().unwrap_err().iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
    assert_eq!(
        found,
        [
            "NG-C0001: there is already a construct `a--b` in `Stack`",
            "NG-C0002: a construct that needs a stack is not in one",
            "NG-C0007: `no_stack` is no stack name",
            "NG-C0007: `1` is no account id: expected twelve digits",
        ]
    );
}

#[test]
fn values_of_another_app_are_refused() {
    let (app, other) = (app(), super::app());
    let vpc = Vpc::new(&Stack::new(&other, "Stack", StackProps::default()), "Vpc", VpcProps::default());
    output(&Stack::new(&app, "Stack", StackProps::default()), &vpc);
    let found: Vec<String> =
        app.assemble().unwrap_err().iter().map(|d| format!("{} {}: {}", d.code, d.path, d.message)).collect();
    assert_eq!(found, ["NG-C0005 Stack/Out: a value belongs to a resource of another app"]);
}
