//! Files that were changed from outside.

use std::fs;
use std::io::{ErrorKind, Read as _};

use super::{bytes, files, key, put};
use crate::format::{CHUNK_BYTES, HEADER_BYTES};
use crate::{BlobError, Blobs, Limits, StoreKey};

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path(), &key(), Limits::default()).unwrap();
    let body = bytes(1, CHUNK_BYTES + 40);
    let digest = put(&blobs, &body).unwrap().blob().digest;
    let path = folder.path().join(files(folder.path()).pop_first().unwrap());
    let good = fs::read(&path).unwrap();
    let places = (0..HEADER_BYTES).chain([HEADER_BYTES, HEADER_BYTES + CHUNK_BYTES, good.len() - 1]);
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&path, &bad).unwrap();
        match blobs.get(&digest) {
            Err(BlobError::Damaged { .. }) => assert!(place < HEADER_BYTES, "{place}"),
            Ok(reader) => {
                assert!(place >= HEADER_BYTES, "{place}");
                let error = reader.all().read_to_end(&mut Vec::new()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{place}");
            }
            Err(other) => panic!("{place}: {other}"),
        }
    }
}

#[test]
fn a_file_that_was_cut_lengthened_or_swapped_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path(), &key(), Limits::default()).unwrap();
    let digest = put(&blobs, &bytes(1, 2 * CHUNK_BYTES)).unwrap().blob().digest;
    let path = folder.path().join(files(folder.path()).pop_first().unwrap());
    let good = fs::read(&path).unwrap();
    let other = put(&blobs, &bytes(2, 2 * CHUNK_BYTES)).unwrap().blob().digest;
    let other = fs::read(folder.path().join(blobs.0.keys.name(&other).path())).unwrap();
    let longer: Vec<u8> = good.iter().copied().chain([0]).collect();
    // A chunk less, byte for byte at its border, too.
    let shorter = &good[..good.len() - CHUNK_BYTES - 16];
    for bad in [&[], &good[..50], &good[..good.len() - 1], shorter, &longer, &other] {
        fs::write(&path, bad).unwrap();
        let found = blobs.get(&digest);
        assert!(matches!(found, Err(BlobError::Damaged { .. })), "{} bytes: {found:?}", bad.len());
    }
    fs::write(&path, &good).unwrap();
    assert!(blobs.get(&digest).is_ok());
    // A link to it elsewhere is not followed.
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert!(matches!(blobs.get(&digest), Err(BlobError::Io { .. })));
}

#[test]
fn nothing_is_in_clear_and_another_key_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path(), &key(), Limits::default()).unwrap();
    let body = b"a sentence that would be found again ".repeat(5000);
    let digest = put(&blobs, &body).unwrap().blob().digest;
    let path = files(folder.path()).pop_first().unwrap();
    let digits = digest.to_string();
    let digits = digits.strip_prefix("sha256:").unwrap();
    assert!(!path.contains(digits) && path.len() == 3 + digits.len());
    let stored = fs::read(folder.path().join(&path)).unwrap();
    assert!(!stored.windows(20).any(|window| window == &body[..20]));
    assert!(!stored.windows(32).any(|window| window == digest.bytes()));
    // The same bytes twice have different files.
    let digest_again = put(&blobs, &body).unwrap().blob().digest;
    assert_eq!(digest_again, digest);
    assert_ne!(fs::read(folder.path().join(&path)).unwrap(), stored);

    let stranger = Blobs::open(folder.path(), &StoreKey::new([8; 32]), Limits::default()).unwrap();
    assert!(matches!(stranger.get(&digest), Err(BlobError::NotFound(_))));
    let theirs = folder.path().join(stranger.0.keys.name(&digest).path());
    fs::copy(folder.path().join(&path), theirs).unwrap();
    assert!(matches!(stranger.get(&digest), Err(BlobError::Damaged { .. })));
}

#[test]
fn files_and_folders_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path(), &key(), Limits::default()).unwrap();
    put(&blobs, b"x").unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    for shard in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(mode(&shard.unwrap().path()), 0);
    }
    for file in files(folder.path()) {
        assert_eq!(mode(&folder.path().join(file)), 0);
    }
}
