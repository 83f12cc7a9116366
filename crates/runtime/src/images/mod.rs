//! Images without a daemon: a store that any OCI tool can read, and the root file systems made from it.
//!
//! ```text
//! ImageStore::open(dir)          one store on disk, an OCI image layout: list, resolve, tag, remove, gc
//!   .build(&Recipe, name)        an image from a directory, one static program, or programs of this machine
//!   .import(path, name)          an OCI layout or docker archive, directory or (gzipped) tar
//!   .export(name, path)          an OCI layout that skopeo, umoci and `docker load` read
//! ImageStores::open(dir, behind) a writable store in front of others that are only read: resolve, rootfs
//!   .resolve("corp/app:1.0")     -> Option<Image>: digest, configuration, layers
//!   .rootfs(&image)              -> RootFs: lower directories for overlayfs, top first, each held by a lease
//! ```
//! Everything is synchronous; a caller in async code runs it on a blocking thread. Several processes may use one store at once:
//! files appear by rename only, the index changes under a lock, and what a killed process left in `tmp/` goes at the next open.
//!
//! Invariant: content is believed only after its digest was computed; what fails leaves nothing behind but `tmp/`.
//!
//! Invariant: unpacking takes at most 128 MiB, whatever an archive holds: what would take more is on disk or is refused.
//!
//! Invariant: nothing here reaches the network, and nothing runs a program of an image.

mod archive;
mod blobs;
mod build;
pub mod codes;
mod compression;
mod digest;
mod export;
mod gc;
mod image;
mod import;
mod index;
mod json;
mod platform;
mod reference;
mod removal;
mod rootfs;
mod store;
mod stores;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
pub(crate) use build::elf::{Bytes, Elf};
pub use build::{BuildBase, Built, FileContent, Recipe, RecipeFile};
pub use digest::Digest;
pub use gc::Collected;
pub use image::{Image, ImageConfig, Layer};
pub use import::Imported;
pub use platform::{Misfit, Platform, host_architecture};
pub use reference::Reference;
pub use removal::remove_tree;
pub use rootfs::{Limits, RootFs};
pub use store::{ImageStore, Listed};
pub use stores::ImageStores;
