//! What a container prints and the secrets it is given are in no file of the instance, and still in the right hands.

use neargate_testkit::needs::needs;
use rustix::fs::{SeekFrom, seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use neargate_runtime::{
    Adopted, ContainerSpec, EventKind, ExecSpec, ResumePoints, SpoolKey, StartFailureKind, TaskSpec,
};

use rustix::process::{Signal, kill_process};

use crate::crash::{kill_shim, pid, wait_dead};
use crate::embedded::EmbeddedHost;
use crate::host::{Behaviour, Host};

/// What nobody else has ever said.
fn random() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().to_owned()
}

/// Every file of the instance, with what is in it.
fn files(host: &EmbeddedHost) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![host.config.data_dir.clone(), host.config.run_dir.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if kind.is_file() {
                match data(&entry.path()) {
                    Ok(bytes) => found.push((entry.path(), bytes)),
                    // A pinned network namespace is none to read from.
                    Err(e) => assert!(entry.path().parent().unwrap().ends_with("run/net"), "{:?}: {e}", entry.path()),
                }
            }
        }
    }
    found
}

/// What a file holds, without its holes: ephemeral storage is a large file of little.
fn data(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.len() < 1 << 24 {
        return std::fs::read(path);
    }
    let (mut found, mut at) = (vec![], 0);
    while let Ok(begin) = seek(&file, SeekFrom::Data(at)) {
        at = seek(&file, SeekFrom::Hole(begin))?;
        let mut part = vec![0; usize::try_from(at - begin).unwrap()];
        file.read_exact_at(&mut part, begin)?;
        found.append(&mut part);
    }
    Ok(found)
}

/// The files that hold one of the texts.
fn holding(host: &EmbeddedHost, texts: &[&[u8]]) -> Vec<PathBuf> {
    let holds = |bytes: &[u8]| texts.iter().any(|text| bytes.windows(text.len()).any(|window| window == *text));
    files(host).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect()
}

/// The next line of a container's output.
fn next_line(host: &EmbeddedHost, container: &str) -> String {
    host.wait(|kind| match kind {
        EventKind::Output { name, lines, .. } if name == container => {
            Some(String::from_utf8(lines.iter().next()?.bytes.to_vec()).unwrap())
        }
        EventKind::ContainerFailed { failure, .. } => panic!("did not start: {}", failure.reason()),
        _ => None,
    })
}

fn with_secret(mut container: ContainerSpec, secret: &str) -> ContainerSpec {
    container.env.push(("TOKEN".to_owned(), "in the clear".to_owned()));
    container.secrets.push(("TOKEN".to_owned(), secret.to_owned().into()));
    container
}

#[needs(containers)]
fn secrets_and_output_are_in_no_file_while_a_task_runs_and_after() {
    let host = EmbeddedHost::new();
    let (first, second, key) = (random(), random(), *b"0123456789abcdefghijklmnopqrstuv");
    // Says what nobody knew before, then what it was told, once as a whole line and once not; ends when it is asked to.
    let script = "trap 'echo \"last $TOKEN\"; exit 3' TERM; echo \"$(cat /proc/sys/kernel/random/uuid) $TOKEN\"; \
                  printf %s \"$TOKEN\" >&2; while :; do sleep 1000 & wait; done";
    let mut late = with_secret(host.script("late", "echo \"$TOKEN\"; exit 4"), &second);
    late.start_on_launch = false;
    let mut init = with_secret(host.container("init", Behaviour::UntilStopped(0)), &random());
    init.init = true;
    let mut task = host.task(vec![with_secret(host.script("main", script), &first), late, init]);
    task.spool_key = SpoolKey::new(key);
    host.backend().start(&task).unwrap();
    let line = next_line(&host, "main");
    let (nonce, told) = line.split_once(' ').unwrap();
    assert_eq!((nonce.len(), told), (36, first.as_str()));
    let secret: [&[u8]; 4] = [nonce.as_bytes(), first.as_bytes(), second.as_bytes(), &key];
    assert_eq!(holding(&host, &secret), Vec::<PathBuf>::new());
    // The search finds what is there to be found.
    let intent = host.config.run_dir.join("tasks").join(task.task_id.as_str()).join("task.json");
    assert_eq!(holding(&host, &[b"in the clear"]), [intent]);

    host.backend().start_container(&task.task_id, "late").unwrap();
    assert_eq!(next_line(&host, "late"), second);
    let script =
        "test ${#TOKEN} = 36 && test \"$TOKEN\" = \"$(tr '\\0' '\\n' < /proc/1/environ | sed -n s/^TOKEN=//p)\"";
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    let exec = ExecSpec { exec_id: "check".to_owned(), argv, timeout_s: 60 };
    host.backend().exec(&task.task_id, "main", &exec).unwrap();
    let code = host.wait(|kind| match kind {
        EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!(code, 0);
    assert_eq!(holding(&host, &secret), Vec::<PathBuf>::new());

    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    let mut lines = Vec::new();
    let code = host.wait(|kind| match kind {
        EventKind::Output { name, lines: new, .. } if name == "main" => {
            lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            None
        }
        EventKind::ContainerExited { name, exit_code, .. } if name == "main" => Some(*exit_code),
        _ => None,
    });
    lines.sort();
    let mut expected = vec![first.clone(), format!("last {first}")];
    expected.sort();
    assert_eq!((lines, code), (expected, 3));
    assert_eq!(holding(&host, &secret), Vec::<PathBuf>::new());
    assert!(files(&host).iter().any(|(path, bytes)| path.ends_with("c/0/spool") && bytes.len() > 3 * 36));
    host.remove(&task);
    assert_eq!(holding(&host, &secret), Vec::<PathBuf>::new());
}

/// What a process has in memory that it may write to.
fn memory(pid: u32) -> Vec<u8> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut all = Vec::new();
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (from, to) = map.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            all.extend(bytes);
        }
    }
    all
}

