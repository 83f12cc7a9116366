//! CloudFormation's intrinsic functions and pseudo parameters, as values.

use neargate_l1::{Json, Token, Value};

/// The account of the stack, known to deployment (`AWS::AccountId`).
pub fn account_id() -> Value<String> {
    Value::Token(Token::pseudo("AWS::AccountId"))
}

/// The region of the stack, known to deployment (`AWS::Region`).
pub fn region() -> Value<String> {
    Value::Token(Token::pseudo("AWS::Region"))
}

/// The partition of the stack, known to deployment (`AWS::Partition`).
pub fn partition() -> Value<String> {
    Value::Token(Token::pseudo("AWS::Partition"))
}

/// The domain of service endpoints, known to deployment (`AWS::URLSuffix`).
pub fn url_suffix() -> Value<String> {
    Value::Token(Token::pseudo("AWS::URLSuffix"))
}

/// The stack's name, known to deployment (`AWS::StackName`).
pub fn stack_name() -> Value<String> {
    Value::Token(Token::pseudo("AWS::StackName"))
}

/// A property that is as if it had not been given (`AWS::NoValue`).
pub fn no_value() -> Token {
    Token::pseudo("AWS::NoValue")
}

/// `Fn::Select`.
pub fn select(index: i64, list: Json) -> Value<String> {
    Value::Token(Token::call("Fn::Select", Json::list([Json::from(index), list])))
}

/// `Fn::GetAZs` of the stack's region.
pub fn availability_zones() -> Json {
    Json::Token(Token::call("Fn::GetAZs", Json::from("")))
}

/// `Fn::Join`.
pub fn join(delimiter: &str, list: Json) -> Value<String> {
    Value::Token(Token::call("Fn::Join", Json::list([Json::from(delimiter), list])))
}

/// `Fn::Split`.
pub fn split<T>(delimiter: &str, text: Value<String>) -> Value<Vec<T>> {
    Value::Token(Token::call("Fn::Split", Json::list([Json::from(delimiter), Json::from(text)])))
}

/// `Fn::Sub`: `${AWS::Region}` and `${LogicalId.Attribute}` in the text are replaced at deployment.
pub fn sub(text: &str) -> Value<String> {
    Value::Token(Token::call("Fn::Sub", Json::from(text)))
}

/// `Fn::ImportValue` of a name that another stack exports.
pub fn import_value(name: Value<String>) -> Value<String> {
    Value::Token(Token::call("Fn::ImportValue", Json::from(name)))
}

/// `Fn::Equals`, for a condition.
pub fn equals(left: Json, right: Json) -> Token {
    Token::call("Fn::Equals", Json::list([left, right]))
}
