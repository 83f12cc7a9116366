//! One-message-at-a-time sockets between a shim and its children.
//!
//! Invariant: a message is one packet of at most [`PACKET_BYTES_MAX`]; a descriptor rides on a packet of one byte.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest message.
pub(super) const PACKET_BYTES_MAX: usize = 64 * 1024;

/// A connected pair.
pub(super) fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Sends a message.
pub(super) fn send_json(socket: &OwnedFd, message: &impl Serialize) -> std::io::Result<()> {
    let text = serde_json::to_vec(message)?;
    send(socket, &text, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What came in without waiting.
#[derive(Debug)]
pub(super) enum Received<T> {
    /// A message.
    Message(T),
    /// Nothing for now.
    Nothing,
    /// The other side closed.
    Closed,
}

/// Takes a message without waiting.
pub(super) fn receive_json<T: DeserializeOwned>(socket: &OwnedFd) -> std::io::Result<Received<T>> {
    let mut buffer = vec![0_u8; PACKET_BYTES_MAX];
    let mut received = recv(socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT);
    if let Err(Errno::CONNRESET) = received {
        // Said once, of a child that ended without taking the descriptor, and before what it sent.
        received = recv(socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT);
    }
    match received {
        Ok((0, _)) | Err(Errno::CONNRESET) => Ok(Received::Closed),
        Ok((len, _)) => Ok(Received::Message(serde_json::from_slice(buffer.get(..len).unwrap_or_default())?)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Received::Nothing),
        Err(e) => Err(e.into()),
    }
}

/// Sends a descriptor.
pub(super) fn send_fd(socket: &OwnedFd, fd: &OwnedFd) -> std::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [fd.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(socket, &[IoSlice::new(b"g")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Says that no descriptor comes.
pub(super) fn send_no_fd(socket: &OwnedFd) -> std::io::Result<()> {
    send(socket, b"n", SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for a descriptor.
pub(super) fn receive_fd(socket: &OwnedFd) -> std::io::Result<OwnedFd> {
    let closed = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "closed before the network was there");
    receive_fd_or_none(socket)?.ok_or_else(closed)
}

/// Waits for a word without a descriptor; false where the other side has closed.
pub(super) fn receive_word(socket: &OwnedFd) -> std::io::Result<bool> {
    let mut byte = [0_u8; 1];
    loop {
        match recv(socket, byte.as_mut_slice(), RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
            Ok((len, _)) => return Ok(len > 0),
        }
    }
}

/// Waits for a descriptor, or for word that none comes.
pub(super) fn receive_fd_or_none(socket: &OwnedFd) -> std::io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0_u8; 1];
    loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
            Ok(_) => break,
        }
    }
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut fds) = message
            && let Some(fd) = fds.next()
        {
            return Ok(Some(fd));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_an_end_is_received_though_the_descriptor_was_not_taken() {
        let (shim, child) = pair().unwrap();
        send_fd(&shim, &shim.try_clone().unwrap()).unwrap();
        send_json(&child, &"why").unwrap();
        drop(child);
        assert!(matches!(receive_json::<String>(&shim), Ok(Received::Message(why)) if why == "why"));
        assert!(matches!(receive_json::<String>(&shim), Ok(Received::Closed)));
    }
}
