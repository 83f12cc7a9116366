//! `[fixtures]`: what is there before the stacks are.
//!
//! Invariant: a value that is read here is never shown: not by `Debug`, not in a finding.

use std::collections::BTreeMap;
use std::fmt;

use neargate_base::{Arn, Scope};
use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::reader::{Reader, Value, json};

/// The most characters of a random text: those that `GetRandomPassword` makes.
const RANDOM_MAX: i64 = 4096;

/// All fixtures.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fixtures {
    /// Parameter Store parameters by name.
    pub(crate) ssm: BTreeMap<String, SsmFixture>,
    /// Values of exports of stacks outside the app, by name.
    pub(crate) exports: BTreeMap<String, String>,
    /// Secrets by name or by complete ARN.
    pub(crate) secrets: BTreeMap<String, SecretFixture>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SsmFixture {
    pub(crate) value: Part,
    /// Whether it is a `SecureString`.
    pub(crate) is_secure: bool,
}

/// A secret.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SecretFixture {
    /// A text.
    Text(Part),
    /// A JSON object.
    Json(Part),
}

/// A value, or a part of one.
#[derive(Clone, PartialEq)]
pub(crate) enum Part {
    /// As it is.
    Given(Json),
    /// So many random letters and digits.
    Random(i64),
    /// An object with random texts in it.
    Object(BTreeMap<String, Part>),
    /// A list with random texts in it.
    List(Vec<Part>),
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given"),
            Self::Random(length) => write!(f, "Random({length})"),
            Self::Object(members) => f.debug_map().entries(members).finish(),
            Self::List(items) => f.debug_list().entries(items).finish(),
        }
    }
}

impl Fixtures {
    /// Whether the secret of this name has its ARN from a fixture in that account and region.
    pub(crate) fn has_arn_of(&self, name: &str, place: &Scope) -> bool {
        let mut arns = self.secrets.keys().filter_map(|key| key.parse::<Arn>().ok());
        arns.any(|arn| is_secret_at(&arn, name, place))
    }
}

impl SecretFixture {
    /// The keys of its JSON object, which a text may spell out too; `None` where it is none.
    pub(crate) fn keys(&self) -> Option<Vec<String>> {
        match self {
            Self::Json(Part::Object(members)) => Some(members.keys().cloned().collect()),
            Self::Json(Part::Given(Json::Object(members))) => Some(members.keys().cloned().collect()),
            Self::Text(Part::Given(Json::String(text))) => {
                let members = serde_json::from_str::<Map<String, Json>>(text).ok()?;
                Some(members.into_iter().map(|(key, _)| key).collect())
            }
            _ => None,
        }
    }
}

