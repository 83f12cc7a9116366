//! Where the paths of an image and of a user lead while a container is made: inside, whatever is open. On the machine's own
//! control groups, and again on version 2 where the machine has version 1.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use neargate_runtime::{BindMount, ContainerSpec, EventKind, ExecSpec, Tmpfs};
use neargate_testkit::needs::needs;

use crate::embedded::{EmbeddedHost, is_oci};
use crate::host::Host;

/// More than a shim has open.
const DESCRIPTORS: u32 = 40;

/// The line with which the container ends.
pub(crate) fn outcome(host: &EmbeddedHost, container: ContainerSpec) -> String {
    let (lines, code) = host.run(container);
    format!("{} ({code})", lines.last().cloned().unwrap_or_default().rsplit("process: ").next().unwrap_or_default())
}

#[needs(containers)]
fn no_working_directory_leads_through_a_descriptor() {
    let host = EmbeddedHost::new();
    for number in 0..DESCRIPTORS {
        for below in ["", "/..", "/../../../../.."] {
            let mut container = host.script("main", "pwd");
            container.working_dir = format!("/proc/self/fd/{number}{below}");
            let found = outcome(&host, container);
            // `/proc/self/fd/..` would be a directory of `/proc`, were the numbers not there.
            let refused = found.starts_with("mkdir ") || found.starts_with("chdir to cwd");
            assert!(refused && found.ends_with("unknown (128)"), "{number}{below}: {found}");
        }
    }
}

#[needs(containers)]
fn no_mount_target_leads_through_a_descriptor() {
    let host = EmbeddedHost::new();
    let layer = host.config.data_dir.join("links");
    std::fs::create_dir_all(layer.join("etc")).unwrap();
    std::fs::create_dir_all(layer.join("dirs")).unwrap();
    for number in 0..DESCRIPTORS {
        symlink(format!("/proc/self/fd/{number}"), layer.join(format!("dirs/{number}"))).unwrap();
    }
    let source = host.config.data_dir.join("volume");
    std::fs::create_dir_all(&source).unwrap();
    for number in 0..DESCRIPTORS {
        for path in [format!("/proc/self/fd/{number}/made"), format!("/dirs/{number}/made"), format!("/dirs/{number}")]
        {
            let mut container = host.script("main", "echo started");
            container.lower_dirs.push(layer.clone());
            container.mounts.push(BindMount { source: source.clone(), container_path: path.clone(), read_only: false });
            let found = outcome(&host, container);
            assert!(found.starts_with("error mounting: ") && found.ends_with("unknown (128)"), "{path}: {found}");
        }
    }
    assert_eq!(std::fs::read_dir(source).unwrap().count(), 0);
}

#[needs(containers)]
fn the_files_under_etc_lead_through_no_descriptor() {
    let host = EmbeddedHost::new();
    for name in ["hosts", "resolv.conf", "hostname"] {
        for target in ["/proc/self/fd/3", "/proc/self/cwd/x", "/proc/1/root/x"] {
            let layer = host.config.data_dir.join(format!("{name}-{}", target.replace('/', "-")));
            std::fs::create_dir_all(layer.join("etc")).unwrap();
            symlink(target, layer.join("etc").join(name)).unwrap();
            let mut container = host.script("main", "echo started");
            container.lower_dirs.push(layer);
            let found = outcome(&host, container);
            // Where an OCI runtime mounts `/proc` later, the link leads nowhere and makes way.
            let held = is_oci() && found == "started (0)";
            assert!(held || found.starts_with(&format!("error mounting: `/etc/{name}`")), "{found}");
        }
    }
}

#[needs(containers)]
fn nothing_of_the_containers_hides_the_kernels_files() {
    let host = EmbeddedHost::new();
    for path in ["/proc", "/proc/sys", "/proc/self", "/a/../proc/sys/kernel"] {
        let mut container = host.script("main", "echo started");
        container.tmpfs.push(Tmpfs { container_path: path.to_owned(), size_mib: 1, options: Vec::new() });
        let found = outcome(&host, container);
        let expected =
            format!("error mounting: \"{path}\" cannot be mounted because it is inside /proc: unknown (128)");
        assert!(found == expected.replace("error mounting: ", "") || found == expected, "{found}");
    }
    for name in ["proc", "dev", "sys"] {
        let layer = host.config.data_dir.join(format!("linked-{name}"));
        std::fs::create_dir_all(layer.join("elsewhere")).unwrap();
        symlink("/elsewhere", layer.join(name)).unwrap();
        let mut container = host.script("main", "echo started");
        container.lower_dirs.push(layer);
        let found = outcome(&host, container);
        assert_eq!(found, format!("error mounting: `/{name}`: must be an ordinary directory: unknown (128)"));
    }
}

