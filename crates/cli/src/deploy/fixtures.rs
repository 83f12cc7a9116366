//! What must be there before the stacks: the configuration's fixtures, and what `cdk bootstrap` leaves in an account.
//!
//! Invariant: a value goes to the engine and nowhere else; the screen has names only.
//!
//! Invariant: a random text that exists stays; what the configuration spells out is put where it differs.

use std::collections::BTreeSet;

use neargate_api::secretsmanager as secrets;
use neargate_api::ssm;
use neargate_base::{Arn, Scope};
use serde_json::{Map, Value as Json};

use crate::app::App;
use crate::app::fixtures::{Part, SecretFixture, SsmFixture};
use crate::app::synth::Synthesized;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::Outcome;
use crate::screen::Screen;

/// The version of the bootstrap stack that templates of today's CDK ask for, and more.
const BOOTSTRAP_VERSION: &str = "31";

/// How the names of public parameters begin.
const PUBLIC: &str = "/aws/service/";

/// Characters from which a random text has a lower-case letter, an upper-case letter and a digit.
const EACH_TYPE_MIN: i64 = 3;

/// Puts what is missing in one account and region.
pub(super) fn put(screen: &Screen, endpoint: &Endpoint, app: &App, made: &Synthesized) -> Outcome<()> {
    let fixtures = &app.config.fixtures;
    let home = Scope::new(endpoint.account(), endpoint.region());
    for (name, fixture) in fixtures.secrets.iter().filter(|(name, _)| !name.starts_with("arn:")) {
        // It is there by its ARN, with the value that stands beside that.
        if fixtures.has_arn_of(name, &home) {
            continue;
        }
        tell(screen, "secret", name, placed("secrets", name, put_secret(endpoint, name, fixture))?);
    }
    for (name, fixture) in &fixtures.ssm {
        tell(screen, "ssm", name, placed("ssm", name, put_parameter(endpoint, name, fixture))?);
    }
    for name in bootstrap_parameters(made) {
        let version = SsmFixture { value: Part::Given(BOOTSTRAP_VERSION.into()), is_secure: false };
        if parameter(endpoint, &name)?.is_none() {
            put_parameter(endpoint, &name, &version)?;
        }
    }
    Ok(())
}

/// Puts the secrets that have a complete ARN, which says the account and region.
pub(super) fn put_at_arns(screen: &Screen, endpoint: &Endpoint, app: &App) -> Outcome<()> {
    for (name, fixture) in &app.config.fixtures.secrets {
        let Ok(arn) = name.parse::<Arn>() else { continue };
        let endpoint = endpoint.in_environment(Some(&arn.account), Some(&arn.region));
        tell(screen, "secret", name, placed("secrets", name, put_secret(&endpoint, name, fixture))?);
    }
    Ok(())
}

/// A refusal, with the fixture that it is about.
fn placed<T>(section: &str, name: &str, outcome: Outcome<T>) -> Outcome<T> {
    outcome.map_err(|mut failure| {
        for diagnostic in &mut failure.diagnostics {
            diagnostic.details.insert(0, format!("for `{name}` under `[fixtures.{section}]`"));
        }
        failure
    })
}

fn tell(screen: &Screen, kind: &str, name: &str, change: Change) {
    let change = match change {
        Change::Made => "",
        Change::Changed => "  changed",
        Change::Kept => "  unchanged",
    };
    screen.step("fixture", &format!("{kind} {name}{change}"));
}

/// What came of a fixture.
#[derive(Clone, Copy, Debug)]
enum Change {
    Made,
    Changed,
    Kept,
}

/// The parameters in which the CDK looks for the version of its bootstrap stack.
fn bootstrap_parameters(made: &Synthesized) -> BTreeSet<String> {
    let parameters = made.stacks.iter().filter_map(|stack| stack.template.document.get("Parameters")?.as_object());
    let defaults = parameters.flatten().filter_map(|(_, parameter)| parameter.get("Default")?.as_str());
    defaults.filter(|name| name.starts_with("/cdk-bootstrap/")).map(str::to_owned).collect()
}

fn parameter(endpoint: &Endpoint, name: &str) -> Outcome<Option<ssm::Parameter>> {
    let input = ssm::GetParameterInput { name: name.to_owned(), with_decryption: Some(true) };
    let answer: Result<ssm::GetParameterOutput, CallError> = endpoint.call(&ssm::SERVICE, &ssm::GET_PARAMETER, input);
    match answer {
        Err(error) if error.is("ParameterNotFound") => Ok(None),
        other => Ok(other?.parameter),
    }
}

