//! Several stores searched as one: a writable one in front of others that are only read.
//!
//! Invariant: everything made goes to the front store; the others never change.

use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use super::image::Image;
use super::rootfs::{Limits, RootFs, extract};
use super::store::{ImageStore, Listed, not_found};

/// A writable store in front of read-only ones.
#[derive(Clone, Debug)]
pub struct ImageStores {
    front: ImageStore,
    behind: Vec<ImageStore>,
}

impl ImageStores {
    /// Opens the front store, making it where there is none. Those behind need not exist (yet).
    ///
    /// # Errors
    /// As [`ImageStore::open`].
    pub fn open(front: &Path, behind: &[PathBuf]) -> Result<Self, Diagnostic> {
        let behind = behind.iter().filter(|dir| dir.as_path() != front);
        Ok(Self { front: ImageStore::open(front)?, behind: behind.map(|dir| ImageStore::read_only(dir)).collect() })
    }

    /// The store that is written to.
    pub fn front(&self) -> &ImageStore {
        &self.front
    }

    /// The first store's image of this name.
    ///
    /// # Errors
    /// As [`ImageStore::resolve`].
    pub fn resolve(&self, reference: &str) -> Result<Option<Image>, Diagnostic> {
        for store in self.all() {
            if let Some(image) = store.resolve(reference)? {
                return Ok(Some(image));
            }
        }
        Ok(None)
    }

    /// The image of this name, or an error that says what to do.
    ///
    /// # Errors
    /// `NG-R0104` when no store has it, `NG-R0113` when it is for another architecture, else as [`ImageStore::resolve`].
    pub fn require(&self, reference: &str) -> Result<Image, Diagnostic> {
        let image = self.resolve(reference)?.ok_or_else(|| not_found(reference))?;
        match image.platform_problem() {
            Some(problem) => Err(problem.at(reference)),
            None => Ok(image),
        }
    }

    /// All names, sorted; where two stores have a name, the image of the first.
    ///
    /// # Errors
    /// As [`ImageStore::list`].
    pub fn list(&self) -> Result<Vec<Listed>, Diagnostic> {
        let mut rows: Vec<Listed> = Vec::new();
        for store in self.all() {
            let known = rows.len();
            for row in store.list()? {
                if !rows.iter().take(known).any(|other| other.name == row.name && !row.name.is_empty()) {
                    rows.push(row);
                }
            }
        }
        rows.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        Ok(rows)
    }

    /// The lower directories of the image's root file system, extracting the layers that are not there yet.
    ///
    /// # Errors
    /// See [`ImageStore::rootfs`].
    pub fn rootfs(&self, image: &Image) -> Result<RootFs, Diagnostic> {
        self.rootfs_within(image, &Limits::default())
    }

    /// [`ImageStores::rootfs`] with other limits.
    ///
    /// # Errors
    /// See [`ImageStore::rootfs`].
    pub fn rootfs_within(&self, image: &Image, limits: &Limits) -> Result<RootFs, Diagnostic> {
        let stores: Vec<&ImageStore> = self.all().collect();
        extract(&self.front, &stores, image, limits)
    }

    fn all(&self) -> impl Iterator<Item = &ImageStore> {
        std::iter::once(&self.front).chain(&self.behind)
    }
}

impl ImageStore {
    /// The lower directories of the image's root file system, extracting the layers that are not there yet.
    ///
    /// # Errors
    /// `NG-R0105`–`NG-R0110` for a damaged, hostile, oversized or unsupported layer; nothing of it is kept.
    pub fn rootfs(&self, image: &Image) -> Result<RootFs, Diagnostic> {
        extract(self, &[self], image, &Limits::default())
    }
}
