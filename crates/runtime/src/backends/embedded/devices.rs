//! What containers may do with devices: make any node, open the few that every program may have.
//!
//! Version 1 control groups take this as lines of text. On version 2 it is a program that the kernel asks at each access
//! (`BPF_PROG_TYPE_CGROUP_DEVICE`), made here instruction by instruction. File systems of containers are `nodev` besides.
//!
//! - Invariant: both versions are made of the same table.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::sys;

/// Character devices that may be opened: major and minor number, any minor where there is none.
const OPENED: &[(u32, Option<u32>)] =
    &[(1, Some(3)), (1, Some(5)), (1, Some(7)), (1, Some(8)), (1, Some(9)), (5, Some(0)), (5, Some(2)), (136, None)];

// The kernel's `BPF_DEVCG_…`.
const MAKE: u32 = 1;
const CHARACTER: u32 = 2;

// Registers: what the kernel gives and gets, then ours.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

// Operations of the kernel's `linux/bpf.h`.
const LOAD_WORD: u8 = 0x61;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const COPY: u8 = 0xbf;
const SET: u8 = 0xb7;
const SKIP_IF_OTHER: u8 = 0x55;
const EXIT: u8 = 0x95;

/// The rules of version 1, for `devices.allow` after everything is denied.
pub(super) fn rules() -> Vec<String> {
    let opened = OPENED.iter().map(|(major, minor)| {
        let minor = minor.map_or_else(|| "*".to_owned(), |minor| minor.to_string());
        format!("c {major}:{minor} rwm")
    });
    ["c *:* m".to_owned(), "b *:* m".to_owned()].into_iter().chain(opened).collect()
}

/// One instruction as the kernel has it.
fn instruction(operation: u8, target: u8, source: u8, skip: i16, value: u32) -> [u8; 8] {
    let ([s0, s1], [v0, v1, v2, v3]) = (skip.to_ne_bytes(), value.to_ne_bytes());
    let registers = if cfg!(target_endian = "little") { source << 4 | target } else { target << 4 | source };
    [operation, registers, s0, s1, v0, v1, v2, v3]
}

/// The program: 1 allows the access in its context, 0 does not.
fn program() -> Vec<[u8; 8]> {
    let answer = |value: u32| [instruction(SET, ANSWER, 0, 0, value), instruction(EXIT, 0, 0, 0, 0)];
    // Each ends the program with 1 unless one of the conditions does not hold.
    let allow_if = |conditions: &[(u8, u32)]| -> Vec<[u8; 8]> {
        let count = conditions.len();
        let skips = conditions.iter().enumerate().map(|(index, (register, value))| {
            let rest = i16::try_from(count - index - 1 + 2).unwrap_or(0);
            instruction(SKIP_IF_OTHER, *register, 0, rest, *value)
        });
        skips.chain(answer(1)).collect()
    };
    let mut program = vec![
        // The first word is kind and access, then come the numbers.
        instruction(LOAD_WORD, KIND, CONTEXT, 0, 0),
        instruction(COPY, ACCESS, KIND, 0, 0),
        instruction(AND, KIND, 0, 0, 0xffff),
        instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        instruction(LOAD_WORD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD_WORD, MINOR, CONTEXT, 8, 0),
    ];
    program.extend(allow_if(&[(ACCESS, MAKE)]));
    for (major, minor) in OPENED {
        let minor = minor.map(|minor| (MINOR, minor));
        let conditions: Vec<(u8, u32)> = [(KIND, CHARACTER), (MAJOR, *major)].into_iter().chain(minor).collect();
        program.extend(allow_if(&conditions));
    }
    program.extend(answer(0));
    program
}

/// Gives the program to the kernel, which may refuse it.
pub(super) fn load() -> io::Result<OwnedFd> {
    sys::load_device_filter(&program())
}

/// Puts the program on a version 2 group; it holds for all groups below.
pub(super) fn guard(group: &Path) -> io::Result<()> {
    sys::attach_device_filter(File::open(group)?.as_fd(), load()?.as_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel would.
    fn run(kind: u32, access: u32, major: u32, minor: u32) -> u64 {
        let context = [access << 16 | kind, major, minor];
        let (program, mut registers, mut at) = (program(), [0_u64; 16], 0);
        loop {
            let [operation, names, s0, s1, value @ ..] = program[at];
            let (target, source) = (usize::from(names & 15), usize::from(names >> 4));
            let (skip, value) = (i16::from_ne_bytes([s0, s1]), u32::from_ne_bytes(value));
            at += 1;
            match operation {
                LOAD_WORD => registers[target] = u64::from(context[usize::try_from(skip / 4).unwrap()]),
                COPY => registers[target] = registers[source],
                SET => registers[target] = u64::from(value),
                AND => registers[target] = u64::from(u32::try_from(registers[target]).unwrap() & value),
                SHIFT_RIGHT => registers[target] = u64::from(u32::try_from(registers[target]).unwrap() >> value),
                SKIP_IF_OTHER if registers[target] != u64::from(value) => at += usize::try_from(skip).unwrap(),
                SKIP_IF_OTHER => {}
                EXIT => return registers[0],
                other => panic!("operation {other:#x}"),
            }
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_program_allows_what_the_rules_of_version_1_do() {
        let rules: Vec<(String, String)> = rules()
            .iter()
            .map(|rule| {
                let words: Vec<&str> = rule.split(' ').collect();
                (format!("{} {}", words[0], words[1]), words[2].to_owned())
            })
            .collect();
        for (kind, letter) in [(1, 'b'), (2, 'c')] {
            for (major, minor) in [0, 1, 2, 5, 7, 8, 10, 136, 137, 250]
                .into_iter()
                .flat_map(|major| (0..=300).map(move |minor| (major, minor)))
            {
                let places = ["*:*".to_owned(), format!("{major}:*"), format!("{major}:{minor}")];
                let places = places.map(|place| format!("{letter} {place}"));
                let allowed: String =
                    rules.iter().filter(|rule| places.contains(&rule.0)).map(|rule| rule.1.as_str()).collect();
                for access in 1..8 {
                    let wanted = [(1, 'm'), (2, 'r'), (4, 'w')].into_iter().filter(|(bit, _)| access & bit != 0);
                    let expected = wanted.clone().all(|(_, letter)| allowed.contains(letter));
                    assert_eq!(
                        run(kind, access, major, minor),
                        u64::from(expected),
                        "{letter} {major}:{minor} {access}"
                    );
                }
            }
        }
        assert_eq!((run(2, 6, 1, 3), run(2, 6, 1, 11), run(1, 2, 8, 0), run(1, 1, 8, 0)), (1, 0, 0, 1));
    }
}
