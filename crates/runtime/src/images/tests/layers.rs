//! Layers extracted over each other come out in the form overlayfs reads.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::super::archive::Kind::{CharDevice, Directory, Fifo, File, HardLink, Symlink};
use super::super::archive::Member;
use super::super::{ImageStores, Limits};
use super::make::{Place, gzip, member, tar, tar_of, zstd};

fn is_whiteout(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_char_device() && m.rdev() == 0)
}

fn is_opaque(path: &Path) -> bool {
    let mut value = [0_u8; 1];
    ["trusted.overlay.opaque", "user.overlay.opaque"]
        .iter()
        .any(|name| rustix::fs::lgetxattr(path, *name, &mut value).is_ok() && value == *b"y")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn whiteouts_and_opaque_directories_hide_what_is_below() {
    let place = Place::new();
    let below = tar(&[
        (Directory, "etc/", ""),
        (File, "etc/keep", "1"),
        (File, "etc/gone", "2"),
        (Directory, "var/", ""),
        (File, "var/old", "3"),
        (Directory, "opt/", ""),
        (File, "opt/a", "4"),
        (File, "swap", "5"),
    ]);
    let above = tar(&[
        (File, "etc/.wh.gone", ""),
        (File, "etc/.wh.never", ""),
        (File, "var/new", "6"),
        (File, "var/.wh..wh..opq", ""),
        (File, ".wh.opt", ""),
        (File, "opt/b", "7"),
        (File, ".wh.swap", ""),
        (Directory, "swap/", ""),
        (File, ".wh..wh.plnk", ""),
    ]);
    let image = place.image("corp/app:1", &[below, gzip(&above)]);
    let rootfs = place.store.rootfs(&image).unwrap();
    let [top, bottom] = rootfs.lower_dirs.as_slice() else { panic!("{:?}", rootfs.lower_dirs) };
    assert_eq!(names(bottom), ["etc", "opt", "swap", "var"]);
    assert_eq!(names(top), ["etc", "opt", "swap", "var"]);
    assert_eq!(names(&top.join("etc")), ["gone"], "only what removes something is a whiteout");
    assert!(is_whiteout(&top.join("etc/gone")));
    assert!(is_opaque(&top.join("var")) && !is_opaque(&top.join("etc")));
    assert!(is_opaque(&top.join("opt")), "a directory made anew hides the one removed");
    assert_eq!(names(&top.join("opt")), ["b"]);
    assert!(top.join("swap").is_dir());
    assert_eq!(rootfs.leases().len(), 2);
}

#[test]
fn the_lowest_layer_has_no_whiteouts() {
    let place = Place::new();
    let image = place.image("corp/app:1", &[tar(&[(File, ".wh.nothing", ""), (File, "a", "1"), (File, ".wh.a", "")])]);
    let rootfs = place.store.rootfs(&image).unwrap();
    assert_eq!(names(&rootfs.lower_dirs[0]), ["a"]);
}

#[test]
fn paths_go_through_links_of_lower_layers_as_in_a_container() {
    let place = Place::new();
    let below = tar(&[(Directory, "usr/lib/", ""), (Symlink, "lib", "/usr/lib"), (Symlink, "up", "usr/../usr")]);
    let above = tar(&[(File, "lib/a", "1"), (File, "up/lib/b", "2"), (File, "/abs", "3")]);
    let image = place.image("corp/app:1", &[below, zstd(&above)]);
    let rootfs = place.store.rootfs(&image).unwrap();
    assert_eq!(names(&rootfs.lower_dirs[0]), ["abs", "usr"]);
    assert_eq!(names(&rootfs.lower_dirs[0].join("usr/lib")), ["a", "b"]);
}

#[test]
fn a_directory_that_a_layer_does_not_mention_keeps_its_mode_from_below() {
    let place = Place::new();
    let private = Member { mode: 0o1777, ..member(Directory, "tmp/", "") };
    let root = Member { mode: 0o711, ..member(Directory, "./", "") };
    let below = tar_of([(root, ""), (private, "")]);
    let above = tar(&[(File, "tmp/new/file", "1")]);
    let rootfs = place.store.rootfs(&place.image("corp/app:1", &[below, above])).unwrap();
    let mode = |path: PathBuf| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(rootfs.lower_dirs[0].clone()), 0o711);
    assert_eq!(mode(rootfs.lower_dirs[0].join("tmp")), 0o1777);
    assert_eq!(mode(rootfs.lower_dirs[0].join("tmp/new")), 0o755);
}

