//! A store beside a plain vector, and many threads at one store.
//!
//! Invariant: random bytes come from seeds that a failure names.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, Read as _};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use neargate_base::{BlobRef, Digest};
use neargate_blobs::{Blobs, Limits, StoreKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const CHUNK: usize = 64 << 10;

fn open(folder: &std::path::Path) -> Blobs {
    Blobs::open(folder, &StoreKey::new([3; 32]), Limits::default()).unwrap()
}

fn body(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Lengths and offsets at and about the borders of chunks, and anywhere.
fn place() -> impl Strategy<Value = usize> {
    prop_oneof![
        (0..4_usize, 0..3_usize).prop_map(|(chunks, about)| (chunks * CHUNK + about).saturating_sub(1)),
        0..4 * CHUNK
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_read_is_what_was_written(
        seed: u64,
        length in place(),
        pieces in prop::collection::vec(place(), 1..6),
        ranges in prop::collection::vec((place(), place()), 1..10),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = open(folder.path());
        let model = body(seed, length);
        let mut upload = blobs.upload().unwrap();
        let mut rest = model.as_slice();
        for piece in pieces.iter().cycle().map(|piece| piece + 1) {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            upload.write(now).unwrap();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        let blob = upload.finish(None).unwrap().blob();
        let digest = Digest::new(Sha256::digest(&model).into());
        prop_assert_eq!(blob, BlobRef { digest, length: length as u64 });

        // Another process reads it.
        let reader = open(folder.path()).get(&digest).unwrap();
        for (offset, count) in ranges {
            let expected = &model[offset.min(length)..(offset + count).min(length)];
            let mut range = reader.range(offset as u64, count as u64);
            prop_assert_eq!(range.remaining(), expected.len() as u64);
            let mut found = Vec::new();
            range.read_to_end(&mut found).unwrap();
            prop_assert!(found == expected, "{offset}+{count} of {length}");
            prop_assert!(range.fill_buf().unwrap().is_empty());
        }
        let mut all = Vec::new();
        reader.all().read_to_end(&mut all).unwrap();
        prop_assert!(all == model);
    }
}

/// Writers of the same and of other bodies, sweeps and readers: what is in the records can be read at any time.
#[test]
fn threads_at_one_store_lose_nothing() {
    const WRITERS: u64 = 4;
    const ROUNDS: u64 = 40;
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let records: Mutex<BTreeMap<Digest, u64>> = Mutex::default();
    let later = SystemTime::now() + Duration::from_secs(3600);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (blobs, records) = (&blobs, &records);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(writer);
                    for _ in 0..ROUNDS {
                        let seed = random.u64(0..12);
                        let mut upload = blobs.upload().unwrap();
                        upload.write(&body(seed, usize::try_from(seed).unwrap() * 20_000)).unwrap();
                        let kept = upload.finish(None).unwrap();
                        let mut records = records.lock().unwrap();
                        records.insert(kept.blob().digest, seed);
                        if random.u8(0..3) == 0 {
                            let seed = random.u64(0..12);
                            records.retain(|_, other| *other != seed || *other == kept.blob().length / 20_000);
                        }
                        drop(records);
                        drop(kept);
                    }
                })
            })
            .collect();
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let sweep = blobs.begin_sweep().unwrap();
            let known: Vec<_> = records.lock().unwrap().keys().copied().collect();
            sweep.run(known.into_iter(), later).unwrap();
            let records = records.lock().unwrap();
            for (digest, seed) in records.iter() {
                let mut found = Vec::new();
                blobs.get(digest).unwrap().all().read_to_end(&mut found).unwrap();
                assert!(found == body(*seed, usize::try_from(*seed).unwrap() * 20_000));
            }
        }
    });
    let records = records.into_inner().unwrap();
    let swept = blobs.begin_sweep().unwrap().run(records.keys().copied(), later).unwrap();
    assert_eq!((swept.known, swept.spared), (records.len() as u64, 0));
}
