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
    /// Starts the oracle.
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/oracle.py");
        let python = python().unwrap();
        let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// One question, one answer.
    pub(crate) fn ask(&mut self, question: &Json) -> Json {
        writeln!(self.input, "{question}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer to {question}"))
    }
}

/// A Python that has the botocore of the models.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/oracles/botocore/bin/python3");
    let check = format!("import botocore; assert botocore.__version__ == '{VERSION}'");
    let usable = |python: &PathBuf| {
        let status = Command::new(python).args(["-c", &check]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    [own, PathBuf::from("python3")].into_iter().find(usable)
}

/// Why there is no oracle here.
pub(crate) fn missing() -> Option<String> {
    let how = "python3 -m venv target/oracles/botocore && target/oracles/botocore/bin/pip install";
    python().is_none().then(|| format!("botocore {VERSION} is not there; fix: {how} botocore=={VERSION}"))
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Ends by itself at the end of its input, and with this at the latest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
