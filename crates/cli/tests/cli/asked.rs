//! How much a command asks of an engine: no more than its answer needs.

use neargate_testkit::needs::needs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use neargate_api::logs::SERVICE as LOGS;
use serde_json::{Value as Json, json};

use crate::client::call;
use crate::harness::fixture;
use crate::recorder::Recorder;
use crate::running::Running;

const PATIENCE: Duration = Duration::from_secs(60);

/// What was written so long before a read may still come.
const LATE_MS: i64 = 10_000;

#[needs(containers)]
fn a_log_that_is_followed_is_not_read_again() {
    let template = "Resources: {Logs: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: app}}}";
    let engine = Running::start(template, "template = \"task.yaml\"");
    let logs = |name: &str, input: Json| call(&engine.port, "us-east-1", &LOGS, name, input).unwrap();
    logs("CreateLogStream", json!({ "logGroupName": "app", "logStreamName": "one" }));
    let put = |text: &str| {
        let events = json!([{ "timestamp": neargate_engine::now().millis(), "message": text }]);
        logs("PutLogEvents", json!({ "logGroupName": "app", "logStreamName": "one", "logEvents": events }));
    };
    put("nothing of interest");
    let (recorder, started) = (Recorder::before(&engine.port), neargate_engine::now().millis());
    let arguments = ["logs", "tail", "--port", &recorder.port, "app", "--follow", "--filter", "ERROR"];
    let mut child = engine.place.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let (deadline, mut reads) = (Instant::now() + PATIENCE, vec![]);
    while reads.len() < 3 {
        assert!(Instant::now() < deadline, "{reads:?}");
        std::thread::sleep(Duration::from_millis(20));
        reads.extend(recorder.take().into_iter().filter(|(name, _)| name == "FilterLogEvents"));
    }
    // Whether a line matched or not, what has been read is behind.
    assert_eq!(reads[0].1["startTime"], Json::Null);
    for (_, read) in &reads[1..] {
        assert!(read["startTime"].as_i64().is_some_and(|from| from >= started - LATE_MS), "{read}");
    }
    put("ERROR of interest");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "         one │ ERROR of interest\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[needs(containers)]
fn a_task_is_looked_for_where_it_can_be() {
    // Without its image the task ends at once, on any machine.
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let config = "template = \"task.yaml\"\n[fixtures]\nssm.\"/neargate-test/image\" = \"test/missing:1\"\n";
    let engine = Running::start(&template, config);
    engine.run(&["run", "Task", "--wait"]);
    let tasks: Json = serde_json::from_str(&engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap();
    let arn = tasks[0]["task"].as_str().unwrap();
    let id = arn.rsplit('/').next().unwrap();
    let recorder = Recorder::before(&engine.port);
    let asked = |task: &str, expected: Expect| {
        let ran = engine.place.run(&["explain", "task", "--port", &recorder.port, task, "--format", "json"]);
        let names: Vec<_> = recorder.take().into_iter().map(|(name, _)| name).collect();
        let found = ran.stderr.lines().next().unwrap_or("found").replace(task, "…");
        expected.assert_eq(&format!("{}: {found}", names.join(", ")));
    };
    asked(arn, expect!["DescribeTasks, /_neargate/task: found"]);
    asked(id, expect!["ListClusters, DescribeTasks, /_neargate/task: found"]);
    asked(&id[..8], expect!["ListClusters, ListTasks, ListTasks, DescribeTasks, /_neargate/task: found"]);
    asked(&arn.replace("us-east-1", "us-east-2"), expect!["DescribeTasks: error[NG-E0211]: there is no task `…`"]);
    asked(&arn.replace(":task/", ":task/other-"), expect!["DescribeTasks: error[NG-E0211]: there is no task `…`"]);
    asked(
        "00000000000000000000000000000000",
        expect!["ListClusters, DescribeTasks: error[NG-E0211]: there is no task `…`"],
    );
    asked(
        "arn:aws:s3:::nothing",
        expect!["ListClusters, ListTasks, ListTasks, DescribeTasks: error[NG-E0211]: there is no task `…`"],
    );
}
