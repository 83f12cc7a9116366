//! What a container finds inside, and what its limits do.

use neargate_runtime::{BindMount, ContainerSpec, EventKind, ExecSpec, Stream, Tmpfs, Ulimit};
use neargate_testkit::needs::needs;

use crate::embedded::{EmbeddedHost, is_oci};
use crate::host::Host;

/// Runs a script in a container that `change` has its way with, and compares lines and exit code.
fn check(script: &str, change: impl FnOnce(&mut ContainerSpec, &EmbeddedHost), expected: &[&str]) {
    let host = EmbeddedHost::new();
    let mut container = host.script("main", script);
    change(&mut container, &host);
    let (lines, code) = host.run(container);
    assert_eq!(lines, expected, "exit code {code}");
}

fn plain(_: &mut ContainerSpec, _: &EmbeddedHost) {}

#[needs(containers)]
fn a_container_is_alone_with_its_processes() {
    check(
        "echo $$; set -- /proc/[0-9]*; echo $#; set -- /proc/self/fd/*; echo $*; cat /proc/1/comm",
        plain,
        // The last descriptor is the shell's own, open on the directory that it lists.
        &["1", "1", "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3", "sh"],
    );
}

#[needs(containers)]
fn the_environment_is_what_was_asked_for_and_the_usual() {
    let change = |c: &mut ContainerSpec, _: &EmbeddedHost| {
        c.env = [("GREETING", "a b"), ("PATH", "/usr/bin:/bin")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        c.working_dir = "/made/here".to_owned();
    };
    check("echo $GREETING; echo $PATH; echo $HOME; pwd", change, &["a b", "/usr/bin:/bin", "/root", "/made/here"]);
}

#[needs(containers)]
fn both_streams_are_kept_apart_and_whole() {
    let host = EmbeddedHost::new();
    let task = host.task(vec![
        host.script("main", "echo out; echo err >&2; printf tail; head -c 40000 /dev/zero | tr '\\0' x >&2"),
    ]);
    host.backend().start(&task).unwrap();
    let mut all = Vec::new();
    host.wait(|kind| match kind {
        EventKind::Output { lines, .. } => {
            all.extend(lines.iter().map(|l| (l.stream, l.bytes.len(), l.partial)));
            None
        }
        EventKind::ContainerExited { .. } => Some(()),
        _ => None,
    });
    all.sort();
    let long = 16 * 1024;
    let expected = [
        (Stream::Stdout, 3, false),
        (Stream::Stdout, 4, false),
        (Stream::Stderr, 3, false),
        (Stream::Stderr, 40_000 - 2 * long, false),
        (Stream::Stderr, long, true),
        (Stream::Stderr, long, true),
    ];
    assert_eq!(all, expected);
    host.remove(&task);
}

#[needs(containers)]
fn a_container_waits_until_its_output_is_taken_and_none_is_lost() {
    let host = EmbeddedHost::new();
    // More than the instance's bound, which a line on the error stream shows to be kept.
    let task = host.task(vec![host.script("main", "seq 1 100000; echo done >&2")]);
    host.backend().start(&task).unwrap();
    let mut numbers = Vec::new();
    let code = host.wait(|kind| match kind {
        EventKind::Output { lines, .. } => {
            let stdout = lines.iter().filter(|line| line.stream == Stream::Stdout);
            numbers.extend(stdout.map(|line| String::from_utf8_lossy(line.bytes).parse::<u32>().unwrap()));
            let spool = host.config.data_dir.join("tasks").join(task.task_id.as_str()).join("c/0/spool");
            let held = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(spool).unwrap()) * 512;
            assert!(held <= host.config.spool_bytes_max + 1024 * 1024, "{held}");
            None
        }
        EventKind::ContainerExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!(code, 0);
    assert_eq!(numbers, (1..=100_000).collect::<Vec<_>>());
    host.remove(&task);
}

#[needs(containers)]
fn a_user_of_the_image_runs_without_capabilities() {
    let change = |c: &mut ContainerSpec, _: &EmbeddedHost| c.user = "web".to_owned();
    let script = "id -u; id -g; id -G; grep -E 'CapEff|CapBnd' /proc/self/status; echo fine > /dev/stdout";
    let expected = ["1000", "1001", "1001 50", "CapEff:\t0000000000000000", "CapBnd:\t00000000a80425fb", "fine"];
    check(script, change, &expected);
}

#[needs(containers)]
fn root_has_the_default_capabilities_plus_and_minus() {
    let change = |c: &mut ContainerSpec, _: &EmbeddedHost| {
        c.capabilities_add = vec!["SYS_PTRACE".to_owned()];
        c.capabilities_drop = vec!["NET_RAW".to_owned()];
    };
    let expected = ["CapPrm:\t00000000a80c05fb", "CapEff:\t00000000a80c05fb", "CapBnd:\t00000000a80c05fb"];
    check("grep -E 'CapPrm|CapEff|CapBnd' /proc/self/status", change, &expected);
}

#[needs(containers)]
fn the_host_cannot_be_reached_through_kernel_files_or_devices() {
    let script = "echo x > /proc/sys/kernel/panic || echo read-only; \
                  echo x > /proc/sysrq-trigger || echo read-only; \
                  ls /sys/firmware | wc -l; \
                  mknod /disk b 254 0 && cat /disk; mkdir /dev/x; mknod /dev/x/disk b 254 0 && cat /dev/x/disk; \
                  mkdir /mnt; mount -t tmpfs none /mnt; ls -A /mnt | wc -l; echo hi > /dev/null; head -c 3 /dev/zero | wc -c";
    let host = EmbeddedHost::new();
    let (lines, _) = host.run(host.script("main", script));
    let text = lines.join("\n");
    assert_eq!(text.matches("read-only").count(), 2, "{text}");
    assert!(text.contains("cat: /disk: Permission denied"), "{text}");
    // There it is the device control group that refuses, here the mount.
    let refused = if is_oci() { "Operation not permitted" } else { "Permission denied" };
    assert!(text.contains(&format!("cat: /dev/x/disk: {refused}")), "{text}");
    assert!(text.contains("permission denied") || text.contains("must be superuser"), "{text}");
    assert!(lines.ends_with(&["0".to_owned(), "3".to_owned()]) || lines.last().is_some_and(|l| l == "3"), "{text}");
}

#[needs(containers)]
fn a_read_only_root_takes_no_writes_but_in_its_mounts() {
    let change = |c: &mut ContainerSpec, _: &EmbeddedHost| {
        c.readonly_root = true;
        let options = vec!["mode=1777".to_owned()];
        c.tmpfs.push(Tmpfs { container_path: "/scratch".to_owned(), size_mib: 1, options });
    };
    let script = "touch /x 2>/dev/null || echo refused; touch /scratch/x && echo kept; \
                  head -c 2000000 /dev/zero > /scratch/big 2>/dev/null || echo full; df -k /scratch | tail -1 | tr -s ' ' | cut -d' ' -f2";
    check(script, change, &["refused", "kept", "full", "1024"]);
}

#[needs(containers)]
fn higher_layers_hide_lower_ones_however_many_there_are() {
    for count in [3, 120] {
        let change = |c: &mut ContainerSpec, host: &EmbeddedHost| {
            for number in 0..count {
                let layer = host.config.data_dir.join(format!("a-layer-with-a-long-name-{}-{number}", "x".repeat(40)));
                std::fs::create_dir_all(&layer).unwrap();
                std::fs::write(layer.join("top"), format!("{number}\n")).unwrap();
                std::fs::write(layer.join(format!("own-{number}")), "").unwrap();
                c.lower_dirs.push(layer);
            }
        };
        let expected = [(count - 1).to_string(), count.to_string()];
        check("cat /top; ls / | grep -c own-", change, &expected.each_ref().map(String::as_str));
    }
}

#[needs(containers)]
fn symbolic_links_of_an_image_lead_nowhere_outside() {
    let host = EmbeddedHost::new();
    let outside = host.config.data_dir.join("outside");
    let layer = host.config.data_dir.join("links");
    std::fs::create_dir_all(layer.join("etc")).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    std::os::unix::fs::symlink(format!("/../../../..{}", outside.display()), layer.join("data")).unwrap();
    std::os::unix::fs::symlink("/nowhere/resolv.conf", layer.join("etc/resolv.conf")).unwrap();
    let mut container = host.script("main", "grep -c nameserver /etc/resolv.conf; ls -d /data/volume /data/scratch");
    container.lower_dirs.push(layer);
    let source = host.config.data_dir.join("volume");
    std::fs::create_dir_all(&source).unwrap();
    container.mounts.push(BindMount { source, container_path: "/data/volume".to_owned(), read_only: false });
    container.tmpfs.push(Tmpfs { container_path: "/data/scratch".to_owned(), size_mib: 1, options: Vec::new() });
    let (lines, _) = host.run(container);
    assert_eq!(lines, ["1", "/data/scratch", "/data/volume"]);
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 0);
}

#[needs(containers)]
fn a_volume_is_shared_and_may_be_read_only() {
    let change = |c: &mut ContainerSpec, host: &EmbeddedHost| {
        let volume = host.config.data_dir.join("volume");
        std::fs::create_dir_all(&volume).unwrap();
        std::fs::write(volume.join("file"), "from the host\n").unwrap();
        for (path, read_only) in [("/rw", false), ("/ro", true)] {
            c.mounts.push(BindMount { source: volume.clone(), container_path: path.to_owned(), read_only });
        }
    };
    check(
        "cat /ro/file; echo more >> /rw/file; touch /ro/x 2>/dev/null || echo refused; cat /ro/file",
        change,
        &["from the host", "refused", "from the host", "more"],
    );
}

#[needs(containers)]
fn limits_hold_and_are_clamped_where_the_machine_has_less() {
    let host = EmbeddedHost::new();
    let mut container = host.script(
        "main",
        "ulimit -n; ulimit -c; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
    );
    container.memory_mib = 64;
    container.ulimits.push(Ulimit { name: "core".to_owned(), soft: 0, hard: 0 });
    let (lines, _) = host.run(container);
    let ceiling = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum.unwrap_or(u64::MAX);
    assert_eq!(lines, [ceiling.min(65_535).to_string(), "0".to_owned(), (64 * 1024 * 1024).to_string()]);
}

#[needs(containers)]
fn a_container_that_takes_too_much_memory_is_killed_and_it_is_said_why() {
    let host = EmbeddedHost::new();
    // The shell survives its child, so only the control group knows.
    let mut container = host.script("main", "tail /dev/zero > /dev/null; echo status $?; exit 9");
    container.memory_mib = 16;
    let task = host.task(vec![container]);
    host.backend().start(&task).unwrap();
    let (code, oom) = host.wait(|kind| match kind {
        EventKind::ContainerExited { exit_code, oom_killed, .. } => Some((*exit_code, *oom_killed)),
        _ => None,
    });
    assert_eq!((code, oom), (9, true));
    host.remove(&task);
}

#[needs(containers)]
fn kernel_parameters_are_the_containers_own() {
    let change = |c: &mut ContainerSpec, _: &EmbeddedHost| {
        c.system_controls.push(("net.ipv4.tcp_keepalive_time".to_owned(), "77".to_owned()));
    };
    check("cat /proc/sys/net/ipv4/tcp_keepalive_time", change, &["77"]);
}

#[needs(containers)]
fn an_init_process_forwards_signals_and_collects_orphans() {
    let host = EmbeddedHost::new();
    let mut container = host.script("main", "trap 'echo term; exit 6' TERM; (sleep 0.05 & ) ; echo $$; sleep 0.3; ls /proc | grep -c '^[0-9]'; echo ready; while :; do sleep 1000 & wait; done");
    container.init = true;
    let task = host.task(vec![container]);
    host.backend().start(&task).unwrap();
    let mut text = Vec::new();
    host.wait(|kind| match kind {
        EventKind::Output { lines, .. } => {
            text.extend(lines.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            text.iter().any(|line| line == "ready").then_some(())
        }
        _ => None,
    });
    // Threads of an OCI runtime have had numbers before.
    let is_not_first = if is_oci() { text[0] != "1" } else { text[0] == "2" };
    assert!(is_not_first, "the program is not PID 1: {text:?}");
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    assert_eq!(host.wait_exit("main"), 6);
    host.remove(&task);
}

#[needs(containers)]
fn failures_to_start_say_what_an_oci_runtime_says() {
    let host = EmbeddedHost::new();
    let no_format = host.config.data_dir.join("no-format");
    std::fs::write(&no_format, "\0not a program").unwrap();
    std::os::unix::fs::chown(&no_format, Some(0), Some(0)).unwrap();
    std::fs::set_permissions(&no_format, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let prefix = "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: \
                  failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ";
    for (program, user, expected, code) in [
        ("nothing", "", "exec: \"nothing\": executable file not found in $PATH", 127),
        ("/no/such", "", "exec: \"/no/such\": stat /no/such: no such file or directory", 127),
        ("/etc/passwd", "", "exec: \"/etc/passwd\": permission denied", 126),
        ("/etc", "", "exec: \"/etc\": is a directory", 126),
        ("/no-format", "", "exec /no-format: exec format error", 126),
        ("/bin/true", "nobody-here", "unable to find user nobody-here: no matching entries in passwd file", 128),
    ] {
        let mut container = host.program("main", vec![program.to_owned()]);
        container.user = user.to_owned();
        let source = no_format.clone();
        container.mounts.push(BindMount { source, container_path: "/no-format".to_owned(), read_only: false });
        let (lines, found) = host.run(container);
        assert_eq!((lines, found), (vec![format!("{prefix}{expected}: unknown")], code), "{program}");
    }
}

#[needs(containers)]
fn a_command_sees_the_container_and_ends_in_time() {
    let host = EmbeddedHost::new();
    let mut container = host.script("main", "echo ready; while :; do sleep 1000; done");
    container.user = "web".to_owned();
    let task = host.task(vec![container]);
    host.backend().start(&task).unwrap();
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    for (script, timeout_s, expected) in [
        ("test $(cat /proc/1/comm) = sh -a $(id -u) = 1000 -a -d /proc/1", 60, 0),
        ("exit 3", 60, 3),
        ("exec sleep 1000", 1, 137),
    ] {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let exec = ExecSpec { exec_id: script.to_owned(), argv, timeout_s };
        host.backend().exec(&task.task_id, "main", &exec).unwrap();
        let code = host.wait(|kind| match kind {
            EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
            _ => None,
        });
        assert_eq!(code, expected, "{script}");
    }
    host.remove(&task);
}

#[needs(containers)]
fn a_second_start_finds_the_files_of_the_first() {
    let host = EmbeddedHost::new();
    let task = host.task(vec![host.script("main", "cat /kept 2>/dev/null && exit 5; echo kept > /kept; exit 4")]);
    host.backend().start(&task).unwrap();
    assert_eq!(host.wait_exit("main"), 4);
    host.backend().start_container(&task.task_id, "main").unwrap();
    assert_eq!(host.wait_exit("main"), 5);
    host.remove(&task);
}
