//! Everything that an app lacks, told at once and before anything is made.
//!
//! Invariant: asks the engine and the image stores, and changes neither.

use std::collections::BTreeMap;

use neargate_base::{Diagnostic, Severity};
use neargate_template::{nearest, resolve_parameters};

use super::lines::Lines;
use super::{Order, imports};
use crate::app::image_names::{Images, Use};
use crate::app::known::{Known, home};
use crate::app::synth::{Stack, Synthesized, called, place, place_of};
use crate::codes;
use crate::endpoint::control::Lack;
use crate::endpoint::{CallError, Endpoint};
use crate::images;
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// What AWS takes as a template at most; more than 51,200 of it only by way of S3, as every deployment tool does.
const TEMPLATE_BYTES_MAX: usize = 1_000_000;
/// What every custom resource is served by that no type of its own serves.
const CUSTOM: &str = "AWS::CloudFormation::CustomResource";

/// Refuses an app that cannot come up, with everything that is in its way. What only keeps a task from starting is said.
pub(super) fn check(screen: &Screen, endpoint: &Endpoint, order: &Order<'_>) -> Outcome<()> {
    let mut findings = too_large(order.made);
    findings.extend(unknown_types(&endpoint.resource_types()?, order.made));
    findings.extend(not_run(endpoint, order.made)?);
    let mut lines = Lines::default();
    findings.extend(parameters(order, &mut lines));
    let (absent_images, unbuilt) = absent_images(order, &mut lines)?;
    let absent = imports::missing(endpoint, order.app, order.made, &mut lines)?;
    findings.extend(absent.into_iter().chain(absent_images));
    if let (Some(last), Some(hint)) = (findings.last_mut(), lines.hint(order.app)) {
        last.hints.push(hint);
    }
    findings.extend(unbuilt);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Failure { exit: Exit::Usage, diagnostics: findings });
    }
    findings.iter().for_each(|finding| screen.diagnostic(finding));
    Ok(())
}

/// Parameters without a value, and values that their parameters do not allow.
fn parameters(order: &Order<'_>, lines: &mut Lines) -> Vec<Diagnostic> {
    let mut found = vec![];
    for stack in &order.made.stacks {
        let environment = Known::of(stack, &home(stack), &order.app.config.fixtures);
        let (values, findings) = resolve_parameters(&stack.template, &stack.parameters, &environment);
        let without = stack.template.parameters.keys().filter(|name| !values.contains_key(*name));
        without.for_each(|name| lines.add_parameter(name));
        found.extend(findings.into_iter().map(|finding| {
            let path = finding.diagnostic.path.clone();
            let place = place_of(stack, &path).unwrap_or(path);
            finding.diagnostic.at(format!("{place} (stack `{}`)", stack.display_name))
        }));
    }
    found
}

fn too_large(made: &Synthesized) -> Vec<Diagnostic> {
    let large = made.stacks.iter().filter(|stack| stack.body.len() > TEMPLATE_BYTES_MAX);
    let finding = |stack: &Stack| {
        let message = format!(
            "the template of stack `{}` has {} bytes, and AWS takes at most {TEMPLATE_BYTES_MAX}",
            stack.display_name,
            stack.body.len()
        );
        Diagnostic::error(codes::STACK, message).hint("split the stack, or write its template without white space")
    };
    large.map(finding).collect()
}

/// A finding for each type that the engine does not run, with the resources that have it.
fn unknown_types(known: &[String], made: &Synthesized) -> Vec<Diagnostic> {
    let is_known = |name: &str| {
        let is_there = |name: &str| known.iter().any(|known| known == name);
        is_there(name) || (name.starts_with("Custom::") && is_there(CUSTOM))
    };
    let mut by_type: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for stack in &made.stacks {
        for (id, resource) in stack.template.resources.iter().filter(|(_, it)| !is_known(&it.resource_type)) {
            let place = place(stack, id).map(|place| format!(" at {place}")).unwrap_or_default();
            let line = format!("`{}` of stack `{}`{place}", called(&stack.template, id), stack.display_name);
            by_type.entry(&resource.resource_type).or_default().push(line);
        }
    }
    let finding = |(name, resources): (&str, Vec<String>)| {
        let meant = meant(name, known);
        let message = match meant {
            Some(_) => format!("unrecognized resource type `{name}`"),
            None => format!("unrecognized resource type `{name}`: Neargate does not run it"),
        };
        let finding = resources.iter().fold(Diagnostic::error(codes::TYPE, message), Diagnostic::detail);
        meant.iter().fold(finding, |finding, meant| finding.hint(format!("did you mean `{meant}`?")))
    };
    by_type.into_iter().map(finding).collect()
}

