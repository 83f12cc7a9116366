//! What a task's shim says, handed on in its order and by credit.
//!
//! Reports of the shim wait in a queue. Output is handed on a batch at a time: the next one, and whatever came after the output,
//! waits until the batch before it is released. So a task has at most one batch on its way, its spool fills when nobody takes
//! the output, and a full spool makes its containers wait in their next write.
//!
//! Invariant: a container's output is emitted up to where the shim says it ended before its exit is.
//!
//! Invariant: the queue is bounded: output that waits at its end is one entry for each container, and everything else in it can
//! happen to a task a few times only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;

use super::Shared;
use super::link::TaskLink;
use super::protocol::{Report, Standing, take_lines};
use super::reader::Ending;
use super::seal::FrameSeal;
use super::spool::{self, Release, SpoolReader};
use crate::backend::{ContainerState, ResumePoints};
use crate::crash;
use crate::event::{EventKind, OutputLines};

/// Released output whose space is given back to the file system in one go.
const RELEASED_BYTES_MIN: u64 = 1 << 20;
/// How much of a full spool may be released and not given back yet, as a part of the spool's bound.
const RELEASED_PART_MAX: u64 = 8;

/// What is remembered of a task whose shim is listened to.
pub(super) struct Reading {
    incoming: Vec<u8>,
    queue: VecDeque<Waiting>,
    /// The container whose output is on its way, and where that ends.
    handed_out: Option<(String, u64)>,
    spools: BTreeMap<String, SpoolReader>,
    resume: ResumePoints,
    /// Up to where space was given back.
    given_back: BTreeMap<String, u64>,
    /// The file system makes no holes: spools start over, and wait for the last byte to be released.
    no_holes: bool,
    ended: BTreeSet<String>,
    /// Containers whose output could not be read when it was last tried.
    unreadable: BTreeSet<String>,
    pub(super) removed: bool,
}

/// What waits for its turn.
enum Waiting {
    Output {
        name: String,
        end: u64,
    },
    Event(EventKind),
    /// Nothing follows: the task is lost, for this reason.
    Lost(String),
}

impl From<ResumePoints> for Reading {
    fn from(resume: ResumePoints) -> Self {
        Self {
            incoming: Vec::new(),
            queue: VecDeque::new(),
            handed_out: None,
            spools: BTreeMap::new(),
            resume,
            given_back: BTreeMap::new(),
            no_holes: false,
            ended: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            removed: false,
        }
    }
}

impl Reading {
    /// Whether so much of a container's output is released that its space is to be given back.
    fn is_due(&self, name: &str, offset: u64, spool_bytes_max: u64) -> bool {
        let bytes = offset.saturating_sub(self.given_back.get(name).copied().unwrap_or(0));
        let bytes_min = if self.no_holes { 1 } else { RELEASED_BYTES_MIN.min(spool_bytes_max / RELEASED_PART_MAX) };
        bytes >= bytes_min
    }

    fn gave_back(&mut self, name: &str, offset: u64, release: Release) {
        self.given_back.insert(name.to_owned(), offset);
        // All spools of a task are on one file system.
        self.no_holes |= release == Release::Note;
    }

    fn push(&mut self, kind: EventKind) {
        self.queue.push_back(Waiting::Event(kind));
    }

    /// Output up to `end` is there; output that waits already is one entry with it.
    fn push_output(&mut self, name: &str, end: u64) {
        for waiting in self.queue.iter_mut().rev() {
            match waiting {
                Waiting::Output { name: known, end: known_end } if known == name => {
                    *known_end = end.max(*known_end);
                    return;
                }
                Waiting::Output { .. } => {}
                Waiting::Event(_) | Waiting::Lost(_) => break,
            }
        }
        self.queue.push_back(Waiting::Output { name: name.to_owned(), end });
    }

