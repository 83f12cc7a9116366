//! `neargate try`, with real containers.

use neargate_testkit::needs::needs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::harness::{GREETER, Place, Ran, fixture};
use crate::running::Running;

const EVENT: &str = r#"
[parameters]
Greeting = "hello"
[event]
source = "test.greeter"
detail-type = "Greet"
detail = { who = "world", code = "0" }
"#;

/// A place with the template, changed as the test wants it.
fn place(change: impl Fn(String) -> String) -> Place {
    let place = Place::new();
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    place.write("app/task.yaml", &change(template)).write("app/neargate.toml", &format!("{GREETER}{EVENT}"));
    place
}

/// Runs, and sees to it that nothing is left.
fn run(place: &Place, arguments: &[&str]) -> Ran {
    let ran = place.run(arguments);
    assert_eq!(place.left_over(), Vec::<String>::new(), "{}{}", ran.stdout, ran.stderr);
    ran
}

fn json(ran: &Ran) -> Json {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

#[needs(containers)]
fn an_event_becomes_a_container() {
    let ran = run(&place(|it| it), &["try", "app"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, "        main │ hello, world\n");
    assert!(ran.stderr.contains("passed 1 task, exit code 0"), "{}", ran.stderr);
}

#[needs(containers)]
fn lines_come_from_the_region_that_the_task_definition_names() {
    let elsewhere = |template: String| {
        let group = "awslogs-region: !Ref AWS::Region, awslogs-stream-prefix: greeter";
        let template = template
            .replace(group, "awslogs-region: eu-west-1, awslogs-create-group: 'true', awslogs-stream-prefix: greeter");
        template.replace(
            "'logs:PutLogEvents'], Resource: !GetAtt Logs.Arn",
            "'logs:PutLogEvents', 'logs:CreateLogGroup'], Resource: '*'",
        )
    };
    let ran = run(&place(elsewhere), &["try", "app"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "        main │ hello, world\n"), "{}", ran.stderr);
}

#[needs(containers)]
fn the_exit_code_is_the_container_s() {
    let place = place(|it| it);
    place.write("event.json", r#"{"source":"test.greeter","detail-type":"Greet","detail":{"who":"you","code":"42"}}"#);
    let ran = run(&place, &["try", "app", "--event", "event.json", "--format", "json"]);
    assert_eq!(ran.code, 42, "{}", ran.stderr);
    let document = json(&ran);
    assert_eq!(document["exit_code"], 42);
    assert_eq!(document["tasks"][0]["containers"][0]["exit_code"], 42);
    assert_eq!(document["tasks"][0]["log"][0]["message"], "hello, you");
}

#[needs(containers)]
fn schedules_fire_once_each() {
    let place = place(|it| format!("{it}{}", EVERY_MINUTE));
    let ran = run(&place, &["try", "app", "--fire", "all", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = json(&ran);
    let started: Vec<_> =
        document["tasks"].as_array().unwrap().iter().map(|task| task["started_by"].to_string()).collect();
    assert_eq!(started.len(), 2, "{started:?}");
    assert_eq!(document["tasks"][0]["log"][0]["message"], "hello, schedule");
}

const EVERY_MINUTE: &str = r"
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
fn a_denied_invocation_fails() {
    let place = place(|it| it.replace("Action: 'iam:PassRole'", "Action: 'iam:GetRole'"));
    let ran = run(&place, &["try", "app"]);
    assert_eq!(ran.code, 123);
    for part in ["NG-E0220", "no task was started", "FailedInvocations", "iam:PassRole", "hint: allow it in a policy"] {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
}

#[needs(containers)]
fn an_event_that_no_rule_takes_is_explained() {
    let place = place(|it| it);
    place.write("event.json", r#"{"source":"test.other","detail-type":"Greet"}"#);
    let ran = run(&place, &["try", "app", "--event", "event.json"]);
    assert_eq!(ran.code, 123);
    assert!(ran.stderr.contains(r#"source is "test.other", wanted ["test.greeter"]"#), "{}", ran.stderr);
}

#[needs(containers)]
fn each_event_that_no_rule_takes_is_named() {
    let place = place(|it| it);
    let event = |source: &str, code: &str| {
        format!(r#"{{"source":"{source}","detail-type":"Greet","detail":{{"who":"{source}","code":"{code}"}}}}"#)
    };
    let events = |all: &[String]| {
        place.write("event.json", &format!("[{}]", all.join(",")));
    };
    let check = |code: i32, stdout: &str, named: &[&str]| {
        let ran = run(&place, &["try", "app", "--event", "event.json"]);
        // Which of two tasks is seen first is not said.
        let mut lines: Vec<_> = ran.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!((ran.code, lines.join("\n").as_str()), (code, stdout.trim_end()), "{}", ran.stderr);
        let told: Vec<_> = ran.stderr.lines().filter(|line| line.contains("matched no rule")).collect();
        assert_eq!(told, named);
    };
    let hello = "        main │ hello, test.greeter\n";
    let [good, bad, other] = [event("test.greeter", "0"), event("test.other", "0"), event("test.third", "0")];
    let second = "error[NG-E0220]: event 2 of 2, `Greet` from `test.other` matched no rule";
    events(&[good.clone(), bad.clone()]);
    check(123, hello, &[second]);
    // Whatever the container came to.
    events(&[event("test.greeter", "42"), bad.clone()]);
    check(123, hello, &[second]);
    let all = ["1 of 2, `Greet` from `test.other`", "2 of 2, `Greet` from `test.third`"];
    let all = all.map(|which| format!("error[NG-E0220]: event {which} matched no rule"));
    events(&[bad, other]);
    check(123, "", &[&all[0], &all[1]]);
    events(&[good.clone(), good]);
    check(0, &format!("{hello}{}", hello.replace("  main", "main#2")), &[]);
}

/// An event of Amazon S3 as its documentation has it.
const OF_S3: &str = r#"{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created",
    "source":"aws.s3","account":"123456789012","time":"2021-11-12T00:00:00Z","region":"ca-central-1",
    "resources":["arn:aws:s3:::bucket"],"detail":{"version":"0","bucket":{"name":"bucket"},"object":{"key":"k","size":5}}}"#;

/// The template with a rule for such events.
fn for_s3(template: &str) -> String {
    template
        .replace("source: [test.greeter], detail-type: [Greet]", "source: [aws.s3], detail: {bucket: {name: [bucket]}}")
        .replace("who: $.detail.who, code: $.detail.code", "who: $.detail.object.key, code: $.detail.version")
}

#[needs(containers)]
fn events_of_services_can_be_tried() {
    let place = place(|it| for_s3(&it));
    place.write("event.json", OF_S3);
    let ran = run(&place, &["try", "app", "--event", "event.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "        main │ hello, k\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("account 000000000000 in the event `Object Created` from `aws.s3`, not 123456789012"));
    place.write("event.json", &OF_S3.replace("\"name\":\"bucket\"", "\"name\":\"other\""));
    let ran = run(&place, &["try", "app", "--event", "event.json"]);
    assert_eq!(ran.code, 123, "{}", ran.stderr);
    assert!(ran.stderr.contains("`Object Created` from `aws.s3` matched no rule"), "{}", ran.stderr);
    let event = "[parameters]\nGreeting = \"hello\"\n[event]\nsource = \"aws.s3\"\ndetail-type = \"Object Created\"\n\
                 detail = { version = \"0\", bucket = { name = \"bucket\" }, object = { key = \"toml\" } }\n";
    place.write("app/neargate.toml", &format!("{GREETER}{event}"));
    let ran = run(&place, &["try", "app"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "        main │ hello, toml\n"), "{}", ran.stderr);
}

#[needs(containers)]
fn events_of_services_can_be_put() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let engine = Running::start(&for_s3(&template), GREETER);
    // One of each kind, and their ids in order.
    let own = r#"{"source":"test.greeter","detail-type":"Greet"}"#;
    engine.place.write("events.json", &format!("[{own},{OF_S3},{own}]"));
    let ids = engine.ok(&["events", "put", "--event", "events.json"]);
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!((ids.len(), ids[1]), (3, "17793124-05d4-b198-2fde-7ededc63b103"));
    engine.ok(&["clock", "advance", "1s"]);
    let tasks: Json = serde_json::from_str(&engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap();
    assert_eq!(tasks.as_array().unwrap().len(), 1, "{tasks}");
    let task = tasks[0]["task"].as_str().unwrap();
    assert_eq!(engine.ok(&["task", "logs", task]), "        main │ nobody, k\n");
    let explained: Json = serde_json::from_str(&engine.ok(&["explain", "task", task, "--format", "json"])).unwrap();
    let given = &explained["overrides"]["containers"][0];
    assert_eq!(
        (&given["name"], &given["environment"]),
        (&"main".into(), &serde_json::json!({ "WHO": "k", "CODE": "0" }))
    );
}

#[needs(containers)]
fn events_and_schedules_fire_in_one_trial() {
    let place = place(|it| it);
    place.write("event.json", r#"{"source":"test.greeter","detail-type":"Greet","detail":{"who":"you","code":"0"}}"#);
    let ran = run(&place, &["try", "app", "--event", "event.json", "--fire", "Monthly"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, "        main │ hello, you\n      main#2 │ hello, schedule\n");
    let ran = run(&place, &["try", "app", "--event", "event.json", "--fire", "Weekly"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (125, ""), "{}", ran.stderr);
}

#[needs(containers)]
fn what_is_not_acted_on_is_one_line_where_all_went_well() {
    let place = place(|it| it);
    let told = |arguments: &[&str]| {
        let ran = run(&place, &[&["try", "app"], arguments].concat());
        let after = ran.stderr.split_once("not acted on ").map(|(_, rest)| rest.lines().count());
        (ran.code, after, ran.stderr.contains("`--verbose` lists them"), ran.stderr.contains("no packet is filtered"))
    };
    assert_eq!(told(&[]), (0, Some(2), true, false));
    let (code, lines, is_short, is_listed) = told(&["--verbose"]);
    assert!(code == 0 && lines > Some(2) && !is_short && is_listed);
    // Where something failed it may be why.
    place.write("event.json", r#"{"source":"test.greeter","detail-type":"Greet","detail":{"who":"you","code":"3"}}"#);
    let (code, lines, is_short, is_listed) = told(&["--event", "event.json"]);
    assert!(code == 3 && lines > Some(2) && !is_short && is_listed);
}

#[needs(containers)]
fn a_container_without_a_log_is_said_to_be_silent() {
    let place = place(|it| {
        let (before, after) = it.split_once("          LogConfiguration:").unwrap();
        let (_, after) = after.split_once("greeter}\n").unwrap();
        format!("{before}{after}")
    });
    let ran = run(&place, &["try", "app"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("not shown what container `main` prints"), "{}", ran.stderr);
}

#[needs(containers)]
fn a_disabled_schedule_is_named() {
    let place = place(|it| {
        it.replace(
            "ScheduleExpression: cron(0 4 1 * ? *)",
            "ScheduleExpression: cron(0 4 1 * ? *)\n      State: DISABLED",
        )
    });
    place.write("app/neargate.toml", GREETER);
    let ran = run(&place, &["try", "app"]);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no enabled rule has a schedule") && ran.stderr.contains("is disabled"),
        "{}",
        ran.stderr
    );
}

#[needs(containers)]
fn an_event_may_come_from_stdin() {
    let place = place(|it| it);
    let event = r#"{"source":"test.greeter","detail-type":"Greet","detail":{"who":"stdin","code":"0"}}"#;
    let ran = place.answer(&["try", "app", "--event", "-"], event.as_bytes());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "        main │ hello, stdin\n"), "{}", ran.stderr);
}

#[needs(containers)]
fn a_program_that_cannot_run_has_an_exit_code_of_its_own() {
    for (command, code) in
        [("[nothing]", 127), ("[/dev]", 126), ("[sh, -c, 'exit 125']", 125), ("[sh, -c, 'exit 1']", 1)]
    {
        let place = place(|it| it.replace(r#"[sh, -c, 'echo "$GREETING, $WHO"; exit $CODE']"#, command));
        let ran = run(&place, &["try", "app"]);
        assert_eq!(ran.code, code, "{command}: {}", ran.stderr);
    }
    let place = place(|it| it.replace("        - Name: main\n", "        - Name: main\n          User: nobody\n"));
    let ran = run(&place, &["try", "app"]);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    assert!(ran.stderr.contains("unable to find user nobody"), "{}", ran.stderr);
}

#[needs(containers)]
fn a_missing_image_is_told_with_the_way_out() {
    let place = place(|it| it);
    let without = GREETER.lines().filter(|line| !line.contains("host_programs")).collect::<Vec<_>>().join("\n");
    place.write("app/neargate.toml", &format!("{without}{EVENT}"));
    let ran = run(&place, &["try", "app"]);
    assert_eq!(ran.code, 125);
    for part in ["NG-P0203", "`Task` asks for the image `test/greeter:1`", "\"test/greeter:1\" = { build = \"DIR\" }"] {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
}

#[needs(containers)]
fn a_stack_that_fails_says_which_resource() {
    let place = place(|it| it.replace("10.7.1.0/24", "10.8.1.0/24"));
    let ran = run(&place, &["try", "app"]);
    assert_eq!(ran.code, 125);
    for part in ["NG-P0201", "`Subnet` (AWS::EC2::Subnet)", "ROLLBACK_COMPLETE"] {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
}

#[needs(containers)]
fn there_must_be_something_to_fire() {
    let place = place(|it| it);
    let ran = run(&place, &["try", "app/task.yaml", "--config", "app/neargate.toml", "--fire", "Weekly"]);
    assert_eq!(ran.code, 125);
    assert!(ran.stderr.contains("no enabled rule with a schedule is called `Weekly`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Monthly"), "{}", ran.stderr);
}

#[needs(containers)]
fn ctrl_c_takes_everything_down() {
    let place = place(|it| it.replace("exit $CODE'", "sleep 1000'"));
    let mut child = place.command(&["try", "app"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The line is there once the container runs.
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
    assert_eq!(line, "        main │ hello, world\n");
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let started = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Said before the container, which does not listen to its signal, has had its time.
    let stopping = stderr.find("stopping the engine and its tasks, which have 3 s").expect(&stderr);
    assert!(stopping < stderr.find("broken off by SIGINT").unwrap(), "{stderr}");
    assert!(stderr.contains("broken off by SIGINT; everything that was started has been taken down"), "{stderr}");
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(place.left_over(), Vec::<String>::new());
}
