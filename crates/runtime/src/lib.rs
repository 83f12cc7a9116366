//! The task runtime: containers, images and networks behind one [`Backend`] trait.
//!
//! The engine resolves a task to a [`TaskSpec`] and gives it to a backend; what happens is reported as
//! [`RuntimeEvent`]s to a sink given when the backend is opened. Two backends: [`backends::embedded`] runs real
//! containers without a daemon, each task under a shim process that outlives the engine; [`backends::fake`] pretends,
//! for tests and simulation, under a clock that its caller turns.
//!
//! ```text
//! EmbeddedBackend::open(config, sink)          FakeBackend::new(now, sink)
//!   .probe()  .start(&spec)  .start_container(task, name)  .stop_container(task, name, timeout_s)  .kill(task, name)
//!   .exec(task, name, &exec)  .adopt(&spec, &resume)  .release_output(task, name, offset)  .remove(task)  .sweep(&known)
//!   .keep_network(vpc, cidr)  .remove_network(vpc)  .connect_tcp(vpc, to, timeout)  .listen_tcp(vpc, at)  .bind_udp(vpc, at)
//! ```
//!
//! After a restart the engine opens the backend, adopts the tasks of its journal (or starts those that never were),
//! sweeps with what it then knows, and asks again for the networks it keeps.
//!
//! A program that opens the embedded backend must call [`shim_entry`] first thing in `main`, before any thread: the
//! backend runs the same program again as the shim.
//!
//! Invariant: what a container prints and the secrets it is given are in no file in the clear.
//!
//! Invariant: knows no AWS service and no wire format; depends on no async runtime.
//!
//! Invariant: `unsafe` is in the module `sys` alone.

mod backend;
pub mod backends;
pub mod crash;
mod event;
pub mod images;
mod probe;
mod secret;
mod spec;
#[cfg(target_os = "linux")]
mod sys;

pub use backend::{Adopted, Backend, BackendKind, ContainerState, ExecSpec, ResumePoints, RuntimeError, Swept};
#[cfg(target_os = "linux")]
pub use backends::embedded::{shim_entry, shim_main};
pub use event::{
    EventKind, EventSink, GoneReason, OutputLine, OutputLines, RuntimeEvent, StartFailure, StartFailureKind, Stream,
};
pub use probe::Capability;
pub use secret::{SecretText, SpoolKey};
pub use spec::{BindMount, ContainerSpec, Ipv4Cidr, SPEC_FORMAT, TaskId, TaskNetwork, TaskSpec, Tmpfs, Ulimit};
