//! The store on disk: names, locks, garbage, several stores in order.

use std::fs;

use serde_json::Value;

use super::super::archive::Kind::File;
use super::super::{ImageStore, ImageStores};
use super::make::{Place, tar};

fn layer(text: &str) -> Vec<u8> {
    tar(&[(File, "file", text)])
}

#[test]
fn names_resolve_move_and_go() {
    let place = Place::new();
    let one = place.image("corp/app:1", &[layer("1")]);
    let two = place.image("corp/app:2", &[layer("2")]);
    let digest = |name: &str| place.store.resolve(name).unwrap().map(|image| image.digest);
    assert_eq!(digest("docker.io/corp/app:1"), Some(one.digest.clone()));
    assert_eq!(digest("corp/app"), None, "latest is a tag like any other");
    place.store.tag("corp/app:1", "corp/app").unwrap();
    assert_eq!(digest("corp/app:latest"), Some(one.digest.clone()));
    place.store.tag("corp/app:2", "corp/app").unwrap();
    assert_eq!(digest("corp/app"), Some(two.digest.clone()));
    assert_eq!(digest(&format!("corp/app@{}", one.digest)), Some(one.digest.clone()));
    assert_eq!(digest(&format!("corp/other@{}", one.digest)), None);
    assert_eq!(digest(&one.config_digest.to_string()), Some(one.digest.clone()));
    assert_eq!(place.store.tag("corp/none:1", "x").unwrap_err().code.0, "NG-R0104");
    assert!(place.store.remove("corp/app:1").unwrap());
    assert!(!place.store.remove("corp/app:1").unwrap());
    let names: Vec<String> = place.store.list().unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["docker.io/corp/app:2", "docker.io/corp/app:latest"]);
}

#[test]
fn garbage_is_what_no_name_needs() {
    let place = Place::new();
    let shared = layer("shared");
    let one = place.image("corp/one:1", &[shared.clone(), layer("1")]);
    let two = place.image("corp/two:1", &[shared, layer("2")]);
    drop(place.store.rootfs(&one).unwrap());
    let held = place.store.rootfs(&two).unwrap();
    assert_eq!(place.store.gc(&[]).unwrap(), super::super::Collected::default());
    place.store.remove("corp/one:1").unwrap();
    place.store.remove("corp/two:1").unwrap();
    let first = place.store.gc(std::slice::from_ref(&one)).unwrap();
    assert_eq!((first.blobs, first.layers), (7, 0), "one is said to be in use, two is leased");
    let second = place.store.gc(&[]).unwrap();
    assert_eq!((second.blobs, second.layers), (0, 1));
    assert!(held.lower_dirs.iter().all(|dir| dir.join("file").exists()));
    drop(held);
    assert_eq!(place.store.gc(&[]).unwrap().layers, 2);
    assert!(!place.files().iter().any(|file| file.starts_with("blobs/sha256/")) && place.layers().is_empty());
}

#[test]
fn concurrent_changes_are_all_kept() {
    let place = Place::new();
    place.image("corp/app:0", &[layer("1")]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let dir = place.store.dir();
            scope.spawn(move || {
                let store = ImageStore::open(dir).unwrap();
                for n in 0..8 {
                    store.tag("corp/app:0", &format!("corp/app:{thread}-{n}")).unwrap();
                    store.gc(&[]).unwrap();
                }
            });
        }
    });
    assert_eq!(place.store.list().unwrap().len(), 33);
    assert!(place.store.list().unwrap().iter().all(|row| row.image.is_ok()));
}

#[test]
fn leftovers_go_at_the_next_open_unless_someone_is_at_work() {
    let place = Place::new();
    let leftover = place.store.dir().join("tmp/999-0/deep");
    fs::create_dir_all(&leftover).unwrap();
    let work = place.store.work_lock().unwrap();
    ImageStore::open(place.store.dir()).unwrap();
    assert!(leftover.exists());
    drop(work);
    ImageStore::open(place.store.dir()).unwrap();
    assert!(!leftover.exists());
}

