//! Linux capabilities: the default set of container engines, plus and minus what the task definition says.
//!
//! Invariant: nothing outside the resulting set is in the bounding set when the program starts.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities,
};

use super::{invalid, resources};
use crate::event::StartFailure;

/// The capabilities in the kernel's order: the place is the number.
const NAMES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What a container has when the task definition says nothing.
const DEFAULT: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

pub(super) fn bit(name: &str) -> Option<u64> {
    let upper = name.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    NAMES.iter().position(|known| *known == name).map(|number| 1 << number)
}

/// The first name that is no capability (`ALL` is one in `drop`).
pub(in super::super) fn unknown_capability<'a>(add: &'a [String], drop: &'a [String]) -> Option<&'a str> {
    let unknown = |name: &&str| bit(name).is_none();
    let in_add = add.iter().map(String::as_str).find(unknown);
    in_add.or_else(|| drop.iter().map(String::as_str).filter(|name| *name != "ALL").find(unknown))
}

/// The default set with `drop` taken away and `add` put in, as far as this process has them itself.
pub(super) fn effective_set(add: &[String], drop: &[String]) -> Result<u64, StartFailure> {
    let own = capabilities(None).map_err(|e| resources(format!("capabilities: {e}")))?.permitted.bits();
    Ok(chosen(add, drop)? & own)
}

pub(super) fn chosen(add: &[String], drop: &[String]) -> Result<u64, StartFailure> {
    let number = |name: &str| bit(name).ok_or_else(|| invalid(format!("unknown capability `{name}`")));
    let mut set = 0;
    for name in DEFAULT {
        set |= number(name)?;
    }
    for name in drop {
        set = if name == "ALL" { 0 } else { set & !number(name)? };
    }
    for name in add {
        set |= number(name)?;
    }
    Ok(set)
}

/// The names of a set's capabilities, with `CAP_`.
pub(super) fn names(set: u64) -> Vec<String> {
    let numbered = NAMES.iter().enumerate();
    numbered.filter(|(number, _)| set & 1 << number != 0).map(|(_, name)| format!("CAP_{name}")).collect()
}

/// Takes everything else out of the bounding set.
pub(super) fn limit_bounding_set(keep: u64) -> Result<(), StartFailure> {
    for number in 0..64 {
        let one = 1_u64 << number;
        if keep & one != 0 {
            continue;
        }
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(one)) {
            Ok(()) => {}
            Err(Errno::INVAL) => break,
            Err(e) => return Err(resources(format!("capability bounding set: {e}"))),
        }
    }
    Ok(())
}

/// Takes the set for the program: root keeps it through exec, any other user has none.
pub(super) fn take(set: u64, root: bool) -> Result<(), StartFailure> {
    let held = CapabilitySet::from_bits_retain(if root { set } else { 0 });
    let sets = CapabilitySets { effective: held, permitted: held, inheritable: CapabilitySet::empty() };
    clear_ambient_capability_set()
        .and_then(|()| set_capabilities(None, sets))
        .map_err(|e| resources(format!("capabilities: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(add: &[&str], drop: &[&str]) -> String {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        format!("{:016x}", chosen(&owned(add), &owned(drop)).unwrap())
    }

    #[test]
    fn the_set_is_the_engines_default_plus_and_minus() {
        assert_eq!(set(&[], &[]), "00000000a80425fb");
        assert_eq!(set(&["SYS_PTRACE"], &[]), "00000000a80c25fb");
        assert_eq!(set(&[], &["NET_RAW", "cap_mknod"]), "00000000a00405fb");
        assert_eq!(set(&["NET_BIND_SERVICE"], &["ALL"]), "0000000000000400");
    }

    #[test]
    fn a_set_is_named_as_it_was_asked_for() {
        assert_eq!(names(chosen(&["BPF".to_owned()], &["ALL".to_owned()]).unwrap()), ["CAP_BPF"]);
        assert_eq!(names(chosen(&[], &[]).unwrap()).len(), DEFAULT.len());
    }

    #[test]
    fn unknown_names_are_found() {
        let list = |name: &str| vec![name.to_owned()];
        assert_eq!(unknown_capability(&list("SYS_PTRACE"), &list("ALL")), None);
        assert_eq!(unknown_capability(&list("FLY"), &[]), Some("FLY"));
        assert_eq!(unknown_capability(&[], &list("SWIM")), Some("SWIM"));
    }
}
