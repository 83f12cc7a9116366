//! botocore's service models: where they come from and how they are read.
//!
//! Invariant: nothing is read from a wheel whose hash is not the pinned one.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

/// The pinned version; a new one changes generated code only where a shape changed.
pub(super) const VERSION: &str = "1.44.5";
/// SHA-256 of that version's wheel on PyPI.
const SHA256: &str = "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921";

/// What a model says of its service as a whole.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    /// The first part of its host name.
    pub(super) endpoint_prefix: String,
    /// The name in credential scopes, where it is another.
    pub(super) signing_name: Option<String>,
    /// The protocol of clients that know no other.
    pub(super) protocol: String,
    /// All protocols.
    #[serde(default)]
    pub(super) protocols: Vec<String>,
    /// `1.0` or `1.1`.
    pub(super) json_version: Option<String>,
}

/// The metadata of the newest model in a service's folder; `None` where it holds no model.
pub(super) fn metadata(folder: &Path) -> Result<Option<Metadata>, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        metadata: Metadata,
    }
    let Some(path) = newest(folder).filter(|path| path.is_file()) else { return Ok(None) };
    let text = unpack(&path)?;
    let head: Head = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some(head.metadata))
}

/// The newest version's model in a service's folder.
fn newest(folder: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    Some(versions.filter(|path| path.is_dir()).max()?.join("service-2.json.gz"))
}

fn unpack(path: &Path) -> Result<String, String> {
    let packed = fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = String::new();
    let read = flate2::read::GzDecoder::new(packed).read_to_string(&mut text);
    read.map_err(|error| format!("{}: {error}", path.display())).map(|_| text)
}

/// A service model.
pub(super) struct Model {
    metadata: Map<String, Value>,
    /// Operations by name.
    pub(super) operations: Map<String, Value>,
    /// Shapes by name.
    pub(super) shapes: Map<String, Value>,
}

impl Model {
    /// The newest model of a service.
    pub(super) fn read(data: &Path, service: &str) -> Result<Self, String> {
        let folder = data.join(service);
        let path = newest(&folder).ok_or_else(|| format!("{}: no model", folder.display()))?;
        let text = unpack(&path)?;
        let mut model: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut take = |key: &str| match model.remove(key) {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(format!("{}: no `{key}`", path.display())),
        };
        Ok(Self { metadata: take("metadata")?, operations: take("operations")?, shapes: take("shapes")? })
    }

    /// A text of the model's metadata; empty where it has none.
    pub(super) fn metadata(&self, key: &str) -> &str {
        self.metadata.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A shape by name.
    pub(super) fn shape(&self, name: &str) -> Result<&Value, String> {
        self.shapes.get(name).ok_or_else(|| format!("no shape `{name}`"))
    }
}

/// The models' folder: from the wheel in `target/codegen`, which is downloaded if it is not there.
pub(super) fn data() -> Result<PathBuf, String> {
    let cache = crate::root().join("target/codegen");
    let unpacked = cache.join(format!("botocore-{VERSION}"));
    let data = unpacked.join("botocore/data");
    if data.is_dir() {
        return Ok(data);
    }
    let wheel = cache.join(format!("botocore-{VERSION}-py3-none-any.whl"));
    if !wheel.is_file() {
        python(&[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            &text(&cache),
            &format!("botocore=={VERSION}"),
        ])?;
    }
    let check = format!(
        "import hashlib, sys; sys.exit(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest() != '{SHA256}')"
    );
    python(&["-c", &check, &text(&wheel)])
        .map_err(|_| format!("{}: not the file with SHA-256 {SHA256}", wheel.display()))?;
    python(&["-m", "zipfile", "-e", &text(&wheel), &text(&unpacked)])?;
    Ok(data)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn python(args: &[&str]) -> Result<(), String> {
    let status =
        Command::new("python3").args(args).status().map_err(|error| format!("python3 does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`python3 {}` failed", args.join(" "))) }
}
