use std::collections::BTreeMap;

use neargate_constructs::ecr::Repository;
use neargate_constructs::ecs::{
    AppProtocol, AssetImageProps, AwsLogDriverMode, AwsLogDriverProps, ContainerDefinition, ContainerDefinitionProps,
    ContainerDependency, ContainerDependencyCondition, ContainerImage, CpuArchitecture, EfsVolume,
    FargateTaskDefinition, FargateTaskDefinitionProps, HealthCheck, LinuxParameters, LogDriver, MountPoint,
    OperatingSystemFamily, PortMapping, Protocol, RuntimePlatform, Secret, Tmpfs, Ulimit, UlimitName, Volume,
    VolumeFrom,
};
use neargate_constructs::iam::{Principal, Role, RoleProps};
use neargate_constructs::logs::{LogGroup, LogGroupClass, LogGroupProps, RetentionDays};
use neargate_constructs::{Duration, RemovalPolicy, Stack, StackProps, secretsmanager};

use super::{app, check, fixed, here};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";
const PARAMETER: &str = "arn:aws:ssm:eu-west-1:123456789012:parameter/url";

fn busybox() -> Option<ContainerImage> {
    Some(ContainerImage::from_registry("busybox:1.37"))
}

fn text(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn full_task(stack: &Stack) -> FargateTaskDefinition {
    let assumed_by = Some(Principal::service("ecs-tasks.amazonaws.com"));
    let execution_role = Role::new(stack, "ExecutionRole", RoleProps { assumed_by, ..Default::default() });
    let platform = RuntimePlatform {
        cpu_architecture: Some(CpuArchitecture::Arm64),
        operating_system_family: Some(OperatingSystemFamily::Linux),
    };
    let props = FargateTaskDefinitionProps {
        cpu: Some(1024.into()),
        memory_limit_mib: Some(4096.into()),
        ephemeral_storage_gib: Some(50),
        execution_role: Some(execution_role),
        family: Some("full".into()),
        share_process_namespace: true,
        enable_fault_injection: Some(true),
        runtime_platform: Some(platform),
        volumes: vec![Volume { name: "scratch".into(), efs: None }],
        task_role: None,
    };
    let task = FargateTaskDefinition::new(stack, "Full", props);
    let files = EfsVolume {
        file_system_id: "fs-1".into(),
        transit_encryption: Some(true),
        transit_encryption_port: Some(2999),
        access_point_id: Some("fsap-1".into()),
        iam: Some(true),
        root_directory: None,
    };
    task.add_volume(Volume { name: "files".into(), efs: Some(files) });
    let root = EfsVolume { file_system_id: "fs-2".into(), root_directory: Some("/data".into()), ..Default::default() };
    task.add_volume(Volume { name: "root".into(), efs: Some(root) });
    task
}

fn full_logging(stack: &Stack) -> LogDriver {
    let group = LogGroupProps {
        retention: Some(RetentionDays::OneWeek),
        removal_policy: Some(RemovalPolicy::Destroy),
        log_group_name: Some("/jobs".into()),
        log_group_class: Some(LogGroupClass::InfrequentAccess),
        ..Default::default()
    };
    let logging = AwsLogDriverProps {
        stream_prefix: "app".into(),
        log_group: Some(LogGroup::new(stack, "Group", group)),
        mode: Some(AwsLogDriverMode::NonBlocking),
        max_buffer_size_bytes: Some(5 * 1024 * 1024),
        datetime_format: Some("%Y".into()),
        multiline_pattern: Some("^x".into()),
        log_retention: None,
    };
    LogDriver::AwsLogs(logging)
}

fn main_container(stack: &Stack, task: &FargateTaskDefinition) -> ContainerDefinition {
    let secrets = [
        ("WHOLE".to_owned(), Secret::from_secret_complete_arn(SECRET, None)),
        ("FIELD".to_owned(), Secret::from_secret_complete_arn(SECRET, Some("password"))),
        ("PARAMETER".to_owned(), Secret::from_ssm_parameter_arn(PARAMETER)),
    ];
    let credentials = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf";
    let props = ContainerDefinitionProps {
        image: Some(ContainerImage::Registry {
            name: "private/image:1".into(),
            credentials_secret_arn: Some(credentials.into()),
        }),
        container_name: Some("app".into()),
        command: Some(vec!["a".into(), "b c".into()]),
        entry_point: Some(vec!["/init".into()]),
        cpu: Some(512.into()),
        memory_limit_mib: Some(1024.into()),
        memory_reservation_mib: Some(512.into()),
        environment: [("B".to_owned(), "2".into()), ("A".to_owned(), "1".into())].into(),
        secrets: secrets.into(),
        essential: None,
        health_check: Some(HealthCheck {
            command: vec!["curl -f http://localhost".into()],
            interval: Duration::seconds(10),
            timeout: Duration::seconds(3),
            retries: 2,
            start_period: Some(Duration::seconds(60)),
        }),
        interactive: Some(true),
        pseudo_terminal: Some(true),
        linux_parameters: Some(LinuxParameters {
            init_process_enabled: Some(true),
            add_capabilities: vec!["SYS_PTRACE".into()],
            drop_capabilities: vec!["NET_RAW".into()],
            tmpfs: vec![Tmpfs { container_path: "/fast".into(), size_mib: 64, mount_options: vec!["noexec".into()] }],
        }),
        logging: Some(full_logging(stack)),
        port_mappings: vec![
            PortMapping {
                container_port: 8080,
                name: Some("web".into()),
                app_protocol: Some(AppProtocol::Http2),
                ..Default::default()
            },
            PortMapping { container_port: 53, protocol: Protocol::Udp, ..Default::default() },
        ],
        readonly_root_filesystem: Some(true),
        start_timeout: Some(Duration::seconds(60)),
        stop_timeout: Some(Duration::seconds(90)),
        ulimits: vec![Ulimit { name: UlimitName::Nofile, soft_limit: 1024, hard_limit: 4096 }],
        user: Some("1000:1000".into()),
        working_directory: Some("/srv".into()),
        docker_labels: text(&[("team", "data")]),
        system_controls: text(&[("net.core.somaxconn", "1024")]),
        version_consistency: Some(false),
        enable_restart_policy: Some(true),
        restart_ignored_exit_codes: Some(vec![0, 127]),
        restart_attempt_period: Some(Duration::seconds(360)),
    };
    task.add_container("main", props)
}

#[test]
fn task_definitions_with_every_prop() {
    let app = app();
    let stack = Stack::new(&app, "Tasks", StackProps::default());
    let full = full_task(&stack);
    let main = main_container(&stack, &full);
    let splunk = LogDriver::Other {
        driver: "splunk".into(),
        options: [("splunk-url".to_owned(), "https://splunk".into())].into(),
    };
    let side = ContainerDefinitionProps {
        image: busybox(),
        essential: Some(false),
        logging: Some(splunk),
        ..Default::default()
    };
    let side = full.add_container("side", side);
    main.add_container_dependency(ContainerDependency {
        container: side.clone(),
        condition: ContainerDependencyCondition::Start,
    });
    for (container_path, read_only, source_volume) in
        [("/data", true, "files"), ("/scratch", false, "scratch"), ("/root", false, "root")]
    {
        let (container_path, source_volume) = (container_path.to_owned(), source_volume.to_owned());
        main.add_mount_point(MountPoint { container_path, read_only, source_volume });
    }
    side.add_volume_from(VolumeFrom { source_container: "app".into(), read_only: true });
    main.add_environment("C", stack.region());
    side.add_secret("LATE", Secret::from_ssm_parameter_arn(PARAMETER));
    assert_eq!(full.default_container().unwrap().container_name(), "app");
    assert_eq!(main.log_group().unwrap().id(), "Group");

    let plain = |image: Option<ContainerImage>| ContainerDefinitionProps { image, ..Default::default() };
    let least = FargateTaskDefinition::new(&stack, "Least", FargateTaskDefinitionProps::default());
    least.add_container("app", plain(busybox()));
    let kept = FargateTaskDefinition::new(&stack, "Kept", FargateTaskDefinitionProps::default());
    let logging = AwsLogDriverProps {
        stream_prefix: "kept".into(),
        log_retention: Some(RetentionDays::OneMonth),
        ..Default::default()
    };
    let check_command = HealthCheck { command: vec!["CMD".into(), "true".into()], ..Default::default() };
    let props = ContainerDefinitionProps {
        logging: Some(LogDriver::AwsLogs(logging)),
        health_check: Some(check_command),
        ..plain(busybox())
    };
    kept.add_container("app", props);
    let built = FargateTaskDefinition::new(&stack, "Built", FargateTaskDefinitionProps::default());
    built.add_container(
        "app",
        plain(Some(ContainerImage::from_asset(here().join("image"), AssetImageProps::default()))),
    );
    let pulled = FargateTaskDefinition::new(&stack, "Pulled", FargateTaskDefinitionProps::default());
    let repository = Repository::from_repository_name(&stack, "Repository", "etl/app");
    pulled.add_container("app", plain(Some(ContainerImage::from_ecr_repository(&repository, "1.4"))));
    let digest = format!("sha256:{}", "a".repeat(64));
    pulled.add_container("digest", plain(Some(ContainerImage::from_ecr_repository(&repository, &digest))));
    check(&app, &["Tasks"]);
}

#[test]
fn built_images_of_a_known_environment() {
    let app = app();
    let stack = Stack::new(&app, "FixedTasks", fixed());
    let built = FargateTaskDefinition::new(&stack, "Built", FargateTaskDefinitionProps::default());
    let image = Some(ContainerImage::from_asset(here().join("image"), AssetImageProps::default()));
    built.add_container("app", ContainerDefinitionProps { image, ..Default::default() });
    check(&app, &["FixedTasks"]);
}

#[test]
fn what_fargate_would_refuse_is_reported_all_at_once() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let props = FargateTaskDefinitionProps {
        cpu: Some(256.into()),
        memory_limit_mib: Some(4096.into()),
        ephemeral_storage_gib: Some(20),
        ..Default::default()
    };
    let task = FargateTaskDefinition::new(&stack, "Task", props);
    let container = ContainerDefinitionProps {
        image: busybox(),
        essential: Some(false),
        cpu: Some(512.into()),
        memory_limit_mib: Some(4.into()),
        memory_reservation_mib: Some(8.into()),
        stop_timeout: Some(Duration::seconds(121)),
        restart_attempt_period: Some(Duration::seconds(59)),
        health_check: Some(HealthCheck { timeout: Duration::seconds(61), ..Default::default() }),
        linux_parameters: Some(LinuxParameters { add_capabilities: vec!["NET_ADMIN".into()], ..Default::default() }),
        environment: [("A".to_owned(), "1".into())].into(),
        secrets: [("A".to_owned(), Secret::from_ssm_parameter_arn(PARAMETER))].into(),
        ..Default::default()
    };
    let container = task.add_container("app", container);
    container.add_mount_point(MountPoint {
        container_path: "/x".into(),
        read_only: false,
        source_volume: "none".into(),
    });
    FargateTaskDefinition::new(&stack, "Empty", FargateTaskDefinitionProps::default());
    let missing = Some(ContainerImage::from_asset(here().join("nowhere"), AssetImageProps::default()));
    let other = FargateTaskDefinition::new(&stack, "Other", FargateTaskDefinitionProps::default());
    other.add_container("app", ContainerDefinitionProps { image: missing, ..Default::default() });
    other.add_container("none", ContainerDefinitionProps::default());
    let found = app.assemble().unwrap_err();
    let messages: Vec<&str> = found.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    let expected = [
        "no Fargate configuration exists for 256 CPU units with 4096 MiB of memory",
        "`ephemeral_storage_gib` is 20: expected 21 to 200",
        "`health_check.timeout` is 61: expected 2 to 60",
        "`health_check.command` is empty: expected at least one word",
        "`health_check.interval` is shorter than its `timeout`",
        "the capability `NET_ADMIN` cannot be added on Fargate: only `SYS_PTRACE`",
        "`memory_limit_mib` is 4, less than `memory_reservation_mib`, which is 8",
        "the container has 4 MiB of memory: expected at least 6",
        "`stop_timeout` is 121 seconds: Fargate allows 2 to 120",
        "`restart_attempt_period` is 59 seconds: expected 60 to 1800",
        "`A` is in `environment` and in `secrets`: expected in one of the two",
        "the containers set 512 CPU units aside, but the task has 256",
    ];
    assert_eq!(messages.get(..expected.len()).unwrap(), expected);
    assert_eq!(found[0].hints, ["the nearest are 256 with 2048 and 512 with 4096"]);
    for late in ["the container has no `image`", "no container is essential", "the task definition has no containers"] {
        assert!(messages.contains(&late), "{late}: {messages:#?}");
    }
    assert!(messages.iter().any(|message| message.contains("mounts the volume `none`")), "{messages:#?}");
    assert!(messages.iter().any(|message| message.contains("nowhere` cannot be read")), "{messages:#?}");
}

