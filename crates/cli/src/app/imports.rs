//! What an app's templates take in and do not make: secrets and parameters that must be there before the stacks are.
//!
//! Invariant: pure, and careful: what cannot be told from the template alone is no import.

use std::collections::BTreeSet;

use neargate_base::{Arn, Scope};
use neargate_template::{DynamicReference, Evaluator, ParameterType, Partial, Unknown, resolve_parameters};

use super::fixtures::{Fixtures, is_secret_at, without_end};
use super::known::Known;
use super::synth::{Stack, called};

/// One thing that a template takes in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    /// What.
    pub(crate) thing: Thing,
    /// The key of the secret's JSON object that is asked for.
    pub(crate) key: Option<String>,
    /// Who asks: a construct path, a logical id, or a template parameter.
    pub(crate) by: String,
    /// For what, in a few words.
    pub(crate) purpose: String,
}

/// Something outside of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// An export of a stack, by its name.
    Export(String),
    /// A secret: its name, or its ARN with or without the six characters.
    Secret(String),
    /// A Parameter Store parameter: its name or ARN, and whether it is likely a `SecureString`.
    Parameter {
        /// The name or ARN.
        name: String,
        /// Whether a container gets it as a secret.
        is_secure: bool,
    },
}

/// What a stack makes that others can take in by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Made {
    /// Names of secrets.
    pub(crate) secrets: BTreeSet<String>,
    /// Names of parameters.
    pub(crate) parameters: BTreeSet<String>,
    /// Names of exports.
    pub(crate) exports: BTreeSet<String>,
    /// Names of parameters that the CDK's writer makes in the regions of other stacks.
    pub(crate) written: BTreeSet<String>,
}

impl Thing {
    /// The ARN where it is called by one.
    pub(crate) fn arn(&self) -> Option<Arn> {
        match self {
            Self::Secret(id) => id.parse().ok(),
            Self::Parameter { name, .. } => name.parse().ok(),
            Self::Export(_) => None,
        }
    }

    /// The names that the secret or parameter may have; an ARN's last characters may be part of a name or not.
    pub(crate) fn names(&self) -> Vec<String> {
        let whole = match (self, self.arn()) {
            (Self::Secret(_), Some(arn)) => arn.resource.strip_prefix("secret:").unwrap_or_default().to_owned(),
            (Self::Secret(name), None) => name.clone(),
            // `parameter/name`: the slash belongs to a name that has further ones, and to another one it may.
            (Self::Parameter { .. }, Some(arn)) => {
                let name = arn.resource.strip_prefix("parameter").unwrap_or_default();
                let trimmed = name.trim_start_matches('/');
                return match trimmed.contains('/') {
                    true => vec![name.to_owned()],
                    false => vec![name.to_owned(), trimmed.to_owned()],
                };
            }
            (Self::Parameter { name, .. }, None) | (Self::Export(name), _) => name.clone(),
        };
        vec![whole]
    }
}

/// What a stack in this account and region takes in, and what it makes.
pub(crate) fn of(stack: &Stack, scope: &Scope, fixtures: &Fixtures) -> (Vec<Import>, Made) {
    let environment = Known::of(stack, scope, fixtures);
    let (values, _) = resolve_parameters(&stack.template, &stack.parameters, &environment);
    let (mut imports, mut made) = (of_parameters(stack), Made::default());
    // A template that cannot be evaluated is refused when it is deployed, with the reason.
    let Ok(evaluator) = Evaluator::new(&stack.template, &values, &environment) else { return (imports, made) };
    for (logical_id, resource) in &stack.template.resources {
        if evaluator.includes(logical_id) == Some(false) {
            continue;
        }
        let Ok(Some(properties)) = evaluator.partial(&resource.properties) else { continue };
        let by = called(&stack.template, logical_id);
        let name = properties.get("Name").and_then(Partial::as_str).map(str::to_owned);
        match resource.resource_type.as_str() {
            "AWS::SecretsManager::Secret" => made.secrets.extend(name),
            "AWS::SSM::Parameter" => made.parameters.extend(name),
            "AWS::ECS::TaskDefinition" => imports.extend(of_containers(&properties, &by)),
            "Custom::CrossRegionExportWriter" => made.written.extend(written(&properties)),
            _ => {}
        }
        imports.extend(of_unknowns(properties, &by));
    }
    for (name, output) in &stack.template.outputs {
        if output.condition.as_deref().and_then(|it| evaluator.condition(it)) == Some(false) {
            continue;
        }
        let export = output.export.as_ref().and_then(|it| evaluator.partial(it).ok().flatten());
        made.exports.extend(export.as_ref().and_then(Partial::as_str).map(str::to_owned));
        let value = evaluator.partial(&output.value).ok().flatten();
        imports.extend(value.into_iter().flat_map(|it| of_unknowns(it, &format!("{}.{name}", stack.display_name))));
    }
    imports.sort();
    imports.dedup();
    (imports, made)
}

