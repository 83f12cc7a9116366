//! Whether everything that an app's templates take in is there, before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::{Diagnostic, Scope};
use neargate_secretsmanager::api as secrets;
use neargate_ssm::api as ssm;

use super::environments;
use crate::app::App;
use crate::app::fixtures::is_complete_arn;
use crate::app::imports::{self, Import, Made, Thing};
use crate::app::synth::Synthesized;
use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};

/// Everything that one thing is wanted for.
#[derive(Debug, Default)]
struct Wanted {
    keys: BTreeSet<String>,
    uses: Vec<Use>,
}

/// One use: who, for what, and the key asked for.
#[derive(Debug)]
struct Use {
    by: String,
    purpose: String,
    key: Option<String>,
}

/// Refuses an app that takes in what neither it makes, nor a fixture, nor the engine has.
pub(super) fn check(endpoint: &Endpoint, app: &App, made: &Synthesized) -> Outcome<()> {
    let mut wanted: BTreeMap<(Scope, Thing), Wanted> = BTreeMap::new();
    let mut own: BTreeMap<Scope, Made> = BTreeMap::new();
    for stack in &made.stacks {
        let home = scope(endpoint, stack.account.as_deref(), stack.region.as_deref());
        let (taken, produced) = imports::of(stack, &home);
        let all = own.entry(home.clone()).or_default();
        all.secrets.extend(produced.secrets);
        all.parameters.extend(produced.parameters);
        for Import { thing, key, by, purpose } in taken {
            let arn = thing.arn();
            let place = arn.map_or_else(|| home.clone(), |arn| Scope::new(&arn.account, &arn.region));
            let wanted = wanted.entry((place, thing)).or_default();
            wanted.keys.extend(key.clone());
            wanted.uses.push(Use { by, purpose, key });
        }
    }
    let homes: Vec<Scope> =
        environments(made).iter().map(|(it, region)| scope(endpoint, it.as_deref(), region.as_deref())).collect();
    let (mut findings, mut lines) = (vec![], Lines::default());
    for ((place, thing), wanted) in &wanted {
        let is_home = homes.contains(place);
        if own.get(place).is_some_and(|made| makes(made, thing)) {
            continue;
        }
        if let Some(finding) = by_fixture(app, (place, thing), is_home, wanted) {
            findings.extend(finding);
        } else if !is_in_engine(
            &endpoint.in_environment(Some(place.account.as_str()), Some(place.region.as_str())),
            thing,
        )? {
            lines.add(thing, is_home, &wanted.keys);
            findings.push(missing(thing, wanted));
        }
    }
    let hint = lines.hint(app);
    if let (Some(last), Some(hint)) = (findings.last_mut(), hint) {
        last.hints.push(hint);
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Usage, diagnostics: findings }) }
}

fn scope(endpoint: &Endpoint, account: Option<&str>, region: Option<&str>) -> Scope {
    Scope::new(account.unwrap_or_else(|| endpoint.account()), region.unwrap_or_else(|| endpoint.region()))
}

fn makes(made: &Made, thing: &Thing) -> bool {
    let names = match thing {
        Thing::Secret(_) => &made.secrets,
        Thing::Parameter { .. } => &made.parameters,
    };
    thing.names().iter().any(|name| names.contains(name))
}

/// Whether a fixture provides it; where one does and lacks a key, what to say about that.
fn by_fixture(app: &App, (place, thing): (&Scope, &Thing), is_home: bool, wanted: &Wanted) -> Option<Vec<Diagnostic>> {
    let fixtures = &app.config.fixtures;
    match thing {
        Thing::Parameter { .. } => thing.among(fixtures.ssm.keys().map(String::as_str), place, is_home).map(|_| vec![]),
        Thing::Secret(_) => {
            let name = thing.among(fixtures.secrets.keys().map(String::as_str), place, is_home)?;
            let fixture = fixtures.secrets.get(name)?;
            let known = fixture.keys();
            let lacks = wanted.keys.iter().filter(|key| !known.as_ref().is_some_and(|known| known.contains(key)));
            Some(lacks.map(|key| without_key(name, known.is_some(), key, wanted)).collect())
        }
    }
}

fn without_key(name: &str, is_object: bool, key: &str, wanted: &Wanted) -> Diagnostic {
    let message = match is_object {
        true => format!("the fixture `{name}` has no key `{key}`"),
        false => format!("the fixture `{name}` is a text, and its key `{key}` is asked for"),
    };
    let hint = format!("give it one: `\"{name}\" = {{ json = {{ {} = … }} }}`", toml_key(key));
    with_uses(Diagnostic::error(codes::IMPORT, message).hint(hint), wanted, Some(key))
}

