use std::rc::Rc;

use neargate_constructs::ec2::{SecurityGroup, SecurityGroupProps, SubnetType, Vpc, VpcProps};
use neargate_constructs::ecs::{
    Cluster, ClusterAttributes, ClusterProps, ContainerDefinitionProps, ContainerImage, ContainerInsights,
    FargatePlatformVersion, FargateTaskDefinition, FargateTaskDefinitionAttributes, FargateTaskDefinitionProps,
};
use neargate_constructs::events::{
    CronDay, CronOptions, EventField, EventPattern, Match, Rule, RuleProps, RuleTarget, RuleTargetConfig,
    RuleTargetInput, Schedule,
};
use neargate_constructs::events_targets::{ContainerOverride, EcsTask, EcsTaskProps, TaskEnvironmentVariable};
use neargate_constructs::iam::{FromRoleArnOptions, Principal, Role, RoleProps};
use neargate_constructs::{CfnParameter, CfnParameterProps, Duration, Json, Stack, StackProps};
use serde_json::json;

use super::{app, check};

struct Fixture {
    stack: Stack,
    vpc: Vpc,
    cluster: Cluster,
    task: FargateTaskDefinition,
}

fn fixture(stack: Stack) -> Fixture {
    let vpc = Vpc::new(&stack, "Vpc", VpcProps { max_azs: Some(1), ..Default::default() });
    let cluster = ClusterProps {
        vpc: Some(vpc.clone()),
        cluster_name: Some("jobs".into()),
        container_insights: Some(ContainerInsights::Enhanced),
    };
    let cluster = Cluster::new(&stack, "Cluster", cluster);
    let task = FargateTaskDefinition::new(&stack, "Task", FargateTaskDefinitionProps::default());
    let image = Some(ContainerImage::from_registry("busybox:1.37"));
    task.add_container("app", ContainerDefinitionProps { image, ..Default::default() });
    Fixture { stack, vpc, cluster, task }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A target that is nothing but its input.
struct Topic(RuleTargetInput);

impl RuleTarget for Topic {
    fn bind(&self, _rule: &Rule, _id: &str) -> RuleTargetConfig {
        let mut config = RuleTargetConfig { input: Some(self.0.clone()), ..Default::default() };
        config.target.arn = Some("arn:aws:sns:eu-west-1:123456789012:t".into());
        config
    }
}

fn full_pattern() -> EventPattern {
    EventPattern {
        account: vec!["123456789012".into()],
        detail: Some(json!({"total": [Match::greater_than(100).to_json()]})),
        detail_type: vec!["Order".into()],
        region: vec!["eu-west-1".into()],
        resources: vec!["arn:x".into()],
        source: vec![Match::prefix("com.")],
        id: vec!["1".into()],
        time: vec!["t".into()],
        version: vec!["0".into()],
    }
}

fn full_target(fixture: &Fixture, role: &Role, group: &SecurityGroup) -> EcsTask {
    let words = format!("at {} in {}", EventField::time(), fixture.stack.region());
    let overrides = ContainerOverride {
        container_name: "app".into(),
        command: Some(vec!["run".into(), EventField::from_path("$.detail.what"), words.into()]),
        environment: vec![TaskEnvironmentVariable::new("WHO", EventField::source())],
        cpu: Some(128.into()),
        memory_limit_mib: None,
        memory_reservation_mib: Some(128.into()),
    };
    let props = EcsTaskProps {
        task_count: Some(3),
        role: Some(role.clone()),
        security_groups: Some(vec![group.clone()]),
        subnet_selection: Some(SubnetType::Public.into()),
        assign_public_ip: Some(true),
        platform_version: Some(FargatePlatformVersion::Version1_4),
        enable_execute_command: Some(true),
        propagate_task_definition_tags: true,
        tags: [("a".to_owned(), "b".to_owned())].into(),
        dead_letter_queue_arn: Some("arn:aws:sqs:eu-west-1:123456789012:dead".into()),
        max_event_age: Some(Duration::hours(1)),
        retry_attempts: Some(3),
        container_overrides: vec![overrides],
        cpu: Some(512),
        memory_mib: Some(1024),
        ephemeral_storage_gib: Some(30),
        task_role: None,
        execution_role: None,
    };
    EcsTask::new(&fixture.cluster, &fixture.task, props)
}

#[test]
fn rules_and_targets_with_every_prop() {
    let app = app();
    let fixture = fixture(Stack::new(&app, "Rules", StackProps::default()));
    let (stack, cluster, task) = (&fixture.stack, &fixture.cluster, &fixture.task);
    let rate = RuleProps {
        schedule: Some(Schedule::rate(Duration::hours(2))),
        enabled: Some(false),
        description: some("every two hours"),
        rule_name: some("rate"),
        ..Default::default()
    };
    Rule::new(stack, "Rate", rate).add_target(&EcsTask::new(cluster, task, EcsTaskProps::default()));
    let weekdays = CronOptions {
        minute: some("0"),
        hour: some("4"),
        day: CronDay::OfWeek("MON-FRI".into()),
        month: some("1-6"),
        year: some("2027"),
    };
    let scheduled = |schedule| RuleProps { schedule: Some(schedule), ..Default::default() };
    Rule::new(stack, "Cron", scheduled(Schedule::cron(weekdays)));
    Rule::new(stack, "Literal", scheduled(Schedule::expression("rate(1 day)")));
    let assumed_by = Some(Principal::service("events.amazonaws.com"));
    let role = Role::new(stack, "EventRole", RoleProps { assumed_by, ..Default::default() });
    let group =
        SecurityGroup::new(stack, "Group", SecurityGroupProps { vpc: Some(fixture.vpc.clone()), ..Default::default() });
    let pattern =
        RuleProps { event_bus_name: Some("orders".into()), event_pattern: Some(full_pattern()), ..Default::default() };
    let rule = Rule::new(stack, "Pattern", pattern);
    rule.add_event_pattern(EventPattern {
        detail: Some(json!({"total": [0], "state": ["paid"]})),
        account: vec!["123456789012".into(), "210987654321".into()],
        ..Default::default()
    });
    rule.add_target(&full_target(&fixture, &role, &group));
    let private = EcsTaskProps {
        subnet_selection: Some(SubnetType::Public.into()),
        assign_public_ip: Some(false),
        ..Default::default()
    };
    rule.add_target(&EcsTask::new(cluster, task, private));
    taken(&fixture, &role, &group);
    let of_x = || Some(EventPattern { source: vec!["x".into()], ..Default::default() });
    let texts = Rule::new(stack, "Texts", RuleProps { event_pattern: of_x(), role: Some(role), ..Default::default() });
    let quoted = format!("\"{}\" of {}", EventField::event_id(), stack.account());
    texts.add_target(&Topic(RuleTargetInput::Text(quoted.into())));
    texts.add_target(&Topic(RuleTargetInput::MultilineText(format!("a {}\nb", EventField::account()).into())));
    texts.add_target(&Topic(RuleTargetInput::EventPath("$.detail".into())));
    let fixed = Json::list([Json::from(1), Json::from(true), Json::from("x")]);
    let object = Json::map([("fixed", fixed), ("stack", Json::from(stack.region()))]);
    texts.add_target(&Topic(RuleTargetInput::Object(object)));
    check(&app, &["Rules"]);
}

fn taken(fixture: &Fixture, role: &Role, group: &SecurityGroup) {
    let stack = &fixture.stack;
    let vpc = Some(fixture.vpc.clone());
    let cluster = ClusterAttributes { cluster_name: "taken".into(), cluster_arn: None, vpc };
    let cluster = Cluster::from_cluster_attributes(stack, "Taken", cluster);
    let task_role = "arn:aws:iam::123456789012:role/taken";
    let attributes = FargateTaskDefinitionAttributes {
        task_definition_arn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/taken".into(),
        task_role: Some(Role::from_role_arn(stack, "TakenRole", task_role, FromRoleArnOptions::default())),
        execution_role: None,
    };
    let task = FargateTaskDefinition::from_attributes(stack, "TakenTask", attributes);
    let props =
        EcsTaskProps { role: Some(role.clone()), security_groups: Some(vec![group.clone()]), ..Default::default() };
    let target: Rc<dyn RuleTarget> = Rc::new(EcsTask::new(&cluster, &task, props));
    let event_pattern = Some(EventPattern { source: vec!["x".into()], ..Default::default() });
    Rule::new(stack, "TakenRule", RuleProps { event_pattern, targets: vec![target], ..Default::default() });
}

#[test]
fn memory_and_roles_are_overridden_under_the_names_that_amazon_ecs_reads() {
    let app = app();
    let fixture = fixture(Stack::new(&app, "Stack", StackProps::default()));
    let role = |id: &str| {
        Role::from_role_arn(
            &fixture.stack,
            id,
            format!("arn:aws:iam::123456789012:role/{id}"),
            FromRoleArnOptions::default(),
        )
    };
    let props = EcsTaskProps {
        container_overrides: vec![ContainerOverride {
            container_name: "app".into(),
            memory_limit_mib: Some(64.into()),
            ..Default::default()
        }],
        task_role: Some(role("task")),
        execution_role: Some(role("execution")),
        ..Default::default()
    };
    let rule = Rule::new(
        &fixture.stack,
        "Rule",
        RuleProps { schedule: Some(Schedule::rate(Duration::days(1))), ..Default::default() },
    );
    rule.add_target(&EcsTask::new(&fixture.cluster, &fixture.task, props));
    let template = app.assemble().unwrap().stacks[0].template.clone();
    assert_eq!(
        template["Resources"]["Rule4C995B7F"]["Properties"]["Targets"][0]["Input"],
        r#"{"containerOverrides":[{"name":"app","memory":64}],"executionRoleArn":"arn:aws:iam::123456789012:role/execution","taskRoleArn":"arn:aws:iam::123456789012:role/task"}"#
    );
}

#[test]
fn what_event_bridge_would_refuse_is_reported_all_at_once() {
    let app = app();
    let fixture = fixture(Stack::new(&app, "Stack", StackProps::default()));
    let stack = &fixture.stack;
    Rule::new(stack, "Nothing", RuleProps { rule_name: some("no spaces"), ..Default::default() });
    let both = RuleProps {
        event_bus_name: Some("orders".into()),
        schedule: Some(Schedule::rate(Duration::seconds(90))),
        ..Default::default()
    };
    let both = Rule::new(stack, "Both", both);
    both.add_event_pattern(EventPattern { detail: Some(json!({"x": "y"})), ..Default::default() });
    let literal = RuleProps { schedule: Some(Schedule::expression("0 4 * * *")), ..Default::default() };
    let literal = Rule::new(stack, "Literal", literal);
    let props = EcsTaskProps {
        task_count: Some(0),
        ephemeral_storage_gib: Some(10),
        assign_public_ip: Some(true),
        retry_attempts: Some(186),
        container_overrides: vec![ContainerOverride { container_name: "other".into(), ..Default::default() }],
        ..Default::default()
    };
    literal.add_target(&EcsTask::new(&fixture.cluster, &fixture.task, props));
    let found: Vec<String> = app.assemble().unwrap_err().iter().map(|d| format!("{} {}", d.code, d.message)).collect();
    let expected = [
        "NG-C0300 `no spaces` is no rule name: expected 1 to 64 letters, digits and `._-`",
        "NG-C0300 cannot associate rule with 'eventBus' when using 'schedule'",
        "NG-C0302 a rule cannot fire every 90 seconds: expected a whole number of minutes",
        "NG-C0302 schedule `0 4 * * *`: got `0 4 * * *`, expected `cron(...)` or `rate(...)`",
        "NG-C0303 `task_count` is 0: expected at least 1",
        "NG-C0303 `ephemeral_storage_gib` is 10: expected 20 to 200",
        "NG-C0303 `retry_attempts` is 186: expected 0 to 185",
        "NG-C0303 the overrides name a container `other`, but the task has `app`",
        "NG-C0303 assignPublicIp should be set to true only for PUBLIC subnets",
        "NG-C0300 the rule has neither `event_pattern` nor `schedule`",
        "NG-C0301 `detail.x` is `\"y\"`: expected a list, such as `[\"y\"]`",
    ];
    assert_eq!(found, expected);
}

/// What is found about a schedule, with the hint.
fn of_schedule(schedule: impl FnOnce(&Stack) -> Schedule) -> Vec<String> {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let schedule = schedule(&stack);
    Rule::new(&stack, "Rule", RuleProps { schedule: Some(schedule), ..Default::default() });
    let found = app.assemble().map_or_else(|found| found, |assembly| assembly.diagnostics);
    found.iter().map(|d| format!("{} | {}", d.message, d.hints.join(" "))).collect()
}

#[test]
fn a_schedule_that_event_bridge_refuses_comes_with_the_nearest_one() {
    let check = |expression: &str, expected: &[&str]| {
        assert_eq!(of_schedule(|_| Schedule::expression(expression)), expected);
    };
    check("cron(0 4 * * ? *)", &[]);
    check("rate(1 day)", &[]);
    check(
        "cron(0 9 * * MON-FRI *)",
        &[
            "day-of-month of `cron(0 9 * * MON-FRI *)`: got `*`, expected `?` in one of day-of-month and day-of-week | did you mean `cron(0 9 ? * MON-FRI *)`?",
        ],
    );
    check(
        "cron(0 25 * * ? *)",
        &["hours of `cron(0 25 * * ? *)`: got `25`, expected 0 to 23 | did you mean `cron(0 23 * * ? *)`?"],
    );
    check(
        "rate(1 days)",
        &[
            "schedule `rate(1 days)`: got `1 days`, expected a positive number, one space and `minutes`, `hours` or `days` (`minute`, `hour`, `day` after 1) | did you mean `rate(1 day)`?",
        ],
    );
    check(
        "cron(0 0 30 2 ? *)",
        &["`cron(0 0 30 2 ? *)` never fires: there is no such date | change its day, month or year"],
    );
    check(
        "sometimes",
        &[
            "schedule `sometimes`: got `sometimes`, expected `cron(...)` or `rate(...)` | write it as `cron(minutes hours day-of-month month day-of-week year)` or as `rate(5 minutes)`",
        ],
    );
    let cron = |month: Option<String>| Schedule::cron(CronOptions { month, ..Default::default() });
    assert_eq!(
        of_schedule(|_| cron(Some("MARCH".to_owned()))),
        [
            "month of `cron(* * * MARCH ? *)`: got `MARCH`, expected 1 to 12 or JAN to DEC | did you mean `cron(* * * MAR ? *)`?"
        ]
    );
    let fields = |minute: &str| {
        let minute = Some(minute.to_owned());
        of_schedule(|_| Schedule::cron(CronOptions { minute, ..Default::default() }))
    };
    let got = |got: &str, hint: &str| {
        format!("`minute` of a cron schedule: got `{got}`, expected one field such as `0`, `*/6` or `1,15` | {hint}")
    };
    assert_eq!(fields("0 30"), [got("0 30", "list with commas: `0,30`")]);
    assert_eq!(fields(""), [got("", "leave `minute` out, or write `*` for every one")]);
    let whole = "cron(0 4 * * ? *)";
    assert_eq!(fields(whole), [got(whole, "a whole expression is `Schedule::expression(\"cron(0 4 * * ? *)\")`")]);
    assert_eq!(
        of_schedule(|_| Schedule::rate(Duration::seconds(100))),
        [
            "a rule cannot fire every 100 seconds: expected a whole number of minutes | the nearest is `Duration::minutes(2)`"
        ]
    );
    assert_eq!(
        of_schedule(|_| cron(None)),
        [
            "`cron(* * * * ? *)` fires every minute | set `minute` to `Some(\"0\")` for once an hour, or to `Some(\"*\")` if every minute is meant"
        ]
    );
}

#[test]
fn a_schedule_that_only_deployment_knows_is_not_judged() {
    let minute = |stack: &Stack| {
        let minute = CfnParameter::new(stack, "Minute", CfnParameterProps::default()).value_as_string();
        Schedule::cron(CronOptions { minute: Some(minute.to_string()), ..Default::default() })
    };
    assert_eq!(of_schedule(minute), [""; 0]);
}
