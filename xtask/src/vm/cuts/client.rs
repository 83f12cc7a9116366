//! The client in the guest: tells what a newly started engine holds, then calls it until the power is cut.
//!
//! Each line that it prints is one fact; the drill outside reads them (`knowledge`). `try` comes before a call is sent, `ack` when
//! it was answered.
//!
//! Invariant: a call that was not answered is never sent again.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::bench::client::Client;

/// What a task's only process is called, its marker behind it.
const COMMAND: [&str; 3] = ["sh", "-c", "echo ran $0; sleep 1"];
/// The stack of each boot that stays.
const KEPT_STACK: u32 = 2;
/// Parameters that are written again and again.
const PARAMETERS: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(120);
const EVENT_PAUSE: Duration = Duration::from_millis(700);
const WATCH_PAUSE: Duration = Duration::from_millis(40);
const POLL_PAUSE: Duration = Duration::from_millis(200);

/// Runs in the guest: `<port> <boot>`, and `last` where nothing is to be called any more.
pub(in crate::vm) fn run_client(args: &[&str]) -> Result<(), String> {
    let (port, boot, is_last) = match args {
        [port, boot] => (port, *boot, false),
        [port, boot, "last"] => (port, *boot, true),
        _ => return Err("usage: cargo xtask vm client PORT BOOT [last]".to_owned()),
    };
    let port = port.parse().map_err(|_| format!("expected a port, got `{port}`"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let connect = || Client::connect(address).map_err(|error| error.to_string());
    // From the start: what was begun before the cut may run now.
    std::thread::spawn(watch);
    let values = tell(&mut connect()?)?;
    tell_line("dumped");
    if is_last {
        return Ok(());
    }
    let (mut parameters, mut logs, mut events, mut stacks) = (connect()?, connect()?, connect()?, connect()?);
    std::thread::scope(|scope| {
        let callers = [
            scope.spawn(move || put_parameters(&mut parameters, values)),
            scope.spawn(move || put_log_events(&mut logs, boot)),
            scope.spawn(move || put_events(&mut events, boot)),
            scope.spawn(move || change_stacks(&mut stacks, boot)),
        ];
        callers.into_iter().try_for_each(|it| it.join().map_err(|_| "a caller ended".to_owned()).flatten())
    })
}

/// One write, so that lines stay whole.
fn tell_line(line: &str) {
    // Where the console is gone the power is.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

fn tried<T>(what: &str, call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    tell_line(&format!("try {what}"));
    let answer = call().map_err(|error| format!("{what}: {error}"))?;
    tell_line(&format!("ack {what}"));
    Ok(answer)
}

fn put_parameters(client: &mut Client, mut values: Vec<u64>) -> Result<(), String> {
    loop {
        for (number, value) in values.iter_mut().enumerate() {
            *value += 1;
            let input = json!({ "Name": format!("/drill/{number}"), "Value": value.to_string(), "Type": "String", "Overwrite": true });
            tried(&format!("parameter /drill/{number} {value}"), || {
                client.call("ssm", "AmazonSSM.PutParameter", &input)
            })?;
        }
    }
}

fn put_log_events(client: &mut Client, boot: &str) -> Result<(), String> {
    let stream = json!({ "logGroupName": "drill", "logStreamName": boot });
    client
        .send(&client.json("logs", "Logs_20140328.CreateLogStream", &stream))
        .map_err(|error| format!("stream: {error}"))?;
    for number in 0.. {
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
        let event = json!({ "timestamp": u64::try_from(at).unwrap_or(0), "message": format!("{boot}-{number}") });
        let input = json!({ "logGroupName": "drill", "logStreamName": boot, "logEvents": [event] });
        tried(&format!("log {boot}-{number}"), || client.call("logs", "Logs_20140328.PutLogEvents", &input))?;
    }
    Ok(())
}

fn put_events(client: &mut Client, boot: &str) -> Result<(), String> {
    for number in 0.. {
        let detail = json!({ "marker": format!("{boot}-{number}") }).to_string();
        let input = json!({ "Entries": [{ "Source": "drill", "DetailType": "drill", "Detail": detail }] });
        let answer = tried(&format!("event {boot}-{number}"), || client.call("events", "AWSEvents.PutEvents", &input))?;
        if answer.get("FailedEntryCount").and_then(Json::as_u64).unwrap_or(0) != 0 {
            return Err(answer.to_string());
        }
        std::thread::sleep(EVENT_PAUSE);
    }
    Ok(())
}

/// All stacks but one are deleted again.
fn change_stacks(client: &mut Client, boot: &str) -> Result<(), String> {
    for number in 0.. {
        let name = format!("stack-{boot}-{number}");
        let template = json!({ "Resources": {
            "Value": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": format!("/stacks/{name}"), "Type": "String", "Value": "1" } },
            "Logs": { "Type": "AWS::Logs::LogGroup", "DependsOn": "Value", "Properties": { "LogGroupName": format!("stacks/{name}") } },
        }});
        let template = template.to_string();
        tried(&format!("create {name}"), || {
            stack_call(client, "CreateStack", &[("StackName", &name), ("TemplateBody", &template)])
        })?;
        wait_for(&name, || Ok(stacks(client)?.contains(&(name.clone(), "CREATE_COMPLETE".to_owned()))))?;
        tell_line(&format!("ack created {name}"));
        if number != KEPT_STACK {
            tried(&format!("delete {name}"), || stack_call(client, "DeleteStack", &[("StackName", &name)]))?;
            wait_for(&name, || Ok(!stacks(client)?.iter().any(|stack| stack.0 == name)))?;
            tell_line(&format!("ack deleted {name}"));
        }
    }
    Ok(())
}

fn stack_call(client: &mut Client, action: &str, pairs: &[(&str, &str)]) -> Result<String, String> {
    let all = [&[("Action", action), ("Version", "2010-05-15")], pairs].concat();
    let request = client.query("cloudformation", &all);
    client.send(&request).map(|answer| String::from_utf8_lossy(&answer).into_owned())
}

/// Every stack's name and status.
fn stacks(client: &mut Client) -> Result<Vec<(String, String)>, String> {
    let field = |text: &str, name: &str| -> Option<String> {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    let (mut all, mut token) = (vec![], None::<String>);
    loop {
        let page: Vec<(&str, &str)> = token.iter().map(|token| ("NextToken", token.as_str())).collect();
        let answer = stack_call(client, "DescribeStacks", &page)?;
        // Members of lists inside a stack have neither of the two.
        let members = answer.split("<member>");
        all.extend(members.filter_map(|member| Some((field(member, "StackName")?, field(member, "StackStatus")?))));
        token = field(&answer, "NextToken");
        if token.is_none() {
            return Ok(all);
        }
    }
}

fn wait_for(what: &str, mut look: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !look()? {
        if Instant::now() > deadline {
            return Err(format!("waited too long for {what}"));
        }
        std::thread::sleep(POLL_PAUSE);
    }
    Ok(())
}

/// Waits until what was going on has ended, then tells all there is; answers the parameters' values.
fn tell(client: &mut Client) -> Result<Vec<u64>, String> {
    wait_for("tasks to end", || Ok(tasks(client)?.iter().all(|task| text(task, "lastStatus") == "STOPPED")))?;
    wait_for("stacks to settle", || Ok(!stacks(client)?.iter().any(|stack| stack.1.ends_with("IN_PROGRESS"))))?;
    let names: Vec<String> = (0..PARAMETERS).map(|number| format!("/drill/{number}")).collect();
    let found = client.call("ssm", "AmazonSSM.GetParameters", &json!({ "Names": names }))?;
    let found = listed(&found, "Parameters");
    let mut values = vec![];
    for name in &names {
        let value = found.iter().find(|it| text(it, "Name") == name).and_then(|it| text(it, "Value").parse().ok());
        tell_line(&format!("have parameter {name} {}", value.unwrap_or(0)));
        values.push(value.unwrap_or(0));
    }
    for (group, kind) in [("drill", "log"), ("marks", "mark")] {
        let pages =
            paged(client, "logs", "Logs_20140328.FilterLogEvents", &json!({ "logGroupName": group }), "events")?;
        for event in pages {
            tell_line(&format!("have {kind} {}", text(&event, "message")));
        }
    }
    for task in tasks(client)? {
        let words = listed(task.pointer("/overrides/containerOverrides/0").unwrap_or(&Json::Null), "command");
        let marker = words.last().and_then(|word| word.as_str()).unwrap_or("none").to_owned();
        tell_line(&format!("have task {marker} {}", text(&task, "stopCode")));
    }
    for (name, status) in stacks(client)? {
        tell_line(&format!("have stack {name} {status}"));
    }
    for value in paged(client, "ssm", "AmazonSSM.GetParametersByPath", &json!({ "Path": "/stacks" }), "Parameters")? {
        tell_line(&format!("have value {}", last_part(text(&value, "Name"))));
    }
    let input = json!({ "logGroupNamePrefix": "stacks/" });
    for group in paged(client, "logs", "Logs_20140328.DescribeLogGroups", &input, "logGroups")? {
        tell_line(&format!("have group {}", last_part(text(&group, "logGroupName"))));
    }
    Ok(values)
}

/// A member's text, or `none`.
fn text<'a>(value: &'a Json, member: &str) -> &'a str {
    value.get(member).and_then(Json::as_str).unwrap_or("none")
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

fn listed(value: &Json, member: &str) -> Vec<Json> {
    value.get(member).and_then(Json::as_array).cloned().unwrap_or_default()
}

/// All pages of a list.
fn paged(client: &mut Client, service: &str, target: &str, input: &Json, member: &str) -> Result<Vec<Json>, String> {
    let token = if service == "ssm" { "NextToken" } else { "nextToken" };
    let (mut input, mut all) = (input.clone(), vec![]);
    loop {
        let answer = client.call(service, target, &input)?;
        all.extend(listed(&answer, member));
        match answer.get(token).filter(|token| token.is_string()) {
            Some(next) => {
                input.as_object_mut().map(|input| input.insert(token.to_owned(), next.clone()));
            }
            None => return Ok(all),
        }
    }
}

/// Every task of the cluster, those that have stopped too.
fn tasks(client: &mut Client) -> Result<Vec<Json>, String> {
    let target = |name: &str| format!("AmazonEC2ContainerServiceV20141113.{name}");
    let mut all = vec![];
    for status in ["RUNNING", "STOPPED"] {
        let input = json!({ "cluster": "drill", "desiredStatus": status });
        let arns = paged(client, "ecs", &target("ListTasks"), &input, "taskArns")?;
        for some in arns.chunks(100) {
            let described =
                client.call("ecs", &target("DescribeTasks"), &json!({ "cluster": "drill", "tasks": some }))?;
            all.extend(listed(&described, "tasks"));
        }
    }
    Ok(all)
}

/// Tells of every task's process that is seen, whatever the engine says of it.
fn watch() {
    let mut seen = BTreeSet::new();
    let words = |process: &str| -> Vec<String> {
        let line = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.split_terminator('\0').map(str::to_owned).collect()
    };
    loop {
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(process) = entry.file_name().into_string() else { continue };
            let command = words(&process);
            let [one, two, three, marker] = command.as_slice() else { continue };
            if [one, two, three] != COMMAND || seen.contains(&process) {
                continue;
            }
            // A shell that is about to run another program looks like itself.
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map_or("", str::trim);
            if words(parent) != command && !status.is_empty() {
                tell_line(&format!("run {marker} {process}"));
                seen.insert(process);
            }
        }
        std::thread::sleep(WATCH_PAUSE);
    }
}
