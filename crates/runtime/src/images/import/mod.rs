//! Importing images: OCI layouts and docker archives, as directories or tars.
//!
//! Invariant: what all images of an archive keep in memory is bounded by [`JSON_BYTES_MAX`], [`VALUES_MAX`] and [`NAMES_MAX`].
//!
//! Invariant: all or nothing. Content waits in `tmp/` until every digest was verified; then it is moved and named at once.

mod platform;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use neargate_base::Diagnostic;
use serde_json::{Value, json};

use super::archive::bad_archive;
use super::blobs::{BlobWriter, check_small, mismatch, parse_json};
use super::build::{CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE};
use super::codes::{self, io_error};
use super::digest::Digest;
use super::image::{Image, array, descriptor_digest};
use super::index::{CONTAINERD_NAME, Entry, NAME};
use super::json;
use super::platform::Platform;
use super::reference::Reference;
use super::rootfs::turn;
use super::store::{self, ImageStore, Scratch, sync_dir};
use source::{Source, Staged, normal};

const INDEX_DEPTH_MAX: usize = 4;
/// Of all manifests, configurations and indexes that an import reads.
const JSON_BYTES_MAX: u64 = 16 << 20;
/// The values and keys in them.
const VALUES_MAX: u64 = 200_000;
/// Names that an archive gives to images.
const NAMES_MAX: usize = 1000;
const PLATFORMS_MAX: usize = 100;

/// One image an import brought.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its name in full.
    pub reference: String,
    /// The image.
    pub image: Arc<Image>,
}

impl ImageStore {
    /// Imports every image in an OCI layout or docker archive. `reference` names the image, which must be the only one then;
    /// without it images keep the names they have in the archive, and one with no name takes that of the file.
    ///
    /// # Errors
    /// `NG-R0106` for content that does not have its digest, `NG-R0107` for what is no image archive, `NG-R0111` when no
    /// platform fits, `NG-R0112` when there is no name to be had, `NG-R0103` and `NG-R0105` as everywhere.
    pub fn import(&self, path: &Path, reference: Option<&str>) -> Result<Vec<Imported>, Diagnostic> {
        let given = reference.map(store::name).transpose()?;
        let scratch = self.scratch()?;
        let at = |problem: Diagnostic| problem.at(path.display().to_string());
        let _turn = turn();
        let source = Source::open(path, &scratch).map_err(at)?;
        let mut import = Import {
            scratch: &scratch,
            source: &source,
            given,
            path,
            staged: BTreeMap::new(),
            json_bytes: 0,
            values: 0,
            names: 0,
        };
        let mut found = import.read().map_err(at)?;
        if let (Some(given), true) = (&import.given, found.len() > 1) {
            let message = format!("the archive has {} images, so `{given}` cannot name them all", found.len());
            return Err(at(
                Diagnostic::error(codes::NEEDS_REFERENCE, message).hint("import it without a name of your own")
            ));
        }
        for (digest, staged) in &import.staged {
            self.commit_blob(staged, digest)?;
        }
        sync_dir(&self.dir().join("blobs/sha256"))?;
        self.update_index(|index| {
            for image in &mut found {
                for name in &image.names {
                    index.put(name, image.entry.clone());
                }
            }
            Ok(())
        })?;
        let rows = found.into_iter().flat_map(|found| {
            let image = Arc::new(found.image);
            found.names.into_iter().map(move |name| Imported { reference: name.to_string(), image: image.clone() })
        });
        Ok(rows.collect())
    }
}

struct Import<'a> {
    scratch: &'a Scratch,
    source: &'a Source,
    given: Option<Reference>,
    path: &'a Path,
    /// Verified content that is to become blobs.
    staged: BTreeMap<Digest, PathBuf>,
    json_bytes: u64,
    values: u64,
    names: usize,
}

struct Found {
    names: Vec<Reference>,
    image: Image,
    entry: Entry,
}

