//! Following a stack through its events until it is done.

use std::collections::BTreeSet;
use std::time::Duration;

use neargate_api::cloudformation as cfn;

use super::Detail;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::Outcome;
use crate::screen::{Paint, Screen};

/// Between two looks at a stack.
const PAUSE: Duration = Duration::from_millis(30);

/// How it ended.
#[derive(Debug)]
pub(super) enum Ending {
    Done(Box<cfn::Stack>),
    Failed(Box<cfn::Stack>),
}

/// A stack that ended, and how it came to that.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) ending: Ending,
    /// Resources that were made, changed or deleted.
    pub(super) resources: usize,
    /// What failed, first things first, cancelled resources last.
    pub(super) failures: Vec<String>,
    /// The logical id of the first of these.
    pub(super) failed: Option<String>,
}

/// Follows the stack; events up to `since` are of the past.
pub(super) fn follow(
    screen: &Screen,
    endpoint: &Endpoint,
    id: &str,
    name: &str,
    mut since: Option<String>,
    detail: Detail,
) -> Outcome<Followed> {
    let (mut done, mut failures, mut cancelled, mut last) = (BTreeSet::new(), vec![], vec![], String::new());
    let (mut failed, mut whole) = (None, None);
    loop {
        // The state first: whatever led to it is then among the events.
        let stack = describe(endpoint, id)?;
        for event in events(endpoint, id, since.as_deref())? {
            since = Some(event.event_id.clone());
            let status = event.resource_status.clone().unwrap_or_default();
            let resource = event.logical_resource_id.clone().unwrap_or_default();
            let is_stack =
                event.resource_type.as_deref() == Some("AWS::CloudFormation::Stack") && resource == event.stack_name;
            if is_stack {
                let is_bad = status.ends_with("_FAILED") || status.ends_with("ROLLBACK_IN_PROGRESS");
                whole = whole.or(event.resource_status_reason.filter(|_| is_bad));
                continue;
            }
            if status.ends_with("_COMPLETE") {
                done.insert(resource.clone());
            }
            let line = line(&event, &resource, &status);
            if status.ends_with("_FAILED") {
                let reason = plain(event.resource_status_reason.as_deref().unwrap_or_default());
                let is_cancelled = reason.contains("cancelled");
                if !is_cancelled {
                    failed.get_or_insert_with(|| resource.clone());
                }
                let kind = event.resource_type.clone().unwrap_or_default();
                if is_cancelled { &mut cancelled } else { &mut failures }
                    .push(format!("`{resource}` ({kind}): {reason}"));
                // Where little is said, the failure itself says it at the end.
                if !is_cancelled && detail == Detail::Resources {
                    screen.step_in(Paint::Red, "failed", &line);
                }
            } else if detail == Detail::Resources && status.ends_with("_COMPLETE") {
                screen.step_in(Paint::Cyan, verb(&status), &line);
            }
            last = line;
        }
        if detail == Detail::Stacks {
            screen.live("stack", &format!("{name}  {} done  {last}", done.len()));
        }
        match stack {
            Some(stack) if stack.stack_status.ends_with("_IN_PROGRESS") => std::thread::sleep(PAUSE),
            Some(stack) => {
                let is_good =
                    matches!(stack.stack_status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "DELETE_COMPLETE");
                let stack = Box::new(stack);
                let ending = if is_good { Ending::Done(stack) } else { Ending::Failed(stack) };
                failures.extend(cancelled);
                // Where no resource failed, the stack as a whole did.
                if failures.is_empty() && matches!(ending, Ending::Failed(_)) {
                    failures.extend(whole.map(|reason: String| plain(&reason)));
                }
                return Ok(Followed { ending, resources: done.len(), failures, failed });
            }
            None => {
                let ending = Ending::Done(Box::default());
                return Ok(Followed { ending, resources: done.len(), failures, failed });
            }
        }
    }
}

fn line(event: &cfn::StackEvent, resource: &str, status: &str) -> String {
    let kind = event.resource_type.clone().unwrap_or_default();
    match (&event.resource_status_reason, status.ends_with("_FAILED")) {
        (Some(reason), true) => format!("{resource}  {kind}  {}", plain(reason)),
        _ => format!("{resource}  {kind}"),
    }
}

/// A reason as people read it: what the service says, without the ids of the request that AWS puts around it.
fn plain(reason: &str) -> String {
    let said = reason.strip_prefix("Resource handler returned message: \"").and_then(|rest| {
        let (said, _) = rest.rsplit_once("\" (RequestToken: ")?;
        Some(said.rsplit_once(" (Service: ").map_or(said, |(said, _)| said))
    });
    said.unwrap_or(reason).to_owned()
}

fn verb(status: &str) -> &'static str {
    match status {
        "CREATE_COMPLETE" => "created",
        "UPDATE_COMPLETE" => "updated",
        "DELETE_COMPLETE" => "deleted",
        _ => "done",
    }
}

fn describe(endpoint: &Endpoint, id: &str) -> Outcome<Option<cfn::Stack>> {
    let input = cfn::DescribeStacksInput { stack_name: Some(id.to_owned()), ..cfn::DescribeStacksInput::default() };
    let answer: Result<cfn::DescribeStacksOutput, CallError> =
        endpoint.call(&cfn::SERVICE, &cfn::DESCRIBE_STACKS, input);
    match answer {
        Ok(answer) => Ok(answer.stacks.into_iter().flatten().next()),
        Err(error) if error.is("ValidationError") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The events of a stack after one of them, oldest first.
pub(super) fn events(endpoint: &Endpoint, id: &str, since: Option<&str>) -> Outcome<Vec<cfn::StackEvent>> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = cfn::DescribeStackEventsInput { stack_name: id.to_owned(), next_token };
        let page: Result<cfn::DescribeStackEventsOutput, CallError> =
            endpoint.call(&cfn::SERVICE, &cfn::DESCRIBE_STACK_EVENTS, input);
        let page = match page {
            Err(error) if error.is("ValidationError") => return Ok(vec![]),
            page => page?,
        };
        for event in page.stack_events.into_iter().flatten() {
            if Some(event.event_id.as_str()) == since {
                all.reverse();
                return Ok(all);
            }
            all.push(event);
        }
        next_token = page.next_token;
        if next_token.is_none() {
            all.reverse();
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn reasons_without_ids() {
        let check = |reason: &str, expected: &str| assert_eq!(super::plain(reason), expected);
        let handler = "Resource handler returned message: \"Role (x) is not valid (Service: ECS, Status Code: 400, Request ID: 1)\" \
                       (RequestToken: 2, HandlerErrorCode: InvalidRequest)";
        check(handler, "Role (x) is not valid");
        check("Resource creation cancelled", "Resource creation cancelled");
        check("Resource handler returned message: \"cut", "Resource handler returned message: \"cut");
    }
}
