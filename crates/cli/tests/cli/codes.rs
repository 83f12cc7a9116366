//! Exit codes of `run` and `try`: a container's own go through, and no failure of the tool's looks like one.

use neargate_testkit::needs::needs;

use crate::harness::{GREETER, Place, fixture};
use crate::running::Running;

#[needs(containers)]
fn whatever_try_fails_of_itself_is_no_code_of_a_container() {
    let place = Place::new();
    place.write("app/task.yaml", &std::fs::read_to_string(fixture("templates/task.yaml")).unwrap());
    place.write("app/neargate.toml", GREETER).write("event.json", "{").write("empty.yaml", "Resources: {}");
    place.write("broken.yaml", "Resources: [").write("bad/neargate.toml", "template = 1");
    for arguments in [
        // Of the command line.
        &["try", "--no-such-option"] as &[&str],
        &["--format", "json", "try", "app", "--timeout", "soon"],
        &["try", "app", "more"],
        &["try", "app", "--parameter", "Greeting"],
        // Of what it names.
        &["try", "nothing"],
        &["try", "bad"],
        &["try", "broken.yaml"],
        &["try", "app", "--event", "event.json"],
        &["try", "app", "--event", "nothing.json"],
        &["try", "app", "--stack", "NoSuchStack"],
        // Of what the engine would say to it.
        &["try", "app", "--fire", "NoSuchRule"],
        &["try", "empty.yaml"],
        // Of its time.
        &["try", "app", "--timeout", "0"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 125, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
    for arguments in [&["try", "--help"] as &[&str], &["--version"]] {
        assert_eq!(place.run(arguments).code, 0, "{arguments:?}");
    }
    // Elsewhere there is no container whose code could be meant.
    assert_eq!(place.run(&["up", "--no-such-option"]).code, 2);
    assert_eq!(place.run(&["no-such-command"]).code, 2);
}

#[needs(containers)]
fn whatever_run_fails_of_itself_is_no_code_of_a_container() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let engine = Running::start(&template, GREETER);
    for arguments in [
        &["run", "NoSuchTask", "--wait"] as &[&str],
        &["run", "greeter", "--env", "WITHOUT_VALUE"],
        &["run", "greeter", "--subnet", "subnet-00000000", "--wait"],
        &["run", "greeter", "--container", "none", "--env", "A=b", "--wait"],
        &["run", "greeter", "--no-such-option"],
        &["run"],
    ] {
        let (code, stdout, stderr) = engine.run(arguments);
        assert_eq!(code, 125, "{arguments:?}: {stdout}{stderr}");
    }
    assert_eq!(engine.place.run(&["run", "greeter", "--port", "1"]).code, 125);
    for code in ["1", "2", "123", "125", "255"] {
        let exit = format!("exit {code}");
        let (ended, _, stderr) = engine.run(&["run", "greeter", "--wait", "--command", "sh", "-c", &exit]);
        assert_eq!(ended.to_string(), code, "{stderr}");
    }
}
