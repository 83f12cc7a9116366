//! Unpacking stays within 128 MiB, whatever an archive holds: each kind is unpacked by a process of its own, whose peak is read.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::super::{Digest, ImageStore};
use super::make::{Layout, member, tar};
use crate::images::archive::Kind;

const ABOVE_IDLE_MIB_MAX: u64 = 128;
/// Tells a process of this test what to unpack.
const ARCHIVE: &str = "NEARGATE_TEST_UNPACK";

/// Where a kind writes its archive, and what comes of it: `unpacked`, or the code of the refusal.
type Make = fn(&Path) -> &'static str;

const KINDS: [(&str, Make); 15] = [
    ("extended headers without end", |dir| {
        layer(dir, "NG-R0107", |out| repeat(out, 150, &header(b'x', "p", &attribute(MIB))))
    }),
    ("long names without end", |dir| {
        layer(dir, "NG-R0107", |out| repeat(out, 150, &header(b'L', "n", &vec![b'a'; MIB])))
    }),
    ("one huge name", |dir| {
        layer(dir, "NG-R0109", |out| {
            out.write_all(&header(b'L', "n", &vec![b'a'; MIB - 1])).unwrap();
            out.write_all(&header(b'0', "n", b"")).unwrap();
        })
    }),
    ("one huge link", |dir| {
        layer(dir, "NG-R0109", |out| {
            out.write_all(&header(b'K', "n", &vec![b'a'; MIB - 1])).unwrap();
            out.write_all(&header(b'2', "n", b"")).unwrap();
        })
    }),
    ("directories with large attributes", |dir| {
        layer(dir, "unpacked", |out| {
            for number in 0..2400 {
                out.write_all(&header(b'x', "p", &attribute(60_000))).unwrap();
                out.write_all(&header(b'5', &format!("d{number}/"), b"")).unwrap();
            }
        })
    }),
    ("many empty files", |dir| {
        layer(dir, "unpacked", |out| {
            (0..30_000).for_each(|number| out.write_all(&header(b'0', &format!("f{number}"), b"")).unwrap());
        })
    }),
    ("removals deep in many layers", deep),
    ("more after the end than in it", |dir| {
        layer(dir, "unpacked", |out| {
            out.write_all(&header(b'0', "f", b"text")).unwrap();
            repeat(out, 140, &vec![0; MIB]);
        })
    }),
    ("a file larger than the disk", |dir| {
        layer(dir, "NG-R0109", |out| {
            out.write_all(&large(1 << 45)).unwrap();
        })
    }),
    ("zstd, the largest window", |dir| zstd_layer(dir, "unpacked", 26)),
    ("zstd, a larger window", |dir| zstd_layer(dir, "NG-R0110", 27)),
    ("an archive of too many members", |dir| {
        archive(dir, "NG-R0107", |out| {
            (0..51_000).for_each(|number| out.write_all(&header(b'2', &format!("l{number}"), b"")).unwrap());
        })
    }),
    ("an archive of long names", |dir| {
        archive(dir, "NG-R0107", |out| {
            for number in 0..300 {
                out.write_all(&header(b'L', "n", format!("{number}{}", "a".repeat(MIB - 10)).as_bytes())).unwrap();
                out.write_all(&header(b'2', "n", b"")).unwrap();
            }
        })
    }),
    ("a manifest of many small values", |dir| {
        archive(dir, "NG-R0107", |out| {
            let text = format!("[{}1]", r#"{"":0},"#.repeat((8 << 20) / 7 - 1));
            out.write_all(&header(b'0', "manifest.json", text.as_bytes())).unwrap();
        })
    }),
    ("many images of one large configuration", |dir| {
        archive(dir, "NG-R0107", |out| {
            let config = json!({ "rootfs": { "diff_ids": [] }, "config": { "Env": vec!["a"; 20_000] } }).to_string();
            let image = json!({ "Config": "c.json", "RepoTags": [], "Layers": [] });
            let images: Vec<Value> = (0..900)
                .map(|n| {
                    let mut it = image.clone();
                    it["RepoTags"] = json!([format!("a:{n}")]);
                    it
                })
                .collect();
            out.write_all(&header(b'0', "c.json", config.as_bytes())).unwrap();
            out.write_all(&header(b'0', "manifest.json", json!(images).to_string().as_bytes())).unwrap();
        })
    }),
];

/// Those that take minutes in a debug build.
const LONG_KINDS: [(&str, Make); 2] = [
    ("directories with long paths", |dir| {
        layer(dir, "unpacked", |out| {
            let above = vec!["x".repeat(250); 12].join("/");
            for number in 0..60_000 {
                let path = format!("path={above}/{number}/\n");
                out.write_all(&header(b'x', "p", format!("{} {path}", path.len() + 5).as_bytes())).unwrap();
                out.write_all(&header(b'5', "d", b"")).unwrap();
            }
        })
    }),
    ("a directory mentioned too often", |dir| {
        layer(dir, "NG-R0109", |out| repeat(out, 1_000_001, &header(b'5', "d/", b"")))
    }),
];

const MIB: usize = 1 << 20;

#[test]
fn unpacking_stays_within_its_memory() {
    match std::env::var_os(ARCHIVE) {
        Some(archive) => unpack(Path::new(&archive)),
        None => each_stays_within(&KINDS),
    }
}

#[test]
#[ignore = "takes minutes in a debug build; `cargo xtask bench unpack` runs it in a release build"]
fn unpacking_much_stays_within_its_memory() {
    each_stays_within(&LONG_KINDS);
}

fn each_stays_within(kinds: &[(&str, Make)]) {
    let mut wrong = vec![];
    for (name, make) in kinds {
        let dir = tempfile::tempdir().unwrap();
        let expected = make(dir.path());
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "images::tests::memory::unpacking_stays_within_its_memory", "--nocapture"])
            .env(ARCHIVE, dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.split_once("seen: ")).map_or("nothing", |(_, seen)| seen);
        let (above, outcome) = line.split_once(' ').unwrap_or(("0", line));
        println!("  {above:>4} MiB above idle  {outcome:9} {name}");
        let within = above.parse::<u64>().is_ok_and(|above| above <= ABOVE_IDLE_MIB_MAX);
        if !within || outcome != expected {
            let errors = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{name}: {line}, expected {expected}\n{text}{errors}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Imports what is in `dir` and extracts it; says what it took.
fn unpack(dir: &Path) {
    let store = ImageStore::open(&dir.join("store")).unwrap();
    let idle = memory("VmRSS");
    let imported = store.import(&dir.join("archive"), None);
    let outcome = imported.and_then(|images| images.iter().try_for_each(|image| store.rootfs(&image.image).map(drop)));
    let outcome = outcome.map_or_else(|problem| problem.code.0, |()| "unpacked");
    println!("seen: {} {outcome}", (memory("VmHWM") - idle) >> 10);
}

fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A member with its content, padded.
fn header(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
    let mut block = large(content.len() as u64);
    block[156] = kind;
    block[..name.len()].copy_from_slice(name.as_bytes());
    if kind == b'2' {
        block[157] = b't';
        block[124..135].copy_from_slice(b"00000000000");
    }
    sum(&mut block);
    block.extend(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

/// The header alone of a file of so many bytes.
fn large(bytes: u64) -> Vec<u8> {
    let mut block = tar(&[(Kind::File, "f", "")])[..512].to_vec();
    block[..1].copy_from_slice(b"\0");
    block[0] = b'f';
    block[124] = 0x80;
    block[125..128].fill(0);
    block[128..136].copy_from_slice(&bytes.to_be_bytes());
    sum(&mut block);
    block
}

fn sum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    block[154] = 0;
}

/// A record of an extended header of about so many bytes.
fn attribute(bytes: usize) -> Vec<u8> {
    let body = format!("SCHILY.xattr.user.a={}\n", "v".repeat(bytes - 40));
    let digits = (body.len() + 8).to_string().len();
    let length = body.len() + 1 + digits;
    format!("{length} {body}").into_bytes()
}

fn repeat(out: &mut dyn Write, times: usize, bytes: &[u8]) {
    (0..times).for_each(|_| out.write_all(bytes).unwrap());
}

/// A gzipped tar in the place of a docker archive.
fn archive(dir: &Path, expected: &'static str, write: fn(&mut dyn Write)) -> &'static str {
    compressed(&dir.join("archive"), write);
    expected
}

/// An OCI layout of one image of one gzipped layer.
fn layer(dir: &Path, expected: &'static str, write: fn(&mut dyn Write)) -> &'static str {
    let file = dir.join("layer");
    compressed(&file, write);
    layout(dir, &[file]);
    expected
}

fn compressed(file: &Path, write: fn(&mut dyn Write)) {
    let file = BufWriter::new(File::create(file).unwrap());
    let mut out = GzEncoder::new(file, Compression::fast());
    write(&mut out);
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap().flush().unwrap();
}

fn layout(dir: &Path, layers: &[PathBuf]) {
    use super::super::compression::plain;
    use super::super::digest::HashingReader;
    let digest_of = |reader: &mut dyn std::io::Read| {
        let mut hashing = HashingReader::new(reader);
        // What does not decode has no digest, nor will it get so far.
        let _ = std::io::copy(&mut hashing, &mut std::io::sink());
        hashing.finish()
    };
    let layout = Layout::new(&dir.join("archive"));
    let (mut descriptors, mut diff_ids) = (vec![], vec![]);
    for file in layers {
        let (digest, size) = digest_of(&mut File::open(file).unwrap());
        let (diff_id, _) = digest_of(&mut plain(File::open(file).unwrap()).unwrap());
        fs::copy(file, dir.join("archive/blobs/sha256").join(digest.hex())).unwrap();
        descriptors.push(json!({ "digest": digest.to_string(), "size": size }));
        diff_ids.push(diff_id.to_string());
    }
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "diff_ids": diff_ids } });
    let manifest = json!({ "config": layout.blob(config.to_string().as_bytes()), "layers": descriptors });
    let descriptor = layout.blob(manifest.to_string().as_bytes());
    layout.entry(Some("corp/app:1"), descriptor).finish();
}

/// A file of 130 MiB of zeros in a zstd frame with a window of two to the power of `window`.
fn zstd_layer(dir: &Path, expected: &'static str, window: u8) -> &'static str {
    let (block, blocks) = (128_u32 << 10, 1040_u32);
    let content = large(u64::from(block) * u64::from(blocks));
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3];
    let mut add = |last: u32, kind: u32, size: u32, bytes: &[u8]| {
        frame.extend(&(last | (kind << 1) | (size << 3)).to_le_bytes()[..3]);
        frame.extend(bytes);
    };
    add(0, 0, 512, &content);
    (0..blocks).for_each(|_| add(0, 1, block, &[0]));
    add(1, 0, 1024, &[0; 1024]);
    let file = dir.join("layer");
    fs::write(&file, frame).unwrap();
    layout(dir, &[file]);
    expected
}

/// Layers that each have a deep directory, and a last one that removes something in it.
fn deep(dir: &Path) -> &'static str {
    let path = vec!["d"; 255].join("/");
    let mut layers: Vec<Vec<u8>> = (0..11).map(|n| tar(&[(Kind::File, &format!("{path}/f{n}"), "")])).collect();
    let name = format!("{path}/.wh.f0");
    layers.push(super::make::tar_of([(member(Kind::File, &name, ""), "")]));
    let write = |(number, bytes): (usize, Vec<u8>)| {
        let file = dir.join(format!("layer{number}-{}", Digest::of(&bytes).hex()));
        fs::write(&file, bytes).unwrap();
        file
    };
    let files: Vec<PathBuf> = layers.into_iter().enumerate().map(write).collect();
    layout(dir, &files);
    "unpacked"
}
