//! Ports and protocols that a rule speaks about.

use std::fmt;

/// A protocol with the ports, or the ICMP type and code, that a rule allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub(super) protocol: &'static str,
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    text: String,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Port {
    fn of(protocol: &'static str, from: i64, to: i64, text: String) -> Self {
        Self { protocol, from: Some(from), to: Some(to), text }
    }

    /// A TCP port.
    pub fn tcp(port: u16) -> Self {
        Self::of("tcp", port.into(), port.into(), port.to_string())
    }

    /// TCP ports, both ends included.
    pub fn tcp_range(start: u16, end: u16) -> Self {
        Self::of("tcp", start.into(), end.into(), format!("{start}-{end}"))
    }

    /// Every TCP port.
    pub fn all_tcp() -> Self {
        Self::of("tcp", 0, 65_535, "ALL PORTS".to_owned())
    }

    /// A UDP port.
    pub fn udp(port: u16) -> Self {
        Self::of("udp", port.into(), port.into(), format!("UDP {port}"))
    }

    /// UDP ports, both ends included.
    pub fn udp_range(start: u16, end: u16) -> Self {
        Self::of("udp", start.into(), end.into(), format!("UDP {start}-{end}"))
    }

    /// Every UDP port.
    pub fn all_udp() -> Self {
        Self::of("udp", 0, 65_535, "UDP ALL PORTS".to_owned())
    }

    /// An ICMP type with one code.
    pub fn icmp_type_and_code(kind: u8, code: u8) -> Self {
        Self::of("icmp", kind.into(), code.into(), format!("ICMP Type {kind} Code {code}"))
    }

    /// An ICMP type with every code.
    pub fn icmp_type(kind: u8) -> Self {
        Self::of("icmp", kind.into(), -1, format!("ICMP Type {kind}"))
    }

    /// Echo requests.
    pub fn icmp_ping() -> Self {
        Self::icmp_type(8)
    }

    /// All ICMP.
    pub fn all_icmp() -> Self {
        Self::of("icmp", -1, -1, "ALL ICMP".to_owned())
    }

    /// All ICMP for IPv6.
    pub fn all_icmp_v6() -> Self {
        Self::of("icmpv6", -1, -1, "ALL ICMPv6".to_owned())
    }

    /// Everything.
    pub fn all_traffic() -> Self {
        Self { protocol: "-1", from: None, to: None, text: "ALL TRAFFIC".to_owned() }
    }
}
