//! The ARNs that IAM's own operations are authorised for.

use neargate_kernel::{Access, Cx};

use crate::state;

/// An action on a role, by its name. The path of a role that is not there is taken for `/`.
pub(crate) fn on_role(cx: &Cx<'_>, action: &str, name: &str) -> Access {
    let account = &cx.scope.account;
    let arn = state::find_role(cx.store(), account, name).map(|role| role.arn(account));
    Access::new(action, arn.unwrap_or_else(|| on_path(cx, "role", None, name)))
}

/// The ARN of something that is made under a path.
pub(crate) fn on_path(cx: &Cx<'_>, kind: &str, path: Option<&str>, name: &str) -> String {
    cx.scope.global_arn("iam", &format!("{kind}{}{name}", path.unwrap_or("/")))
}
