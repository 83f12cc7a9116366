//! The control endpoint under `/_neargate/`: what an engine has that AWS does not.
//!
//! | call | answers |
//! |---|---|
//! | `GET status` | version, process, data directory, both clocks |
//! | `GET tasks` | living tasks with their containers' processes |
//! | `GET task?id=ID` | what led to a task: event or schedule, rule, target, request, first things first |
//! | `GET notices?after=N&wait_ms=M` | what the user should hear, from a number on |
//! | `GET schedules` | rules with a schedule, of every account and region |
//! | `POST clock {"advance_ms"\|"to"\|"set", "wait"}` | turns or sets the clock |
//! | `POST fire {"rule"}` | lets the rule with that name or ARN fire once, now; answers what came of it |
//! | `POST events[?bus=NAME] [{"source", …}]` | puts events in the form that rules see, as the service would that they come from; answers what each one met |
//! | `POST secret {"arn", "value"}` | puts a value into the secret at that complete ARN, and makes the secret where there is none |
//! | `POST stop` | ends the engine |
//!
//! A `POST` needs the header `x-neargate-client`, which a page in somebody's browser cannot send.

use std::time::Duration;

use neargate_base::{Account, Arn, Scope, Timestamp};
use neargate_kernel::{Command, Principal, Request as CoreRequest};
use neargate_runtime::crash;
use neargate_shape::Value;
use neargate_wire::{Request, Response, parse_form};
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;

use super::edge::plain;
use super::{Edge, causes, events};
use crate::wall;
use crate::writer::Writer;

/// Answers a request to the control endpoint.
pub(super) async fn answer(edge: &Edge, path: &str, request: &Request<'_>) -> Response {
    match (request.method, path) {
        ("GET", "status") => answer_json(status(edge)),
        ("GET", "tasks") => answer_json(edge.writer.look(|core| neargate_ecs::processes(core.store()))),
        ("GET", "task") => answer_json(task(edge, request)),
        ("GET", "notices") => notices(edge, request).await,
        ("GET", "schedules") => answer_json(schedules(edge)),
        ("POST", _) if request.header("x-neargate-client").is_none() => {
            plain(403, "the header `x-neargate-client` is missing")
        }
        ("POST", "clock") => clock(edge, request.body),
        ("POST", "fire") => fire(edge, request.body).await,
        ("POST", "events") => events::put(edge, request).await,
        ("POST", "secret") => secret(edge, request.body).await,
        ("POST", "stop") => {
            let _ = edge.stop.send(()).await;
            answer_json(Some(json!({})))
        }
        _ => plain(404, "no such call of the control endpoint"),
    }
}

fn status(edge: &Edge) -> Option<Json> {
    // The machine's time is taken when the writer looks: one taken before would lie before a turn just made.
    let (now, turning, unfinished) =
        edge.writer.look(|core| (core.now(wall::now()), core.is_turning(), core.unfinished_count()))?;
    Some(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "instance": edge.instance,
        "data_dir": edge.data_dir.display().to_string(),
        "service_time": now.service.to_string(),
        "process_time": now.process.to_string(),
        "turning": turning,
        "unfinished_effects": unfinished,
        "crash_points": crash::reached(),
    }))
}

fn task(edge: &Edge, request: &Request<'_>) -> Option<Json> {
    let query = parse_form(request.query.as_bytes());
    let id = query.into_iter().find(|(key, _)| key == "id").map(|(_, id)| id).unwrap_or_default();
    let causes = edge.writer.look({
        let id = id.clone();
        move |core| causes::chain(core.store(), &id)
    })?;
    Some(json!({ "task": id, "causes": causes }))
}

async fn notices(edge: &Edge, request: &Request<'_>) -> Response {
    let query = parse_form(request.query.as_bytes());
    let number =
        |name: &str| query.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<u64>().ok());
    let (after, wait_ms) = (number("after").unwrap_or(0), number("wait_ms").unwrap_or(0).min(30_000));
    let board = std::sync::Arc::clone(&edge.notices);
    let found = tokio::task::spawn_blocking(move || board.after(after, Duration::from_millis(wait_ms))).await;
    answer_json(found.ok().map(|notices| json!({ "notices": notices })))
}

