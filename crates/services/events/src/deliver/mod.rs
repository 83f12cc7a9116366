//! From an event to its targets.

mod ecs;
mod patterns;

use std::sync::Arc;

use neargate_event_pattern::EventError;
use neargate_event_transform::{Context, Event as Document, InputTransformer, TargetInput, TransformError};
use neargate_kernel::{Cause, Cx, Event, EventSink, Fault, Notice, NoticeKind};
use serde_json::{Value as Json, json};

pub(crate) use self::patterns::Patterns;
use crate::api;
use crate::state::{DEFAULT_BUS, Rule, rule_arn, rule_key};

/// The source of the events that Neargate itself publishes about failed deliveries.
const OWN_SOURCE: &str = "neargate.events";

/// The default bus, as other services see it.
#[derive(Debug)]
pub struct Bus;

impl EventSink for Bus {
    fn publish(&self, cx: &mut Cx<'_>, event: Event) -> Result<(), Fault> {
        let id = cx.rng.uuid();
        let envelope = Envelope {
            source: event.source,
            detail_type: event.detail_type,
            time: cx.time().to_iso_seconds(),
            resources: &event.resources,
            detail: &event.detail.to_string(),
        };
        deliver(cx, DEFAULT_BUS, &id, &envelope);
        Ok(())
    }
}

/// What an event says, before it has an id.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) source: &'a str,
    pub(crate) detail_type: &'a str,
    pub(crate) time: String,
    pub(crate) resources: &'a [String],
    /// As it was put, digit for digit.
    pub(crate) detail: &'a str,
}

impl Envelope<'_> {
    /// The event as rules and targets see it.
    fn text(&self, cx: &Cx<'_>, id: &str) -> String {
        let quoted = |text: &str| Json::from(text).to_string();
        format!(
            r#"{{"version":"0","id":{},"detail-type":{},"source":{},"account":"{}","time":"{}","region":"{}","resources":{},"detail":{}}}"#,
            quoted(id),
            quoted(self.detail_type),
            quoted(self.source),
            cx.scope.account,
            self.time,
            cx.scope.region,
            json!(self.resources),
            self.detail,
        )
    }
}

/// What became of an event: of each rule that matched it, its targets.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) matched: Vec<Matched>,
    /// The names of rules whose patterns the event is too complex for.
    pub(crate) undecided: Vec<String>,
}

/// What became of an event at one rule.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// The rule's targets by id, each with what it refused.
    pub(crate) targets: Vec<(String, Result<(), Fault>)>,
}

/// Matches an event against the rules of a bus and delivers it to their targets.
pub(crate) fn deliver(cx: &mut Cx<'_>, bus: &str, id: &str, envelope: &Envelope<'_>) -> Outcome {
    let text = envelope.text(cx, id);
    let patterns = cx.store().derived::<Patterns>();
    let decision = patterns.and_then(|patterns| patterns.decide(&cx.scope, bus, &text));
    let Some(decision) = decision else { return Outcome::default() };
    for name in &decision.undecided {
        let text = format!("rule `{name}` did not see event `{id}`: {}", EventError::TooComplex);
        cx.notice(Notice { kind: NoticeKind::Failed, subject: rule_arn(cx, bus, name), text, hint: None });
    }
    let undecided = decision.undecided.iter().map(ToString::to_string).collect();
    let rule = |name: &Arc<str>| cx.get::<Rule>(&rule_key(bus, name)).cloned();
    let matching: Vec<Rule> = decision.matched.iter().filter_map(rule).collect();
    if matching.is_empty() {
        return Outcome { matched: vec![], undecided };
    }
    let link = cx.cause.clone();
    // A given id may come twice; what each event brings about hangs on its own.
    let known = cx.get::<Cause>(id).is_some();
    let own = if known { format!("{id}@{}", cx.rng.hex(8)) } else { id.to_owned() };
    cx.because(&own, "event", &format!("event `{}` from `{}`", envelope.detail_type, envelope.source));
    let matched = matching.iter().map(|rule| invoke(cx, rule, &text, envelope.source)).collect();
    cx.cause = link;
    Outcome { matched, undecided }
}