#[needs(containers)]
fn a_containers_init_process_remembers_nothing_of_other_containers() {
    let host = EmbeddedHost::new();
    let (own, other, key) = (random(), random(), *b"0123456789abcdefghijklmnopqrstuv");
    let mut init = with_secret(host.container("init", Behaviour::UntilStopped(0)), &own);
    init.init = true;
    let mut task = host.task(vec![with_secret(host.container("main", Behaviour::Deaf), &other), init]);
    task.spool_key = SpoolKey::new(key);
    host.backend().start(&task).unwrap();
    let found = memory(host.wait_started("init"));
    let holds = |text: &[u8]| found.windows(text.len()).any(|window| window == text);
    assert_eq!([holds(own.as_bytes()), holds(other.as_bytes()), holds(&key)], [true, false, false]);
    host.remove(&task);
}

#[needs(containers)]
fn secrets_of_any_length_reach_the_container() {
    let host = EmbeddedHost::new();
    // Together more than a socket takes before somebody reads from it.
    let mut container = host.script("main", "echo ${#A0} ${#A9} ${#EMPTY}");
    for number in 0..10 {
        container.secrets.push((format!("A{number}"), "x".repeat(100_000 + number).into()));
    }
    container.secrets.push(("EMPTY".to_owned(), String::new().into()));
    assert_eq!(host.run(container), (vec!["100000 100009 0".to_owned()], 0));
}

