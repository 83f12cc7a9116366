//! The control endpoint: what an engine has that AWS does not.

use std::path::PathBuf;
use std::time::Duration;

use neargate_base::Timestamp;
use neargate_wire::Request;
use serde_json::{Value as Json, json};

use super::{CallError, Endpoint};

/// How an engine does.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// Its process.
    pub(crate) pid: i64,
    /// Its data directory.
    pub(crate) data_dir: PathBuf,
    /// Whether a turn of the clock is under way.
    pub(crate) is_turning: bool,
    /// Orders that are not carried out yet; a task is one until nothing is left of it.
    pub(crate) unfinished: i64,
    /// Everything, as it came.
    pub(crate) json: Json,
}

impl Status {
    /// Whether nothing is under way.
    pub(crate) fn is_at_rest(&self) -> bool {
        !self.is_turning && self.unfinished == 0
    }

    /// Why the engine has no containers; empty where it has them.
    pub(crate) fn no_containers(&self) -> &str {
        self.text("no_containers")
    }

    /// The member's text.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.json.get(member).and_then(Json::as_str).unwrap_or_default()
    }
}

/// One line that the engine says to its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Counts from 1.
    pub(crate) number: u64,
    /// Its kind.
    pub(crate) kind: NoticeKind,
    /// What it is about.
    pub(crate) subject: String,
    /// The line.
    pub(crate) text: String,
    /// The way out, where there is one.
    pub(crate) hint: Option<String>,
}

/// What a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// Something was accepted that is not acted on.
    NotSimulated,
    /// Something asynchronous failed.
    Failed,
    /// Something took place.
    Progress,
}

impl NoticeKind {
    /// As the engine writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotSimulated => "not-simulated",
            Self::Failed => "failed",
            Self::Progress => "progress",
        }
    }

    fn parse(name: &str) -> Self {
        [Self::NotSimulated, Self::Failed].into_iter().find(|kind| kind.name() == name).unwrap_or(Self::Progress)
    }
}

/// A rule with a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScheduledRule {
    /// Its name.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// Its schedule expression.
    pub(crate) expression: String,
    /// Whether it fires.
    pub(crate) is_enabled: bool,
    /// Where a rate counts from.
    pub(crate) enabled_at: Timestamp,
}

/// One link of the chain of causes that led to something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// `request`, `event`, `schedule`, `rule`, `target`.
    pub(crate) kind: String,
    /// Its id.
    pub(crate) id: String,
    /// What a person calls it.
    pub(crate) name: String,
    /// When, by service time.
    pub(crate) time: Option<String>,
}

/// Something in a template that the engine cannot do.
#[derive(Clone, Debug)]
pub(crate) struct Lack {
    /// Such as `Resources.Task.Properties.ContainerDefinitions[0].MountPoints`.
    pub(crate) path: String,
    /// What is not done.
    pub(crate) text: String,
}

/// What to do with the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Move forward by so many milliseconds; what falls due on the way takes place.
    Advance(i64),
    /// Move forward to a moment.
    To(String),
    /// Put the clock to a moment at once.
    Set(String),
}

impl Endpoint {
    /// How the engine does.
    pub(crate) fn status(&self) -> Result<Status, CallError> {
        self.control("GET", "status", "", &Json::Null, Duration::ZERO).map(status)
    }

    /// The same, and nothing where nobody answers.
    pub(crate) fn status_if_there(&self) -> Result<Option<Status>, CallError> {
        match self.status() {
            Err(CallError::Unreachable { .. }) => Ok(None),
            status => status.map(Some),
        }
    }

    /// Notices after a number; waits for one up to `wait`.
    pub(crate) fn notices(&self, after: u64, wait: Duration) -> Result<Vec<Notice>, CallError> {
        let query = format!("after={after}&wait_ms={}", wait.as_millis());
        let answer = self.control("GET", "notices", &query, &Json::Null, wait)?;
        let notices = answer.get("notices").and_then(Json::as_array).into_iter().flatten();
        Ok(notices.filter_map(notice).collect())
    }

