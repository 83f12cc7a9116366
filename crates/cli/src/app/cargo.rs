//! A Rust package as an app: its program writes the cloud assembly.

use std::path::Path;

use neargate_base::Diagnostic;
use toml::Table;
use toml::Value;

use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::places::read_text;

/// What runs it where nobody says otherwise.
pub(super) const COMMAND: &str = "cargo run --quiet --release";
/// The crate with which apps are written.
const CRATE: &str = "neargate";

/// Whether a directory has a package that depends on the crate for apps.
pub(super) fn is_app(directory: &Path) -> Outcome<bool> {
    let file = directory.join("Cargo.toml");
    if !file.is_file() {
        return Ok(false);
    }
    let manifest: Table = read_text(&file)?.parse().map_err(|error: toml::de::Error| {
        let message = format!("not readable as TOML: {}", error.message());
        Failure::usage(Diagnostic::error(codes::CONFIG_SYNTAX, message).at(file.display().to_string()))
    })?;
    Ok(manifest.contains_key("package") && depends(&manifest))
}

fn depends(manifest: &Table) -> bool {
    let is_meant = |(name, value): (&String, &Value)| match value.get("package").and_then(Value::as_str) {
        Some(package) => package == CRATE,
        None => name == CRATE,
    };
    manifest.get("dependencies").and_then(Value::as_table).is_some_and(|it| it.iter().any(is_meant))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_depends_on_the_crate() {
        let depends = |text: &str| super::depends(&text.parse().unwrap());
        assert!(depends("[dependencies]\nneargate = \"0.1\""));
        assert!(depends("[dependencies]\nneargate.workspace = true"));
        assert!(depends("[dependencies]\nng = { package = \"neargate\", path = \"x\" }"));
        assert!(!depends("[dependencies]\nneargate = { package = \"other\" }"));
        assert!(!depends("[dev-dependencies]\nneargate = \"0.1\""));
    }
}