fn clock(edge: &Edge, body: &[u8]) -> Response {
    let Ok(wanted) = serde_json::from_slice::<Json>(body) else { return plain(400, "the body is no JSON") };
    let time = |member: &str| wanted.get(member).and_then(Json::as_str).map(str::parse::<Timestamp>);
    let waits_for_effects = wanted.get("wait").and_then(Json::as_bool).unwrap_or(true);
    let turn = |to: Timestamp| Command::TurnClock { to, waits_for_effects };
    let Some((now, turning_to)) = edge.writer.look(|core| (core.now(wall::now()).service, core.turning_to())) else {
        return answer_json(None);
    };
    let command = match (wanted.get("advance_ms").and_then(Json::as_i64), time("to"), time("set")) {
        (Some(ms), None, None) => turn(now.plus_ms(ms)),
        (None, Some(Ok(to)), None) => turn(to),
        (None, None, Some(Ok(to))) => Command::SetClock { to },
        (None, Some(Err(error)), None) | (None, None, Some(Err(error))) => return plain(400, &error),
        _ => return plain(400, "exactly one of `advance_ms`, `to` and `set` is expected"),
    };
    match (&command, turning_to) {
        (Command::TurnClock { to, .. }, Some(end)) if *to != end => {
            let text = format!(
                "the clock is being turned to {end} already: wait for it, or put an end to it with `clock set`"
            );
            return plain(409, &text);
        }
        (Command::SetClock { .. }, _) => {
            edge.writer.command(command);
            edge.writer.command(neargate_events::after_clock_was_set());
            return answer_json(status(edge));
        }
        _ => {}
    }
    edge.writer.command(command);
    answer_json(status(edge))
}

fn schedules(edge: &Edge) -> Option<Json> {
    let rules = edge.writer.look(|core| neargate_events::scheduled(core.store()))?;
    let rules = rules.into_iter().map(|rule| {
        json!({
            "rule": rule.name, "arn": rule.arn, "expression": rule.expression, "enabled": rule.enabled,
            "enabled_at": rule.enabled_at.to_string(),
        })
    });
    Some(json!({ "schedules": rules.collect::<Vec<_>>() }))
}

async fn fire(edge: &Edge, body: &[u8]) -> Response {
    let wanted = serde_json::from_slice::<Json>(body).unwrap_or_default();
    let Some(wanted) = wanted.get("rule").and_then(Json::as_str) else {
        return plain(400, "a JSON object with the string `rule` is expected");
    };
    let Some(mut rules) = edge.writer.look(|core| neargate_events::scheduled(core.store())) else {
        return answer_json(None);
    };
    rules.retain(|rule| rule.name == wanted || rule.arn == wanted);
    let [rule] = rules.as_slice() else {
        let text = format!("{} rules with a schedule are called `{wanted}`, expected one", rules.len());
        return plain(if rules.is_empty() { 404 } else { 409 }, &text);
    };
    let before = edge.notices.last();
    let (sender, receiver) = oneshot::channel();
    edge.writer.ask(rule.fire(), move |reply, _| drop(sender.send(reply)));
    match receiver.await {
        Ok(Ok(_)) => {}
        Ok(Err(fault)) => return plain(409, &fault.to_string()),
        Err(_) => return answer_json(None),
    }
    // The look waits for the notices, which go out after the reply.
    let time = edge.writer.look(|core| core.now(wall::now()).service);
    let notices = edge.notices.after(before, Duration::ZERO).into_iter();
    let about_rule: Vec<_> = notices.filter(|it| it.notice.subject == rule.arn).collect();
    answer_json(time.map(|time| json!({ "rule": rule.arn, "service_time": time.to_string(), "notices": about_rule })))
}

/// `CreateSecret` chooses the end of an ARN itself; a template that takes a secret in by its complete ARN needs that very one.
async fn secret(edge: &Edge, body: &[u8]) -> Response {
    let mut wanted = serde_json::from_slice::<Json>(body).unwrap_or_default();
    let mut text = |member: &str| wanted.get_mut(member).map(Json::take).and_then(|it| it.as_str().map(str::to_owned));
    let (Some(arn), Some(value)) = (text("arn"), text("value")) else {
        return plain(400, "a JSON object with the strings `arn` and `value` is expected");
    };
    let Ok(parsed) = arn.parse::<Arn>() else { return plain(400, &format!("`{arn}` is no ARN")) };
    if !Account::is_valid(&parsed.account) || parsed.region.is_empty() {
        return plain(400, &format!("`{arn}` names no account or no region"));
    }
    let (scope, writer) = (Scope::new(&parsed.account, &parsed.region), edge.writer.clone());
    let work = move || writer.perform(scope, move |cx| neargate_secretsmanager::import(cx, &arn, value));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(())) => answer_json(Some(json!({}))),
        Ok(Err(fault)) => plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(_) => answer_json(None),
    }
}

/// An answer in JSON; `None` where the engine is stopping.
pub(super) fn answer_json(body: Option<Json>) -> Response {
    match body {
        Some(body) => Response {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        },
        None => plain(503, "the engine is stopping"),
    }
}

/// Tells every living task to stop, as its account's root.
pub(crate) fn stop_all_tasks(writer: &Writer) {
    let tasks = writer.look(|core| neargate_ecs::stoppable(core.store())).unwrap_or_default();
    for (scope, cluster, task) in tasks {
        let principal = Principal::root(&scope.account);
        let input = [("cluster", cluster), ("task", task), ("reason", "The engine was stopped".to_owned())];
        let call = CoreRequest {
            scope,
            principal,
            service: "ecs".to_owned(),
            operation: "StopTask".to_owned(),
            input: Value::Structure(input.into_iter().map(|(name, text)| (name, Value::from(text))).collect()),
            request_id: String::new(),
        };
        writer.request(call, |_, _| {});
    }
}
