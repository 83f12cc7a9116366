use std::path::Path;

use neargate_constructs::ec2::{
    SecurityGroup, SecurityGroupProps, SubnetConfiguration, SubnetSelection, SubnetType, Subnets, Vpc, VpcAttributes,
    VpcProps,
};
use neargate_constructs::ecr::Repository;
use neargate_constructs::ecs::{
    self, AssetImageProps, AwsLogDriverProps, Cluster, ClusterProps, ContainerDefinitionProps, ContainerImage,
    FargatePlatformVersion, FargateTaskDefinition, FargateTaskDefinitionProps, LogDriver,
};
use neargate_constructs::events::{CronDay, CronOptions, Schedule};
use neargate_constructs::kms::{Key, KeyProps};
use neargate_constructs::logs::RetentionDays;
use neargate_constructs::secretsmanager::{Secret, SecretProps};
use neargate_constructs::{App, AppProps, Duration, RemovalPolicy, Stack, StackProps, iam};
use neargate_patterns::fargate_tasks::{
    CronScheduleConstruct, CronScheduleConstructProps, FargateTasksConstruct, FargateTasksConstructProps,
    ScheduledFargateTask, ScheduledFargateTaskDefinitionOptions, ScheduledFargateTaskImageOptions,
    ScheduledFargateTaskProps,
};
use serde_json::{Value, json};

use super::deliberate::let_cloudwatch_logs_use;
use super::{app, check, check_except, three_stacks};

const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf";

#[test]
fn tasks_alone_and_in_the_cluster_of_another_stack_equal_the_cdk_s() {
    let zones =
        json!({"availability-zones:account=123456789012:region=eu-west-1": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]});
    let app = App::with_props(AppProps { context: zones.as_object().cloned(), ..AppProps::default() });
    three_stacks::define(&app);
    check(&app, "NetworkStack");
    for (stack, fixed) in [("FargateTasksStack", false), ("SharedClusterTasksStack", true)] {
        check_except(&app, stack, |expected| {
            assert!(let_cloudwatch_logs_use(expected, "FargateTasksFargateKeyCE8984F3", fixed));
        });
    }
}

fn one_zone(stack: &Stack) -> Vpc {
    Vpc::new(stack, "Network", VpcProps { max_azs: Some(1), ..Default::default() })
}

fn cluster(stack: &Stack, vpc: &Vpc) -> Option<Cluster> {
    Some(Cluster::new(stack, "Cluster", ClusterProps { vpc: Some(vpc.clone()), ..Default::default() }))
}

fn busybox() -> ScheduledFargateTaskImageOptions {
    let image = Some(ContainerImage::from_registry("busybox:1.37"));
    ScheduledFargateTaskImageOptions { image, ..Default::default() }
}

/// A task every five minutes.
fn scheduled(options: ScheduledFargateTaskImageOptions) -> ScheduledFargateTaskProps {
    ScheduledFargateTaskProps {
        schedule: Some(Schedule::rate(Duration::minutes(5))),
        scheduled_fargate_task_image_options: Some(options),
        ..Default::default()
    }
}

