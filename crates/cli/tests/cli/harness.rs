//! Running the command and showing what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::Expect;
use tempfile::TempDir;

/// A place for a test: a home of its own, files, and a working directory.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_neargate"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("XDG_STATE_HOME", self.path("state"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(&mut self.command(arguments))
    }

    /// Runs with a text on stdin.
    pub(crate) fn answer(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        fs::write(self.path("stdin"), stdin).unwrap();
        self.ran(self.command(arguments).stdin(fs::File::open(self.path("stdin")).unwrap()))
    }

    fn ran(&self, command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        let shown = |bytes: &[u8]| self.redact(&String::from_utf8_lossy(bytes));
        Ran { code: output.status.code().unwrap_or(-1), stdout: shown(&output.stdout), stderr: shown(&output.stderr) }
    }

    /// Names that differ from run to run.
    pub(crate) fn redact(&self, text: &str) -> String {
        let text = text.replace(&self.dir.path().display().to_string(), "[PLACE]");
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Runs and compares with a snapshot.
    pub(crate) fn check(&self, arguments: &[&str], expected: Expect) {
        expected.assert_eq(&self.run(arguments).shown());
    }

    /// What lies in the place's directory for temporary files.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Ran {
    /// For a snapshot.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("exit {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                shown.push_str(&format!("--- {name}\n{stream}"));
            }
        }
        shown
    }
}

/// A file of the test's own folder.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(name)
}

/// The configuration with which `templates/task.yaml` runs: its image and the parameter that names it.
pub(crate) const GREETER: &str = r#"
template = "task.yaml"
[images]
"test/greeter:1" = { host_programs = ["sh", "sleep"] }
[fixtures]
ssm."/neargate-test/image" = "test/greeter:1"
"#;

/// Why this machine cannot run containers: the first thing that the doctor finds in the way.
pub(crate) fn missing_containers() -> Option<String> {
    let ran = Place::new().run(&["doctor"]);
    let obstacle = ran.stdout.lines().find_map(|line| line.strip_prefix("no ")).unwrap_or(&ran.stderr);
    (ran.code != 0).then(|| {
        let words: Vec<&str> = obstacle.split_whitespace().collect();
        format!("this machine cannot run containers, see `neargate doctor`: {}", words.join(" "))
    })
}
