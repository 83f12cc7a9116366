//! What AWS authorises each call for.
//!
//! What is done to a group is asked for its ARN with `:log-stream:` behind it, so that policies on the group's `Arn` attribute,
//! which ends in `:*`, hold for the group and for its streams; the tagging calls alone ask for the plain ARN.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Cx};

use crate::state::{LogGroup, stream_arn};

/// An action on a group.
pub(crate) fn on_group(cx: &Cx<'_>, action: &str, group: &str) -> Access {
    on_stream(cx, action, group, "")
}

/// An action on a stream.
pub(crate) fn on_stream(cx: &Cx<'_>, action: &str, group: &str, stream: &str) -> Access {
    with_group_tags(cx, Access::new(action, stream_arn(cx, group, stream)), group)
}

/// Adds the tags that a group has.
pub(crate) fn with_group_tags(cx: &Cx<'_>, access: Access, group: &str) -> Access {
    let tags = cx.get::<LogGroup>(group).map(|group| group.tags.clone()).unwrap_or_default();
    access.with_resource_tags(None, tags)
}

/// Adds the tags that a request brings.
pub(crate) fn with_request_tags(access: Access, tags: &BTreeMap<String, String>) -> Access {
    access.with_request_tags(tags.clone())
}
