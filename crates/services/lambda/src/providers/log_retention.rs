//! `Custom::LogRetention`: how long the CDK lets CloudWatch Logs keep a group that something else may have made.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value as Json, json};

use super::{Known, Provider, in_region};

/// How long the function lets its own log group be kept.
const OWN_RETENTION_DAYS: i64 = 1;

/// `Custom::LogRetention`.
pub(crate) struct LogRetention;

static SHAPE: ResourceShape = ResourceShape::unknown("Custom::LogRetention");

impl ResourceType for LogRetention {
    fn shape(&self) -> &'static ResourceShape {
        &SHAPE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        if action == Action::Delete && request.physical_id().is_empty() {
            return Ok(Progress::Done(ResourceState::default()));
        }
        let provider = Provider::of(cx, request, Known::LOG_RETENTION)?;
        let Some(group) = request.text("LogGroupName") else {
            return Err(Fault::validation("property `LogGroupName` is required"));
        };
        let region = request.text("LogGroupRegion");
        provider.act(cx, |cx| match action {
            Action::Delete if request.text("RemovalPolicy") == Some("destroy") => {
                let deleted = call(cx, region, "DeleteLogGroup", json!({"logGroupName": group}));
                unless(deleted, "ResourceNotFoundException")
            }
            Action::Delete => Ok(()),
            Action::Create | Action::Update => {
                keep(cx, region, group, days(request.properties))?;
                match action {
                    // Its own log group too, which it would write to.
                    Action::Create => {
                        keep(cx, None, &format!("/aws/lambda/{}", provider.name), Some(OWN_RETENTION_DAYS))
                    }
                    _ => Ok(()),
                }
            }
        })?;
        Ok(Progress::Done(ResourceState::new(group).with("LogGroupName", group)))
    }
}

/// Makes the group unless it is there, and says how long its events are kept.
fn keep(cx: &mut Cx<'_>, region: Option<&str>, group: &str, days: Option<i64>) -> Result<(), Fault> {
    let made = call(cx, region, "CreateLogGroup", json!({"logGroupName": group}));
    unless(made, "ResourceAlreadyExistsException")?;
    match days {
        Some(days) => call(cx, region, "PutRetentionPolicy", json!({"logGroupName": group, "retentionInDays": days})),
        None => call(cx, region, "DeleteRetentionPolicy", json!({"logGroupName": group})),
    }
}

fn days(properties: &Json) -> Option<i64> {
    let days = properties.get("RetentionInDays")?;
    days.as_i64().or_else(|| days.as_str()?.parse().ok())
}

fn unless(done: Result<(), Fault>, code: &str) -> Result<(), Fault> {
    match done {
        Err(fault) if fault.code != code => Err(fault),
        _ => Ok(()),
    }
}

fn call(cx: &mut Cx<'_>, region: Option<&str>, operation: &str, input: Json) -> Result<(), Fault> {
    in_region(cx, region, |cx| cx.call_json("logs", operation, input)).map(drop)
}