#[needs(containers)]
fn a_secret_that_cannot_be_given_is_not_told() {
    let host = EmbeddedHost::new();
    let secret = random();
    let mut task = host.task(vec![with_secret(host.script("main", "true"), &format!("{secret}\0"))]);
    task.containers[0].env.clear();
    host.backend().start(&task).unwrap();
    let failure = host.wait(|kind| match kind {
        EventKind::ContainerFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert_eq!(failure.kind, StartFailureKind::InvalidSetting);
    assert_eq!(failure.message, "the environment variable `TOKEN` holds a zero byte");
    assert_eq!(holding(&host, &[secret.as_bytes()]), Vec::<PathBuf>::new());
    host.remove(&task);
}

/// A task that says something nobody knew before and runs on, and which a new engine has not seen yet.
fn running_task_of_a_former_engine(host: &mut EmbeddedHost) -> (TaskSpec, String, u32) {
    let script = "cat /proc/sys/kernel/random/uuid; trap '' TERM; while :; do sleep 1000; done";
    let mut task = host.task(vec![with_secret(host.script("main", script), &random())]);
    task.spool_key = SpoolKey::random().unwrap();
    host.backend().start(&task).unwrap();
    let started = host.wait_started("main");
    let said = next_line(host, "main");
    host.restart_engine();
    // An adopting engine need not know the secrets.
    task.containers[0].secrets.clear();
    (task, said, started)
}

#[needs(containers)]
fn a_new_engine_reads_with_the_key_of_the_specification() {
    let mut host = EmbeddedHost::new();
    let (task, said, _) = running_task_of_a_former_engine(&mut host);
    let adopted = host.backend().adopt(&task, &ResumePoints::new()).unwrap();
    assert!(matches!(adopted, Adopted::Running(_)), "{adopted:?}");
    assert_eq!(next_line(&host, "main"), said);
    let argv = ["sh", "-c", "test ${#TOKEN} = 36"].map(str::to_owned).to_vec();
    let exec = ExecSpec { exec_id: "check".to_owned(), argv, timeout_s: 60 };
    host.backend().exec(&task.task_id, "main", &exec).unwrap();
    let code = host.wait(|kind| match kind {
        EventKind::ExecExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!(code, 0, "the shim has the secrets still");
    host.remove(&task);
}

#[needs(containers)]
fn what_a_killed_shim_left_is_read_with_the_key_of_the_specification() {
    let mut host = EmbeddedHost::new();
    let (task, said, started) = running_task_of_a_former_engine(&mut host);
    kill_shim(&host, &task);
    wait_dead(started);
    let states = crate::crash::adopt_dead(&host, &task);
    assert_eq!(states.len(), 1);
    assert_eq!(next_line(&host, "main"), said);
}

/// The first remark, and the lines before it.
fn remark(host: &EmbeddedHost) -> (String, usize) {
    let mut lines = 0;
    let text = host.wait(|kind| match kind {
        EventKind::Output { lines: new, .. } => {
            lines += new.len();
            None
        }
        EventKind::Remark { text } => Some(text.clone()),
        _ => None,
    });
    (text, lines)
}

#[needs(containers)]
fn output_under_another_key_is_remarked_upon_and_not_given_out() {
    let mut host = EmbeddedHost::new();
    let (mut task, _, _) = running_task_of_a_former_engine(&mut host);
    task.spool_key = SpoolKey::random().unwrap();
    host.backend().adopt(&task, &ResumePoints::new()).unwrap();
    let text = "container `main`: output is lost: what was written at byte 8 is damaged, or sealed with another key";
    assert_eq!(remark(&host), (text.to_owned(), 0));
    // Its end is told all the same, after an offset past what is lost.
    host.backend().kill(&task.task_id, "main").unwrap();
    let mut passed = 0;
    let code = host.wait(|kind| match kind {
        EventKind::Output { lines, next_offset, .. } => {
            assert!(lines.is_empty());
            passed = *next_offset;
            None
        }
        EventKind::ContainerExited { exit_code, .. } => Some(*exit_code),
        _ => None,
    });
    assert_eq!((passed, code), (8 + 4 + 12 + 14 + 36 + 16, 137));
    host.remove(&task);
}

#[needs(containers)]
fn a_damaged_line_is_remarked_upon_and_the_next_ones_come() {
    let mut host = EmbeddedHost::new();
    let script = "trap 'echo last; exit 0' TERM; trap 'echo two' USR1; echo one; while :; do sleep 1000 & wait; done";
    let task = host.task(vec![host.script("main", script)]);
    host.backend().start(&task).unwrap();
    let started = host.wait_started("main");
    let said = |text: &[u8]| {
        host.wait(|kind| match kind {
            EventKind::Output { lines, .. } => lines.iter().any(|line| line.bytes == text).then_some(()),
            _ => None,
        });
    };
    said(b"one");
    // After the first line was read, so that the second is sealed apart from it.
    kill_process(pid(started), Signal::USR1).unwrap();
    said(b"two");
    host.restart_engine();
    let spool = host.config.data_dir.join("tasks").join(task.task_id.as_str()).join("c/0/spool");
    flip(&spool, 8 + 49 + 30);
    host.backend().adopt(&task, &ResumePoints::new()).unwrap();
    let text = "container `main`: output is lost: what was written at byte 57 is damaged, or sealed with another key";
    assert_eq!(remark(&host), (text.to_owned(), 1));
    host.backend().stop_container(&task.task_id, "main", 30).unwrap();
    let mut lines = Vec::new();
    host.wait(|kind| match kind {
        EventKind::Output { lines: new, .. } => {
            lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            None
        }
        EventKind::ContainerExited { .. } => Some(()),
        _ => None,
    });
    assert_eq!(lines, ["last"]);
    host.remove(&task);
}

fn flip(path: &Path, at: u64) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}
