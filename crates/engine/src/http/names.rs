//! Hosts and origins as requests spell them.
//!
//! Invariant: one spelling for each: lower case, no dot at the end, ports as numbers. What is no host is no value of these types.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A host without its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// `127.0.0.1`.
    V4(Ipv4Addr),
    /// `[::1]`.
    V6(Ipv6Addr),
    /// `bucket.s3.localhost`.
    Name(String),
}

/// A host and its port: what stands in `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    /// HTTP's own where none is named.
    pub(super) port: u16,
}

/// A host, or with `*.` before it every name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPattern {
    host: Host,
    below: bool,
}

/// Where a page comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    /// A host and port; of an extension of the browser, its id.
    authority: Result<Authority, String>,
}

impl Host {
    /// Reads a host; IPv6 addresses stand in brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            return inner.strip_suffix(']')?.parse().ok().map(Self::V6);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let fits = |part: &str| {
            let inside = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            !part.is_empty() && part.len() <= 63 && inside
        };
        if text.len() > 253 || !text.split('.').all(fits) {
            return None;
        }
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) || part.starts_with("0x");
        // As browsers read it: what ends in a number is an address, and we take the usual spelling only.
        match text.rsplit('.').next() {
            Some(last) if is_number(last) => text.parse().ok().map(Self::V4),
            _ => Some(Self::Name(text.to_ascii_lowercase())),
        }
    }

    /// Whether it can be nothing but this machine.
    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::V4(address) => address.is_loopback(),
            Self::V6(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

impl Authority {
    /// Reads `host` or `host:port`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = text.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match text.get(end..)?.find(':') {
            Some(colon) => (text.get(..end + colon)?, text.get(end + colon + 1..)?),
            None => (text, ""),
        };
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = if port.is_empty() { 80 } else { port.parse().ok().filter(|_| is_port)? };
        Some(Self { host: Host::parse(host)?, port })
    }
}

impl HostPattern {
    /// Reads `NAME`, `*.NAME` or an address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        let host = Host::parse(name)?;
        (!below || matches!(host, Host::Name(_))).then_some(Self { host, below })
    }

    /// Whether it names this host.
    pub(super) fn fits(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (Host::Name(wanted), Host::Name(name)) if self.below => {
                name.strip_suffix(wanted.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            (wanted, host) => !self.below && wanted == host,
        }
    }
}

impl Origin {
    /// Reads `scheme://host[:port]`. `null`, the origin of pages without one, is no value.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_scheme || rest.is_empty() || rest.contains(['/', '@', '?', '#', ' ']) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let authority = match scheme.as_str() {
            "http" => Ok(Authority::parse(rest)?),
            "https" => {
                let has_port = rest.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
                Ok(Authority::parse(&if has_port { rest.to_owned() } else { format!("{rest}:443") })?)
            }
            _ => Err(rest.to_ascii_lowercase()),
        };
        Some(Self { scheme, authority })
    }

    /// Whether it is what that host serves over plain HTTP.
    pub(super) fn is_plain_of(&self, host: &Authority) -> bool {
        self.scheme == "http" && self.authority.as_ref() == Ok(host)
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, Host, HostPattern, Origin};

    #[test]
    fn hosts_that_are_this_machine_and_hosts_that_are_not() {
        let own = [
            "127.0.0.1",
            "127.0.0.1:4566",
            "127.9.8.7:1",
            "[::1]",
            "[::1]:4566",
            "[0:0:0:0:0:0:0:1]:4566",
            "localhost",
            "LocalHost:4566",
            "localhost.:4566",
            "localhost:",
            "bucket.s3.localhost:4566",
            "s3.eu-west-1.localhost",
            "my_bucket.localhost:80",
        ];
        let foreign = [
            "evil.test",
            "evil.test:4566",
            "localhost.evil.test",
            "notlocalhost",
            "127.0.0.1.evil.test",
            "10.0.0.1:4566",
            "0.0.0.0:4566",
            "[::]:4566",
            "[::ffff:127.0.0.1]",
            "169.254.170.2",
            "128.0.0.1",
            "localhost-evil",
        ];
        let none = [
            "",
            ":",
            ":4566",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1:x",
            "127.0.0.1:65536",
            "127.0.0.1:+80",
            "127.0.0.1:80:80",
            "user@127.0.0.1",
            "user:pass@localhost",
            "localhost/x",
            "[::1",
            "::1",
            "[::1]x",
            "[localhost]",
            "local host",
            "localhost..",
            ".localhost",
            "evil.test,localhost",
            "localhost:80@evil.test",
            "127.0.0.256",
            "localhost\\evil",
            "*.localhost",
        ];
        let loopback = |text: &str| Authority::parse(text).map(|authority| authority.host.is_loopback());
        own.iter().for_each(|text| assert_eq!(loopback(text), Some(true), "{text}"));
        foreign.iter().for_each(|text| assert_eq!(loopback(text), Some(false), "{text}"));
        none.iter().for_each(|text| assert_eq!(loopback(text), None, "{text}"));
    }

    #[test]
    fn patterns_name_a_host_or_all_below() {
        let fits = |pattern: &str, host: &str| HostPattern::parse(pattern).unwrap().fits(&Host::parse(host).unwrap());
        assert!(fits("neargate.internal", "Neargate.Internal."));
        assert!(!fits("neargate.internal", "bucket.neargate.internal"));
        assert!(fits("*.neargate.internal", "bucket.s3.neargate.internal"));
        assert!(!fits("*.neargate.internal", "neargate.internal"));
        assert!(!fits("*.neargate.internal", "evilneargate.internal"));
        assert!(fits("172.17.0.1", "172.17.0.1") && !fits("172.17.0.1", "172.17.0.2"));
        assert!(fits("[fd00::1]", "[fd00:0::1]"));
        for text in ["", "*", "*.", "a b", "http://a", "a:80", "*.10.0.0.1", "a.*.b"] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn origins_are_compared_with_their_ports() {
        let own = |origin: &str, host: &str| {
            Origin::parse(origin).is_some_and(|it| it.is_plain_of(&Authority::parse(host).unwrap()))
        };
        assert!(own("http://127.0.0.1:4566", "127.0.0.1:4566"));
        assert!(own("HTTP://LOCALHOST:4566", "localhost:4566"));
        assert!(own("http://localhost", "localhost:80"));
        for origin in [
            "http://127.0.0.1:4567",
            "http://localhost:4566",
            "https://127.0.0.1:4566",
            "http://evil.test:4566",
            "null",
            "",
            "http://",
            "file://",
            "127.0.0.1:4566",
            "http://127.0.0.1:4566/",
            "http://x@127.0.0.1:4566",
            "http://127.0.0.1:4566 http://evil.test",
        ] {
            assert!(!own(origin, "127.0.0.1:4566"), "{origin}");
        }
        assert_eq!(Origin::parse("https://a.test"), Origin::parse("https://A.test:443"));
        assert_eq!(Origin::parse("null"), None);
        assert!(Origin::parse("chrome-extension://abcdef").is_some());
    }
}
