//! Stacks: made or changed one after the other, each followed until it is done.

mod exports;
mod fixtures;
mod follow;
mod imports;
mod lacks;
mod lines;

use std::time::{Duration, Instant};

use neargate_api::cloudformation as cfn;
use neargate_base::{Diagnostic, Severity};
use serde_json::{Value as Json, json};

use crate::app::synth::{Stack, Synthesized, place};
use crate::app::{App, log_key};
use crate::codes;
use crate::endpoint::control::NoticeKind;
use crate::endpoint::{CallError, Endpoint};
use crate::images::Stores;
use crate::outcome::{Failure, Outcome};
use crate::places::read_text;
use crate::screen::{Paint, Screen};
use crate::words::counted;
use follow::{Ending, Followed, follow};

/// How much is said on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A line a stack.
    Stacks,
    /// A line a resource.
    Resources,
}

/// What is to be deployed, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) app: &'a App,
    pub(crate) made: &'a Synthesized,
    /// Where its images are.
    pub(crate) stores: &'a Stores,
    pub(crate) detail: Detail,
    /// What an image is that nobody has: it may still come, or not.
    pub(crate) without_image: Severity,
}

/// Makes or changes every stack of an app, in order. Answers a summary of each.
pub(crate) fn deploy(screen: &Screen, endpoint: &Endpoint, order: &Order<'_>) -> Outcome<Vec<Json>> {
    let Order { app, made, detail, .. } = *order;
    for warning in &made.warnings {
        screen.diagnostic(warning);
    }
    lacks::check(screen, endpoint, order)?;
    // First those whose ARNs are given: by its name, each of them is that very secret then.
    fixtures::put_at_arns(screen, endpoint, app)?;
    for (account, region) in environments(made) {
        let endpoint = endpoint.in_environment(account.as_deref(), region.as_deref());
        fixtures::put(screen, &endpoint, app, made)?;
        exports::put(screen, &endpoint, app)?;
    }
    let mut summaries = vec![];
    for stack in &made.stacks {
        check_assets(screen, stack)?;
        let endpoint = endpoint.in_environment(stack.account.as_deref(), stack.region.as_deref());
        summaries.push(deploy_stack(screen, &endpoint, stack, detail)?);
    }
    Ok(summaries)
}

/// Lets CloudWatch Logs use the keys of log groups in the templates that are deployed, and says which.
pub(crate) fn fix_log_keys(screen: &Screen, made: &mut Synthesized) {
    for key in log_key::mend(made) {
        let text = format!("the policy of `{key}` lets CloudWatch Logs use the key, in this engine only");
        screen.step_in(Paint::Yellow, "mended", &text);
    }
}

/// The accounts and regions that the stacks name, each pair once.
pub(crate) fn environments(made: &Synthesized) -> Vec<(Option<String>, Option<String>)> {
    let mut all: Vec<_> = made.stacks.iter().map(|stack| (stack.account.clone(), stack.region.clone())).collect();
    all.sort();
    all.dedup();
    if all.is_empty() { vec![(None, None)] } else { all }
}

fn deploy_stack(screen: &Screen, endpoint: &Endpoint, stack: &Stack, detail: Detail) -> Outcome<Json> {
    let started = Instant::now();
    let existing = describe(endpoint, &stack.name)?;
    let existing = match existing {
        // What was rolled back when it was made can only be deleted.
        Some(found) if found.stack_status == "ROLLBACK_COMPLETE" => {
            delete_stack(screen, endpoint, &stack.name)?;
            None
        }
        other => other,
    };
    let since = last_event(endpoint, &stack.name, existing.is_some())?;
    let id = match &existing {
        None => Some(create(endpoint, stack)?),
        Some(_) => update(endpoint, stack)?,
    };
    let Some(id) = id else {
        screen.step("stack", &format!("{}  unchanged", stack.display_name));
        return Ok(summary(stack, "unchanged", existing.as_ref(), 0));
    };
    let followed = follow(screen, endpoint, &id, &stack.display_name, since, detail)?;
    let seconds = started.elapsed().as_secs_f64();
    match followed.ending {
        Ending::Done(found) => {
            let text = format!(
                "{}  {}  {} in {seconds:.1} s",
                stack.display_name,
                found.stack_status,
                counted(followed.resources, "resource")
            );
            screen.step("stack", &text);
            tell_outputs(screen, &found);
            Ok(summary(stack, &found.stack_status.clone(), Some(&found), followed.resources))
        }
        Ending::Failed(ref found) => {
            let diagnostic = failed(stack, found, &followed);
            Err(Failure::failed(hints(endpoint, &stack.name).into_iter().fold(diagnostic, Diagnostic::hint)))
        }
    }
}

