//! A body of 1 GiB in and out, as an SDK sends it: in chunks with a checksum behind them, beside a plain file on the same disk.
//!
//! `cargo run --release -p neargate-blobs --example bodies [FOLDER]`; `cargo xtask bench bodies` runs it.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends where it cannot go on")]

use std::fs::{self, File};
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::Path;
use std::time::Instant;

use neargate_base::Timestamp;
use neargate_blobs::{Blobs, Limits, StoreKey};
use neargate_wire::sigv4::{Credentials, Signing, open, sign_payload};
use neargate_wire::{Checksum, ChecksumAlgorithm, Request};

const BYTES: u64 = 1 << 30;
const PIECE: usize = 64 << 10;
const RUNS: usize = 3;

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target".to_owned());
    let folder = tempfile::tempdir_in(folder).unwrap();
    let piece: Vec<u8> = (0..PIECE).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
    let (mut ratios_in, mut ratios_out) = (Vec::new(), Vec::new());
    println!("MiB/s          plain in   body in   plain out   body out   memory above idle");
    for run in 1..=RUNS {
        let (plain_in, plain_out) = plain(folder.path(), &piece);
        let idle = reset_peak();
        let (body_in, body_out) = body(folder.path(), &piece);
        let above = peak().saturating_sub(idle) >> 10;
        println!("run {run}         {plain_in:8.0}  {body_in:8.0}    {plain_out:8.0}   {body_out:8.0}   {above:6} MiB");
        ratios_in.push(body_in / plain_in);
        ratios_out.push(body_out / plain_out);
    }
    let median = |mut ratios: Vec<f64>| {
        ratios.sort_by(f64::total_cmp);
        ratios.get(RUNS / 2).copied().unwrap_or_default()
    };
    println!("median         in {:.2} × the disk, out {:.2} ×", median(ratios_in), median(ratios_out));
}

/// A file that is written, synced and read with nothing between.
fn plain(folder: &Path, piece: &[u8]) -> (f64, f64) {
    let path = folder.join("plain");
    let begin = Instant::now();
    let mut file = File::create(&path).unwrap();
    (0..BYTES / PIECE as u64).for_each(|_| file.write_all(piece).unwrap());
    file.sync_all().unwrap();
    let written = speed(begin);
    forget(&path);
    let begin = Instant::now();
    let (mut file, mut buffer) = (File::open(&path).unwrap(), vec![0; PIECE]);
    while file.read(&mut buffer).unwrap() > 0 {}
    let read = speed(begin);
    fs::remove_file(path).unwrap();
    (written, read)
}

/// The same bytes through the framing, the checks and the store.
fn body(folder: &Path, piece: &[u8]) -> (f64, f64) {
    let folder = folder.join("blobs");
    let blobs = Blobs::open(&folder, &StoreKey::new([5; 32]), Limits::default()).unwrap();
    let mut checksum = Checksum::new(ChecksumAlgorithm::Crc32);
    (0..BYTES / PIECE as u64).for_each(|_| checksum.update(piece));
    let trailer = format!("0\r\nx-amz-checksum-crc32:{}\r\n\r\n", checksum.finish());
    let framed = [format!("{PIECE:x}\r\n").as_bytes(), piece, b"\r\n"].concat();

    let begin = Instant::now();
    let mut reader = reader();
    let mut upload = blobs.upload().unwrap();
    for _ in 0..BYTES / PIECE as u64 {
        let mut input = framed.as_slice();
        while let Some(bytes) = reader.next(&mut input).unwrap() {
            upload.write(bytes).unwrap();
        }
    }
    assert!(reader.next(&mut trailer.as_bytes()).unwrap().is_none());
    assert_eq!(reader.finish().unwrap().len(), 1);
    let kept = upload.finish(None).unwrap();
    let written = speed(begin);

    for shard in fs::read_dir(&folder).unwrap() {
        fs::read_dir(shard.unwrap().path()).unwrap().for_each(|file| forget(&file.unwrap().path()));
    }
    let begin = Instant::now();
    let mut range = blobs.get(&kept.blob().digest).unwrap().all();
    let mut total = 0;
    loop {
        let bytes = range.fill_buf().unwrap().len();
        if bytes == 0 {
            break;
        }
        total += bytes as u64;
        range.consume(bytes);
    }
    assert_eq!(total, BYTES);
    let read = speed(begin);
    drop(kept);
    fs::remove_dir_all(folder).unwrap();
    (written, read)
}

fn reader() -> neargate_wire::sigv4::BodyReader {
    let said = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    let credentials = Credentials { access_key: "test".to_owned(), secret_key: "test".to_owned(), session_token: None };
    let now = Timestamp(1_795_255_200_000);
    let signing = Signing { credentials: &credentials, region: "us-east-1", service: "s3", now };
    let length = BYTES.to_string();
    let headers =
        [("host", "x"), ("x-amz-decoded-content-length", length.as_str()), ("x-amz-trailer", "x-amz-checksum-crc32")];
    let request = Request { method: "PUT", path: "/b/k", query: "", headers: &headers, body: b"" };
    let added = sign_payload(&request, &signing, said);
    let all: Vec<_> = headers.into_iter().chain(added.iter().map(|(name, text)| (*name, text.as_str()))).collect();
    let request = Request { headers: &all, ..request };
    let opened = open(&request, Some(now), &|_| Some("test".to_owned())).unwrap();
    opened.body(&request).unwrap().unwrap()
}

fn speed(begin: Instant) -> f64 {
    (BYTES >> 20) as f64 / begin.elapsed().as_secs_f64()
}

/// Takes a file out of the page cache.
fn forget(path: &Path) {
    let file = File::open(path).unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
}

/// Sets the peak of memory to what is used now, in KiB.
fn reset_peak() -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak()
}

fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
