//! The other end of `oracle.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value as Json;

/// The botocore whose models the shapes come from.
const VERSION: &str = "1.44.5";

pub(crate) struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the oracle. Where there is no botocore, says so on one line; with `NEARGATE_REQUIRE_ORACLES=1` that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = here.join("../../target/oracles/botocore/bin/python3");
        let check = format!("import botocore; assert botocore.__version__ == '{VERSION}'");
        let usable = |python: &PathBuf| {
            let status = Command::new(python).args(["-c", &check]).stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        let Some(python) = [own, PathBuf::from("python3")].into_iter().find(usable) else {
            let how = "python3 -m venv target/oracles/botocore && target/oracles/botocore/bin/pip install";
            let message = format!("no oracle: botocore {VERSION} is not there; fix: {how} botocore=={VERSION}");
            assert_ne!(std::env::var("NEARGATE_REQUIRE_ORACLES").as_deref(), Ok("1"), "{message}");
            println!("{message}");
            return None;
        };
        let script = here.join("tests/wire/oracle.py");
        let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Self { child, input, output })
    }

    /// One question, one answer.
    pub(crate) fn ask(&mut self, question: &Json) -> Json {
        writeln!(self.input, "{question}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer to {question}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Ends by itself at the end of its input, and with this at the latest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
