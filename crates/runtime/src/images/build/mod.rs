//! Building images from files of this machine: a directory, one static program, host programs with their libraries.
//!
//! The image has one uncompressed layer. The same input gives the same digest: entries are sorted, owned by root and dated
//! 1970; extended attributes are not taken over. A key over names, sizes, times and inodes tells whether anything changed since
//! a build whose image is still there.
//!
//! Invariant: reads files, runs nothing.

mod command;
pub(super) mod elf;
mod libraries;
mod programs;
mod tree;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use serde_json::{Map, Value, json};

use super::blobs::BlobWriter;
use super::codes::{self, io_error};
use super::digest::Digest;
use super::image::Image;
use super::index::Entry;
use super::platform::host_architecture;
use super::store::{ImageStore, Scratch, name};
use tree::{Content, Node, Tree};

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
/// When an image was made depends on nothing; some tools need a date all the same.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// Changes whenever the same input would give another image than before.
const BUILD_VERSION: u32 = 1;
/// A file changed less than this before the build may change again without its times showing it.
const SETTLED_NS: i128 = 100_000_000;

/// What the image's root file system starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BuildBase {
    /// Nothing; with host programs, `/tmp` and the root user's entries in `/etc/passwd` and `/etc/group`.
    #[default]
    Empty,
    /// The content of this directory.
    Directory(PathBuf),
    /// This statically linked program, as `/<its name>`; it is the entry point unless the recipe says otherwise.
    StaticBinary(PathBuf),
}

/// The content of a file in a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// A file of this machine, or a directory with all that is in it.
    Host(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// One file to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeFile {
    /// Absolute path in the image.
    pub target: String,
    /// Its content.
    pub content: FileContent,
    /// Permission bits; by default those of the file on this machine, 644 for bytes.
    pub mode: Option<u32>,
}

/// How to build an image. Empty members say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    /// What it starts from.
    pub base: BuildBase,
    /// Files to add or replace.
    pub files: Vec<RecipeFile>,
    /// Programs of this machine, by name or absolute path, copied to the same paths with the libraries they need.
    pub host_programs: Vec<String>,
    /// First part of the command line.
    pub entrypoint: Vec<String>,
    /// Second part of the command line.
    pub cmd: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// `user[:group]`.
    pub user: String,
    /// Absolute directory to start in, made if missing.
    pub working_dir: String,
    /// Signal that asks it to stop.
    pub stop_signal: Option<String>,
    /// `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
}

/// A finished build.
#[derive(Clone, Debug)]
pub struct Built {
    /// The image.
    pub image: Image,
    /// The name it was given, in full.
    pub reference: String,
    /// Whether nothing had changed and the earlier image was taken.
    pub unchanged: bool,
    /// What will probably go wrong when it is run.
    pub warnings: Vec<Diagnostic>,
}

impl ImageStore {
    /// Builds an image and names it `reference`.
    ///
    /// # Errors
    /// `NG-R0101` for a malformed name, `NG-R0120` for input that cannot go into an image, `NG-R0121` for a dynamic program
    /// given as static, `NG-R0122` and `NG-R0123` for host programs and libraries not found, `NG-R0103` when a file does
    /// not read.
    pub fn build(&self, recipe: &Recipe, reference: &str) -> Result<Built, Diagnostic> {
        let reference = name(reference)?;
        let scratch = self.scratch()?;
        let (tree, recipe) = plan(recipe)?;
        let command = command::inspect(&tree, &recipe);
        let architecture = command.architecture.unwrap_or(host_architecture());
        let (key, newest_ns) = cache_key(&tree, &recipe, architecture);
        let note = self.dir().join("builds").join(key.hex());
        let earlier = fs::read_to_string(&note).ok().and_then(|digest| Digest::parse(&digest).ok());
        let earlier = earlier.and_then(|digest| self.image(&digest).ok());
        let earlier = earlier.filter(|image| image.layers.iter().all(|layer| self.has_blob(&layer.digest)));
        let unchanged = earlier.is_some();
        let image = match earlier {
            Some(image) => image,
            None => self.write_image(&scratch, &tree, &recipe, architecture)?,
        };
        let manifest_bytes = self.read_small_blob(&image.digest)?.len() as u64;
        self.name_image(&reference, Entry::new(&image, MANIFEST_TYPE, manifest_bytes, None))?;
        if !unchanged && settled(&scratch, newest_ns)? {
            scratch.replace(&note, image.digest.to_string().as_bytes())?;
        }
        Ok(Built { image, reference: reference.to_string(), unchanged, warnings: command.warnings })
    }

