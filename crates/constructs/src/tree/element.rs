//! What a stack's template is made of: resources, outputs, parameters and conditions.

use std::cell::RefCell;
use std::rc::Rc;

use neargate_l1::{Json, Target, Token, Value};

use super::node::{CfnCondition, Element, Scope};

fn other(scope: &Scope, id: &str, section: &'static str, kind: &'static str, body: Json) -> Scope {
    let scope = scope.child(id);
    scope.tree.with(scope.node, |node| {
        node.kind = kind;
        node.element = Some(Element::Other(section, Rc::new(RefCell::new(body))));
    });
    scope
}

/// An entry of the template's `Outputs`.
///
/// ```
/// use neargate_constructs::{App, CfnOutput, CfnOutputProps, CfnParameter, CfnParameterProps, Stack, StackProps};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let image = CfnParameter::new(&stack, "Image", CfnParameterProps { default: Some("busybox".into()), ..Default::default() });
/// let shown = Some(format!("runs {}", image.value_as_string()).into());
/// CfnOutput::new(&stack, "What", CfnOutputProps { value: shown, ..Default::default() });
/// let template = &app.assemble().unwrap().stacks[0].template;
/// assert_eq!(template["Outputs"]["What"]["Value"]["Fn::Join"][1][1]["Ref"], "Image");
/// ```
#[derive(Clone, Debug)]
pub struct CfnOutput {
    scope: Scope,
}

/// Properties of a [`CfnOutput`].
#[derive(Clone, Debug, Default)]
pub struct CfnOutputProps {
    /// What to show; required.
    pub value: Option<Value<String>>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// The name other stacks import it by. Default: not exported.
    pub export_name: Option<Value<String>>,
    /// The condition under which it exists. Default: always.
    pub condition: Option<CfnCondition>,
}

impl CfnOutput {
    /// Declares an output; the stack gives it a logical id from its path.
    pub fn new(scope: &Scope, id: &str, props: CfnOutputProps) -> Self {
        if props.value.is_none() {
            scope.error(super::codes::MISSING_PROPERTY, format!("output `{id}` has no `value`"));
        }
        let export = props.export_name.map(|name| Json::map([("Name", Json::from(name))]));
        let body = Json::map([
            ("Description", props.description.map_or(Json::Null, Json::from)),
            ("Value", props.value.map_or(Json::Null, Json::from)),
            ("Export", export.unwrap_or(Json::Null)),
            ("Condition", props.condition.map_or(Json::Null, |condition| condition.name())),
        ]);
        Self { scope: other(scope, id, "Outputs", "neargate.CfnOutput", body) }
    }

    /// Where it stands in the tree.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// An entry of the template's `Parameters`: a value that is given at deployment.
#[derive(Clone, Debug)]
pub struct CfnParameter {
    scope: Scope,
}

/// Properties of a [`CfnParameter`].
#[derive(Clone, Debug, Default)]
pub struct CfnParameterProps {
    /// Such as `Number`, `CommaDelimitedList` or `AWS::SSM::Parameter::Value<String>`. Default: `String`.
    pub r#type: Option<String>,
    /// Used where none is given. Default: the parameter must be given.
    pub default: Option<Json>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// A regular expression that the value must match. Default: none.
    pub allowed_pattern: Option<String>,
    /// The values that are allowed. Default: all.
    pub allowed_values: Option<Vec<String>>,
    /// What is said when a value is refused. Default: CloudFormation's own words.
    pub constraint_description: Option<String>,
    /// The most characters. Default: no limit.
    pub max_length: Option<i64>,
    /// The fewest characters. Default: no limit.
    pub min_length: Option<i64>,
    /// The greatest number. Default: no limit.
    pub max_value: Option<i64>,
    /// The least number. Default: no limit.
    pub min_value: Option<i64>,
    /// Whether the value is masked wherever CloudFormation shows it. Default: no.
    pub no_echo: Option<bool>,
}

impl CfnParameter {
    /// Declares a parameter.
    pub fn new(scope: &Scope, id: &str, props: CfnParameterProps) -> Self {
        let text = |value: Option<String>| value.map_or(Json::Null, Json::from);
        let number = |value: Option<i64>| value.map_or(Json::Null, Json::from);
        let body = Json::map([
            ("Type", Json::from(props.r#type.unwrap_or_else(|| "String".to_owned()))),
            ("Default", props.default.unwrap_or(Json::Null)),
            ("Description", text(props.description)),
            ("AllowedPattern", text(props.allowed_pattern)),
            (
                "AllowedValues",
                props.allowed_values.map_or(Json::Null, |values| Json::list(values.into_iter().map(Json::from))),
            ),
            ("ConstraintDescription", text(props.constraint_description)),
            ("MaxLength", number(props.max_length)),
            ("MinLength", number(props.min_length)),
            ("MaxValue", number(props.max_value)),
            ("MinValue", number(props.min_value)),
            ("NoEcho", props.no_echo.map_or(Json::Null, Json::from)),
        ]);
        Self { scope: other(scope, id, "Parameters", "neargate.CfnParameter", body) }
    }

    /// The value, as text.
    pub fn value_as_string(&self) -> Value<String> {
        Value::Token(Token::Ref(Target::Resource(self.scope.resource_id())))
    }

    /// The value, as a list; for list types.
    pub fn value_as_list<T>(&self) -> Value<Vec<T>> {
        Value::Token(Token::Ref(Target::Resource(self.scope.resource_id())))
    }

    /// The value, as a number; for type `Number`.
    pub fn value_as_number(&self) -> Value<i64> {
        Value::Token(Token::Ref(Target::Resource(self.scope.resource_id())))
    }
}

impl CfnCondition {
    /// Declares a condition; `expression` is a token of [`crate::intrinsic`] such as `Fn::Equals`.
    pub fn new(scope: &Scope, id: &str, expression: Token) -> Self {
        Self { scope: other(scope, id, "Conditions", "neargate.CfnCondition", Json::Token(expression)) }
    }

    /// The logical id, for where a template names a condition.
    pub(crate) fn name(&self) -> Json {
        Json::from(self.scope.logical_id())
    }
}
