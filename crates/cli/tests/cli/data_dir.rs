//! Data directories: whose they are, who may read them, what a purge takes.

use neargate_testkit::needs::needs;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::expect;

use crate::harness::Place;

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// The entries of a folder with their modes, one level deep.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut modes: Vec<_> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::symlink_metadata(&path).unwrap().mode() & 0o7777)
        })
        .collect();
    modes.sort();
    modes
}

#[needs()]
fn data_is_for_its_owner_alone_whatever_the_umask() {
    for umask in ["000", "002", "022", "077"] {
        let place = Place::new();
        let port = free_port();
        let command = place.command(&["up", "--detach", "--port", &port, "--data-dir", "data"]);
        let mut under_umask = Command::new("sh");
        under_umask
            .args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", umask])
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(place.dir.path())
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null());
        let output = under_umask.output().unwrap();
        assert!(output.status.success(), "umask {umask}: {}", String::from_utf8_lossy(&output.stderr));
        let data = place.path("data");
        assert_eq!(fs::metadata(&data).unwrap().mode() & 0o7777, 0o700, "umask {umask}");
        let found = modes(&data);
        for (name, mode) in &found {
            let expected = if data.join(name).is_dir() { 0o700 } else { 0o600 };
            assert_eq!(*mode, expected, "umask {umask}: {name}");
        }
        for name in ["engine.log", "lock", "neargate-data", "segments", "state.sqlite", "state.sqlite-wal"] {
            assert!(found.iter().any(|(found, _)| found == name), "{name} is missing: {found:?}");
        }
        let marker = fs::read_to_string(data.join("neargate-data")).unwrap();
        let instance = marker.lines().last().unwrap().strip_prefix("instance ").unwrap();
        let run = Path::new("/run/neargate").join(instance);
        if let Ok(found) = fs::metadata(&run) {
            assert_eq!(found.mode() & 0o7777, 0o700, "umask {umask}: {}", run.display());
        }
        place.run(&["down", "--purge", "--port", &port]);
        assert!(!data.exists() && !run.exists(), "umask {umask}");
    }
}

#[needs(containers)]
fn what_others_keep_in_a_directory_is_never_taken() {
    let place = Place::new();
    let port = free_port();
    place.write("precious/thesis.txt", "mine").write("precious/tasks/todo.txt", "mine too");
    for arguments in [&["up", "--detach"][..], &["up"]] {
        let all: Vec<_> = arguments.iter().copied().chain(["--port", &port, "--data-dir", "precious"]).collect();
        place.check(
            &all,
            expect![[r#"
                exit 2
                --- stderr
                error[NG-E0109]: this is no data directory of Neargate's, and not empty: it holds `tasks`
                  at [PLACE]/precious

                hint: name a new or an empty directory with `--data-dir`
            "#]],
        );
    }
    place.check(
        &["image", "ls", "--data-dir", "precious"],
        expect![[r#"
            exit 1
            --- stderr
            error[NG-E0109]: this is no data directory of Neargate's, and not empty: it holds `tasks`
              at precious

            hint: name a new or an empty directory with `--data-dir`
        "#]],
    );
    assert_eq!(modes(&place.path("precious")).len(), 2, "nothing was written to it");

    // Files that come later are left, and so is what links lead to.
    place.write("stack.yaml", "Resources:\n  Cluster:\n    Type: AWS::ECS::Cluster\n");
    place.run(&["up", "stack.yaml", "--detach", "--port", &port, "--data-dir", "data"]);
    let keys = modes(&place.path("state/neargate/keys"));
    assert_eq!(keys.iter().map(|(_, mode)| *mode).collect::<Vec<_>>(), [0o600, 0o600], "key and place: {keys:?}");
    place.write("data/thesis.txt", "mine");
    std::os::unix::fs::symlink(place.path("precious"), place.path("data/segments/link")).unwrap();
    let other = free_port();
    let refused = place.run(&["down", "--purge", "--port", &other, "--data-dir", "data"]);
    assert!(refused.code != 0 && refused.stderr.contains("NG-E0102"), "{}", refused.stderr);
    let purged = place.run(&["down", "--purge", "--port", &port]);
    expect!["purged [PLACE]/data, except what is not the engine's: `segments/link`, `thesis.txt`"]
        .assert_eq(purged.stderr.lines().last().unwrap().trim());
    assert_eq!(modes(&place.path("data")).len(), 2, "the file, and the folder of the link");
    assert_eq!(fs::read_to_string(place.path("precious/tasks/todo.txt")).unwrap(), "mine too");
    assert_eq!(modes(&place.path("state/neargate/keys")), [], "its key is gone, too");
}

#[needs()]
fn an_engine_whose_directory_is_deleted_acknowledges_nothing_more() {
    let place = Place::new();
    let port = free_port();
    place.run(&["up", "--detach", "--port", &port, "--data-dir", "data"]);
    let set = ["clock", "set", "2030-01-01T00:00:00Z", "--port", &port];
    let before = place.run(&set);
    assert_eq!(before.code, 0, "{}", before.stderr);
    fs::rename(place.path("data"), place.path("moved")).unwrap();
    let after = place.run(&["clock", "set", "2031-01-01T00:00:00Z", "--port", &port]);
    assert_ne!(after.code, 0, "it said: {}", after.stdout);
    place.run(&["down", "--port", &port]);
    // Purged where it is now: the engine may have made folders anew where it was.
    place.run(&["down", "--purge", "--port", &port, "--data-dir", "moved"]);
    assert!(!place.path("moved").exists());
}

#[needs()]
fn a_directory_in_use_is_refused_alike_in_the_foreground_and_detached() {
    let place = Place::new();
    let (port, other) = (free_port(), free_port());
    place.run(&["up", "--detach", "--port", &port, "--data-dir", "data"]);
    let log = || fs::read_to_string(place.path("data/engine.log")).unwrap();
    let before = log();
    for detach in [&[][..], &["--detach"]] {
        let ran = place.run(&[&["up", "--port", &other, "--data-dir", "data"], detach].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        let owner = fs::read_to_string(place.path("data/lock")).unwrap();
        let (process, noted) = owner.trim().split_once('\n').unwrap();
        assert_eq!(noted, port);
        expect![[r#"
            error[NG-E0102]: the data directory is in use by process [PROCESS]
              at [PLACE]/data

            hint: stop the other engine with `neargate down --port [PORT]`, or choose another directory with `--data-dir`
        "#]]
        .assert_eq(&ran.stderr.replace(process, "[PROCESS]").replace(&port, "[PORT]"));
    }
    assert_eq!(log(), before, "the log is the running engine's");
    assert_eq!(place.run(&["down", "--purge", "--port", &port]).code, 0);
}
