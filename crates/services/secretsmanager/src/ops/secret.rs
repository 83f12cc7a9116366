//! `CreateSecret`, `UpdateSecret`, `DescribeSecret`.

use std::collections::BTreeMap;

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;
use serde_json::json;

use super::tags::check_tags;
use crate::access::{on_new, on_secret, with_tags};
use crate::envelope::Plain;
use crate::errors::SecretError;
use crate::state::{self, CURRENT, SecretRecord};
use crate::{api, versions};

const NAME_CHARACTERS: &str = "/_+=.@-!";

/// A token for a request that brings none.
pub(super) fn token(cx: &mut Cx<'_>, given: Option<String>) -> String {
    given.unwrap_or_else(|| cx.rng.uuid())
}

pub(crate) struct CreateSecret;

impl Operation for CreateSecret {
    const SHAPE: &'static OperationShape = &api::CREATE_SECRET;
    type Input = api::CreateSecretInput;
    type Output = api::CreateSecretOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let arn = state::arn(cx, &input.name);
        let create = on_new(cx, "secretsmanager:CreateSecret", &arn)
            .with("secretsmanager:Name", input.name.as_str())
            .with_option("secretsmanager:Description", input.description.as_deref())
            .with_option("secretsmanager:KmsKeyId", input.kms_key_id.as_deref());
        let tags = input.tags.as_deref().unwrap_or_default();
        let tag = (!tags.is_empty()).then(|| with_tags(on_new(cx, "secretsmanager:TagResource", &arn), tags));
        Accesses::new(with_tags(create, tags)).and(tag)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        make(cx, input, None)
    }
}

/// A secret under an ARN, or under one whose end is random.
fn make(cx: &mut Cx<'_>, input: api::CreateSecretInput, arn: Option<String>) -> Result<api::CreateSecretOutput, Fault> {
    refuse_what_is_not_here(&input)?;
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || NAME_CHARACTERS.contains(letter);
    if !input.name.chars().all(is_letter) {
        return Err(SecretError::NameSpelling.into());
    }
    let plain = Plain::of(input.secret_string, input.secret_binary)?;
    if let Some(secret) = cx.get::<SecretRecord>(&input.name).cloned() {
        return again(cx, secret, input.client_request_token.as_deref(), plain.as_ref());
    }
    let tags = input.tags.unwrap_or_default();
    check_tags(&tags, &[])?;
    let (arn, now) = (arn.unwrap_or_else(|| state::new_arn(cx, &input.name)), cx.time());
    let mut secret = SecretRecord {
        name: input.name,
        arn,
        description: input.description,
        kms_key_id: input.kms_key_id.filter(|key| !key.is_empty()),
        tags,
        policy: None,
        principals: BTreeMap::new(),
        created: now,
        changed: now,
        accessed: None,
        deletion: None,
        versions: BTreeMap::new(),
        stages: BTreeMap::new(),
    };
    if let Some(plain) = plain {
        let token = token(cx, input.client_request_token);
        versions::add(cx, &mut secret, &token, &plain, &[])?;
    }
    let output = created(&secret);
    cx.put(&secret.name.clone(), secret);
    Ok(output)
}

/// Puts a value into the secret that lies at a complete ARN of this account and region, and makes the secret where there is none:
/// `CreateSecret` draws the last six characters at random, so nothing else can make what a template takes in by its complete ARN.
pub(crate) fn import(cx: &mut Cx<'_>, arn: &str, value: String) -> Result<(), Fault> {
    let name = state::name_in_arn(cx, arn).ok_or_else(|| {
        let wanted = cx.scope.arn("secretsmanager", "secret:NAME-XXXXXX");
        Fault::validation(format!("`{arn}` is no complete ARN of a secret here: expected `{wanted}`"))
    })?;
    if value.is_empty() {
        return Err(Fault::validation("a secret's value has at least one character"));
    }
    match cx.get::<SecretRecord>(&name).map(|secret| secret.arn == arn) {
        Some(true) => {
            let input = json!({ "SecretId": arn, "SecretString": value });
            cx.call_json("secretsmanager", "PutSecretValue", input).map(drop)
        }
        Some(false) => Err(SecretError::Exists(name).into()),
        None => {
            let input =
                api::CreateSecretInput { name, secret_string: Some(value), ..api::CreateSecretInput::default() };
            make(cx, input, Some(arn.to_owned())).map(drop)
        }
    }
}

