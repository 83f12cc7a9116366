//! What is remembered of tasks that have stopped, and of what led to them.

use neargate_ecs::order::News;
use neargate_kernel::Cause;
use serde_json::json;

use crate::lifecycle::{container, describe, exited, harness, orders, register, run, started, tell};

const MS_PER_DAY: i64 = 86_400_000;

#[test]
fn a_stopped_task_stays_with_its_causes_and_what_started_nothing_goes() {
    let mut harness = harness();
    register(&mut harness, json!([container("app", json!({}))]));
    let task = run(&mut harness, json!({ "startedBy": "me" }));
    let id = task.rsplit('/').next().unwrap().to_owned();
    let note = |cx: &mut neargate_kernel::Cx<'_>| {
        cx.because("lost", "event", "an event that started something else");
        cx.keep_causes();
        Ok(())
    };
    harness.perform(note).unwrap();
    let effect = orders(&harness)[0].0.clone();
    tell(&mut harness, &effect, started("app"), false);
    tell(&mut harness, &effect, exited("app", 0), false);
    let (remove, _) = orders(&harness).pop().unwrap();
    tell(&mut harness, &remove, News::Done, true);
    tell(&mut harness, &effect, News::Gone, true);
    assert_eq!(describe(&mut harness, &task)["lastStatus"], "STOPPED");

    let causes = |harness: &neargate_testkit::Harness| {
        let store = harness.core().store();
        let request = store.get::<Cause>(&harness.scope, &id).and_then(|cause| cause.parent.clone());
        let request = request.and_then(|id| store.get::<Cause>(&harness.scope, &id).cloned());
        (request.map(|cause| cause.name), store.get::<Cause>(&harness.scope, "lost").is_some())
    };
    let name = "ecs:RunTask by `arn:aws:iam::000000000000:root`".to_owned();
    assert_eq!(causes(&harness), (Some(name.clone()), true));
    // Days later the task is there, with what led to it; the sweep goes on, once a day.
    for _ in 0..40 {
        harness.pass(MS_PER_DAY);
    }
    assert_eq!(describe(&mut harness, &task)["stopCode"], "EssentialContainerExited");
    assert_eq!(causes(&harness), (Some(name), false));
}
