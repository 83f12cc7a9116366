//! The control endpoint under `/_neargate/`: what an engine has that AWS does not.
//!
//! | call | answers |
//! |---|---|
//! | `GET status` | version, process, data directory, both clocks, how many requests came and were refused at the door |
//! | `GET tasks` | living tasks with their containers' processes |
//! | `GET task?id=ID` | what led to a task: event or schedule, rule, target, request, first things first |
//! | `GET notices?after=N&wait_ms=M` | what the user should hear, from a number on |
//! | `GET schedules` | rules with a schedule, of every account and region |
//! | `POST clock {"advance_ms"\|"to"\|"set", "wait"}` | turns or sets the clock |
//! | `POST fire {"rule"}` | lets the rule with that name or ARN fire once, now; answers what came of it |
//! | `POST events[?bus=NAME] [{"source", …}]` | puts events in the form that rules see, as the service would that they come from; answers what each one met |
//! | `GET types` | the CloudFormation resource types that stacks may have |
//! | `POST parameter {"account", "region", "name", "value"}` | gives a public parameter, `/aws/service/…`, its value |
//! | `POST secret {"arn", "value"}` | puts a value into the secret at that complete ARN, and makes the secret where there is none |
//! | `POST template[?account=A][&region=R]` | keeps a template that is too long for a call; answers the URL that the call names it by |
//! | `POST lacks?stack=NAME[&account=A][&region=R][&p.NAME=VALUE …]` | what of the template in the body cannot be done; makes nothing |
//! | `POST stop` | ends the engine |
//!
//! A `POST` needs the header `x-neargate-client`, which a page in somebody's browser cannot send.

use std::time::Duration;

use neargate_base::{Account, Arn, Region, Scope, Timestamp};
use neargate_kernel::{Command, Principal, Request as CoreRequest};
use neargate_runtime::crash;
use neargate_shape::Value;
use neargate_wire::{Request, Response, parse_form};
use serde_json::{Value as Json, json};

use super::edge::plain;
use super::{Edge, causes, events, fixtures, templates};
use crate::wall;
use crate::writer::{Refused, Writer};

/// Answers a request to the control endpoint.
pub(super) async fn answer(edge: &Edge, path: &str, request: &Request<'_>) -> Response {
    match (request.method, path) {
        ("GET", "status") => answer_json(Some(status(edge))),
        ("GET", "tasks") => answer_json(Some(edge.writer.snapshot().read(neargate_ecs::processes))),
        ("GET", "task") => answer_json(Some(task(edge, request))),
        ("GET", "notices") => notices(edge, request).await,
        ("GET", "schedules") => answer_json(Some(schedules(edge))),
        ("GET", "types") => answer_json(Some(types())),
        ("POST", _) if request.header("x-neargate-client").is_none() => {
            plain(403, "the header `x-neargate-client` is missing")
        }
        ("POST", "clock") => clock(edge, request.body).await,
        ("POST", "fire") => fire(edge, request.body).await,
        ("POST", "events") => events::put(edge, request).await,
        ("POST", "parameter") => fixtures::parameter(edge, request).await,
        ("POST", "secret") => secret(edge, request.body).await,
        ("POST", "template") => templates::keep(edge, request).await,
        ("POST", "lacks") => templates::lacks(edge, request).await,
        ("POST", "stop") => {
            let _ = edge.stop.send(()).await;
            answer_json(Some(json!({})))
        }
        _ => plain(404, "no such call of the control endpoint"),
    }
}

fn status(edge: &Edge) -> Json {
    let snapshot = edge.writer.snapshot();
    let (clock, unfinished) = snapshot.look(|store| (store.clock(), store.unfinished_effects()));
    let now = clock.at(wall::now());
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "instance": edge.instance,
        "data_dir": edge.data_dir.display().to_string(),
        "service_time": now.service.to_string(),
        "process_time": now.process.to_string(),
        "turning": clock.turning_to.is_some(),
        "backend": edge.tasks.backend_name(),
        "no_containers": edge.tasks.obstacle(),
        "unfinished_effects": unfinished,
        "not_written": snapshot.failure(),
        "crash_points": crash::reached(),
        "endpoint": edge.counts(),
    })
}

