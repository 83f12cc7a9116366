//! Segments as files. A name's slashes and other characters are escaped, so any name is one file in one folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use neargate_kernel::{JournalError, Segments};

/// Byte runs in one folder.
#[derive(Debug)]
pub(crate) struct DiskSegments {
    folder: PathBuf,
    dirty: BTreeSet<String>,
}

impl DiskSegments {
    /// Segments in a folder that exists.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, dirty: BTreeSet::new() }
    }

    fn path(&self, segment: &str) -> PathBuf {
        let mut name = String::with_capacity(segment.len());
        for byte in segment.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        self.folder.join(name)
    }
}

fn error(doing: &str, segment: &str) -> impl Fn(std::io::Error) -> JournalError {
    let doing = format!("{doing} segment `{segment}`");
    // Bytes beyond the length in a durable row count for nothing, whatever became of them.
    move |cause| JournalError { doing: doing.clone(), cause: cause.to_string(), is_undone: true }
}

impl Segments for DiskSegments {
    fn write(&mut self, segment: &str, offset: u64, bytes: &[u8]) -> Result<(), JournalError> {
        let file = super::private::options().create(true).truncate(false).write(true).open(self.path(segment));
        file.and_then(|file| file.write_all_at(bytes, offset)).map_err(error("write", segment))?;
        self.dirty.insert(segment.to_owned());
        Ok(())
    }

    fn read(&self, segment: &str, offset: u64, length: usize) -> Result<Vec<u8>, JournalError> {
        let file = match File::open(self.path(segment)) {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(cause) => return Err(error("open", segment)(cause)),
        };
        let held = file.metadata().map_err(error("read", segment))?.len();
        let length = u64::try_from(length).unwrap_or(u64::MAX).min(held.saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, offset).map_err(error("read", segment))?;
        Ok(bytes)
    }

    fn remove(&mut self, segment: &str) -> Result<(), JournalError> {
        self.dirty.remove(segment);
        match std::fs::remove_file(self.path(segment)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(error("remove", segment)(cause)),
            _ => Ok(()),
        }
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        for segment in std::mem::take(&mut self.dirty) {
            match File::open(self.path(&segment)) {
                Ok(file) => file.sync_data().map_err(error("sync", &segment))?,
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                Err(cause) => return Err(error("sync", &segment)(cause)),
            }
        }
        Ok(())
    }
}
