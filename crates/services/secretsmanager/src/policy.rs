//! Resource policies of secrets: what makes one acceptable, and whether it lets anybody in.

use neargate_kernel::Cx;
use serde_json::Value as Json;

use crate::errors::SecretError;

/// Refuses a policy that is none or names principals who do not exist; with `blocks_public`, also one that lets anybody in.
pub(crate) fn check(cx: &Cx<'_>, text: &str, blocks_public: bool) -> Result<(), SecretError> {
    cx.registry.ports.authorizer.check_resource_policy(cx.store(), text).map_err(SecretError::Policy)?;
    if blocks_public && is_public(text) { Err(SecretError::PublicPolicy) } else { Ok(()) }
}

/// Whether a statement allows everybody without a condition.
pub(crate) fn is_public(text: &str) -> bool {
    let document: Json = serde_json::from_str(text).unwrap_or_default();
    let statements = match document.get("Statement") {
        Some(Json::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => vec![],
    };
    let anybody = |principal: &Json| match principal.get("AWS").unwrap_or(principal) {
        Json::String(text) => text == "*",
        Json::Array(items) => items.iter().any(|item| item == "*"),
        _ => false,
    };
    statements.into_iter().any(|statement| {
        statement.get("Effect").is_some_and(|effect| effect == "Allow")
            && statement.get("Condition").is_none()
            && (statement.get("NotPrincipal").is_some() || statement.get("Principal").is_some_and(anybody))
    })
}