#[test]
fn every_prop_of_a_scheduled_task_away_from_its_default_equals_the_cdk_s() {
    let app = app();
    let stack = Stack::new(&app, "ScheduledVariations", StackProps::default());
    let vpc = one_zone(&stack);
    let cluster = cluster(&stack, &vpc);
    let task_definition = FargateTaskDefinition::new(&stack, "Definition", FargateTaskDefinitionProps::default());
    let container = ContainerDefinitionProps { image: busybox().image, ..Default::default() };
    task_definition.add_container("app", container);
    let small = ScheduledFargateTaskProps { vpc: Some(vpc.clone()), ..scheduled(busybox()) };
    let small = ScheduledFargateTask::new(&stack, "Small", small);
    assert_eq!(small.cluster().id(), "EcsDefaultClusterMnL3mNNYNNetwork");
    let alone = ScheduledFargateTaskImageOptions { memory_limit_mib: Some(1024.into()), ..busybox() };
    ScheduledFargateTask::new(&stack, "Alone", scheduled(alone));
    let last_day =
        CronOptions { minute: Some("15".to_owned()), day: CronDay::OfMonth("L".to_owned()), ..Default::default() };
    let given = ScheduledFargateTaskProps {
        cluster: cluster.clone(),
        schedule: Some(Schedule::cron(last_day)),
        enabled: Some(false),
        rule_name: Some("given".to_owned()),
        desired_task_count: Some(3),
        scheduled_fargate_task_definition_options: Some(ScheduledFargateTaskDefinitionOptions { task_definition }),
        propagate_task_definition_tags: true,
        tags: [("team".to_owned(), "jobs".to_owned())].into(),
        ..Default::default()
    };
    let given = ScheduledFargateTask::new(&stack, "Given", given);
    assert_eq!(given.desired_task_count(), 3);
    assert_eq!(given.task().task_definition(), given.task_definition());
    let group =
        SecurityGroup::new(&stack, "Group", SecurityGroupProps { vpc: Some(vpc.clone()), ..Default::default() });
    let pin = Secret::from_secret_name(&stack, "Pin", "pin");
    let full = ScheduledFargateTaskImageOptions {
        container_name: Some("work".to_owned()),
        command: Some(vec!["true".into()]),
        environment: [("A".to_owned(), "b".into())].into(),
        secrets: [("PIN".to_owned(), ecs::Secret::from_secrets_manager(&pin, None))].into(),
        log_driver: Some(LogDriver::AwsLogs(AwsLogDriverProps {
            stream_prefix: "mine".to_owned(),
            log_retention: Some(RetentionDays::OneDay),
            ..Default::default()
        })),
        cpu: Some(1024.into()),
        memory_limit_mib: Some(2048.into()),
        ephemeral_storage_gib: Some(50),
        ..busybox()
    };
    let full = ScheduledFargateTaskProps {
        cluster,
        platform_version: Some(FargatePlatformVersion::Version1_3),
        subnet_selection: Some(SubnetType::Public.into()),
        security_groups: Some(vec![group]),
        ..scheduled(full)
    };
    ScheduledFargateTask::new(&stack, "Full", full);
    check(&app, "ScheduledVariations");
}

/// Everything away from its default, the parts described.
fn made(stack: &Stack, vpc: &Vpc) -> FargateTasksConstructProps {
    let repository = Repository::from_repository_name(stack, "Repository", "jobs/made");
    FargateTasksConstructProps {
        vpc: Some(vpc.clone()),
        key_alias: Some("made".to_owned()),
        key_description: Some("made".to_owned()),
        enable_key_rotation: Some(false),
        key_removal_policy: Some(RemovalPolicy::Destroy),
        log_retention_days: Some(RetentionDays::ThreeMonths),
        log_removal_policy: Some(RemovalPolicy::Retain),
        log_stream_prefix: Some("made".to_owned()),
        secret_name: Some("app/made".to_owned()),
        secret_key: Some("token".to_owned()),
        secret_variable: Some("TOKEN".to_owned()),
        schedule: Some(CronScheduleConstructProps {
            minute: Some("5".to_owned()),
            hour: Some("1-3".to_owned()),
            week_day: Some("MON-FRI".to_owned()),
            month: Some("1".to_owned()),
            year: Some("2027".to_owned()),
            ..Default::default()
        }),
        enabled: Some(false),
        platform_version: Some(FargatePlatformVersion::Version1_4),
        desired_task_count: Some(2),
        subnet_selection: Some(SubnetSelection {
            subnets: Some(Subnets::GroupName("Open".to_owned())),
            ..Default::default()
        }),
        image: Some(ContainerImage::from_ecr_repository(&repository, "1.4")),
        container_name: Some("made".to_owned()),
        command: Some(vec!["made".into(), "--now".into()]),
        environment: Some([("MADE".to_owned(), "yes".into())].into()),
        cpu: Some(1024.into()),
        memory_limit_mib: Some(4096.into()),
        ..Default::default()
    }
}

