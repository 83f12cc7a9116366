//! The scheduled example: a secret, a key, an encrypted log group, and what its user sees of a run.
//!
//! `templates/FargateTasks.template.json` is what `examples/fargate-tasks` writes; the test of the example compares the two.

use neargate_testkit::needs::needs;
use std::io::Write;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use neargate_api::secretsmanager::SERVICE as SECRETS;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::client::call;
use crate::harness::{GREETER, Place, fixture};
use crate::running::Running;

/// For containers to write a line.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn template() -> String {
    std::fs::read_to_string(fixture("templates/FargateTasks.template.json")).unwrap()
}

/// The template without the statement that our constructs add: as the CDK writes it.
fn template_of_cdk() -> String {
    let mut template: Json = serde_json::from_str(&template()).unwrap();
    for resource in template["Resources"].as_object_mut().unwrap().values_mut() {
        if resource["Type"] == "AWS::KMS::Key" {
            let statements = resource.pointer_mut("/Properties/KeyPolicy/Statement").unwrap().as_array_mut().unwrap();
            statements.retain(|statement| !statement["Principal"].to_string().contains("logs."));
            assert_eq!(statements.len(), 1);
        }
    }
    template.to_string()
}

/// The example's own configuration, with a template in place of the program that writes it.
pub(crate) fn config() -> String {
    let file = fixture("../../../../examples/fargate-tasks/neargate.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| if line.starts_with("app = ") { "template = \"task.yaml\"" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn sha256(text: &str) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// Ids, times and other chance of a run, made alike.
fn redacted(text: &str) -> String {
    let alike = |word: &str| {
        let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_hex = matches!(core.len(), 8 | 12 | 32 | 64) && core.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time =
            core.len() >= 12 && core.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '-' | 'T' | 'Z'));
        match core {
            _ if is_hex => word.replace(core, &format!("[{}]", core.len())),
            _ if is_time => word.replace(core, "[TIME]"),
            _ => match core.rsplit_once('-') {
                Some((name, end))
                    if end.len() >= 12 && end.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()) =>
                {
                    word.replace(core, &format!("{name}-[ID]"))
                }
                _ => word.to_owned(),
            },
        }
    };
    let line = |line: &str| line.split(' ').map(alike).collect::<Vec<_>>().join(" ");
    text.lines().map(|text| line(text) + "\n").collect()
}

fn check(shown: &str, expected: Expect) {
    expected.assert_eq(&redacted(shown));
}

