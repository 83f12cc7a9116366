//! Exports of stacks outside of an app: a stack of their own has them, as on AWS another stack would.

use std::collections::BTreeMap;

use neargate_api::cloudformation as cfn;
use neargate_base::Diagnostic;
use serde_json::{Map, Value as Json, json};

use super::follow::{Ending, follow};
use super::{Detail, create, describe, last_event, update};
use crate::app::App;
use crate::app::synth::Stack;
use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Failure, Outcome};
use crate::screen::Screen;

/// The stack that exports what `[fixtures.exports]` has.
const STACK: &str = "neargate-exports";

/// The exports of an account and region: each name, and the stack that it is of.
pub(super) fn list(endpoint: &Endpoint) -> Result<Vec<(String, String)>, CallError> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let page: cfn::ListExportsOutput =
            endpoint.call(&cfn::SERVICE, &cfn::LIST_EXPORTS, cfn::ListExportsInput { next_token })?;
        let export = |it: cfn::Export| Some((it.name?, it.exporting_stack_id.unwrap_or_default()));
        all.extend(page.exports.into_iter().flatten().filter_map(export));
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

/// Exports what the configuration has and no other stack exports.
pub(super) fn put(screen: &Screen, endpoint: &Endpoint, app: &App) -> Outcome<()> {
    let existing = describe(endpoint, STACK)?;
    if app.config.fixtures.exports.is_empty() && existing.is_none() {
        return Ok(());
    }
    let others = list(endpoint)?;
    let is_own = |id: &str| id.split('/').nth(1) == Some(STACK);
    let is_of_another = |name: &String| others.iter().any(|(export, stack)| export == name && !is_own(stack));
    let wanted: BTreeMap<&String, &String> =
        app.config.fixtures.exports.iter().filter(|(name, _)| !is_of_another(name)).collect();
    if wanted.is_empty() && existing.is_none() {
        return Ok(());
    }
    let stack = stack(&wanted);
    let since = last_event(endpoint, STACK, existing.is_some())?;
    let id = match existing {
        None => Some(create(endpoint, &stack)?),
        Some(_) => update(endpoint, &stack)?,
    };
    let change = if id.is_some() { "" } else { "  unchanged" };
    if let Some(id) = id {
        let followed = follow(screen, endpoint, &id, STACK, since, Detail::Stacks)?;
        if let Ending::Failed(found) = followed.ending {
            let message = format!("the exports of `[fixtures.exports]` were not made: {}", found.stack_status);
            let reasons = found.stack_status_reason.into_iter().chain(followed.failures);
            let diagnostic = reasons.fold(Diagnostic::error(codes::STACK, message), |it, line| it.detail(line));
            return Err(Failure::failed(diagnostic));
        }
    }
    wanted.keys().for_each(|name| screen.step("fixture", &format!("export {name}{change}")));
    Ok(())
}

fn stack(exports: &BTreeMap<&String, &String>) -> Stack {
    let outputs = exports
        .iter()
        .enumerate()
        .map(|(at, (name, value))| (format!("Export{at}"), json!({ "Value": value, "Export": { "Name": name } })));
    let mut document = json!({
        "Description": "What neargate.toml has under [fixtures.exports]",
        "Resources": { "Exports": { "Type": "AWS::CDK::Metadata" } },
    });
    if let Some(members) = document.as_object_mut().filter(|_| !exports.is_empty()) {
        members.insert("Outputs".to_owned(), Json::Object(outputs.collect::<Map<_, _>>()));
    }
    let body = document.to_string();
    let (template, _) = neargate_template::Template::parse(&body, STACK);
    Stack::new(STACK, STACK, std::path::Path::new(STACK), body, template.unwrap_or_default())
}
