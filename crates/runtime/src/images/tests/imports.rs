//! Imports: every form images come in, and how they get their names.

use std::fs;

use serde_json::json;

use super::super::archive::Kind::{File, Symlink};
use super::super::{Digest, Platform, host_architecture};
use super::make::{Layout, Place, gzip, member, tar, tar_of, zstd};

/// A docker archive as `docker save` wrote it for years, the second image's layer a link to the first's.
fn docker_archive(tags: &[&str]) -> Vec<u8> {
    let layer = tar(&[(File, "hello", "world")]);
    let config = json!({
        "architecture": host_architecture(),
        "os": "linux",
        "config": { "Cmd": ["/hello"], "ExposedPorts": { "80/tcp": {} } },
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
    })
    .to_string();
    let config_name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    let images: Vec<_> = tags
        .iter()
        .enumerate()
        .map(|(n, tag)| {
            json!({ "Config": config_name, "RepoTags": [tag], "Layers": [format!("layer{}/layer.tar", n.min(1))] })
        })
        .collect();
    let manifest = serde_json::Value::Array(images).to_string();
    let layer = String::from_utf8(layer).unwrap();
    tar_of([
        (member(File, &config_name, &config), config.as_str()),
        (member(File, "layer0/layer.tar", &layer), layer.as_str()),
        (member(Symlink, "layer1/layer.tar", "../layer0/layer.tar"), ""),
        (member(File, "./manifest.json", &manifest), manifest.as_str()),
    ])
}

#[test]
fn docker_archives_are_read_plain_and_compressed() {
    let plain = docker_archive(&["corp/app:1", "app:2"]);
    for bytes in [plain.clone(), gzip(&plain), zstd(&plain)] {
        let place = Place::new();
        let path = place.path("saved.tar");
        fs::write(&path, bytes).unwrap();
        let imported = place.store.import(&path, None).unwrap();
        let names: Vec<&str> = imported.iter().map(|image| image.reference.as_str()).collect();
        assert_eq!(names, ["docker.io/corp/app:1", "docker.io/library/app:2"]);
        let image = place.store.resolve("app:2").unwrap().unwrap();
        assert_eq!(
            (image.config.cmd.as_slice(), image.config.exposed_ports.as_slice()),
            (&["/hello".to_owned()][..], &["80/tcp".to_owned()][..])
        );
        let rootfs = place.store.rootfs(&image).unwrap();
        assert_eq!(fs::read_to_string(rootfs.lower_dirs[0].join("hello")).unwrap(), "world");
        assert_eq!(place.store.gc(&[]).unwrap().blobs, 0, "nothing is stored that is not needed");
    }
}

#[test]
fn a_name_given_needs_a_single_image() {
    let place = Place::new();
    let path = place.path("saved.tar");
    fs::write(&path, docker_archive(&["corp/app:1", "app:2"])).unwrap();
    assert_eq!(place.store.import(&path, Some("mine:1")).unwrap_err().code.0, "NG-R0112");
    fs::write(&path, docker_archive(&["corp/app:1"])).unwrap();
    let imported = place.store.import(&path, Some("mine:1")).unwrap();
    assert_eq!(imported[0].reference, "docker.io/library/mine:1");
    assert!(place.store.resolve("corp/app:1").unwrap().is_none());
}

#[test]
fn a_docker_archive_with_the_wrong_layer_is_refused() {
    let place = Place::new();
    let path = place.path("saved.tar");
    let mut bytes = docker_archive(&["corp/app:1"]);
    let at = bytes.windows(5).position(|window| window == b"world").unwrap();
    bytes[at] = b'W';
    fs::write(&path, bytes).unwrap();
    let before = place.files();
    assert_eq!(place.store.import(&path, None).unwrap_err().code.0, "NG-R0106");
    assert_eq!(place.files(), before);
}

