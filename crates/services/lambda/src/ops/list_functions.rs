//! `ListFunctions`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::api;
use crate::state::FunctionRecord;

const ITEMS_MAX: usize = 50;

pub(crate) struct ListFunctions;

impl Operation for ListFunctions {
    const SHAPE: &'static OperationShape = &api::LIST_FUNCTIONS;
    type Input = api::ListFunctionsInput;
    type Output = api::ListFunctionsOutput;

    fn access(_cx: &Cx<'_>, _input: &Self::Input) -> Accesses {
        Access::new("lambda:ListFunctions", "*").into()
    }

    /// The marker is the name of the next page's first function.
    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let room = input.max_items.and_then(|max| usize::try_from(max).ok()).unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
        let marker = input.marker.unwrap_or_default();
        let mut rest = cx.scan::<FunctionRecord>("").skip_while(|(name, _)| *name < marker.as_str());
        let functions = rest.by_ref().take(room).map(|(_, record)| record.configuration.clone()).collect();
        let next_marker = rest.next().map(|(name, _)| name.to_owned());
        Ok(api::ListFunctionsOutput { next_marker, functions: Some(functions) })
    }
}
