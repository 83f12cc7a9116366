//! Images where only root can look: programs that run in a root of their own, and layers as overlayfs merges them.

use std::fs;
use std::path::Path;
use std::process::Command;

use neargate_runtime::images::{BuildBase, Digest, FileContent, ImageStore, Recipe, RecipeFile};
use neargate_testkit::needs::needs;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::{Value, json};

fn run_in(root: &Path, script: &str) -> String {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/bin/sh", "-c", script]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[needs(root)]
fn host_programs_run_in_a_root_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = ImageStore::open(dir.path()).unwrap();
    let message = FileContent::Bytes("it runs\n".into());
    let recipe = Recipe {
        host_programs: vec!["sh".into(), "cat".into()],
        files: vec![RecipeFile { target: "/etc/motd".to_owned(), content: message, mode: None }],
        entrypoint: vec!["sh".into()],
        ..Recipe::default()
    };
    let built = store.build(&recipe, "corp/shell:1").unwrap();
    let rootfs = store.rootfs(&built.image).unwrap();
    let script = "cat /etc/motd && echo shell $((6 * 7)) && ! test -e /etc/hostname";
    assert_eq!(run_in(&rootfs.lower_dirs[0], script), "it runs\nshell 42\n");
}

#[needs(root)]
fn host_programs_run_in_a_directory_with_another_layout() {
    let dir = tempfile::tempdir().unwrap();
    let store = ImageStore::open(&dir.path().join("store")).unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(root.join("lib64")).unwrap();
    let recipe = Recipe {
        base: BuildBase::Directory(root),
        host_programs: vec!["/bin/sh".into()],
        entrypoint: vec!["/bin/sh".into()],
        ..Recipe::default()
    };
    let rootfs = store.rootfs(&store.build(&recipe, "corp/shell:1").unwrap().image).unwrap();
    assert_eq!(run_in(&rootfs.lower_dirs[0], "echo up"), "up\n");
}

/// An OCI layout of one image, its layers made by `tar` from these files, bottom layer first.
fn layout(dir: &Path, layers: &[&[(&str, &str)]]) {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        json!({ "digest": digest.to_string(), "size": bytes.len() })
    };
    let tars = layers.iter().enumerate().map(|(number, files)| {
        let tree = dir.join(format!("layer-{number}"));
        for (path, text) in *files {
            fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
            fs::write(tree.join(path), text).unwrap();
        }
        let output = Command::new("tar").arg("-C").arg(&tree).args(["-c", "."]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        blob(&output.stdout)
    });
    let layers: Vec<Value> = tars.collect();
    let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": rootfs });
    let config = blob(config.to_string().as_bytes());
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
    let mut descriptor = blob(manifest.to_string().as_bytes());
    descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": "corp/app:1" });
    let index = json!({ "schemaVersion": 2, "manifests": [descriptor] });
    fs::write(dir.join("index.json"), index.to_string()).unwrap();
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[needs(containers)]
fn overlayfs_shows_the_merged_tree() {
    let dir = tempfile::tempdir().unwrap();
    let store = ImageStore::open(&dir.path().join("store")).unwrap();
    let below: &[(&str, &str)] = &[("d/old", "1"), ("gone", "2"), ("keep", "3")];
    let above: &[(&str, &str)] = &[("d/.wh..wh..opq", ""), ("d/new", "4"), (".wh.gone", "")];
    layout(&dir.path().join("layout"), &[below, above]);
    let image = store.import(&dir.path().join("layout"), None).unwrap().remove(0).image;
    let rootfs = store.rootfs(&image).unwrap();
    let target = dir.path().join("merged");
    fs::create_dir(&target).unwrap();
    let lower: Vec<&str> = rootfs.lower_dirs.iter().map(|dir| dir.to_str().unwrap()).collect();
    let marks = if rootfs.userxattr { ",userxattr" } else { "" };
    let options = std::ffi::CString::new(format!("lowerdir={}{marks}", lower.join(":"))).unwrap();
    mount("overlay", &target, "overlay", MountFlags::RDONLY, options.as_c_str()).unwrap();
    let (root, d) = (names(&target), names(&target.join("d")));
    unmount(&target, UnmountFlags::DETACH).unwrap();
    assert_eq!((root, d), (vec!["d".to_owned(), "keep".to_owned()], vec!["new".to_owned()]));
}