#[test]
fn an_index_gives_this_machines_image_or_the_only_one() {
    let place = Place::new();
    let other = if host_architecture() == "arm64" { "amd64" } else { "arm64" };
    let layers = |text: &str| [tar(&[(File, "file", text)])];
    let index = |name: &str, architectures: &[&str]| {
        let layout = Layout::new(&place.path(name));
        let mut manifests: Vec<_> = architectures.iter().map(|arch| layout.manifest(&layers(arch), arch)).collect();
        let mut attestation = layout.manifest(&layers("attestation"), "unknown");
        attestation["platform"]["os"] = json!("unknown");
        manifests.push(attestation);
        let inner = layout.blob(json!({ "schemaVersion": 2, "manifests": manifests }).to_string().as_bytes());
        layout.entry(Some("corp/multi:1"), inner.clone()).finish();
        (place.path(name), inner["digest"].as_str().unwrap().to_owned())
    };
    let (both, digest) = index("both", &[other, host_architecture()]);
    let image = place.store.import(&both, None).unwrap().remove(0).image;
    assert_eq!((image.config.architecture.as_str(), image.platform_problem()), (host_architecture(), None));
    assert_eq!(place.store.resolve(&format!("corp/multi@{digest}")).unwrap().unwrap(), *image);
    let named = |reference: &str| place.store.resolve(reference).unwrap().unwrap().offered;
    let platforms = |architectures: &[&str]| {
        let mut all: Vec<_> = architectures.iter().map(|it| Platform::new("linux", it)).collect();
        all.sort();
        all
    };
    assert_eq!(named("corp/multi:1"), platforms(&[other, host_architecture()]), "the index is remembered");
    let alone = format!("corp/multi@{}", image.digest);
    assert_eq!(named(&alone), platforms(&[]), "who pins the image means no other of its index");
    let (single, _) = index("single", &[other]);
    let image = place.store.import(&single, None).unwrap().remove(0).image;
    assert_eq!(image.platform_problem().unwrap().code.0, "NG-R0113");
    assert_eq!(named("corp/multi:1"), platforms(&[other]));
    place.store.tag("corp/multi:1", "corp/again:1").unwrap();
    assert_eq!(named("corp/again:1"), platforms(&[other]), "whatever it is called");
    let (neither, _) = index("neither", &[other, "riscv64"]);
    let problem = place.store.import(&neither, None).unwrap_err();
    assert_eq!(problem.code.0, "NG-R0111");
    assert!(problem.message.contains("linux/riscv64"), "{problem}");
}

#[test]
fn an_image_without_a_full_name_takes_that_of_the_file() {
    let place = Place::new();
    let layers = [tar(&[(File, "file", "1")])];
    for (file, annotated, full) in [
        ("my-app", Some("v7"), "docker.io/library/my-app:v7"),
        ("other", None, "docker.io/library/other:latest"),
        ("x", Some("ghcr.io/corp/x:1"), "ghcr.io/corp/x:1"),
    ] {
        Layout::new(&place.path(file)).image(annotated, &layers, "amd64").finish();
        assert_eq!(place.store.import(&place.path(file), None).unwrap()[0].reference, full);
    }
    Layout::new(&place.path("_?_")).image(None, &layers, "amd64").finish();
    assert_eq!(place.store.import(&place.path("_?_"), None).unwrap_err().code.0, "NG-R0112");
}

#[test]
fn what_is_no_image_archive_is_refused() {
    let place = Place::new();
    let path = place.path("file");
    let before = place.files();
    for bytes in [
        b"just text".to_vec(),
        tar(&[(File, "readme", "hello")]),
        tar(&[(File, "manifest.json", "{")]),
        tar(&[(File, "manifest.json", "[]")]),
        tar(&[(File, "../manifest.json", "[]")]),
        tar(&[(File, "oci-layout", "{}"), (File, "index.json", "{}")]),
        gzip(&docker_archive(&["a:1"]))[..300].to_vec(),
        docker_archive(&["a:1"])[..1700].to_vec(),
    ] {
        fs::write(&path, bytes).unwrap();
        let problem = place.store.import(&path, None).unwrap_err();
        assert_eq!(problem.code.0, "NG-R0107", "{problem}");
    }
    assert_eq!(place.store.import(&place.path("missing"), None).unwrap_err().code.0, "NG-R0103");
    fs::write(&path, b"\xfd7zXZ\0 and so on").unwrap();
    assert_eq!(place.store.import(&path, None).unwrap_err().code.0, "NG-R0110");
    assert_eq!(place.files(), before);
}

