//! One image store on disk.
//!
//! ```text
//! oci-layout, index.json, blobs/sha256/<hex>   an OCI image layout; the names are `org.opencontainers.image.ref.name`
//! layers/<chain id>/                           a layer extracted in overlayfs form over the layers below it
//! builds/<key>                                 manifest digest of what a build with this key made
//! tmp/                                         unfinished work, one directory each
//! index.lock, work.lock                        `flock`ed: index.lock while the index changes; work.lock shared by whoever has
//!                                              unfinished work, exclusive for garbage collection and the sweep of tmp/
//! ```
//!
//! Invariant: locks are taken in the order work.lock, a layer's lock, index.lock.
//!
//! Invariant: a store opened to be read is never written to.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use neargate_base::Diagnostic;
use serde_json::Value;

use super::codes::{self, io_error};
use super::digest::Digest;
use super::image::Image;
use super::index::{Entry, Index};
use super::reference::Reference;
use super::removal::remove_tree;

const LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// An image store: an OCI image layout with extracted layers beside it.
#[derive(Clone, Debug)]
pub struct ImageStore {
    dir: PathBuf,
    writable: bool,
}

/// A name in a store and what it stands for.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The name in full, `docker.io/library/alpine:latest`, or as another tool wrote it; empty for an image without one.
    pub name: String,
    /// Digest of the manifest.
    pub digest: Digest,
    /// The image, or why it does not read.
    pub image: Result<Image, Diagnostic>,
}

impl ImageStore {
    /// Opens the store in `dir`, making it where there is none, and sweeps what killed processes left.
    ///
    /// # Errors
    /// `NG-R0102` for a store of an unknown format, `NG-R0103` when the directory cannot be written.
    pub fn open(dir: &Path) -> Result<Self, Diagnostic> {
        let dir = std::path::absolute(dir).map_err(|e| io_error("open", dir, &e))?;
        let store = Self { dir, writable: true };
        for name in ["blobs/sha256", "builds", "tmp", "layers"] {
            let path = store.dir.join(name);
            fs::create_dir_all(&path).map_err(|e| io_error("create", &path, &e))?;
        }
        // Extracted layers hold set-user-id programs: nobody else may reach them through the store.
        for name in ["tmp", "layers"] {
            let path = store.dir.join(name);
            fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(|e| io_error("restrict", &path, &e))?;
        }
        store.sweep()?;
        let layout = store.dir.join("oci-layout");
        if layout.exists() {
            check_layout(&layout)?;
        } else {
            store.scratch()?.replace(&layout, LAYOUT.as_bytes())?;
        }
        if store.index_path().exists() {
            store.index()?;
        } else {
            store.update_index(|_| Ok(()))?;
        }
        Ok(store)
    }

    /// The store in `dir`, only to be read. It need not exist (yet): then it holds nothing.
    pub fn read_only(dir: &Path) -> Self {
        Self { dir: std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()), writable: false }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All names in the store, sorted.
    ///
    /// # Errors
    /// `NG-R0103` and `NG-R0105` when the index does not read. One bad image is reported in its own row.
    pub fn list(&self) -> Result<Vec<Listed>, Diagnostic> {
        let mut rows: Vec<Listed> = Vec::new();
        for entry in self.index()?.entries() {
            let digest = entry.digest()?;
            let name = entry.reference().map_or_else(|| entry.name().to_owned(), |reference| reference.to_string());
            rows.push(Listed { name, image: self.image(&digest), digest });
        }
        rows.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        Ok(rows)
    }

    /// The image with this name, `name@sha256:…`, or `sha256:…` (of manifest or configuration); none if the store lacks it.
    ///
    /// # Errors
    /// `NG-R0101` for a malformed reference, `NG-R0105` for a damaged image.
    pub fn resolve(&self, reference: &str) -> Result<Option<Image>, Diagnostic> {
        if reference.starts_with("sha256:") {
            return self.resolve_digest(&Digest::parse(reference)?);
        }
        let reference = Reference::parse(reference)?;
        let index = self.index()?;
        match index.find(&reference) {
            Some(entry) => {
                let image = self.image(&entry.digest()?)?;
                // Who names the image itself means no other one of its index.
                let is_picked = reference.digest() != Some(&image.digest);
                Ok(Some(Image { offered: if is_picked { entry.offered() } else { vec![] }, ..image }))
            }
            None => Ok(None),
        }
    }

