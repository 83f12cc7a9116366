//! IPv4 blocks in canonical form, and what of them AWS lets be used.
//!
//! Invariant: the bits behind the prefix are zero.
//!
//! Invariant: pure; knows no records.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An IPv4 block such as `10.0.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Cidr {
    base: u32,
    prefix: u8,
}

impl Cidr {
    /// Every address.
    pub(crate) const ANYWHERE: Self = Self { base: 0, prefix: 0 };

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }

    fn last(self) -> u32 {
        self.base | !self.mask()
    }

    /// Whether the other block lies inside this one.
    pub(crate) fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix && other.base & self.mask() == self.base
    }

    /// Whether the blocks share an address.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The addresses of a subnet that interfaces may have: AWS keeps the first four and the last.
    pub(crate) fn assignable(self) -> RangeInclusive<u32> {
        self.base.saturating_add(4)..=self.last().saturating_sub(1)
    }

    /// How many those are.
    pub(crate) fn assignable_count(self) -> usize {
        let (first, last) = self.assignable().into_inner();
        usize::try_from(u64::from(last).saturating_add(1).saturating_sub(u64::from(first))).unwrap_or(usize::MAX)
    }

    /// Whether it can be a VPC's: neither this host, loopback, link-local nor multicast.
    pub(crate) fn fits_a_vpc(self) -> bool {
        let octets = Ipv4Addr::from(self.base).octets();
        (16..=28).contains(&self.prefix) && !matches!(octets, [0 | 127 | 224.., ..] | [169, 254, ..])
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('/')
            .and_then(|(base, prefix)| Some((base.parse::<Ipv4Addr>().ok()?, prefix.parse().ok()?)));
        match parts {
            Some((base, prefix @ 0..=32)) => {
                let loose = Self { base: u32::from(base), prefix };
                Ok(Self { base: loose.base & loose.mask(), prefix })
            }
            _ => Err(format!("`{text}` is no IPv4 block: expected one such as `10.0.0.0/16`")),
        }
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

/// An IPv6 block in canonical form; `None` where the text is none.
pub(crate) fn ipv6_block(text: &str) -> Option<String> {
    let (base, prefix) = text.split_once('/')?;
    let (base, prefix) = (base.parse::<Ipv6Addr>().ok()?, prefix.parse::<u32>().ok().filter(|prefix| *prefix <= 128)?);
    let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    Some(format!("{}/{prefix}", Ipv6Addr::from(u128::from(base) & mask)))
}

#[cfg(test)]
mod tests {
    use super::{Cidr, ipv6_block};

    fn block(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn blocks_become_canonical() {
        for (text, wanted) in
            [("100.68.0.18/18", "100.68.0.0/18"), ("10.0.0.1/32", "10.0.0.1/32"), ("1.2.3.4/0", "0.0.0.0/0")]
        {
            assert_eq!(block(text).to_string(), wanted);
        }
        assert_eq!(ipv6_block("2001:DB8::1/64").as_deref(), Some("2001:db8::/64"));
        assert_eq!(ipv6_block("::1/0").as_deref(), Some("::/0"));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/16", "10.0.0.0/-1", "::/0"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
        assert_eq!(ipv6_block("::/129"), None);
        assert_eq!(ipv6_block("10.0.0.0/8"), None);
    }

    #[test]
    fn blocks_overlap_when_one_contains_the_other() {
        assert!(block("10.0.0.0/16").contains(block("10.0.255.0/24")));
        assert!(!block("10.0.0.0/24").contains(block("10.0.0.0/16")));
        assert!(block("10.0.0.0/24").overlaps(block("10.0.0.0/16")));
        assert!(!block("10.0.0.0/24").overlaps(block("10.0.1.0/24")));
    }

    #[test]
    fn five_addresses_of_a_subnet_are_kept() {
        for text in ["10.0.0.0/28", "10.0.0.0/29", "10.0.0.0/31", "10.0.0.0/24"] {
            assert_eq!(block(text).assignable_count(), block(text).assignable().count(), "{text}");
        }
        assert_eq!(block("10.0.0.0/28").assignable_count(), 11);
    }

    #[test]
    fn only_ordinary_blocks_fit_a_vpc() {
        let fits: Vec<_> =
            ["10.0.0.0/16", "10.0.0.0/15", "10.0.0.0/29", "127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16"]
                .map(|text| block(text).fits_a_vpc())
                .into();
        assert_eq!(fits, [true, false, false, false, false, false]);
    }
}
