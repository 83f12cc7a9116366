//! How long stopped tasks are remembered. AWS forgets them after an hour, and with them why they stopped.
//!
//! Of each cluster the newest thousand stay whatever their age, older ones for thirty days, and ten thousand at most: a sweep goes by
//! once a day, and whenever ten thousand more have stopped. The causes of a task stay as long as the task; what started nothing is forgotten after a day.
//!
//! Invariant: at most one sweep waits in a scope, and none where no task has stopped.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::Timestamp;
use neargate_kernel::{Cause, Cx, Due, Fault, Job, JobId, Record};
use serde::{Deserialize, Serialize};

use crate::state::{RunToken, TOKEN_MS, Task};

/// The job's name.
pub(crate) const SWEEP: &str = "ecs.sweep";

/// Stopped tasks of a cluster that stay whatever their age.
const NEWEST_KEPT: usize = 1_000;
/// Stopped tasks of a cluster, at most.
const STOPPED_MAX: usize = 10_000;
const MS_PER_DAY: i64 = 86_400_000;
const KEPT_MS: i64 = 30 * MS_PER_DAY;

/// The sweep that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {
    job: JobId,
    /// Tasks that have stopped since there are too many.
    #[serde(default)]
    stopped: usize,
}

impl Record for Sweep {
    const TABLE: &'static str = "ecs.sweep";
}

const ONLY: &str = "sweep";

/// A task has stopped: a sweep runs within a day, or now where very many have.
pub(crate) fn wait_for_sweep(cx: &mut Cx<'_>) {
    match cx.get::<Sweep>(ONLY).cloned() {
        None => plan(cx, MS_PER_DAY),
        Some(Sweep { job, stopped }) if cx.store().count::<Task>() > STOPPED_MAX => {
            if stopped < STOPPED_MAX {
                cx.put(ONLY, Sweep { job, stopped: stopped + 1 });
            } else {
                cx.cancel(&job);
                plan(cx, 0);
            }
        }
        Some(_) => {}
    }
}

fn plan(cx: &mut Cx<'_>, after_ms: i64) {
    let due = Due::Service(cx.time().plus_ms(after_ms));
    // A sweep is nobody's doing: it must not keep the chain of the task that happened to stop.
    let cause = cx.cause.take();
    let job = cx.schedule(due, SWEEP, serde_json::Value::Null);
    cx.cause = cause;
    cx.put(ONLY, Sweep { job, stopped: 0 });
}

/// The daily job.
pub(crate) fn sweep(cx: &mut Cx<'_>, _: &Job) -> Result<(), Fault> {
    let now = cx.time();
    let mut by_cluster: BTreeMap<String, Vec<(Timestamp, String)>> = BTreeMap::new();
    for (id, task) in cx.scan::<Task>("").filter(|(_, task)| task.is("STOPPED")) {
        let stopped = task.view.stopped_at.unwrap_or_default();
        by_cluster.entry(task.cluster.clone()).or_default().push((stopped, id.to_owned()));
    }
    let mut is_any_left = false;
    for tasks in by_cluster.into_values() {
        let forgotten = forgotten(tasks, now);
        is_any_left |= forgotten.has_others;
        for id in forgotten.ids {
            cx.delete::<Task>(&id);
        }
    }
    forget_tokens(cx, now);
    forget_causes(cx, now);
    cx.delete::<Sweep>(ONLY);
    if is_any_left {
        plan(cx, MS_PER_DAY);
    }
    Ok(())
}

struct Forgotten {
    ids: Vec<String>,
    has_others: bool,
}

/// Which of a cluster's stopped tasks go.
fn forgotten(mut tasks: Vec<(Timestamp, String)>, now: Timestamp) -> Forgotten {
    let count = tasks.len();
    tasks.sort_by(|one, other| other.cmp(one));
    let is_old = |stopped: Timestamp| now.millis().saturating_sub(stopped.millis()) > KEPT_MS;
    let goes = |at: usize, stopped: Timestamp| at >= STOPPED_MAX || (at >= NEWEST_KEPT && is_old(stopped));
    let ids = tasks.into_iter().enumerate().filter(|(at, (stopped, _))| goes(*at, *stopped));
    let ids: Vec<String> = ids.map(|(_, (_, id))| id).collect();
    Forgotten { has_others: ids.len() < count, ids }
}

/// Forgets clients' tokens that are of no use any more.
fn forget_tokens(cx: &mut Cx<'_>, now: Timestamp) {
    let old = cx.scan::<RunToken>("").filter(|(_, token)| token.at.plus_ms(TOKEN_MS) <= now);
    let old: Vec<String> = old.map(|(token, _)| token.to_owned()).collect();
    for token in old {
        cx.delete::<RunToken>(&token);
    }
}

