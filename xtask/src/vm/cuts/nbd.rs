//! The disk as the emulator sees it: a server of the network block device protocol on a socket of the file system.
//!
//! One client, one export, fixed newstyle negotiation, simple replies: read, write, flush, trim, each with forced unit access
//! where it is asked for (<https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md>).
//!
//! Invariant: requests are carried out one after the other; a flush covers every write that was answered before it.
//!
//! Invariant: what a client sends is bounded before it is held.

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};

use super::disk::{Disk, SECTOR};

const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
const REQUEST_MAGIC: u32 = 0x2560_9513;
const REPLY_MAGIC: u32 = 0x6744_6698;

/// Fixed newstyle, no zeroes after the export.
const HANDSHAKE_FLAGS: u16 = 0b11;
/// Has flags, knows flush, forced unit access and trim.
const EXPORT_FLAGS: u16 = 1 | 1 << 2 | 1 << 3 | 1 << 5;
const REQUEST_BYTES_MAX: u32 = 32 << 20;
const OPTION_BYTES_MAX: u32 = 4096;

const OPTION_EXPORT_NAME: u32 = 1;
const OPTION_ABORT: u32 = 2;
const OPTION_INFO: u32 = 6;
const OPTION_GO: u32 = 7;
const REPLY_ACK: u32 = 1;
const REPLY_INFO: u32 = 3;
const REPLY_UNSUPPORTED: u32 = 1 << 31 | 1;

const READ: u16 = 0;
const WRITE: u16 = 1;
const DISCONNECT: u16 = 2;
const FLUSH: u16 = 3;
const TRIM: u16 = 4;
const FORCED: u16 = 1;
const INVALID: u32 = 22;
const IO_ERROR: u32 = 5;

/// Serves the disk to the next client until it goes. Whether it had said goodbye does not matter: a cut says nothing.
pub(super) fn serve(listener: &UnixListener, disk: &Arc<Mutex<Disk>>) -> io::Result<()> {
    let (stream, _) = listener.accept()?;
    let mut client = Client { input: BufReader::with_capacity(1 << 16, stream.try_clone()?), output: stream };
    if client.negotiate(disk.lock().unwrap_or_else(PoisonError::into_inner).bytes())? {
        while client.request(disk)? {}
    }
    Ok(())
}

struct Client {
    input: BufReader<UnixStream>,
    output: UnixStream,
}

