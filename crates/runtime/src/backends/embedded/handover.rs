//! What a shim is told that no file may hold: the task's spool key and its containers' secrets.
//!
//! The first message on the connection that is the shim's standard input, before any order:
//! ```text
//! one byte, with the mount of the task's storage where one was ready
//! message = "NGHO" length:u32 body                          all numbers little-endian
//! body    = key containers:u32 (variables:u32 (name value)*)*
//! name, value = length:u32 bytes
//! ```
//!
//! Invariant: a shim that was not told everything does nothing: it writes no record, so its task was never started.
//!
//! Invariant: every buffer that holds a secret is overwritten when it is dropped, and never grows, which would leave a copy.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::secret::{SecretText, SpoolKey};
use crate::spec::TaskSpec;

const MAGIC: [u8; 4] = *b"NGHO";
pub(super) const HEADER_BYTES: usize = 8;
const NUMBER_BYTES: usize = 4;
/// More than the kernel takes as the environments of ten programs.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The message for a task; nothing where the specification has no key.
pub(super) fn message(spec: &TaskSpec) -> io::Result<Zeroizing<Vec<u8>>> {
    let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidInput, text.to_owned());
    let key = spec.spool_key.bytes().ok_or_else(|| invalid("the task's spool key was not given"))?;
    let texts = spec.containers.iter().flat_map(|container| &container.secrets);
    let texts: usize = texts.map(|(name, value)| 2 * NUMBER_BYTES + name.len() + value.expose().len()).sum();
    let len = key.len() + NUMBER_BYTES * (1 + spec.containers.len()) + texts;
    let announced = u32::try_from(len).ok().filter(|_| len <= BODY_BYTES_MAX);
    let announced = announced.ok_or_else(|| invalid("the containers' secrets are longer than 64 MiB"))?;
    let mut message = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + len));
    message.extend_from_slice(&MAGIC);
    message.extend_from_slice(&announced.to_le_bytes());
    message.extend_from_slice(key);
    put_number(&mut message, spec.containers.len());
    for container in &spec.containers {
        put_number(&mut message, container.secrets.len());
        for (name, value) in &container.secrets {
            for text in [name.as_str(), value.expose()] {
                put_number(&mut message, text.len());
                message.extend_from_slice(text.as_bytes());
            }
        }
    }
    Ok(message)
}

/// All numbers are less than the message's length, which fits.
fn put_number(message: &mut Vec<u8>, number: usize) {
    message.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

/// Waits for the message; nothing when the engine ended before it had sent all of it.
pub(super) fn receive(socket: &OwnedFd) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut header = [0; HEADER_BYTES];
    if !read_whole(socket, &mut header)? {
        return Ok(None);
    }
    let len = header.strip_prefix(&MAGIC).and_then(|len| len.first_chunk::<NUMBER_BYTES>());
    let len = len.and_then(|len| usize::try_from(u32::from_le_bytes(*len)).ok());
    let len = len.filter(|len| *len <= BODY_BYTES_MAX).ok_or_else(unreadable)?;
    let mut body = Zeroizing::new(vec![0; len]);
    Ok(read_whole(socket, &mut body)?.then_some(body))
}

