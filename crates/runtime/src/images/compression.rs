//! What a stream is compressed with, told by its first bytes, and its plain content.
//!
//! Media types are not believed: tools disagree on them, the bytes do not lie.
//!
//! Invariant: a decoder's memory is bounded, whatever window a stream asks for; how much plain content comes out is for the caller to bound.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const BUFFER_BYTES: usize = 1 << 16;
const ZSTD_MAGIC: u32 = 0xFD2F_B528;
/// How far back a zstd stream may refer. Level 19 of `zstd` takes 8 MiB, the best that image builders offer 32 MiB.
const ZSTD_WINDOW_BYTES_MAX: u64 = 64 << 20;
const ZSTD_SKIPPABLE: u32 = 0x184D_2A50;

/// The plain content of a gzip, zstd or uncompressed stream.
pub(crate) fn plain<'a>(mut reader: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::new();
    reader.by_ref().take(6).read_to_end(&mut head)?;
    let start = head.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let compression = match head.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        _ if start == ZSTD_MAGIC || start & !0xf == ZSTD_SKIPPABLE => Compression::Zstd,
        [b'B', b'Z', b'h', ..] => return Err(unsupported("bzip2")),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => return Err(unsupported("xz")),
        _ => Compression::None,
    };
    let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(head).chain(reader));
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(whole)),
        Compression::Zstd => {
            let mut frame = FrameDecoder::new();
            frame.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
            Box::new(ZstdDecoder { source: whole, frame, in_frame: false })
        }
        Compression::None => Box::new(whole),
    })
}

enum Compression {
    None,
    Gzip,
    Zstd,
}

fn unsupported(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{name} compression is not supported, only gzip and zstd are"))
}

/// All frames of a zstd stream one after another, skippable ones left out.
struct ZstdDecoder<R> {
    source: R,
    frame: FrameDecoder,
    in_frame: bool,
}

impl<R: Read> ZstdDecoder<R> {
    /// Starts the next frame; answers whether there is one.
    fn next_frame(&mut self) -> io::Result<bool> {
        let mut magic = Vec::new();
        match self.source.by_ref().take(4).read_to_end(&mut magic)? {
            0 => return Ok(false),
            4 => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        let number = magic.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if number & !0xf == ZSTD_SKIPPABLE {
            let mut length = [0_u8; 4];
            self.source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
            return if skipped == length { Ok(true) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        self.frame.init(Cursor::new(magic).chain(&mut self.source)).map_err(|error| match error {
            FrameDecoderError::WindowSizeTooBig { .. } => io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "zstd compression that refers further back than {} MiB is not supported, compress at a lower level",
                    ZSTD_WINDOW_BYTES_MAX >> 20
                ),
            ),
            other => io::Error::other(other),
        })?;
        self.in_frame = true;
        Ok(true)
    }
}

impl<R: Read> Read for ZstdDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.in_frame {
                while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                    self.frame
                        .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                        .map_err(io::Error::other)?;
                }
                let count = self.frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                self.in_frame = false;
            } else if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}
