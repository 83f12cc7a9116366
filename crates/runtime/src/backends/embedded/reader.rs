//! The two threads that look after all tasks: one reads, one sees to ends.
//!
//! Invariant: the reader never waits for a shim; what takes time at a task's end is done by the other thread.
//!
//! Invariant: both threads are there before the backend is, so the end of a task is always told.

use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use super::Shared;
use super::adoption::{ShimStanding, shim_standing};
use super::link::TaskLink;
use crate::backend::RuntimeError;
use crate::event::GoneReason;
use crate::spec::TaskId;

const EVENTS_MAX: usize = 64;
const WAKE_TOKEN: u64 = 0;
/// From the end of a shim's connection to the end of its lock.
const SHIM_END_TIMEOUT: Duration = Duration::from_secs(2);

/// What the reader is woken for.
pub(super) enum Wake {
    /// Output of a container up to an offset is kept elsewhere.
    Released(TaskId, String, u64),
    /// A task has something to hand on.
    HandOn(Arc<TaskLink>),
    Stop,
}

/// What there is to do at a task's end.
pub(super) enum Ending {
    /// The connection has ended.
    Closed(Arc<TaskLink>),
    /// Everything that a lost task left has been told but its end.
    Told(TaskId, String),
    Stop,
}

/// The threads.
pub(super) struct Threads {
    reader: JoinHandle<()>,
    ender: JoinHandle<()>,
}

/// Starts the threads.
pub(super) fn start(shared: &Arc<Shared>, endings: Receiver<Ending>) -> Result<Threads, RuntimeError> {
    epoll::add(&shared.epoll, &shared.wake, EventData::new_u64(WAKE_TOKEN), EventFlags::IN)
        .map_err(|e| RuntimeError::io("epoll", e))?;
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        thread.map_err(|e| RuntimeError::io(format!("starting the thread `{name}`"), e))
    };
    let own = Arc::clone(shared);
    let reader = spawn("runtime-reader", Box::new(move || read_until_stopped(&own)))?;
    let own = Arc::clone(shared);
    let ender = spawn("runtime-end", Box::new(move || see_to_ends(&own, &endings))).inspect_err(|_| stop(shared))?;
    Ok(Threads { reader, ender })
}

/// Asks the threads to end.
pub(super) fn stop(shared: &Shared) {
    shared.wake(Wake::Stop);
    shared.end(Ending::Stop);
}

impl Threads {
    /// Waits for the threads to end, unless one of them is the caller.
    pub(super) fn join(self) {
        let own = std::thread::current().id();
        for thread in [self.reader, self.ender] {
            if thread.thread().id() != own {
                let _ = thread.join();
            }
        }
    }
}

impl Shared {
    /// Wakes the reader. Never waits, so that it may be called from the thread that the reader hands to.
    pub(super) fn wake(&self, wake: Wake) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(wake);
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Hands an end to the thread that sees to it.
    pub(super) fn end(&self, ending: Ending) {
        // Without a receiver the backend is being dropped.
        let _ = sender(self).send(ending);
    }
}

fn sender(shared: &Shared) -> Sender<Ending> {
    shared.endings.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn read_until_stopped(shared: &Shared) {
    let mut events = Vec::with_capacity(EVENTS_MAX);
    loop {
        events.clear();
        match epoll::wait(&shared.epoll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        for event in &events {
            let token = event.data.u64();
            if token == WAKE_TOKEN {
                if !take_wakes(shared) {
                    return shared.watched().clear();
                }
                continue;
            }
            let Some(link) = shared.watched().get(&token).cloned() else { continue };
            if !link.receive(shared) {
                shared.watched().remove(&token);
                let _ = epoll::delete(&shared.epoll, link.socket.as_fd());
                shared.end(Ending::Closed(link));
            }
        }
    }
}

/// Does what the reader was woken for; answers whether it goes on.
fn take_wakes(shared: &Shared) -> bool {
    let _ = rustix::io::read(&shared.wake, &mut [0_u8; 8]);
    let woken = std::mem::take(&mut *shared.woken.lock().unwrap_or_else(PoisonError::into_inner));
    for wake in woken {
        match wake {
            Wake::Stop => return false,
            Wake::HandOn(link) => link.hand_on(shared, &mut link.reading()),
            Wake::Released(task, name, offset) => {
                // A task that is gone has given everything back.
                let link = shared.tasks().get(&task).cloned();
                if let Some(link) = link {
                    link.released(shared, &name, offset);
                }
            }
        }
    }
    true
}

fn see_to_ends(shared: &Shared, endings: &Receiver<Ending>) {
    while let Ok(ending) = endings.recv() {
        match ending {
            Ending::Stop => return,
            Ending::Closed(link) => match why(&link) {
                // Another engine has taken it over: there is nothing to say.
                None => {}
                Some(GoneReason::Removed) => {
                    // Its descriptors are closed before anybody hears that the task is gone.
                    let task = link.task_id.clone();
                    drop(link);
                    shared.forget(&task, GoneReason::Removed);
                }
                Some(GoneReason::Lost(reason)) => {
                    link.queue_remains(reason);
                    shared.wake(Wake::HandOn(link));
                }
            },
            Ending::Told(task, reason) => {
                super::sweep::remove_task(&shared.layout, &task);
                shared.forget(&task, GoneReason::Lost(reason));
            }
        }
    }
}

/// Why a connection has ended: the shim is gone, in good order or not, or another engine has taken it over.
fn why(link: &TaskLink) -> Option<GoneReason> {
    let deadline = Instant::now() + SHIM_END_TIMEOUT;
    while shim_standing(&link.paths) == ShimStanding::Alive {
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let child = link.shim.lock().unwrap_or_else(PoisonError::into_inner).take();
    let code = child.and_then(|mut child| child.wait().ok()).and_then(|status| status.code());
    if link.reading().removed {
        return Some(GoneReason::Removed);
    }
    let note = std::fs::read_to_string(link.paths.run.join("failure")).unwrap_or_default();
    let text = match (note.is_empty(), code) {
        (false, _) => format!("the task's shim failed: {note}"),
        (true, Some(code)) => format!("the task's shim ended with code {code}"),
        (true, None) => "the task's shim was killed".to_owned(),
    };
    Some(GoneReason::Lost(text))
}
