use neargate_constructs::ec2::{SecurityGroup, SecurityGroupProps, Vpc, VpcProps};
use neargate_constructs::ecs::{
    Cluster, ClusterProps, ContainerDefinitionProps, ContainerImage, FargateTaskDefinition, FargateTaskDefinitionProps,
    LogDriver,
};
use neargate_constructs::events::{EventField, EventPattern, Rule, RuleProps, Schedule};
use neargate_constructs::events_targets::{ContainerOverride, TaskEnvironmentVariable};
use neargate_constructs::iam::{Principal, Role, RoleProps};
use neargate_constructs::{Duration, Stack, StackProps};
use neargate_patterns::triggered_fargate_task::{
    TriggeredFargateTask, TriggeredFargateTaskDefinitionOptions, TriggeredFargateTaskImageOptions,
    TriggeredFargateTaskProps,
};
use serde_json::json;

use super::{app, check};

const CONTAINER: &str = "management";

/// The two systems of the seed: one command that is fixed, or any command that the event brings.
fn management(stack: &Stack, dynamic: bool) -> TriggeredFargateTask {
    let vpc = Vpc::new(stack, "Vpc", VpcProps { max_azs: Some(2), ..Default::default() });
    let cluster =
        dynamic.then(|| Cluster::new(stack, "Cluster", ClusterProps { vpc: Some(vpc.clone()), ..Default::default() }));
    let group =
        SecurityGroup::new(stack, "TaskSG", SecurityGroupProps { vpc: Some(vpc.clone()), ..Default::default() });
    let assumed_by = Some(Principal::service("ecs-tasks.amazonaws.com"));
    let task_role = Role::new(stack, "TaskRole", RoleProps { assumed_by, ..Default::default() });
    let event_pattern = EventPattern {
        detail: Some(json!({"subject": ["execute"]})),
        detail_type: vec!["Management".into()],
        source: vec!["com.corp.env.my-proj.manage".into()],
        ..Default::default()
    };
    let rule = RuleProps { event_pattern: Some(event_pattern), ..Default::default() };
    let rule = Rule::new(stack, "my-proj Management Trigger", rule);
    let command = if dynamic { "python manage.py $MANAGEMENT_COMMAND" } else { "python manage.py migrate" };
    let container = ContainerDefinitionProps {
        image: Some(ContainerImage::from_registry("corp/my-proj:1.0")),
        environment: [("DJANGO_SETTINGS_MODULE".to_owned(), "proj.settings".into())].into(),
        command: Some(vec!["sh".into(), "-c".into(), command.into()]),
        ..Default::default()
    };
    let options = TriggeredFargateTaskImageOptions {
        container,
        cpu: Some(2048.into()),
        memory_limit_mib: Some(4096.into()),
        log_driver: None,
    };
    let variable = TaskEnvironmentVariable::new("MANAGEMENT_COMMAND", EventField::from_path("$.detail.command"));
    let overrides =
        ContainerOverride { container_name: CONTAINER.into(), environment: vec![variable], ..Default::default() };
    let props = TriggeredFargateTaskProps {
        cluster,
        vpc: Some(vpc),
        task_role: Some(task_role),
        container_name: Some(CONTAINER.into()),
        security_groups: Some(vec![group]),
        triggered_fargate_task_image_options: Some(options),
        rule: Some(rule),
        container_overrides: if dynamic { vec![overrides] } else { vec![] },
        ..Default::default()
    };
    TriggeredFargateTask::new(stack, "my-proj ManagementTask", props)
}

#[test]
fn the_dynamic_task_equals_the_cdk_s() {
    let app = app();
    let task = management(&Stack::new(&app, "TriggeredDynamic", StackProps::default()), true);
    check(&app, "TriggeredDynamic");
    assert_eq!(task.cluster().id(), "Cluster");
    assert_eq!(task.desired_task_count(), 1);
    assert_eq!(task.event_rule().id(), "my-proj Management Trigger");
    assert_eq!(task.event_target().task_definition(), task.task_definition());
}

#[test]
fn the_static_task_with_a_default_cluster_equals_the_cdk_s() {
    let app = app();
    management(&Stack::new(&app, "TriggeredStatic", StackProps::default()), false);
    check(&app, "TriggeredStatic");
}

fn every_five_minutes(stack: &Stack, id: &str) -> Option<Rule> {
    let schedule = Some(Schedule::rate(Duration::minutes(5)));
    Some(Rule::new(stack, id, RuleProps { schedule, ..Default::default() }))
}

fn busybox() -> ContainerDefinitionProps {
    ContainerDefinitionProps { image: Some(ContainerImage::from_registry("busybox:1.37")), ..Default::default() }
}

fn image(options: TriggeredFargateTaskImageOptions) -> TriggeredFargateTaskProps {
    TriggeredFargateTaskProps {
        container_name: Some("job".into()),
        triggered_fargate_task_image_options: Some(options),
        ..Default::default()
    }
}

