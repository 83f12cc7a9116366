//! Task definitions, read and taken out of use.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{items_max, pages};
use crate::api;
use crate::errors::EcsError;
use crate::state::{Definition, definition, definition_key};

/// `DescribeTaskDefinition` describes a revision, or the latest active one of a family.
pub(crate) struct DescribeTaskDefinition;

impl Operation for DescribeTaskDefinition {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_TASK_DEFINITION;
    type Input = api::DescribeTaskDefinitionInput;
    type Output = api::DescribeTaskDefinitionOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("ecs:DescribeTaskDefinition", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let found = definition(cx, &input.task_definition)?;
        let tags = input.include.iter().flatten().any(|field| field == "TAGS").then_some(found.tags);
        Ok(api::DescribeTaskDefinitionOutput { task_definition: Some(found.view), tags })
    }
}

/// `ListTaskDefinitions` lists ARNs, by family and revision.
pub(crate) struct ListTaskDefinitions;

impl Operation for ListTaskDefinitions {
    const SHAPE: &'static OperationShape = &api::LIST_TASK_DEFINITIONS;
    type Input = api::ListTaskDefinitionsInput;
    type Output = api::ListTaskDefinitionsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("ecs:ListTaskDefinitions", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let status = input.status.as_deref().unwrap_or("ACTIVE");
        let fits = |view: &api::TaskDefinition| {
            view.status.as_deref() == Some(status)
                && (input.family_prefix.is_none() || view.family == input.family_prefix)
        };
        let found = cx.scan::<Definition>("").map(|(_, found)| &found.view).filter(|view| fits(view));
        let mut arns: Vec<_> = found.filter_map(|view| view.task_definition_arn.clone()).collect();
        if input.sort.as_deref() == Some("DESC") {
            arns.reverse();
        }
        let filter = (&input.family_prefix, status, &input.sort);
        let pages = pages(cx, "ListTaskDefinitions", filter, input.next_token.as_deref())?;
        let (arns, next_token) = pages.listed(arns, String::clone, items_max(input.max_results));
        Ok(api::ListTaskDefinitionsOutput { task_definition_arns: Some(arns), next_token })
    }
}

/// `DeregisterTaskDefinition` makes a revision inactive; tasks that run of it go on.
pub(crate) struct DeregisterTaskDefinition;

impl Operation for DeregisterTaskDefinition {
    const SHAPE: &'static OperationShape = &api::DEREGISTER_TASK_DEFINITION;
    type Input = api::DeregisterTaskDefinitionInput;
    type Output = api::DeregisterTaskDefinitionOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("ecs:DeregisterTaskDefinition", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = input.task_definition.rsplit('/').next().unwrap_or_default();
        if name.rsplit_once(':').is_none_or(|(_, revision)| revision.parse::<i32>().is_err()) {
            return Err(EcsError::Client("Revision is missing.".to_owned()).into());
        }
        let found = definition(cx, &input.task_definition)?;
        let key =
            definition_key(found.view.family.as_deref().unwrap_or_default(), found.view.revision.unwrap_or_default());
        let now = cx.time();
        let view = cx.update::<Definition, _>(&key, |it| {
            it.view.status = Some("INACTIVE".to_owned());
            it.view.deregistered_at = Some(now);
            it.view.clone()
        });
        Ok(api::DeregisterTaskDefinitionOutput { task_definition: view })
    }
}