#[needs(containers)]
fn a_user_file_that_is_none_is_an_error_and_nobody_waits() {
    let host = EmbeddedHost::new();
    for name in ["passwd", "group"] {
        let layer = host.config.data_dir.join(format!("pipe-{name}"));
        std::fs::create_dir_all(layer.join("etc")).unwrap();
        let pipe = layer.join("etc").join(name);
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let mut container = host.script("main", "echo started");
        container.lower_dirs.push(layer);
        let found = outcome(&host, container);
        assert_eq!(found, format!("reading `/etc/{name}`: not a regular file: unknown (128)"));
    }
    let mut container = host.script("main", "id -u");
    container.user = u32::MAX.to_string();
    assert_eq!(outcome(&host, container), "uids and gids must be in range 0-2147483647: unknown (128)");
}

#[needs(containers)]
fn a_working_directory_is_made_before_the_root_is_read_only_and_is_no_file() {
    let host = EmbeddedHost::new();
    let mut container = host.script("main", "pwd; touch x 2>/dev/null || echo refused");
    container.readonly_root = true;
    container.working_dir = "/not/there".to_owned();
    assert_eq!(host.run(container), (vec!["/not/there".to_owned(), "refused".to_owned()], 0));
    let mut container = host.script("main", "pwd");
    container.working_dir = "/etc/passwd".to_owned();
    assert_eq!(outcome(&host, container), "mkdir /etc/passwd: not a directory: unknown (128)");
}

/// `name device:inode mode` of what a process has open, in the container.
const STREAMS: &str = "for n in 0 1 2; do stat -L -c \"$n %t:%T %d\" /proc/self/fd/$n; done; stat -c '%d' /dev/null; ls /proc/self/fd | wc -l";

#[needs(containers)]
fn the_standard_input_is_the_containers_own_device_and_nothing_else_is_open() {
    let host = EmbeddedHost::new();
    let (lines, _) = host.run(host.script("main", STREAMS));
    let own = &lines[3];
    assert_eq!(lines[0], format!("0 1:3 {own}"), "{lines:?}");
    // `ls` has the directory open besides.
    assert_eq!(lines[4], "4");
    let of_host = std::os::unix::fs::MetadataExt::dev(&std::fs::metadata("/dev/null").unwrap()).to_string();
    assert_ne!(*own, of_host);
}

