//! Templates, looked at.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{access, preflight};
use crate::api;
use crate::errors::CloudFormationError;
use crate::state::find;

/// `GetTemplate` answers a stack's template as it was given.
pub(crate) struct GetTemplate;

impl Operation for GetTemplate {
    const SHAPE: &'static OperationShape = &api::GET_TEMPLATE;
    type Input = api::GetTemplateInput;
    type Output = api::GetTemplateOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:GetTemplate", input.stack_name.as_deref().unwrap_or("*"))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let Some(name) = input.stack_name else {
            return Err(CloudFormationError::Validation("StackName is required.".to_owned()).into());
        };
        let stack = find(cx, &name)?;
        let stages = ["Original", "Processed"].map(str::to_owned).to_vec();
        Ok(api::GetTemplateOutput { template_body: Some(stack.source.template), stages_available: Some(stages) })
    }
}

/// `ValidateTemplate` reads a template and lists its parameters.
pub(crate) struct ValidateTemplate;

impl Operation for ValidateTemplate {
    const SHAPE: &'static OperationShape = &api::VALIDATE_TEMPLATE;
    type Input = api::ValidateTemplateInput;
    type Output = api::ValidateTemplateOutput;

    fn access(_: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("cloudformation:ValidateTemplate", "*")
            .with_option("cloudformation:TemplateUrl", input.template_url.as_deref())
            .into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let template = preflight::read(&preflight::text(cx, input.template_body, input.template_url.as_deref())?)?;
        let view = |(name, it): (&String, &neargate_template::Parameter)| api::TemplateParameter {
            parameter_key: Some(name.clone()),
            default_value: it.default.clone(),
            no_echo: Some(it.no_echo),
            description: it.description.clone(),
        };
        let (capability, types) = preflight::needed_capability(&template).unzip();
        let reason =
            |types: Vec<&str>| format!("The following resource(s) require capabilities: [{}]", types.join(", "));
        Ok(api::ValidateTemplateOutput {
            capabilities: capability.map(|name| vec![name.to_owned()]),
            capabilities_reason: types.map(reason),
            parameters: Some(template.parameters.iter().map(view).collect()),
            description: template.description.clone(),
            ..api::ValidateTemplateOutput::default()
        })
    }
}

/// `GetTemplateSummary` tells what a template, or a stack's, takes and makes. Values of hidden parameters are not shown.
pub(crate) struct GetTemplateSummary;

impl Operation for GetTemplateSummary {
    const SHAPE: &'static OperationShape = &api::GET_TEMPLATE_SUMMARY;
    type Input = api::GetTemplateSummaryInput;
    type Output = api::GetTemplateSummaryOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let asked = match &input.stack_name {
            Some(name) => access(cx, "cloudformation:GetTemplateSummary", name),
            None => Access::new("cloudformation:GetTemplateSummary", "*").with_resource_tags(None, []).into(),
        };
        asked.map(|access| access.with_option("cloudformation:TemplateUrl", input.template_url.as_deref()))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let text = match &input.stack_name {
            Some(name) if input.template_body.is_none() => find(cx, name)?.source.template,
            _ => preflight::text(cx, input.template_body, input.template_url.as_deref())?,
        };
        let template = preflight::read(&text)?;
        let default = |it: &neargate_template::Parameter| {
            let hidden = it.no_echo.then(|| crate::secrets::HIDDEN.to_owned());
            it.default.clone().map(|default| hidden.unwrap_or(default))
        };
        let parameter = |(name, it): (&String, &neargate_template::Parameter)| api::ParameterDeclaration {
            parameter_key: Some(name.clone()),
            default_value: default(it),
            parameter_type: Some(it.parameter_type.to_string()),
            no_echo: Some(it.no_echo),
            description: it.description.clone(),
            parameter_constraints: Some(api::ParameterConstraints {
                allowed_values: Some(it.allowed_values.clone()).filter(|values| !values.is_empty()),
            }),
        };
        let (capability, types) = preflight::needed_capability(&template).unzip();
        let reason =
            |types: Vec<&str>| format!("The following resource(s) require capabilities: [{}]", types.join(", "));
        let mut resource_types: Vec<_> = template.resources.values().map(|it| it.resource_type.clone()).collect();
        resource_types.sort();
        resource_types.dedup();
        Ok(api::GetTemplateSummaryOutput {
            parameters: Some(template.parameters.iter().map(parameter).collect()),
            description: template.description.clone(),
            capabilities: capability.map(|name| vec![name.to_owned()]),
            capabilities_reason: types.map(reason),
            resource_types: Some(resource_types),
            ..api::GetTemplateSummaryOutput::default()
        })
    }
}
