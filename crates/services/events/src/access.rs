//! What EventBridge authorises calls for, with the condition keys that policies can ask about.
//!
//! Follows <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html> and
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html>.

use neargate_base::Arn;
use neargate_kernel::{Access, Cx};
use neargate_kit::Tagging;
use serde_json::Value as Json;

use crate::api;
use crate::state::{DEFAULT_BUS, EventBus, Rule, rule_key};

/// An action on the rule or bus that an ARN names, with its tags. What is not there has none.
pub(crate) fn on_resource(cx: &Cx<'_>, action: &str, arn: &str) -> Access {
    let resource = arn.parse::<Arn>().map(|arn| arn.resource).unwrap_or_default();
    let (tags, creator) = match resource.split_once('/') {
        Some(("rule", name)) => {
            let key =
                name.split_once('/').map_or_else(|| rule_key(DEFAULT_BUS, name), |(bus, name)| rule_key(bus, name));
            let rule = cx.get::<Rule>(&key);
            (rule.map(|rule| &rule.tags), rule.map(|rule| rule.created_by.clone()))
        }
        Some(("event-bus", name)) => (cx.get::<EventBus>(name).map(|bus| &bus.tags), None),
        _ => (None, None),
    };
    let creator = creator.unwrap_or_else(|| cx.scope.account.to_string());
    Access::new(action, arn)
        .with_resource_tags(None, pairs(tags.map(Vec::as_slice)))
        .with("events:creatorAccount", creator)
        // Rules that AWS services manage do not exist here.
        .complete("events:ManagedBy")
}

/// An access with the tags that its request brings.
pub(crate) fn with_tags(access: Access, tags: Option<&[api::Tag]>) -> Access {
    access.with_request_tags(pairs(tags))
}

/// An access with what a rule's event pattern asks of events.
pub(crate) fn with_pattern(mut access: Access, pattern: Option<&str>) -> Access {
    let pattern: Json = pattern.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let keys = [
        ("events:source", "/source"),
        ("events:detail-type", "/detail-type"),
        ("events:detail.service", "/detail/service"),
        ("events:detail.eventTypeCode", "/detail/eventTypeCode"),
        ("events:detail.userIdentity.principalId", "/detail/userIdentity/principalId"),
    ];
    for (key, place) in keys {
        access = access.complete(key);
        let values = pattern.pointer(place).and_then(Json::as_array).into_iter().flatten();
        let values: Vec<_> = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
        if !values.is_empty() {
            access = access.with_all(key, values);
        }
    }
    access
}

/// Handing a role to EventBridge.
pub(crate) fn pass_role(role: &String) -> Access {
    Access::new("iam:PassRole", role).with("iam:PassedToService", "events.amazonaws.com")
}

/// Tags of rules and buses.
pub(crate) const TAGS: Tagging<api::Tag> = Tagging::new(|tag| &tag.key, |tag| &tag.value);

fn pairs(tags: Option<&[api::Tag]>) -> Vec<(String, String)> {
    TAGS.pairs(tags.unwrap_or_default())
}