#[test]
fn every_prop_away_from_its_default_equals_the_cdk_s() {
    let app = app();
    let stack = Stack::new(&app, "FargateTasksVariations", StackProps::default());
    let open = vec![SubnetConfiguration::new("Open", SubnetType::Public)];
    let vpc = VpcProps { max_azs: Some(1), subnet_configuration: Some(open), ..Default::default() };
    let vpc = Vpc::new(&stack, "Network", vpc);
    let cluster = cluster(&stack, &vpc);
    let key = Key::new(&stack, "Key", KeyProps::default());
    let encryption_key = Some(Key::new(&stack, "SecretKey", KeyProps::default()));
    let whole = Secret::new(&stack, "Whole", SecretProps { encryption_key, ..Default::default() });
    let construct = FargateTasksConstruct::new(&stack, "Made", made(&stack, &vpc));
    assert_eq!(construct.vpc(), Some(&vpc));
    let group = SecurityGroupProps { vpc: Some(vpc.clone()), allow_all_outbound: Some(false), ..Default::default() };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cdk/image");
    let given = FargateTasksConstructProps {
        cluster: cluster.clone(),
        encryption_key: Some(key.clone()),
        log_retention_days: Some(RetentionDays::Infinite),
        subnet_selection: Some(SubnetType::Public.into()),
        secret: Some(whole.clone()),
        security_group: Some(SecurityGroup::new(&stack, "Group", group)),
        schedule: Some(CronScheduleConstructProps { day: Some("1".to_owned()), ..Default::default() }),
        image: Some(ContainerImage::from_asset(here, AssetImageProps::default())),
        ..Default::default()
    };
    let given = FargateTasksConstruct::new(&stack, "Given", given);
    iam::grant(&given, &["s3:PutObject"], vec!["arn:aws:s3:::reports/*".into()]);
    assert_eq!((given.encryption_key(), given.secret(), given.vpc()), (&key, &whole, Some(&vpc)));
    let known = Key::from_key_arn(&stack, "Known", "arn:aws:kms:eu-west-1:123456789012:key/0123");
    let little = FargateTasksConstructProps {
        vpc: Some(vpc),
        cluster,
        encryption_key: Some(known),
        subnet_selection: Some(SubnetType::Public.into()),
        secret_arn: Some("arn:aws:secretsmanager:eu-west-1:123456789012:secret:little-AbCdEf".into()),
        image: Some(ContainerImage::from_registry("corp/report:1.0")),
        schedule: Some(CronScheduleConstructProps { minute: Some("30".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    FargateTasksConstruct::new(&stack, "Little", little);
    check_except(&app, "FargateTasksVariations", |expected| {
        assert!(let_cloudwatch_logs_use(expected, "MadeFargateKey401C644D", false));
        assert!(let_cloudwatch_logs_use(expected, "Key961B73FD", false));
    });
}

/// A stack's resources of a type, by logical id.
fn resources(app: &App, stack: &str, kind: &str) -> Vec<(String, Value)> {
    let assembly = app.assemble().unwrap();
    let template = &assembly.stack(stack).unwrap().template;
    let all = template["Resources"].as_object().unwrap();
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(id, resource)| (id.clone(), resource["Properties"].clone())).collect()
}

#[test]
fn a_rule_that_is_not_enabled_is_disabled() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    FargateTasksConstruct::new(
        &stack,
        "Tasks",
        FargateTasksConstructProps { enabled: Some(false), secret_name: Some("creds".into()), ..Default::default() },
    );
    let rules = resources(&app, "Stack", "AWS::Events::Rule");
    let [(_, rule)] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!(rule["State"], "DISABLED");
    // By default nothing comes in, and the task runs every six hours.
    assert_eq!(rule["ScheduleExpression"], "cron(0 */6 * * ? *)");
    let groups = resources(&app, "Stack", "AWS::EC2::SecurityGroup");
    let [(_, group)] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!(
        (&group["SecurityGroupIngress"], &group["SecurityGroupEgress"][0]["CidrIp"]),
        (&Value::Null, &json!("0.0.0.0/0"))
    );
}

#[test]
fn instances_share_an_account_without_colliding() {
    let app = app();
    let props = || FargateTasksConstructProps { secret_name: Some("creds".into()), ..Default::default() };
    let named = StackProps { stack_name: Some("other-name".to_owned()), ..Default::default() };
    let stacks = [Stack::new(&app, "Stack", StackProps::default()), Stack::new(&app, "Other", named)];
    for stack in &stacks {
        for id in ["First", "Second"] {
            FargateTasksConstruct::new(stack, id, props());
        }
    }
    let aliases: Vec<String> = ["Stack", "other-name"]
        .iter()
        .flat_map(|stack| resources(&app, stack, "AWS::KMS::Alias"))
        .map(|(_, alias)| alias["AliasName"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        aliases,
        [
            "alias/StackFirst97C57B44",
            "alias/StackSecond4D9FD3F5",
            "alias/othernameFirstDF96F097",
            "alias/othernameSecond8E8247E1"
        ]
    );
}

/// What is found wrong with an app, as `code path: message | hint`.
fn found(app: &App) -> Vec<String> {
    let diagnostics = app.assemble().map_or_else(|found| found, |assembly| assembly.diagnostics);
    diagnostics.iter().map(|d| format!("{} {}: {} | {}", d.code, d.path, d.message, d.hints.join(" "))).collect()
}

#[test]
fn errors_come_all_at_once_with_a_way_out() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let vpc = one_zone(&stack);
    let cluster = cluster(&stack, &vpc);
    let text = |text: &str| Some(text.to_owned());
    let tasks = |id: &str, schedule: CronScheduleConstructProps, props: FargateTasksConstructProps| {
        FargateTasksConstruct::new(
            &stack,
            id,
            FargateTasksConstructProps { cluster: cluster.clone(), schedule: Some(schedule), ..props },
        );
    };
    let cron = CronScheduleConstructProps::default;
    let sound = || FargateTasksConstructProps { secret_name: text("creds"), ..Default::default() };
    tasks("Minute", CronScheduleConstructProps { minute: text("60"), ..cron() }, sound());
    tasks("Hour", CronScheduleConstructProps { hour: text("9-"), ..cron() }, sound());
    tasks("WeekDay", CronScheduleConstructProps { week_day: text("FUNDAY"), ..cron() }, sound());
    tasks("Days", CronScheduleConstructProps { day: text("1"), week_day: text("MON"), ..cron() }, sound());
    tasks(
        "Retention",
        cron(),
        FargateTasksConstructProps { log_retention_days: Some(RetentionDays::Days(10)), ..sound() },
    );
    tasks(
        "Size",
        cron(),
        FargateTasksConstructProps { cpu: Some(256.into()), memory_limit_mib: Some(4096.into()), ..sound() },
    );
    tasks("NoSecret", cron(), FargateTasksConstructProps::default());
    tasks("TwoSecrets", cron(), FargateTasksConstructProps { secret_arn: Some(SECRET_ARN.into()), ..sound() });
    tasks(
        "ShortArn",
        cron(),
        FargateTasksConstructProps {
            secret_arn: Some("arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds".into()),
            ..Default::default()
        },
    );
    tasks("None", cron(), FargateTasksConstructProps { desired_task_count: Some(0), ..sound() });
    let elsewhere = Vpc::new(&stack, "Elsewhere", VpcProps { max_azs: Some(1), ..Default::default() });
    tasks(
        "Open",
        cron(),
        FargateTasksConstructProps { subnet_selection: Some(SubnetType::PrivateIsolated.into()), ..sound() },
    );
    tasks("Networks", cron(), FargateTasksConstructProps { vpc: Some(elsewhere), ..sound() });
    let expected = [
        "NG-C0302 Stack/Minute/ScheduledFargateTask/ScheduledEventRule: minutes of `cron(60 * * * ? *)`: got `60`, expected 0 to 59 | did you mean `cron(59 * * * ? *)`?",
        "NG-C0302 Stack/Hour/ScheduledFargateTask/ScheduledEventRule: hours of `cron(0 9- * * ? *)`: got `9-`, expected a range such as `1-5` | did you mean `cron(0 9 * * ? *)`?",
        "NG-C0302 Stack/WeekDay/ScheduledFargateTask/ScheduledEventRule: day-of-week of `cron(0 * ? * FUNDAY *)`: got `FUNDAY`, expected 1 to 7 or SUN to SAT | write it as `cron(minutes hours day-of-month month day-of-week year)` or as `rate(5 minutes)`",
        "NG-C0514 Stack/Days/TaskSchedule: `day` is `1` and `week_day` is `MON`: expected one of the two | leave one out: EventBridge takes either days of the month or days of the week",
        "NG-C0600 Stack/Retention/FargateLogGroup: events cannot be kept for 10 days | the nearest that CloudWatch Logs has is 7: `RetentionDays::Days(7)`",
        "NG-C0200 Stack/Size/ScheduledFargateTask/ScheduledTaskDef: no Fargate configuration exists for 256 CPU units with 4096 MiB of memory | the nearest are 256 with 2048 and 512 with 4096",
        "NG-C0513 Stack/NoSecret: 0 of `secret_arn`, `secret_name` and `secret` are given: expected one | say which secret the task finds in its environment: its complete ARN, its name, or the construct",
        "NG-C0513 Stack/TwoSecrets: 2 of `secret_arn`, `secret_name` and `secret` are given: expected one | say which secret the task finds in its environment: its complete ARN, its name, or the construct",
        "NG-C0420 Stack/ShortArn/MySecret: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds` is not complete: the six characters that Secrets Manager adds are missing | give the ARN that `aws secretsmanager describe-secret` shows, or take the secret in by its name",
        "NG-C0510 Stack/None/ScheduledFargateTask: You must specify a desiredTaskCount greater than 0 | set `desired_task_count` to at least 1, or leave it out for 1",
        "NG-C0101 Stack/Open/ScheduledFargateTask/ScheduledEventRule: the VPC `Stack/Network` has no `Isolated` subnets: it has `Private`, `Public` | select other subnets, or change the VPC's `subnet_configuration`",
        "NG-C0515 Stack/Networks: `vpc` is `Stack/Elsewhere`, but the cluster is in `Stack/Network` | leave `vpc` out: the cluster knows its own",
    ];
    assert_eq!(found(&app), expected);
}

#[test]
fn errors_of_a_scheduled_task_are_the_cdk_s() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let cluster = cluster(&stack, &one_zone(&stack));
    ScheduledFargateTask::new(
        &stack,
        "Nothing",
        ScheduledFargateTaskProps { cluster: cluster.clone(), ..Default::default() },
    );
    let task_definition = FargateTaskDefinition::new(&stack, "Definition", FargateTaskDefinitionProps::default());
    task_definition.add_container("app", ContainerDefinitionProps { image: busybox().image, ..Default::default() });
    let both = ScheduledFargateTaskProps {
        cluster: cluster.clone(),
        scheduled_fargate_task_definition_options: Some(ScheduledFargateTaskDefinitionOptions { task_definition }),
        ..scheduled(busybox())
    };
    ScheduledFargateTask::new(&stack, "Both", both);
    let expected = [
        "NG-C0512 Stack/Nothing: the scheduled task has no `schedule` | say when it is started, such as `Schedule::rate(Duration::hours(1))`",
        "NG-C0511 Stack/Nothing: You must specify one of: taskDefinition or image | set one of `scheduled_fargate_task_image_options` and `scheduled_fargate_task_definition_options`",
        "NG-C0511 Stack/Both: You must specify either a scheduledFargateTaskDefinitionOptions or scheduledFargateTaskOptions, not both. | set one of `scheduled_fargate_task_image_options` and `scheduled_fargate_task_definition_options`",
    ];
    assert_eq!(found(&app), expected);
}

#[test]
fn what_describes_a_part_that_is_given_is_said_to_change_nothing() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let vpc = VpcAttributes { vpc_id: "vpc-1".into(), ..Default::default() };
    let vpc = Vpc::from_vpc_attributes(&stack, "Vpc", vpc);
    let group = SecurityGroup::from_security_group_id(&stack, "Group", "sg-1", Default::default());
    let props = FargateTasksConstructProps {
        encryption_key: Some(Key::new(&stack, "Key", KeyProps::default())),
        security_group: Some(group),
        subnet_selection: Some(SubnetSelection { subnets: Some(Subnets::These(vec![])), ..Default::default() }),
        vpc: Some(vpc),
        ..three_stacks::choices()
    };
    FargateTasksConstruct::new(&stack, "Tasks", props);
    assert_eq!(
        found(&app),
        [
            "NG-C0516 Stack/Tasks: `key_alias` changes nothing: it describes a new one, and `encryption_key` is given | leave out `key_alias` or `encryption_key`",
            "NG-C0516 Stack/Tasks: `inbound_rules` changes nothing: it describes a new one, and `security_group` is given | leave out `inbound_rules` or `security_group`",
        ]
    );
}

#[test]
fn the_days_that_do_not_count_may_be_written_as_event_bridge_writes_them() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let expression = |id: &str, day: &str, week_day: &str| {
        let text = |text: &str| Some(text.to_owned());
        let props = CronScheduleConstructProps { day: text(day), week_day: text(week_day), ..Default::default() };
        CronScheduleConstruct::new(&stack, id, props).schedule().expression_string().to_owned()
    };
    assert_eq!(expression("OfWeek", "?", "MON-FRI"), "cron(0 * ? * MON-FRI *)");
    assert_eq!(expression("OfMonth", "L", "?"), "cron(0 * L * ? *)");
    assert_eq!(found(&app), [""; 0]);
}
