//! What `RegisterTaskDefinition` takes, refuses and answers: a table of one change each to a definition that is right.

use expect_test::{Expect, expect};
use neargate_kernel::NoticeKind;
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

const ROLE: &str = "arn:aws:iam::000000000000:role/exec";

fn harness() -> Harness {
    Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap()
}

/// A definition with a container `a`, changed by these members; `container` changes the container.
fn definition(more: Json, container: Json) -> Json {
    let mut a = json!({ "name": "a", "image": "corp/box:1" });
    a.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let mut input = json!({
        "family": "f", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": ROLE, "containerDefinitions": [a],
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let without_null = |members: &mut serde_json::Map<String, Json>| members.retain(|_, value| !value.is_null());
    without_null(input.as_object_mut().unwrap());
    input
}

fn verdict(input: Json) -> String {
    match harness().call("ecs", "RegisterTaskDefinition", input) {
        Ok(_) => "taken".to_owned(),
        Err(fault) => fault.to_string().strip_prefix("ClientException: ").map_or(fault.to_string(), str::to_owned),
    }
}

/// One line for each change of the container, in order.
fn containers(changes: &[Json], expected: Expect) {
    let lines: Vec<_> = changes.iter().map(|change| verdict(definition(json!({}), change.clone()))).collect();
    expected.assert_eq(&lines.join("\n"));
}

/// One line for each change of the definition, in order.
fn definitions(changes: &[Json], expected: Expect) {
    let lines: Vec<_> = changes.iter().map(|change| verdict(definition(change.clone(), json!({})))).collect();
    expected.assert_eq(&lines.join("\n"));
}

fn logs(options: Json) -> Json {
    let mut all = json!({ "awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p" });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    json!({ "logConfiguration": { "logDriver": "awslogs", "options": all } })
}

#[test]
fn what_is_right_is_taken() {
    containers(
        &[
            json!({}),
            logs(json!({ "awslogs-create-group": "true", "mode": "non-blocking", "max-buffer-size": "25m" })),
            logs(json!({ "awslogs-datetime-format": "%Y" })),
            json!({ "healthCheck": { "command": ["curl", "-f", "http://127.0.0.1"], "interval": 5, "timeout": 60, "retries": 10, "startPeriod": 0 } }),
            json!({ "portMappings": [{ "containerPort": 80 }, { "containerPort": 81, "hostPort": 81, "name": "http", "appProtocol": "http" }] }),
            json!({ "memory": 512, "memoryReservation": 512, "cpu": 256, "stopTimeout": 120, "startTimeout": 2 }),
            json!({ "systemControls": [], "mountPoints": [], "volumesFrom": [], "environmentFiles": [] }),
            json!({ "restartPolicy": { "enabled": false } }),
        ],
        expect![[r#"
            taken
            taken
            taken
            taken
            taken
            taken
            taken
            taken"#]],
    );
    definitions(
        &[
            json!({ "executionRoleArn": null }),
            json!({ "cpu": "32768", "memory": "249856" }),
            json!({ "volumes": [{ "name": "v", "host": {} }] }),
            json!({ "runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" } }),
            json!({ "taskRoleArn": "arn:aws:iam::000000000000:role/path/task" }),
        ],
        expect![[r#"
            taken
            taken
            taken
            taken
            taken"#]],
    );
}

#[test]
fn logs_must_have_somewhere_to_go() {
    containers(
        &[
            logs(json!({ "awslogs-group": null })),
            logs(json!({ "awslogs-group": "" })),
            logs(json!({ "awslogs-region": null })),
            logs(json!({ "awslogs-stream-prefix": null })),
            logs(json!({ "log_key": "log" })),
            logs(json!({ "awslogs-endpoint": "x", "awslogs-stream": "y" })),
            logs(json!({ "awslogs-create-group": "false" })),
            logs(json!({ "awslogs-datetime-format": "%Y", "awslogs-multiline-pattern": "^x" })),
            logs(json!({ "mode": "fast" })),
            logs(json!({ "max-buffer-size": "much" })),
            json!({ "logConfiguration": { "logDriver": "json-file" } }),
            json!({ "logConfiguration": { "logDriver": "awsfirelens" } }),
        ],
        expect![[r#"
            Log driver awslogs option 'awslogs-group' should not be null or empty.
            Log driver awslogs option 'awslogs-group' should not be null or empty.
            Log driver awslogs requires options: awslogs-region
            Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.
            Log driver awslogs disallows options: log_key
            Log driver awslogs disallows options: awslogs-endpoint, awslogs-stream
            Invalid setting for container 'a'. Log driver awslogs option 'awslogs-create-group' must be 'true'.
            Invalid setting for container 'a'. Log driver awslogs options 'awslogs-datetime-format' and 'awslogs-multiline-pattern' cannot both be configured.
            Invalid setting for container 'a'. Log driver option 'mode' must be 'blocking' or 'non-blocking'.
            Invalid setting for container 'a'. Log driver option 'max-buffer-size' must be a size such as '25m'.
            Fargate compatible task definitions do not support log driver json-file
            When awsfirelens log driver is specified in log configuration, a firelens configuration object must be specified."#]],
    );
}

#[test]
fn containers_wait_for_what_can_come_about() {
    let with = |b: Json, condition: &str| {
        let mut other = json!({ "name": "b", "image": "corp/box:1" });
        other.as_object_mut().unwrap().extend(b.as_object().unwrap().clone());
        let waits = json!([{ "containerName": "b", "condition": condition }]);
        json!({ "containerDefinitions": [{ "name": "a", "image": "corp/box:1", "dependsOn": waits }, other] })
    };
    let back = |to: &str| json!({ "dependsOn": [{ "containerName": to, "condition": "START" }] });
    let check = json!({ "healthCheck": { "command": ["CMD-SHELL", "true"] } });
    definitions(
        &[
            with(json!({}), "START"),
            with(json!({ "essential": false }), "SUCCESS"),
            with(check, "HEALTHY"),
            with(json!({}), "SUCCESS"),
            with(json!({ "essential": true }), "COMPLETE"),
            with(json!({}), "HEALTHY"),
            with(back("a"), "START"),
            with(back("b"), "START"),
            with(json!({ "name": "c" }), "START"),
        ],
        expect![[r#"
            taken
            taken
            taken
            A dependency container with SUCCESS or COMPLETE condition cannot be an essential container.
            A dependency container with SUCCESS or COMPLETE condition cannot be an essential container.
            A dependency container with HEALTHY condition must have health check configured.
            Cyclic dependency between containers: a -> b -> a.
            Cyclic dependency between containers: b -> b.
            Cannot depend on container b because it does not exist."#]],
    );
}

#[test]
fn volumes_are_those_that_fargate_has() {
    let mount = |volume: &str| json!([{ "name": "a", "image": "corp/box:1", "mountPoints": [{ "sourceVolume": volume, "containerPath": "/v" }] }]);
    let efs = |more: Json| {
        let mut efs = json!({ "fileSystemId": "fs-1" });
        efs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "volumes": [{ "name": "v", "efsVolumeConfiguration": efs }] })
    };
    definitions(
        &[
            json!({ "volumes": [{ "name": "v" }], "containerDefinitions": mount("v") }),
            json!({ "containerDefinitions": mount("v") }),
            json!({ "volumes": [{ "name": "w" }], "containerDefinitions": mount("v") }),
            json!({ "volumes": [{ "name": "v", "host": { "sourcePath": "/" } }] }),
            json!({ "volumes": [{ "name": "v", "dockerVolumeConfiguration": { "scope": "task" } }] }),
            json!({ "volumes": [{ "name": "v" }, { "name": "v" }] }),
            json!({ "volumes": [{ "name": "v", "configuredAtLaunch": true }] }),
            efs(json!({ "authorizationConfig": { "iam": "ENABLED" } })),
            efs(
                json!({ "rootDirectory": "/x", "transitEncryption": "ENABLED", "authorizationConfig": { "accessPointId": "fsap-1" } }),
            ),
            efs(
                json!({ "rootDirectory": "/", "transitEncryption": "ENABLED", "authorizationConfig": { "accessPointId": "fsap-1" } }),
            ),
            json!({ "containerDefinitions": [{ "name": "a", "image": "i", "volumesFrom": [{ "sourceContainer": "z" }] }] }),
        ],
        expect![[r#"
            taken
            Unknown volume 'v'.
            Unknown volume 'v'.
            Fargate compatible task definitions do not support sourcePath
            Fargate compatible task definitions do not support dockerVolumeConfiguration
            Volume names must be unique within a task definition: v
            Volumes [v] are not referenced by any of the containers.
            EFS IAM authorization requires TransitEncryption to be enabled.
            When using an EFS access point, the root directory must either be set to "/" or be omitted.
            taken
            Invalid 'volumesFrom' setting. Unknown container: 'z'"#]],
    );
}

#[test]
fn containers_are_those_that_fargate_runs() {
    containers(
        &[
            json!({ "portMappings": [{ "containerPort": 80, "hostPort": 8080 }] }),
            json!({ "portMappings": [{ "containerPort": 80, "hostPort": 0 }] }),
            json!({ "portMappings": [{ "containerPort": 80, "containerPortRange": "80-90" }] }),
            json!({ "memory": 256, "memoryReservation": 512 }),
            json!({ "memory": 1024 }),
            json!({ "memory": 5 }),
            json!({ "cpu": 512 }),
            json!({ "stopTimeout": 121 }),
            json!({ "stopTimeout": 1 }),
            json!({ "startTimeout": 121 }),
            json!({ "healthCheck": { "command": [] } }),
            json!({ "healthCheck": { "command": ["CMD", "x"], "interval": 4 } }),
            json!({ "healthCheck": { "command": ["CMD", "x"], "timeout": 61 } }),
            json!({ "healthCheck": { "command": ["CMD", "x"], "retries": 0 } }),
            json!({ "healthCheck": { "command": ["CMD", "x"], "startPeriod": 301 } }),
            json!({ "restartPolicy": { "enabled": true, "restartAttemptPeriod": 59 } }),
            json!({ "environmentFiles": [{ "value": "arn:aws:s3:::b/env.txt", "type": "s3" }] }),
            json!({ "privileged": true }),
            json!({ "linuxParameters": { "capabilities": { "add": ["NET_ADMIN"] } } }),
            json!({ "linuxParameters": { "sharedMemorySize": 64 } }),
            json!({ "links": ["b"] }),
            json!({ "dnsServers": ["1.1.1.1"] }),
            json!({ "firelensConfiguration": { "type": "fluentbit", "options": { "config-file-type": "s3" } } }),
        ],
        expect![[r#"
            When networkMode=awsvpc, the host ports and container ports in port mappings must match.
            When networkMode=awsvpc, the host ports and container ports in port mappings must match.
            cannot specify both single port and port range
            Invalid setting for container 'a'. 'memory' must be greater than or equal to 'memoryReservation'.
            The 'memory' setting for container 'a' is greater than for the task.
            Invalid setting for container 'a'. Container memory must be at least 6 MB.
            The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value.
            Invalid setting for container 'a'. stopTimeout must be between 2 and 120, got 121.
            Invalid setting for container 'a'. stopTimeout must be between 2 and 120, got 1.
            Invalid setting for container 'a'. startTimeout must be between 2 and 120, got 121.
            Invalid setting for container 'a'. Health check command should not be null or empty.
            Invalid setting for container 'a'. Health check interval must be between 5 and 300, got 4.
            Invalid setting for container 'a'. Health check timeout must be between 2 and 60, got 61.
            Invalid setting for container 'a'. Health check retries must be between 1 and 10, got 0.
            Invalid setting for container 'a'. Health check startPeriod must be between 0 and 300, got 301.
            Invalid setting for container 'a'. restartAttemptPeriod must be between 60 and 1800, got 59.
            Invalid setting for container 'a'. Environment files must have the file extension .env: arn:aws:s3:::b/env.txt
            Fargate requires that the 'privileged' setting be 'false'.
            NET_ADMIN is not allowed on Fargate.
            Fargate compatible task definitions do not support sharedMemorySize
            Links are not supported on container when networkMode=awsvpc.
            DNS servers are not supported on container when networkMode=awsvpc.
            Fargate only supports the FireLens config-file-type 'file'."#]],
    );
}

#[test]
fn tasks_are_those_that_fargate_runs() {
    let ecr = json!([{ "name": "a", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1" }]);
    let two = json!([{ "name": "a", "image": "i", "cpu": 200 }, { "name": "b", "image": "i", "cpu": 100 }]);
    definitions(
        &[
            json!({ "executionRoleArn": "REPLACE_ME" }),
            json!({ "executionRoleArn": "" }),
            json!({ "taskRoleArn": "arn:aws:s3:::bucket" }),
            json!({ "executionRoleArn": null, "containerDefinitions": ecr }),
            json!({ "containerDefinitions": two }),
            json!({ "memory": "1536" }),
            json!({ "cpu": "32768", "memory": "65536" }),
            json!({ "placementConstraints": [{ "type": "memberOf", "expression": "x" }] }),
            json!({ "ipcMode": "task" }),
            json!({ "runtimePlatform": { "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" } }),
            json!({ "networkMode": "bridge", "requiresCompatibilities": ["EC2"], "cpu": null, "memory": null }),
        ],
        expect![[r#"
            Role is not valid
            Role is not valid
            Role is not valid
            Fargate requires task definition to have execution role ARN to support ECR images.
            The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value.
            No Fargate configuration exists for given values.
            No Fargate configuration exists for given values.
            Fargate compatible task definitions do not support constraints
            Fargate compatible task definitions do not support ipcMode
            No Fargate configuration exists for given values.
            Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' must be specified."#]],
    );
}

fn described(input: Json) -> Json {
    harness().call("ecs", "RegisterTaskDefinition", input).unwrap()["taskDefinition"].clone()
}

#[test]
fn what_is_left_out_is_filled_in_as_on_aws() {
    let view = described(definition(
        json!({}),
        json!({
            "healthCheck": { "command": ["CMD-SHELL", "exit 0"] },
            "linuxParameters": { "capabilities": { "drop": ["ALL"] } },
            "portMappings": [{ "containerPort": 80 }],
        }),
    ));
    let container = &view["containerDefinitions"][0];
    assert_eq!(
        container["healthCheck"],
        json!({ "command": ["CMD-SHELL", "exit 0"], "interval": 30, "timeout": 5, "retries": 3 })
    );
    assert_eq!(container["linuxParameters"]["capabilities"], json!({ "add": [], "drop": ["ALL"] }));
    assert_eq!(container["systemControls"], json!([]));
    assert_eq!(container["portMappings"][0]["hostPort"], 80);
    assert_eq!(view["compatibilities"], json!(["EC2", "FARGATE"]));
    let efs = json!({ "name": "e", "efsVolumeConfiguration": { "fileSystemId": "fs-1" } });
    let volumes = described(definition(json!({ "volumes": [{ "name": "v" }, efs] }), json!({})))["volumes"].clone();
    assert_eq!(volumes[0], json!({ "name": "v", "host": {} }));
    assert_eq!(volumes[1]["efsVolumeConfiguration"], json!({ "fileSystemId": "fs-1", "rootDirectory": "/" }));
    let bridge = described(definition(
        json!({ "networkMode": "bridge", "requiresCompatibilities": ["EC2"] }),
        json!({ "portMappings": [{ "containerPort": 80 }] }),
    ));
    assert_eq!(bridge["containerDefinitions"][0]["portMappings"][0]["hostPort"], 0);
    assert_eq!(bridge["compatibilities"], json!(["EXTERNAL", "EC2"]));
}

#[test]
fn attributes_say_what_a_task_needs() {
    let names = |input: Json| {
        let view = described(input);
        let names: Vec<_> = view["requiresAttributes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        names.join("\n")
    };
    assert_eq!(names(definition(json!({ "executionRoleArn": null }), json!({}))), "ecs.capability.task-eni");
    let mut all = logs(json!({ "awslogs-create-group": "true" }));
    all.as_object_mut().unwrap().extend([
        ("image".to_owned(), json!("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1")),
        ("memoryReservation".to_owned(), json!(64)),
        ("healthCheck".to_owned(), json!({ "command": ["CMD", "x"] })),
        ("secrets".to_owned(), json!([{ "name": "A", "valueFrom": "/a" }, { "name": "B", "valueFrom": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:b-AbCdEf" }])),
    ]);
    let input = definition(json!({ "taskRoleArn": ROLE, "ephemeralStorage": { "sizeInGiB": 30 } }), all);
    expect![[r#"
        com.amazonaws.ecs.capability.docker-remote-api.1.18
        com.amazonaws.ecs.capability.docker-remote-api.1.19
        com.amazonaws.ecs.capability.docker-remote-api.1.21
        com.amazonaws.ecs.capability.docker-remote-api.1.29
        com.amazonaws.ecs.capability.ecr-auth
        com.amazonaws.ecs.capability.logging-driver.awslogs
        com.amazonaws.ecs.capability.task-iam-role
        ecs.capability.container-health-check
        ecs.capability.execution-role-awslogs
        ecs.capability.execution-role-ecr-pull
        ecs.capability.extensible-ephemeral-storage
        ecs.capability.secrets.asm.environment-variables
        ecs.capability.secrets.ssm.environment-variables
        ecs.capability.task-eni"#]]
    .assert_eq(&names(input));
}

#[test]
fn what_cannot_be_run_here_is_said_when_it_is_registered() {
    let mut harness = harness();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let input = definition(
        json!({ "cpu": "1024", "memory": "2048", "volumes": [{ "name": "v" }], "runtimePlatform": { "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" } }),
        json!({
            "mountPoints": [{ "sourceVolume": "v", "containerPath": "/v" }], "restartPolicy": { "enabled": true },
            "environmentFiles": [{ "value": "arn:aws:s3:::b/a.env", "type": "s3" }],
            "logConfiguration": { "logDriver": "splunk" },
        }),
    );
    harness.call("ecs", "RegisterTaskDefinition", input).unwrap();
    let said = harness.notices.iter().filter(|it| it.kind == NoticeKind::NotSimulated);
    let said: Vec<_> = said.map(|it| format!("{}: {}", it.subject, it.text)).collect();
    expect![[r#"
        f runtimePlatform.operatingSystemFamily: recorded; tasks of this task definition cannot be run here: there are no Windows containers here, got `WINDOWS_SERVER_2022_CORE`
        f containerDefinitions[0].environmentFiles: recorded; tasks of this task definition cannot be run here: environment files are not read (container `a`)
        f containerDefinitions[0].mountPoints: recorded; tasks of this task definition cannot be run here: volumes are not mounted (container `a`)
        f containerDefinitions[0].restartPolicy: recorded; tasks of this task definition cannot be run here: containers are not restarted (container `a`)
        f containerDefinitions[0].logConfiguration.logDriver: recorded; tasks of this task definition cannot be run here: the log driver `splunk` is not run, only `awslogs` is (container `a`)"#]].assert_eq(&said.join("\n"));
    let run = json!({
        "taskDefinition": "f", "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
    });
    let fault = harness.call("ecs", "RunTask", run).unwrap_err();
    assert_eq!(fault.status, 501);
    expect!["NotImplemented: Neargate does not implement `runtimePlatform.operatingSystemFamily` of task definition `f`: there are no Windows containers here, got `WINDOWS_SERVER_2022_CORE`"].assert_eq(&fault.to_string());
}

#[test]
fn a_revision_is_deregistered_by_its_number_and_a_hundred_tasks_are_described() {
    let mut harness = harness();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    harness.call("ecs", "RegisterTaskDefinition", definition(json!({}), json!({}))).unwrap();
    let fault = harness.call("ecs", "DeregisterTaskDefinition", json!({ "taskDefinition": "f" })).unwrap_err();
    assert_eq!(fault.to_string(), "ClientException: Revision is missing.");
    harness.call("ecs", "DeregisterTaskDefinition", json!({ "taskDefinition": "f:1" })).unwrap();
    let tasks = |count: usize| json!({ "tasks": vec!["0".repeat(32); count] });
    assert_eq!(harness.call("ecs", "DescribeTasks", tasks(100)).unwrap()["failures"].as_array().unwrap().len(), 100);
    for count in [0, 101] {
        assert_eq!(harness.call("ecs", "DescribeTasks", tasks(count)).unwrap_err().code, "InvalidParameterException");
    }
}
