//! Small images made by hand, byte by byte, as a stranger would.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::archive::{ArchiveWriter, Kind, Member};
use super::super::{Digest, Image, ImageStore};

/// A store in a directory of its own, and room beside it.
pub(super) struct Place {
    pub(super) dir: TempDir,
    pub(super) store: ImageStore,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = ImageStore::open(&dir.path().join("store")).unwrap();
        Self { dir, store }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Imports an image with these layers, bottom first.
    pub(super) fn image(&self, name: &str, layers: &[Vec<u8>]) -> Image {
        let layout = self.path(&format!("layout-{}", fs::read_dir(self.dir.path()).unwrap().count()));
        Layout::new(&layout).image(Some(name), layers, "amd64").finish();
        Image::clone(&self.store.import(&layout, None).unwrap().remove(0).image)
    }

    /// Chain ids of the extracted layers, sorted.
    pub(super) fn layers(&self) -> Vec<String> {
        let files = self.files();
        let parts = files.iter().filter_map(|file| file.split_once('/'));
        let layers = parts.filter(|(dir, name)| dir.starts_with("layers") && !name.contains('/'));
        layers.map(|(_, name)| name.to_owned()).collect()
    }

    /// Everything in the store but its locks, sorted.
    pub(super) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(self.store.dir(), self.store.dir(), &mut files);
        files.retain(|file| !file.ends_with(".lock"));
        files.sort();
        files
    }
}

fn walk(root: &Path, dir: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            walk(root, &path, files);
        }
        files.push(path.strip_prefix(root).unwrap().display().to_string());
    }
}

/// An OCI layout being written.
pub(super) struct Layout {
    dir: PathBuf,
    manifests: Vec<Value>,
}

impl Layout {
    pub(super) fn new(dir: &Path) -> Self {
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { dir: dir.to_owned(), manifests: vec![] }
    }

    pub(super) fn blob(&self, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        fs::write(self.dir.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({ "digest": digest.to_string(), "size": bytes.len() })
    }

    /// A manifest's descriptor, with its blobs written.
    pub(super) fn manifest(&self, layers: &[Vec<u8>], architecture: &str) -> Value {
        let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(&plain(layer)).to_string()).collect();
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Env": ["A=b"], "Cmd": ["/run"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let blobs: Vec<Value> = layers.iter().map(|layer| self.blob(layer)).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "config": self.blob(config.to_string().as_bytes()),
            "layers": blobs,
        });
        let mut descriptor = self.blob(manifest.to_string().as_bytes());
        descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
        descriptor
    }

    pub(super) fn image(self, name: Option<&str>, layers: &[Vec<u8>], architecture: &str) -> Self {
        let descriptor = self.manifest(layers, architecture);
        self.entry(name, descriptor)
    }

    pub(super) fn entry(mut self, name: Option<&str>, mut descriptor: Value) -> Self {
        if let Some(name) = name {
            descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        }
        self.manifests.push(descriptor);
        self
    }

    pub(super) fn finish(self) {
        let index = json!({ "schemaVersion": 2, "manifests": self.manifests });
        fs::write(self.dir.join("index.json"), index.to_string()).unwrap();
    }
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut super::super::compression::plain(bytes).unwrap(), &mut plain).unwrap();
    plain
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A tar of these members; the text is the content of files and the target of links.
pub(super) fn tar(members: &[(Kind, &str, &str)]) -> Vec<u8> {
    tar_of(members.iter().map(|(kind, path, text)| (member(*kind, path, text), *text)))
}

pub(super) fn tar_of<'a>(members: impl IntoIterator<Item = (Member, &'a str)>) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (member, text) in members {
        let mut content = if member.kind == Kind::File { text.as_bytes() } else { &[] };
        archive.add(&member, &mut content).unwrap();
    }
    archive.finish().unwrap()
}

pub(super) fn member(kind: Kind, path: &str, text: &str) -> Member {
    let mut member = Member { kind, path: path.into(), mode: 0o755, ..Member::default() };
    match kind {
        Kind::File => member.size_bytes = text.len() as u64,
        Kind::Symlink | Kind::HardLink => member.link = text.into(),
        _ => {}
    }
    member
}
