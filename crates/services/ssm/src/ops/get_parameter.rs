//! `GetParameter`, `GetParameters`, `GetParameterHistory`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::errors::SsmError;
use crate::name::{self, Reference};
use crate::{api, state};

const HISTORY_ITEMS_DEFAULT: usize = 50;

pub(crate) struct GetParameter;

impl Operation for GetParameter {
    const SHAPE: &'static OperationShape = &api::GET_PARAMETER;
    type Input = api::GetParameterInput;
    type Output = api::GetParameterOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_parameter(cx, "ssm:GetParameter", &input.name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let reference = Reference::read(&input.name);
        let version = state::version(cx, &reference)?.decrypted(cx, input.with_decryption)?;
        Ok(api::GetParameterOutput { parameter: Some(version.shown(&cx.scope, &reference.selector)) })
    }
}

pub(crate) struct GetParameters;

impl Operation for GetParameters {
    const SHAPE: &'static OperationShape = &api::GET_PARAMETERS;
    type Input = api::GetParametersInput;
    type Output = api::GetParametersOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Accesses::each(input.names.iter().map(|name| on_parameter(cx, "ssm:GetParameters", name)), || {
            Access::new("ssm:GetParameters", "*")
        })
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (mut parameters, mut invalid) = (vec![], vec![]);
        for name in input.names {
            let reference = Reference::read(&name);
            match state::version(cx, &reference) {
                Ok(version) => {
                    let version = version.decrypted(cx, input.with_decryption)?;
                    parameters.push(version.shown(&cx.scope, &reference.selector));
                }
                Err(_) => invalid.push(name),
            }
        }
        Ok(api::GetParametersOutput { parameters: Some(parameters), invalid_parameters: Some(invalid) })
    }
}

pub(crate) struct GetParameterHistory;

impl Operation for GetParameterHistory {
    const SHAPE: &'static OperationShape = &api::GET_PARAMETER_HISTORY;
    type Input = api::GetParameterHistoryInput;
    type Output = api::GetParameterHistoryOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_parameter(cx, "ssm:GetParameterHistory", &input.name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let reference = Reference::read(&input.name);
        let record = state::find(cx, &reference).ok_or(SsmError::NotFound(reference.name))?;
        let versions = state::history(cx, record);
        let (versions, next_token) =
            page(versions, input.next_token.as_deref(), input.max_results, HISTORY_ITEMS_DEFAULT)?;
        let versions = versions.into_iter().map(|version| version.decrypted(cx, input.with_decryption));
        let versions: Vec<_> = versions.collect::<Result<_, _>>()?;
        let shown = |version: state::Version| api::ParameterHistory {
            policies: version.policies_shown(),
            name: Some(version.name),
            r#type: Some(version.kind),
            key_id: version.key_id,
            last_modified_date: Some(version.modified),
            last_modified_user: Some(version.modified_by),
            description: version.description,
            value: Some(version.value),
            allowed_pattern: version.allowed_pattern,
            version: Some(version.version),
            labels: Some(vec![]),
            tier: Some(version.tier),
            data_type: Some(version.data_type),
        };
        Ok(api::GetParameterHistoryOutput { parameters: Some(versions.into_iter().map(shown).collect()), next_token })
    }
}

/// An action on the parameter that a request names; a selector does not matter.
pub(super) fn on_parameter(cx: &Cx<'_>, action: &str, text: &str) -> Access {
    let reference = Reference::read(text);
    let tags = state::find(cx, &reference).map(|record| record.tags.as_slice());
    let arn = name::arn(reference.scope.as_ref().unwrap_or(&cx.scope), &reference.name);
    with_own_tags(Access::new(action, arn), tags.unwrap_or_default())
}

/// An access with the tags that a parameter has.
pub(super) fn with_own_tags(access: Access, tags: &[api::Tag]) -> Access {
    access.with_resource_tags(Some("ssm:resourceTag/"), pairs(tags))
}

/// Tags as condition keys take them.
pub(super) fn pairs(tags: &[api::Tag]) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}
