//! The intrinsic functions that take plain arguments, as one table.

/// An intrinsic function other than `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If` and `Condition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Function {
    /// `Fn::And`: conditions.
    And,
    /// `Fn::Base64`: text.
    Base64,
    /// `Fn::Cidr`: block, count, host bits.
    Cidr,
    /// `Fn::Contains`: list, value.
    Contains,
    /// `Fn::EachMemberEquals`: list, value.
    EachMemberEquals,
    /// `Fn::EachMemberIn`: list, list.
    EachMemberIn,
    /// `Fn::Equals`: two values.
    Equals,
    /// `Fn::FindInMap`: map, first key, second key, and the `DefaultValue`.
    FindInMap,
    /// `Fn::GetAZs`: region.
    GetAzs,
    /// `Fn::GetStackOutput`: stack name, output name, region, role ARN.
    GetStackOutput,
    /// `Fn::ImportValue`: export name.
    ImportValue,
    /// `Fn::Join`: delimiter, list.
    Join,
    /// `Fn::Length`: list.
    Length,
    /// `Fn::Not`: condition.
    Not,
    /// `Fn::Or`: conditions.
    Or,
    /// `Fn::RefAll`: parameter type.
    RefAll,
    /// `Fn::Select`: index, list.
    Select,
    /// `Fn::Split`: delimiter, text.
    Split,
    /// `Fn::ToJsonString`: anything.
    ToJsonString,
    /// `Fn::ValueOf`: parameter, attribute.
    ValueOf,
    /// `Fn::ValueOfAll`: parameter type, attribute.
    ValueOfAll,
}

/// How a function takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// The value itself is the one argument.
    One,
    /// A list of at least and at most so many.
    List(usize, usize),
    /// A list of two to four, the last an object with `DefaultValue`.
    Map,
    /// An object with these members; the first so many are mandatory.
    Members(&'static [&'static str], usize),
}

const STACK_OUTPUT: &[&str] = &["StackName", "OutputName", "Region", "RoleArn"];

/// Function, name, arguments, and whether its result is true or false.
const FUNCTIONS: &[(Function, &str, Arguments, bool)] = &[
    (Function::And, "Fn::And", Arguments::List(2, 10), true),
    (Function::Base64, "Fn::Base64", Arguments::One, false),
    (Function::Cidr, "Fn::Cidr", Arguments::List(2, 3), false),
    (Function::Contains, "Fn::Contains", Arguments::List(2, 2), true),
    (Function::EachMemberEquals, "Fn::EachMemberEquals", Arguments::List(2, 2), true),
    (Function::EachMemberIn, "Fn::EachMemberIn", Arguments::List(2, 2), true),
    (Function::Equals, "Fn::Equals", Arguments::List(2, 2), true),
    (Function::FindInMap, "Fn::FindInMap", Arguments::Map, false),
    (Function::GetAzs, "Fn::GetAZs", Arguments::One, false),
    (Function::GetStackOutput, "Fn::GetStackOutput", Arguments::Members(STACK_OUTPUT, 2), false),
    (Function::ImportValue, "Fn::ImportValue", Arguments::One, false),
    (Function::Join, "Fn::Join", Arguments::List(2, 2), false),
    (Function::Length, "Fn::Length", Arguments::One, false),
    (Function::Not, "Fn::Not", Arguments::List(1, 1), true),
    (Function::Or, "Fn::Or", Arguments::List(2, 10), true),
    (Function::RefAll, "Fn::RefAll", Arguments::One, false),
    (Function::Select, "Fn::Select", Arguments::List(2, 2), false),
    (Function::Split, "Fn::Split", Arguments::List(2, 2), false),
    (Function::ToJsonString, "Fn::ToJsonString", Arguments::One, false),
    (Function::ValueOf, "Fn::ValueOf", Arguments::List(2, 2), false),
    (Function::ValueOfAll, "Fn::ValueOfAll", Arguments::List(2, 2), false),
];

const OTHERS: &[&str] = &["Fn::GetAtt", "Fn::If", "Fn::Sub"];

impl Function {
    /// The name as templates spell it.
    pub fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(function, ..)| *function == self).map_or("Fn::?", |(_, name, ..)| name)
    }

    /// Whether it is allowed in `Rules` only.
    pub(crate) fn is_rules_only(self) -> bool {
        matches!(
            self,
            Self::Contains
                | Self::EachMemberEquals
                | Self::EachMemberIn
                | Self::RefAll
                | Self::ValueOf
                | Self::ValueOfAll
        )
    }

    /// Whether its arguments are themselves conditions.
    pub(crate) fn takes_conditions(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Not)
    }

    pub(crate) fn find(name: &str) -> Option<(Self, Arguments, bool)> {
        FUNCTIONS
            .iter()
            .find(|entry| entry.1 == name)
            .map(|(function, _, arguments, is_condition)| (*function, *arguments, *is_condition))
    }
}

/// Every intrinsic function's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(_, name, ..)| *name).chain(OTHERS.iter().copied())
}
