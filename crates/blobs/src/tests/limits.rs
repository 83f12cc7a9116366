//! Bounds, and what a sweep keeps.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};

use super::{bytes, files, key, put, read};
use crate::names::TOUCHED_MAX;
use crate::{BlobError, Blobs, Limits, Swept};

fn open(folder: &tempfile::TempDir, limits: Limits) -> Blobs {
    Blobs::open(folder.path(), &key(), limits).unwrap()
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

#[test]
fn uploads_are_bounded_in_number_and_bytes_and_give_back_what_they_held() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { uploads_max: 2, upload_bytes_max: 300_000, blob_bytes_max: 200_000, ..Limits::default() };
    let blobs = open(&folder, limits);
    let mut first = blobs.upload().unwrap();
    let mut second = blobs.upload().unwrap();
    assert!(matches!(blobs.upload(), Err(BlobError::TooManyUploads { max: 2 })));
    first.write(&bytes(1, 200_000)).unwrap();
    assert!(matches!(first.write(b"x"), Err(BlobError::TooLong { max: 200_000 })));
    second.write(&bytes(2, 100_000)).unwrap();
    assert!(matches!(second.write(b"x"), Err(BlobError::TooManyBytes { max: 300_000 })));
    drop(first);
    second.write(b"x").unwrap();
    assert_eq!(second.length(), 100_001);
    let kept = second.finish(None).unwrap();
    assert_eq!(kept.blob().length, 100_001);
    assert_eq!(files(folder.path()).len(), 1);
    // All is given back.
    let _both = (blobs.upload().unwrap(), blobs.upload().unwrap());
}

#[test]
fn what_must_stay_free_stays_free() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(&folder, Limits { free_bytes_min: u64::MAX, ..Limits::default() });
    assert!(matches!(blobs.upload(), Err(BlobError::Full { .. })));
    assert_eq!(files(folder.path()), BTreeSet::new());
}

#[test]
fn other_bytes_than_were_announced_are_no_blob() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(&folder, Limits::default());
    let announced = put(&blobs, b"one").unwrap().blob();
    let mut upload = blobs.upload().unwrap();
    upload.write(b"two").unwrap();
    assert!(matches!(upload.finish(Some(announced)), Err(BlobError::Mismatch { .. })));
    assert_eq!(files(folder.path()).len(), 1);
    let mut upload = blobs.upload().unwrap();
    upload.write(b"one").unwrap();
    assert_eq!(upload.finish(Some(announced)).unwrap().blob(), announced);
}

#[test]
fn a_sweep_keeps_what_is_known_held_touched_or_young() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(&folder, Limits::default());
    let known = put(&blobs, b"known").unwrap().blob().digest;
    let held = put(&blobs, b"held").unwrap();
    let forgotten = put(&blobs, b"forgotten").unwrap().blob().digest;
    let copied = put(&blobs, b"copied").unwrap().blob().digest;
    let open_to_read = blobs.get(&forgotten).unwrap();
    fs::write(folder.path().join("00/not-ours"), "").unwrap();

    let young = blobs.begin_sweep().unwrap().run([known].into_iter(), SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(young, Swept { known: 1, spared: 3, removed: 0, removed_bytes: 0 });

    let early = put(&blobs, b"early").unwrap();
    let sweep = blobs.begin_sweep().unwrap();
    assert!(matches!(blobs.begin_sweep(), Err(BlobError::SweepRunning)));
    // Its record is durable after the references were collected.
    let early = {
        let digest = early.blob().digest;
        drop(early);
        digest
    };
    // After the references were collected somebody refers to it again, and is done before the sweep comes by.
    drop(blobs.keep(&copied).unwrap());
    let new = put(&blobs, b"new").unwrap().blob().digest;
    let swept = sweep.run([known].into_iter(), later()).unwrap();
    assert_eq!((swept.known, swept.spared, swept.removed), (1, 4, 1));
    for digest in [known, held.blob().digest, copied, new, early] {
        assert!(read(&blobs, &digest).is_ok());
    }
    assert!(matches!(blobs.get(&forgotten), Err(BlobError::NotFound(_))));
    assert!(matches!(blobs.keep(&forgotten), Err(BlobError::NotFound(_))));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut open_to_read.all(), &mut text).unwrap();
    assert_eq!(text, "forgotten");

    let second = held.clone();
    drop(held);
    let swept = blobs.begin_sweep().unwrap().run([known].into_iter(), later()).unwrap();
    assert_eq!((swept.spared, swept.removed), (1, 3));
    drop(second);
    let swept = blobs.begin_sweep().unwrap().run([].into_iter(), later()).unwrap();
    assert_eq!((swept.spared, swept.removed), (0, 2));
    assert_eq!(files(folder.path()), BTreeSet::from(["00/not-ours".to_owned()]));
}

#[test]
fn a_sweep_that_cannot_remember_all_removes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(&folder, Limits::default());
    put(&blobs, b"forgotten").unwrap();
    let sweep = blobs.begin_sweep().unwrap();
    for number in 0..=TOUCHED_MAX as u64 {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        drop(crate::names::hold(&blobs.0, blobs.0.keys.name(&neargate_base::Digest::new(digest))));
    }
    assert_eq!(sweep.run([].into_iter(), later()).unwrap().removed, 0);
    assert_eq!(blobs.begin_sweep().unwrap().run([].into_iter(), later()).unwrap().removed, 1);
}
