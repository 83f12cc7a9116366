//! What the user should hear: the newest notices, numbered, each said once however often it comes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use neargate_kernel::{Notice, NoticeKind};
use serde::Serialize;

/// Notices that are kept.
const NOTICES_MAX: usize = 10_000;

/// One notice with its number.
#[derive(Clone, Debug, Serialize)]
pub struct Numbered {
    /// Counts from 1.
    pub number: u64,
    /// The notice.
    #[serde(flatten)]
    pub notice: Notice,
}

/// The board that the writer pins notices to and that clients read.
#[derive(Debug, Default)]
pub struct NoticeBoard {
    held: Mutex<Held>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    notices: VecDeque<Numbered>,
    last: u64,
    said: BTreeSet<Notice>,
}

impl NoticeBoard {
    /// Pins a notice. What is not simulated is said once.
    pub fn pin(&self, notice: Notice) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if notice.kind == NoticeKind::NotSimulated && !held.said.insert(notice.clone()) {
            return;
        }
        held.last += 1;
        let number = held.last;
        held.notices.push_back(Numbered { number, notice });
        if held.notices.len() > NOTICES_MAX {
            held.notices.pop_front();
        }
        self.news.notify_all();
    }

    /// The number of the newest notice; 0 before the first.
    pub fn last(&self) -> u64 {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).last
    }

    /// The notices after a number; waits for one up to `wait`.
    pub fn after(&self, number: u64, wait: Duration) -> Vec<Numbered> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.news.wait_timeout_while(held, wait, |held| held.last <= number);
        let (held, _) = waited.unwrap_or_else(PoisonError::into_inner);
        held.notices.iter().filter(|held| held.number > number).cloned().collect()
    }
}
