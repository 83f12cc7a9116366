//! One API operation: decoded input, declared access, the work.

use neargate_shape::{OperationShape, Value, Wire};

use crate::{Accesses, Cx, Fault, LinesPart};

/// An operation of an AWS API. The API, CloudFormation and event targets all come through here.
pub trait Operation {
    /// The operation's name and shapes.
    const SHAPE: &'static OperationShape;
    /// Whether it does nothing but read records that are published ([`crate::Record::IS_PUBLISHED`]): it may then be answered outside
    /// the writer, see [`crate::Reads`]. One that reads others, or writes after all, is answered by the writer all the same.
    const READS: bool = false;
    /// What it takes.
    type Input: Wire;
    /// What it answers.
    type Output: Wire;

    /// Everything that the caller must be allowed. Evaluated before [`Operation::apply`].
    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses;

    /// Does it.
    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault>;
}

/// Does an operation with texts that are borrowed: authorised and applied as with an input of which they are a part.
pub type TakeLines = fn(&mut Cx<'_>, &Value, LinesPart<'_>) -> Result<(), Fault>;

/// An operation without its types, as the registry holds it.
#[derive(Clone, Copy, Debug)]
pub struct OperationEntry {
    /// The operation's name and shapes.
    pub shape: &'static OperationShape,
    /// Decode, authorise, apply, encode.
    pub(crate) invoke: fn(&mut Cx<'_>, Value) -> Result<Value, Fault>,
    /// The code for inputs that break the shape's constraints, where it is not the protocol's usual one.
    pub(crate) refusal: Option<&'static str>,
    /// Whether it may be answered outside the writer.
    pub(crate) reads: bool,
    /// The same with borrowed texts, where the operation can.
    pub(crate) take_lines: Option<TakeLines>,
}

impl OperationEntry {
    /// The entry of one operation.
    pub fn of<O: Operation>() -> Self {
        Self { shape: O::SHAPE, invoke: invoke::<O>, refusal: None, reads: O::READS, take_lines: None }
    }

    /// The same operation, with another code for inputs that break the shape's constraints: `InvalidParameterException` of
    /// CloudWatch Logs.
    #[must_use]
    pub fn refusing_with(mut self, code: &'static str) -> Self {
        self.refusal = Some(code);
        self
    }

    /// The same operation, which [`Cx::call_with_lines`] can call too.
    #[must_use]
    pub fn taking_lines(mut self, take: TakeLines) -> Self {
        self.take_lines = Some(take);
        self
    }
}

fn invoke<O: Operation>(cx: &mut Cx<'_>, input: Value) -> Result<Value, Fault> {
    let input = O::Input::from_value(input).map_err(|error| Fault::validation(error.to_string()))?;
    for access in O::access(cx, &input).iter() {
        cx.authorize(access)?;
    }
    Ok(O::apply(cx, input)?.into_value())
}
