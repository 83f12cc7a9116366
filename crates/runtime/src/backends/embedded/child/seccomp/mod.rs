//! The filter of system calls that every process of a container is under.
//!
//! An allow list in the manner of container engines: what it does not name fails with EPERM, except what is newer than the list and
//! `clone3`, which fail with ENOSYS so that C libraries take the older call. The list depends on the container's capabilities. It is
//! made by `seccompiler` once for each set of capabilities, by the engine, and read by the shims.
//!
//! Invariant: calls of another architecture (programs of 32 bits on a 64-bit machine) end the process: their numbers mean other calls.
//!
//! Invariant: whoever is under the filter, and their children, never leave it.

mod profile;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use super::capability;
use crate::event::StartFailure;
use crate::spec::ContainerSpec;
use crate::sys;

pub(super) use profile::profile;

const CLONE3: u32 = 435;
const INSTRUCTION_BYTES: usize = 8;

/// A program for the kernel, as its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Filter(Vec<u8>);

impl Filter {
    /// Puts the calling process under it, which must have CAP_SYS_ADMIN.
    pub(super) fn apply(&self) -> Result<(), StartFailure> {
        sys::filter_system_calls(&self.0).map_err(|e| super::resources(format!("seccomp: {e}")))
    }

    /// What the engine made for a container ([`Filters::provide`]).
    pub(in super::super) fn read(dir: &Path, container: &ContainerSpec) -> io::Result<Self> {
        let relevant = relevant(container).map_err(|e| io::Error::other(e.message))?;
        fs::read(file(dir, relevant)).map(Self)
    }
}

/// The filters that an engine has made so far, each in a file of its name in the instance's directory on tmpfs.
#[derive(Debug)]
pub(in super::super) struct Filters {
    dir: PathBuf,
    made: Vec<u64>,
}

impl Filters {
    /// None yet. What an engine before this one made stays until it is made again: a shim may be about to read it.
    pub(in super::super) fn new(dir: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, made: Vec::new() })
    }

    /// Makes what a container needs unless it is there.
    pub(in super::super) fn provide(&mut self, container: &ContainerSpec) -> io::Result<()> {
        let relevant = relevant(container).map_err(|e| io::Error::other(e.message))?;
        if self.made.contains(&relevant) {
            return Ok(());
        }
        let path = file(&self.dir, relevant);
        let new = path.with_extension("new");
        fs::write(&new, build(relevant)?)?;
        fs::rename(new, path)?;
        self.made.push(relevant);
        Ok(())
    }
}

fn file(dir: &Path, relevant: u64) -> PathBuf {
    dir.join(format!("{relevant:016x}"))
}

/// Those of a container's capabilities on which the list depends.
fn relevant(container: &ContainerSpec) -> Result<u64, StartFailure> {
    let chosen = capability::chosen(&container.capabilities_add, &container.capabilities_drop)?;
    let known = table::WITH_CAPABILITY.iter().filter_map(|(name, _)| capability::bit(name));
    Ok(chosen & known.fold(0, |all, one| all | one))
}

/// The rows of a list that this machine's architecture has: name and number.
fn calls(list: &str) -> impl Iterator<Item = (&str, i64)> {
    list.split(';').filter_map(|row| {
        let mut fields = row.split_whitespace();
        let (name, x86_64, aarch64) = (fields.next()?, fields.next()?, fields.next()?);
        let number = if cfg!(target_arch = "aarch64") { aarch64 } else { x86_64 };
        Some((name, number.parse().ok()?))
    })
}

