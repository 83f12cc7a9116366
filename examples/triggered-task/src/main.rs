//! An event becomes a running container: one task definition for every management command.
//!
//! An event of source `com.corp.env.my-proj.manage` and type `Management` starts the task; `detail.command` of the event arrives in
//! the container as `$MANAGEMENT_COMMAND`.

use neargate::patterns::triggered_fargate_task::{
    TriggeredFargateTask, TriggeredFargateTaskImageOptions, TriggeredFargateTaskProps,
};
use neargate::prelude::*;

const CONTAINER_NAME: &str = "management";

fn main() -> neargate::ExitCode {
    neargate::app(|app| {
        let stack = Stack::new(app, "TriggeredTask", StackProps::default());
        let vpc = ec2::Vpc::new(&stack, "Vpc", ec2::VpcProps { max_azs: Some(2), ..Default::default() });
        let cluster =
            ecs::Cluster::new(&stack, "Cluster", ecs::ClusterProps { vpc: Some(vpc.clone()), ..Default::default() });
        let security_group =
            ec2::SecurityGroup::new(&stack, "TaskSG", ec2::SecurityGroupProps { vpc: Some(vpc), ..Default::default() });
        let task_role = iam::Role::new(
            &stack,
            "TaskRole",
            iam::RoleProps {
                assumed_by: Some(iam::Principal::service("ecs-tasks.amazonaws.com")),
                ..Default::default()
            },
        );
        let rule = events::Rule::new(
            &stack,
            "my-proj Management Trigger",
            events::RuleProps {
                event_pattern: Some(events::EventPattern {
                    detail: Some(json!({"subject": ["execute"]})),
                    detail_type: vec!["Management".into()],
                    source: vec!["com.corp.env.my-proj.manage".into()],
                    ..Default::default()
                }),
                ..Default::default()
            },
        );
        TriggeredFargateTask::new(
            &stack,
            "my-proj ManagementTask",
            TriggeredFargateTaskProps {
                cluster: Some(cluster),
                task_role: Some(task_role),
                container_name: Some(CONTAINER_NAME.to_owned()),
                security_groups: Some(vec![security_group]),
                triggered_fargate_task_image_options: Some(image_options()),
                rule: Some(rule),
                container_overrides: vec![events_targets::ContainerOverride {
                    container_name: CONTAINER_NAME.to_owned(),
                    environment: vec![events_targets::TaskEnvironmentVariable::new(
                        "MANAGEMENT_COMMAND",
                        events::EventField::from_path("$.detail.command"),
                    )],
                    ..Default::default()
                }],
                ..Default::default()
            },
        );
    })
}

fn image_options() -> TriggeredFargateTaskImageOptions {
    TriggeredFargateTaskImageOptions {
        cpu: Some(2048.into()),
        memory_limit_mib: Some(4096.into()),
        container: ecs::ContainerDefinitionProps {
            image: Some(ecs::ContainerImage::from_registry("corp/my-proj:1.0")),
            environment: [("DJANGO_SETTINGS_MODULE".to_owned(), "proj.settings".into())].into(),
            command: Some(vec!["sh".into(), "-c".into(), "python manage.py $MANAGEMENT_COMMAND".into()]),
            ..Default::default()
        },
        ..Default::default()
    }
}