#[test]
fn links_times_modes_and_attributes_are_kept() {
    let place = Place::new();
    let file = Member {
        mode: 0o4755,
        uid: 12,
        gid: 34,
        mtime_s: 1_000_000,
        xattrs: vec![
            (b"user.note".to_vec(), b"x".to_vec()),
            (b"trusted.overlay.redirect".to_vec(), b"/etc".to_vec()),
            (b"user.overlay.opaque".to_vec(), b"y".to_vec()),
        ],
        ..member(File, "bin/su", "program")
    };
    let below = tar_of([
        (file, "program"),
        (member(HardLink, "bin/same", "bin/su"), ""),
        (member(Symlink, "bin/link", "/nowhere/at/all"), ""),
        (member(Fifo, "pipe", ""), ""),
    ]);
    let above = tar(&[(HardLink, "copy", "/bin/su")]);
    let rootfs = place.store.rootfs(&place.image("corp/app:1", &[below, above])).unwrap();
    let [top, bottom] = rootfs.lower_dirs.as_slice() else { panic!("{:?}", rootfs.lower_dirs) };
    let meta = |path: PathBuf| fs::symlink_metadata(path).unwrap();
    let su = meta(bottom.join("bin/su"));
    assert_eq!((su.mtime(), su.nlink()), (1_000_000, 2));
    if rootfs.notes.is_empty() {
        assert_eq!((su.uid(), su.gid(), su.mode() & 0o7777), (12, 34, 0o4755));
    } else {
        assert_eq!(su.mode() & 0o7777, 0o755, "no set-user-id program of the wrong user");
    }
    assert_eq!(su.ino(), meta(bottom.join("bin/same")).ino());
    assert_eq!(fs::read_link(bottom.join("bin/link")).unwrap(), Path::new("/nowhere/at/all"));
    assert!(meta(bottom.join("pipe")).file_type().is_fifo());
    let mut names = [0_u8; 1000];
    let length = rustix::fs::llistxattr(bottom.join("bin/su"), &mut names).unwrap();
    assert_eq!(&names[..length], b"user.note\0", "overlayfs's own attributes are never taken from a layer");
    let copy = meta(top.join("copy"));
    assert_eq!((fs::read(top.join("copy")).unwrap().as_slice(), copy.uid()), (&b"program"[..], su.uid()));
}

#[test]
fn device_files_are_left_out_and_said_so() {
    let place = Place::new();
    let disk = Member { device_major: 8, device_minor: 0, ..member(CharDevice, "dev/disk", "") };
    let image = place.image("corp/app:1", &[tar_of([(disk, "")])]);
    let rootfs = place.store.rootfs(&image).unwrap();
    assert_eq!(names(&rootfs.lower_dirs[0].join("dev")), Vec::<String>::new());
    assert!(rootfs.notes[0].message.contains("`dev/disk`"), "{:?}", rootfs.notes);
    assert!(place.store.rootfs(&image).unwrap().notes.is_empty(), "said once, when extracted");
}

#[test]
fn layers_are_extracted_once_and_shared() {
    let place = Place::new();
    let base = tar(&[(File, "a", "1")]);
    let one = place.store.rootfs(&place.image("corp/one:1", &[base.clone(), tar(&[(File, "b", "2")])])).unwrap();
    let inode = fs::metadata(one.lower_dirs[1].join("a")).unwrap().ino();
    let two = place.store.rootfs(&place.image("corp/two:1", &[base, tar(&[(File, "c", "3")])])).unwrap();
    assert_eq!(one.lower_dirs[1], two.lower_dirs[1]);
    assert_eq!(fs::metadata(two.lower_dirs[1].join("a")).unwrap().ino(), inode);
}