fn build(capabilities: u64) -> io::Result<Vec<u8>> {
    let failed = |e: &dyn std::fmt::Display| io::Error::other(format!("seccomp filter: {e}"));
    let has = |name: &str| capability::bit(name).is_some_and(|bit| capabilities & bit != 0);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let unconditional = table::WITH_CAPABILITY.iter().filter(|(name, _)| has(name)).map(|(_, list)| *list);
    for list in unconditional.chain([table::ALWAYS]) {
        rules.extend(calls(list).map(|(_, number)| (number, Vec::new())));
    }
    // Newer than all of the lists, whatever the capabilities.
    let lists = table::WITH_CAPABILITY.iter().map(|(_, list)| *list).chain([table::ALWAYS]);
    let newest = lists.flat_map(calls).map(|(_, number)| number).max().unwrap_or(0);

    let rule = |len, op, value| {
        SeccompCondition::new(0, len, op, value).and_then(|it| SeccompRule::new(vec![it])).map_err(|e| failed(&e))
    };
    let mut socket = vec![rule(SeccompCmpArgLen::Dword, SeccompCmpOp::Lt, table::SOCKET_FAMILIES_BELOW)?];
    for family in table::SOCKET_FAMILIES {
        socket.push(rule(SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *family)?);
    }
    rules.insert(libc::SYS_socket, socket);
    let personalities = table::PERSONALITIES.iter().map(|it| rule(SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *it));
    rules.insert(libc::SYS_personality, personalities.collect::<io::Result<_>>()?);
    if !has("SYS_ADMIN") {
        let no_namespace = SeccompCmpOp::MaskedEq(table::CLONE_NAMESPACES);
        rules.insert(libc::SYS_clone, vec![rule(SeccompCmpArgLen::Qword, no_namespace, 0)?]);
    }

    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| failed(&e))?;
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, arch).map_err(|e| failed(&e))?;
    let rest: BpfProgram = filter.try_into().map_err(|e: seccompiler::BackendError| failed(&e))?;
    let unknown = unknown_calls(u32::try_from(newest).unwrap_or(u32::MAX), has("SYS_ADMIN"));
    let rest = rest.iter().map(|it| (it.code, it.jt, it.jf, it.k));
    let mut bytes = Vec::new();
    for (code, jt, jf, k) in unknown.into_iter().chain(rest) {
        bytes.extend_from_slice(&code.to_ne_bytes());
        bytes.extend_from_slice(&[jt, jf]);
        bytes.extend_from_slice(&k.to_ne_bytes());
    }
    debug_assert_eq!(bytes.len() % INSTRUCTION_BYTES, 0);
    Ok(bytes)
}

