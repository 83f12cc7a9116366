//! `PutParameter`.
//!
//! Follows <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;
use zeroize::Zeroizing;

use super::get_parameter::{pairs, with_own_tags};
use crate::api;
use crate::errors::SsmError;
use crate::name::{self, Reference};
use crate::secure::{self, DEFAULT_KEY, SECURE_STRING};
use crate::state::{self, ParameterRecord, Version};

const STANDARD_CHARACTERS_MAX: usize = 4096;
const ADVANCED_CHARACTERS_MAX: usize = 8192;
const DATA_TYPES: &[&str] = &["text", "aws:ec2:image", "aws:ssm:integration"];

pub(crate) struct PutParameter;

impl Operation for PutParameter {
    const SHAPE: &'static OperationShape = &api::PUT_PARAMETER;
    type Input = api::PutParameterInput;
    type Output = api::PutParameterOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let arn = name::arn(&cx.scope, &input.name);
        let given = pairs(input.tags.as_deref().unwrap_or_default());
        let own = cx.get::<ParameterRecord>(&input.name).map(|record| record.tags.clone()).unwrap_or_default();
        let on = |action: &str| with_own_tags(Access::new(action, &arn), &own).with_request_tags(given.clone());
        let put = on("ssm:PutParameter")
            .with("ssm:Overwrite", (input.overwrite == Some(true)).to_string())
            .with_option("ssm:Policies", input.policies.as_deref());
        Accesses::new(put).and(has_tags(input).then(|| on("ssm:AddTagsToResource")))
    }

    fn apply(cx: &mut Cx<'_>, mut input: Self::Input) -> Result<Self::Output, Fault> {
        let value = Zeroizing::new(std::mem::take(&mut input.value));
        name::check(&input.name)?;
        if value.is_empty() {
            return Err(SsmError::EmptyValue.into());
        }
        if value.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")) {
            return Err(SsmError::NestedValue.into());
        }
        let overwrites = input.overwrite == Some(true);
        if overwrites && has_tags(&input) {
            return Err(SsmError::TagsAndOverwrite.into());
        }
        let before = state::find(cx, &Reference::read(&input.name)).cloned();
        if before.is_some() && !overwrites {
            return Err(SsmError::AlreadyExists.into());
        }
        let mut latest = next_version(cx, &input, &value, before.as_ref().map(|record| &record.latest))?;
        latest.value = match &latest.key_id {
            Some(key_id) => secure::seal(cx, &latest.name, key_id, &latest.tier, &value)?,
            None => value.to_string(),
        };
        say_what_is_not_checked(cx, &latest);
        let output = api::PutParameterOutput { version: Some(latest.version), tier: Some(latest.tier.clone()) };
        match before {
            Some(record) => state::put_version(cx, record, latest),
            None => cx.put(&input.name, ParameterRecord { latest, tags: input.tags.unwrap_or_default() }),
        }
        Ok(output)
    }
}

fn has_tags(input: &api::PutParameterInput) -> bool {
    input.tags.as_ref().is_some_and(|tags| !tags.is_empty())
}

/// The version that a put makes, without its value. What it does not say stays as it was, but for the key and the policies.
fn next_version(
    cx: &Cx<'_>,
    input: &api::PutParameterInput,
    value: &str,
    before: Option<&Version>,
) -> Result<Version, SsmError> {
    let kind = input.r#type.clone().or_else(|| Some(before?.kind.clone())).ok_or(SsmError::TypeMissing)?;
    if let Some(before) = before.filter(|before| before.kind != kind) {
        return Err(SsmError::TypeChanged { from: before.kind.clone(), to: kind });
    }
    let is_secure = kind == SECURE_STRING;
    if input.key_id.is_some() && !is_secure {
        return Err(SsmError::KeyIdNotSecure);
    }
    let key_id = is_secure.then(|| input.key_id.clone().unwrap_or_else(|| DEFAULT_KEY.to_owned()));
    // KMS encrypts bytes.
    let size = if is_secure { value.len() } else { value.chars().count() };
    let data_type = input.data_type.clone().or_else(|| Some(before?.data_type.clone()));
    let data_type = data_type.unwrap_or_else(|| "text".to_owned());
    if !DATA_TYPES.contains(&data_type.as_str()) {
        return Err(SsmError::DataType(data_type));
    }
    Ok(Version {
        name: before.map_or_else(|| input.name.clone(), |before| before.name.clone()),
        version: before.map_or(1, |before| before.version + 1),
        kind,
        tier: tier(input, size, before)?,
        value: String::new(),
        key_id,
        data_type,
        description: input.description.clone().or_else(|| before?.description.clone()),
        allowed_pattern: input.allowed_pattern.clone(),
        policies: input.policies.clone(),
        modified: cx.time(),
        modified_by: cx.principal.arn(),
    })
}

fn tier(input: &api::PutParameterInput, size: usize, before: Option<&Version>) -> Result<String, SsmError> {
    let was_advanced = before.is_some_and(|before| before.tier == "Advanced");
    let needs_advanced = size > STANDARD_CHARACTERS_MAX || input.policies.is_some() || was_advanced;
    let tier = match input.tier.as_deref() {
        Some("Standard") if was_advanced => return Err(SsmError::TierDowngrade),
        Some("Intelligent-Tiering") if needs_advanced => "Advanced",
        None if was_advanced => "Advanced",
        Some("Intelligent-Tiering") | None => "Standard",
        Some(tier) => tier,
    };
    match tier {
        "Standard" if size > STANDARD_CHARACTERS_MAX => Err(SsmError::StandardSize),
        _ if size > ADVANCED_CHARACTERS_MAX => Err(SsmError::AdvancedSize),
        tier => Ok(tier.to_owned()),
    }
}

fn say_what_is_not_checked(cx: &mut Cx<'_>, version: &Version) {
    let subject = format!("ssm:PutParameter {}", version.name);
    if version.allowed_pattern.is_some() {
        cx.not_simulated(&subject, "`AllowedPattern` is recorded; values are not checked against it");
    }
    if version.policies.is_some() {
        cx.not_simulated(&subject, "`Policies` are recorded; parameters do not expire");
    }
    if version.data_type != "text" {
        cx.not_simulated(&subject, format!("data type `{}` is recorded; values are not checked", version.data_type));
    }
}
