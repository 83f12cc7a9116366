//! What the scheduled task's roles are needed for: without each permission in turn, the step that needs it fails.

use expect_test::expect;
use neargate_api::cloudformation::SERVICE as STACKS;
use neargate_api::iam::SERVICE as IAM;
use neargate_testkit::needs::needs;
use serde_json::{Value as Json, json};

use crate::client::{call, control};
use crate::running::Running;
use crate::seed::{config, template};

struct World {
    engine: Running,
    rule: String,
}

impl World {
    fn call(&self, service: &'static neargate_shape::ServiceShape, name: &str, input: Json) -> Json {
        call(&self.engine.port, "us-east-1", service, name, input).unwrap()
    }

    /// The physical name of the one resource whose logical id contains this.
    fn physical(&self, part: &str) -> String {
        let resources = self.call(&STACKS, "DescribeStackResources", json!({ "StackName": "task" }));
        let all = resources["StackResources"].as_array().unwrap().clone();
        let found = all.iter().find(|it| it["LogicalResourceId"].as_str().unwrap().contains(part)).unwrap();
        found["PhysicalResourceId"].as_str().unwrap().to_owned()
    }

    fn tasks(&self) -> Vec<Json> {
        serde_json::from_str(&self.engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap()
    }

    /// What the engine has said since a notice, and the number of the last.
    fn notices(&self, after: u64) -> (Vec<Json>, u64) {
        let said = control(&self.engine.port, &format!("notices?after={after}"))["notices"].as_array().unwrap().clone();
        let last = said.last().map_or(after, |notice| notice["number"].as_u64().unwrap());
        (said, last)
    }

    /// Fires the schedule, waits for what comes of it, and answers how that ended or what failed.
    fn fire(&self) -> String {
        let (before, heard) = (self.tasks().len(), self.notices(0).1);
        self.engine.run(&["schedule", "fire", &self.rule]);
        self.engine.run(&["clock", "advance", "1s"]);
        let tasks = self.tasks();
        let newest = tasks.last().filter(|_| tasks.len() > before);
        let reason = newest.map(|task| task["stopped_reason"].as_str().unwrap().to_owned());
        let failed = self.notices(heard).0.into_iter().find(|notice| notice["kind"] == "failed");
        let failed = failed.map(|notice| notice["text"].as_str().unwrap().to_owned());
        let text = match (newest.map(|task| task["stop_code"].as_str().unwrap()), failed) {
            (Some("TaskFailedToStart"), _) | (_, None) => reason.unwrap_or_default(),
            (_, Some(failed)) => failed,
        };
        alike(text)
    }
}

/// Names that are chance, made alike.
fn alike(mut text: String) -> String {
    let marks = [
        ("of rule `", "`", "RULE"),
        ("User: ", " is not", "ROLE"),
        ("on resource: ", " because", "RESOURCE"),
        ("fetch secret ", " from", "SECRET"),
        ("lines of task ", ":", "TASK"),
    ];
    for (begin, end, name) in marks {
        let Some(from) = text.find(begin).map(|at| at + begin.len()) else { continue };
        let to = from + text[from..].find(end).unwrap();
        text.replace_range(from..to, name);
    }
    text.split(" status code:").next().unwrap().trim().to_owned()
}

/// The document without one action, or one resource where a statement has several; and what was left out.
fn without_each(document: &Json) -> Vec<(String, Json)> {
    let mut all = vec![];
    let statements = document["Statement"].as_array().unwrap();
    for (at, statement) in statements.iter().enumerate() {
        let member = if statement["Resource"].is_array() { "Resource" } else { "Action" };
        let entries = statement[member].as_array().cloned().unwrap_or_else(|| vec![statement[member].clone()]);
        for entry in &entries {
            let mut less = document.clone();
            let rest: Vec<Json> = entries.iter().filter(|other| *other != entry).cloned().collect();
            if rest.is_empty() {
                less["Statement"].as_array_mut().unwrap().remove(at);
            } else {
                less["Statement"][at][member] = Json::Array(rest);
            }
            let what = if member == "Resource" { &statement["Action"] } else { entry };
            all.push((what.as_str().unwrap().to_owned(), less));
        }
    }
    all
}

#[needs(containers)]
fn without_a_permission_the_step_that_needs_it_fails() {
    let engine = Running::start(&template(), &config());
    let mut world = World { engine, rule: String::new() };
    world.rule = world.physical("ScheduledEventRule");
    let mut table = format!("with all: {}\n", world.fire());
    for (role, policy) in [("EventsRole", "EventsRoleDefaultPolicy"), ("ExecutionRole", "ExecutionRoleDefaultPolicy")] {
        let name = world.physical(&format!("TaskDef{role}"));
        let policies = world.call(&IAM, "ListRolePolicies", json!({ "RoleName": name }));
        let policy_name = policies["PolicyNames"][0].as_str().unwrap().to_owned();
        assert!(policy_name.contains(policy), "{policy_name}");
        let key = json!({ "RoleName": name, "PolicyName": policy_name });
        let document = world.call(&IAM, "GetRolePolicy", key.clone())["PolicyDocument"].as_str().unwrap().to_owned();
        let document = decoded(&document);
        let put = |document: &Json| {
            let mut input = key.clone();
            input["PolicyDocument"] = document.to_string().into();
            world.call(&IAM, "PutRolePolicy", input);
        };
        for (what, less) in without_each(&document) {
            put(&less);
            table.push_str(&format!("{role} without {what}: {}\n", world.fire()));
        }
        put(&document);
    }
    table.push_str(&format!("with all again: {}\n", world.fire()));
    expect![[r#"
        with all: Essential container in task exited
        EventsRole without ecs:RunTask: FailedInvocations of rule `RULE`, target `Target0`: AccessDeniedException: User: ROLE is not authorized to perform: ecs:RunTask on resource: RESOURCE because no identity-based policy allows the ecs:RunTask action
        EventsRole without ecs:TagResource: Essential container in task exited
        EventsRole without iam:PassRole: FailedInvocations of rule `RULE`, target `Target0`: AccessDeniedException: User: ROLE is not authorized to perform: iam:PassRole on resource: RESOURCE because no identity-based policy allows the iam:PassRole action
        EventsRole without iam:PassRole: FailedInvocations of rule `RULE`, target `Target0`: AccessDeniedException: User: ROLE is not authorized to perform: iam:PassRole on resource: RESOURCE because no identity-based policy allows the iam:PassRole action
        ExecutionRole without logs:CreateLogStream: ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, https response error StatusCode: 400, api error AccessDeniedException: User: ROLE is not authorized to perform: logs:CreateLogStream on resource: RESOURCE because no identity-based policy allows the logs:CreateLogStream action : exit status 1
        ExecutionRole without logs:PutLogEvents: lost 1 log lines of task TASK: AccessDeniedException: User: ROLE is not authorized to perform: logs:PutLogEvents on resource: RESOURCE because no identity-based policy allows the logs:PutLogEvents action
        ExecutionRole without secretsmanager:DescribeSecret: Essential container in task exited
        ExecutionRole without secretsmanager:GetSecretValue: ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret SECRET from secrets manager: AccessDeniedException: User: ROLE is not authorized to perform: secretsmanager:GetSecretValue on resource: RESOURCE because no identity-based policy allows the secretsmanager:GetSecretValue action
        with all again: Essential container in task exited
    "#]].assert_eq(&table);
}

/// IAM answers documents percent-encoded.
fn decoded(text: &str) -> Json {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let is_code = first == b'%' && after.len() >= 2;
        bytes.push(if is_code {
            u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap()
        } else {
            first
        });
        rest = if is_code { &after[2..] } else { after };
    }
    serde_json::from_slice(&bytes).unwrap()
}
