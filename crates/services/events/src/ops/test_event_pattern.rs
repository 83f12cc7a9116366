//! `TestEventPattern`.

use neargate_event_pattern::Pattern;
use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::api;
use crate::errors::EventsError;

/// `TestEventPattern` says whether a pattern matches an event.
pub(crate) struct TestEventPattern;

impl Operation for TestEventPattern {
    const SHAPE: &'static OperationShape = &api::TEST_EVENT_PATTERN;
    type Input = api::TestEventPatternInput;
    type Output = api::TestEventPatternOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("events:TestEventPattern", "*").into()
    }

    fn apply(_: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let pattern =
            Pattern::parse(&input.event_pattern).map_err(|error| EventsError::InvalidPattern(error.to_string()))?;
        let result =
            pattern.matches(input.event.as_bytes()).map_err(|error| EventsError::Validation(error.to_string()))?;
        Ok(api::TestEventPatternOutput { result: Some(result) })
    }
}
