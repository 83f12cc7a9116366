//! The HTTP edge: bytes in, bytes out.

mod causes;
mod control;
mod credentials;
mod edge;
mod events;
mod fixtures;
mod server;

pub(crate) use control::stop_all_tasks;
pub(crate) use edge::Edge;
pub(crate) use server::{Server, listen};
