//! A disk without room puts output and ends off, and loses neither.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use neargate_runtime::EventKind;
use neargate_testkit::needs::needs;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Signal, kill_process};

use crate::crash::{pid, wait_dead};
use crate::embedded::EmbeddedHost;
use crate::host::Host;

/// A small file system of its own where the tasks' files are.
struct Disk(PathBuf);

impl Disk {
    fn mounted(at: PathBuf) -> Self {
        mount("neargate-test", &at, "tmpfs", MountFlags::empty(), c"size=4m").unwrap();
        Self(at)
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[needs(containers)]
fn output_and_ends_wait_for_room() {
    let host = EmbeddedHost::new();
    let disk = Disk::mounted(host.config.data_dir.join("tasks"));
    // More than what is left in the spool's last page, and less than a pipe holds, so that the container ends.
    let script = "trap 'seq 1 9000; exit 7' USR1; echo ready; while :; do sleep 1000 & wait; done";
    let task = host.task(vec![host.script("main", script)]);
    host.backend().start(&task).unwrap();
    let started = host.wait_started("main");
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    disk.fill();
    kill_process(pid(started), Signal::USR1).unwrap();
    wait_dead(started);
    disk.free();
    let mut numbers = Vec::new();
    let code = host.wait(|kind| match kind {
        EventKind::Output { lines, .. } => {
            numbers.extend(lines.iter().map(|line| String::from_utf8_lossy(line.bytes).parse::<u32>().unwrap()));
            None
        }
        EventKind::ContainerExited { exit_code, .. } => Some(*exit_code),
        // A machine's own limit is no loss of output.
        EventKind::Remark { text } if !text.contains("ulimit") => panic!("{text}"),
        _ => None,
    });
    assert_eq!(code, 7);
    assert_eq!(numbers, (1..=9000).collect::<Vec<_>>());
    host.remove(&task);
}