    /// Turns or sets the clock.
    pub(crate) fn turn(&self, turn: &Turn, waits_for_effects: bool) -> Result<Status, CallError> {
        let mut wanted = match turn {
            Turn::Advance(ms) => json!({ "advance_ms": ms }),
            Turn::To(time) => json!({ "to": time }),
            Turn::Set(time) => json!({ "set": time }),
        };
        if let Some(members) = wanted.as_object_mut() {
            members.insert("wait".to_owned(), waits_for_effects.into());
        }
        self.control("POST", "clock", "", &wanted, Duration::ZERO).map(status)
    }

    /// The rules with a schedule, of every account and region.
    pub(crate) fn schedules(&self) -> Result<Vec<ScheduledRule>, CallError> {
        let answer = self.control("GET", "schedules", "", &Json::Null, Duration::ZERO)?;
        let rules = answer.get("schedules").and_then(Json::as_array).into_iter().flatten();
        Ok(rules.filter_map(scheduled_rule).collect())
    }

    /// The ARNs of the tasks that are not over.
    pub(crate) fn living_tasks(&self) -> Result<Vec<String>, CallError> {
        let answer = self.control("GET", "tasks", "", &Json::Null, Duration::ZERO)?;
        let tasks = answer.as_array().into_iter().flatten();
        Ok(tasks.filter_map(|it| it.get("task")?.as_str().map(str::to_owned)).collect())
    }

    /// The resource types that stacks may have.
    pub(crate) fn resource_types(&self) -> Result<Vec<String>, CallError> {
        let answer = self.control("GET", "types", "", &Json::Null, Duration::ZERO)?;
        let types = answer.get("types").and_then(Json::as_array).into_iter().flatten();
        Ok(types.filter_map(Json::as_str).map(str::to_owned).collect())
    }

    /// Gives a public parameter, `/aws/service/…`, its value.
    pub(crate) fn put_public_parameter(&self, name: &str, value: &str) -> Result<(), CallError> {
        let body = json!({ "account": self.account(), "region": self.region(), "name": name, "value": value });
        self.control("POST", "parameter", "", &body, Duration::ZERO).map(drop)
    }

    /// Lets a rule fire once, now; answers what the engine says about it.
    pub(crate) fn fire(&self, rule_arn: &str) -> Result<Vec<Notice>, CallError> {
        let answer = self.control("POST", "fire", "", &json!({ "rule": rule_arn }), Duration::ZERO)?;
        let notices = answer.get("notices").and_then(Json::as_array).into_iter().flatten();
        Ok(notices.filter_map(notice).collect())
    }

    /// Puts an event as rules see it, as the service would that it comes from; answers its id.
    pub(crate) fn put_event_of_service(&self, bus: Option<&str>, event: &str) -> Result<Option<String>, CallError> {
        let bus = bus.map(|bus| format!("&bus={}", escaped(bus))).unwrap_or_default();
        let query = format!("account={}&region={}{bus}", self.account(), escaped(self.region()));
        let answer = self.control_text("POST", "events", &query, &format!("[{event}]"), Duration::ZERO)?;
        Ok(answer.pointer("/events/0/id").and_then(Json::as_str).map(str::to_owned))
    }

    /// Puts a value into the secret at a complete ARN, and makes the secret where there is none.
    pub(crate) fn put_secret_at(&self, arn: &str, value: &str) -> Result<(), CallError> {
        self.control("POST", "secret", "", &json!({ "arn": arn, "value": value }), Duration::ZERO).map(drop)
    }

