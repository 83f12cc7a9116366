//! The crash drill: an engine killed with SIGKILL at more than two hundred points of one run, then started again.
//!
//! There are two runs (`scenario`): a stack from a template that the CDK made, with an event that starts a task; and the scheduled
//! task with a secret, a key and an encrypted log, which the turned clock starts. An engine kills itself at its N-th
//! point (`NEARGATE_CRASH_AT`), with everything that waits in one commit or with a commit for each command
//! (`NEARGATE_CRASH_BATCH=1`), or is killed from outside while the container runs; some are killed once more while they
//! start. What was acknowledged must be there afterwards, each acknowledged event must have run exactly once, containers
//! must have gone on as the same processes, and `neargate down` must leave the machine as it was.
//!
//! | variable | meaning |
//! |---|---|
//! | `NEARGATE_CRASH_SEED` | which points are drawn [default: 1] |
//! | `NEARGATE_CRASH_POINTS` | how many [default: 230] |
//! | `NEARGATE_CRASH_LANES` | how many at the same time [default: 4] |
//! | `NEARGATE_REQUIRE_CONTAINERS` | `1`: fail where containers cannot run |

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and speaks to its reader"
)]

mod client;
mod engine;
mod full_disk;
mod lane;
mod machine;
mod plan;
mod run;
mod scenario;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use neargate_runtime::backends::embedded::{EmbeddedConfig, probe_machine};
use neargate_testkit::needs::{Need, needs};

use crate::full_disk::FileSystem;
use crate::lane::{Images, Outcome};
use crate::plan::Plan;
use crate::scenario::Scenario;

/// A few may lie behind the end of a run, whose length differs a little from time to time.
const POINTS: u64 = 230;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("`{variable}` is no number")))
}

/// Why this machine cannot run containers.
fn missing_containers() -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = EmbeddedConfig::new("probe", folder.path()).unwrap();
    config.shim_program = PathBuf::from(engine::PROGRAM);
    let lacking = probe_machine(&config).into_iter().filter(|capability| capability.required && !capability.ok);
    let lacking: Vec<String> = lacking.map(|it| format!("{}: {} ({})", it.name, it.detail, it.hint)).collect();
    (!lacking.is_empty()).then(|| lacking.join("; "))
}

fn main() -> std::process::ExitCode {
    neargate_testkit::needs::run(&[Need {
        name: "containers",
        required_by: "NEARGATE_REQUIRE_CONTAINERS",
        missing: missing_containers,
    }])
}

/// One drill after the other.
static TURN: Mutex<()> = Mutex::new(());

#[needs(containers)]
fn an_engine_killed_at_any_point_loses_nothing_and_leaves_nothing() {
    drill(Scenario::Triggered);
}

#[needs(containers)]
fn an_engine_with_secrets_killed_at_any_point_loses_nothing_and_leaves_nothing_in_the_clear() {
    drill(Scenario::Scheduled);
}

#[needs(containers)]
fn a_full_disk_stops_acknowledgements_alone_and_the_engine_goes_on_by_itself() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    full_disk::goes_on_by_itself(FileSystem::Tmpfs);
}

#[needs(containers)]
fn a_full_disk_of_ext4_stops_acknowledgements_alone_and_the_engine_goes_on_by_itself() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    full_disk::goes_on_by_itself(FileSystem::Ext4);
}

#[needs(containers)]
fn tasks_of_an_engine_stopped_at_a_full_disk_are_taken_over() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    full_disk::is_taken_over(FileSystem::Tmpfs);
}

#[needs(containers)]
fn tasks_of_an_engine_stopped_at_a_full_disk_of_ext4_are_taken_over() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    full_disk::is_taken_over(FileSystem::Ext4);
}

fn drill(scenario: Scenario) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let began = Instant::now();
    let (seed, points) = (number("NEARGATE_CRASH_SEED", 1), number("NEARGATE_CRASH_POINTS", POINTS));
    let images = Images::build();
    let [together, singly] = [None, Some(1)].map(|batch| lane::measure(&images, scenario, batch));
    println!(
        "crash drill of {scenario:?}: seed {seed}, {points} points of {} with commits together, {} with a commit for each command",
        together.at_end, singly.at_end
    );
    let plans = plan::draw(seed, usize::try_from(points).unwrap(), &together, &singly);
    assert_eq!(plans.len() as u64, points, "the run has too few points");
    let (queue, total, failures) = (Mutex::new(VecDeque::from(plans)), Mutex::default(), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..number("NEARGATE_CRASH_LANES", 4) {
            scope.spawn(|| work(&images, scenario, &together.descriptors, &queue, &total, &failures));
        }
    });
    let total: Outcome = total.into_inner().unwrap();
    let failures: Vec<String> = failures.into_inner().unwrap();
    println!("crash drill of {scenario:?}: {total}, {} failed, {:.0} s", failures.len(), began.elapsed().as_secs_f64());
    assert!(failures.is_empty(), "seed {seed}:\n{}", failures.join("\n"));
    if points >= POINTS {
        assert!(total.points >= 200, "too few points were reached: {total}");
        assert!(total.adopted > 0 && total.reported > 0 && total.twice > 0, "the drill met too little: {total}");
    }
}

fn work(
    images: &Images,
    scenario: Scenario,
    descriptors: &[String],
    queue: &Mutex<VecDeque<Plan>>,
    total: &Mutex<Outcome>,
    failures: &Mutex<Vec<String>>,
) {
    loop {
        let Some(plan) = queue.lock().unwrap().pop_front() else { return };
        match catch_unwind(AssertUnwindSafe(|| lane::play(images, scenario, descriptors, &plan))) {
            Ok(outcome) => total.lock().unwrap().add(&outcome),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                let text = format!("{plan}: {}", text.unwrap_or_default());
                println!("crash drill: failed {text}");
                failures.lock().unwrap().push(text);
            }
        }
    }
}