fn of_parameters(stack: &Stack) -> Vec<Import> {
    let parameters = stack.template.parameters.iter();
    let values = parameters.filter(|(_, it)| matches!(it.parameter_type, ParameterType::SsmValue(_)));
    let import = |(name, parameter): (&String, &neargate_template::Parameter)| {
        let ssm = stack.parameters.get(name).or(parameter.default.as_ref())?;
        // What `cdk bootstrap` leaves is there by itself.
        (!ssm.starts_with("/cdk-bootstrap/")).then(|| Import {
            thing: Thing::Parameter { name: without_version(ssm).to_owned(), is_secure: false },
            key: None,
            by: stack.display_name.clone(),
            purpose: format!("parameter `{name}` of the template"),
        })
    };
    values.filter_map(import).collect()
}

fn of_containers(properties: &Partial, by: &str) -> Vec<Import> {
    let mut imports = vec![];
    let containers = properties.get("ContainerDefinitions").and_then(Partial::as_list).unwrap_or_default();
    for container in containers {
        let name = container.get("Name").and_then(Partial::as_str).unwrap_or("?");
        let options = container.get("LogConfiguration").and_then(|it| it.get("SecretOptions"));
        let credentials = container.get("RepositoryCredentials").and_then(|it| it.get("CredentialsParameter"));
        let mut add = |reference: Option<&str>, purpose: String| {
            let Some((thing, key)) = reference.and_then(referred) else { return };
            imports.push(Import { thing, key, by: by.to_owned(), purpose });
        };
        for (secrets, word) in [(container.get("Secrets"), ""), (options, " of the log driver")] {
            for secret in secrets.and_then(Partial::as_list).unwrap_or_default() {
                let variable = secret.get("Name").and_then(Partial::as_str).unwrap_or("?");
                let reference = secret.get("ValueFrom").and_then(Partial::as_str);
                add(reference, format!("`{variable}`{word} in container `{name}`"));
            }
        }
        add(credentials.and_then(Partial::as_str), format!("registry credentials of container `{name}`"));
    }
    imports
}

/// What `ValueFrom` refers to: `arn:…:secret:NAME:KEY:STAGE:VERSION`, an ARN or a name of a parameter.
fn referred(value_from: &str) -> Option<(Thing, Option<String>)> {
    let Ok(arn) = value_from.parse::<Arn>() else {
        let name = value_from.to_owned();
        return (!name.is_empty()).then_some((Thing::Parameter { name, is_secure: true }, None));
    };
    match arn.service.as_str() {
        "secretsmanager" => {
            let mut parts = arn.resource.split(':');
            let (kind, name, key) = (parts.next()?, parts.next()?, parts.next());
            let key = key.filter(|key| !key.is_empty()).map(str::to_owned);
            let id = Arn { resource: format!("{kind}:{name}"), ..arn }.to_string();
            (kind == "secret").then_some((Thing::Secret(id), key))
        }
        "ssm" => Some((Thing::Parameter { name: value_from.to_owned(), is_secure: true }, None)),
        _ => None,
    }
}

/// The parameters that the CDK's custom resource makes for stacks in other regions.
fn written(properties: &Partial) -> Vec<String> {
    match properties.get("WriterProps").and_then(|it| it.get("exports")) {
        Some(Partial::Object(exports)) => exports.keys().cloned().collect(),
        _ => vec![],
    }
}

/// What is unknown for it is neither in the template nor made by it: exports and dynamic references.
fn of_unknowns(properties: Partial, by: &str) -> Vec<Import> {
    let Err(unknowns) = properties.into_json() else { return vec![] };
    let import = |unknown| {
        let reference = match unknown {
            Unknown::Dynamic(reference) => reference,
            Unknown::Import(name) => {
                let purpose = "`Fn::ImportValue`".to_owned();
                return Some(Import { thing: Thing::Export(name), key: None, by: by.to_owned(), purpose });
            }
            _ => return None,
        };
        let purpose = format!("`{reference}`");
        let (thing, key) = match reference {
            DynamicReference::Ssm { name, .. } => (Thing::Parameter { name, is_secure: false }, None),
            DynamicReference::SsmSecure { name, .. } => (Thing::Parameter { name, is_secure: true }, None),
            DynamicReference::Secret { secret_id, json_key, .. } => (Thing::Secret(secret_id), json_key),
        };
        Some(Import { thing, key, by: by.to_owned(), purpose })
    };
    unknowns.into_iter().filter_map(import).collect()
}

/// A parameter's name without the version or label that may follow it.
fn without_version(name: &str) -> &str {
    if name.starts_with("arn:") { name } else { name.split(':').next().unwrap_or(name) }
}

impl Thing {
    /// The fixture that stands for it in its place, of all that have these names: one by ARN before one by name.
    pub(crate) fn among<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        place: &Scope,
        is_at_home: bool,
    ) -> Option<&'n str> {
        let (own, arn) = (self.names(), self.arn());
        let meant = names.filter(|name| match (name.parse::<Arn>(), &arn) {
            // A complete ARN of a fixture answers for the one without its last characters too.
            (Ok(fixture), Some(arn)) => fixture == *arn || without_end(&fixture) == *arn,
            (Ok(fixture), None) => own.iter().any(|own| is_secret_at(&fixture, own, place)),
            (Err(_), _) => is_at_home && own.iter().any(|own| own == name),
        });
        meant.max_by_key(|name| name.starts_with("arn:"))
    }
}