fn read_whole(socket: &OwnedFd, mut rest: &mut [u8]) -> io::Result<bool> {
    while !rest.is_empty() {
        match rustix::io::read(socket, &mut *rest) {
            Ok(0) | Err(Errno::CONNRESET) => return Ok(false),
            Ok(len) => rest = rest.get_mut(len..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(true)
}

/// Puts what the message's body says into the specification that was read from the intent.
pub(super) fn tell(spec: &mut TaskSpec, body: &[u8]) -> io::Result<()> {
    let mut body = Body(body);
    let (key, rest) = body.0.split_first_chunk().ok_or_else(unreadable)?;
    spec.spool_key = SpoolKey::copy(key);
    body.0 = rest;
    if body.number()? != spec.containers.len() {
        return Err(unreadable());
    }
    for container in &mut spec.containers {
        let variables = body.number()?;
        container.secrets = (0..variables).map(|_| body.variable()).collect::<io::Result<_>>()?;
    }
    if body.0.is_empty() { Ok(()) } else { Err(unreadable()) }
}

fn unreadable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the engine's first message is not of this version")
}

/// What is left to read.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn number(&mut self) -> io::Result<usize> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(unreadable)?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*number)).map_err(|_| unreadable())
    }

    fn text(&mut self) -> io::Result<String> {
        let len = self.number()?;
        let (text, rest) = self.0.split_at_checked(len).ok_or_else(unreadable)?;
        self.0 = rest;
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| unreadable())
    }

    fn variable(&mut self) -> io::Result<(String, SecretText)> {
        Ok((self.text()?, self.text()?.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::spec::{ContainerSpec, SPEC_FORMAT, TaskId, TaskNetwork};

    fn spec(secrets: &[&[(&str, &str)]]) -> TaskSpec {
        let container = |secrets: &&[(&str, &str)]| {
            let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into()));
            ContainerSpec { secrets: secrets.collect(), ..ContainerSpec::new("main", vec!["/layer".into()], vec![]) }
        };
        TaskSpec {
            format: SPEC_FORMAT,
            task_id: TaskId::parse(&"a".repeat(32)).unwrap(),
            network: TaskNetwork {
                vpc_id: "vpc-1".to_owned(),
                vpc_cidr: "10.0.0.0/16".parse().unwrap(),
                eni_id: "eni-1".to_owned(),
                private_ip: "10.0.1.7".parse().unwrap(),
                subnet_cidr: "10.0.1.0/24".parse().unwrap(),
                mac: "02:00:0a:00:01:07".to_owned(),
                hostname: "ip-10-0-1-7".to_owned(),
            },
            cpu_units: 256,
            memory_mib: 512,
            ephemeral_gib: 20,
            containers: secrets.iter().map(container).collect(),
            spool_key: SpoolKey::new([7; 32]),
            labels: vec![],
        }
    }

    /// As the shim has it: without what no file may hold.
    fn read_back(spec: &TaskSpec) -> TaskSpec {
        serde_json::from_str(&serde_json::to_string(spec).unwrap()).unwrap()
    }

    /// What a shim makes of a message of which the engine sent so much.
    fn received(message: &[u8]) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let (mut engine, shim) = UnixStream::pair().unwrap();
        engine.write_all(message).unwrap();
        drop(engine);
        receive(&shim.into())
    }

    #[test]
    fn the_shim_knows_what_the_engine_knew() {
        for secrets in [&[][..], &[&[][..]], &[&[("A", ""), ("B", "ü\n\0")][..], &[], &[("A", "other")]]] {
            let sent = spec(secrets);
            let body = received(&message(&sent).unwrap()).unwrap().unwrap();
            let mut told = read_back(&sent);
            assert_ne!(told, sent);
            tell(&mut told, &body).unwrap();
            assert_eq!(told, sent);
        }
    }

    #[test]
    fn an_engine_that_ends_before_it_has_said_everything_said_nothing() {
        let message = message(&spec(&[&[("A", "secret")]])).unwrap();
        for len in 0..message.len() {
            assert_eq!(received(&message[..len]).unwrap(), None, "{len} bytes");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert!(received(b"{\"order\":\"hello\"}\n").is_err());
        let sent = spec(&[&[("A", "secret")]]);
        let message = message(&sent).unwrap();
        let body = &message[HEADER_BYTES..];
        for len in 0..body.len() {
            assert!(tell(&mut read_back(&sent), &body[..len]).is_err(), "{len} bytes");
        }
        assert!(tell(&mut read_back(&sent), &[body, b"x"].concat()).is_err());
        assert!(tell(&mut spec(&[]), body).is_err());
        assert!(super::message(&read_back(&sent)).is_err());
    }
}