/// The same docker archive with its two layers, its configuration naming the digests of `named` of them.
fn with_layers(named: usize) -> Vec<u8> {
    let layers = ["one", "two"].map(|text| String::from_utf8(tar(&[(File, text, text)])).unwrap());
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer.as_bytes()).to_string()).collect();
    let diff_ids = diff_ids.iter().chain(&diff_ids).take(named).collect::<Vec<_>>();
    let config = json!({ "rootfs": { "type": "layers", "diff_ids": diff_ids } }).to_string();
    let manifest =
        json!([{ "Config": "config", "RepoTags": ["corp/app:1"], "Layers": ["0.tar", "1.tar"] }]).to_string();
    tar_of([
        (member(File, "0.tar", &layers[0]), layers[0].as_str()),
        (member(File, "1.tar", &layers[1]), layers[1].as_str()),
        (member(File, "config", &config), config.as_str()),
        (member(File, "manifest.json", &manifest), manifest.as_str()),
    ])
}

#[test]
fn a_docker_archive_keeps_all_its_layers_or_is_refused() {
    for named in 0..=3 {
        let place = Place::new();
        let path = place.path("saved.tar");
        fs::write(&path, with_layers(named)).unwrap();
        let before = place.files();
        match place.store.import(&path, None) {
            Ok(imported) => assert_eq!((named, imported[0].image.layers.len()), (2, 2)),
            Err(problem) => {
                assert_eq!((named == 2, problem.code.0), (false, "NG-R0107"), "{problem}");
                assert!(
                    problem.message.contains(&format!("2 layers but its configuration `config` names {named}")),
                    "{problem}"
                );
                assert_eq!(place.files(), before);
            }
        }
    }
}

#[test]
fn only_regular_files_of_a_layout_are_read_and_none_outside() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let layer = tar(&[(File, "a", "1")]);
    let name = format!("blobs/sha256/{}", Digest::of(&layer).hex());
    let lay_out = |place: &Place| {
        let layout = place.path("layout");
        Layout::new(&layout).image(Some("corp/app:1"), std::slice::from_ref(&layer), "amd64").finish();
        layout
    };
    let pipe = |path: &std::path::Path| mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let link = |target: &str, path: &std::path::Path| std::os::unix::fs::symlink(target, path).unwrap();
    for replaced in [name.as_str(), "index.json", "oci-layout"] {
        for kind in ["device", "absolute", "pipe", "outside", "directory", "socket", "magic"] {
            let place = Place::new();
            let layout = lay_out(&place);
            let path = layout.join(replaced);
            fs::rename(&path, place.path("outside")).unwrap();
            match kind {
                "device" => link("/dev/zero", &path),
                "absolute" => link(place.path("outside").to_str().unwrap(), &path),
                "pipe" => pipe(&path),
                "outside" => link(&format!("{}outside", "../".repeat(replaced.matches('/').count() + 1)), &path),
                "directory" => fs::create_dir(&path).unwrap(),
                "socket" => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
                _ => link("/proc/self/exe", &path),
            }
            let before = place.files();
            let problem = place.store.import(&layout, None).unwrap_err();
            assert!(matches!(problem.code.0, "NG-R0103" | "NG-R0107"), "{replaced} {kind}: {problem}");
            assert_eq!(place.files(), before, "{replaced} {kind}");
        }
        // A link that stays inside is as good as the file.
        let place = Place::new();
        let layout = lay_out(&place);
        fs::rename(layout.join(replaced), layout.join("elsewhere")).unwrap();
        link(&format!("{}elsewhere", "../".repeat(replaced.matches('/').count())), &layout.join(replaced));
        assert_eq!(place.store.import(&layout, None).unwrap().len(), 1, "{replaced}");
    }
}

#[test]
fn more_layers_than_can_be_mounted_are_refused() {
    let place = Place::new();
    let layout = place.path("layout");
    Layout::new(&layout).image(Some("corp/app:1"), &vec![tar(&[(File, "a", "1")]); 501], "amd64").finish();
    let problem = place.store.import(&layout, None).unwrap_err();
    assert_eq!((problem.code.0, problem.message.contains("501 layers")), ("NG-R0110", true), "{problem}");
}
