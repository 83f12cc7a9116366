//! A disk whose steps fail, or that loses power.
//!
//! Invariant: after a crash no step has any effect, and what was not synced may be lost, in part or as a whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use crate::disk::{Disk, SystemDisk};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One step fails with this; all others do what they should.
    Error(Errno),
    /// At that step the power goes.
    Crash,
}

#[derive(Clone, Debug)]
pub(crate) struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    steps: u64,
    fail_at: u64,
    fault: Fault,
    /// Files with bytes that are not synced.
    unsynced: BTreeMap<PathBuf, ()>,
    /// Renames whose folder is not synced: from, to, and the bytes that had the name.
    renames: Vec<(PathBuf, PathBuf, Option<Vec<u8>>)>,
}

impl FaultyDisk {
    pub(crate) fn new(fail_at: u64, fault: Fault) -> Self {
        let state = State { steps: 0, fail_at, fault, unsynced: BTreeMap::new(), renames: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Whether the fault has happened.
    pub(crate) fn failed(&self) -> bool {
        let state = self.0.lock().unwrap();
        state.steps > state.fail_at
    }

    /// Counts a step; an error where it is the one that fails.
    fn step(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.0.lock().unwrap();
        let step = state.steps;
        state.steps += 1;
        match state.fault {
            Fault::Error(errno) if step == state.fail_at => Err(errno.into()),
            Fault::Crash if step >= state.fail_at => Err(Errno::IO.into()),
            _ => Ok(state),
        }
    }

    /// Loses what was not synced, as chance has it.
    pub(crate) fn lose(&self, random: &mut fastrand::Rng) {
        let state = self.0.lock().unwrap();
        for (from, to, before) in state.renames.iter().rev() {
            if random.bool() {
                fs::rename(to, from).unwrap();
                if let Some(bytes) = before {
                    fs::write(to, bytes).unwrap();
                }
            }
        }
        for path in state.unsynced.keys().filter(|path| path.exists()) {
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            let length = file.metadata().unwrap().len();
            match random.u8(0..4) {
                0 => file.set_len(random.u64(0..=length)).unwrap(),
                // A length that was written before the bytes were.
                1 => file.write_all_at(&vec![0; usize::try_from(length).unwrap()], 0).unwrap(),
                2 => fs::remove_file(path).unwrap(),
                _ => {}
            }
        }
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut state = self.step()?;
        state.unsynced.insert(path.to_owned(), ());
        SystemDisk.create(path)
    }

    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self.step() {
            Ok(mut state) => {
                state.unsynced.insert(path.to_owned(), ());
                SystemDisk.write(file, path, offset, bytes)
            }
            Err(error) => {
                // A write that fails may have written a part, but none after the power went.
                let state = self.0.lock().unwrap();
                if state.steps == state.fail_at + 1 {
                    file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
                }
                Err(error)
            }
        }
    }

    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        state.unsynced.remove(path);
        SystemDisk.sync(file, path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        assert!(!state.unsynced.contains_key(from), "{} gets a name and is not synced", from.display());
        state.renames.push((from.to_owned(), to.to_owned(), fs::read(to).ok()));
        SystemDisk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        state.renames.retain(|(_, to, _)| to.parent() != Some(folder));
        SystemDisk.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let _state = self.step()?;
        SystemDisk.remove(path)
    }

    fn available(&self, folder: &Path) -> io::Result<u64> {
        let _state = self.step()?;
        SystemDisk.available(folder)
    }
}
