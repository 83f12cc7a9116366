//! The faults of the EventBridge API.

use neargate_kernel::Fault;
use neargate_kit::TagFlaw;

/// What EventBridge refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventsError {
    BusNotFound(String),
    RuleNotFound { rule: String, bus: String },
    BusExists(String),
    InvalidPattern(String),
    Validation(String),
    HasTargets,
    NextToken,
    Tags(TagFlaw),
}

impl From<TagFlaw> for EventsError {
    fn from(flaw: TagFlaw) -> Self {
        Self::Tags(flaw)
    }
}

impl From<EventsError> for Fault {
    fn from(error: EventsError) -> Self {
        match error {
            EventsError::BusNotFound(bus) => {
                Self::sender("ResourceNotFoundException", format!("Event bus {bus} does not exist."))
            }
            EventsError::RuleNotFound { rule, bus } => {
                Self::sender("ResourceNotFoundException", format!("Rule {rule} does not exist on EventBus {bus}."))
            }
            EventsError::BusExists(bus) => {
                Self::sender("ResourceAlreadyExistsException", format!("Event bus {bus} already exists."))
            }
            EventsError::InvalidPattern(reason) => {
                Self::sender("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {reason}"))
            }
            EventsError::Validation(text) => Self::validation(text),
            EventsError::NextToken => Self::validation("The NextToken that was given is not valid for this request."),
            EventsError::Tags(TagFlaw::Reserved(_)) => {
                Self::validation("aws: prefixed tag key names are not allowed for external use.")
            }
            EventsError::Tags(TagFlaw::Twice(key)) => Self::validation(format!("Duplicate tag key: {key}")),
            EventsError::Tags(TagFlaw::TooMany) => {
                Self::sender("LimitExceededException", "A resource can have up to 50 tags.")
            }
            EventsError::HasTargets => Self::validation("Rule can't be deleted since it has targets."),
        }
    }
}
