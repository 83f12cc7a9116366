//! Resource limits and signal names.
//!
//! Invariant: a limit above what this process may grant is clamped and remarked upon, never refused.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::invalid;
use crate::event::StartFailure;
use crate::spec::Ulimit;

/// Fargate's soft and hard number of open files.
const NOFILE: u64 = 65_535;

/// The limits by the names that a task definition uses.
const RESOURCES: &[(&str, Resource)] = &[
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

fn resource(name: &str) -> Option<Resource> {
    RESOURCES.iter().find(|(known, _)| *known == name).map(|(_, resource)| *resource)
}

/// The first limit that has no meaning here.
pub(in super::super) fn unknown_limit(ulimits: &[Ulimit]) -> Option<&str> {
    ulimits.iter().map(|limit| limit.name.as_str()).find(|name| resource(name).is_none())
}

/// What is asked for, Fargate's default among it.
fn wanted(ulimits: &[Ulimit]) -> Vec<Ulimit> {
    let usual = Ulimit { name: "nofile".to_owned(), soft: NOFILE, hard: NOFILE };
    let usual = (!ulimits.iter().any(|limit| limit.name == "nofile")).then_some(usual);
    usual.into_iter().chain(ulimits.iter().cloned()).collect()
}

fn known(limit: &Ulimit) -> Result<Resource, StartFailure> {
    resource(&limit.name).ok_or_else(|| invalid(format!("no such ulimit `{}`", limit.name)))
}

/// Sets the limits; answers with what had to be clamped.
pub(super) fn apply(ulimits: &[Ulimit]) -> Result<Vec<String>, StartFailure> {
    let mut remarks = Vec::new();
    for limit in wanted(ulimits) {
        set(&limit, known(&limit)?, &mut remarks)?;
    }
    Ok(remarks)
}

/// The limits as far as this process may give them, without taking them itself, and what had to be clamped.
pub(super) fn granted(ulimits: &[Ulimit]) -> Result<(Vec<Ulimit>, Vec<String>), StartFailure> {
    let may_raise = rustix::thread::capabilities(None)
        .is_ok_and(|own| own.effective.contains(rustix::thread::CapabilitySet::SYS_RESOURCE));
    let (mut limits, mut remarks) = (Vec::new(), Vec::new());
    for limit in wanted(ulimits) {
        let resource = known(&limit)?;
        if finite(limit.soft).unwrap_or(u64::MAX) > finite(limit.hard).unwrap_or(u64::MAX) {
            return Err(invalid(format!("ulimit `{}` {}:{}: invalid argument", limit.name, limit.soft, limit.hard)));
        }
        let own = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let ceiling = match resource {
            // More than this the kernel gives to nobody.
            Resource::Nofile if may_raise => nofile_max(),
            _ if may_raise => u64::MAX,
            _ => own,
        };
        let given = Ulimit { soft: limit.soft.min(ceiling), hard: limit.hard.min(ceiling), ..limit.clone() };
        if given != limit {
            remarks.push(clamped(&limit, finite(given.hard)));
        }
        limits.push(given);
    }
    Ok((limits, remarks))
}

fn nofile_max() -> u64 {
    let text = std::fs::read_to_string("/proc/sys/fs/nr_open").unwrap_or_default();
    text.trim().parse().unwrap_or(u64::MAX)
}

fn clamped(limit: &Ulimit, hard: Option<u64>) -> String {
    let given = hard.map_or_else(|| "unlimited".to_owned(), |n| n.to_string());
    format!("ulimit `{}` is {given} instead of {}: this machine's hard limit", limit.name, limit.hard)
}

fn set(limit: &Ulimit, resource: Resource, remarks: &mut Vec<String>) -> Result<(), StartFailure> {
    let error = |e: rustix::io::Errno| invalid(format!("ulimit `{}` {}:{}: {e}", limit.name, limit.soft, limit.hard));
    let wanted = Rlimit { current: finite(limit.soft), maximum: finite(limit.hard) };
    match setrlimit(resource, wanted) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::PERM) => {
            let ceiling = getrlimit(resource).maximum;
            let clamp = |value: Option<u64>| match (value, ceiling) {
                (Some(value), Some(ceiling)) => Some(value.min(ceiling)),
                (value, None) => value,
                (None, ceiling) => ceiling,
            };
            let given = Rlimit { current: clamp(wanted.current), maximum: clamp(wanted.maximum) };
            remarks.push(clamped(limit, given.maximum));
            setrlimit(resource, given).map_err(error)
        }
        Err(e) => Err(error(e)),
    }
}

/// `u64::MAX` stands for no limit.
fn finite(value: u64) -> Option<u64> {
    (value != u64::MAX).then_some(value)
}

const SIGNALS: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// Reads `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3`; empty is SIGTERM.
pub(in super::super) fn parse_signal(text: &str) -> Option<i32> {
    if text.is_empty() {
        return Some(15);
    }
    if let Ok(number) = text.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(offset) = name.strip_prefix("RTMIN") {
        let offset: i32 = if offset.is_empty() { 0 } else { offset.strip_prefix('+')?.parse().ok()? };
        return (0..=30).contains(&offset).then_some(34 + offset);
    }
    SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_by_name_and_number() {
        for (text, number) in
            [("", 15), ("SIGTERM", 15), ("int", 2), ("9", 9), ("SIGRTMIN+3", 37), ("RTMIN", 34), ("SIGQUIT", 3)]
        {
            assert_eq!(parse_signal(text), Some(number), "{text}");
        }
        for text in ["SIGNONE", "0", "65", "SIGRTMIN+31", "RTMIN-1"] {
            assert_eq!(parse_signal(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_without_meaning_is_named() {
        let limit = |name: &str| Ulimit { name: name.to_owned(), soft: 1, hard: 1 };
        assert_eq!(unknown_limit(&[limit("nofile"), limit("bogus")]), Some("bogus"));
        assert_eq!(unknown_limit(&[limit("core")]), None);
    }
}
