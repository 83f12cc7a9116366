//! An engine that runs beside a test.

use std::net::TcpListener;

use crate::harness::Place;

/// An engine for one test; whatever becomes of the test, it is purged.
pub(crate) struct Running {
    pub(crate) place: Place,
    pub(crate) port: String,
}

impl Running {
    /// An engine with this app's stack.
    pub(crate) fn start(template: &str, config: &str) -> Self {
        let place = Place::new();
        place.write("app/task.yaml", template);
        Self::start_in(place, config)
    }

    /// An engine with the app that is already in this place.
    pub(crate) fn start_in(place: Place, config: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        place.write("app/neargate.toml", config);
        let running = Self { place, port };
        running.ok(&["up", "app", "--detach"]);
        running
    }

    /// Runs a command that must end well; answers what it wrote to stdout.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    /// Runs a command on this engine: exit code, stdout, stderr.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
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