#[test]
fn names_that_amazon_ecs_refuses_come_with_what_it_takes() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let task = FargateTaskDefinition::new(&stack, "Task", FargateTaskDefinitionProps::default());
    let secret = secretsmanager::Secret::from_secret_name(&stack, "Secret", "app creds");
    let container = ContainerDefinitionProps {
        image: Some(ContainerImage::from_registry("busy box")),
        container_name: Some("my container".into()),
        environment: [("A=B".to_owned(), "1".into())].into(),
        secrets: [(String::new(), Secret::from_secrets_manager(&secret, Some("a:b")))].into(),
        logging: Some(LogDriver::aws_logs("")),
        ..Default::default()
    };
    task.add_container("app", container);
    let found: Vec<String> = app
        .assemble()
        .unwrap_err()
        .iter()
        .map(|d| format!("{} {}: {} | {}", d.code, d.path, d.message, d.hints.join(" ")))
        .collect();
    let expected = [
        "NG-C0420 Stack/Secret: `app creds` is no name of a secret | take 1 to 512 letters, digits and `/_+=.@-`",
        "NG-C0202 Stack/Task/app: `A=B` is no name of an environment variable: expected one such as `API_KEY` | ",
        "NG-C0202 Stack/Task/app: `` is no name of an environment variable: expected one such as `API_KEY` | ",
        "NG-C0202 Stack/Task/app: `a:b` cannot be picked from a secret: expected a field without `:` | ",
        "NG-C0202 Stack/Task/app: `my container` is no name of a container | take up to 255 letters, digits, `_` and `-`",
        "NG-C0202 Stack/Task/app: `busy box` is no name of an image | write it as `name:tag`, with the registry in front where it is not Docker Hub",
        "NG-C0202 Stack/Task/app: `` cannot begin the names of log streams | Fargate needs a `stream_prefix`, without `:` and `*`: take a word such as the task's",
    ];
    assert_eq!(found, expected);
}
