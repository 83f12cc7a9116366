//! Calls that only read, answered from a copy of the published tables instead of on the writer's thread.
//!
//! The operation is the same one, with the same validation and authorisation; only where the rows lie differs. What it must not do
//! here it cannot do unnoticed: a table that is not published, a write, an effect, a notice or a failure of the server's own gives
//! no answer, and the call goes to the writer like any other.
//!
//! - Invariant: an answer from here is one that the core would have given at the state that the copy shows.
//! - Invariant: the copy is left as it was found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use neargate_base::Timestamp;

use crate::context::Ground;
use crate::vault::Absent;
use crate::{Cx, JournalError, Registry, Reply, Request, Rng, Segments, Store, Vault};

/// The services, to read with.
#[derive(Clone, Debug)]
pub struct Reads {
    registry: Arc<Registry>,
}

impl Reads {
    /// Reading with these services.
    pub(crate) fn new(registry: &Arc<Registry>) -> Self {
        Self { registry: Arc::clone(registry) }
    }

    /// Whether an operation may be answered here.
    pub fn has(&self, service: &str, operation: &str) -> bool {
        self.registry.operation(service, operation).is_ok_and(|entry| entry.reads)
    }

    /// The answer to a call; `None` where only the core can give it. `store` is a copy as [`Store::published`] makes it.
    pub fn answer(&self, store: &mut Store, process: Timestamp, request: &Request) -> Option<Reply> {
        if !self.has(&request.service, &request.operation) {
            return None;
        }
        store.has_missed();
        let now = store.clock().at(process);
        let (mut rng, mut sequence) = (Rng::seeded(0), 0);
        let mut vault = Vault::new(Box::new(Absent), Box::new(Absent));
        let ground = Ground {
            registry: &self.registry,
            store,
            segments: &mut NoSegments,
            rng: &mut rng,
            vault: &mut vault,
            sequence: &mut sequence,
        };
        let (scope, principal) = (request.scope.clone(), request.principal.clone());
        let mut cx = Cx::new(ground, scope, principal, now, request.request_id.clone());
        cx.client.clone_from(&request.client);
        let input = request.input.clone();
        let reply = catch_unwind(AssertUnwindSafe(|| {
            self.registry.invoke(&mut cx, &request.service, &request.operation, input)
        }));
        let is_read = cx.is_untouched();
        let Cx { store, transaction, .. } = cx;
        transaction.roll_back(store);
        let has_missed = store.has_missed();
        let reply = reply.ok().filter(|_| is_read && !has_missed)?;
        reply.as_ref().err().is_none_or(|fault| fault.status < 500).then_some(reply)
    }
}

/// Segments are the core's alone.
#[derive(Debug)]
struct NoSegments;

fn refused() -> JournalError {
    JournalError { doing: "read".to_owned(), cause: "segments are the writer's".to_owned(), is_undone: true }
}

impl Segments for NoSegments {
    fn write(&mut self, _: &str, _: u64, _: &[u8]) -> Result<(), JournalError> {
        Err(refused())
    }

    fn read(&self, _: &str, _: u64, _: usize) -> Result<Vec<u8>, JournalError> {
        Err(refused())
    }

    fn remove(&mut self, _: &str) -> Result<(), JournalError> {
        Err(refused())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        Err(refused())
    }
}