/// ENOSYS for calls that are newer than the lists, and for `clone3`, whose flags a filter cannot read: before anything else.
fn unknown_calls(newest: u32, clone3_is_allowed: bool) -> [(u16, u8, u8, u32); 4] {
    const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const JUMP_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let clone3 = if clone3_is_allowed { u32::MAX } else { CLONE3 };
    [
        (LOAD_WORD, 0, 0, 0),
        (JUMP_EQUAL, 1, 0, clone3),
        (JUMP_GREATER, 0, 1, newest),
        (RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would make of a call: `allow`, `kill`, or an error's number.
    pub(super) fn verdict(filter: &[u8], arch: u32, number: u32, argument: u64) -> String {
        let word = |offset: u32| match offset {
            0 => number,
            4 => arch,
            16 => argument as u32,
            20 => (argument >> 32) as u32,
            _ => 0,
        };
        let program: Vec<(u16, u8, u8, u32)> = filter
            .chunks(INSTRUCTION_BYTES)
            .map(|it| {
                let k = u32::from_ne_bytes([it[4], it[5], it[6], it[7]]);
                (u16::from_ne_bytes([it[0], it[1]]), it[2], it[3], k)
            })
            .collect();
        let (mut at, mut a) = (0, 0_u32);
        loop {
            let (code, jt, jf, k) = program[at];
            at += 1;
            let jump = |yes: bool| usize::from(if yes { jt } else { jf });
            match u32::from(code) {
                0x20 => a = word(k),
                0x54 => a &= k,
                0x05 => at += k as usize,
                0x15 => at += jump(a == k),
                0x25 => at += jump(a > k),
                0x35 => at += jump(a >= k),
                0x06 => {
                    return match k & 0xffff_0000 {
                        libc::SECCOMP_RET_ALLOW => "allow".to_owned(),
                        libc::SECCOMP_RET_KILL_PROCESS => "kill".to_owned(),
                        _ => (k & 0xffff).to_string(),
                    };
                }
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    pub(super) const NATIVE: u32 = if cfg!(target_arch = "aarch64") { 0xc000_00b7 } else { 0xc000_003e };

    fn check(capabilities: &[&str], number: libc::c_long, argument: u64) -> String {
        let bits = capabilities.iter().map(|name| capability::bit(name).unwrap()).sum();
        verdict(&build(bits).unwrap(), NATIVE, u32::try_from(number).unwrap(), argument)
    }

    #[test]
    fn what_reaches_beyond_a_container_is_refused() {
        for number in [
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_userfaultfd,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_mount,
            libc::SYS_open_by_handle_at,
            libc::SYS_kexec_load,
            libc::SYS_init_module,
            libc::SYS_reboot,
            libc::SYS_swapon,
            libc::SYS_syslog,
            libc::SYS_settimeofday,
        ] {
            assert_eq!(check(&[], number, 0), "1", "{number}");
        }
        assert_eq!(check(&[], libc::SYS_clone3, 0), "38");
        assert_eq!(check(&[], 467, 0), "38");
        assert_eq!(check(&[], 100_000, 0), "38");
    }

    #[test]
    fn what_programs_do_is_allowed() {
        for list in [table::ALWAYS] {
            for (name, number) in calls(list) {
                assert_eq!(check(&[], number, 0), "allow", "{name}");
            }
        }
        assert_eq!(check(&[], libc::SYS_clone, libc::SIGCHLD as u64), "allow");
    }

    #[test]
    fn capabilities_allow_their_own_calls_and_no_others() {
        for (name, list) in table::WITH_CAPABILITY {
            for (call, number) in calls(list) {
                assert_eq!(check(&[name], number, 0), "allow", "{call} with {name}");
            }
        }
        assert_eq!(check(&["SYS_PTRACE"], libc::SYS_mount, 0), "1");
        assert_eq!(check(&["SYS_CHROOT"], libc::SYS_kcmp, 0), "1");
    }

    #[test]
    fn arguments_decide_where_they_matter() {
        let clone = |flags: i32| check(&[], libc::SYS_clone, flags as u64 & 0xffff_ffff);
        assert_eq!(clone(libc::CLONE_VM | libc::CLONE_THREAD), "allow");
        for flag in [libc::CLONE_NEWUSER, libc::CLONE_NEWNET, libc::CLONE_NEWNS, libc::CLONE_NEWPID | libc::SIGCHLD] {
            assert_eq!(clone(flag), "1", "{flag:#x}");
        }
        assert_eq!(check(&["SYS_ADMIN"], libc::SYS_clone, libc::CLONE_NEWNET as u64), "allow");
        for (family, expected) in [
            (1, "allow"),
            (2, "allow"),
            (10, "allow"),
            (16, "allow"),
            (17, "allow"),
            (12, "1"),
            (38, "1"),
            (40, "1"),
            (46, "1"),
            (1 << 32 | 2, "allow"),
            (1 << 32 | 40, "1"),
        ] {
            assert_eq!(check(&[], libc::SYS_socket, family), expected, "family {family}");
        }
        for (value, expected) in [(0, "allow"), (0xffff_ffff, "allow"), (0x0004_0000, "1"), (1, "1")] {
            assert_eq!(check(&[], libc::SYS_personality, value), expected, "personality {value:#x}");
        }
    }

    #[test]
    fn calls_of_another_architecture_end_the_process() {
        let filter = build(0).unwrap();
        assert_eq!(verdict(&filter, 0x4000_0003, 1, 0), "kill");
        // The x32 interface is this architecture with a bit in the number.
        assert_eq!(verdict(&filter, NATIVE, 0x4000_0000, 0), "38");
    }

    #[test]
    fn a_filter_is_made_once_for_what_matters_of_the_capabilities() {
        let dir = tempfile::tempdir().unwrap();
        let mut filters = Filters::new(dir.path().join("seccomp")).unwrap();
        let mut container = ContainerSpec::new("main", Vec::new(), Vec::new());
        filters.provide(&container).unwrap();
        container.capabilities_drop = vec!["NET_RAW".to_owned()];
        filters.provide(&container).unwrap();
        assert_eq!(filters.made.len(), 1);
        container.capabilities_add = vec!["SYS_PTRACE".to_owned()];
        filters.provide(&container).unwrap();
        assert_eq!(filters.made.len(), 2);
        // The next engine's are there at once.
        Filters::new(dir.path().join("seccomp")).unwrap();
        let read = Filter::read(&dir.path().join("seccomp"), &container).unwrap();
        assert_eq!(read.0, build(relevant(&container).unwrap()).unwrap());
    }
}