/// Forgets causes that no task hangs on and that are older than a day.
fn forget_causes(cx: &mut Cx<'_>, now: Timestamp) {
    let mut kept = BTreeSet::new();
    for (id, _) in cx.scan::<Task>("") {
        let mut next = Some(id.to_owned());
        while let Some(id) = next.filter(|id| !kept.contains(id)) {
            next = cx.get::<Cause>(&id).and_then(|cause| cause.parent.clone());
            kept.insert(id);
        }
    }
    let is_old = |cause: &Cause| cause.time.is_none_or(|time| now.millis().saturating_sub(time.millis()) > MS_PER_DAY);
    let old = cx.scan::<Cause>("").filter(|(id, cause)| !kept.contains(*id) && is_old(cause));
    let old: Vec<String> = old.map(|(id, _)| id.to_owned()).collect();
    for id in old {
        cx.delete::<Cause>(&id);
    }
}

#[cfg(test)]
mod tests {
    use neargate_kernel::Cause;
    use neargate_testkit::{Harness, open_ports};
    use serde_json::json;

    use super::{KEPT_MS, MS_PER_DAY, NEWEST_KEPT, ONLY, STOPPED_MAX, Sweep, Timestamp, forgotten, wait_for_sweep};
    use crate::state::Task;

    /// The ids that go, of tasks that stopped so many milliseconds ago.
    fn check(ages: impl Iterator<Item = i64>, expected: usize) {
        let now = Timestamp(1_795_255_200_000);
        let tasks: Vec<_> = ages.enumerate().map(|(at, age)| (now.plus_ms(-age), format!("{at:06}"))).collect();
        let count = tasks.len();
        let forgotten = forgotten(tasks, now);
        assert_eq!(forgotten.ids.len(), expected);
        assert_eq!(forgotten.has_others, count > expected);
    }

    #[test]
    fn the_newest_stay_the_old_go_and_there_is_an_end() {
        let many = |count: usize, age: i64| (0..count).map(move |_| age);
        check(std::iter::empty(), 0);
        check(many(NEWEST_KEPT, 10 * KEPT_MS), 0);
        check(many(NEWEST_KEPT + 3, 10 * KEPT_MS), 3);
        check(many(NEWEST_KEPT + 3, KEPT_MS), 0);
        check(many(NEWEST_KEPT, KEPT_MS).chain(many(5, KEPT_MS + 1)), 5);
        check(many(STOPPED_MAX + 2, 0), 2);
    }

    /// A core with one living task, and the rows of `count` that have stopped long ago, each with a cause of its own.
    fn world(count: usize) -> (Harness, String) {
        let mut harness = Harness::new(|| vec![crate::service()], open_ports()).unwrap();
        harness.call("ecs", "CreateCluster", json!({})).unwrap();
        let definition = json!({
            "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "containerDefinitions": [{ "name": "app", "image": "app" }],
        });
        harness.call("ecs", "RegisterTaskDefinition", definition).unwrap();
        let network = json!({ "awsvpcConfiguration": { "subnets": ["subnet-1"] } });
        let run = json!({ "taskDefinition": "app", "launchType": "FARGATE", "networkConfiguration": network });
        let ran = harness.call("ecs", "RunTask", run).unwrap();
        let living = ran["tasks"][0]["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        harness
            .perform(|cx| {
                let mut task = cx.get::<Task>(&living).unwrap().clone();
                task.view.last_status = Some("STOPPED".to_owned());
                for at in 0..count {
                    let id = format!("{at:032}");
                    task.view.stopped_at = Some(cx.time().plus_ms(-2 * KEPT_MS + i64::try_from(at).unwrap()));
                    cx.put(&id, task.clone());
                    cx.put(
                        &id,
                        Cause { kind: "task".into(), name: id.clone(), time: task.view.stopped_at, parent: None },
                    );
                }
                Ok(())
            })
            .unwrap();
        (harness, living)
    }

    #[test]
    fn a_sweep_takes_the_oldest_with_their_causes_and_leaves_the_living_theirs() {
        let (mut harness, living) = world(NEWEST_KEPT + 2);
        harness
            .perform(|cx| {
                wait_for_sweep(cx);
                Ok(())
            })
            .unwrap();
        harness.pass(MS_PER_DAY + 1);
        let store = harness.core().store();
        let task = |at: usize| store.get::<Task>(&harness.scope, &format!("{at:032}"));
        assert!(task(0).is_none() && task(1).is_none() && task(2).is_some() && task(NEWEST_KEPT + 1).is_some());
        let cause = |id: &str| store.get::<Cause>(&harness.scope, id);
        assert!(cause(&format!("{:032}", 1)).is_none() && cause(&format!("{:032}", 2)).is_some());
        let request = cause(&living).unwrap().parent.clone().unwrap();
        assert!(store.get::<Task>(&harness.scope, &living).is_some() && cause(&request).is_some());
    }

    #[test]
    fn where_very_many_have_stopped_the_sweep_comes_early() {
        let (mut harness, _) = world(STOPPED_MAX + 1);
        let job = Sweep { job: String::new(), stopped: STOPPED_MAX };
        harness
            .perform(|cx| {
                cx.put(ONLY, job);
                Ok(())
            })
            .unwrap();
        harness
            .perform(|cx| {
                wait_for_sweep(cx);
                Ok(())
            })
            .unwrap();
        assert_eq!(harness.core().store().count::<Task>(), NEWEST_KEPT + 1, "all that stopped are old");
    }
}