/// What a call's body may hold of a template.
const BODY_BYTES_MAX: usize = 51_200;

/// The template for a call: its text, or the URL of one that is too long for that.
fn template(endpoint: &Endpoint, stack: &Stack) -> Outcome<(Option<String>, Option<String>)> {
    if stack.body.len() <= BODY_BYTES_MAX {
        return Ok((Some(stack.body.clone()), None));
    }
    let url = endpoint.keep_template(&stack.body).map_err(|error| refused(stack, &error))?;
    Ok((None, Some(url)))
}

/// The outputs that somebody wrote; the CDK makes others for references between stacks.
fn tell_outputs(screen: &Screen, stack: &cfn::Stack) {
    let outputs = stack.outputs.iter().flatten();
    let outputs = outputs.filter_map(|it| Some((it.output_key.as_deref()?, it.output_value.as_deref()?)));
    for (key, value) in outputs.filter(|(key, _)| !key.starts_with("ExportsOutput")) {
        screen.step_in(Paint::Cyan, "output", &format!("{key}  {value}"));
    }
}

fn create(endpoint: &Endpoint, stack: &Stack) -> Outcome<String> {
    let (template_body, template_url) = template(endpoint, stack)?;
    let input = cfn::CreateStackInput {
        stack_name: stack.name.clone(),
        template_body,
        template_url,
        parameters: Some(parameters(stack)),
        capabilities: Some(capabilities()),
        tags: Some(tags(stack)),
        ..cfn::CreateStackInput::default()
    };
    let made: Result<cfn::CreateStackOutput, _> = endpoint.call(&cfn::SERVICE, &cfn::CREATE_STACK, input);
    let made = made.map_err(|error| refused(stack, &error))?;
    Ok(made.stack_id.unwrap_or_else(|| stack.name.clone()))
}

/// `None` where nothing is to be changed.
fn update(endpoint: &Endpoint, stack: &Stack) -> Outcome<Option<String>> {
    let (template_body, template_url) = template(endpoint, stack)?;
    let input = cfn::UpdateStackInput {
        stack_name: stack.name.clone(),
        template_body,
        template_url,
        parameters: Some(parameters(stack)),
        capabilities: Some(capabilities()),
        tags: Some(tags(stack)),
        ..cfn::UpdateStackInput::default()
    };
    let made: Result<cfn::UpdateStackOutput, _> = endpoint.call(&cfn::SERVICE, &cfn::UPDATE_STACK, input);
    match made {
        Ok(made) => Ok(Some(made.stack_id.unwrap_or_else(|| stack.name.clone()))),
        Err(CallError::Fault { message, .. }) if message.contains("No updates are to be performed") => Ok(None),
        Err(error) => Err(refused(stack, &error)),
    }
}

/// Deletes a stack and waits until it is gone.
pub(crate) fn delete_stack(screen: &Screen, endpoint: &Endpoint, name: &str) -> Outcome<()> {
    let Some(found) = describe(endpoint, name)? else { return Ok(()) };
    let id = found.stack_id.unwrap_or_else(|| name.to_owned());
    let since = last_event(endpoint, name, true)?;
    let input = cfn::DeleteStackInput { stack_name: id.clone(), ..cfn::DeleteStackInput::default() };
    let _: cfn::DeleteStackOutput = endpoint.call(&cfn::SERVICE, &cfn::DELETE_STACK, input)?;
    let followed = follow(screen, endpoint, &id, name, since, Detail::Stacks)?;
    match followed.ending {
        Ending::Done(_) => Ok(()),
        Ending::Failed(found) => {
            let message = format!("the stack `{name}` was not deleted: {}", found.stack_status);
            let diagnostic =
                followed.failures.iter().fold(Diagnostic::error(codes::STACK, message), |it, line| it.detail(line));
            Err(Failure::failed(diagnostic))
        }
    }
}

