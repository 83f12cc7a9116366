//! What the user should hear: the newest notices, numbered, each said once however often it comes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use neargate_kernel::{Notice, NoticeKind};
use serde::Serialize;

/// Notices that are kept, and different ones that are remembered so that each is said once.
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
    /// The same, oldest first.
    said_in_order: VecDeque<Notice>,
}

impl Held {
    /// Whether a notice is said for the first time, as far as is remembered.
    fn is_first(&mut self, notice: &Notice) -> bool {
        if !self.said.insert(notice.clone()) {
            return false;
        }
        self.said_in_order.push_back(notice.clone());
        if self.said_in_order.len() > NOTICES_MAX
            && let Some(oldest) = self.said_in_order.pop_front()
        {
            self.said.remove(&oldest);
        }
        true
    }
}

impl NoticeBoard {
    /// Pins a notice. What is not simulated is said once.
    pub fn pin(&self, notice: Notice) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if notice.kind == NoticeKind::NotSimulated && !held.is_first(&notice) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: NoticeKind, text: &str) -> Notice {
        Notice { kind, subject: "test".to_owned(), text: text.to_owned(), hint: None }
    }

    #[test]
    fn what_is_not_simulated_is_said_once_the_rest_as_often_as_it_comes() {
        let board = NoticeBoard::default();
        for _ in 0..3 {
            board.pin(notice(NoticeKind::NotSimulated, "a"));
            board.pin(notice(NoticeKind::Failed, "b"));
        }
        let texts: Vec<_> = board.after(0, Duration::ZERO).into_iter().map(|it| it.notice.text).collect();
        assert_eq!(texts, ["a", "b", "b", "b"]);
    }

    #[test]
    fn the_board_is_bounded_in_all_that_it_keeps() {
        let board = NoticeBoard::default();
        for number in 0..3 * NOTICES_MAX {
            board.pin(notice(NoticeKind::NotSimulated, &number.to_string()));
        }
        let held = board.held.lock().unwrap();
        assert_eq!(
            (held.notices.len(), held.said.len(), held.said_in_order.len()),
            (NOTICES_MAX, NOTICES_MAX, NOTICES_MAX)
        );
        assert_eq!(held.notices.front().unwrap().number, 2 * NOTICES_MAX as u64 + 1);
    }
}
