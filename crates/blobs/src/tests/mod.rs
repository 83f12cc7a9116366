//! What needs the inside: steps of the disk that fail, damaged files.
//!
//! Invariant: random bytes come from fixed seeds; a failure names its seed and step.

mod crash;
mod damage;
mod faulty;
mod limits;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use neargate_base::Digest;

use crate::{BlobError, Blobs, Kept, StoreKey};

fn key() -> StoreKey {
    StoreKey::new([9; 32])
}

/// Bytes that differ from seed to seed and from chunk to chunk.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| random.u8(..)).collect()
}

fn put(blobs: &Blobs, bytes: &[u8]) -> Result<Kept, BlobError> {
    let mut upload = blobs.upload()?;
    for piece in bytes.chunks(10_000) {
        upload.write(piece)?;
    }
    upload.finish(None)
}

fn read(blobs: &Blobs, digest: &Digest) -> Result<Vec<u8>, BlobError> {
    let mut bytes = Vec::new();
    blobs.get(digest)?.all().read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

/// The paths of all files, relative to the folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for shard in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(shard.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}