    fn push_end(&mut self, name: &str, state: ContainerState) {
        let kind = match state {
            ContainerState::Failed { failure, at } => EventKind::ContainerFailed { name: name.to_owned(), failure, at },
            ContainerState::Exited { exit_code, oom_killed, at } => {
                EventKind::ContainerExited { name: name.to_owned(), exit_code, oom_killed, at }
            }
            ContainerState::Waiting | ContainerState::Running { .. } | ContainerState::Lost => return,
        };
        self.ended.insert(name.to_owned());
        self.push(kind);
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Standing { network_ready, containers } => {
                if network_ready {
                    self.push(EventKind::NetworkReady);
                }
                for (name, standing) in containers {
                    self.take_standing(&name, standing);
                }
            }
            Report::NetworkReady => self.push(EventKind::NetworkReady),
            Report::Started { name, pid, at } => {
                self.ended.remove(&name);
                self.push(EventKind::ContainerStarted { name, pid, at });
            }
            Report::Output { name, end } => self.push_output(&name, end),
            Report::Failed { name, failure, at } => self.push_end(&name, ContainerState::Failed { failure, at }),
            Report::Exited { name, exit_code, oom_killed, at, end } => {
                self.push_output(&name, end);
                self.push_end(&name, ContainerState::Exited { exit_code, oom_killed, at });
            }
            Report::ExecExited { exec_id, exit_code } => self.push(EventKind::ExecExited { exec_id, exit_code }),
            Report::Remark { text } => self.push(EventKind::Remark { text }),
            Report::Removed => self.removed = true,
        }
    }

    fn take_standing(&mut self, name: &str, standing: Standing) {
        if standing.end > 0 {
            self.push_output(name, standing.end);
        }
        match standing.state {
            ContainerState::Running { pid, started_at } => {
                self.push(EventKind::ContainerStarted { name: name.to_owned(), pid, at: started_at });
            }
            state => self.push_end(name, state),
        }
    }
}

/// What a look into a spool brought.
enum Batch {
    Lines(OutputLines, u64),
    /// Nothing, and nothing more up to where was asked for.
    Nothing,
}

impl TaskLink {
    /// Takes what was read from the connection.
    pub(super) fn take_bytes(&self, shared: &Shared, bytes: &[u8]) {
        let mut reading = self.reading();
        reading.incoming.extend_from_slice(bytes);
        for line in take_lines(&mut reading.incoming) {
            if let Ok(report) = serde_json::from_slice(&line) {
                crash::point();
                reading.take(report);
                self.hand_on(shared, &mut reading);
            }
        }
    }

    /// Output of a container up to the offset is kept elsewhere: its space is given back, and what waits for it goes on.
    pub(super) fn released(&self, shared: &Shared, name: &str, offset: u64) {
        let mut reading = self.reading();
        if reading.handed_out.as_ref().is_some_and(|(on_its_way, end)| on_its_way == name && offset >= *end) {
            reading.handed_out = None;
        }
        self.give_back(shared, &mut reading, name, offset);
        self.hand_on(shared, &mut reading);
    }

    fn give_back(&self, shared: &Shared, reading: &mut Reading, name: &str, offset: u64) {
        let Some(index) = self.container_index(name) else { return };
        if !reading.is_due(name, offset, shared.spool_bytes_max) {
            return;
        }
        // A spool that is gone has given everything back.
        if let Ok(release) = spool::release(&self.paths.container(index).spool(), offset) {
            reading.gave_back(name, offset, release);
        }
    }

    /// Hands on what waits, up to the first batch of output.
    pub(super) fn hand_on(&self, shared: &Shared, reading: &mut Reading) {
        while reading.handed_out.is_none() {
            match reading.queue.pop_front() {
                None => return,
                Some(Waiting::Event(kind)) => shared.emit(&self.task_id, kind),
                Some(Waiting::Lost(reason)) => shared.end(Ending::Told(self.task_id.clone(), reason)),
                Some(Waiting::Output { name, end }) => {
                    let Batch::Lines(lines, next_offset) = self.next_batch(shared, reading, &name, end) else {
                        continue;
                    };
                    if next_offset < end {
                        reading.queue.push_front(Waiting::Output { name: name.clone(), end });
                    }
                    reading.handed_out = Some((name.clone(), next_offset));
                    shared.emit(&self.task_id, EventKind::Output { name, lines, next_offset });
                }
            }
        }
    }

