//! Machines and users that cannot run containers: refused in the doctor's words, before anything is made.
//!
//! The tests take rights away from the command, so they need root and containers to begin with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use neargate_testkit::needs::needs;

use crate::harness::{GREETER, Place, Ran};

/// A place for everybody, with the program in it and an app.
fn place() -> Place {
    let place = Place::new();
    let open = |name: &str| fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o777)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_neargate"), place.path("neargate")).unwrap();
    place.write("app/neargate.toml", GREETER);
    place.write("app/task.yaml", include_str!("templates/task.yaml"));
    ["", "home", "tmp", "neargate"].iter().for_each(|name| open(name));
    place
}

/// The command behind a wrapper that takes something away.
fn run(place: &Place, wrapper: &[&str], arguments: &[&str]) -> Ran {
    let (first, rest) = wrapper.split_first().unwrap();
    let output = Command::new(first)
        .args(rest)
        .arg(place.path("neargate"))
        .args(arguments)
        .current_dir(place.dir.path())
        .env("HOME", place.path("home"))
        .env("TMPDIR", place.path("tmp"))
        .env_remove("XDG_DATA_HOME")
        .env("XDG_STATE_HOME", place.path("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = |bytes: &[u8]| place.redact(&String::from_utf8_lossy(bytes));
    Ran { code: output.status.code().unwrap_or(-1), stdout: shown(&output.stdout), stderr: shown(&output.stderr) }
}

/// Nothing of the tool's lies in the place, the home or the directory for temporary files.
fn nothing_is_made(place: &Place) {
    assert!(!place.path("data").exists());
    let links = fs::read_dir("/sys/class/net").unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(links.filter(|name| name.to_string_lossy().starts_with("ngprobe")).count(), 0);
    assert!(!place.path("state").exists());
    assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(place.path("home")).unwrap().count(), 0);
}

const OTHER_USER: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const WITHOUT_SYS_ADMIN: &[&str] = &["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];

#[needs(containers)]
fn without_root_or_its_rights_up_and_try_refuse_before_anything_is_made() {
    let place = place();
    for (wrapper, words) in [
        (OTHER_USER, "error[NG-E0240]: containers need root, this is user 65534"),
        (WITHOUT_SYS_ADMIN, "error[NG-E0240]: containers need root with all its rights, without CAP_SYS_ADMIN"),
    ] {
        let doctor = run(&place, wrapper, &["doctor"]);
        assert_eq!(doctor.code, 1, "{}", doctor.stdout);
        assert!(doctor.stdout.contains(words.split_once(": ").unwrap().1), "{}", doctor.stdout);
        for (arguments, code) in [
            (&["try", "app"] as &[&str], 125),
            (&["up", "app", "--port", "1", "--data-dir", "data"], 2),
            (&["up", "app", "--detach", "--port", "1", "--data-dir", "data"], 2),
        ] {
            let ran = run(&place, wrapper, arguments);
            assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}\n{}", ran.stderr);
            assert_eq!(ran.stderr.lines().next(), Some(words), "{arguments:?}\n{}", ran.stderr);
            nothing_is_made(&place);
        }
    }
}

#[needs(containers)]
fn an_engine_of_an_ordinary_user_warns_and_run_and_up_refuse_in_it() {
    let place = place();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    // In an engine alone what needs no containers works.
    let up = run(&place, OTHER_USER, &["up", "--no-app", "--detach", "--port", &port, "--data-dir", "data"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    for (arguments, code) in
        [(&["run", "greeter", "--port", &port] as &[&str], 125), (&["up", "app", "--port", &port], 2)]
    {
        let ran = run(&place, OTHER_USER, arguments);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let words = "the engine has no containers: containers need root, this is user 65534";
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let down = run(&place, OTHER_USER, &["down", "--port", &port]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    let warned = run(&place, OTHER_USER, &["up", "--clock", "yesterday"]);
    assert_eq!(warned.code, 2, "{}", warned.stderr);
}

#[needs(containers)]
fn tasks_run_where_the_data_lies_on_an_overlay() {
    let place = place();
    // An overlay as a container's root is one; it is gone with the mount namespace.
    let script = "mkdir lower upper work merged && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none merged && \
                  cd merged && TMPDIR=$PWD \"$@\"";
    let wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"];
    let app = place.path("app").display().to_string();
    let ran = run(&place, &wrapper, &["try", &app]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// A machine on which what is called `runc` or `crun` is none.
const WITHOUT_RUNTIME: &[&str] = &[
    "unshare",
    "--mount",
    "sh",
    "-c",
    "for name in runc crun; do for dir in /usr/local/sbin /usr/sbin /sbin /usr/local/bin /usr/bin; do \
     test ! -e $dir/$name || mount --bind /bin/false $dir/$name; done; done; exec \"$@\"",
    "sh",
];

#[needs(containers)]
fn without_an_oci_runtime_its_backend_is_refused_in_the_doctors_words_before_anything_is_made() {
    let place = place();
    let doctor = run(&place, WITHOUT_RUNTIME, &["doctor", "--backend", "oci"]);
    assert_eq!(doctor.code, 1, "{}", doctor.stdout);
    let row = doctor.stdout.lines().find_map(|line| line.strip_prefix("no      runtime")).unwrap().trim();
    for (arguments, code) in [
        (&["try", "app", "--backend", "oci"] as &[&str], 125),
        (&["up", "app", "--backend", "oci", "--port", "1", "--data-dir", "data"], 2),
        (&["up", "app", "--backend=oci", "--detach", "--port", "1", "--data-dir", "data"], 2),
    ] {
        let ran = run(&place, WITHOUT_RUNTIME, arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}\n{}", ran.stderr);
        let words = format!("error[NG-E0240]: containers do not run on this machine: runtime: {row}");
        assert_eq!(ran.stderr.lines().next(), Some(words.as_str()), "{arguments:?}\n{}", ran.stderr);
        nothing_is_made(&place);
    }
    // The other backend does without; the doctor says both.
    let doctor = run(&place, WITHOUT_RUNTIME, &["doctor"]);
    assert_eq!(doctor.code, 0, "{}", doctor.stdout);
    assert!(
        doctor.stdout.lines().any(|line| line.starts_with("partly  ") && line.contains("--version")),
        "{}",
        doctor.stdout
    );
}

#[needs(containers, runc)]
fn a_task_runs_with_an_oci_runtime_and_an_engine_keeps_its_backend() {
    let place = place();
    let tried = run(&place, &["env"], &["try", "app", "--backend", "oci"]);
    assert_eq!(tried.code, 0, "{}", tried.stderr);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let up = run(
        &place,
        &["env"],
        &["up", "--no-app", "--backend", "oci", "--detach", "--port", &port, "--data-dir", "data"],
    );
    assert_eq!(up.code, 0, "{}", up.stderr);
    for (arguments, code) in [
        (&["up", "app", "--backend", "embedded", "--port", &port] as &[&str], 2),
        (&["run", "greeter", "--backend", "embedded", "--port", &port], 125),
    ] {
        let ran = run(&place, &["env"], arguments);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let words = "the engine runs already, with the backend `oci`: `--backend` comes too late";
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let deployed = run(&place, &["env"], &["up", "app", "--backend", "oci", "--detach", "--port", &port]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let down = run(&place, &["env"], &["down", "--port", &port]);
    assert_eq!(down.code, 0, "{}", down.stderr);
}
