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

    /// One that makes no holes in files.
    fn without_holes(at: PathBuf) -> Self {
        use rustix::fs::{FallocateFlags, fallocate};
        mount("neargate-test", &at, "ramfs", MountFlags::empty(), None).unwrap();
        let disk = Self(at);
        let file = File::create(disk.0.join("file")).unwrap();
        let refused = fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, 4096);
        assert_eq!(refused, Err(rustix::io::Errno::OPNOTSUPP));
        disk
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

#[needs(containers)]
fn output_goes_on_where_the_file_system_makes_no_holes() {
    let mut host = EmbeddedHost::new();
    let disk = Disk::without_holes(host.config.data_dir.join("tasks"));
    // Many times what a spool holds.
    let script = "seq 1 100000; seq 100001 300000; exit 7";
    let task = host.task(vec![host.script("main", script)]);
    host.backend().start(&task).unwrap();
    host.wait_started("main");
    let (mut numbers, mut released, mut takeovers) = (Vec::new(), 0, 0);
    let code = loop {
        let backend = host.backend();
        let code = host.wait(|kind| match kind {
            EventKind::Output { name, lines, next_offset } => {
                let text = lines.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned());
                numbers.extend(text.map(|text| text.parse::<u32>().unwrap()));
                released = *next_offset;
                backend.release_output(&task.task_id, name, *next_offset);
                (numbers.len() > (takeovers + 1) * 100_000).then_some(None)
            }
            EventKind::ContainerExited { exit_code, .. } => Some(Some(*exit_code)),
            EventKind::Remark { text } if !text.contains("ulimit") => panic!("{text}"),
            _ => None,
        });
        let spool = disk.0.join(task.task_id.as_str()).join("c/0/spool");
        let held = fs::metadata(spool).unwrap().len();
        assert!(held <= host.config.spool_bytes_max + 1024 * 1024, "{held}");
        if let Some(code) = code {
            break code;
        }
        // Another engine takes over in the midst of it.
        takeovers += 1;
        host.restart_engine();
        let resume = std::collections::BTreeMap::from([("main".to_owned(), released)]);
        host.backend().adopt(&task, &resume).unwrap();
    };
    assert_eq!(takeovers, 2);
    assert_eq!(code, 7);
    assert_eq!(numbers, (1..=300_000).collect::<Vec<_>>());
    host.remove(&task);
}