fn is_in_engine(endpoint: &Endpoint, thing: &Thing) -> Outcome<bool> {
    let answer: Result<(), CallError> = match thing {
        Thing::Secret(id) => {
            let input = secrets::DescribeSecretInput { secret_id: id.clone() };
            let answer: Result<secrets::DescribeSecretOutput, CallError> =
                endpoint.call(&secrets::SERVICE, &secrets::DESCRIBE_SECRET, input);
            answer.map(drop)
        }
        Thing::Parameter { name, .. } => {
            let input = ssm::GetParameterInput { name: name.clone(), with_decryption: Some(false) };
            let answer: Result<ssm::GetParameterOutput, CallError> =
                endpoint.call(&ssm::SERVICE, &ssm::GET_PARAMETER, input);
            answer.map(drop)
        }
    };
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.is("ResourceNotFoundException") || error.is("ParameterNotFound") => Ok(false),
        // What cannot be told now is told when it is asked for in earnest.
        Err(CallError::Fault { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn missing(thing: &Thing, wanted: &Wanted) -> Diagnostic {
    let by = wanted.uses.first().map(|it| it.by.as_str()).unwrap_or_default();
    let what = match thing {
        Thing::Secret(id) => format!("secret `{}`", shown(thing, id)),
        Thing::Parameter { name, .. } => format!("parameter `{}`", shown(thing, name)),
    };
    let message = format!("`{by}` takes in the {what}, which neither the app nor the engine has");
    with_uses(Diagnostic::error(codes::IMPORT, message), wanted, None)
}

/// How a person calls it: by name, unless the very ARN matters.
fn shown(thing: &Thing, id: &str) -> String {
    if is_complete_arn(id) { id.to_owned() } else { thing.names().into_iter().next_back().unwrap_or_default() }
}

/// Adds the uses; with a key, those that ask for it.
fn with_uses(diagnostic: Diagnostic, wanted: &Wanted, key: Option<&str>) -> Diagnostic {
    let by = wanted.uses.first().map(|it| it.by.as_str()).unwrap_or_default();
    let line = |it: &Use| match it.by == by && key.is_none() {
        true => format!("for {}", it.purpose),
        false => format!("for {} of `{}`", it.purpose, it.by),
    };
    let uses = wanted.uses.iter().filter(|it| key.is_none() || it.key.as_deref() == key);
    uses.map(line).fold(diagnostic, Diagnostic::detail)
}

/// The lines that are missing from `neargate.toml`.
#[derive(Debug, Default)]
struct Lines {
    secrets: BTreeSet<String>,
    ssm: BTreeSet<String>,
}

impl Lines {
    fn add(&mut self, thing: &Thing, is_home: bool, keys: &BTreeSet<String>) {
        match thing {
            Thing::Secret(id) => {
                // A fixture by name is made where the stacks are; its ARN gets six characters of its own.
                let (name, is_complete) = (thing.names().into_iter().next().unwrap_or_default(), is_complete_arn(id));
                let name = match (is_complete, is_home) {
                    (true, _) => id.clone(),
                    (false, true) => name,
                    (false, false) => format!("{id}-AbCdEf"),
                };
                let keys: Vec<_> = keys.iter().map(|key| format!("{} = {{ random = 32 }}", toml_key(key))).collect();
                let value = match keys.is_empty() {
                    true => "{ random = 32 }".to_owned(),
                    false => format!("{{ json = {{ {} }} }}", keys.join(", ")),
                };
                self.secrets.insert(format!("\"{name}\" = {value}"));
            }
            Thing::Parameter { is_secure, .. } => {
                let name = shown(thing, "");
                let value = if *is_secure { "{ secure = { random = 32 } }" } else { "\"…\"" };
                self.ssm.insert(format!("\"{name}\" = {value}"));
            }
        }
    }

    fn hint(&self, app: &App) -> Option<String> {
        let fixtures = &app.config.fixtures;
        let sections =
            [("secrets", &self.secrets, fixtures.secrets.is_empty()), ("ssm", &self.ssm, fixtures.ssm.is_empty())];
        let mut text = String::from("add to `neargate.toml`");
        if let [(_, secrets, _), (_, ssm, _)] = sections
            && secrets.is_empty()
            && ssm.is_empty()
        {
            return None;
        }
        let has_section = sections.iter().any(|(_, lines, is_new)| !lines.is_empty() && !is_new);
        text.push_str(if has_section { ", below the section that is there:" } else { ":" });
        for (name, lines, _) in sections.iter().filter(|(_, lines, _)| !lines.is_empty()) {
            text.push_str(&format!("\n\n[fixtures.{name}]"));
            lines.iter().for_each(|line| text.push_str(&format!("\n{line}")));
        }
        Some(text)
    }
}

/// A key as TOML writes it.
fn toml_key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { key.to_owned() } else { format!("\"{key}\"") }
}