#[needs(containers)]
fn a_run_from_schedule_to_log_line() {
    let engine = Running::start(&template(), &config());
    let secret =
        call(&engine.port, "us-east-1", &SECRETS, "GetSecretValue", json!({ "SecretId": "app/creds" })).unwrap();
    let secret: Json = serde_json::from_str(secret["SecretString"].as_str().unwrap()).unwrap();
    let hash = sha256(secret["apiKey"].as_str().unwrap());

    // Nothing yet.
    check(
        &shown(&engine, &["task", "ls"]),
        expect![[r#"
        exit 0
        --- stderr
             nothing no task runs; `--all` lists those that have stopped
    "#]],
    );
    check(
        &shown(&engine, &["logs", "tail", "FargateLog"]),
        expect![[r#"
        exit 0
        --- stderr
             nothing no line yet in `task-HashOfSecretFargateLogGroupE0AFF602-[ID]`
    "#]],
    );

    // The schedule's time comes; what happens on the way is said.
    engine.ok(&["clock", "set", "2030-01-31T00:30:30Z"]);
    check(
        &shown(&engine, &["schedule", "ls"]),
        expect![[r#"
            exit 0
            --- stdout
            NEXT                  IN          SCHEDULE             RULE
            [TIME]  5 h 29 min  cron(0 */6 * * ? *)  task-HashOfSecretScheduledFargateTaskScheduledEvent-[ID]
        "#]],
    );
    check(
        &shown(&engine, &["clock", "advance", "6h"]),
        expect![[r#"
        exit 0
        --- stdout
        [TIME]
        --- stderr
                rule `task-HashOfSecretScheduledFargateTaskScheduledEvent-[ID]` matched: target `Target0`
                task [8] of `FargateTasksHashOfSecretScheduledFargateTaskScheduledTaskDef49BF1ACD` starts
                task [8] stopped: Essential container in task exited (`MyContainer` exit code 0)
    "#]],
    );
    let lines = engine.ok(&["logs", "tail", "FargateLog"]);
    assert_eq!(lines, format!(" MyContainer │ {}\n", hash.trim_end()));

    // The record of the run.
    check(
        &shown(&engine, &["task", "ls", "--all"]),
        expect![[r#"
        exit 0
        --- stdout
        TASK      CREATED               STATUS   DEFINITION                                                              ENDING
        [8]  [TIME]  STOPPED  FargateTasksHashOfSecretScheduledFargateTaskScheduledTaskDef49BF1ACD:1  Essential container in task exited (MyContainer: exit code 0)
    "#]],
    );
    let tasks: Json = serde_json::from_str(&engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap();
    let id = tasks[0]["task"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    check(
        &shown(&engine, &["explain", "task", &id[..10]]),
        expect![[r#"
        exit 0
        --- stdout
        2030-01-31
          [TIME]  schedule    `cron(0 */6 * * ? *)` at [TIME]
          [TIME]  rule        `task-HashOfSecretScheduledFargateTaskScheduledEvent-[ID]`
          [TIME]  target      `Target0`, as role `task-HashOfSecretScheduledFargateTaskScheduledTaskD-[ID]`
          [TIME]  task        [32]
                        definition  `FargateTasksHashOfSecretScheduledFargateTaskScheduledTaskDef49BF1ACD:1`
                        cluster     `task-HashOfSecretFargateCluster5C246B0E-[ID]`
                        runs on     FARGATE, 256 CPU units, 512 MiB
          [TIME]  pulled      the images
          [TIME]  running
                        container   `MyContainer` from `amazonlinux:2`, exit code 0
          [TIME]  stopped     EssentialContainerExited: Essential container in task exited
    "#]],
    );
    let document: Json = serde_json::from_str(&engine.ok(&["explain", "task", &id, "--format", "json"])).unwrap();
    let kinds: Vec<_> = document["causes"].as_array().unwrap().iter().map(|link| link["kind"].clone()).collect();
    assert_eq!(kinds, ["schedule", "rule", "target"]);
    assert_eq!(document["causes"][0]["time"], "2030-01-31T06:00:00.000Z");
    assert_eq!(
        (&document["containers"][0]["exit_code"], &document["containers"][0]["out_of_memory"]),
        (&json!(0), &json!(false))
    );
    check(
        &shown(&engine, &["explain", "task", "nothing"]),
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0211]: there is no task `nothing`

        hint: see which there are with `neargate task ls --all`
    "#]],
    );
}

fn shown(engine: &Running, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = engine.run(arguments);
    let mut shown = format!("exit {code}\n");
    for (name, stream) in [("stdout", stdout), ("stderr", stderr)] {
        if !stream.is_empty() {
            shown.push_str(&format!("--- {name}\n{stream}"));
        }
    }
    shown
}

#[needs(containers)]
fn a_key_that_cloudwatch_logs_may_not_use() {
    let place = Place::new();
    place.write("app/task.yaml", &template_of_cdk()).write("app/neargate.toml", &config());
    let ran = place.run(&["try", "app"]);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    for part in ["(AWS::Logs::LogGroup)", "is not allowed to be used with Arn", "ROLLBACK_COMPLETE", "--fix-log-key"] {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
    let ran = place.run(&["try", "app", "--fix-log-key"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mended: String = ran.stderr.lines().filter(|line| line.contains("mended")).collect();
    expect!["mended the policy of `FargateTasks/HashOfSecret/FargateKey` lets CloudWatch Logs use the key, in this engine only"].assert_eq(mended.trim());
    // Without an event, the schedule fires; its time is said.
    let clock: String = ran.stderr.lines().filter(|line| line.contains("clock")).collect();
    check(
        clock.trim(),
        expect![[r#"
            clock [TIME]  cron(0 */6 * * ? *) of rule `task-HashOfSecretScheduledFargateTaskScheduledEvent-[ID]`
        "#]],
    );
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
}

/// A container that takes its time, by a rule that fires every minute.
const SLOW: &str = r"
  EveryMinute:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 minute)
      Targets:
        - Id: Task
          Arn: !GetAtt Cluster.Arn
          RoleArn: !GetAtt EventsRole.Arn
          Input: '{}'
          EcsParameters:
            TaskDefinitionArn: !Ref Task
            LaunchType: FARGATE
            NetworkConfiguration: {AwsVpcConfiguration: {Subnets: [!Ref Subnet]}}
";

#[needs(containers)]
fn the_clock_waits_for_tasks_or_not() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let template = template.replace("exit $CODE'", "trap \"exit 0\" TERM; sleep 600 & wait'") + SLOW;
    let engine = Running::start(&template, GREETER);
    // It would wait ten minutes for the first task; it does not, and both have been started.
    engine.ok(&["clock", "advance", "2m", "--no-wait"]);
    let tasks: Json = serde_json::from_str(&engine.ok(&["task", "ls", "--format", "json"])).unwrap();
    assert_eq!(tasks.as_array().unwrap().len(), 2, "{tasks}");
    let deadline = Instant::now() + PATIENCE;
    let heads = loop {
        let lines = engine.ok(&["logs", "tail", "Logs"]);
        if lines.lines().count() == 2 {
            break lines;
        }
        assert!(Instant::now() < deadline, "{lines}");
        std::thread::sleep(Duration::from_millis(50));
    };
    check(
        &heads,
        expect![[r#"
        main [8] │ nobody, schedule
        main [8] │ nobody, schedule
    "#]],
    );
    // As data a line says everything; a stream's prefix leaves one of them.
    let stream = tasks[1]["task"].as_str().unwrap().rsplit('/').next().unwrap();
    let line = engine.ok(&["logs", "tail", "Logs", "--format", "json", "--stream", &format!("greeter/main/{stream}")]);
    let line: Json = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["container"], &line["task"], &line["message"]),
        (&json!("main"), &json!(stream), &json!("nobody, schedule"))
    );
    check(
        &engine.ok(&["logs", "tail", "Logs", "--time", "--filter", "schedule", "--since", "1h"]),
        expect![[r#"
        [TIME] main [8] │ nobody, schedule
        [TIME] main [8] │ nobody, schedule
    "#]],
    );
    check(
        &shown(&engine, &["logs", "tail", "Logs", "--filter", "nothing of the kind"]),
        expect![[r#"
        exit 0
        --- stderr
             nothing no such line in `task-Logs-[ID]`
    "#]],
    );
    check(
        &shown(&engine, &["logs", "tail", "Logs", "--filter", "{"]),
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: `{` is no filter pattern: Invalid filter pattern: If a filter pattern starts with '{' it must end with '}'

        hint: a pattern for JSON lines is such as `{ $.level = "error" }`
    "#]],
    );
    check(
        &shown(&engine, &["logs", "tail", "Logs", "--since", "yesterday"]),
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0209]: `yesterday` is no time: expected RFC 3339 such as `[TIME]`

        hint: write an age such as `10m`, or a time such as `[TIME]`
    "#]],
    );
    check(
        &shown(&engine, &["logs", "tail", "Logz"]),
        expect![[r#"
        exit 2
        --- stderr
        error[NG-E0211]: there is no log group `Logz`

        hint: there are `task-Logs-[ID]`
    "#]],
    );
    // With waiting it says for whom, and that the clock turns on when nobody looks on any more.
    let mut command = engine.place.command(&["clock", "advance", "1m", "--port", &engine.port]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("waiting for task ") {
        line.clear();
        assert!(talk.read_line(&mut line).unwrap() > 0);
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let mut rest = String::new();
    talk.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.contains("the clock turns on"), "{rest}");
}

/// How the explanation of a task begins that an event started.
const FROM_EVENT_TO_TASK: &str = "\
[DAY]
  [TIME]  request     events:PutEvents
  [TIME]  event       `Greet` from `test.greeter`
  [TIME]  rule        `task-Rule-[ID]`
  [TIME]  target      `Task`, as role `task-EventsRole-[ID]`
  [TIME]  task        [32]
";

#[needs(containers)]
fn from_an_event_to_two_containers_and_to_an_image_that_is_not_there() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let side = "        - {Name: side, Image: !Ref Image, Essential: false, Command: [sh, -c, 'exit 4']}\n  Rule:";
    // One after the other, so that both ends are known.
    let after = "        - Name: main\n          DependsOn: [{ContainerName: side, Condition: COMPLETE}]\n";
    let template = template.replace("        - Name: main\n", after).replace("  Rule:", side);
    let engine = Running::start(&template, GREETER);
    let put = |code: &str| {
        let detail = json!({ "who": "you", "code": code }).to_string();
        engine.ok(&["events", "put", "--source", "test.greeter", "--detail-type", "Greet", "--detail", &detail]);
        engine.ok(&["clock", "advance", "1s"]);
        let tasks: Json = serde_json::from_str(&engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap();
        let task = tasks.as_array().unwrap().last().unwrap()["task"].as_str().unwrap().to_owned();
        engine.ok(&["explain", "task", &task])
    };
    let without_ids =
        |text: &str| text.lines().map(|it| it.split(", id ").next().unwrap().to_owned() + "\n").collect::<String>();
    // The ids of event and request are chance.
    let explained = |code: &str, expected: Expect| {
        let text = redacted(&without_ids(&undated(&put(code))));
        let rest = text.strip_prefix(FROM_EVENT_TO_TASK).unwrap_or_else(|| panic!("another beginning: {text}"));
        expected.assert_eq(&format!("…\n{rest}"));
    };
    // A container that is not essential does not end the task.
    explained(
        "3",
        expect![[r#"
            …
                            definition  `greeter:1`
                            cluster     `task-Cluster-[ID]`
                            runs on     FARGATE, 256 CPU units, 512 MiB
                            given       `main`: WHO=you, CODE=3
              [TIME]  pulled      the images
              [TIME]  running
                            container   `main` from `test/greeter:1`, exit code 3
                            container   `side` from `test/greeter:1`, exit code 4
              [TIME]  stopped     EssentialContainerExited: Essential container in task exited
        "#]],
    );
    engine.place.write(
        "app/neargate.toml",
        &GREETER.replace("] = \"test/greeter:1\"", "").replace("\"test/greeter:1\"\n", "\"test/missing:1\"\n"),
    );
    engine.ok(&["up", "app"]);
    explained(
        "0",
        expect![[r#"
            …
                            definition  `greeter:2`
                            cluster     `task-Cluster-[ID]`
                            runs on     FARGATE, 256 CPU units, 512 MiB
                            given       `main`: WHO=you, CODE=0
                            container   `main` from `test/missing:1`, stopped
                            container   `side` from `test/missing:1`, stopped
              [TIME]  stopped     TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/test/missing:1: docker.io/test/missing:1: not found
        "#]],
    );
}

/// With `[DAY]` for today; a run may see midnight.
fn undated(text: &str) -> String {
    let is_day = |line: &str| line.len() == 10 && line.chars().all(|c| c.is_ascii_digit() || c == '-');
    let lines = text.lines().filter(|line| !is_day(line)).map(|line| format!("{line}\n"));
    std::iter::once("[DAY]\n".to_owned()).chain(lines).collect()
}