    /// Gives the image `source` the further name `target`, taking it from another image that has it. A target with a digest
    /// makes it the stand-in for an image that the store lacks.
    ///
    /// # Errors
    /// `NG-R0104` without an image `source`, `NG-R0101` for a malformed name.
    pub fn tag(&self, source: &str, target: &str) -> Result<(), Diagnostic> {
        let target = name(target)?;
        let image = self.resolve(source)?.ok_or_else(|| not_found(source))?;
        self.update_index(|index| {
            let entry = index.entries().find(|e| e.digest().is_ok_and(|d| d == image.digest)).cloned();
            index.put(&target, entry.ok_or_else(|| not_found(source))?);
            Ok(())
        })
    }

    /// Forgets a name; answers whether it was there. Its content goes with the next [`ImageStore::gc`].
    ///
    /// # Errors
    /// `NG-R0101` for a malformed reference, `NG-R0103` when the index cannot be written.
    pub fn remove(&self, reference: &str) -> Result<bool, Diagnostic> {
        let by_digest = if reference.starts_with("sha256:") {
            match self.resolve(reference)? {
                Some(image) => Some(image.digest),
                None => return Ok(false),
            }
        } else {
            None
        };
        let parsed = if by_digest.is_some() { None } else { Some(Reference::parse(reference)?) };
        self.update_index(|index| {
            Ok(index.retain(|entry| match (&by_digest, &parsed) {
                (Some(digest), _) => entry.digest().as_ref().ok() != Some(digest),
                (None, Some(reference)) => !entry.answers_to(reference),
                (None, None) => true,
            }))
        })
    }

    /// The image with this manifest digest.
    pub(crate) fn image(&self, digest: &Digest) -> Result<Image, Diagnostic> {
        let manifest: Value = self.read_json_blob(digest)?;
        let config_digest = super::image::descriptor_digest(manifest.get("config"))?;
        Image::read(digest.clone(), &manifest, &self.read_small_blob(&config_digest)?)
    }