impl Client {
    /// Answers whether the client wants the disk.
    fn negotiate(&mut self, bytes: u64) -> io::Result<bool> {
        self.output.write_all(b"NBDMAGICIHAVEOPT")?;
        self.output.write_all(&HANDSHAKE_FLAGS.to_be_bytes())?;
        let client_flags = self.u32()?;
        loop {
            if self.u64()? != OPTION_MAGIC {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let (option, length) = (self.u32()?, self.u32()?);
            if length > OPTION_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.bytes(length)?;
            match option {
                OPTION_EXPORT_NAME => {
                    self.output.write_all(&bytes.to_be_bytes())?;
                    self.output.write_all(&EXPORT_FLAGS.to_be_bytes())?;
                    if client_flags & 2 == 0 {
                        self.output.write_all(&[0; 124])?;
                    }
                    return Ok(true);
                }
                OPTION_ABORT => {
                    self.answer(option, REPLY_ACK, &[])?;
                    return Ok(false);
                }
                OPTION_INFO | OPTION_GO => {
                    let export = [&0_u16.to_be_bytes()[..], &bytes.to_be_bytes(), &EXPORT_FLAGS.to_be_bytes()].concat();
                    self.answer(option, REPLY_INFO, &export)?;
                    let sizes = [SECTOR as u32, 4096, REQUEST_BYTES_MAX].map(u32::to_be_bytes).concat();
                    self.answer(option, REPLY_INFO, &[&3_u16.to_be_bytes()[..], &sizes].concat())?;
                    self.answer(option, REPLY_ACK, &[])?;
                    if option == OPTION_GO {
                        return Ok(true);
                    }
                }
                _ => self.answer(option, REPLY_UNSUPPORTED, &[])?,
            }
        }
    }

    fn answer(&mut self, option: u32, kind: u32, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let head = [&OPTION_REPLY_MAGIC.to_be_bytes()[..], &[option, kind, length].map(u32::to_be_bytes).concat()];
        self.output.write_all(&[&head.concat(), data].concat())
    }

    /// Answers whether another one may come.
    fn request(&mut self, disk: &Mutex<Disk>) -> io::Result<bool> {
        let mut magic = [0; 4];
        match self.input.read_exact(&mut magic) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        let (flags, kind) = (self.u16()?, self.u16()?);
        let (cookie, offset, length) = (self.u64()?, self.u64()?, self.u32()?);
        if u32::from_be_bytes(magic) != REQUEST_MAGIC || (kind <= WRITE && length > REQUEST_BYTES_MAX) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let data = if kind == WRITE { self.bytes(length)? } else { vec![] };
        let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match kind {
            _ if disk.is_dead() => {
                drop(disk);
                return self.ignore();
            }
            READ => disk.read(offset, length as usize),
            WRITE => disk.write(offset, data).map(|()| vec![]),
            FLUSH => disk.flush().map(|()| vec![]),
            // What was there may be there still.
            TRIM => Ok(vec![]),
            DISCONNECT => return Ok(false),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        };
        if disk.is_dead() {
            drop(disk);
            return self.ignore();
        }
        let done = match done {
            Ok(data) if kind == WRITE && flags & FORCED != 0 => disk.flush().map(|()| data),
            done => done,
        };
        drop(disk);
        let (error, data) = match done {
            Ok(data) => (0, data),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => (INVALID, vec![]),
            Err(_) => (IO_ERROR, vec![]),
        };
        let head = [&REPLY_MAGIC.to_be_bytes()[..], &error.to_be_bytes(), &cookie.to_be_bytes()].concat();
        self.output.write_all(&[&head[..], &data].concat())?;
        Ok(true)
    }

    /// Without power: nothing is answered until the client goes.
    fn ignore(&mut self) -> io::Result<bool> {
        io::copy(&mut self.input, &mut io::sink())?;
        Ok(false)
    }

    fn bytes(&mut self, length: u32) -> io::Result<Vec<u8>> {
        let mut data = vec![0; length as usize];
        self.input.read_exact(&mut data)?;
        Ok(data)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut data = [0; N];
        self.input.read_exact(&mut data)?;
        Ok(data)
    }

    fn u16(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that says everything there is, once.
    #[test]
    fn a_client_reads_what_it_wrote_and_is_told_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let medium = tempfile::tempfile().unwrap();
        medium.set_len(1 << 20).unwrap();
        let disk = Arc::new(Mutex::new(Disk::new(medium, false).unwrap()));
        std::thread::scope(|scope| {
            let server = scope.spawn(|| serve(&listener, &disk));
            let mut client = UnixStream::connect(folder.path().join("socket")).unwrap();
            let take = |length: usize, client: &mut UnixStream| {
                let mut data = vec![0; length];
                client.read_exact(&mut data).unwrap();
                data
            };
            assert_eq!(take(18, &mut client), b"NBDMAGICIHAVEOPT\0\x03");
            client.write_all(&3_u32.to_be_bytes()).unwrap();
            // Structured replies: not known.
            client.write_all(b"IHAVEOPT\0\0\0\x08\0\0\0\0").unwrap();
            assert_eq!(take(20, &mut client)[12..], [0x80, 0, 0, 1, 0, 0, 0, 0]);
            client.write_all(b"IHAVEOPT\0\0\0\x07\0\0\0\x06\0\0\0\0\0\0").unwrap();
            let export = take(32, &mut client);
            assert_eq!(export[20..], [0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0b10_1101]);
            assert_eq!(take(34, &mut client)[20..26], [0, 3, 0, 0, 2, 0]);
            assert_eq!(take(20, &mut client)[12..16], [0, 0, 0, 1]);

            let mut ask = |flags: u16, kind: u16, offset: u64, length: u32, data: &[u8], answer: usize| {
                let head = [&REQUEST_MAGIC.to_be_bytes()[..], &flags.to_be_bytes(), &kind.to_be_bytes(), b"cookie-1"];
                let place = [&offset.to_be_bytes()[..], &length.to_be_bytes(), data].concat();
                client.write_all(&[head.concat(), place].concat()).unwrap();
                let reply = take(16 + answer, &mut client);
                assert_eq!((&reply[..4], &reply[8..16]), (&REPLY_MAGIC.to_be_bytes()[..], &b"cookie-1"[..]));
                (u32::from_be_bytes(reply[4..8].try_into().unwrap()), reply[16..].to_vec())
            };
            assert_eq!(ask(0, WRITE, 512, 512, &[7; 512], 0), (0, vec![]));
            assert_eq!(ask(0, READ, 0, 1024, &[], 1024), (0, [[0; 512], [7; 512]].concat()));
            assert_eq!(ask(0, FLUSH, 0, 0, &[], 0), (0, vec![]));
            assert_eq!(ask(FORCED, WRITE, 0, 512, &[8; 512], 0), (0, vec![]));
            assert_eq!(ask(0, TRIM, 0, 512, &[], 0), (0, vec![]));
            assert_eq!(ask(0, WRITE, 1 << 20, 512, &[7; 512], 0), (INVALID, vec![]));
            assert_eq!(ask(0, 99, 0, 0, &[], 0), (INVALID, vec![]));
            drop(client);
            server.join().unwrap().unwrap();
        });
        let counts = disk.lock().unwrap().counts;
        assert_eq!((counts.writes, counts.flushes), (2, 2));
    }
}
