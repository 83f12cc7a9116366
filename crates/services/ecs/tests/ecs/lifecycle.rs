//! A task's life, told by a driver that is the test itself.

use neargate_ecs::order::{News, Order};
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

pub(crate) fn harness() -> Harness {
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    harness
}

pub(crate) fn container(name: &str, more: Json) -> Json {
    let mut container = json!({ "name": name, "image": "app" });
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    container
}

pub(crate) fn register(harness: &mut Harness, containers: Json) {
    let input = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": containers,
    });
    harness.call("ecs", "RegisterTaskDefinition", input).unwrap();
}

pub(crate) fn run(harness: &mut Harness, more: Json) -> String {
    let mut input = json!({
        "taskDefinition": "app", "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let output = harness.call("ecs", "RunTask", input).unwrap();
    assert_eq!(output["tasks"][0]["lastStatus"], "PROVISIONING");
    output["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

pub(crate) fn describe(harness: &mut Harness, task: &str) -> Json {
    harness.call("ecs", "DescribeTasks", json!({ "tasks": [task] })).unwrap()["tasks"][0].clone()
}

pub(crate) fn orders(harness: &Harness) -> Vec<(String, Order)> {
    let order = |effect: &neargate_kernel::Effect| serde_json::from_value(effect.order.clone()).unwrap();
    harness.effects.iter().map(|effect| (effect.id.clone(), order(effect))).collect()
}

pub(crate) fn tell(harness: &mut Harness, effect: &str, news: News, finished: bool) {
    harness.report(effect, serde_json::to_value(news).unwrap(), finished);
}

pub(crate) fn started(name: &str) -> News {
    News::Started { container: name.to_owned(), pid: 42 }
}

pub(crate) fn exited(name: &str, exit_code: i32) -> News {
    News::Exited { container: name.to_owned(), exit_code, oom_killed: false }
}

#[test]
fn a_task_runs_exits_and_is_removed() {
    let mut harness = harness();
    register(
        &mut harness,
        json!([container("app", json!({ "command": ["a"], "environment": [{ "name": "X", "value": "1" }] }))]),
    );
    let overrides = json!({ "overrides": { "containerOverrides": [{ "name": "app", "command": ["b"], "environment": [{ "name": "X", "value": "2" }] }] } });
    let task = run(&mut harness, overrides);
    let (effect, order) = orders(&harness).remove(0);
    let Order::Run(order) = order else { panic!("{order:?}") };
    assert_eq!(order.containers[0].command.as_deref(), Some(&["b".to_owned()][..]));
    assert_eq!(order.containers[0].environment.last(), Some(&("X".to_owned(), "2".to_owned())));
    assert_eq!((order.cpu_units, order.memory_mib, order.ephemeral_gib), (256, 512, 20));

    tell(&mut harness, &effect, started("app"), false);
    assert_eq!(describe(&mut harness, &task)["lastStatus"], "RUNNING");
    let task_id = task.rsplit('/').next().unwrap();
    assert!(!neargate_ecs::is_over(harness.core().store(), &harness.scope, task_id));
    tell(&mut harness, &effect, exited("app", 3), false);
    let view = describe(&mut harness, &task);
    assert_eq!(
        (&view["lastStatus"], &view["stopCode"]),
        (&json!("DEPROVISIONING"), &json!("EssentialContainerExited"))
    );
    let (remove, order) = orders(&harness).pop().unwrap();
    assert!(matches!(order, Order::Remove { .. }), "{order:?}");
    // A driver that comes back after a restart must not start it again, and tells nothing new of what has ended.
    assert!(neargate_ecs::is_over(harness.core().store(), &harness.scope, task_id));
    tell(&mut harness, &effect, exited("app", 137), false);
    tell(&mut harness, &remove, News::Done, true);
    tell(&mut harness, &effect, News::Gone, true);
    let view = describe(&mut harness, &task);
    assert_eq!((&view["lastStatus"], &view["containers"][0]["exitCode"]), (&json!("STOPPED"), &json!(3)));
    assert_eq!(view["stoppedReason"], "Essential container in task exited");
    assert!(harness.unfinished().is_empty());
}

#[test]
fn an_essential_containers_exit_stops_the_others_in_reverse_of_their_dependencies() {
    let mut harness = harness();
    let app = json!({ "dependsOn": [{ "containerName": "db", "condition": "START" }] });
    register(
        &mut harness,
        json!([container("db", json!({})), container("app", app), container("side", json!({ "essential": false }))]),
    );
    let task = run(&mut harness, json!({}));
    let run_effect = orders(&harness)[0].0.clone();
    tell(&mut harness, &run_effect, started("side"), false);
    tell(&mut harness, &run_effect, started("db"), false);
    assert!(matches!(&orders(&harness).last().unwrap().1, Order::Start { container, .. } if container == "app"));
    tell(&mut harness, &run_effect, started("app"), false);
    assert_eq!(describe(&mut harness, &task)["lastStatus"], "RUNNING");

    harness.call("ecs", "StopTask", json!({ "task": task, "reason": "enough" })).unwrap();
    let stop = |harness: &Harness| match orders(harness).pop().unwrap().1 {
        Order::Stop { containers, .. } => containers,
        other => panic!("{other:?}"),
    };
    assert_eq!(stop(&harness), ["app", "side"]);
    tell(&mut harness, &run_effect, exited("side", 143), false);
    tell(&mut harness, &run_effect, exited("app", 143), false);
    assert_eq!(stop(&harness), ["db"]);
    tell(&mut harness, &run_effect, exited("db", 0), false);
    let view = describe(&mut harness, &task);
    assert_eq!((&view["stopCode"], &view["stoppedReason"]), (&json!("UserInitiated"), &json!("enough")));
}

#[test]
fn a_dependency_that_fails_ends_the_task_before_its_dependant_starts() {
    let mut harness = harness();
    let app = json!({ "dependsOn": [{ "containerName": "init", "condition": "SUCCESS" }] });
    register(&mut harness, json!([container("init", json!({ "essential": false })), container("app", app)]));
    let task = run(&mut harness, json!({}));
    let run_effect = orders(&harness)[0].0.clone();
    tell(&mut harness, &run_effect, started("init"), false);
    tell(&mut harness, &run_effect, exited("init", 1), false);
    let view = describe(&mut harness, &task);
    assert_eq!((&view["stopCode"], &view["lastStatus"]), (&json!("TaskFailedToStart"), &json!("DEPROVISIONING")));
    assert!(!orders(&harness).iter().any(|(_, order)| matches!(order, Order::Start { .. })));
}

#[test]
fn an_image_that_is_missing_ends_the_containers_beside_it_too() {
    let mut harness = harness();
    register(&mut harness, json!([container("app", json!({})), container("side", json!({ "essential": false }))]));
    let task = run(&mut harness, json!({}));
    let effect = orders(&harness)[0].0.clone();
    let news = News::CannotMake { container: "app".into(), reason: "not found".into(), hint: "build it".into() };
    tell(&mut harness, &effect, news, false);
    let (remove, order) = orders(&harness).pop().unwrap();
    assert!(matches!(order, Order::Remove { .. }), "{order:?}");
    tell(&mut harness, &remove, News::Done, true);
    tell(&mut harness, &effect, News::Gone, true);
    let view = describe(&mut harness, &task);
    assert_eq!((&view["lastStatus"], &view["containers"][1]["lastStatus"]), (&json!("STOPPED"), &json!("STOPPED")));
    assert!(harness.unfinished().is_empty());
}

#[test]
fn a_missing_image_is_said_in_awss_words_and_out_of_memory_too() {
    let mut harness = harness();
    register(&mut harness, json!([container("app", json!({}))]));
    let task = run(&mut harness, json!({}));
    let effect = orders(&harness)[0].0.clone();
    let reason = "CannotPullContainerError: not found".to_owned();
    tell(
        &mut harness,
        &effect,
        News::CannotMake { container: "app".into(), reason: reason.clone(), hint: "build it".into() },
        false,
    );
    let view = describe(&mut harness, &task);
    assert_eq!((&view["stoppedReason"], &view["stopCode"]), (&json!(reason), &json!("TaskFailedToStart")));
    assert!(harness.notices.iter().any(|notice| notice.hint.as_deref() == Some("build it")));

    let task = run(&mut harness, json!({}));
    let effect = orders(&harness).into_iter().rfind(|(_, order)| matches!(order, Order::Run(_))).unwrap().0;
    tell(&mut harness, &effect, started("app"), false);
    tell(&mut harness, &effect, News::Exited { container: "app".into(), exit_code: 137, oom_killed: true }, false);
    let container = &describe(&mut harness, &task)["containers"][0];
    assert_eq!(
        (&container["exitCode"], &container["reason"]),
        (&json!(137), &json!("OutOfMemoryError: Container killed due to memory usage"))
    );
}

#[test]
fn after_a_restart_the_orders_that_stand_are_given_again_and_output_is_not_logged_twice() {
    let mut harness = harness();
    register(&mut harness, json!([container("app", json!({}))]));
    let task = run(&mut harness, json!({}));
    let effect = orders(&harness)[0].0.clone();
    tell(&mut harness, &effect, started("app"), false);
    let output = News::Output { container: "app".into(), next_offset: 100 };
    tell(&mut harness, &effect, output, false);
    harness.restart().unwrap();
    assert_eq!(orders(&harness)[0].0, effect);
    let id = task.rsplit('/').next().unwrap();
    let logged = neargate_ecs::logged_output(harness.core().store(), &harness.scope, id);
    assert_eq!(logged.get("app"), Some(&100));
    assert_eq!(describe(&mut harness, &task)["lastStatus"], "RUNNING");
}

#[test]
fn the_same_request_under_the_same_token_starts_nothing_more() {
    let mut harness = harness();
    register(&mut harness, json!([container("app", json!({}))]));
    let ask = |harness: &mut Harness, count: i32| {
        let network = json!({ "awsvpcConfiguration": { "subnets": ["subnet-1"] } });
        let mut input = json!({ "taskDefinition": "app", "launchType": "FARGATE", "networkConfiguration": network });
        input
            .as_object_mut()
            .unwrap()
            .extend([("clientToken".to_owned(), json!("t")), ("count".to_owned(), json!(count))]);
        harness.call("ecs", "RunTask", input).map(|output| output["tasks"][0]["taskArn"].clone())
    };
    let first = ask(&mut harness, 1).unwrap();
    assert_eq!(ask(&mut harness, 1).unwrap(), first);
    assert_eq!(ask(&mut harness, 2).unwrap_err().code, "ConflictException");
    harness.pass(86_400_000);
    assert_ne!(ask(&mut harness, 1).unwrap(), first);
}

#[test]
fn a_task_without_a_log_stream_ends() {
    let mut harness = harness();
    let options = json!({ "awslogs-group": "nope", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "p" });
    let log = json!({ "logConfiguration": { "logDriver": "awslogs", "options": options } });
    let input = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::000000000000:role/x", "containerDefinitions": [container("app", log)],
    });
    harness.call("ecs", "RegisterTaskDefinition", input).unwrap();
    let task = run(&mut harness, json!({}));
    let view = describe(&mut harness, &task);
    assert_eq!((&view["lastStatus"], &view["stopCode"]), (&json!("STOPPED"), &json!("TaskFailedToStart")));
    assert!(harness.unfinished().is_empty());
}

#[test]
fn a_task_stopped_before_it_started_has_no_failure_of_a_container() {
    let mut harness = harness();
    register(&mut harness, json!([container("app", json!({}))]));
    let never = || News::NeverStarted { container: "app".into(), reason: "CannotStartContainerError: stopped".into() };
    let task = run(&mut harness, json!({}));
    let effect = orders(&harness)[0].0.clone();
    harness.call("ecs", "StopTask", json!({ "task": task, "reason": "enough" })).unwrap();
    tell(&mut harness, &effect, never(), false);
    let view = describe(&mut harness, &task);
    assert_eq!((&view["stopCode"], &view["stoppedReason"]), (&json!("UserInitiated"), &json!("enough")));
    let container = &view["containers"][0];
    assert_eq!(container["lastStatus"], "STOPPED");
    assert_eq!((container.get("reason"), container.get("exitCode")), (None, None), "{container}");
    // One that nobody had stopped did fail.
    let task = run(&mut harness, json!({}));
    let effect = orders(&harness).into_iter().rfind(|(_, order)| matches!(order, Order::Run(_))).unwrap().0;
    tell(&mut harness, &effect, never(), false);
    let view = describe(&mut harness, &task);
    assert_eq!(view["stopCode"], "TaskFailedToStart");
    assert_eq!(view["containers"][0]["reason"], "CannotStartContainerError: stopped");
}