#[test]
fn many_threads_extract_one_image_at_once() {
    let place = Place::new();
    let members: Vec<(Member, &str)> =
        (0..300).map(|n| (member(File, &format!("d{}/f{n}", n % 7), "text"), "text")).collect();
    let image = place.image("corp/app:1", &[gzip(&tar_of(members)), tar(&[(File, ".wh.d1", "")])]);
    let all: Vec<Vec<PathBuf>> = std::thread::scope(|scope| {
        let run =
            |_| scope.spawn(|| ImageStores::open(place.store.dir(), &[]).unwrap().rootfs(&image).unwrap().lower_dirs);
        (0..6).map(run).collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(all.iter().all(|dirs| *dirs == all[0] && dirs.len() == 2));
    assert_eq!(names(&all[0][1]).len(), 7);
    assert_eq!(names(&place.store.dir().join("tmp")), Vec::<String>::new());
}

#[test]
fn limits_stop_bombs_and_leave_nothing() {
    let place = Place::new();
    let zeros = "\0".repeat(3 << 20);
    let big = place.image("corp/big:1", &[gzip(&tar(&[(File, "zeros", &zeros)]))]);
    let names: Vec<String> = (0..60).map(|n| format!("f{n}")).collect();
    let many = place.image("corp/many:1", &[tar_of(names.iter().map(|name| (member(File, name, ""), "")))]);
    let links = place.image(
        "corp/links:1",
        &[
            tar(&[(File, "big", &zeros[..1 << 20])]),
            tar_of(names.iter().map(|name| (member(HardLink, name, "big"), ""))),
        ],
    );
    let stores = ImageStores::open(place.store.dir(), &[]).unwrap();
    let limits =
        Limits { layer_bytes_max: 2 << 20, layer_entries_max: 70, layer_directories_max: 9, free_bytes_min: 0 };
    for (image, text) in [(&big, "unpacks to more than"), (&links, "links copy more than")] {
        let problem = stores.rootfs_within(image, &limits).unwrap_err();
        assert_eq!(problem.code.0, "NG-R0109");
        assert!(problem.message.contains(text), "{problem}");
    }
    let few = Limits { layer_entries_max: 50, ..limits.clone() };
    assert!(stores.rootfs_within(&many, &few).unwrap_err().message.contains("50 entries"));
    let full = Limits { free_bytes_min: u64::MAX, ..limits };
    assert!(stores.rootfs_within(&many, &full).unwrap_err().message.contains("are free"));
    let base = links.layers[0].chain_id.hex();
    assert_eq!(place.layers(), [base]);
    assert!(!place.files().iter().any(|file| file.starts_with("tmp/")));
}

#[test]
fn directories_without_write_permission_are_extracted_and_collected() {
    let place = Place::new();
    let closed = |path: &str| Member { mode: 0o555, ..member(Directory, path, "") };
    let file = member(File, "a/b/file", "1");
    let image = place.image("corp/app:1", &[tar_of([(closed("a/"), ""), (closed("a/b/"), ""), (file, "1")])]);
    let rootfs = place.store.rootfs(&image).unwrap();
    let mode = fs::metadata(rootfs.lower_dirs[0].join("a/b")).unwrap().mode();
    assert_eq!((mode & 0o7777, fs::read(rootfs.lower_dirs[0].join("a/b/file")).unwrap()), (0o555, b"1".to_vec()));
    drop(rootfs);
    place.store.remove("corp/app:1").unwrap();
    assert_eq!(place.store.gc(&[]).unwrap().layers, 1);
    assert!(place.layers().is_empty());
    assert!(!place.files().iter().any(|file| file.starts_with("tmp/")));
}

#[test]
fn what_an_opaque_directory_hides_is_not_followed_either() {
    let place = Place::new();
    let lowest = tar(&[(Directory, "d/", ""), (Symlink, "d/link", "/elsewhere"), (File, "d/file", "1")]);
    let opaque = tar(&[(Directory, "d/", ""), (File, "d/.wh..wh..opq", "")]);
    let top = tar(&[(File, "d/link/x", "2"), (File, "d/.wh.file", "")]);
    let rootfs = place.store.rootfs(&place.image("corp/app:1", &[lowest, opaque, top])).unwrap();
    assert_eq!(names(&rootfs.lower_dirs[0]), ["d"]);
    assert_eq!(names(&rootfs.lower_dirs[0].join("d")), ["link"], "there is no file left to remove");
    assert!(rootfs.lower_dirs[0].join("d/link/x").is_file());
}

#[test]
fn directories_get_what_was_said_last_and_nothing_outside_gets_anything() {
    let place = Place::new();
    let outside = place.path("outside");
    fs::create_dir(&outside).unwrap();
    let before = fs::metadata(&outside).unwrap();
    let directory = |path: &str, mode: u32, mtime_s: i64| (Member { mode, mtime_s, ..member(Directory, path, "") }, "");
    let layer = tar_of([
        directory("a/", 0o700, 1),
        directory("a/b/", 0o711, 2),
        (member(File, "a/b/c/d/file", "1"), "1"),
        directory("a/", 0o500, 3),
        directory("a/b/c/", 0o510, 4),
        // Removed with what is in it, and in its place a link to a directory of this machine.
        directory("gone/outside/", 0o777, 5),
        (member(Symlink, "gone", place.dir.path().to_str().unwrap()), ""),
        // Removed and made again.
        directory("again/x/", 0o701, 6),
        (member(File, "again", ""), ""),
        directory("again/", 0o755, 0),
        directory("again/x/", 0o711, 7),
        directory("./", 0o751, 8),
    ]);
    let rootfs = place.store.rootfs(&place.image("corp/app:1", &[layer])).unwrap();
    let seen = |path: &str| {
        let metadata = fs::symlink_metadata(rootfs.lower_dirs[0].join(path)).unwrap();
        (metadata.mode() & 0o7777, metadata.mtime())
    };
    for (path, expected) in [
        ("", (0o751, 8)),
        ("a", (0o500, 3)),
        ("a/b", (0o711, 2)),
        ("a/b/c", (0o510, 4)),
        ("a/b/c/d", (0o755, 0)),
        ("again", (0o755, 0)),
        ("again/x", (0o711, 7)),
    ] {
        assert_eq!(seen(path), expected, "{path}");
    }
    assert!(fs::symlink_metadata(rootfs.lower_dirs[0].join("gone")).unwrap().is_symlink());
    let after = fs::metadata(&outside).unwrap();
    assert_eq!((after.mode(), after.mtime(), after.ctime_nsec()), (before.mode(), before.mtime(), before.ctime_nsec()));
}

#[test]
fn directories_that_no_member_mentions_count_too() {
    let place = Place::new();
    let deep = place.image("corp/deep:1", &[tar(&[(File, &format!("{}f", "d/".repeat(80)), "1")])]);
    let flat: Vec<String> = (0..12).map(|n| format!("d{n}/")).collect();
    let wide = place.image("corp/wide:1", &[tar_of(flat.iter().map(|name| (member(Directory, name, ""), "")))]);
    let stores = ImageStores::open(place.store.dir(), &[]).unwrap();
    let limits = Limits { layer_entries_max: 70, layer_directories_max: 10, free_bytes_min: 0, ..Limits::default() };
    let refused = |image, limits: &Limits| stores.rootfs_within(image, limits).unwrap_err().message;
    assert!(refused(&deep, &Limits { layer_directories_max: 100, ..limits.clone() }).contains("70 entries"));
    assert!(refused(&wide, &limits).contains("more than 10 directories"));
    assert!(!place.files().iter().any(|file| file.starts_with("tmp/")));
}

#[test]
fn a_member_is_not_sought_through_any_number_of_names() {
    let place = Place::new();
    let stores = ImageStores::open(place.store.dir(), &[]).unwrap();
    let check = |name: &str, layer: Vec<u8>, expected: Option<&str>| {
        let image = place.image(&format!("corp/{name}:1"), &[layer]);
        match (stores.rootfs_within(&image, &Limits::default()), expected) {
            (Ok(_), None) => {}
            (Err(problem), Some(text)) => {
                assert_eq!(problem.code.0, "NG-R0109", "{name}");
                assert!(problem.message.contains(text), "{name}: {problem}");
            }
            (unpacked, _) => panic!("{name}: {:?}", unpacked.map(|_| "unpacked")),
        }
    };
    let file = |directories: usize| format!("{}f", "d/".repeat(directories));
    let names = "a path of 257 names, at most 256 are allowed";
    check("deepest", tar(&[(File, &format!("/.//{}", file(255)), "1")]), None);
    check("deeper", tar(&[(File, &file(256), "1")]), Some(names));
    check("link", tar(&[(File, "f", "1"), (HardLink, "g", &file(256))]), Some(names));
    // Each of the links leads back, after many names.
    let target = format!("{}{}", "d/../".repeat(100), "d");
    let through = |links: usize| {
        let path = format!("{}f", "l/".repeat(links));
        tar(&[
            (Directory, "d/", ""),
            (Symlink, "l", &target),
            (Symlink, "d/l", &format!("../{target}")),
            (File, &path, "1"),
        ])
    };
    check("five-links", through(5), None);
    check("six-links", through(6), Some("leads through more than 1024 names"));
}