#[test]
fn every_prop_away_from_its_default_equals_the_cdk_s() {
    let app = app();
    let stack = Stack::new(&app, "TriggeredVariations", StackProps::default());
    let vpc = Vpc::new(&stack, "Network", VpcProps { max_azs: Some(1), ..Default::default() });
    let task_definition = FargateTaskDefinition::new(&stack, "Definition", FargateTaskDefinitionProps::default());
    task_definition.add_container("app", busybox());
    let given = TriggeredFargateTaskProps {
        vpc: Some(vpc.clone()),
        rule: every_five_minutes(&stack, "GivenRule"),
        desired_task_count: Some(3),
        triggered_fargate_task_definition_options: Some(TriggeredFargateTaskDefinitionOptions { task_definition }),
        ..Default::default()
    };
    let given = TriggeredFargateTask::new(&stack, "Given", given);
    let small = TriggeredFargateTaskImageOptions {
        container: busybox(),
        log_driver: Some(LogDriver::aws_logs("mine")),
        ..Default::default()
    };
    let rule = every_five_minutes(&stack, "SmallRule");
    let small = TriggeredFargateTaskProps { vpc: Some(vpc.clone()), rule, ..image(small) };
    let small = TriggeredFargateTask::new(&stack, "Small", small);
    assert_eq!(given.cluster(), small.cluster());
    let alone = TriggeredFargateTaskImageOptions {
        container: ContainerDefinitionProps { user: Some("nobody".into()), essential: Some(true), ..busybox() },
        memory_limit_mib: Some(1024.into()),
        ..Default::default()
    };
    let alone = TriggeredFargateTaskProps { rule: every_five_minutes(&stack, "AloneRule"), ..image(alone) };
    TriggeredFargateTask::new(&stack, "Alone", alone);
    let inside = TriggeredFargateTaskImageOptions {
        container: busybox(),
        cpu: Some(512.into()),
        memory_limit_mib: Some(2048.into()),
        ..Default::default()
    };
    let rule = every_five_minutes(&stack, "InsideRule");
    TriggeredFargateTask::new(
        &stack.child("Inside"),
        "Task",
        TriggeredFargateTaskProps { vpc: Some(vpc), rule, ..image(inside) },
    );
    check(&app, "TriggeredVariations");
}

#[test]
fn two_networks_of_one_id_have_a_cluster_each() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let mut clusters = vec![];
    for scope in ["A", "B"] {
        let scope = stack.child(scope);
        let vpc = Vpc::new(&scope, "Vpc", VpcProps { max_azs: Some(1), ..Default::default() });
        for id in ["First", "Second"] {
            let rule = every_five_minutes(&stack, &format!("{}{id}Rule", scope.id()));
            let options = TriggeredFargateTaskImageOptions { container: busybox(), ..Default::default() };
            let props = TriggeredFargateTaskProps { vpc: Some(vpc.clone()), rule, ..image(options) };
            let task = TriggeredFargateTask::new(&scope, id, props);
            assert_eq!(task.cluster().vpc(), Some(&vpc));
            clusters.push(task.cluster().id());
        }
    }
    assert!(app.assemble().is_ok());
    assert_eq!(clusters[..2], ["EcsDefaultClusterVpc", "EcsDefaultClusterVpc"]);
    assert_eq!(clusters[2], clusters[3]);
    assert_ne!(clusters[1], clusters[2]);
}

#[test]
fn errors_are_those_of_the_seed_and_come_all_at_once() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let vpc = Some(Vpc::new(&stack, "Vpc", VpcProps { max_azs: Some(1), ..Default::default() }));
    let task_definition = FargateTaskDefinition::new(&stack, "Definition", FargateTaskDefinitionProps::default());
    task_definition.add_container("app", busybox());
    let options = || TriggeredFargateTaskImageOptions { container: busybox(), ..Default::default() };
    let both = TriggeredFargateTaskProps {
        vpc: vpc.clone(),
        rule: every_five_minutes(&stack, "BothRule"),
        triggered_fargate_task_definition_options: Some(TriggeredFargateTaskDefinitionOptions { task_definition }),
        ..image(options())
    };
    TriggeredFargateTask::new(&stack, "Both", both);
    let rule = every_five_minutes(&stack, "NeitherRule");
    TriggeredFargateTask::new(
        &stack,
        "Neither",
        TriggeredFargateTaskProps { vpc: vpc.clone(), rule, ..Default::default() },
    );
    let rule = every_five_minutes(&stack, "NoneRule");
    let none = TriggeredFargateTaskProps { vpc: vpc.clone(), rule, desired_task_count: Some(0), ..image(options()) };
    TriggeredFargateTask::new(&stack, "None", none);
    TriggeredFargateTask::new(
        &stack,
        "NoRule",
        TriggeredFargateTaskProps { vpc, container_name: None, ..image(options()) },
    );
    let found: Vec<String> =
        app.assemble().unwrap_err().iter().map(|d| format!("{} {}: {}", d.code, d.path, d.message)).collect();
    assert_eq!(
        found,
        [
            "NG-C0501 Stack/Both: You must specify either a triggeredFargateTaskDefinitionOptions or triggeredFargateTaskOptions, not both.",
            "NG-C0501 Stack/Neither: You must specify one of: taskDefinition or image",
            "NG-C0500 Stack/None: You must specify a desiredTaskCount greater than 0",
            "NG-C0502 Stack/NoRule: the triggered task has no `rule`",
            "NG-C0502 Stack/NoRule: the triggered task has no `container_name`",
        ]
    );
}