    fn write_image(
        &self,
        scratch: &Scratch,
        tree: &Tree,
        recipe: &Recipe,
        architecture: &str,
    ) -> Result<Image, Diagnostic> {
        let mut blob = BlobWriter::new(scratch)?;
        tree.write(&mut blob)?;
        let (layer, layer_bytes) = blob.commit(self)?;
        let config = config_json(recipe, architecture, &layer).to_string();
        let config_digest = self.put_blob(scratch, config.as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": { "mediaType": CONFIG_TYPE, "digest": config_digest.to_string(), "size": config.len() },
            "layers": [{ "mediaType": LAYER_TYPE, "digest": layer.to_string(), "size": layer_bytes }],
        });
        let digest = self.put_blob(scratch, manifest.to_string().as_bytes())?;
        Image::read(digest, &manifest, config.as_bytes())
    }
}

/// The files of the image, and the recipe with its defaults filled in.
fn plan(recipe: &Recipe) -> Result<(Tree, Recipe), Diagnostic> {
    let mut tree = Tree::default();
    let mut recipe = recipe.clone();
    match &recipe.base {
        BuildBase::Empty => {}
        BuildBase::Directory(directory) => tree.host_directory(b"", directory, 0)?,
        BuildBase::StaticBinary(binary) => {
            check_static(binary)?;
            let name = binary.file_name().ok_or_else(|| input(&format!("`{}` has no name", binary.display())))?;
            tree.host_file(name.as_bytes(), binary, Some(0o755))?;
            if recipe.entrypoint.is_empty() && recipe.cmd.is_empty() {
                recipe.entrypoint = vec![format!("/{}", name.to_string_lossy())];
            }
        }
    }
    for file in &recipe.files {
        let target = target_path(&tree, &file.target)?;
        match &file.content {
            FileContent::Bytes(bytes) => {
                let content = Content::Bytes(bytes.clone());
                tree.put(&target, Node::File { content, mode: file.mode.unwrap_or(0o644) & 0o7777 });
            }
            FileContent::Host(path) if path.is_dir() => {
                tree.directory(&target, file.mode.unwrap_or(0o755));
                tree.host_directory(&target, path, 0)?;
            }
            FileContent::Host(path) => tree.host_file(&target, path, file.mode)?,
        }
    }
    programs::add(&mut tree, &recipe.host_programs)?;
    if recipe.base == BuildBase::Empty && !recipe.host_programs.is_empty() {
        minimal_system(&mut tree);
    }
    if !recipe.working_dir.is_empty() {
        let directory = target_path(&tree, &recipe.working_dir)?;
        tree.directory(&directory, 0o755);
    }
    if let Some(pair) = recipe.env.iter().find(|pair| !pair.contains('=') || pair.starts_with('=')) {
        return Err(input(&format!("environment entry `{pair}` must be `NAME=value`")));
    }
    Ok((tree, recipe))
}

fn minimal_system(tree: &mut Tree) {
    tree.directory(b"tmp", 0o1777);
    for (path, text) in [("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"), ("etc/group", "root:x:0:\n")] {
        if tree.get(path.as_bytes()).is_none() {
            let content = Content::Bytes(text.as_bytes().to_vec());
            tree.put(path.as_bytes(), Node::File { content, mode: 0o644 });
        }
    }
}

/// A path in the image, links in its directories followed.
fn target_path(tree: &Tree, target: &str) -> Result<Vec<u8>, Diagnostic> {
    let parts: Vec<Vec<u8>> = tree::names(target.as_bytes()).collect();
    let (Some((name, above)), true) = (parts.split_last(), target.starts_with('/')) else {
        return Err(input(&format!("`{target}` must be an absolute path in the image")));
    };
    if parts.iter().any(|part| part == b"..") || target.contains('\0') {
        return Err(input(&format!("`{target}` must be a plain path, without `..`")));
    }
    let above = tree.resolve(&above.join(&b'/')).ok_or_else(|| input(&format!("`{target}` leads in circles")))?;
    Ok(if above.is_empty() { name.clone() } else { [&above, &b"/"[..], name].concat() })
}

