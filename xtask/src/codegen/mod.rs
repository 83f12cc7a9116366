//! `cargo xtask codegen [wire|l1|iam] [--check]`: writes the committed Rust that is derived from upstream models.
//!
//! Every generator answers with the files it would write; this module writes them, or with `--check` compares them.
//!
//! Invariant: generated files carry facts (names, types, limits), never upstream prose.

mod iam;
mod l1;
mod wire;

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file a generator would write: its path from the root of the checkout, and its text before `rustfmt`.
pub(crate) struct Generated {
    /// Path from the root of the checkout.
    pub(crate) path: PathBuf,
    /// Text before `rustfmt`.
    pub(crate) text: String,
}

/// Runs the named generators, or all of them.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let check = args.contains(&"--check");
    let named: Vec<&str> = args.iter().copied().filter(|arg| *arg != "--check").collect();
    let mut files = Vec::new();
    for generator in if named.is_empty() { vec!["wire", "l1", "iam"] } else { named } {
        files.extend(match generator {
            "wire" => wire::generate()?,
            "l1" => l1::generate()?,
            "iam" => iam::generate()?,
            other => return Err(format!("no generator `{other}`: expected `wire`, `l1` or `iam`")),
        });
    }
    let mut drifted = Vec::new();
    for file in files {
        let text = rustfmt(&file.text).map_err(|error| format!("{}: {error}", file.path.display()))?;
        let path = crate::root().join(&file.path);
        if std::fs::read_to_string(&path).ok().as_deref() == Some(&text) {
            continue;
        }
        if check {
            drifted.push(file.path.display().to_string());
        } else {
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    if drifted.is_empty() {
        return Ok(());
    }
    Err(format!("differs from what codegen writes: {}; run `cargo xtask codegen`", drifted.join(", ")))
}

/// Formats with the checkout's settings.
fn rustfmt(text: &str) -> Result<String, String> {
    use std::io::Write as _;
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(crate::root().join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt does not start: {error}"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no input")?;
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output();
        (writer.join(), output)
    });
    match written {
        (Ok(Ok(())), Ok(output)) if output.status.success() => {
            String::from_utf8(output.stdout).map_err(|error| error.to_string())
        }
        _ => Err("rustfmt refuses the text".to_owned()),
    }
}
