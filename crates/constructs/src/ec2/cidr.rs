//! IPv4 ranges, and how a network's range is divided among its subnets.

/// An IPv4 range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    first: u32,
    prefix_length: u32,
}

impl Cidr {
    /// Reads `10.0.0.0/16`; bits beyond the prefix are cleared.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix_length) = text.split_once('/')?;
        let address: std::net::Ipv4Addr = address.parse().ok()?;
        let prefix_length: u32 = prefix_length.parse().ok().filter(|length| *length <= 32)?;
        let first = u32::try_from(u64::from(u32::from(address)) / size(prefix_length) * size(prefix_length)).ok()?;
        Some(Self { first, prefix_length })
    }

    fn end(self) -> u64 {
        u64::from(self.first) + size(self.prefix_length)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", std::net::Ipv4Addr::from(self.first), self.prefix_length)
    }
}

/// How many addresses a range of this prefix length has.
fn size(prefix_length: u32) -> u64 {
    1 << (32 - prefix_length.min(32))
}

/// Divides a network: subnets of a given prefix length come first, in order; the others share what is left in equal, largest
/// possible parts. `None` stands for a subnet without a given length.
pub(super) fn divide(network: Cidr, subnets: &[Option<u32>]) -> Result<Vec<Cidr>, String> {
    let mut ranges: Vec<Option<Cidr>> = vec![None; subnets.len()];
    let mut next = u64::from(network.first);
    let mut take = |prefix_length: u32| -> Result<Cidr, String> {
        if !(16..=28).contains(&prefix_length) {
            return Err(format!("a subnet cannot be a /{prefix_length}: expected /16 to /28"));
        }
        // A block begins at a multiple of its size.
        let first = next.div_ceil(size(prefix_length)) * size(prefix_length);
        let range = u32::try_from(first)
            .ok()
            .map(|first| Cidr { first, prefix_length })
            .filter(|range| range.end() <= network.end());
        let range = range.ok_or(format!("a /{prefix_length} does not fit into what is left of {network}"))?;
        next = range.end();
        Ok(range)
    };
    for (range, prefix_length) in ranges.iter_mut().zip(subnets) {
        if let Some(prefix_length) = prefix_length {
            *range = Some(take(*prefix_length)?);
        }
    }
    let last_given = ranges.iter().flatten().map(|range| range.end()).max().unwrap_or(u64::from(network.first));
    let open = ranges.iter().filter(|range| range.is_none()).count();
    if open > 0 {
        let addresses = (network.end() - last_given) / open as u64;
        let prefix_length = if addresses == 0 { 33 } else { 32 - addresses.ilog2() };
        for range in ranges.iter_mut().filter(|range| range.is_none()) {
            *range = Some(take(prefix_length)?);
        }
    }
    Ok(ranges.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::{Cidr, divide};

    fn check(network: &str, subnets: &[Option<u32>], expected: &str) {
        let ranges = divide(Cidr::parse(network).unwrap(), subnets);
        let text = match ranges {
            Ok(ranges) => ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(message) => message,
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn equal_parts_are_as_large_as_they_can_be() {
        check("10.0.0.0/16", &[None; 4], "10.0.0.0/18 10.0.64.0/18 10.0.128.0/18 10.0.192.0/18");
        check("10.0.0.0/16", &[None; 3], "10.0.0.0/18 10.0.64.0/18 10.0.128.0/18");
        check("10.1.2.3/16", &[None], "10.1.0.0/16");
    }

    #[test]
    fn given_lengths_come_first() {
        check("10.0.0.0/16", &[None, Some(24), Some(28)], "10.0.128.0/17 10.0.0.0/24 10.0.1.0/28");
        check("10.0.0.0/16", &[Some(24), None, None], "10.0.0.0/24 10.0.64.0/18 10.0.128.0/18");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        check("10.0.0.0/24", &[Some(25), Some(25), Some(28)], "a /28 does not fit into what is left of 10.0.0.0/24");
        check("10.0.0.0/16", &[Some(29)], "a subnet cannot be a /29: expected /16 to /28");
        check("10.0.0.0/26", &[None; 8], "a subnet cannot be a /29: expected /16 to /28");
        check("10.0.0.0/24", &[Some(25), Some(25), None], "a subnet cannot be a /33: expected /16 to /28");
        assert_eq!(Cidr::parse("10.0.0.0"), None);
        assert_eq!(Cidr::parse("10.0.0.0/33"), None);
    }
}
