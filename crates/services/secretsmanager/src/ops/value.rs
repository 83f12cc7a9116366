//! `GetSecretValue`, `PutSecretValue`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::secret::token;
use crate::access::on_secret;
use crate::envelope::Plain;
use crate::errors::SecretError;
use crate::state::CURRENT;
use crate::{api, state, versions};

pub(crate) struct GetSecretValue;

impl Operation for GetSecretValue {
    const SHAPE: &'static OperationShape = &api::GET_SECRET_VALUE;
    type Input = api::GetSecretValueInput;
    type Output = api::GetSecretValueOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let mut access = on_secret(cx, "GetSecretValue", &input.secret_id);
        if let Some(id) = &input.version_id {
            access = access.with("secretsmanager:VersionId", id.as_str());
        }
        let stage = input.version_stage.as_deref().or(input.version_id.is_none().then_some(CURRENT));
        stage.map_or(access.clone(), |stage| access.with("secretsmanager:VersionStage", stage)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (scope, mut secret) = state::find(cx, &input.secret_id).ok_or(SecretError::NotFound)?;
        secret.living()?;
        let version = versions::chosen(&secret, input.version_id.as_deref(), input.version_stage.as_deref())?;
        let plain = versions::value(cx, &secret, &version)?;
        if scope == cx.scope {
            versions::touch(cx, &mut secret, &version);
        }
        let (secret_string, secret_binary) = plain.shown();
        let stages = Some(secret.stages_of(&version)).filter(|stages| !stages.is_empty());
        Ok(api::GetSecretValueOutput {
            created_date: secret.versions.get(&version).map(|version| version.created),
            arn: Some(secret.arn),
            name: Some(secret.name),
            version_id: Some(version),
            secret_binary,
            secret_string,
            version_stages: stages,
        })
    }
}

pub(crate) struct PutSecretValue;

impl Operation for PutSecretValue {
    const SHAPE: &'static OperationShape = &api::PUT_SECRET_VALUE;
    type Input = api::PutSecretValueInput;
    type Output = api::PutSecretValueOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "PutSecretValue", &input.secret_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.rotation_token.is_some() {
            return Err(Fault::not_implemented("secretsmanager", "PutSecretValue with RotationToken"));
        }
        let plain = Plain::of(input.secret_string, input.secret_binary)?.ok_or(SecretError::ValueMissing)?;
        let mut secret = state::living(cx, &input.secret_id)?;
        let token = token(cx, input.client_request_token);
        versions::add(cx, &mut secret, &token, &plain, &input.version_stages.unwrap_or_default())?;
        let output = api::PutSecretValueOutput {
            arn: Some(secret.arn.clone()),
            name: Some(secret.name.clone()),
            version_stages: Some(secret.stages_of(&token)).filter(|stages| !stages.is_empty()),
            version_id: Some(token),
        };
        cx.put(&secret.name.clone(), secret);
        Ok(output)
    }
}
