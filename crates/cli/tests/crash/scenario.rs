//! The systems that are run: a task that an event starts, and one that a schedule starts, with a secret, a key and an encrypted log.
//!
//! Every step can be done again by a client that does not know how far it came.

use neargate_shape::ServiceShape;
use serde_json::{Value as Json, json};

use crate::client::{CallError, Client};

/// Between two fires of the schedule.
const HOURS_6_MS: i64 = 6 * 3_600_000;
/// What the secret's field holds. It must be in no file.
const API_KEY: &str = "a-key-that-no-file-may-hold";

/// Which system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A rule with a pattern, an input transformer, a task.
    Triggered,
    /// A rule with a cron expression, a task with a secret, a log group with a key of its own.
    Scheduled,
}

impl Scenario {
    pub(crate) fn stack(self) -> &'static str {
        match self {
            Self::Triggered => "TriggeredDynamic",
            Self::Scheduled => "ScheduledTask",
        }
    }

    pub(crate) fn template(self) -> &'static str {
        match self {
            Self::Triggered => include_str!("../../../../oracle/seeds/seed4/TriggeredDynamic.template.json"),
            Self::Scheduled => include_str!("ScheduledTask.template.json"),
        }
    }

    /// Texts that no file of the data directory may hold, whenever it is looked at.
    pub(crate) fn secrets(self) -> &'static [&'static str] {
        match self {
            // What the container prints.
            Self::Triggered => &["start event-", "end event-"],
            Self::Scheduled => &[API_KEY, "start key of", "end key of"],
        }
    }

    /// Makes what the stack only takes in.
    pub(crate) fn prepare(self, client: &Client) -> Result<(), CallError> {
        if self == Self::Triggered {
            return Ok(());
        }
        let input = json!({
            "Name": "app/creds", "ClientRequestToken": "0123456789abcdef0123456789abcdef",
            "SecretString": json!({ "apiKey": API_KEY }).to_string(),
        });
        client.call(&neargate_api::secretsmanager::SERVICE, "CreateSecret", input).map(drop)
    }

    /// What a task that the `number`-th start brings about prints.
    pub(crate) fn marker(self, number: usize) -> String {
        match self {
            Self::Triggered => format!("event-{number}"),
            Self::Scheduled => format!("key of {}", API_KEY.len()),
        }
    }

    /// A start that can be asked for any number of times: the schedule's next time.
    pub(crate) fn plan(self, client: &Client) -> Result<Json, CallError> {
        match self {
            Self::Triggered => Ok(Json::Null),
            Self::Scheduled => {
                let status = client.control("status")?;
                let now: neargate_base::Timestamp = status["service_time"].as_str().unwrap().parse().unwrap();
                let next = (now.millis().div_euclid(HOURS_6_MS) + 1) * HOURS_6_MS;
                Ok(json!({ "to": neargate_base::Timestamp(next).to_string(), "wait": false }))
            }
        }
    }

    /// Starts a task, once for every plan or marker.
    pub(crate) fn start(self, client: &Client, plan: &Json, marker: &str) -> Result<(), CallError> {
        if self == Self::Scheduled {
            return client.order("clock", plan).map(drop);
        }
        let detail = json!({ "subject": "execute", "command": marker }).to_string();
        let entry = json!({ "Source": "com.corp.env.my-proj.manage", "DetailType": "Management", "Detail": detail });
        let events: &'static ServiceShape = &neargate_api::events::SERVICE;
        let answer = client.call(events, "PutEvents", json!({ "Entries": [entry] }))?;
        assert_eq!(answer["FailedEntryCount"].as_i64().unwrap_or(0), 0, "{answer}");
        Ok(())
    }

    /// How many tasks so many acknowledged starts must have brought about. A turn of the clock is acknowledged before it is done.
    pub(crate) fn at_least(self, acknowledged: usize) -> usize {
        match self {
            Self::Triggered => acknowledged,
            Self::Scheduled => 0,
        }
    }

    /// The marker of a task, from what `DescribeTasks` shows of it.
    pub(crate) fn marker_of(self, view: &Json) -> String {
        if self == Self::Scheduled {
            return self.marker(0);
        }
        let variables = view["overrides"]["containerOverrides"][0]["environment"].as_array();
        let command = variables.into_iter().flatten().find(|it| it["name"] == "MANAGEMENT_COMMAND");
        command.and_then(|it| it["value"].as_str()).unwrap_or_default().to_owned()
    }
}
