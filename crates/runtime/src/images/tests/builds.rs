//! Builds: the same input gives the same image, host programs run in it, and what cannot run is said.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::{BuildBase, FileContent, ImageStore, Recipe, RecipeFile};
use super::make::Place;

fn bytes(target: &str, text: &str) -> RecipeFile {
    RecipeFile { target: target.to_owned(), content: FileContent::Bytes(text.into()), mode: None }
}

/// The smallest 64-bit ELF header for a machine, with no segments: a static program as far as headers tell.
fn static_program(machine: u8) -> Vec<u8> {
    let mut header = vec![0_u8; 64];
    header[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    header[18] = machine;
    header[54] = 56;
    header
}

#[test]
fn a_directory_becomes_an_image_that_survives_export_and_import() {
    let place = Place::new();
    let root = place.path("root");
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(root.join("bin/app"), static_program(62)).unwrap();
    fs::set_permissions(root.join("bin/app"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::hard_link(root.join("bin/app"), root.join("bin/same")).unwrap();
    symlink("bin/app", root.join("run")).unwrap();
    let recipe = Recipe {
        base: BuildBase::Directory(root),
        files: vec![bytes("/etc/app.conf", "x=1")],
        entrypoint: vec!["/run".into()],
        cmd: vec!["--fast".into()],
        env: vec!["B=2".into(), "A=1".into()],
        user: "1000:1000".into(),
        working_dir: "/work/here".into(),
        stop_signal: Some("SIGINT".into()),
        exposed_ports: vec!["80/tcp".into(), "443/tcp".into()],
        labels: [("k".to_owned(), "v".to_owned())].into(),
        ..Recipe::default()
    };
    let built = place.store.build(&recipe, "corp/app:1").unwrap();
    assert_eq!((built.reference.as_str(), built.warnings.as_slice()), ("docker.io/corp/app:1", &[][..]));
    let config = &built.image.config;
    assert_eq!((config.architecture.as_str(), config.os.as_str()), ("amd64", "linux"));
    assert_eq!((&config.entrypoint, &config.cmd, &config.env), (&recipe.entrypoint, &recipe.cmd, &recipe.env));
    assert_eq!(config.exposed_ports, ["443/tcp", "80/tcp"]);
    assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("1000:1000", "/work/here"));
    assert_eq!((config.stop_signal.as_deref(), config.labels["k"].as_str()), (Some("SIGINT"), "v"));

    for path in [place.path("out.tar"), place.path("out-dir")] {
        place.store.export("corp/app:1", &path).unwrap();
        let other = Place::new();
        let imported = other.store.import(&path, None).unwrap();
        assert_eq!((imported[0].reference.as_str(), &*imported[0].image), ("docker.io/corp/app:1", &built.image));
        let rootfs = other.store.rootfs(&imported[0].image).unwrap();
        let top = &rootfs.lower_dirs[0];
        assert_eq!(fs::read_to_string(top.join("etc/app.conf")).unwrap(), "x=1");
        assert_eq!(fs::read_link(top.join("run")).unwrap().to_str(), Some("bin/app"));
        assert!(top.join("work/here").is_dir());
        assert_eq!(fs::read(top.join("bin/same")).unwrap(), static_program(62));
    }
}

#[test]
fn the_same_input_gives_the_same_digest() {
    let recipe = |root: &std::path::Path| {
        fs::create_dir_all(root.join("d")).unwrap();
        for name in ["z", "a", "d/x"] {
            fs::write(root.join(name), name).unwrap();
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o755)).unwrap();
        Recipe { base: BuildBase::Directory(root.to_owned()), ..Recipe::default() }
    };
    let (one, two) = (Place::new(), Place::new());
    let first = one.store.build(&recipe(&one.path("root")), "corp/app:1").unwrap();
    let second = two.store.build(&recipe(&two.path("another-name")), "corp/app:1").unwrap();
    assert_eq!(first.image, second.image);
    fs::write(two.path("another-name/a"), "changed").unwrap();
    let third = two.store.build(&recipe_of(&two), "corp/app:1").unwrap();
    assert_ne!(third.image.digest, second.image.digest);
    assert_eq!(two.store.resolve("corp/app:1").unwrap().unwrap().digest, third.image.digest);
}

fn recipe_of(place: &Place) -> Recipe {
    Recipe { base: BuildBase::Directory(place.path("another-name")), ..Recipe::default() }
}

#[test]
fn an_unchanged_build_is_not_made_again() {
    let place = Place::new();
    let recipe = Recipe { files: vec![bytes("/a", "1")], ..Recipe::default() };
    let first = place.store.build(&recipe, "corp/app:1").unwrap();
    let again = place.store.build(&recipe, "corp/app:2").unwrap();
    assert!(!first.unchanged && again.unchanged);
    assert_eq!(first.image, again.image);
    let changed = Recipe { files: vec![bytes("/a", "2")], ..Recipe::default() };
    assert!(!place.store.build(&changed, "corp/app:1").unwrap().unchanged);
    place.store.remove("corp/app:2").unwrap();
    place.store.gc(&[]).unwrap();
    assert!(!place.store.build(&recipe, "corp/app:2").unwrap().unchanged, "what was collected is made again");
}

#[test]
fn host_programs_come_without_warnings() {
    let place = Place::new();
    let recipe = Recipe {
        host_programs: vec!["sh".into(), "cat".into()],
        files: vec![bytes("/etc/motd", "it runs\n")],
        entrypoint: vec!["sh".into()],
        ..Recipe::default()
    };
    let built = place.store.build(&recipe, "corp/shell:1").unwrap();
    assert_eq!(built.warnings, []);
    assert_eq!(built.image.platform_problem(), None);
}

#[test]
fn host_programs_fit_into_a_directory_with_another_layout() {
    let place = Place::new();
    let root = place.path("root");
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(root.join("lib64")).unwrap();
    let recipe = Recipe {
        base: BuildBase::Directory(root),
        host_programs: vec!["/bin/sh".into()],
        entrypoint: vec!["/bin/sh".into()],
        ..Recipe::default()
    };
    let built = place.store.build(&recipe, "corp/shell:1").unwrap();
    assert_eq!(built.warnings, []);
    let rootfs = place.store.rootfs(&built.image).unwrap();
    assert!(rootfs.lower_dirs[0].join("bin").symlink_metadata().unwrap().is_dir());
}

#[test]
fn scripts_bring_their_interpreter() {
    let place = Place::new();
    let script = place.path("tool");
    fs::write(&script, "#!/usr/bin/env sh\necho hi\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let path = script.to_str().unwrap().to_owned();
    let recipe = Recipe { host_programs: vec![path.clone()], entrypoint: vec![path.clone()], ..Recipe::default() };
    let built = place.store.build(&recipe, "corp/tool:1").unwrap();
    assert_eq!(built.warnings, []);
    let rootfs = place.store.rootfs(&built.image).unwrap();
    for program in [path.trim_start_matches('/'), "usr/bin/env"] {
        assert!(rootfs.lower_dirs[0].join(program).exists(), "{program}");
    }
}

#[test]
fn a_static_program_is_its_own_image_and_a_dynamic_one_is_refused() {
    let place = Place::new();
    let program = place.path("app");
    fs::write(&program, static_program(183)).unwrap();
    let recipe = Recipe { base: BuildBase::StaticBinary(program), ..Recipe::default() };
    let built = place.store.build(&recipe, "corp/app:1").unwrap();
    assert_eq!(built.image.config.entrypoint, ["/app"]);
    assert_eq!(built.image.config.architecture, "arm64");
    if cfg!(target_arch = "x86_64") {
        assert_eq!(built.image.platform_problem().unwrap().code.0, "NG-R0113");
    }
    // The test program itself is linked to the C library.
    let dynamic = std::env::current_exe().unwrap();
    let recipe = Recipe { base: BuildBase::StaticBinary(dynamic), ..Recipe::default() };
    let problem = place.store.build(&recipe, "corp/app:1").unwrap_err();
    assert_eq!(problem.code.0, "NG-R0121");
    assert!(problem.details.iter().any(|line| line.contains("libc.so") || line.contains("libc.musl")), "{problem}");
    let text = place.path("text");
    fs::write(&text, "no program").unwrap();
    let recipe = Recipe { base: BuildBase::StaticBinary(text), ..Recipe::default() };
    assert_eq!(place.store.build(&recipe, "corp/app:1").unwrap_err().code.0, "NG-R0122");
}

#[test]
fn what_will_not_start_is_said() {
    let place = Place::new();
    let warn = |recipe: Recipe| {
        let built = place.store.build(&recipe, "corp/app:1").unwrap();
        built.warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>().join("\n")
    };
    let none = Recipe { cmd: vec!["app".into()], ..Recipe::default() };
    assert!(warn(none).contains("`app` is not in the image"));
    let files = vec![bytes("/bin/app", "#!/bin/sh\n")];
    let script = Recipe { files, cmd: vec!["app".into()], ..Recipe::default() };
    assert!(warn(script).contains("interpreter `/bin/sh`"));
    let program = fs::read(std::env::current_exe().unwrap()).unwrap();
    let files = vec![RecipeFile { target: "/app".into(), content: FileContent::Bytes(program), mode: Some(0o755) }];
    let dynamic = Recipe { files, cmd: vec!["./app".into()], ..Recipe::default() };
    assert!(warn(dynamic).contains("dynamic loader"));
}

#[test]
fn input_that_cannot_be_used_is_refused_and_leaves_nothing() {
    let place = Place::new();
    let before = place.files();
    let socket_dir = place.path("sockets");
    fs::create_dir(&socket_dir).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(socket_dir.join("s")).unwrap();
    let cases = [
        ("NG-R0120", Recipe { base: BuildBase::Directory(socket_dir), ..Recipe::default() }),
        ("NG-R0120", Recipe { files: vec![bytes("relative", "")], ..Recipe::default() }),
        ("NG-R0120", Recipe { files: vec![bytes("/a/../../b", "")], ..Recipe::default() }),
        ("NG-R0120", Recipe { working_dir: "relative".into(), ..Recipe::default() }),
        ("NG-R0120", Recipe { env: vec!["NO_VALUE".into()], ..Recipe::default() }),
        ("NG-R0122", Recipe { host_programs: vec!["no-such-program".into()], ..Recipe::default() }),
        ("NG-R0122", Recipe { host_programs: vec!["/etc/passwd".into()], ..Recipe::default() }),
        ("NG-R0103", Recipe { base: BuildBase::Directory(place.path("missing")), ..Recipe::default() }),
    ];
    for (code, recipe) in cases {
        let problem = place.store.build(&recipe, "corp/app:1").unwrap_err();
        assert_eq!(problem.code.0, code, "{problem}");
    }
    let too_short = format!("corp/app@sha256:{}", "0".repeat(63));
    assert_eq!(place.store.build(&Recipe::default(), &too_short).unwrap_err().code.0, "NG-R0101");
    assert_eq!(place.files(), before);
    assert!(ImageStore::read_only(place.store.dir()).build(&Recipe::default(), "a").is_err());
}