/// A finding for each stack whose resources ask for what the engine cannot do. Other refusals are left to the call that makes
/// the stack, and so is a template that does not go into this one.
fn not_run(endpoint: &Endpoint, made: &Synthesized) -> Outcome<Vec<Diagnostic>> {
    let mut findings = vec![];
    for stack in &made.stacks {
        let endpoint = endpoint.in_environment(stack.account.as_deref(), stack.region.as_deref());
        let is_shown = |name: &str| stack.template.parameters.get(name).is_some_and(|it| !it.no_echo);
        let parameters = stack.parameters.iter().filter(|(name, _)| is_shown(name));
        let lacks = match endpoint.lacks(&stack.name, &stack.body, parameters) {
            Ok(lacks) => lacks,
            Err(CallError::Fault { .. } | CallError::Unreadable { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        if lacks.is_empty() {
            continue;
        }
        let message = format!("Neargate cannot run what stack `{}` asks for", stack.display_name);
        let detail = |lack: &Lack| {
            let id = lack.path.split('.').nth(1).unwrap_or_default();
            let place = place(stack, lack.path.strip_prefix("Resources.").unwrap_or_default());
            let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
            let property = lack.path.split_once(".Properties.").map_or("", |(_, property)| property);
            format!("`{}`{place}: `{property}`: {}", called(&stack.template, id), lack.text)
        };
        let finding = Diagnostic::error(codes::STACK, message);
        findings.push(lacks.iter().map(detail).fold(finding, Diagnostic::detail));
    }
    Ok(findings)
}

/// The type that a misspelt one means: one part of its name is another's, almost.
fn meant<'k>(name: &str, known: &'k [String]) -> Option<&'k String> {
    let parts = |name: &'_ str| name.split("::").map(str::to_owned).collect::<Vec<_>>();
    let own = parts(name);
    known.iter().find(|known| {
        let other = parts(known);
        let differing: Vec<_> = own.iter().zip(&other).filter(|(own, other)| own != other).collect();
        let is_near = |own: &str, other: &str| {
            own.eq_ignore_ascii_case(other)
                || (nearest(own, [other]).is_some() && own.chars().count().abs_diff(other.chars().count()) <= 2)
        };
        own.len() == other.len() && matches!(differing.as_slice(), [(own, other)] if is_near(own, other))
    })
}

/// A finding for each image that is asked for and nowhere, and a warning for each that the app would build for another use.
fn absent_images(order: &Order<'_>, lines: &mut Lines) -> Outcome<(Vec<Diagnostic>, Vec<Diagnostic>)> {
    let images = Images::of(order.app, order.made)?;
    let mut absent = vec![];
    for (name, uses) in images::missing(&images, order.stores) {
        let asset = images.asset_of(name);
        lines.add_image(asset.and_then(|asset| asset.key()).unwrap_or(name));
        absent.push(absent_image(name, uses, asset.map(|asset| asset.source.as_str()), order.without_image));
    }
    let is_used =
        |called: &str| images.wanted.keys().any(|name| images.asset_of(name).is_some_and(|it| it.source == called));
    let unbuilt = images.assets.iter().filter(|asset| !is_used(&asset.source)).map(|asset| {
        let message = format!(
            "the stack `{}` brings an image to build from `{}` that no task asks for by a name that is known, and Neargate \
             runs no Dockerfile",
            asset.stack, asset.source
        );
        Diagnostic::warning(codes::ASSET, message)
    });
    Ok((absent, unbuilt.collect()))
}

fn absent_image(name: &str, uses: &[Use], source: Option<&str>, severity: Severity) -> Diagnostic {
    let by = uses.first().map(|it| it.by.as_str()).unwrap_or_default();
    let finding = Diagnostic::error(codes::IMPORT, format!("`{by}` asks for the image `{name}`, which no store has"));
    let line = |it: &Use| match it.by == by {
        true => format!("for container `{}`", it.container),
        false => format!("for container `{}` of `{}`", it.container, it.by),
    };
    let finding = uses.iter().map(line).fold(finding, Diagnostic::detail);
    let finding = match source {
        Some(source) => finding.detail(format!("the app would build it from `{source}`; Neargate runs no Dockerfile")),
        None => finding,
    };
    Diagnostic { severity, ..finding }
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn misspelt_types() {
        let known = ["AWS::ECS::TaskDefinition", "AWS::ECS::Cluster", "AWS::EC2::EIP", "AWS::Logs::LogGroup"];
        let known = known.map(str::to_owned);
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(meant(name, &known).map(String::as_str), expected, "{name}");
        };
        check("AWS::ECS::TaskDefintion", Some("AWS::ECS::TaskDefinition"));
        check("AWS::Ecs::Cluster", Some("AWS::ECS::Cluster"));
        check("AWS::ECS::cluster", Some("AWS::ECS::Cluster"));
        check("AWS::Log::LogGroup", Some("AWS::Logs::LogGroup"));
        check("AWS::ECS::Service", None);
        check("AWS::SQS::Queue", None);
        check("AWS::Logs::LogGroup::Extra", None);
    }
}