    /// The next lines of a spool up to `end`, where a frame ends. What cannot be read is passed over with a remark, so that its
    /// space is given back and the container goes on.
    fn next_batch(&self, shared: &Shared, reading: &mut Reading, name: &str, end: u64) -> Batch {
        let Some(index) = self.container_index(name) else { return Batch::Nothing };
        if !reading.spools.contains_key(name) {
            let offset = reading.resume.get(name).copied().unwrap_or(0);
            match self.open_spool(index, offset) {
                Ok(spool) => {
                    reading.spools.insert(name.to_owned(), spool);
                    // The engine before may not have come to it.
                    self.give_back(shared, reading, name, offset);
                }
                // A spool that is gone has been removed with its task.
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Batch::Nothing,
                Err(e) => {
                    self.remark_unreadable(shared, &mut reading.unreadable, name, &e);
                    return Batch::Nothing;
                }
            }
        }
        let Some(spool) = reading.spools.get_mut(name) else { return Batch::Nothing };
        match spool.read(end) {
            Ok(lines) if lines.is_empty() => Batch::Nothing,
            Ok(lines) => {
                reading.unreadable.remove(name);
                Batch::Lines(lines, spool.offset())
            }
            Err(e) => {
                self.remark_unreadable(shared, &mut reading.unreadable, name, &e);
                spool.skip_to(end);
                Batch::Lines(OutputLines::default(), spool.offset())
            }
        }
    }

    fn open_spool(&self, index: usize, offset: u64) -> io::Result<SpoolReader> {
        let seal = FrameSeal::new(&self.spool_key, &self.task_id, index)?;
        SpoolReader::open(&self.paths.container(index).spool(), offset, seal)
    }

    /// Says it once for all that cannot be read in a row.
    fn remark_unreadable(&self, shared: &Shared, unreadable: &mut BTreeSet<String>, name: &str, error: &io::Error) {
        if unreadable.insert(name.to_owned()) {
            let text = format!("container `{name}`: output is lost: {error}");
            shared.emit(&self.task_id, EventKind::Remark { text });
        }
    }

    /// Queues what a shim that is dead left on disk: output and recorded ends not told before, then the task's own end. To be
    /// handed on by [`super::reader`].
    pub(super) fn queue_remains(&self, reason: String) -> BTreeMap<String, ContainerState> {
        let mut reading = self.reading();
        let mut states = BTreeMap::new();
        for (index, name) in self.names.iter().enumerate() {
            let paths = self.paths.container(index);
            reading.push_output(name, spool::end_of(&paths.spool()).unwrap_or(0));
            let record = std::fs::read(paths.exit_record()).ok();
            let record = record.and_then(|text| serde_json::from_slice::<super::protocol::ExitRecord>(&text).ok());
            let state = record.map_or(ContainerState::Lost, |record| record.state);
            if !reading.ended.contains(name) {
                reading.push_end(name, state.clone());
            }
            states.insert(name.clone(), state);
        }
        reading.queue.push_back(Waiting::Lost(reason));
        states
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container whose spool has just started over has nothing to give back, and says nothing about the others.
    #[test]
    fn where_there_are_no_holes_every_release_of_every_container_is_due() {
        const SPOOL_BYTES_MAX: u64 = 64 << 20;
        let mut reading = Reading::from(ResumePoints::new());
        let due = |reading: &Reading, name, offset| reading.is_due(name, offset, SPOOL_BYTES_MAX);
        assert!(!due(&reading, "a", RELEASED_BYTES_MIN - 1) && due(&reading, "a", RELEASED_BYTES_MIN));
        reading.gave_back("a", RELEASED_BYTES_MIN, Release::Hole);
        assert!(!due(&reading, "a", RELEASED_BYTES_MIN + 1) && due(&reading, "a", 2 * RELEASED_BYTES_MIN));
        reading.gave_back("a", 2 * RELEASED_BYTES_MIN, Release::Note);
        for release in [Release::Nothing, Release::Hole, Release::Note] {
            reading.gave_back("b", 100, release);
            assert!(due(&reading, "a", 2 * RELEASED_BYTES_MIN + 1) && due(&reading, "b", 101), "{release:?}");
            assert!(!due(&reading, "a", 2 * RELEASED_BYTES_MIN) && !due(&reading, "b", 100), "{release:?}");
        }
    }
}
