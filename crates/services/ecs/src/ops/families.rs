//! The families of task definitions.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{items_max, pages};
use crate::api;
use crate::state::Definition;

/// `ListTaskDefinitionFamilies` lists names of families. One is active as long as it has an active revision.
pub(crate) struct ListTaskDefinitionFamilies;

impl Operation for ListTaskDefinitionFamilies {
    const SHAPE: &'static OperationShape = &api::LIST_TASK_DEFINITION_FAMILIES;
    type Input = api::ListTaskDefinitionFamiliesInput;
    type Output = api::ListTaskDefinitionFamiliesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("ecs:ListTaskDefinitionFamilies", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let prefix = input.family_prefix.as_deref().unwrap_or_default();
        let mut families: BTreeMap<&str, bool> = BTreeMap::new();
        for (_, definition) in cx.scan::<Definition>("") {
            let family = definition.view.family.as_deref().unwrap_or_default();
            if family.starts_with(prefix) {
                *families.entry(family).or_default() |= definition.view.status.as_deref() == Some("ACTIVE");
            }
        }
        let fits = |is_active: bool| match input.status.as_deref() {
            Some("ACTIVE") => is_active,
            Some("INACTIVE") => !is_active,
            _ => true,
        };
        let families = families.into_iter().filter(|(_, is_active)| fits(*is_active));
        let names: Vec<String> = families.map(|(family, _)| family.to_owned()).collect();
        let filter = (&input.family_prefix, &input.status);
        let pages = pages(cx, "ListTaskDefinitionFamilies", filter, input.next_token.as_deref())?;
        let (families, next_token) = pages.listed(names, String::clone, items_max(input.max_results));
        Ok(api::ListTaskDefinitionFamiliesOutput { families: Some(families), next_token })
    }
}
