//! An engine that stays: `up`, and the commands that talk to it.

use std::net::TcpListener;

use crate::harness::{Place, can_run_containers, fixture};

const CONFIG: &str = r#"
template = "task.yaml"
[images]
"test/greeter:1" = { host_programs = ["sh"] }
[fixtures]
ssm."/neargate-test/image" = "test/greeter:1"
"#;

/// An engine for one test; whatever becomes of the test, it is purged.
struct Running {
    place: Place,
    port: String,
}

impl Running {
    fn start() -> Self {
        let place = Place::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
        place.write("app/task.yaml", &template).write("app/neargate.toml", CONFIG);
        let running = Self { place, port };
        running.ok(&["up", "app", "--detach"]);
        running
    }

    /// Runs a command that must end well; answers what it wrote to stdout.
    fn ok(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let (first, rest) = arguments.split_at(if matches!(arguments[0], "up" | "down" | "run") { 1 } else { 2 });
        let all: Vec<&str> = first.iter().copied().chain(["--port", &self.port]).chain(rest.iter().copied()).collect();
        let ran = self.place.run(&all);
        (ran.code, ran.stdout, ran.stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.place.run(&["down", "--purge", "--port", &self.port]);
    }
}

#[test]
fn an_engine_from_up_to_down() {
    if !can_run_containers() {
        return;
    }
    let engine = Running::start();
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
    assert_eq!(code, 2);
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

    // The clock: monthly fires on the way, once.
    engine.ok(&["clock", "set", "2030-01-31T00:00:00Z"]);
    assert!(engine.ok(&["clock", "advance", "2030-02-02T00:00:00Z"]).starts_with("2030-02-02T00:00:0"));
    let listed = engine.ok(&["task", "ls", "--all"]);
    assert!(listed.contains("exit code 0"), "{listed}");

    engine.ok(&["down"]);
    let (code, _, stderr) = engine.run(&["clock", "show"]);
    assert_eq!(code, 1, "{stderr}");
    engine.ok(&["down", "--purge"]);
    assert!(!engine.place.path("home/.local/share/neargate").exists());
}
