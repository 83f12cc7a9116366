//! Values with intrinsic functions in them, as a tree.
//!
//! Invariant: [`Expr::Literal`] holds a scalar; lists and objects are always [`Expr::List`] and [`Expr::Object`], so a
//! walker meets each node once.

mod function;
mod read;
mod sub;

use indexmap::IndexMap;
use serde_json::Value as Json;

pub use function::Function;
pub(crate) use read::{Place, Reader, kind, listed};

/// A value that may hold intrinsic functions.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Null, a boolean, a number or a text.
    Literal(Json),
    /// A list.
    List(Vec<Expr>),
    /// An object, in the template's order.
    Object(IndexMap<String, Expr>),
    /// `Ref`: a parameter, a pseudo parameter (`AWS::Region`) or a resource.
    Ref(String),
    /// `Fn::GetAtt`.
    GetAtt {
        /// The logical id.
        resource: String,
        /// The attribute's name; `Outputs.X` keeps its dot.
        attribute: Box<Expr>,
    },
    /// `Fn::Sub`.
    Sub {
        /// What is to be joined.
        parts: Vec<SubPart>,
        /// The variables of the second form; each is evaluated once, however often it is used.
        variables: IndexMap<String, Expr>,
    },
    /// `Fn::If`.
    If {
        /// The condition's name.
        condition: String,
        /// The value where it holds, then the value where it does not.
        branches: Box<[Expr; 2]>,
    },
    /// `Condition` inside a condition: another condition's name.
    Condition(String),
    /// Every other function. An optional argument that was left out is absent at the end, or a null literal.
    Call(Function, Vec<Expr>),
}

/// A piece of a `Fn::Sub`'s text.
#[derive(Clone, Debug, PartialEq)]
pub enum SubPart {
    /// Text as it stands.
    Text(String),
    /// `${Name}` or `${Name.Attribute}`: an [`Expr::Ref`] or an [`Expr::GetAtt`].
    Reference(Expr),
    /// `${Name}` of one of the function's own variables.
    Variable(String),
}

/// One reference that an expression makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference<'a> {
    /// `Ref`, or `${Name}` in a `Fn::Sub`.
    Ref(&'a str),
    /// `Fn::GetAtt`, or `${Name.Attribute}`; the attribute is absent where it is itself computed.
    GetAtt(&'a str, Option<&'a str>),
    /// `Fn::If` or `Condition`.
    Condition(&'a str),
}

impl Expr {
    /// The member of an object literal; `None` for everything else.
    pub fn get(&self, key: &str) -> Option<&Expr> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// The expression at a dotted path such as `NetworkConfiguration.AwsvpcConfiguration.Subnets`.
    pub fn at(&self, path: &str) -> Option<&Expr> {
        path.split('.').try_fold(self, |node, key| match node {
            Self::List(items) => items.get(key.parse::<usize>().ok()?),
            node => node.get(key),
        })
    }

    /// The literal text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Literal(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The expressions directly below this one.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Expr> + '_> {
        match self {
            Self::Literal(_) | Self::Ref(_) | Self::Condition(_) => Box::new(std::iter::empty()),
            Self::List(items) | Self::Call(_, items) => Box::new(items.iter()),
            Self::Sub { parts, variables } => {
                let references = parts.iter().filter_map(|part| match part {
                    SubPart::Reference(expr) => Some(expr),
                    SubPart::Text(_) | SubPart::Variable(_) => None,
                });
                Box::new(references.chain(variables.values()))
            }
            Self::Object(members) => Box::new(members.values()),
            Self::GetAtt { attribute, .. } => Box::new(std::iter::once(attribute.as_ref())),
            Self::If { branches, .. } => Box::new(branches.iter()),
        }
    }

    /// Hands every reference to `found`, in template order. Where `decide` knows a condition, only its branch is
    /// walked.
    pub fn references<'a>(&'a self, decide: &dyn Fn(&str) -> Option<bool>, found: &mut dyn FnMut(Reference<'a>)) {
        match self {
            Self::Ref(name) => found(Reference::Ref(name)),
            Self::Condition(name) => found(Reference::Condition(name)),
            Self::GetAtt { resource, attribute } => found(Reference::GetAtt(resource, attribute.as_str())),
            Self::If { condition, branches } => {
                found(Reference::Condition(condition));
                let [then, otherwise] = branches.as_ref();
                let decided = decide(condition);
                if decided != Some(false) {
                    then.references(decide, found);
                }
                if decided != Some(true) {
                    otherwise.references(decide, found);
                }
                return;
            }
            _ => {}
        }
        for child in self.children() {
            child.references(decide, found);
        }
    }
}