/// Hands an event that a rule matched, or made, to every target of the rule.
pub(crate) fn invoke(cx: &mut Cx<'_>, rule: &Rule, event: &str, source: &str) -> Matched {
    let key = rule_key(&rule.bus, &rule.name);
    cx.update::<Rule, _>(&key, |rule| rule.matched_events += 1);
    let arn = rule_arn(cx, &rule.bus, &rule.name);
    let link = cx.cause.clone();
    let id = format!("{arn}@{}", cx.rng.hex(8));
    cx.because(&id, "rule", &format!("rule `{}`", rule.name));
    let mut targets = vec![];
    for target in &rule.targets {
        let text = format!("rule `{}` matched: target `{}`", rule.name, target.id);
        cx.notice(Notice { kind: NoticeKind::Progress, subject: arn.clone(), text, hint: None });
        let role = target.role_arn.as_deref().or(rule.role_arn.as_deref());
        let role = role.map(|role| format!(" as `{role}`")).unwrap_or_default();
        cx.because(&format!("{id}/{}", target.id), "target", &format!("target `{}`{role}", target.id));
        let outcome = cx.attempt(|cx| hand_over(cx, rule, target, event, &arn));
        cx.cause = Some(id.clone());
        cx.update::<Rule, _>(&key, |rule| match outcome {
            Ok(()) => rule.invocations += 1,
            Err(_) => rule.failed_invocations += 1,
        });
        if let Err(fault) = &outcome {
            tell(cx, rule, target, &arn, source, fault);
        }
        targets.push((target.id.clone(), outcome));
    }
    cx.cause = link;
    Matched { name: rule.name.clone(), arn, targets }
}

/// A failed invocation is an event and a line for the user, never silence.
fn tell(cx: &mut Cx<'_>, rule: &Rule, target: &api::Target, arn: &str, source: &str, fault: &Fault) {
    let text = format!("FailedInvocations of rule `{}`, target `{}`: {fault}", rule.name, target.id);
    cx.notice(Notice { kind: NoticeKind::Failed, subject: arn.to_owned(), text, hint: fault.hint.clone() });
    if let Some(queue) = target.dead_letter_config.as_ref().and_then(|it| it.arn.as_deref()) {
        let text = format!(
            "the dead letter of target `{}` went nowhere: `{queue}` is recorded, there are no queues",
            target.id
        );
        cx.notice(Notice { kind: NoticeKind::Failed, subject: arn.to_owned(), text, hint: None });
    }
    // A rule that matches these events and fails itself must not go on for ever.
    if source != OWN_SOURCE {
        let detail = json!({
            "rule": arn, "targetId": target.id, "targetArn": target.arn, "errorCode": fault.code, "errorMessage": fault.message,
        });
        let detail_type = "Target Invocation Failed";
        let event = Event { source: OWN_SOURCE, detail_type, resources: vec![arn.to_owned()], detail };
        // A failure to publish has been said by then.
        let _ = Bus.publish(cx, event);
    }
}

fn hand_over(cx: &mut Cx<'_>, rule: &Rule, target: &api::Target, event: &str, arn: &str) -> Result<(), Fault> {
    let input = target_input(target).map_err(|error| Fault::validation(error.to_string()))?;
    let document = Document::parse(event).map_err(|error| Fault::internal(error.to_string()))?;
    let ingested = cx.time().to_iso_seconds();
    let context = Context { rule_arn: arn, rule_name: &rule.name, ingestion_time: &ingested };
    let payload = input.render(&document, &context).map_err(|reason| {
        Fault::sender("InvalidInput", reason.to_string())
            .with_hint("see what the template produces with `neargate events transform`")
    })?;
    if target.ecs_parameters.is_some() {
        return ecs::run_task(cx, rule, target, &payload.text);
    }
    let service = target.arn.split(':').nth(2).unwrap_or_default();
    let text = format!("Neargate does not deliver to targets of `{service}` yet (`{}`)", target.arn);
    Err(Fault::sender("NotImplemented", text).with_status(501))
}

/// A target's input, as `PutTargets` checks it and delivery uses it.
pub(crate) fn target_input(target: &api::Target) -> Result<TargetInput, TransformError> {
    let transformer = target.input_transformer.as_ref().map(|it| {
        let paths = it.input_paths_map.iter().flatten().map(|(name, path)| (name.as_str(), path.as_str()));
        InputTransformer::parse(paths, &it.input_template)
    });
    TargetInput::from_members(target.input.as_deref(), target.input_path.as_deref(), transformer.transpose()?)
}
