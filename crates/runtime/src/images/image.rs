//! What an image is to those who run it: its layers and its configuration.
//!
//! Reads both the OCI and the Docker schema-2 manifest, which name the same things.
//!
//! Invariant: an [`Image`] has as many layers as diff ids, no more than can be mounted; layers are ordered bottom first.

use std::collections::BTreeMap;

use neargate_base::Diagnostic;
use serde_json::Value;

use super::codes;
use super::digest::Digest;
use super::json;
use super::platform::{Misfit, Platform, host_architecture};

/// As many as overlayfs shows at once.
pub(crate) const LAYERS_MAX: usize = 500;

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the blob as it is stored, compressed or not.
    pub digest: Digest,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Digest that names this layer together with all below it.
    pub chain_id: Digest,
    /// Size of the blob in bytes.
    pub size_bytes: u64,
}

/// What the image says about how it is run. Empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// First part of the command line.
    pub entrypoint: Vec<String>,
    /// Second part of the command line, or all of it without an entry point.
    pub cmd: Vec<String>,
    /// `NAME=value`, in the image's order.
    pub env: Vec<String>,
    /// `user`, `uid`, `user:group` or `uid:gid`; names are looked up in the image's own `/etc/passwd`.
    pub user: String,
    /// Absolute directory the command starts in.
    pub working_dir: String,
    /// Signal that asks it to stop, as `SIGTERM` or `15`.
    pub stop_signal: Option<String>,
    /// `80/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    /// Directories the image declares as volumes, sorted.
    pub volumes: Vec<String>,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// Processor architecture as Go names it: `amd64`, `arm64`.
    pub architecture: String,
    /// Operating system: `linux`.
    pub os: String,
}

/// An image in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Digest of the manifest.
    pub digest: Digest,
    /// Digest of the configuration, which Docker calls the image id.
    pub config_digest: Digest,
    /// How the image is run.
    pub config: ImageConfig,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// Bytes of all blobs together.
    pub size_bytes: u64,
    /// What the index that it was picked from has images for; empty for an image that stands alone.
    pub offered: Vec<Platform>,
}

impl Image {
    /// What its configuration says it is for.
    pub fn platform(&self) -> Platform {
        Platform::new(&self.config.os, &self.config.architecture)
    }

    /// Whether a task for this platform gets the image and can run here.
    ///
    /// # Errors
    /// Why not.
    pub fn fit(&self, wanted: &Platform) -> Result<(), Misfit> {
        if !self.offered.is_empty() && !self.offered.iter().any(|offered| offered.fits(wanted)) {
            return Err(Misfit::NotInIndex(self.offered.clone()));
        }
        if self.offered.is_empty() && !self.platform().fits(wanted) {
            return Err(Misfit::OtherPlatform(self.platform()));
        }
        if !Platform::host().fits(wanted) {
            return Err(Misfit::OtherMachine);
        }
        // The index has one for the platform, but the store holds another of its images.
        if self.platform().fits(wanted) { Ok(()) } else { Err(Misfit::OtherPlatform(self.platform())) }
    }
}

impl Image {
    /// Reads a manifest and its configuration.
    pub(crate) fn read(digest: Digest, manifest: &Value, config_bytes: &[u8]) -> Result<Self, Diagnostic> {
        let config_digest = descriptor_digest(manifest.get("config"))?;
        let config: Value = json::parse(config_bytes).map_err(|error| {
            codes::corrupt(format!("configuration `{config_digest}` does not read as JSON: {error}"))
        })?;
        let blobs = array(manifest.get("layers"));
        let diff_ids = array(config.pointer("/rootfs/diff_ids"));
        if blobs.len() != diff_ids.len() {
            return Err(codes::corrupt(format!(
                "image `{digest}` has {} layers but its configuration names {}",
                blobs.len(),
                diff_ids.len()
            )));
        }
        if blobs.len() > LAYERS_MAX {
            let message = format!("image `{digest}` has {} layers, at most {LAYERS_MAX} can be mounted", blobs.len());
            return Err(Diagnostic::error(codes::UNSUPPORTED, message).hint("build it with fewer layers"));
        }
        let mut layers: Vec<Layer> = Vec::new();
        for (blob, diff_id) in blobs.iter().zip(diff_ids) {
            let diff_id = Digest::parse(diff_id.as_str().unwrap_or_default())?;
            let chain_id = match layers.last() {
                Some(below) => Digest::of(format!("{} {diff_id}", below.chain_id).as_bytes()),
                None => diff_id.clone(),
            };
            layers.push(Layer { digest: descriptor_digest(Some(blob))?, diff_id, chain_id, size_bytes: size(blob) });
        }
        let sizes = layers.iter().map(|layer| layer.size_bytes).chain([config_bytes.len() as u64]);
        let size_bytes = sizes.fold(0, u64::saturating_add);
        let platform = Platform::new(text(&config, "os"), text(&config, "architecture"));
        if !platform.is_short() {
            return Err(codes::corrupt(format!("the platform of image `{digest}` has an overlong name")));
        }
        Ok(Self { digest, config_digest, config: read_config(&config), layers, size_bytes, offered: vec![] })
    }

    /// Why this machine cannot run the image, where its architecture says so.
    pub fn platform_problem(&self) -> Option<Diagnostic> {
        let (os, architecture) = (self.config.os.as_str(), self.config.architecture.as_str());
        let fits = (os.is_empty() || os == "linux") && (architecture.is_empty() || architecture == host_architecture());
        (!fits).then(|| {
            Diagnostic::error(
                codes::OTHER_ARCHITECTURE,
                format!(
                    "image `{}` is for `{os}/{architecture}`, this machine is `linux/{}`",
                    self.digest,
                    host_architecture()
                ),
            )
            .detail("its programs fail to start with `exec format error`")
            .hint(format!("build or import it for `linux/{}`", host_architecture()))
        })
    }
}

pub(crate) fn descriptor_digest(descriptor: Option<&Value>) -> Result<Digest, Diagnostic> {
    Digest::parse(descriptor.and_then(|d| d.get("digest")).and_then(Value::as_str).unwrap_or_default())
}

pub(crate) fn size(descriptor: &Value) -> u64 {
    descriptor.get("size").and_then(Value::as_u64).unwrap_or_default()
}

pub(crate) fn array(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn read_config(root: &Value) -> ImageConfig {
    let config = root.get("config").unwrap_or(&Value::Null);
    let inner = |name: &str| text(config, name).to_owned();
    let list = |name: &str| {
        array(config.get(name)).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<String>>()
    };
    let keys = |name: &str| {
        let mut keys: Vec<String> =
            config.get(name).and_then(Value::as_object).map(|o| o.keys().cloned().collect()).unwrap_or_default();
        keys.sort();
        keys
    };
    let labels = config.get("Labels").and_then(Value::as_object);
    ImageConfig {
        entrypoint: list("Entrypoint"),
        cmd: list("Cmd"),
        env: list("Env"),
        user: inner("User"),
        working_dir: inner("WorkingDir"),
        stop_signal: Some(inner("StopSignal")).filter(|signal| !signal.is_empty()),
        exposed_ports: keys("ExposedPorts"),
        volumes: keys("Volumes"),
        labels: labels
            .map(|o| o.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect())
            .unwrap_or_default(),
        architecture: text(root, "architecture").to_owned(),
        os: text(root, "os").to_owned(),
    }
}