#[needs(containers)]
fn a_command_has_the_containers_own_device_and_nothing_else() {
    let host = EmbeddedHost::new();
    let task = host.task(vec![host.script("main", "echo ready; while :; do sleep 1000; done")]);
    host.backend().start(&task).unwrap();
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    let script = "n=$(stat -c %d /dev/null); for f in 0 1 2; do test $(stat -L -c %d /proc/$$/fd/$f) = $n || exit 9; done; \
                  set -- /proc/$$/fd/*; test $# -le 4";
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    host.backend().exec(&task.task_id, "main", &ExecSpec { exec_id: "a".to_owned(), argv, timeout_s: 60 }).unwrap();
    let code = host.wait(|kind| match kind {
        EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!(code, 0);
    host.remove(&task);
}

#[needs(containers)]
fn commands_init_processes_and_other_users_are_under_the_filter_too() {
    let host = EmbeddedHost::new();
    for user in ["", "web"] {
        let mut container =
            host.script("main", "grep Seccomp: /proc/1/status /proc/self/status; while :; do sleep 1000; done");
        container.user = user.to_owned();
        container.init = true;
        let task = host.task(vec![container]);
        host.backend().start(&task).unwrap();
        let mut lines = Vec::new();
        host.wait(|kind| {
            if let EventKind::Output { lines: new, .. } = kind {
                lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            }
            (lines.len() == 2).then_some(())
        });
        assert_eq!(lines, ["/proc/1/status:Seccomp:\t2", "/proc/self/status:Seccomp:\t2"], "{user}");
        // A command, which also cannot make a namespace.
        let script = "grep -q 'Seccomp:.2' /proc/self/status && ! unshare --user true";
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        host.backend().exec(&task.task_id, "main", &ExecSpec { exec_id: "a".to_owned(), argv, timeout_s: 60 }).unwrap();
        let code = host.wait(|kind| match kind {
            EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
            _ => None,
        });
        assert_eq!(code, 0, "{user}");
        host.remove(&task);
    }
}

#[needs(containers)]
fn devices_and_files_under_etc_are_the_containers_own() {
    let before: Vec<_> =
        ["null", "zero", "tty"].map(|n| std::fs::metadata(format!("/dev/{n}")).unwrap().permissions()).into();
    let host = EmbeddedHost::new();
    let script = "stat -c '%n %F %t:%T %a' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; \
                  chmod 600 /dev/null /dev/zero /dev/tty && echo changed; \
                  head -c 3000000 /dev/urandom > /etc/hosts 2>/dev/null || echo full; echo here > /etc/hostname || echo still full";
    let (lines, _) = host.run(host.script("main", script));
    let device = |name: &str, number: &str| format!("/dev/{name} character special file {number} 666");
    let mut expected: Vec<String> =
        [("null", "1:3"), ("zero", "1:5"), ("full", "1:7"), ("random", "1:8"), ("urandom", "1:9"), ("tty", "5:0")]
            .map(|(name, number)| device(name, number))
            .into();
    expected.extend(["changed".to_owned(), "full".to_owned()]);
    assert_eq!(lines[..8], expected);
    let after: Vec<_> =
        ["null", "zero", "tty"].map(|n| std::fs::metadata(format!("/dev/{n}")).unwrap().permissions()).into();
    assert_eq!(before, after);
    let (lines, _) = host.run(host.script("main", "wc -l < /etc/hosts"));
    assert_eq!(lines, ["3"]);
    let mut container = host.script(
        "main",
        "for f in hosts resolv.conf hostname; do echo x 2>/dev/null >> /etc/$f || echo read-only; done",
    );
    container.readonly_root = true;
    let (lines, _) = host.run(container);
    assert_eq!(lines.iter().filter(|line| *line == "read-only").count(), 3, "{lines:?}");
}

#[needs(containers)]
fn shims_and_init_processes_run_from_a_sealed_copy_and_show_nothing_of_the_host() {
    let host = EmbeddedHost::new();
    let mut container =
        host.script("main", "tr '\\0' '|' < /proc/1/cmdline; echo; cat /proc/1/comm; while :; do sleep 1000; done");
    container.init = true;
    let task = host.task(vec![container]);
    host.backend().start(&task).unwrap();
    let pid = host.wait_started("main");
    let mut lines = Vec::new();
    host.wait(|kind| {
        if let EventKind::Output { lines: new, .. } = kind {
            lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
        }
        (lines.len() == 2).then_some(())
    });
    assert_eq!(lines[0].trim_end_matches('|'), "init");
    assert_eq!(lines[1], "init");
    for process in [pid, crate::crash::shim_pid(&host, &task)] {
        let program = std::fs::read_link(format!("/proc/{process}/exe")).unwrap().display().to_string();
        assert!(program.starts_with("/memfd:neargate"), "{program}");
        let opened = std::fs::OpenOptions::new().write(true).open(format!("/proc/{process}/exe"));
        // Busy while it runs; what may be opened later cannot be written to.
        if let Ok(mut opened) = opened {
            assert!(std::io::Write::write(&mut opened, b"x").is_err());
        }
    }
    host.remove(&task);
}

#[needs(containers)]
fn processes_and_devices_are_limited_by_control_groups() {
    let groups = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let host = EmbeddedHost::new();
    if groups.contains(" - cgroup cgroup rw,devices") {
        let (lines, _) = host.run(host.script("main", "cat /sys/fs/cgroup/devices/devices.list"));
        assert!(lines.contains(&"c 1:3 rwm".to_owned()) && !lines.contains(&"a *:* rwm".to_owned()), "{lines:?}");
    }
    let task = host.task(vec![host.script("main", "echo ready; while :; do sleep 1000; done")]);
    host.backend().start(&task).unwrap();
    let pid = host.wait_started("main");
    if let Some(group) = process_group(pid) {
        // 8 for each of 512 MiB.
        assert_eq!(std::fs::read_to_string(group.join("pids.max")).unwrap().trim(), "4096");
    }
    if is_version_2() {
        assert_eq!(opened_in_group(pid), ["/dev/null yes", "/dev/loop-control no"]);
    }
    host.remove(&task);
}

/// What a process of ours, without the container's mounts, may open in a container's group.
fn opened_in_group(pid: u32) -> Vec<String> {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let group = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
    let script = "for device in /dev/null /dev/loop-control; do (: <$device) 2>/dev/null && echo $device yes || echo $device no; done";
    let script = format!("{script}; echo 0 >/sys/fs/cgroup{group}/cgroup.procs; {script}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(
        lines[..2],
        ["/dev/null yes", "/dev/loop-control yes"],
        "outside the group: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    lines[2..].to_vec()
}

/// The task's group that counts processes, where one does.
fn process_group(pid: u32) -> Option<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let (prefix, root) = if is_version_2() {
        let controllers = std::fs::read_to_string(root.join("cgroup.controllers")).unwrap();
        ("0::", controllers.split_whitespace().any(|name| name == "pids").then(|| root.to_owned())?)
    } else {
        (":pids:", Some(root.join("pids")).filter(|root| root.exists())?)
    };
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let group = groups.lines().find_map(|line| Some(line.split_once(prefix)?.1)).unwrap();
    Some(root.join(group.trim_start_matches('/')).parent().unwrap().to_owned())
}

/// Whether this process sees control groups of version 2 alone.
pub(crate) fn is_version_2() -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    mounts.contains(" - cgroup2 ") && !mounts.contains(" - cgroup ")
}

/// The tests of this file once more where `/sys/fs/cgroup` holds nothing but version 2.
#[needs(containers)]
fn all_of_it_holds_on_control_groups_of_version_2_too() {
    on_version_2("isolation::");
}

/// Runs tests of this binary, by a part of their name, where version 2 is all there is; where that is here, they run anyway.
pub(crate) fn on_version_2(tests: &str) {
    if is_version_2() {
        return;
    }
    let script = "umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec \"$0\" \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .args([tests, "--test-threads=1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("test result: ok.") && !text.contains(" 0 passed"), "{text}");
}
