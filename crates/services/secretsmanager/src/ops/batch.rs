//! `BatchGetSecretValue`: each secret is asked for as `GetSecretValue` would be; those that fail are told apart.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::{OperationShape, Wire};
use serde_json::json;

use super::list::fits_all;
use super::page::page;
use crate::api;
use crate::errors::SecretError;
use crate::state::SecretRecord;

pub(crate) struct BatchGetSecretValue;

impl Operation for BatchGetSecretValue {
    const SHAPE: &'static OperationShape = &api::BATCH_GET_SECRET_VALUE;
    type Input = api::BatchGetSecretValueInput;
    type Output = api::BatchGetSecretValueOutput;

    fn access(_: &Cx<'_>, input: &Self::Input) -> Accesses {
        let list = input.filters.is_some().then(|| Access::new("secretsmanager:ListSecrets", "*"));
        Accesses::new(Access::new("secretsmanager:BatchGetSecretValue", "*")).and(list)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (ids, next_token) = match (input.secret_id_list, &input.filters) {
            (Some(_), Some(_)) => return Err(SecretError::ListAndFilters.into()),
            (None, None) => return Err(SecretError::NeitherListNorFilters.into()),
            (Some(ids), None) => (ids, None),
            (None, Some(filters)) => {
                let secrets = cx.scan::<SecretRecord>("").map(|(_, secret)| secret);
                let secrets = secrets.filter(|secret| secret.deletion.is_none() && fits_all(secret, filters));
                let arns = secrets.map(|secret| secret.arn.clone()).collect();
                page(arns, input.next_token.as_deref(), input.max_results, 20)?
            }
        };
        let (mut values, mut errors) = (vec![], vec![]);
        for id in ids {
            match value(cx, &id) {
                Ok(value) => values.push(value),
                Err(fault) => errors.push(api::APIErrorType {
                    secret_id: Some(id),
                    error_code: Some(fault.code.to_owned()),
                    message: Some(fault.message),
                }),
            }
        }
        Ok(api::BatchGetSecretValueOutput { secret_values: Some(values), next_token, errors: Some(errors) })
    }
}

fn value(cx: &mut Cx<'_>, id: &str) -> Result<api::SecretValueEntry, Fault> {
    let answer = cx.call_json("secretsmanager", "GetSecretValue", json!({"SecretId": id}))?;
    let answer = api::GetSecretValueOutput::from_value(answer).map_err(|error| Fault::internal(error.to_string()))?;
    Ok(api::SecretValueEntry {
        arn: answer.arn,
        name: answer.name,
        version_id: answer.version_id,
        secret_binary: answer.secret_binary,
        secret_string: answer.secret_string,
        version_stages: answer.version_stages,
        created_date: answer.created_date,
    })
}
