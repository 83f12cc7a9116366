//! What EventBridge hands to a target: the event, a constant, a part of it, or a template filled from it.
//!
//! A target carries at most one of `Input`, `InputPath` and `InputTransformer`. [`TargetInput`] is that choice, checked
//! once when the target is put and rendered for each matching event. Everything here is a pure function.
//!
//! ```
//! use neargate_event_transform::{Context, Event, InputTransformer, TargetInput};
//!
//! let transformer = InputTransformer::parse(
//!     [("command", "$.detail.command")],
//!     r#"{"containerOverrides":[{"name":"app","environment":[{"name":"COMMAND","value":<command>}]}]}"#,
//! )?;
//! let event = Event::parse(r#"{"detail":{"command":"update-account"}}"#)?;
//! let rendered = TargetInput::Transformer(transformer).render(&event, &Context::default())?;
//! assert!(rendered.is_json);
//! assert!(rendered.text.ends_with(r#""value":"update-account"}]}]}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariant: a number leaves as it came, digit for digit; no value passes through a float.
//!
//! Invariant: a substituted value is never scanned for placeholders again.
//!
//! Invariant: no IO, no clock, no other crate of ours.

/// The examples of the README, compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod error;
mod event;
mod json;
mod path;
mod template;

pub use error::{NotDelivered, TransformError};
pub use event::{Context, Event, EventError};
pub use path::JsonPath;
pub use template::InputTransformer;

/// The most characters `Input` and `InputTemplate` may have.
pub const TEXT_CHARS_MAX: usize = 8192;
/// The most entries `InputPathsMap` may have.
pub const PATHS_MAX: usize = 100;
/// The most characters a path may have, in `InputPath` and in `InputPathsMap`.
pub const PATH_CHARS_MAX: usize = 256;

/// The most bytes a filled template may have: more than any target takes, little enough that a template which repeats a large
/// event does no harm.
pub const RENDERED_BYTES_MAX: usize = 8 << 20;

/// What a target receives for a matching event. See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html>.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TargetInput {
    /// No `Input*` member: the whole event.
    #[default]
    Matched,
    /// `Input`: this JSON text, whatever the event says. Build it with [`TargetInput::constant`].
    Constant(String),
    /// `InputPath`: the part of the event the path names.
    Path(JsonPath),
    /// `InputTransformer`: a template filled with parts of the event.
    Transformer(InputTransformer),
}

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The payload, exactly as the target receives it. A string leaf keeps its quotes.
    pub text: String,
    /// Whether the payload is a JSON object or array; everything else is text.
    pub is_json: bool,
}

impl Rendered {
    /// `json` or `text`, as the command line prints it.
    pub fn kind(&self) -> &'static str {
        if self.is_json { "json" } else { "text" }
    }

    fn new(text: String) -> Self {
        let is_json = text.trim_start().starts_with(['{', '[']) && json::Json::parse(&text).is_ok();
        Self { text, is_json }
    }
}

impl TargetInput {
    /// The choice made by a target's three members, refused as `PutTargets` refuses it.
    pub fn from_members(
        input: Option<&str>,
        input_path: Option<&str>,
        input_transformer: Option<InputTransformer>,
    ) -> Result<Self, TransformError> {
        match (input, input_path, input_transformer) {
            (None, None, None) => Ok(Self::Matched),
            (Some(text), None, None) => Self::constant(text),
            (None, Some(path), None) => JsonPath::parse(path).map(Self::Path),
            (None, None, Some(transformer)) => Ok(Self::Transformer(transformer)),
            _ => Err(TransformError::NotExclusive),
        }
    }

    /// A constant `Input`: any JSON text of at most [`TEXT_CHARS_MAX`] characters.
    pub fn constant(text: &str) -> Result<Self, TransformError> {
        let chars = text.chars().count();
        if chars > TEXT_CHARS_MAX {
            return Err(TransformError::TooLong { member: "Input", chars, chars_max: TEXT_CHARS_MAX });
        }
        match json::Json::parse(text) {
            Ok(_) => Ok(Self::Constant(text.to_owned())),
            Err(error) => Err(TransformError::InputNotJson { reason: error.to_string() }),
        }
    }

    /// What the target receives for `event`, or why EventBridge delivers nothing.
    pub fn render(&self, event: &Event, context: &Context<'_>) -> Result<Rendered, NotDelivered> {
        match self {
            Self::Matched => Ok(Rendered::new(event.root().to_text())),
            Self::Constant(text) => Ok(Rendered::new(text.clone())),
            Self::Path(path) => {
                Ok(Rendered::new(path.select(event.root()).map_or_else(|| "\"\"".to_owned(), |value| value.to_text())))
            }
            Self::Transformer(transformer) => transformer.render(event, context).map(Rendered::new),
        }
    }
}
