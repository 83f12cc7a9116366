//! Ephemeral storage: as large as it was asked for, the task's own, gone with it.

use std::path::Path;

use neargate_runtime::EventKind;
use neargate_testkit::needs::needs;

use crate::embedded::EmbeddedHost;
use crate::host::Host;

/// Runs a task whose storage has one GiB; answers the lines of all its containers and their exit codes, in the order they came.
fn run(host: &EmbeddedHost, scripts: &[(&str, &str)]) -> (Vec<String>, Vec<(String, i32)>) {
    let containers = scripts.iter().map(|(name, script)| host.script(name, script)).collect();
    let mut task = host.task(containers);
    task.ephemeral_gib = 1;
    host.backend().start(&task).unwrap();
    let (mut lines, mut exits) = (vec![], vec![]);
    while exits.len() < scripts.len() {
        match host.next().kind {
            EventKind::Output { lines: new, .. } => {
                lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            }
            EventKind::ContainerExited { name, exit_code, .. } => exits.push((name, exit_code)),
            EventKind::ContainerFailed { failure, .. } => panic!("did not start: {}", failure.reason()),
            _ => {}
        }
    }
    host.remove(&task);
    (lines, exits)
}

#[needs(containers)]
fn a_container_cannot_write_more_than_its_task_has() {
    let host = EmbeddedHost::new();
    let script = "fallocate -l 900M /fits && echo fits; fallocate -l 200M /not 2>&1 | grep -o 'No space left on device'; \
                  rm /fits /not; fallocate -l 900M /again && echo again";
    let (lines, exits) = run(&host, &[("main", script)]);
    assert_eq!(lines, ["fits", "No space left on device", "again"], "{exits:?}");
}

#[needs(containers)]
fn the_containers_of_a_task_share_its_storage() {
    let host = EmbeddedHost::new();
    let first = host.script("first", "fallocate -l 700M /file && echo taken; while :; do sleep 1000; done");
    let mut second = host.script("second", "fallocate -l 700M /file 2>/dev/null || echo none left");
    second.start_on_launch = false;
    let mut task = host.task(vec![first, second]);
    task.ephemeral_gib = 1;
    host.backend().start(&task).unwrap();
    let said = |by: &str| {
        host.wait(|kind| match kind {
            EventKind::Output { name, lines, .. } if name == by => {
                Some(String::from_utf8_lossy(lines.iter().next()?.bytes).into_owned())
            }
            _ => None,
        })
    };
    assert_eq!(said("first"), "taken");
    host.backend().start_container(&task.task_id, "second").unwrap();
    assert_eq!(said("second"), "none left");
    host.remove(&task);
}

#[needs(containers)]
fn full_storage_stops_nothing_but_writes() {
    let host = EmbeddedHost::new();
    let script = "fallocate -l 2G /file 2>/dev/null; while head -c 1M /dev/zero >> /rest 2>/dev/null; do :; done; \
                  for i in 1 2 3; do echo line $i; done; exit 3";
    let (lines, exits) = run(&host, &[("main", script)]);
    assert_eq!((lines, exits), (vec!["line 1".into(), "line 2".into(), "line 3".into()], vec![("main".into(), 3)]));
}

#[needs(containers)]
fn only_the_task_sees_its_storage_and_little_of_it_is_on_the_disk() {
    use std::os::unix::fs::MetadataExt;
    let host = EmbeddedHost::new();
    let task = host.task(vec![host.script("main", "echo ready; while :; do sleep 1000; done")]);
    host.backend().start(&task).unwrap();
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    let dir = host.config.data_dir.join("tasks").join(task.task_id.as_str());
    let file = std::fs::metadata(dir.join("storage.ext4")).unwrap();
    assert_eq!((file.len(), file.mode() & 0o777), (20 << 30, 0o600));
    assert!(file.blocks() * 512 < 8 << 20, "{} bytes", file.blocks() * 512);
    assert_eq!(std::fs::read_dir(dir.join("storage")).unwrap().count(), 0, "mounted among the host's mounts");
    assert_eq!(backed_by(&dir).len(), 1);
    host.remove(&task);
    assert_eq!(backed_by(&dir), Vec::<String>::new());
}

/// The loop devices that a file below the directory backs.
pub(crate) fn backed_by(dir: &Path) -> Vec<String> {
    let devices = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let files = devices.filter_map(|entry| std::fs::read_to_string(entry.path().join("loop/backing_file")).ok());
    files.filter(|file| file.starts_with(&dir.display().to_string())).collect()
}
