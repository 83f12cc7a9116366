//! Removing an engine's data directory with everything of it on this machine.

use std::fs;
use std::path::Path;

use neargate_base::{Code, Diagnostic};
use neargate_runtime::backends::embedded::{EmbeddedConfig, erase};

use crate::disk::{self, DataDirectory};

/// Removes a data directory, what its tasks may have left of containers and networks, and its place under `/run`.
/// A directory that an engine uses is refused. Answers whether there was anything.
pub fn purge(data_dir: &Path) -> Result<bool, Diagnostic> {
    if !data_dir.join("state.sqlite").is_file() {
        return Ok(false);
    }
    let cannot = |error: String| {
        Diagnostic::error(Code("NG-E0107"), format!("cannot remove the data directory: {error}"))
            .at(data_dir.display().to_string())
    };
    let directory = DataDirectory::open(data_dir)?;
    let journal = directory.journal()?;
    let config = EmbeddedConfig::new(journal.instance(), data_dir).map_err(|error| cannot(error.to_string()))?;
    erase(&config).map_err(|error| cannot(error.to_string()))?;
    disk::root_key::remove(journal.instance()).map_err(|error| cannot(error.to_string()))?;
    drop(journal);
    fs::remove_dir_all(data_dir).map_err(|error| cannot(error.to_string()))?;
    Ok(true)
}
