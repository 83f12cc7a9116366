//! An event as the transformer sees it, and what surrounds it.
//!
//! Invariant: members keep their order and numbers keep their spelling, so the event is delivered as it was put.

use std::fmt;

use crate::json::{Json, JsonError};

/// A parsed event. Parse once, render for as many targets as match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event(Json);

impl Event {
    /// Reads an event's JSON text. A duplicated key keeps its last value.
    pub fn parse(text: &str) -> Result<Self, EventError> {
        Json::parse(text).map(Self).map_err(EventError)
    }

    /// Takes over a value that was parsed elsewhere. Numbers come as that parser left them.
    pub fn from_value(value: &serde_json::Value) -> Self {
        Self(Json::from_value(value))
    }

    pub(crate) fn root(&self) -> &Json {
        &self.0
    }

    /// `<aws.events.event>`: the envelope without `detail`, its type under the name `detailType`.
    pub(crate) fn envelope(&self) -> Json {
        let members = ["id", "account", "detail-type", "time", "source", "region", "resources", "version"];
        let member = |name: &str| {
            let value = self.0.member(name)?.clone();
            Some((if name == "detail-type" { "detailType" } else { name }.to_owned(), value))
        };
        Json::Object(members.into_iter().filter_map(member).collect())
    }
}

/// The text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventError(JsonError);

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event is not JSON: {}", self.0)
    }
}

impl std::error::Error for EventError {}

/// What the predefined variables stand for, beside the event itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context<'a> {
    /// `<aws.events.rule-arn>`.
    pub rule_arn: &'a str,
    /// `<aws.events.rule-name>`.
    pub rule_name: &'a str,
    /// `<aws.events.event.ingestion-time>`, ISO 8601: `2026-11-21T10:00:00Z`.
    pub ingestion_time: &'a str,
}
