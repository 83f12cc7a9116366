//! The trait between dynamic values and Rust types, and its impls for everything that members are made of.
//!
//! Hundreds of structs are made of these generic functions: they are plain loops and out-of-line calls on purpose, which take a
//! quarter less time to compile than iterator chains and early returns.
//!
//! Invariant: `T::from_value(x.to_value()) == x` for every type here.

use std::collections::BTreeMap;

use neargate_base::Timestamp;

use crate::descriptor::{Link, Shape};
use crate::error::ShapeError;
use crate::value::{Blob, StreamingBlob, Value};

/// A Rust type with a shape.
pub trait Wire: Sized {
    /// Whether a member of this type must be present.
    const REQUIRED: bool = true;

    /// The shape of all values of this type.
    fn shape() -> &'static Shape;

    /// Takes a value apart. Members that the type does not have are ignored.
    ///
    /// # Errors
    /// Where the value is of another kind, or a required member is absent.
    fn from_value(value: Value) -> Result<Self, ShapeError>;

    /// The value.
    fn to_value(&self) -> Value;

    /// The value, where the struct is not needed any more.
    fn into_value(self) -> Value {
        self.to_value()
    }
}

macro_rules! scalar {
    ($($type:ty, $shape:ident, $variant:pat => $result:expr, |$self:ident| $into:expr;)*) => {$(
        impl Wire for $type {
            fn shape() -> &'static Shape {
                static SHAPE: Shape = Shape::$shape("");
                &SHAPE
            }

            fn from_value(value: Value) -> Result<Self, ShapeError> {
                match value {
                    $variant => Ok($result),
                    other => Err(mismatch(stringify!($shape), &other)),
                }
            }

            fn to_value(&$self) -> Value {
                $into
            }
        }
    )*};
}

scalar! {
    String, string, Value::String(text) => text, |self| Value::String(self.clone());
    bool, boolean, Value::Bool(truth) => truth, |self| Value::Bool(*self);
    i64, long, Value::Long(number) => number, |self| Value::Long(*self);
    f64, double, Value::Double(number) => number, |self| Value::Double(*self);
    Timestamp, timestamp, Value::Timestamp(time) => time, |self| Value::Timestamp(*self);
    Blob, blob, Value::Blob(bytes) => Self(bytes), |self| Value::Blob(self.0.clone());
    serde_json::Value, document, Value::Document(json) => json, |self| Value::Document(self.clone());
}

impl Wire for i32 {
    fn shape() -> &'static Shape {
        static SHAPE: Shape = Shape::integer("");
        &SHAPE
    }

    fn from_value(value: Value) -> Result<Self, ShapeError> {
        let number = i64::from_value(value)?;
        Self::try_from(number).map_err(|_| ShapeError::kind(format!("`{number}` does not fit 32 bits")))
    }

    fn to_value(&self) -> Value {
        Value::Long(i64::from(*self))
    }
}

impl Wire for StreamingBlob {
    fn shape() -> &'static Shape {
        Blob::shape()
    }

    fn from_value(value: Value) -> Result<Self, ShapeError> {
        match value {
            Value::Blob(bytes) => Ok(Self::Whole(bytes)),
            Value::Stored(stored) => Ok(Self::Stored(stored)),
            other => Err(mismatch("blob", &other)),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Whole(bytes) => Value::Blob(bytes.clone()),
            Self::Stored(stored) => Value::Stored(stored.clone()),
        }
    }
}

impl<T: Wire> Wire for Option<T> {
    const REQUIRED: bool = false;

    fn shape() -> &'static Shape {
        T::shape()
    }

    fn from_value(value: Value) -> Result<Self, ShapeError> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl<T: Wire> Wire for Box<T> {
    fn shape() -> &'static Shape {
        T::shape()
    }

    fn from_value(value: Value) -> Result<Self, ShapeError> {
        T::from_value(value).map(Self::new)
    }

    fn to_value(&self) -> Value {
        T::to_value(self)
    }
}

impl<T: Wire + 'static> Wire for Vec<T> {
    fn shape() -> &'static Shape {
        const { &Shape::list("", Link::Lazy(T::shape)) }
    }

    fn from_value(value: Value) -> Result<Self, ShapeError> {
        let Value::List(items) = value else { return Err(mismatch("list", &value)) };
        let mut list = Self::with_capacity(items.len());
        for item in items {
            match T::from_value(item) {
                Ok(item) => list.push(item),
                Err(error) => return Err(error.under_index(list.len())),
            }
        }
        Ok(list)
    }

    fn to_value(&self) -> Value {
        let mut items = Vec::with_capacity(self.len());
        for item in self {
            items.push(item.to_value());
        }
        Value::List(items)
    }
}

impl<T: Wire + 'static> Wire for BTreeMap<String, T> {
    fn shape() -> &'static Shape {
        const { &Shape::map("", Link::Lazy(String::shape), Link::Lazy(T::shape)) }
    }

    fn from_value(value: Value) -> Result<Self, ShapeError> {
        let Value::Map(entries) = value else { return Err(mismatch("map", &value)) };
        let mut map = Self::new();
        for (key, value) in entries {
            match T::from_value(value) {
                Ok(value) => map.insert(key, value),
                Err(error) => return Err(error.under(&format!("[{key:?}]"))),
            };
        }
        Ok(map)
    }

    fn to_value(&self) -> Value {
        Value::Map(self.iter().map(|(key, value)| (key.clone(), value.to_value())).collect())
    }
}

/// The members of a structure while a struct is made of them; remembers the first that does not fit.
///
/// Used by [`shape!`](crate::shape), so that the code per member is one call without a branch.
#[derive(Debug)]
pub struct Fields {
    members: Vec<(&'static str, Value)>,
    error: Option<ShapeError>,
}

impl Fields {
    /// The members of a value that should be a structure.
    pub fn of(value: Value) -> Self {
        match value {
            Value::Structure(members) => Self { members, error: None },
            other => Self { members: Vec::new(), error: Some(mismatch("structure", &other)) },
        }
    }

    /// Takes a member out; its default where it is absent and required, or does not fit.
    #[inline(never)]
    pub fn take<T: Wire + Default>(&mut self, name: &'static str) -> T {
        let Some(value) = self.remove(name, T::REQUIRED) else { return T::default() };
        T::from_value(value).unwrap_or_else(|error| {
            self.error = Some(error.under(name));
            T::default()
        })
    }

    /// What was made of the members, if all fitted.
    ///
    /// # Errors
    /// The first that did not.
    pub fn finish<T>(self, made: T) -> Result<T, ShapeError> {
        self.error.map_or(Ok(made), Err)
    }

    fn remove(&mut self, name: &str, required: bool) -> Option<Value> {
        if self.error.is_some() {
            return None;
        }
        let found = self.members.iter().position(|(n, _)| *n == name).map(|at| self.members.swap_remove(at).1);
        let found = found.filter(|value| !value.is_null());
        if found.is_none() && required {
            self.error = Some(ShapeError::missing(name));
        }
        found
    }
}

/// Adds a member that is not null.
#[inline(never)]
pub fn put<T: Wire>(members: &mut Vec<(&'static str, Value)>, name: &'static str, value: &T) {
    let value = value.to_value();
    if !value.is_null() {
        members.push((name, value));
    }
}

fn mismatch(expected: &str, got: &Value) -> ShapeError {
    ShapeError::kind(format!("expected {expected}, got {}", got.kind_name()))
}
