//! `Fn::Cidr`: consecutive blocks of one size out of a larger block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most blocks one call may ask for.
const BLOCKS_MAX: u32 = 256;

/// `count` blocks with `bits` host bits each (8 for IPv4 and 64 for IPv6 unless given); `None` where they do not fit.
pub(super) fn subnets(block: &str, count: u32, bits: Option<u32>) -> Option<Vec<String>> {
    let (address, prefix) = block.split_once('/')?;
    let address: IpAddr = address.trim().parse().ok()?;
    let prefix: u32 = prefix.trim().parse().ok()?;
    let (width, base): (u32, u128) = match address {
        IpAddr::V4(address) => (32, u128::from(u32::from(address))),
        IpAddr::V6(address) => (128, u128::from(address)),
    };
    let bits = bits.unwrap_or(if width == 32 { 8 } else { 64 });
    let spare = width.checked_sub(prefix)?.checked_sub(bits)?;
    let fits = spare >= 32 || count <= 1_u32.checked_shl(spare)?;
    if count == 0 || count > BLOCKS_MAX || bits == 0 || !fits {
        return None;
    }
    let host_bits = width - prefix;
    let base = if host_bits >= 128 { 0 } else { base >> host_bits << host_bits };
    let step = 1_u128.checked_shl(bits)?;
    let made = (0..count).map(|at| {
        let address = base.checked_add(step.checked_mul(u128::from(at))?)?;
        let address = match width {
            32 => Ipv4Addr::from(u32::try_from(address).ok()?).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        };
        Some(format!("{address}/{}", width - bits))
    });
    made.collect()
}
