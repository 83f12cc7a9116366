//! As much of rtnetlink as a routed pair of interfaces takes.
//!
//! Invariant: a request is acknowledged before the next one is sent, so an error names its request.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

const NEWLINK: u16 = 16;
const NEWADDR: u16 = 20;
const NEWROUTE: u16 = 24;
const NEWNEIGH: u16 = 28;
const ERROR: u16 = 2;
const REQUEST_ACK: u16 = 0x1 | 0x4;
const CREATE: u16 = 0x400;
const REPLACE: u16 = 0x100;
const EXCLUSIVE: u16 = 0x200;
const INET: u8 = 2;
const IFF_UP: u32 = 1;
const NO_PREFIX_ROUTE: u32 = 0x200;
const NEIGHBOUR_PERMANENT: u16 = 0x80;
const ROUTE_ON_LINK: u32 = 4;
const SCOPE_LINK: u8 = 253;
const TABLE_MAIN: u8 = 254;
const PROTOCOL_STATIC: u8 = 4;
const UNICAST: u8 = 1;

/// A hardware address.
pub(super) type Mac = [u8; 6];

/// One end of a pair of interfaces.
#[derive(Debug)]
pub(super) struct End<'a> {
    pub(super) name: &'a str,
    pub(super) mac: Mac,
}

/// A connection to the network namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    /// Opens one for the caller's network namespace.
    pub(super) fn open() -> std::io::Result<Self> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(Self { socket })
    }

    /// The index of an interface.
    pub(super) fn index(&self, name: &str) -> std::io::Result<u32> {
        Ok(rustix::net::netdevice::name_to_index(&self.socket, name)?)
    }

    /// Makes a pair, one end here, the other in another namespace.
    pub(super) fn add_pair(&self, here: &End<'_>, there: &End<'_>, netns: &impl AsFd) -> std::io::Result<()> {
        let mut message = Message::new(NEWLINK, CREATE | EXCLUSIVE, &link_header(0, 0));
        message.text(3, here.name);
        message.attribute(1, &here.mac);
        message.nested(18, |info| {
            info.text(1, "veth");
            info.nested(2, |data| {
                data.nested(1, |peer| {
                    peer.bytes.extend_from_slice(&link_header(0, 0));
                    peer.text(3, there.name);
                    peer.attribute(1, &there.mac);
                    peer.attribute(28, &netns.as_fd().as_raw_fd().to_ne_bytes());
                });
            });
        });
        self.request(message)
    }

    /// Brings an interface up.
    pub(super) fn up(&self, index: u32) -> std::io::Result<()> {
        self.request(Message::new(NEWLINK, 0, &link_header(index, IFF_UP)))
    }

    /// Gives an interface an address, without the route that the kernel would add.
    pub(super) fn add_address(&self, index: u32, address: Ipv4Addr, prefix_len: u8) -> std::io::Result<()> {
        let [i0, i1, i2, i3] = index.to_ne_bytes();
        let mut message = Message::new(NEWADDR, CREATE | REPLACE, &[INET, prefix_len, 0, 0, i0, i1, i2, i3]);
        message.attribute(2, &address.octets());
        message.attribute(1, &address.octets());
        message.attribute(8, &NO_PREFIX_ROUTE.to_ne_bytes());
        self.request(message)
    }

    /// A route to one address over an interface; what is sent from here comes from `source`.
    pub(super) fn add_host_route(&self, index: u32, address: Ipv4Addr, source: Ipv4Addr) -> std::io::Result<()> {
        let mut message = Message::new(NEWROUTE, CREATE | REPLACE, &route_header(32, SCOPE_LINK, 0));
        message.attribute(1, &address.octets());
        message.attribute(4, &index.to_ne_bytes());
        message.attribute(7, &source.octets());
        self.request(message)
    }

    /// The default route, over a gateway that is reachable though no prefix says so.
    pub(super) fn add_default_route(&self, index: u32, gateway: Ipv4Addr) -> std::io::Result<()> {
        let mut message = Message::new(NEWROUTE, CREATE | REPLACE, &route_header(0, 0, ROUTE_ON_LINK));
        message.attribute(5, &gateway.octets());
        message.attribute(4, &index.to_ne_bytes());
        self.request(message)
    }

    /// A neighbour that need not be asked for.
    pub(super) fn add_neighbour(&self, index: u32, address: Ipv4Addr, mac: Mac) -> std::io::Result<()> {
        let mut header = vec![INET, 0, 0, 0];
        header.extend_from_slice(&index.to_ne_bytes());
        header.extend_from_slice(&NEIGHBOUR_PERMANENT.to_ne_bytes());
        header.extend_from_slice(&[0, UNICAST]);
        let mut message = Message::new(NEWNEIGH, CREATE | REPLACE, &header);
        message.attribute(1, &address.octets());
        message.attribute(2, &mac);
        self.request(message)
    }

    fn request(&self, message: Message) -> std::io::Result<()> {
        send(&self.socket, &message.finish(), SendFlags::empty())?;
        let mut answer = [0_u8; 4096];
        let (len, _) = loop {
            match recv(&self.socket, answer.as_mut_slice(), RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        let answer = answer.get(..len).unwrap_or_default();
        let kind = answer.get(4..6).and_then(|b| b.try_into().ok()).map(u16::from_ne_bytes);
        let code = answer.get(16..20).and_then(|b| b.try_into().ok()).map(i32::from_ne_bytes);
        match (kind, code) {
            (Some(ERROR), Some(0)) => Ok(()),
            (Some(ERROR), Some(code)) => Err(std::io::Error::from_raw_os_error(-code)),
            _ => Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "an answer that is no acknowledgement")),
        }
    }
}

fn link_header(index: u32, flags: u32) -> Vec<u8> {
    let mut header = vec![0, 0, 0, 0];
    header.extend_from_slice(&index.to_ne_bytes());
    header.extend_from_slice(&flags.to_ne_bytes());
    header.extend_from_slice(&flags.to_ne_bytes());
    header
}

fn route_header(prefix_len: u8, scope: u8, flags: u32) -> Vec<u8> {
    let mut header = vec![INET, prefix_len, 0, 0, TABLE_MAIN, PROTOCOL_STATIC, scope, UNICAST];
    header.extend_from_slice(&flags.to_ne_bytes());
    header
}

/// A request in the making: header, family header, attributes, everything padded to four bytes.
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u16, flags: u16, family_header: &[u8]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | REQUEST_ACK).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(family_header);
        Self { bytes }
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nested(kind, |message| message.bytes.extend_from_slice(value));
    }

    fn text(&mut self, kind: u16, value: &str) {
        self.nested(kind, |message| {
            message.bytes.extend_from_slice(value.as_bytes());
            message.bytes.push(0);
        });
    }

    fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        fill(self);
        let len = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX).to_ne_bytes();
        if let Some(place) = self.bytes.get_mut(start..start + 2) {
            place.copy_from_slice(&len);
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX).to_ne_bytes();
        if let Some(place) = self.bytes.get_mut(..4) {
            place.copy_from_slice(&len);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_and_padded() {
        let mut message = Message::new(NEWLINK, 0, &[7; 4]);
        message.nested(18, |info| info.text(1, "veth"));
        let bytes = message.finish();
        assert_eq!(bytes.len(), 16 + 4 + 4 + 12);
        assert_eq!(bytes[..4], 36_u32.to_ne_bytes());
        assert_eq!(bytes[20..24], [16, 0, 18, 0]);
        assert_eq!(bytes[24..], [9, 0, 1, 0, b'v', b'e', b't', b'h', 0, 0, 0, 0]);
    }
}
