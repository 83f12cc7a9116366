//! A disk that is really full: a small tmpfs in a mount namespace of its own.
//!
//! Invariant: nothing outside the namespace is mounted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::path::Path;
use std::process::{Command, ExitCode};

use neargate_blobs::{BlobError, Blobs, Limits, StoreKey};
use neargate_testkit::needs::{Need, missing_root, needs};

const FOLDER: &str = "NEARGATE_TEST_FULL_DISK";

fn main() -> ExitCode {
    if let Ok(folder) = std::env::var(FOLDER) {
        fill(Path::new(&folder));
        return ExitCode::SUCCESS;
    }
    let missing = missing_root;
    neargate_testkit::needs::run(&[Need { name: "mounts", required_by: "NEARGATE_REQUIRE_CONTAINERS", missing }])
}

#[needs(mounts)]
fn a_full_disk_is_reported_and_freed_again() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4m tmpfs \"$1\" && exec \"$0\"";
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(folder.path())
        .env(FOLDER, folder.path())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// What runs where the folder has 4 MiB.
fn fill(folder: &Path) {
    let limits = Limits { free_bytes_min: 0, ..Limits::default() };
    let blobs = Blobs::open(folder, &StoreKey::new([1; 32]), limits).unwrap();
    let mut first = blobs.upload().unwrap();
    first.write(&[1; 1 << 20]).unwrap();
    let first = first.finish(None).unwrap();

    for _ in 0..3 {
        let mut upload = blobs.upload().unwrap();
        let failed = (0..100).find_map(|_| upload.write(&[2; 100_000]).err()).unwrap();
        assert!(matches!(failed, BlobError::Full { .. }), "{failed}");
        assert!(failed.to_string().ends_with(" is full"), "{failed}");
        drop(upload);
        assert_eq!(std::fs::read_dir(folder.join("uploads")).unwrap().count(), 0);
    }
    // The room is there again, and what was there is whole.
    let mut second = blobs.upload().unwrap();
    second.write(&[3; 2 << 20]).unwrap();
    let second = second.finish(None).unwrap();
    for (kept, byte) in [(first, 1), (second, 3)] {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut blobs.get(&kept.blob().digest).unwrap().all(), &mut bytes).unwrap();
        assert!(bytes.len() as u64 == kept.blob().length && bytes.iter().all(|found| *found == byte));
    }

    // The journal beside it keeps its room.
    let limits = Limits { free_bytes_min: 2 << 20, ..Limits::default() };
    let blobs = Blobs::open(folder, &StoreKey::new([1; 32]), limits).unwrap();
    assert!(matches!(blobs.upload(), Err(BlobError::Full { .. })));
}
