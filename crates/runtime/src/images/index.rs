//! `index.json`: which names the store has and which manifests they stand for.
//!
//! An entry is kept as it was read, so what another OCI tool wrote beside our names survives.
//!
//! Invariant: at most one entry has a given name.

use std::path::Path;

use neargate_base::Diagnostic;
use serde_json::{Map, Value, json};

use super::codes;
use super::digest::Digest;
use super::image::{Image, array, descriptor_digest};
use super::platform::Platform;
use super::reference::Reference;

pub(crate) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const NAME: &str = "org.opencontainers.image.ref.name";
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
const SOURCE_INDEX: &str = "dev.neargate.source-index";
const OFFERED: &str = "dev.neargate.platforms";
const FORMAT: &str = "dev.neargate.store-format";
const FORMAT_VERSION: &str = "1";

/// The index of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    entries: Vec<Entry>,
}

/// One descriptor in it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    raw: Map<String, Value>,
}

impl Index {
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, Diagnostic> {
        let root: Value = serde_json::from_slice(bytes)
            .map_err(|error| codes::corrupt(format!("`{}` is no JSON: {error}", path.display())))?;
        let format = root.get("annotations").and_then(|a| a.get(FORMAT)).and_then(Value::as_str);
        if let Some(format) = format.filter(|format| *format != FORMAT_VERSION) {
            let message =
                format!("`{}` has store format `{format}`, this version reads `{FORMAT_VERSION}`", path.display());
            return Err(Diagnostic::error(codes::STORE_FORMAT, message)
                .hint("use the newer program that wrote it, or give another directory"));
        }
        let entries = array(root.get("manifests")).iter().filter_map(Value::as_object);
        Ok(Self { entries: entries.map(|raw| Entry { raw: raw.clone() }).collect() })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let manifests: Vec<Value> = self.entries.iter().map(|entry| Value::Object(entry.raw.clone())).collect();
        json!({
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": manifests,
            "annotations": { FORMAT: FORMAT_VERSION },
        })
        .to_string()
        .into_bytes()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(crate) fn find(&self, reference: &Reference) -> Option<&Entry> {
        // The image that has a digest comes before one that stands in for it.
        let own = self.entries.iter().find(|entry| entry.answers_to(reference) && !entry.is_stand_in());
        own.or_else(|| self.entries.iter().find(|entry| entry.answers_to(reference)))
    }

    /// Gives `entry` this name, which no other entry has afterwards.
    pub(crate) fn put(&mut self, reference: &Reference, mut entry: Entry) {
        self.retain(|other| other.reference().as_ref() != Some(reference));
        entry.annotate(NAME, &reference.to_string());
        entry.annotate(CONTAINERD_NAME, &reference.to_string());
        self.entries.push(entry);
    }

    /// Drops the entries that do not pass; answers whether there were any.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Entry) -> bool) -> bool {
        let before = self.entries.len();
        self.entries.retain(keep);
        self.entries.len() != before
    }
}

impl Entry {
    /// The entry of an image whose manifest has this media type and size.
    pub(crate) fn new(image: &Image, media_type: &str, size_bytes: u64, source_index: Option<&Digest>) -> Self {
        let mut raw = Map::new();
        raw.insert("mediaType".to_owned(), json!(media_type));
        raw.insert("digest".to_owned(), json!(image.digest.to_string()));
        raw.insert("size".to_owned(), json!(size_bytes));
        if !image.config.architecture.is_empty() && !image.config.os.is_empty() {
            let platform = json!({ "architecture": image.config.architecture, "os": image.config.os });
            raw.insert("platform".to_owned(), platform);
        }
        let mut entry = Self { raw };
        if let Some(digest) = source_index {
            entry.annotate(SOURCE_INDEX, &digest.to_string());
        }
        if !image.offered.is_empty() {
            let offered: Vec<String> = image.offered.iter().map(Platform::to_string).collect();
            entry.annotate(OFFERED, &offered.join(","));
        }
        entry
    }

    pub(crate) fn digest(&self) -> Result<Digest, Diagnostic> {
        descriptor_digest(Some(&Value::Object(self.raw.clone())))
    }

    /// The name as it stands in the file.
    pub(crate) fn name(&self) -> &str {
        self.annotation(NAME).unwrap_or_default()
    }

    /// The name, where it is a reference.
    pub(crate) fn reference(&self) -> Option<Reference> {
        self.annotation(NAME).and_then(|name| Reference::parse(name).ok())
    }

    /// Digest of the multi-platform index this image was picked from.
    pub(crate) fn index_digest(&self) -> Option<Digest> {
        self.annotation(SOURCE_INDEX).and_then(|digest| Digest::parse(digest).ok())
    }

    /// What the index that this image was picked from has images for.
    pub(crate) fn offered(&self) -> Vec<Platform> {
        self.annotation(OFFERED).into_iter().flat_map(|text| text.split(',')).filter_map(Platform::parse).collect()
    }

    /// Whether its name has a digest that its content need not have.
    fn is_stand_in(&self) -> bool {
        self.reference().is_some_and(|own| own.digest().is_some())
    }

    /// Whether a user who writes `wanted` means this entry.
    pub(crate) fn answers_to(&self, wanted: &Reference) -> bool {
        let Some(own) = self.reference().filter(|own| own.same_repository(wanted)) else { return false };
        match wanted.digest() {
            Some(digest) => {
                own.digest() == Some(digest)
                    || self.digest().is_ok_and(|own| own == *digest)
                    || self.index_digest().as_ref() == Some(digest)
            }
            None => own.digest().is_none() && own.tag() == wanted.tag(),
        }
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.raw.get("annotations").and_then(|a| a.get(name)).and_then(Value::as_str)
    }

    fn annotate(&mut self, name: &str, value: &str) {
        let annotations = self.raw.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(name.to_owned(), json!(value));
        }
    }
}
