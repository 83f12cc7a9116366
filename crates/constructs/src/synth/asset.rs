//! Assets: files and images that a stack needs beside its template.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::tree::codes;
use crate::tree::stack::Stack;

/// Where an asset's files come from.
#[derive(Clone, Debug)]
pub(crate) enum AssetSource {
    /// Files that this crate carries: name and text.
    Embedded(&'static [(&'static str, &'static str)]),
}

/// A zip of files.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) hash: String,
    pub(crate) display_name: String,
    pub(crate) source: AssetSource,
}

impl Asset {
    pub(crate) fn new(_stack: &Stack, display_name: String, source: AssetSource) -> Self {
        let AssetSource::Embedded(files) = &source;
        let mut hasher = Sha256::new();
        for (name, text) in *files {
            hash_file(&mut hasher, name, text.as_bytes());
        }
        Self { hash: hex(&hasher.finalize()), display_name, source }
    }

    /// The directory in the assembly.
    pub(crate) fn directory(&self) -> String {
        format!("asset.{}", self.hash)
    }

    /// The key in the bootstrap bucket.
    pub(crate) fn object_key(&self) -> String {
        format!("{}.zip", self.hash)
    }
}

/// A container image that is built from a directory.
#[derive(Clone, Debug)]
pub(crate) struct DockerAsset {
    pub(crate) hash: String,
    pub(crate) display_name: String,
    pub(crate) directory: PathBuf,
    pub(crate) dockerfile: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) build_args: BTreeMap<String, String>,
}

impl DockerAsset {
    /// The directory in the assembly.
    pub(crate) fn staged(&self) -> String {
        format!("asset.{}", self.hash)
    }

    /// Hashes the directory's files and the options; a directory that cannot be read is a diagnostic.
    pub(crate) fn fingerprint(&mut self, scope: &crate::Scope) {
        let mut hasher = Sha256::new();
        match files_below(&self.directory) {
            Ok(files) => {
                for (name, path) in files {
                    match std::fs::read(&path) {
                        Ok(bytes) => hash_file(&mut hasher, &name, &bytes),
                        Err(error) => {
                            scope.error(codes::ASSET, format!("`{}` cannot be read: {error}", path.display()))
                        }
                    }
                }
            }
            Err(error) => scope.error(codes::ASSET, format!("`{}` cannot be read: {error}", self.directory.display())),
        }
        for option in [&self.dockerfile, &self.target, &self.platform] {
            hash_file(&mut hasher, "option", option.as_deref().unwrap_or_default().as_bytes());
        }
        for (name, value) in &self.build_args {
            hash_file(&mut hasher, name, value.as_bytes());
        }
        self.hash = hex(&hasher.finalize());
    }
}

/// Name and length before content, so that no two sets of files hash alike.
fn hash_file(hasher: &mut Sha256, name: &str, content: &[u8]) {
    hasher.update(format!("{}:{name}:{}:", name.len(), content.len()));
    hasher.update(content);
}

pub(super) fn hash_text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The files below a directory by their path in it, sorted; links are followed.
pub(super) fn files_below(directory: &Path) -> std::io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(String::new(), directory.to_path_buf())];
    while let Some((prefix, directory)) = open.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if std::fs::metadata(&path)?.is_dir() {
                open.push((name, path))
            } else {
                files.insert(name, path).map_or((), drop)
            }
        }
    }
    Ok(files)
}