/// Reads the table.
pub(super) fn read(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Fixtures {
    reader.only(table, "fixtures", &["exports", "secrets", "ssm"]);
    let mut fixtures = Fixtures { exports: reader.text_map(table, "exports"), ..Fixtures::default() };
    for (name, value) in reader.table(table, "ssm").into_iter().flatten() {
        let name = name.get_ref().to_string();
        fixtures.ssm.extend(read_ssm(reader, &name, value).map(|fixture| (name, fixture)));
    }
    for (name, value) in reader.table(table, "secrets").into_iter().flatten() {
        if name.get_ref().starts_with("arn:") && !is_complete_arn(name.get_ref()) {
            let message = format!("`{}` is no complete ARN of a secret", name.get_ref());
            reader.wrong(&name.span(), message).hints.push(
                "it ends in a hyphen and the six characters that Secrets Manager has added to the name; where any will do, write the name"
                    .to_owned(),
            );
        }
        let name = name.get_ref().to_string();
        fixtures.secrets.extend(read_secret(reader, &name, value).map(|fixture| (name, fixture)));
    }
    fixtures
}

/// Whether it is the ARN of one secret, with the six characters at its end.
pub(crate) fn is_complete_arn(text: &str) -> bool {
    let Ok(arn) = text.parse::<Arn>() else { return false };
    let name = arn.resource.strip_prefix("secret:").filter(|name| !name.contains(':'));
    let end = name.and_then(|name| name.rsplit_once('-')).filter(|(name, _)| !name.is_empty());
    arn.service == "secretsmanager"
        && !arn.region.is_empty()
        && !arn.account.is_empty()
        && end.is_some_and(|(_, end)| end.len() == 6 && end.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// A secret's ARN without the six characters that Secrets Manager added.
pub(super) fn without_end(arn: &Arn) -> Arn {
    if !is_complete_arn(&arn.to_string()) {
        return arn.clone();
    }
    let resource = arn.resource.rsplit_once('-').map_or(arn.resource.as_str(), |(name, _)| name).to_owned();
    Arn { resource, ..arn.clone() }
}

/// Whether a complete ARN is that of the secret with this name in this account and region.
pub(super) fn is_secret_at(arn: &Arn, name: &str, place: &Scope) -> bool {
    without_end(arn).resource_name() == name && Scope::new(&arn.account, &arn.region) == *place
}

fn read_ssm(reader: &mut Reader<'_>, name: &str, value: &Value<'_>) -> Option<SsmFixture> {
    match value.get_ref() {
        DeValue::String(text) => Some(SsmFixture { value: Part::Given(text.as_ref().into()), is_secure: false }),
        DeValue::Table(table) => {
            let section = format!("fixtures.ssm.\"{name}\"");
            let found_before = reader.findings.len();
            reader.only(table, &section, &["secure"]);
            let Some(inner) = table.get("secure") else {
                // An unknown key was meant to be it.
                return match reader.findings.len() > found_before {
                    true => None,
                    false => reader.not(value, &section, "a string or `{ secure = … }`"),
                };
            };
            let value = match inner.get_ref() {
                DeValue::String(text) => Part::Given(text.as_ref().into()),
                DeValue::Table(table) if table.contains_key("random") => random(reader, &section, table)?,
                _ => return reader.not(inner, "secure", "a string or `{ random = N }`"),
            };
            Some(SsmFixture { value, is_secure: true })
        }
        _ => reader.not(value, name, "a string or `{ secure = … }`"),
    }
}

fn read_secret(reader: &mut Reader<'_>, name: &str, value: &Value<'_>) -> Option<SecretFixture> {
    const FORMS: &str = "a string, `{ json = { … } }` or `{ random = N }`";
    let section = format!("fixtures.secrets.\"{name}\"");
    let table = match value.get_ref() {
        DeValue::String(text) => return Some(SecretFixture::Text(Part::Given(text.as_ref().into()))),
        DeValue::Table(table) => table,
        _ => return reader.not(value, name, FORMS),
    };
    let found_before = reader.findings.len();
    reader.only(table, &section, &["json", "random"]);
    match (table.get("json"), table.contains_key("random")) {
        (Some(inner), false) => match inner.get_ref() {
            DeValue::Table(members) if !members.contains_key("random") || members.len() > 1 => {
                part(reader, &section, inner).map(SecretFixture::Json)
            }
            _ => reader.not(inner, "json", "a table with the secret's keys"),
        },
        (None, true) => random(reader, &section, table).map(SecretFixture::Text),
        (Some(_), true) => {
            reader.wrong(&value.span(), format!("`{section}` has `json` and `random`, exactly one is expected"));
            None
        }
        (None, false) if reader.findings.len() > found_before => None,
        (None, false) => reader.not(value, &section, FORMS),
    }
}

/// A value of JSON in which tables `{ random = N }` stand for random texts.
fn part(reader: &mut Reader<'_>, section: &str, value: &Value<'_>) -> Option<Part> {
    match value.get_ref() {
        DeValue::Table(table) if table.len() == 1 && table.contains_key("random") => random(reader, section, table),
        DeValue::Table(table) => {
            let members: BTreeMap<String, Option<Part>> =
                table.iter().map(|(key, value)| (key.get_ref().to_string(), part(reader, section, value))).collect();
            members.into_iter().map(|(key, part)| Some((key, part?))).collect::<Option<_>>().map(Part::Object)
        }
        DeValue::Array(items) => {
            let items: Vec<Option<Part>> = items.iter().map(|item| part(reader, section, item)).collect();
            items.into_iter().collect::<Option<_>>().map(Part::List)
        }
        other => Some(Part::Given(json(other))),
    }
}

fn random(reader: &mut Reader<'_>, section: &str, table: &DeTable<'_>) -> Option<Part> {
    reader.only(table, section, &["random"]);
    let value = table.get("random")?;
    let length = value.get_ref().as_integer().and_then(|it| i64::from_str_radix(it.as_str(), it.radix()).ok());
    match length.filter(|length| (1..=RANDOM_MAX).contains(length)) {
        Some(length) => Some(Part::Random(length)),
        None => {
            let got = match (length, value.get_ref()) {
                (Some(length), _) => format!("`{length}`"),
                (None, other) => format!("a {}", other.type_str()),
            };
            let message = format!("`random` must be a number of characters, 1 to {RANDOM_MAX}, got {got}");
            reader.wrong(&value.span(), message);
            None
        }
    }
}