fn put_parameter(endpoint: &Endpoint, name: &str, fixture: &SsmFixture) -> Outcome<Change> {
    let existing = parameter(endpoint, name)?;
    // AWS has these by itself, and takes them from nobody.
    if name.starts_with(PUBLIC) && !fixture.is_secure {
        let (old, value) = (existing.and_then(|it| it.value), text(&render(endpoint, &fixture.value, None)?));
        if old.as_ref() == Some(&value) {
            return Ok(Change::Kept);
        }
        endpoint.put_public_parameter(name, &value)?;
        return Ok(if old.is_some() { Change::Changed } else { Change::Made });
    }
    let kind = if fixture.is_secure { "SecureString" } else { "String" };
    let is_same_kind = |it: &&ssm::Parameter| it.r#type.as_deref() == Some(kind);
    // What lay there in plain text is no secret.
    let old = existing.as_ref().filter(is_same_kind).and_then(|it| it.value.clone());
    let value = text(&render(endpoint, &fixture.value, old.clone().map(Json::from).as_ref())?);
    if old.as_ref() == Some(&value) {
        return Ok(Change::Kept);
    }
    // A parameter keeps its type for life.
    if existing.as_ref().is_some_and(|it| !is_same_kind(&it)) {
        let input = ssm::DeleteParameterInput { name: name.to_owned() };
        let _: ssm::DeleteParameterOutput = endpoint.call(&ssm::SERVICE, &ssm::DELETE_PARAMETER, input)?;
    }
    let input = ssm::PutParameterInput {
        name: name.to_owned(),
        value,
        r#type: Some(kind.to_owned()),
        overwrite: Some(true),
        ..ssm::PutParameterInput::default()
    };
    let _: ssm::PutParameterOutput = endpoint.call(&ssm::SERVICE, &ssm::PUT_PARAMETER, input)?;
    Ok(if existing.is_some() { Change::Changed } else { Change::Made })
}

/// Puts a secret by name or by complete ARN.
fn put_secret(endpoint: &Endpoint, id: &str, fixture: &SecretFixture) -> Outcome<Change> {
    let existing = secret_value(endpoint, id)?;
    let value = match fixture {
        SecretFixture::Text(part) => text(&render(endpoint, part, existing.clone().map(Json::from).as_ref())?),
        SecretFixture::Json(part) => {
            let old = existing.as_deref().and_then(|text| serde_json::from_str::<Json>(text).ok());
            let new = render(endpoint, part, old.as_ref())?;
            // Spelt otherwise it is still the same.
            if old.as_ref() == Some(&new) {
                return Ok(Change::Kept);
            }
            new.to_string()
        }
    };
    if existing.as_ref() == Some(&value) {
        return Ok(Change::Kept);
    }
    if id.starts_with("arn:") {
        endpoint.put_secret_at(id, &value)?;
    } else {
        let put = secrets::PutSecretValueInput {
            secret_id: id.to_owned(),
            secret_string: Some(value.clone()),
            ..secrets::PutSecretValueInput::default()
        };
        let answer: Result<secrets::PutSecretValueOutput, CallError> =
            endpoint.call(&secrets::SERVICE, &secrets::PUT_SECRET_VALUE, put);
        match answer {
            Err(error) if error.is("ResourceNotFoundException") => create_secret(endpoint, id, value)?,
            other => drop(other?),
        }
    }
    Ok(if existing.is_some() { Change::Changed } else { Change::Made })
}

fn create_secret(endpoint: &Endpoint, name: &str, value: String) -> Outcome<()> {
    let input = secrets::CreateSecretInput {
        name: name.to_owned(),
        secret_string: Some(value),
        ..secrets::CreateSecretInput::default()
    };
    let _: secrets::CreateSecretOutput = endpoint.call(&secrets::SERVICE, &secrets::CREATE_SECRET, input)?;
    Ok(())
}

/// The text of a secret that is there. One that was deleted and is not gone yet is restored: the app needs it.
fn secret_value(endpoint: &Endpoint, id: &str) -> Outcome<Option<String>> {
    let read = || {
        let input =
            secrets::GetSecretValueInput { secret_id: id.to_owned(), ..secrets::GetSecretValueInput::default() };
        endpoint.call::<_, secrets::GetSecretValueOutput>(&secrets::SERVICE, &secrets::GET_SECRET_VALUE, input)
    };
    let mut answer = read();
    if answer.as_ref().is_err_and(|error| error.is("InvalidRequestException")) {
        let input = secrets::RestoreSecretInput { secret_id: id.to_owned() };
        let _: secrets::RestoreSecretOutput = endpoint.call(&secrets::SERVICE, &secrets::RESTORE_SECRET, input)?;
        answer = read();
    }
    match answer {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        other => Ok(other?.secret_string),
    }
}

/// A value with random texts in it: those that exist in the same place stay as they are.
fn render(endpoint: &Endpoint, part: &Part, old: Option<&Json>) -> Outcome<Json> {
    Ok(match part {
        Part::Given(json) => json.clone(),
        Part::Random(length) => match old {
            Some(Json::String(text)) => text.as_str().into(),
            _ => random(endpoint, *length)?.into(),
        },
        Part::Object(members) => {
            let member = |(name, part): (&String, &Part)| {
                let value = render(endpoint, part, old.and_then(|old| old.get(name)))?;
                Ok((name.clone(), value))
            };
            Json::Object(members.iter().map(member).collect::<Outcome<Map<_, _>>>()?)
        }
        Part::List(items) => {
            let item = |(at, part): (usize, &Part)| render(endpoint, part, old.and_then(|old| old.get(at)));
            Json::Array(items.iter().enumerate().map(item).collect::<Outcome<_>>()?)
        }
    })
}

/// Random letters and digits of Secrets Manager's own.
fn random(endpoint: &Endpoint, length: i64) -> Outcome<String> {
    let input = secrets::GetRandomPasswordInput {
        password_length: Some(length),
        exclude_punctuation: Some(true),
        require_each_included_type: Some(length >= EACH_TYPE_MIN),
        ..secrets::GetRandomPasswordInput::default()
    };
    let answer: secrets::GetRandomPasswordOutput =
        endpoint.call(&secrets::SERVICE, &secrets::GET_RANDOM_PASSWORD, input)?;
    Ok(answer.random_password.unwrap_or_default())
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}