fn task(edge: &Edge, request: &Request<'_>) -> Json {
    let query = parse_form(request.query.as_bytes());
    let id = query.into_iter().find(|(key, _)| key == "id").map(|(_, id)| id).unwrap_or_default();
    let causes = edge.writer.snapshot().read(|store| causes::chain(store, &id));
    json!({ "task": id, "causes": causes })
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

async fn clock(edge: &Edge, body: &[u8]) -> Response {
    let Ok(wanted) = serde_json::from_slice::<Json>(body) else { return plain(400, "the body is no JSON") };
    let time = |member: &str| wanted.get(member).and_then(Json::as_str).map(str::parse::<Timestamp>);
    let waits_for_effects = wanted.get("wait").and_then(Json::as_bool).unwrap_or(true);
    let turn = |to: Timestamp| Command::TurnClock { to, waits_for_effects };
    let clock = edge.writer.snapshot().look(neargate_kernel::Store::clock);
    let command = match (wanted.get("advance_ms").and_then(Json::as_i64), time("to"), time("set")) {
        (Some(ms), None, None) => turn(clock.at(wall::now()).service.plus_ms(ms)),
        (None, Some(Ok(to)), None) => turn(to),
        (None, None, Some(Ok(to))) => Command::SetClock { to },
        (None, Some(Err(error)), None) | (None, None, Some(Err(error))) => return plain(400, &error),
        _ => return plain(400, "exactly one of `advance_ms`, `to` and `set` is expected"),
    };
    if let (Command::TurnClock { to, .. }, Some(end)) = (&command, clock.turning_to)
        && *to != end
    {
        let text =
            format!("the clock is being turned to {end} already: wait for it, or put an end to it with `clock set`");
        return plain(409, &text);
    }
    let after = matches!(command, Command::SetClock { .. }).then(neargate_events::after_clock_was_set);
    for command in [command].into_iter().chain(after) {
        match edge.writer.command(command).await {
            Ok((Ok(_), _)) => {}
            Ok((Err(fault), _)) => return plain(fault.status, &fault.to_string()),
            Err(refused) => return unanswered(refused),
        }
    }
    answer_json(Some(status(edge)))
}

fn schedules(edge: &Edge) -> Json {
    let rules = edge.writer.snapshot().read(neargate_events::scheduled).into_iter().map(|rule| {
        json!({
            "rule": rule.name, "arn": rule.arn, "expression": rule.expression, "enabled": rule.enabled,
            "enabled_at": rule.enabled_at.to_string(),
        })
    });
    json!({ "schedules": rules.collect::<Vec<_>>() })
}

fn types() -> Json {
    json!({ "types": crate::compose::registry().resource_names().collect::<Vec<_>>() })
}

async fn fire(edge: &Edge, body: &[u8]) -> Response {
    let wanted = serde_json::from_slice::<Json>(body).unwrap_or_default();
    let Some(wanted) = wanted.get("rule").and_then(Json::as_str) else {
        return plain(400, "a JSON object with the string `rule` is expected");
    };
    let mut rules = edge.writer.snapshot().read(neargate_events::scheduled);
    rules.retain(|rule| rule.name == wanted || rule.arn == wanted);
    let [rule] = rules.as_slice() else {
        let text = format!("{} rules with a schedule are called `{wanted}`, expected one", rules.len());
        return plain(if rules.is_empty() { 404 } else { 409 }, &text);
    };
    let before = edge.notices.last();
    match edge.writer.command(rule.fire()).await {
        Ok((Ok(_), _)) => {}
        Ok((Err(fault), _)) => return plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(refused) => return unanswered(refused),
    }
    // Notices go out before the reply.
    let time = edge.writer.snapshot().look(neargate_kernel::Store::clock).at(wall::now()).service;
    let notices = edge.notices.after(before, Duration::ZERO).into_iter();
    let about_rule: Vec<_> = notices.filter(|it| it.notice.subject == rule.arn).collect();
    answer_json(Some(json!({ "rule": rule.arn, "service_time": time.to_string(), "notices": about_rule })))
}

/// `CreateSecret` chooses the end of an ARN itself; a template that takes a secret in by its complete ARN needs that very one.
async fn secret(edge: &Edge, body: &[u8]) -> Response {
    let mut wanted = serde_json::from_slice::<Json>(body).unwrap_or_default();
    let mut text = |member: &str| wanted.get_mut(member).map(Json::take).and_then(|it| it.as_str().map(str::to_owned));
    let (Some(arn), Some(value)) = (text("arn"), text("value")) else {
        return plain(400, "a JSON object with the strings `arn` and `value` is expected");
    };
    let Ok(parsed) = arn.parse::<Arn>() else { return plain(400, &format!("`{arn}` is no ARN")) };
    if !Account::is_valid(&parsed.account) || !Region::exists(&parsed.region) {
        return plain(400, &format!("`{arn}` names no account or no region"));
    }
    let scope = Scope::new(&parsed.account, &parsed.region);
    match edge.writer.perform(scope, move |cx| neargate_secretsmanager::import(cx, &arn, value)).await {
        Ok(Ok(())) => answer_json(Some(json!({}))),
        Ok(Err(fault)) => plain(if fault.status == 503 { 503 } else { 409 }, &fault.to_string()),
        Err(refused) => unanswered(refused),
    }
}

/// An answer in JSON; `None` where the engine is stopping.
pub(super) fn answer_json(body: Option<Json>) -> Response {
    match body {
        Some(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/json".to_owned())],
            body: body.to_string().into_bytes().into(),
        },
        None => unanswered(Refused::Stopping),
    }
}

/// Why nothing can be answered.
pub(super) fn unanswered(refused: Refused) -> Response {
    match refused {
        Refused::Stopping => plain(503, "the engine is stopping"),
        Refused::Busy => plain(503, "more calls wait than the engine takes in"),
    }
}

/// Tells every living task to stop, as its account's root. Where the state cannot be written none is told.
pub(crate) fn stop_all_tasks(writer: &Writer) {
    let tasks = writer.snapshot().read(neargate_ecs::stoppable);
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
            client: None,
        };
        // One that is refused, since its task ended just now, is no loss.
        if writer.snapshot().failure().is_some() || writer.call_and_wait(call).is_err() {
            return;
        }
    }
}
