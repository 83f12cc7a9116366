//! The timer queue against a sorted list.

use neargate_schedule::TimerQueue;

#[test]
fn due_timers_come_by_time_then_by_insertion() {
    let mut queue = TimerQueue::new();
    let ids = [(20, "c"), (10, "a"), (10, "b"), (30, "d")].map(|(due_ms, key)| queue.insert(due_ms, key));
    assert_eq!(queue.next_due_ms(), Some(10));
    assert_eq!(queue.pop_due(9), None);
    assert_eq!(queue.remove(ids[0]), Some("c"));
    assert_eq!(queue.remove(ids[0]), None);
    let keys: Vec<_> = queue.drain_due(i64::MAX).into_iter().map(|due| due.key).collect();
    assert_eq!(keys, ["a", "b", "d"]);
    assert!(queue.is_empty());
}

#[test]
fn a_timer_put_in_while_handing_out_takes_its_place() {
    let mut queue = TimerQueue::new();
    queue.insert(0, 0);
    let mut seen = Vec::new();
    while let Some(due) = queue.pop_due(100) {
        seen.push(due.due_ms);
        queue.insert(due.due_ms + 40, due.key + 1);
    }
    assert_eq!((seen, queue.len()), (vec![0, 40, 80], 1));
}

#[test]
fn random_work_agrees_with_a_sorted_list() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut queue = TimerQueue::new();
    let mut list = Vec::new();
    let mut now = 0;
    for key in 0..20_000 {
        match rng.u8(0..8) {
            0 if !list.is_empty() => {
                let (id, _) = list.swap_remove(rng.usize(0..list.len()));
                assert!(queue.remove(id).is_some());
            }
            1 => {
                now += if rng.u8(0..20) == 0 { 40_000_000_000 } else { rng.i64(0..2000) };
                list.sort();
                let split = list.partition_point(|(id, _)| id.due_ms() <= now);
                let expected: Vec<i32> = list.drain(..split).map(|(_, key)| key).collect();
                let actual: Vec<i32> = queue.drain_due(now).into_iter().map(|due| due.key).collect();
                assert_eq!(actual, expected);
            }
            _ => {
                let due_ms = now + rng.i64(-100..10_000);
                list.push((queue.insert(due_ms, key), key));
            }
        }
        assert_eq!(queue.len(), list.len());
    }
}