impl Import<'_> {
    fn read(&mut self) -> Result<Vec<Found>, Diagnostic> {
        if self.source.read_small("oci-layout")?.is_some()
            && let Some(index) = self.read_named("index.json")?
        {
            return self.read_oci(&index);
        }
        match self.read_named("manifest.json")? {
            Some(manifest) => self.read_docker(&manifest),
            None => Err(bad_archive("it has neither `oci-layout` and `index.json` nor `manifest.json`")
                .hint("give an OCI layout or what `docker save` writes")),
        }
    }

    fn read_named(&mut self, name: &str) -> Result<Option<Value>, Diagnostic> {
        let parsed = self.read_small(name)?.map(|bytes| json::parse(&bytes)).transpose();
        parsed.map_err(|error| bad_archive(&format!("`{name}` does not read as JSON: {error}")))
    }

    /// A small file's bytes, within what all of them may have together.
    fn read_small(&mut self, name: &str) -> Result<Option<Vec<u8>>, Diagnostic> {
        let Some(bytes) = self.source.read_small(name)? else { return Ok(None) };
        self.json_bytes += bytes.len() as u64;
        // What is wrong with a text is told by who parses it.
        self.values += json::count(&bytes).unwrap_or_default();
        let limit = match () {
            () if self.json_bytes > JSON_BYTES_MAX => format!("{JSON_BYTES_MAX} bytes"),
            () if self.values > VALUES_MAX => format!("{VALUES_MAX} values and keys"),
            () => return Ok(Some(bytes)),
        };
        Err(bad_archive(&format!("its manifests, indexes and configurations have more than {limit} together"))
            .hint("import fewer images at a time"))
    }

    fn count_names(&mut self, names: usize) -> Result<(), Diagnostic> {
        self.names += names;
        if self.names > NAMES_MAX {
            return Err(bad_archive(&format!("it has more than {NAMES_MAX} names of images")));
        }
        Ok(())
    }

    fn read_oci(&mut self, index: &Value) -> Result<Vec<Found>, Diagnostic> {
        // Entries of one name are the same image for several platforms.
        let mut groups: Vec<(Option<String>, Vec<Value>)> = Vec::new();
        for descriptor in array(index.get("manifests")) {
            let name = self.annotated_name(descriptor);
            match groups.iter_mut().find(|(other, _)| *other == name) {
                Some((_, group)) => group.push(descriptor.clone()),
                None => groups.push((name, vec![descriptor.clone()])),
            }
        }
        if groups.is_empty() {
            return Err(bad_archive("its index names no image"));
        }
        self.count_names(groups.len())?;
        let mut found = Vec::new();
        for (name, group) in groups {
            let name = self.name(name.as_deref())?;
            let (image, entry) = self.read_descriptor(&group)?;
            found.push(Found { names: vec![name], image, entry });
        }
        Ok(found)
    }

    /// Follows a descriptor through indexes to an image for this machine, and stages what belongs to it.
    /// Several descriptors are those of one index.
    fn read_descriptor(&mut self, descriptors: &[Value]) -> Result<(Image, Entry), Diagnostic> {
        let mut descriptor = platform::pick(descriptors)?.clone();
        let mut offered = if descriptors.len() > 1 { platform::offered(descriptors) } else { vec![] };
        let mut source_index = None;
        for _ in 0..INDEX_DEPTH_MAX {
            let digest = descriptor_digest(Some(&descriptor))?;
            let bytes = self.read_blob(&digest)?;
            let root = parse_json(&digest, &bytes)?;
            if let Some(inner) = root.get("manifests").and_then(Value::as_array) {
                descriptor = platform::pick(inner)?.clone();
                offered.extend(platform::offered(inner));
                source_index.get_or_insert(digest);
                continue;
            }
            let config = self.read_blob(&descriptor_digest(root.get("config"))?)?;
            offered.sort();
            offered.dedup();
            if offered.len() > PLATFORMS_MAX || !offered.iter().all(Platform::is_short) {
                return Err(codes::corrupt("its index has images for platforms that there are not"));
            }
            let image = Image { offered, ..Image::read(digest.clone(), &root, &config)? };
            self.stage(&digest, &blob_name(&digest), Some(bytes.len() as u64))?;
            self.stage(&image.config_digest, &blob_name(&image.config_digest), Some(config.len() as u64))?;
            for layer in &image.layers {
                self.stage(&layer.digest, &blob_name(&layer.digest), Some(layer.size_bytes))?;
            }
            let media_type = root.get("mediaType").or(descriptor.get("mediaType")).and_then(Value::as_str);
            let media_type = media_type.unwrap_or(MANIFEST_TYPE).to_owned();
            let entry = Entry::new(&image, &media_type, bytes.len() as u64, source_index.as_ref());
            return Ok((image, entry));
        }
        Err(codes::corrupt(format!("indexes are nested more than {INDEX_DEPTH_MAX} deep")))
    }

    fn read_docker(&mut self, manifest: &Value) -> Result<Vec<Found>, Diagnostic> {
        let mut found = Vec::new();
        for item in array(Some(manifest)) {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            let tags: Vec<&str> = array(item.get("RepoTags")).iter().filter_map(Value::as_str).collect();
            let names = if tags.is_empty() || self.given.is_some() {
                vec![self.name(None)?]
            } else {
                tags.iter().map(|tag| Reference::parse(tag)).collect::<Result<_, _>>()?
            };
            self.count_names(names.len())?;
            let (image, entry) = self.read_docker_image(text("Config"), array(item.get("Layers")))?;
            found.push(Found { names, image, entry });
        }
        if found.is_empty() { Err(bad_archive("its manifest names no image")) } else { Ok(found) }
    }

    /// Makes an OCI manifest for an image that has none.
    fn read_docker_image(&mut self, config_name: &str, layers: &[Value]) -> Result<(Image, Entry), Diagnostic> {
        let missing = || bad_archive(&format!("`{config_name}` is missing from it"));
        let config = self.read_small(config_name)?.ok_or_else(missing)?;
        let config_digest = Digest::of(&config);
        let claimed = config_name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        if let Some(claimed) = Digest::from_hex(claimed).filter(|claimed| *claimed != config_digest) {
            return Err(mismatch(&claimed, &config_digest));
        }
        self.stage(&config_digest, config_name, None)?;
        let root = parse_json(&config_digest, &config)?;
        let diff_ids = array(root.pointer("/rootfs/diff_ids"));
        if layers.len() != diff_ids.len() {
            return Err(bad_archive(&format!(
                "an image has {} layers but its configuration `{config_name}` names {}",
                layers.len(),
                diff_ids.len()
            )));
        }
        let mut descriptors = Vec::new();
        for (layer, diff_id) in layers.iter().zip(diff_ids) {
            let staged = self.source.stage(layer.as_str().unwrap_or_default(), self.scratch)?;
            let suffix = compression_suffix(&staged)?;
            let diff_id = Digest::parse(diff_id.as_str().unwrap_or_default())?;
            // A compressed layer shows whether it is the right one when it is extracted.
            if suffix.is_empty() && staged.digest != diff_id {
                return Err(mismatch(&diff_id, &staged.digest));
            }
            let (digest, size) = (staged.digest.to_string(), staged.size_bytes);
            descriptors.push(json!({ "mediaType": format!("{LAYER_TYPE}{suffix}"), "digest": digest, "size": size }));
            self.staged.insert(staged.digest, staged.path);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": { "mediaType": CONFIG_TYPE, "digest": config_digest.to_string(), "size": config.len() },
            "layers": descriptors,
        });
        let bytes = manifest.to_string().into_bytes();
        let mut blob = BlobWriter::new(self.scratch)?;
        std::io::Write::write_all(&mut blob, &bytes).map_err(|e| io_error("write", &blob.path, &e))?;
        let (path, digest, size) = blob.close()?;
        self.staged.insert(digest.clone(), path);
        let image = Image::read(digest, &manifest, &config)?;
        let entry = Entry::new(&image, MANIFEST_TYPE, size, None);
        Ok((image, entry))
    }

    /// Verifies a file and sets it aside as the blob of this digest.
    fn stage(&mut self, digest: &Digest, name: &str, size_bytes: Option<u64>) -> Result<(), Diagnostic> {
        if self.staged.contains_key(digest) {
            return Ok(());
        }
        let staged = self.source.stage(name, self.scratch)?;
        if staged.digest != *digest {
            return Err(mismatch(digest, &staged.digest));
        }
        if let Some(wanted) = size_bytes.filter(|wanted| *wanted != staged.size_bytes) {
            let message = format!("blob `{digest}` has {} bytes, its descriptor says {wanted}", staged.size_bytes);
            return Err(Diagnostic::error(codes::DIGEST_MISMATCH, message).hint("save the image again"));
        }
        self.staged.insert(digest.clone(), staged.path);
        Ok(())
    }

    /// A manifest, index or configuration of an OCI layout, its digest verified.
    fn read_blob(&mut self, digest: &Digest) -> Result<Vec<u8>, Diagnostic> {
        let name = blob_name(digest);
        let bytes = self.read_small(&name)?.ok_or_else(|| bad_archive(&format!("`{name}` is missing from it")))?;
        check_small(digest, &bytes)?;
        Ok(bytes)
    }

    /// The name the archive gives: in full where a tool wrote that, else perhaps a tag alone.
    fn annotated_name(&self, descriptor: &Value) -> Option<String> {
        let annotation = |name: &str| descriptor.get("annotations")?.get(name)?.as_str().map(str::to_owned);
        annotation(CONTAINERD_NAME).or_else(|| annotation(NAME))
    }

    fn name(&self, annotated: Option<&str>) -> Result<Reference, Diagnostic> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        if let Some(full) = annotated.filter(|name| name.contains(['/', ':'])) {
            return store::name(full);
        }
        let file = self.path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let stem = [".gz", ".tgz", ".zst", ".tar"].iter().fold(file.as_str(), |name, end| name.trim_end_matches(end));
        let tag = annotated.unwrap_or("latest");
        let stem = normal(stem).filter(|stem| !stem.is_empty()).unwrap_or_default();
        store::name(&format!("{stem}:{tag}")).map_err(|_| {
            Diagnostic::error(codes::NEEDS_REFERENCE, "the archive does not say what its image is called")
                .hint("give the import a name, such as `corp/app:1.0`")
        })
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// What the media type of a layer ends in.
fn compression_suffix(staged: &Staged) -> Result<&'static str, Diagnostic> {
    let mut head = Vec::new();
    let read = std::fs::File::open(&staged.path)
        .and_then(|file| std::io::Read::read_to_end(&mut std::io::Read::take(file, 4), &mut head));
    read.map_err(|e| io_error("read", &staged.path, &e))?;
    Ok(match head.as_slice() {
        [0x1f, 0x8b, ..] => "+gzip",
        [0x28, 0xb5, 0x2f, 0xfd] => "+zstd",
        _ => "",
    })
}