fn refuse_what_is_not_here(input: &api::CreateSecretInput) -> Result<(), Fault> {
    let parameter = [
        ("AddReplicaRegions", input.add_replica_regions.is_some()),
        ("Type", input.r#type.is_some()),
        ("CrossAccountPrimaryARN", input.cross_account_primary_arn.is_some()),
    ]
    .into_iter()
    .find_map(|(name, is_there)| is_there.then_some(name));
    match parameter {
        Some(name) => Err(Fault::not_implemented("secretsmanager", &format!("CreateSecret with {name}"))),
        None => Ok(()),
    }
}

/// A secret of that name is there: the same request again gets the same answer.
fn again(
    cx: &mut Cx<'_>,
    secret: SecretRecord,
    token: Option<&str>,
    plain: Option<&Plain>,
) -> Result<api::CreateSecretOutput, Fault> {
    if secret.deletion.is_some() {
        return Err(SecretError::NameIsDeleted.into());
    }
    let known = token.filter(|token| secret.versions.contains_key(*token));
    if let (Some(token), Some(plain)) = (known, plain)
        && versions::value(cx, &secret, token)? == *plain
    {
        return Ok(api::CreateSecretOutput { version_id: Some(token.to_owned()), ..created(&secret) });
    }
    Err(SecretError::Exists(secret.name).into())
}

fn created(secret: &SecretRecord) -> api::CreateSecretOutput {
    api::CreateSecretOutput {
        arn: Some(secret.arn.clone()),
        name: Some(secret.name.clone()),
        version_id: secret.stages.get(CURRENT).cloned(),
        replication_status: None,
    }
}

pub(crate) struct UpdateSecret;

impl Operation for UpdateSecret {
    const SHAPE: &'static OperationShape = &api::UPDATE_SECRET;
    type Input = api::UpdateSecretInput;
    type Output = api::UpdateSecretOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let mut access = on_secret(cx, "UpdateSecret", &input.secret_id);
        if let Some(description) = &input.description {
            access = access.with("secretsmanager:Description", description.as_str());
        }
        if let Some(key) = &input.kms_key_id {
            access = access.with("secretsmanager:KmsKeyId", key.as_str());
        }
        access.into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.r#type.is_some() {
            return Err(Fault::not_implemented("secretsmanager", "UpdateSecret with Type"));
        }
        let mut secret = state::living(cx, &input.secret_id)?;
        let plain = Plain::of(input.secret_string, input.secret_binary)?;
        if let Some(description) = input.description {
            secret.description = Some(description);
        }
        if let Some(key) = input.kms_key_id {
            let key = Some(key).filter(|key| !key.is_empty());
            if key != secret.kms_key_id {
                versions::change_key(cx, &mut secret, key)?;
            }
        }
        let version_id = match plain {
            None => None,
            Some(plain) => {
                let token = token(cx, input.client_request_token);
                versions::add(cx, &mut secret, &token, &plain, &[])?;
                Some(token)
            }
        };
        secret.changed = cx.time();
        let (arn, name) = (Some(secret.arn.clone()), Some(secret.name.clone()));
        cx.put(&secret.name.clone(), secret);
        Ok(api::UpdateSecretOutput { arn, name, version_id })
    }
}

pub(crate) struct DescribeSecret;

impl Operation for DescribeSecret {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_SECRET;
    type Input = api::DescribeSecretInput;
    type Output = api::DescribeSecretOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "DescribeSecret", &input.secret_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (_, secret) = state::find(cx, &input.secret_id).ok_or(SecretError::NotFound)?;
        Ok(api::DescribeSecretOutput {
            last_changed_date: Some(secret.changed),
            last_accessed_date: secret.accessed,
            deleted_date: secret.deleted_date(),
            version_ids_to_stages: secret.versions_to_stages(),
            created_date: Some(secret.created),
            arn: Some(secret.arn),
            name: Some(secret.name),
            description: secret.description,
            kms_key_id: secret.kms_key_id,
            tags: (!secret.tags.is_empty()).then_some(secret.tags),
            ..api::DescribeSecretOutput::default()
        })
    }
}
