//! The power goes, or the disk refuses, at each step in turn.

use std::time::{Duration, SystemTime};

use neargate_base::Digest;
use rustix::io::Errno;

use super::faulty::{Fault, FaultyDisk};
use super::{bytes, files, key, put, read};
use crate::format::CHUNK_BYTES;
use crate::{BlobError, Blobs, Limits};

const SEEDS: u64 = 8;

/// What an engine does with a store; what is durable as far as it was told goes to `acknowledged`.
fn work(blobs: &Blobs, acknowledged: &mut Vec<(Digest, Vec<u8>)>) -> Result<(), BlobError> {
    let first = bytes(1, 2 * CHUNK_BYTES + 17);
    let again = first.clone();
    for body in [first, again, bytes(2, CHUNK_BYTES), Vec::new()] {
        acknowledged.push((put(blobs, &body)?.blob().digest, body));
    }
    let mut broken = blobs.upload()?;
    broken.write(&bytes(3, 2 * CHUNK_BYTES))?;
    drop(broken);
    // Nobody refers to this one: it may go, and must not harm the others.
    put(blobs, &bytes(4, 100))?;
    let sweep = blobs.begin_sweep()?;
    sweep.run(acknowledged.iter().map(|(digest, _)| *digest), later())?;
    let body = bytes(5, 3);
    acknowledged.push((put(blobs, &body)?.blob().digest, body));
    Ok(())
}

/// What is lost is said by the disk of the test; one in memory is as good, and faster.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

fn check_after(folder: &std::path::Path, old: &(Digest, Vec<u8>), acknowledged: &[(Digest, Vec<u8>)], context: &str) {
    let blobs = Blobs::open(folder, &key(), Limits::default()).unwrap();
    let uploads = files(folder).into_iter().filter(|path| path.starts_with("uploads/")).count();
    assert_eq!(uploads, 0, "{context}");
    let held: Vec<_> = acknowledged.iter().chain([old]).collect();
    for (digest, body) in &held {
        assert_eq!(read(&blobs, digest).unwrap(), *body, "{context}");
    }
    // What has a name and was not acknowledged is whole all the same.
    for (seed, length) in [(1, 2 * CHUNK_BYTES + 17), (2, CHUNK_BYTES), (4, 100), (5, 3)] {
        let body = bytes(seed, length);
        let digest = Digest::new(<sha2::Sha256 as sha2::Digest>::digest(&body).into());
        match read(&blobs, &digest) {
            Ok(found) => assert_eq!(found, body, "{context}"),
            Err(error) => assert!(matches!(error, BlobError::NotFound(_)), "{context}: {error}"),
        }
    }
    blobs.begin_sweep().unwrap().run(held.iter().map(|(digest, _)| *digest), later()).unwrap();
    let expected = held.iter().map(|(digest, _)| blobs.0.keys.name(digest).path()).collect();
    assert_eq!(files(folder), expected, "{context}");
}

#[test]
fn a_crash_at_any_step_loses_nothing_acknowledged_and_leaves_nothing_else() {
    let mut crashes = 0;
    for fail_at in 0.. {
        let mut done = false;
        for seed in 0..SEEDS {
            let folder = in_memory();
            let body = bytes(6, 5000);
            let blobs = Blobs::open(folder.path(), &key(), Limits::default()).unwrap();
            let old = (put(&blobs, &body).unwrap().blob().digest, body);
            drop(blobs);

            let disk = FaultyDisk::new(fail_at, Fault::Crash);
            let mut acknowledged = vec![old.clone()];
            let opened = Blobs::open_on(Box::new(disk.clone()), folder.path(), &key(), Limits::default());
            let ended = opened.and_then(|blobs| work(&blobs, &mut acknowledged));
            let context = format!("step {fail_at}, seed {seed}");
            assert_eq!(ended.is_err(), disk.failed(), "{context}: {ended:?}");
            done = !disk.failed();
            disk.lose(&mut fastrand::Rng::with_seed(seed));
            check_after(folder.path(), &old, &acknowledged, &context);
        }
        if done {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 40, "only {crashes} steps");
}

#[test]
fn a_disk_that_refuses_a_step_is_reported_and_nothing_stays_behind() {
    for errno in [Errno::NOSPC, Errno::DQUOT, Errno::IO] {
        for fail_at in 2.. {
            let folder = in_memory();
            let body = bytes(6, 5000);
            let blobs = Blobs::open(folder.path(), &key(), Limits::default()).unwrap();
            let old = (put(&blobs, &body).unwrap().blob().digest, body);
            drop(blobs);

            // The first two steps are of opening.
            let disk = FaultyDisk::new(fail_at, Fault::Error(errno));
            let blobs = Blobs::open_on(Box::new(disk.clone()), folder.path(), &key(), Limits::default()).unwrap();
            let mut acknowledged = vec![old.clone()];
            let ended = work(&blobs, &mut acknowledged);
            let context = format!("{errno} at step {fail_at}");
            if !disk.failed() {
                ended.unwrap();
                break;
            }
            // The removal of an upload that was given up is tried once; what stays goes when the store is opened.
            let full = errno != Errno::IO;
            match ended {
                Err(BlobError::Full { .. }) => assert!(full, "{context}"),
                Err(BlobError::Io { .. }) => assert!(!full, "{context}"),
                Err(other) => panic!("{context}: {other}"),
                Ok(()) => {}
            }
            assert_eq!(blobs.0.uploads.load(std::sync::atomic::Ordering::Acquire), 0, "{context}");
            assert_eq!(blobs.0.upload_bytes.load(std::sync::atomic::Ordering::Acquire), 0, "{context}");
            assert!(blobs.0.lock_names().kept.is_empty(), "{context}");
            // The store goes on.
            acknowledged.clear();
            work(&blobs, &mut acknowledged).unwrap();
            acknowledged.push((put(&blobs, &old.1).unwrap().blob().digest, old.1.clone()));
            drop(blobs);
            check_after(folder.path(), &old, &acknowledged, &context);
        }
    }
}
