//! The ARNs that IAM's own operations are authorised for.

use neargate_kernel::{Access, Cx};

use crate::api::Tag;
use crate::state;

/// An action on a role, by its name. The path of a role that is not there is taken for `/`.
pub(crate) fn on_role(cx: &Cx<'_>, action: &str, name: &str) -> Access {
    let account = &cx.scope.account;
    let role = state::find_role(cx.store(), account, name);
    let arn = role.map_or_else(|| on_path(cx, "role", None, name), |role| role.arn(account));
    let tags = role.map(|role| pairs(Some(&role.tags))).unwrap_or_default();
    Access::new(action, arn)
        .with_option("iam:PermissionsBoundary", role.and_then(|role| role.boundary.as_deref()))
        .with_resource_tags(Some("iam:ResourceTag/"), tags)
}

/// Tags as condition keys take them.
pub(crate) fn pairs(tags: Option<&[Tag]>) -> Vec<(String, String)> {
    tags.unwrap_or_default().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// The ARN of something that is made under a path.
pub(crate) fn on_path(cx: &Cx<'_>, kind: &str, path: Option<&str>, name: &str) -> String {
    cx.scope.global_arn("iam", &format!("{kind}{}{name}", path.unwrap_or("/")))
}
