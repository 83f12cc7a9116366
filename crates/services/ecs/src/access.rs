//! What ECS authorises calls for, with the condition keys that policies can ask about.
//!
//! Follows <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>.

use neargate_base::Arn;
use neargate_kernel::{Access, Cx};
use neargate_kit::Tagging;

use crate::api;
use crate::errors::EcsError;
use crate::state::{Cluster, Task, cluster_arn, cluster_name, definition, task_id};

const SERVICE: &str = "ecs-tasks.amazonaws.com";

/// An action on what an ARN names, with its tags. What is not there has none.
pub(crate) fn on_resource(cx: &Cx<'_>, action: &str, arn: &str) -> Access {
    let access = Access::new(action, arn);
    let parsed = arn.parse::<Arn>().ok();
    let tags = match parsed.as_ref().and_then(|arn| arn.resource.split_once('/')) {
        Some(("cluster", name)) => cx.get::<Cluster>(name).map(|cluster| cluster.tags.clone()),
        Some(("task", _)) => cx.get::<Task>(task_id(arn)).and_then(|task| task.view.tags.clone()),
        Some(("task-definition", _)) => definition(cx, arn).ok().map(|definition| definition.tags),
        _ => None,
    };
    access.with_resource_tags(Some("ecs:ResourceTag/"), pairs(tags.as_deref())).complete("ecs:CreateAction")
}

/// An action on a cluster.
pub(crate) fn on_cluster(cx: &Cx<'_>, action: &str, cluster: Option<&str>) -> Access {
    let arn = cluster_arn(cx, &cluster_name(cluster));
    on_resource(cx, action, &arn).with("ecs:cluster", arn)
}

/// An action on a task of a cluster.
pub(crate) fn on_task(cx: &Cx<'_>, action: &str, cluster: Option<&str>, task: &str) -> Access {
    let cluster = cluster_name(cluster);
    let arn = cx.scope.arn("ecs", &format!("task/{cluster}/{}", task_id(task)));
    on_resource(cx, action, &arn).with("ecs:cluster", cluster_arn(cx, &cluster))
}

/// An action that makes something, or is about nothing that is there.
pub(crate) fn on_new(action: &str, resource: impl Into<String>) -> Access {
    Access::new(action, resource).with_resource_tags(Some("ecs:ResourceTag/"), [])
}

/// Tags of clusters, task definitions and tasks.
pub(crate) const TAGS: Tagging<api::Tag> =
    Tagging::new(|tag| tag.key.as_deref().unwrap_or_default(), |tag| tag.value.as_deref().unwrap_or_default());

/// The tags of something new.
pub(crate) fn new_tags(tags: Option<Vec<api::Tag>>) -> Result<Vec<api::Tag>, EcsError> {
    let tags = tags.unwrap_or_default();
    TAGS.check(&tags)?;
    Ok(tags)
}

/// An access with the tags that its request brings.
pub(crate) fn with_tags(access: Access, tags: Option<&[api::Tag]>) -> Access {
    access.with_request_tags(pairs(tags))
}

/// Handing a role to a task.
pub(crate) fn pass_role(role: &String) -> Access {
    Access::new("iam:PassRole", role).with("iam:PassedToService", SERVICE)
}

fn pairs(tags: Option<&[api::Tag]>) -> Vec<(String, String)> {
    TAGS.pairs(tags.unwrap_or_default())
}
