//! The synchronous heart: transactional state with a journal, two clocks, jobs, effects, and the seams services meet through.
//!
//! [`Core::apply`] takes one command and answers `(reply, deltas, effects)`; the caller makes the deltas durable before it
//! hands out the reply and the effects. One command is one transaction: it takes place wholly or leaves no trace.
//!
//! Invariant: no threads, no async, no wall clock, no randomness but the seeded [`Rng`] and the [`Entropy`] of the
//! [`Vault`]; the same commands over the same randomness give the same deltas.
//!
//! Invariant: knows no protocol and no container. Files are reached through [`Segments`] and [`Journal`] alone.

mod access;
mod cause;
mod clock;
mod context;
mod core;
mod effect;
mod event;
mod fault;
mod job;
mod journal;
mod lines;
mod memory;
mod network;
mod notice;
mod operation;
mod origin;
mod principal;
mod reads;
mod registry;
mod resource;
mod rng;
mod store;
mod vault;

pub use access::{Access, Accesses, AssumedRole, Authorizer, Decision, PolicyFlaw, ResourcePolicy};
pub use cause::{Cause, CauseId};
pub use clock::{Clock, Now};
pub use context::Cx;
pub use core::{Applied, Command, Core, CoreError, Reply, Request};
pub use effect::{Effect, EffectId, Payload, Report};
pub use event::{Event, EventSink};
pub use fault::Fault;
pub use job::{Due, Job, JobId};
pub use journal::{Delta, Journal, JournalError, Row, Segments};
pub use lines::{Lines, LinesPart};
pub use memory::{MemoryJournal, MemorySegments};
pub use network::{Interface, InterfaceRequest, Networks};
pub use notice::{Notice, NoticeKind};
pub use operation::{Operation, OperationEntry, TakeLines};
pub use principal::{Client, Principal, Session, SessionPolicy};
pub use reads::Reads;
pub use registry::{JobHandler, Ports, Registry, ReportHandler, Service};
pub use resource::{Action, Lack, Progress, ResourceRequest, ResourceState, ResourceType, adapted};
pub use rng::Rng;
pub use store::{Derived, Record, Store, Undo};
pub use vault::{Entropy, RootKeyFile, Sealer, SecretKey, Vault};