    /// What the engine cannot do of a template, before anything is made of it.
    pub(crate) fn lacks<'p>(
        &self,
        stack: &str,
        template: &str,
        parameters: impl Iterator<Item = (&'p String, &'p String)>,
    ) -> Result<Vec<Lack>, CallError> {
        let given = parameters.map(|(name, value)| format!("&p.{}={}", escaped(name), escaped(value)));
        let (account, region) = (self.account(), self.region());
        let query = format!("stack={}&account={account}&region={region}{}", escaped(stack), given.collect::<String>());
        let answer = self.control_text("POST", "lacks", &query, template, Duration::ZERO)?;
        let lacks = answer.get("lacks").and_then(Json::as_array).into_iter().flatten();
        let lack = |it: &Json| {
            let text = |member: &str| it.get(member).and_then(Json::as_str).map(str::to_owned);
            Some(Lack { path: text("path")?, text: text("text")? })
        };
        Ok(lacks.filter_map(lack).collect())
    }

    /// Hands over a template that is too long for a call; answers the URL to name it by.
    pub(crate) fn keep_template(&self, text: &str) -> Result<String, CallError> {
        let query = format!("account={}&region={}", self.account(), self.region());
        let answer = self.control_text("POST", "template", &query, text, Duration::ZERO)?;
        Ok(answer.get("url").and_then(Json::as_str).unwrap_or_default().to_owned())
    }

    /// What led to a task, first things first; nothing where the engine knows of nothing.
    pub(crate) fn causes(&self, task: &str) -> Result<Vec<Link>, CallError> {
        let answer = self.control("GET", "task", &format!("id={task}"), &Json::Null, Duration::ZERO)?;
        let links = answer.get("causes").and_then(Json::as_array).into_iter().flatten();
        Ok(links.filter_map(link).collect())
    }

    /// Asks the engine to end.
    pub(crate) fn ask_to_stop(&self) -> Result<(), CallError> {
        self.control("POST", "stop", "", &json!({}), Duration::ZERO).map(drop)
    }

    fn control(&self, method: &str, call: &str, query: &str, body: &Json, wait: Duration) -> Result<Json, CallError> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.control_text(method, call, query, &body, wait)
    }

    fn control_text(
        &self,
        method: &str,
        call: &str,
        query: &str,
        body: &str,
        wait: Duration,
    ) -> Result<Json, CallError> {
        let (path, host) = (format!("/_neargate/{call}"), self.address.to_string());
        let headers = [("host", host.as_str()), ("content-type", "application/json"), ("x-neargate-client", "cli")];
        let request = Request { method, path: &path, query, headers: &headers, body: body.as_bytes() };
        let response = self.exchange(&request, "neargate", super::PATIENCE + wait, || self.keys.for_control())?;
        let unreadable = |cause: String| CallError::Unreadable { call: format!("neargate:{call}"), cause };
        if response.status != 200 {
            let text = String::from_utf8_lossy(&response.body).trim().to_owned();
            let code = match response.status {
                400 => "bad request",
                404 => "not found",
                409 => "conflict",
                status => return Err(unreadable(format!("status {status}: {text}"))),
            };
            let (call, code) = (format!("neargate:{call}"), code.to_owned());
            return Err(CallError::Fault { call, code, message: text, hint: None });
        }
        serde_json::from_slice(&response.body).map_err(|error| unreadable(error.to_string()))
    }
}

/// A text in a query.
fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn status(json: Json) -> Status {
    let number = |member: &str| json.get(member).and_then(Json::as_i64).unwrap_or_default();
    Status {
        pid: number("pid"),
        data_dir: json.get("data_dir").and_then(Json::as_str).unwrap_or_default().into(),
        is_turning: json.get("turning").and_then(Json::as_bool).unwrap_or_default(),
        unfinished: number("unfinished_effects"),
        json,
    }
}

fn scheduled_rule(json: &Json) -> Option<ScheduledRule> {
    let text = |member: &str| json.get(member).and_then(Json::as_str).map(str::to_owned);
    Some(ScheduledRule {
        name: text("rule")?,
        arn: text("arn")?,
        expression: text("expression")?,
        is_enabled: json.get("enabled")?.as_bool()?,
        enabled_at: text("enabled_at")?.parse().ok()?,
    })
}

fn link(json: &Json) -> Option<Link> {
    let text = |member: &str| json.get(member).and_then(Json::as_str).map(str::to_owned);
    Some(Link { kind: text("kind")?, id: text("id")?, name: text("name")?, time: text("time") })
}

fn notice(json: &Json) -> Option<Notice> {
    let text = |member: &str| json.get(member).and_then(Json::as_str).map(str::to_owned);
    Some(Notice {
        number: json.get("number")?.as_u64()?,
        kind: NoticeKind::parse(&text("kind")?),
        subject: text("subject").unwrap_or_default(),
        text: text("text")?,
        hint: text("hint"),
    })
}