#[test]
fn an_image_that_is_pinned_by_digest_can_have_a_stand_in() {
    let place = Place::new();
    let one = place.image("corp/app:1", &[layer("1")]);
    let two = place.image("corp/base:1", &[layer("2")]);
    let elsewhere = format!("sha256:{}", "0a".repeat(32));
    let digest = |name: &str| place.store.resolve(name).unwrap().map(|image| image.digest);
    let pinned = format!("corp/app@{elsewhere}");
    assert_eq!(digest(&pinned), None);
    place.store.tag("corp/base:1", &pinned).unwrap();
    assert_eq!(digest(&pinned), Some(two.digest.clone()));
    assert_eq!(digest(&format!("corp/app:7@{elsewhere}")), Some(two.digest.clone()), "the digest says more than a tag");
    assert_eq!(digest(&format!("corp/other@{elsewhere}")), None);
    assert_eq!(digest("corp/app:1"), Some(one.digest.clone()));
    assert_eq!(digest("corp/app"), None, "it has no tag");
    // The image itself comes before one that stands in for it.
    place.store.tag("corp/base:1", &format!("corp/app@{}", one.digest)).unwrap();
    assert_eq!(digest(&format!("corp/app@{}", one.digest)), Some(one.digest.clone()));
    place.store.tag("corp/app:1", &format!("corp/app:1@{elsewhere}")).unwrap();
    assert_eq!(digest(&pinned), Some(one.digest), "a name stands for one image");
    assert!(place.store.remove(&pinned).unwrap());
    assert_eq!(digest(&pinned), None);
}

#[test]
fn the_front_store_comes_first_and_the_others_are_only_read() {
    let place = Place::new();
    place.image("corp/app:1", &[layer("behind")]);
    place.image("corp/base:1", &[layer("base")]);
    let before = place.files();
    let front = place.path("front");
    let missing = place.path("missing");
    let stores = ImageStores::open(&front, &[missing.clone(), place.store.dir().to_owned()]).unwrap();
    let behind = stores.resolve("corp/app:1").unwrap().unwrap();
    let rootfs = stores.rootfs(&behind).unwrap();
    assert!(rootfs.lower_dirs[0].starts_with(&front));
    assert_eq!(fs::read_to_string(rootfs.lower_dirs[0].join("file")).unwrap(), "behind");
    let newer = Place::new();
    newer.image("corp/app:1", &[layer("front")]);
    let archive = place.path("app.tar");
    newer.store.export("corp/app:1", &archive).unwrap();
    stores.front().import(&archive, None).unwrap();
    assert_ne!(stores.resolve("corp/app:1").unwrap().unwrap().digest, behind.digest);
    let names: Vec<String> = stores.list().unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["docker.io/corp/app:1", "docker.io/corp/base:1"]);
    assert_eq!(stores.require("corp/none").unwrap_err().code.0, "NG-R0104");
    assert_eq!(place.files(), before);
    assert!(!missing.exists());
    let read_only = ImageStore::read_only(place.store.dir());
    assert_eq!(read_only.tag("corp/app:1", "x").unwrap_err().code.0, "NG-R0125");
}

#[test]
fn layers_extracted_in_a_store_behind_are_used_there() {
    let place = Place::new();
    let image = place.image("corp/app:1", &[layer("1")]);
    let theirs = place.store.rootfs(&image).unwrap();
    let stores = ImageStores::open(&place.path("front"), &[place.store.dir().to_owned()]).unwrap();
    let ours = stores.rootfs(&image).unwrap();
    assert_eq!(ours.lower_dirs, theirs.lower_dirs);
    drop(theirs);
    place.store.remove("corp/app:1").unwrap();
    assert_eq!(place.store.gc(&[]).unwrap().layers, 0, "leased by the other");
}

#[test]
fn the_store_is_an_oci_layout_and_keeps_what_others_wrote() {
    let place = Place::new();
    place.image("corp/app:1", &[layer("1")]);
    let path = place.store.dir().join("index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut foreign = index["manifests"][0].clone();
    foreign["annotations"] = serde_json::json!({ "org.opencontainers.image.ref.name": "v7", "x": "y" });
    index["manifests"].as_array_mut().unwrap().push(foreign.clone());
    fs::write(&path, index.to_string()).unwrap();
    place.store.tag("corp/app:1", "corp/app:2").unwrap();
    let index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(index["schemaVersion"], 2);
    assert!(index["manifests"].as_array().unwrap().contains(&foreign));
    let layout = fs::read_to_string(place.store.dir().join("oci-layout")).unwrap();
    assert_eq!(layout, r#"{"imageLayoutVersion":"1.0.0"}"#);
}

#[test]
fn a_store_of_another_format_is_refused() {
    let place = Place::new();
    let index = place.store.dir().join("index.json");
    fs::write(&index, r#"{"manifests":[],"annotations":{"dev.neargate.store-format":"9"}}"#).unwrap();
    assert_eq!(ImageStore::open(place.store.dir()).unwrap_err().code.0, "NG-R0102");
    fs::write(&index, "{").unwrap();
    assert_eq!(ImageStore::open(place.store.dir()).unwrap_err().code.0, "NG-R0105");
    fs::write(place.store.dir().join("oci-layout"), r#"{"imageLayoutVersion":"7.0"}"#).unwrap();
    assert_eq!(ImageStore::open(place.store.dir()).unwrap_err().code.0, "NG-R0102");
}
