//! The same probe in a container of ours and under `runc`, in one run: every difference is listed with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use neargate_runtime::{BindMount, ContainerSpec};
use neargate_testkit::containers_common;
use neargate_testkit::needs::needs;
use serde_json::{Value as Json, json};

use crate::differences::{DIFFERENCES, Difference, NOT_WITH_OCI, WITH_OCI};
use crate::embedded::{EmbeddedHost, is_oci};
use crate::host::Host;
use crate::isolation::{is_version_2, on_version_2};
use crate::probe;

const HOSTNAME: &str = "beside";
/// As container engines mask.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
/// What the comparison needs beside containers. The list of differences was made with containers-common 0.50.1.
pub(crate) fn missing_runc() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("the list of differences has the system calls of x86-64".to_owned());
    }
    let runc = neargate_testkit::needs::missing_program("runc");
    runc.or_else(containers_common::missing_profile)
}

type Findings = BTreeMap<String, String>;

fn own_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn host_namespaces() -> String {
    let names = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
    let links = names.iter().filter_map(|name| std::fs::read_link(format!("/proc/self/ns/{name}")).ok());
    links.map(|link| link.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// Under us.
fn ours(host: &EmbeddedHost, change: impl FnOnce(&mut ContainerSpec)) -> Findings {
    let mut container = host.program("main", vec!["/probe".to_owned(), probe::ARGUMENT.to_owned()]);
    container.mounts.push(BindMount { source: own_program(), container_path: "/probe".to_owned(), read_only: true });
    container.env.push((probe::HOST_NAMESPACES.to_owned(), host_namespaces()));
    change(&mut container);
    let mut task = host.task(vec![container]);
    task.network.hostname = HOSTNAME.to_owned();
    let (lines, code) = host.run_task(&task);
    assert_eq!(code, 0, "{lines:?}");
    serde_json::from_str(&lines.concat()).unwrap()
}

/// Under runc, with the settings that container engines give it.
fn theirs(host: &EmbeddedHost, version_2: bool) -> Findings {
    let bundle = host.config.data_dir.join("bundle");
    let root = bundle.join("rootfs");
    for dir in ["proc", "dev", "sys", "usr", "etc"] {
        std::fs::create_dir_all(root.join(dir)).unwrap();
    }
    for dir in ["bin", "sbin", "lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{dir}"), root.join(dir)).unwrap();
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    assert!(Command::new("runc").arg("spec").current_dir(&bundle).status().unwrap().success());
    let file = bundle.join("config.json");
    let mut config: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let files = own_files(&bundle);
    adapt(&mut config, &files, version_2);
    std::fs::write(&file, config.to_string()).unwrap();
    let name = format!("neargate-test-{}-{}", std::process::id(), if version_2 { 2 } else { 1 });
    let output =
        Command::new("runc").args(["run", "--bundle"]).arg(&bundle).arg(name).stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "runc: {error}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The three files that container engines mount.
fn own_files(bundle: &Path) -> Vec<(PathBuf, String)> {
    let file = |name: &str| {
        let path = bundle.join(name);
        std::fs::write(&path, "").unwrap();
        (path, format!("/etc/{name}"))
    };
    ["hosts", "resolv.conf", "hostname"].map(file).to_vec()
}

/// As much of what Fargate gives as this process may give.
fn nofile() -> u64 {
    let own = rustix::thread::capabilities(None).unwrap().effective;
    let may_raise = own.contains(rustix::thread::CapabilitySet::SYS_RESOURCE);
    let hard = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    hard.filter(|_| !may_raise).unwrap_or(65_535).min(65_535)
}

fn adapt(config: &mut Json, files: &[(PathBuf, String)], version_2: bool) {
    let names = containers_common::capabilities();
    let nofile = nofile();
    config["hostname"] = json!(HOSTNAME);
    config["root"] = json!({ "path": "rootfs", "readonly": false });
    let process = &mut config["process"];
    process["terminal"] = json!(false);
    process["args"] = json!(["/probe", probe::ARGUMENT]);
    process["env"] = json!([
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        format!("HOSTNAME={HOSTNAME}"),
        format!("{}={}", probe::HOST_NAMESPACES, host_namespaces()),
    ]);
    process["capabilities"] = json!({ "bounding": names, "effective": names, "permitted": names });
    process["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "hard": nofile, "soft": nofile }]);
    process["noNewPrivileges"] = json!(false);
    let mounts = config["mounts"].as_array_mut().unwrap();
    for mount in mounts.iter_mut().filter(|it| it["destination"] == "/proc") {
        mount["options"] = json!(["nosuid", "noexec", "nodev"]);
    }
    let mut bind = |source: &Path, destination: &str, access: &str| {
        let options = json!(["bind", "rprivate", access]);
        mounts.push(json!({ "type": "bind", "source": source, "destination": destination, "options": options }));
    };
    for (source, destination) in files {
        bind(source, destination, "rw");
    }
    bind(Path::new("/usr"), "/usr", "ro");
    bind(&own_program(), "/probe", "ro");
    let linux = &mut config["linux"];
    let namespaces = linux["namespaces"].as_array_mut().unwrap();
    if !namespaces.iter().any(|it| it["type"] == "cgroup") {
        namespaces.push(json!({ "type": "cgroup" }));
    }
    linux["maskedPaths"] = json!(MASKED);
    linux["seccomp"] = containers_common::seccomp(&names).expect("a profile of the known form");
    if !version_2 {
        linux["resources"]["memory"] = json!({ "limit": 512 << 20 });
    }
}

/// Differences that nobody has listed, and listed ones that are none.
fn compare(ours: &Findings, theirs: &Findings, version: u8) -> Vec<String> {
    let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let of_backend: Vec<&Difference> = if is_oci() {
        let made_by_runc = |it: &&Difference| it.keys.first().is_some_and(|key| NOT_WITH_OCI.contains(key));
        DIFFERENCES.iter().filter(|it| !made_by_runc(it)).chain(WITH_OCI).collect()
    } else {
        DIFFERENCES.iter().collect()
    };
    let listed: Vec<&Difference> = of_backend.into_iter().filter(|it| it.versions.contains(&version)).collect();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let none = "(none)".to_owned();
    for key in keys {
        let (own, other) = (ours.get(key).unwrap_or(&none), theirs.get(key).unwrap_or(&none));
        if own == other {
            continue;
        }
        match listed.iter().position(|it| it.explains(key, own, other)) {
            Some(index) => {
                seen.insert(index);
            }
            None => wrong.push(format!("{key}: ours `{own}`, runc's `{other}`")),
        }
    }
    let stale = listed.iter().enumerate().filter(|(index, it)| it.always && !seen.contains(index));
    wrong.extend(stale.map(|(_, it)| format!("listed, but no difference: {:?} ({})", it.keys, it.reason)));
    wrong
}

#[needs(containers, runc)]
fn a_container_is_isolated_as_under_runc_or_it_is_said_why_not() {
    let host = EmbeddedHost::new();
    let version_2 = is_version_2();
    let (own, other) = (ours(&host, |_| {}), theirs(&host, version_2));
    let wrong = compare(&own, &other, if version_2 { 2 } else { 1 });
    let profile = containers_common::version();
    assert!(wrong.is_empty(), "beside runc with containers-common {profile}:\n{}", wrong.join("\n"));
}

#[needs(containers, runc)]
fn it_is_so_on_control_groups_of_version_2_too() {
    on_version_2("a_container_is_isolated_as_under_runc_or_it_is_said_why_not");
}
