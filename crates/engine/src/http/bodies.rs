//! Request bodies: how much of them is in memory at once, and how long they may take.
//!
//! | | bytes each | together |
//! |---|---|---|
//! | small | up to 1 MiB, which is more than most operations take | 16 MiB |
//! | large | up to 8 MiB, of the rest protocols 16 MiB | one at a time |
//!
//! Invariant: a body's bytes are paid for before they are read, and until its request is answered; small ones never wait for
//! large ones.
//!
//! Invariant: a body that does not come, or comes by drops, is given up: who sends it holds memory for a bounded time.

use std::fmt;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use neargate_shape::Protocol;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// The largest body, which rest protocols take: twice a function's payload.
const REST_BYTES_MAX: usize = 16 << 20;
/// As much of a body that nobody wants is read over.
const READ_OVER_BYTES_MAX: usize = 64 << 20;
/// The largest body of the others: a full batch of log events, each of its bytes escaped.
const BODY_BYTES_MAX: usize = 8 << 20;
/// The largest body for the control endpoint.
pub(super) const CONTROL_BYTES_MAX: usize = 1 << 20;
/// The largest small body.
const SMALL_BYTES_MAX: usize = 1 << 20;
/// All small bodies together.
const SMALL_BYTES_TOTAL_MAX: usize = 16 << 20;
/// The longest pause within a body.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A body has this long, and a second more for each MiB.
const DURATION_MIN: Duration = Duration::from_secs(5);
/// The longest wait for room.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The room there is for bodies.
#[derive(Debug)]
pub(super) struct Bodies {
    small: Semaphore,
    large: Semaphore,
}

/// A body, and the room that it takes until this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    /// The bytes, which may go earlier than the room: what is made of them is about as large.
    pub(super) bytes: Vec<u8>,
    pub(super) room: Room<'a>,
}

/// What a body has taken of the room there is.
#[derive(Debug)]
pub(super) struct Room<'a> {
    _small: Option<SemaphorePermit<'a>>,
    _large: Option<SemaphorePermit<'a>>,
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than what is taken.
    TooLarge(usize),
    /// It took too long.
    TooSlow,
    /// The client went away, or sent what is no body.
    CutOff,
    /// Too many others are being read.
    NoRoom,
}

/// The largest body in a protocol.
pub(super) fn bytes_max(protocol: Option<Protocol>) -> usize {
    match protocol {
        Some(Protocol::RestJson | Protocol::RestXml | Protocol::S3) => REST_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    }
}

impl BodyError {
    /// The answer's status, and AWS's code where it has one.
    pub(super) fn status(self) -> (u16, &'static str) {
        match self {
            Self::TooLarge(_) => (413, "RequestEntityTooLarge"),
            Self::TooSlow => (408, "RequestTimeout"),
            Self::CutOff => (400, "IncompleteBody"),
            Self::NoRoom => (503, "ServiceUnavailable"),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(bytes) => write!(f, "the request's body is larger than {bytes} bytes"),
            Self::TooSlow => f.write_str("the request's body did not come in time"),
            Self::CutOff => f.write_str("the request's body was cut off"),
            Self::NoRoom => f.write_str("too many request bodies are being read: try again"),
        }
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self { small: Semaphore::new(SMALL_BYTES_TOTAL_MAX), large: Semaphore::new(1) }
    }
}

impl Bodies {
    /// Reads a whole body of at most `bytes_max`.
    pub(super) async fn read<B>(&self, mut body: B, bytes_max: usize) -> Result<Held<'_>, BodyError>
    where
        B: Body<Data = hyper::body::Bytes> + Unpin,
    {
        let size = body.size_hint();
        let announced = size.exact().map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        if usize::try_from(size.lower()).unwrap_or(usize::MAX) > bytes_max {
            return Err(BodyError::TooLarge(bytes_max));
        }
        let mut large = None;
        let small = match announced {
            Some(bytes) if bytes > SMALL_BYTES_MAX => {
                large = Some(take(&self.large, 1).await?);
                None
            }
            announced => Some(take(&self.small, announced.unwrap_or(SMALL_BYTES_MAX)).await?),
        };
        let mut bytes = Vec::with_capacity(announced.unwrap_or(0));
        let mut started = Instant::now();
        loop {
            let mebibytes = u32::try_from(bytes.len() >> 20).unwrap_or(u32::MAX);
            let deadline =
                (Instant::now() + PAUSE_MAX).min(started + DURATION_MIN + Duration::from_secs(1) * mebibytes);
            let frame = timeout_at(deadline, body.frame()).await.map_err(|_| BodyError::TooSlow)?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|_| BodyError::CutOff)?.into_data() else { continue };
            let grown = bytes.len() + data.len();
            if grown > bytes_max {
                return Err(BodyError::TooLarge(bytes_max));
            }
            // One that does not announce its length pays for more once it turns out to be large.
            if grown > SMALL_BYTES_MAX && large.is_none() {
                let asked = Instant::now();
                large = Some(take(&self.large, 1).await?);
                // The wait is no fault of the sender's.
                started += asked.elapsed();
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Held { bytes, room: Room { _small: small, _large: large } })
    }
}

