//! Programs for this machine that need nothing: no loader, no library.
//!
//! Invariant: what is made is one segment, to read and to execute, entered at its first instruction.

/// This machine's number in ELF files.
const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

/// A program of instructions and what they read.
pub(super) fn program(content: &[u8]) -> Vec<u8> {
    let (header, segment): (u16, u16) = (64, 56);
    let start = u64::from(header) + u64::from(segment);
    let base = 0x40_0000_u64;
    let size = start + content.len() as u64;
    // Magic, 64 bits, little endian, version 1; then a program of that machine, version 1.
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    file.extend(MACHINE.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    // Entry, where the segments are described, no sections.
    [base + start, header.into(), 0].iter().for_each(|field| file.extend(field.to_le_bytes()));
    file.extend(0_u32.to_le_bytes());
    [header, segment, 1, 0, 0, 0].iter().for_each(|field| file.extend(field.to_le_bytes()));
    // One segment to load, to read and execute: the whole file.
    [1_u32, 5].iter().for_each(|field| file.extend(field.to_le_bytes()));
    [0, base, base, size, size, 0x1000].iter().for_each(|field| file.extend(field.to_le_bytes()));
    file.extend(content);
    file
}