/// The stack of that name, where there is one.
fn describe(endpoint: &Endpoint, name: &str) -> Outcome<Option<cfn::Stack>> {
    let input = cfn::DescribeStacksInput { stack_name: Some(name.to_owned()), ..cfn::DescribeStacksInput::default() };
    let answer: Result<cfn::DescribeStacksOutput, _> = endpoint.call(&cfn::SERVICE, &cfn::DESCRIBE_STACKS, input);
    match answer {
        Ok(answer) => Ok(answer.stacks.into_iter().flatten().next()),
        Err(error) if error.is("ValidationError") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All stacks that are there.
pub(crate) fn stacks(endpoint: &Endpoint) -> Result<Vec<cfn::Stack>, CallError> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = cfn::DescribeStacksInput { stack_name: None, next_token };
        let page: cfn::DescribeStacksOutput = endpoint.call(&cfn::SERVICE, &cfn::DESCRIBE_STACKS, input)?;
        all.extend(page.stacks.into_iter().flatten());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

/// The newest event of a stack that is there: those up to it are of the past.
fn last_event(endpoint: &Endpoint, name: &str, exists: bool) -> Outcome<Option<String>> {
    if !exists {
        return Ok(None);
    }
    let events = follow::events(endpoint, name, None)?;
    Ok(events.into_iter().last().map(|event| event.event_id))
}

fn parameters(stack: &Stack) -> Vec<cfn::Parameter> {
    let parameter = |(key, value): (&String, &String)| cfn::Parameter {
        parameter_key: Some(key.clone()),
        parameter_value: Some(value.clone()),
        ..cfn::Parameter::default()
    };
    stack.parameters.iter().map(parameter).collect()
}

fn tags(stack: &Stack) -> Vec<cfn::Tag> {
    stack.tags.iter().map(|(key, value)| cfn::Tag { key: key.clone(), value: value.clone() }).collect()
}

fn capabilities() -> Vec<String> {
    ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"].map(str::to_owned).to_vec()
}

fn summary(stack: &Stack, status: &str, found: Option<&cfn::Stack>, resources: usize) -> Json {
    let outputs = found.and_then(|found| found.outputs.as_ref()).into_iter().flatten();
    let outputs: serde_json::Map<String, Json> =
        outputs.filter_map(|output| Some((output.output_key.clone()?, output.output_value.clone().into()))).collect();
    json!({
        "name": stack.name, "account": stack.account, "region": stack.region, "status": status, "resources": resources,
        "outputs": outputs,
    })
}

/// A refusal of the stack as a whole.
fn refused(stack: &Stack, error: &CallError) -> Failure {
    let CallError::Fault { code, message, hint, .. } = error else { return error.clone().into() };
    let message = format!("the stack `{}` was refused: {code}: {message}", stack.display_name);
    let diagnostic = Diagnostic::error(codes::STACK, message).at(file_name(stack));
    Failure::failed(hint.iter().fold(diagnostic, |diagnostic, hint| diagnostic.hint(hint)))
}

/// A stack that failed on the way: its first failing resource says why and where.
fn failed(stack: &Stack, found: &cfn::Stack, followed: &Followed) -> Diagnostic {
    let failures = &followed.failures;
    let message = match failures.first() {
        Some(first) => format!("the stack `{}` failed: {first}", stack.display_name),
        None => format!(
            "the stack `{}` failed: {}",
            stack.display_name,
            found.stack_status_reason.as_deref().unwrap_or(&found.stack_status)
        ),
    };
    let place = followed.failed.as_ref().and_then(|id| place(stack, id)).unwrap_or_else(|| file_name(stack));
    let diagnostic = Diagnostic::error(codes::STACK, message).at(place);
    let diagnostic = failures.iter().skip(1).fold(diagnostic, |diagnostic, line| diagnostic.detail(line));
    diagnostic.detail(format!("the stack is now `{}`", found.stack_status))
}

/// What the engine advises on the stack's failures, the newest attempt's last.
fn hints(endpoint: &Endpoint, stack: &str) -> Vec<String> {
    let prefix = format!("{stack}/");
    // Without the notices the failure still says what AWS would say.
    let notices = endpoint.notices(0, Duration::ZERO).unwrap_or_default();
    let about = notices.into_iter().filter(|it| it.kind == NoticeKind::Failed && it.subject.starts_with(&prefix));
    let hints: std::collections::BTreeSet<_> = about.filter_map(|it| it.hint).collect();
    hints.into_iter().collect()
}

/// Says what of a stack's assets is not provided.
fn check_assets(screen: &Screen, stack: &Stack) -> Outcome<()> {
    let Some(file) = &stack.assets_file else { return Ok(()) };
    let manifest: Json = serde_json::from_str(&read_text(file)?).unwrap_or_default();
    let entries = |kind: &str| manifest.get(kind).and_then(Json::as_object).into_iter().flatten();
    let template = stack.file.file_name().and_then(|name| name.to_str());
    let files = entries("files").filter(|(_, asset)| asset.pointer("/source/path").and_then(Json::as_str) != template);
    match files.count() {
        0 => {}
        count => screen.step_in(
            Paint::Yellow,
            "not uploaded",
            &format!("{} of {}: there is no S3 yet", counted(count, "file asset"), stack.display_name),
        ),
    }
    Ok(())
}

/// The template's name for messages; its directory may be gone when they are read.
fn file_name(stack: &Stack) -> String {
    stack.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