    fn resolve_digest(&self, digest: &Digest) -> Result<Option<Image>, Diagnostic> {
        for entry in self.index()?.entries() {
            let manifest = entry.digest()?;
            if manifest == *digest {
                return self.image(&manifest).map(Some);
            }
            if entry.index_digest().as_ref() == Some(digest) {
                return Ok(Some(Image { offered: entry.offered(), ..self.image(&manifest)? }));
            }
            match self.image(&manifest) {
                Ok(image) if image.config_digest == *digest => return Ok(Some(image)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn index_path(&self) -> PathBuf {
        self.dir.join("index.json")
    }

    pub(crate) fn index(&self) -> Result<Index, Diagnostic> {
        let path = self.index_path();
        match fs::read(&path) {
            Ok(bytes) => Index::parse(&bytes, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(error) => Err(io_error("read", &path, &error)),
        }
    }

    /// Changes the index under its lock. What `change` refers to must be on disk by now.
    pub(crate) fn update_index<T>(
        &self,
        change: impl FnOnce(&mut Index) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let scratch = self.scratch()?;
        let lock = self.dir.join("index.lock");
        let _lock = lock_exclusive(&lock)?;
        let blobs = self.dir.join("blobs/sha256");
        sync_dir(&blobs)?;
        let mut index = self.index()?;
        let answer = change(&mut index)?;
        scratch.replace(&self.index_path(), &index.to_bytes())?;
        Ok(answer)
    }

    /// Records one image under a name.
    pub(crate) fn name_image(&self, reference: &Reference, entry: Entry) -> Result<(), Diagnostic> {
        self.update_index(|index| {
            index.put(reference, entry);
            Ok(())
        })
    }

    /// A directory for unfinished work, gone when dropped. While it lives nothing is collected.
    pub(crate) fn scratch(&self) -> Result<Scratch, Diagnostic> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        if !self.writable {
            return Err(Diagnostic::error(
                codes::READ_ONLY,
                format!("image store `{}` is only read here", self.dir.display()),
            ));
        }
        let work = self.work_lock()?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = self.dir.join("tmp").join(format!("{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Scratch { path, _work: work, files: AtomicU64::new(0) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io_error("create", &path, &error)),
            }
        }
    }

    /// Keeps garbage collection away while the file is open.
    pub(crate) fn work_lock(&self) -> Result<File, Diagnostic> {
        let path = self.dir.join("work.lock");
        let file = if self.writable {
            open_lock(&path)?
        } else {
            File::open(&path).map_err(|e| io_error("open", &path, &e))?
        };
        file.lock_shared().map_err(|e| io_error("lock", &path, &e))?;
        Ok(file)
    }

    /// Waits until nobody has unfinished work and keeps it so while the file is open.
    pub(crate) fn quiet_lock(&self) -> Result<File, Diagnostic> {
        lock_exclusive(&self.dir.join("work.lock"))
    }

    /// Removes what is in `tmp/` if no process is at work, for then nobody will finish it.
    fn sweep(&self) -> Result<(), Diagnostic> {
        let path = self.dir.join("work.lock");
        let lock = open_lock(&path)?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        let tmp = self.dir.join("tmp");
        for entry in fs::read_dir(&tmp).map_err(|e| io_error("read", &tmp, &e))?.flatten() {
            let leftover = entry.path();
            remove_tree(&leftover).map_err(|e| io_error("remove", &leftover, &e))?;
        }
        Ok(())
    }
}

/// Unfinished work of one caller: a private directory in `tmp/`.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    _work: File,
    files: AtomicU64,
}

impl Scratch {
    /// A fresh path in it.
    pub(crate) fn fresh(&self) -> PathBuf {
        self.path.join(self.files.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// A new file in it.
    pub(crate) fn file(&self) -> Result<(PathBuf, File), Diagnostic> {
        let path = self.fresh();
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        file.map(|file| (path.clone(), file)).map_err(|e| io_error("create", &path, &e))
    }

    /// Puts these bytes at `target` in one step that survives a power cut.
    pub(crate) fn replace(&self, target: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
        let (path, mut file) = self.file()?;
        io::Write::write_all(&mut file, bytes).map_err(|e| io_error("write", &path, &e))?;
        file.sync_all().map_err(|e| io_error("write", &path, &e))?;
        fs::rename(&path, target).map_err(|e| io_error("replace", target, &e))?;
        target.parent().map_or(Ok(()), sync_dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is swept at the next open.
        let _ = remove_tree(&self.path);
    }
}

/// Makes renames in this directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Diagnostic> {
    File::open(dir).and_then(|file| file.sync_all()).map_err(|e| io_error("write", dir, &e))
}

/// Waits for the lock file at `path` and holds it while the file is open.
pub(crate) fn lock_exclusive(path: &Path) -> Result<File, Diagnostic> {
    let file = open_lock(path)?;
    file.lock().map_err(|e| io_error("lock", path, &e))?;
    Ok(file)
}

fn open_lock(path: &Path) -> Result<File, Diagnostic> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    file.map_err(|e| io_error("open", path, &e))
}

/// A reference as the index has it. One with a digest names a stand-in for the image that has this digest.
pub(crate) fn name(text: &str) -> Result<Reference, Diagnostic> {
    Ok(Reference::parse(text)?.without_tag_beside_digest())
}

/// No image of this name.
pub(crate) fn not_found(reference: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_FOUND, format!("there is no image `{reference}` in the store"))
        .hint("`neargate image ls` shows what there is; `neargate image import` and `neargate image build` add to it")
}

fn check_layout(path: &Path) -> Result<(), Diagnostic> {
    let bytes = fs::read(path).map_err(|e| io_error("read", path, &e))?;
    let version = serde_json::from_slice::<Value>(&bytes).ok();
    let version = version.as_ref().and_then(|v| v.get("imageLayoutVersion")).and_then(Value::as_str);
    match version {
        Some(version) if version.starts_with("1.") => Ok(()),
        other => Err(Diagnostic::error(
            codes::STORE_FORMAT,
            format!("`{}` has image layout version `{}`, expected `1.0.0`", path.display(), other.unwrap_or("none")),
        )
        .hint("give another directory for the image store")),
    }
}
