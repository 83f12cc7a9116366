//! Assets: files and images that a stack needs beside its template.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ignore::Ignore;

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
    pub(crate) fn new(display_name: String, source: AssetSource) -> Self {
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
    /// What it is built from, by path in the directory; known from its fingerprint on.
    pub(crate) files: BTreeMap<String, PathBuf>,
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

    /// Hashes the directory's files and the options; gives what could not be read.
    pub(crate) fn fingerprint(&mut self) -> Vec<String> {
        let mut unread = vec![];
        let mut hasher = Sha256::new();
        match self.find_files() {
            Ok(files) => {
                for (name, path) in &files {
                    match std::fs::read(path) {
                        Ok(bytes) => hash_file(&mut hasher, name, &bytes),
                        Err(error) => unread.push(format!("`{}` cannot be read: {error}", path.display())),
                    }
                }
                self.files = files;
            }
            Err(error) => unread.push(format!("`{}` cannot be read: {error}", self.directory.display())),
        }
        for option in [&self.dockerfile, &self.target, &self.platform] {
            hash_file(&mut hasher, "option", option.as_deref().unwrap_or_default().as_bytes());
        }
        for (name, value) in &self.build_args {
            hash_file(&mut hasher, name, value.as_bytes());
        }
        self.hash = hex(&hasher.finalize());
        unread
    }

    /// The directory's files without those that its `.dockerignore` leaves out, nor what synthesis itself wrote there.
    fn find_files(&self) -> std::io::Result<BTreeMap<String, PathBuf>> {
        let dockerfile = self.dockerfile.as_deref().unwrap_or("Dockerfile");
        let own = format!("{dockerfile}.dockerignore");
        let list = if self.directory.join(&own).is_file() { own } else { ".dockerignore".to_owned() };
        let ignore = match std::fs::read_to_string(self.directory.join(&list)) {
            Ok(text) => Ignore::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ignore::default(),
            Err(error) => return Err(error),
        };
        let mut files = files_below(&self.directory, &ignore)?;
        // Both are needed to build, whatever the list says.
        for name in [dockerfile, &list] {
            let path = self.directory.join(name);
            if path.is_file() {
                files.insert(name.to_owned(), path);
            }
        }
        Ok(files)
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

/// The files below a directory by their path in it, sorted; links are followed. A cloud assembly is left out: it holds what the last
/// synthesis took in, and would grow with each.
fn files_below(directory: &Path, ignore: &Ignore) -> std::io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(String::new(), directory.to_path_buf())];
    while let Some((prefix, directory)) = open.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let is_excluded = ignore.excludes(&name);
            if is_excluded && !ignore.has_exceptions() {
                continue;
            }
            if !std::fs::metadata(&path)?.is_dir() {
                if !is_excluded {
                    files.insert(name, path);
                }
            } else if !is_assembly(&path) {
                open.push((name, path));
            }
        }
    }
    Ok(files)
}

fn is_assembly(directory: &Path) -> bool {
    ["manifest.json", "cdk.out"].iter().all(|name| directory.join(name).is_file())
}
