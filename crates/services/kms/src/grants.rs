//! Grants as statements: a grant that applies to a request is added to the key's policy for it, so that a deny still wins.

use neargate_kernel::Cx;
use serde_json::{Value as Json, json};

use crate::cipher::Context;
use crate::reference::Found;
use crate::state::{GrantRecord, is_service};

/// The key's policy with the grants that allow `operation` under this encryption context.
pub(crate) fn policy_with_grants(cx: &Cx<'_>, found: &Found, operation: &str, context: &Context) -> String {
    let grants = cx.store().scan::<GrantRecord>(&found.scope, &format!("{}/", found.key.id));
    let statements: Vec<_> = grants
        .map(|(_, grant)| grant)
        .filter(|grant| grant.operations.iter().any(|allowed| allowed == operation) && fits(grant, context))
        .map(|grant| statement(grant, operation))
        .collect();
    let document = || serde_json::from_str::<Json>(&found.key.policy).ok();
    let Some(mut document) = (!statements.is_empty()).then(document).flatten() else { return found.key.policy.clone() };
    if let Some(own) = document.get_mut("Statement") {
        let before = if own.is_array() { own.take() } else { Json::Array(vec![own.take()]) };
        *own = before.as_array().into_iter().flatten().cloned().chain(statements).collect();
    }
    document.to_string()
}

fn statement(grant: &GrantRecord, operation: &str) -> Json {
    let kind = if is_service(&grant.grantee) { "Service" } else { "AWS" };
    let mut statement = json!({
        "Sid": format!("grant {}", grant.id),
        "Effect": "Allow",
        "Principal": {kind: grant.grantee},
        "Action": format!("kms:{operation}"),
        "Resource": "*",
    });
    let source = grant.constraints.as_ref().and_then(|constraints| constraints.source_arn.as_ref());
    if let (Some(source), Some(statement)) = (source, statement.as_object_mut()) {
        statement.insert("Condition".to_owned(), json!({"ArnEquals": {"aws:SourceArn": source}}));
    }
    statement
}

fn fits(grant: &GrantRecord, context: &Context) -> bool {
    let Some(constraints) = &grant.constraints else { return true };
    let has = |(key, value): (&String, &String)| context.get(key) == Some(value);
    constraints.encryption_context_subset.as_ref().is_none_or(|subset| subset.iter().all(has))
        && constraints.encryption_context_equals.as_ref().is_none_or(|equals| equals == context)
}