fn check_static(binary: &Path) -> Result<(), Diagnostic> {
    let elf = libraries::read_elf(binary)?.ok_or_else(|| {
        Diagnostic::error(codes::NO_PROGRAM, format!("`{}` is no executable", binary.display()))
            .hint("give a program compiled for Linux, or a directory with a script and its interpreter")
    })?;
    if elf.is_static() {
        return Ok(());
    }
    let mut problem = Diagnostic::error(
        codes::NOT_STATIC,
        format!("`{}` is dynamically linked, so it cannot run alone in an image", binary.display()),
    );
    if let Some(interpreter) = &elf.interpreter {
        problem = problem.detail(format!("missing dynamic loader: `{interpreter}`"));
    }
    if !elf.needed.is_empty() {
        problem = problem.detail(format!("missing libraries: `{}`", elf.needed.join("`, `")));
    }
    Err(problem
        .hint("link it statically (Rust: `--target x86_64-unknown-linux-musl`, Go: `CGO_ENABLED=0`)")
        .hint("or name it in `host_programs`, which brings its libraries along"))
}

fn input(message: &str) -> Diagnostic {
    Diagnostic::error(codes::BUILD_INPUT, message)
}

fn config_json(recipe: &Recipe, architecture: &str, diff_id: &Digest) -> Value {
    let mut config = Map::new();
    let mut ports: Vec<&String> = recipe.exposed_ports.iter().collect();
    ports.sort();
    let ports: Map<String, Value> = ports.into_iter().map(|port| (port.clone(), json!({}))).collect();
    let mut add = |name: &str, present: bool, value: Value| {
        if present {
            config.insert(name.to_owned(), value);
        }
    };
    add("User", !recipe.user.is_empty(), json!(recipe.user));
    add("ExposedPorts", !ports.is_empty(), json!(ports));
    add("Env", !recipe.env.is_empty(), json!(recipe.env));
    add("Entrypoint", !recipe.entrypoint.is_empty(), json!(recipe.entrypoint));
    add("Cmd", !recipe.cmd.is_empty(), json!(recipe.cmd));
    add("WorkingDir", !recipe.working_dir.is_empty(), json!(recipe.working_dir));
    add("Labels", !recipe.labels.is_empty(), json!(recipe.labels));
    add("StopSignal", recipe.stop_signal.is_some(), json!(recipe.stop_signal));
    json!({
        "created": CREATED,
        "architecture": architecture,
        "os": "linux",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": [diff_id.to_string()] },
        "history": [{ "created": CREATED, "created_by": "neargate image build" }],
    })
}

/// What a build depends on, and when the youngest file in it last changed (nanoseconds since 1970).
fn cache_key(tree: &Tree, recipe: &Recipe, architecture: &str) -> (Digest, i128) {
    let mut text = format!("{BUILD_VERSION} {}\n", config_json(recipe, architecture, &Digest::of(b"")));
    let mut newest_ns = i128::MIN;
    for (path, node) in tree.nodes() {
        let _ = write!(text, "{} ", path.escape_ascii());
        let _ = match node {
            Node::Directory { mode } => writeln!(text, "d {mode:o}"),
            Node::Fifo { mode } => writeln!(text, "p {mode:o}"),
            Node::Symlink { target } => writeln!(text, "l {}", target.escape_ascii()),
            Node::HardLink { target } => writeln!(text, "h {}", target.escape_ascii()),
            Node::File { content: Content::Bytes(bytes), mode } => writeln!(text, "b {mode:o} {}", Digest::of(bytes)),
            Node::File { content: Content::Host { path, metadata: m }, mode } => {
                let changed_ns = i128::from(m.ctime()) * 1_000_000_000 + i128::from(m.ctime_nsec());
                newest_ns = newest_ns.max(changed_ns);
                let path = path.as_os_str().as_bytes().escape_ascii();
                let times = format!("{}.{} {changed_ns}", m.mtime(), m.mtime_nsec());
                writeln!(text, "f {mode:o} {path} {} {} {} {times}", m.dev(), m.ino(), m.len())
            }
        };
    }
    (Digest::of(text.as_bytes()), newest_ns)
}

/// Whether the youngest file is old enough for a later change to show. Time is the file system's own.
fn settled(scratch: &Scratch, newest_ns: i128) -> Result<bool, Diagnostic> {
    let (path, file) = scratch.file()?;
    let metadata = file.metadata().map_err(|e| io_error("read", &path, &e))?;
    let now_ns = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    Ok(newest_ns.saturating_add(SETTLED_NS) < now_ns)
}
