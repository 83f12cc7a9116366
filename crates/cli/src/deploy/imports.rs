//! Whether everything that an app's templates take in by name is there, before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use neargate_api::secretsmanager as secrets;
use neargate_api::ssm;
use neargate_base::{Diagnostic, Scope};

use super::lines::{Lines, shown, toml_key};
use super::{environments, exports};
use crate::app::App;
use crate::app::imports::{self, Import, Made, Thing};
use crate::app::synth::Synthesized;
use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::Outcome;

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

/// What an app takes in that neither it makes, nor a fixture, nor the engine has.
pub(super) fn missing(
    endpoint: &Endpoint,
    app: &App,
    made: &Synthesized,
    lines: &mut Lines,
) -> Outcome<Vec<Diagnostic>> {
    let mut wanted: BTreeMap<(Scope, Thing), Wanted> = BTreeMap::new();
    let mut own: BTreeMap<Scope, Made> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for stack in &made.stacks {
        let home = scope(endpoint, stack.account.as_deref(), stack.region.as_deref());
        let (taken, produced) = imports::of(stack, &home, &app.config.fixtures);
        let all = own.entry(home.clone()).or_default();
        all.secrets.extend(produced.secrets);
        all.parameters.extend(produced.parameters);
        all.exports.extend(produced.exports);
        written.extend(produced.written);
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
    let mut findings = vec![];
    for ((place, thing), wanted) in &wanted {
        let is_home = homes.contains(place);
        let is_written = || thing.names().iter().any(|name| written.contains(name));
        if own.get(place).is_some_and(|made| makes(made, thing)) || is_written() {
            continue;
        }
        if let Some(finding) = by_fixture(app, (place, thing), is_home, wanted) {
            findings.extend(finding);
        } else if !is_in_engine(
            &endpoint.in_environment(Some(place.account.as_str()), Some(place.region.as_str())),
            thing,
        )? {
            lines.add(thing, is_home, &wanted.keys);
            findings.push(absent(thing, wanted));
        }
    }
    Ok(findings)
}

fn scope(endpoint: &Endpoint, account: Option<&str>, region: Option<&str>) -> Scope {
    Scope::new(account.unwrap_or_else(|| endpoint.account()), region.unwrap_or_else(|| endpoint.region()))
}

fn makes(made: &Made, thing: &Thing) -> bool {
    let names = match thing {
        Thing::Secret(_) => &made.secrets,
        Thing::Parameter { .. } => &made.parameters,
        Thing::Export(_) => &made.exports,
    };
    thing.names().iter().any(|name| names.contains(name))
}

/// Whether a fixture provides it; where one does and lacks a key, what to say about that.
fn by_fixture(app: &App, (place, thing): (&Scope, &Thing), is_home: bool, wanted: &Wanted) -> Option<Vec<Diagnostic>> {
    let fixtures = &app.config.fixtures;
    match thing {
        // With a fixture it is not unknown.
        Thing::Export(_) => None,
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
        Thing::Export(name) => return Ok(exports::list(endpoint)?.iter().any(|(export, _)| export == name)),
    };
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.is("ResourceNotFoundException") || error.is("ParameterNotFound") => Ok(false),
        // What cannot be told now is told when it is asked for in earnest.
        Err(CallError::Fault { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn absent(thing: &Thing, wanted: &Wanted) -> Diagnostic {
    let by = wanted.uses.first().map(|it| it.by.as_str()).unwrap_or_default();
    let what = match thing {
        Thing::Secret(id) => format!("secret `{}`", shown(thing, id)),
        Thing::Parameter { name, .. } => format!("parameter `{}`", shown(thing, name)),
        Thing::Export(name) => format!("export `{name}`"),
    };
    let message = format!("`{by}` takes in the {what}, which neither the app nor the engine has");
    with_uses(Diagnostic::error(codes::IMPORT, message), wanted, None)
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
