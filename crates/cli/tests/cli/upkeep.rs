//! An engine that stays: `up`, and the commands that talk to it.

use crate::harness::{GREETER, fixture};
use crate::running::Running;
use neargate_testkit::needs::needs;

#[needs(containers)]
fn an_engine_from_up_to_down() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let engine = Running::start(&template, GREETER);
    // Again: the engine runs already, and there is nothing to change.
    let (code, stdout, stderr) = engine.run(&["up", "app"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("runs already") && stderr.contains("unchanged"), "{stderr}");
    assert!(stdout.contains(&format!("AWS_ENDPOINT_URL=http://127.0.0.1:{}", engine.port)), "{stdout}");

    // A task by its logical id, with variables and another command; its code is the command's.
    let (code, stdout, _) =
        engine.run(&["run", "Task", "--wait", "--env", "WHO=run", "--command", "sh", "-c", "echo $WHO; exit 9"]);
    assert_eq!((code, stdout.as_str()), (9, "        main │ run\n"));
    let (code, _, stderr) = engine.run(&["run", "Tisk"]);
    assert_eq!(code, 125);
    assert!(stderr.contains("there are `Task`"), "{stderr}");

    // A task by an event: the schedule's default until the rule says who.
    engine.ok(&[
        "events",
        "put",
        "--source",
        "test.greeter",
        "--detail-type",
        "Greet",
        "--detail",
        r#"{"who":"event","code":"0"}"#,
    ]);
    engine.ok(&["clock", "advance", "1s"]);
    let tasks: serde_json::Value =
        serde_json::from_str(&engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap();
    let event =
        tasks.as_array().unwrap().iter().find(|task| task["started_by"].to_string().contains("events-rule")).unwrap();
    let id = event["task"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(engine.ok(&["task", "logs", &id[..12], "--follow"]), "        main │ nobody, event\n");

    // A task by hand, long before its month begins.
    let (code, _, stderr) = engine.run(&["schedule", "fire", "Monthly"]);
    assert!(code == 0 && stderr.contains("fired") && stderr.contains("target `Task`"), "{stderr}");
    engine.ok(&["clock", "advance", "1s"]);
    let fired: serde_json::Value =
        serde_json::from_str(&engine.ok(&["task", "ls", "--all", "--format", "json"])).unwrap();
    assert_eq!(fired.as_array().unwrap().len(), tasks.as_array().unwrap().len() + 1);

    // The clock: monthly fires on the way, once.
    engine.ok(&["clock", "set", "2030-01-31T00:00:00Z"]);
    let arrived = engine.ok(&["clock", "advance", "2030-02-02T00:00:00Z"]);
    assert!(arrived.starts_with("2030-02-02T00:00:0"), "{arrived}");
    let listed = engine.ok(&["task", "ls", "--all"]);
    assert!(listed.contains("exit code 0"), "{listed}");

    engine.ok(&["down"]);
    let (code, _, stderr) = engine.run(&["clock", "show"]);
    assert_eq!(code, 1, "{stderr}");
    engine.ok(&["down", "--purge"]);
    assert!(!engine.place.path("home/.local/share/neargate").exists());
}