async fn take(room: &Semaphore, permits: usize) -> Result<SemaphorePermit<'_>, BodyError> {
    let permits = u32::try_from(permits).map_err(|_| BodyError::NoRoom)?;
    match timeout(WAIT_MAX, room.acquire_many(permits)).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(BodyError::NoRoom),
    }
}

/// Reads over the rest of a body that nobody wants, so that its sender comes to read the answer; not for long.
pub(super) fn read_over(mut body: Incoming) {
    tokio::spawn(async move {
        let deadline = Instant::now() + DURATION_MIN;
        let mut left = READ_OVER_BYTES_MAX;
        while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
            let bytes = frame.data_ref().map_or(0, |data| data.len());
            let Some(rest) = left.checked_sub(bytes) else { return };
            left = rest;
        }
    });
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use http_body_util::Full;
    use hyper::body::{Body, Bytes, Frame};
    use tokio::time::Sleep;

    use super::{Bodies, BodyError, Held, SMALL_BYTES_MAX, SMALL_BYTES_TOTAL_MAX};

    const LARGE: usize = SMALL_BYTES_MAX + 1;

    /// Frames of a length that nobody announced, with a pause before each.
    struct Frames {
        left: usize,
        bytes: usize,
        pause: Duration,
        waits: Pin<Box<Sleep>>,
    }

    fn frames(count: usize, bytes: usize, pause: Duration) -> Frames {
        Frames { left: count, bytes, pause, waits: Box::pin(tokio::time::sleep(pause)) }
    }

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::ready!(self.waits.as_mut().poll(cx));
            if self.left == 0 {
                return Poll::Ready(None);
            }
            self.left -= 1;
            self.waits = Box::pin(tokio::time::sleep(self.pause));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![7; self.bytes])))))
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(work)
    }

    fn bytes(count: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![7; count]))
    }

    #[test]
    fn what_is_announced_too_large_is_not_read() {
        run(async {
            let bodies = Bodies::default();
            assert_eq!(bodies.read(bytes(11), 10).await.unwrap_err(), BodyError::TooLarge(10));
            assert_eq!(bodies.read(bytes(10), 10).await.unwrap().bytes, vec![7; 10]);
        });
    }

    #[test]
    fn large_bodies_go_one_by_one_and_small_ones_pass_them() {
        run(async {
            let bodies = Bodies::default();
            let mut held: Vec<Held<'_>> = vec![bodies.read(bytes(LARGE), 32 << 20).await.unwrap()];
            assert_eq!(bodies.read(bytes(LARGE), 32 << 20).await.unwrap_err(), BodyError::NoRoom);
            for _ in 0..SMALL_BYTES_TOTAL_MAX / SMALL_BYTES_MAX {
                held.push(bodies.read(bytes(SMALL_BYTES_MAX), 32 << 20).await.unwrap());
            }
            assert_eq!(bodies.read(bytes(1), 32 << 20).await.unwrap_err(), BodyError::NoRoom);
            assert!(bodies.read(bytes(0), 32 << 20).await.is_ok());
            drop(held);
            assert!(bodies.read(bytes(LARGE), 32 << 20).await.is_ok());
        });
    }

    #[test]
    fn a_body_that_does_not_come_or_comes_by_drops_is_given_up() {
        run(async {
            let bodies = Bodies::default();
            let never = frames(1, 1, Duration::from_secs(3600));
            assert_eq!(bodies.read(never, 100).await.unwrap_err(), BodyError::TooSlow);
            let dripping = frames(100, 1, Duration::from_secs(1));
            assert_eq!(bodies.read(dripping, 100).await.unwrap_err(), BodyError::TooSlow);
            assert_eq!(bodies.small.available_permits(), SMALL_BYTES_TOTAL_MAX);
            // A large one has longer.
            let steady = frames(12, SMALL_BYTES_MAX, Duration::from_secs(1));
            assert_eq!(bodies.read(steady, 32 << 20).await.unwrap().bytes.len(), 12 * SMALL_BYTES_MAX);
        });
    }

    #[test]
    fn a_body_of_unknown_length_is_counted_as_it_comes() {
        run(async {
            let bodies = Bodies::default();
            let two = || frames(2, SMALL_BYTES_MAX, Duration::ZERO);
            let held = bodies.read(two(), 32 << 20).await.unwrap();
            assert_eq!((held.bytes.len(), bodies.large.available_permits()), (2 * SMALL_BYTES_MAX, 0));
            assert_eq!(bodies.read(two(), 32 << 20).await.unwrap_err(), BodyError::NoRoom);
            drop(held);
            assert_eq!(bodies.read(two(), SMALL_BYTES_MAX).await.unwrap_err(), BodyError::TooLarge(SMALL_BYTES_MAX));
        });
    }
}
