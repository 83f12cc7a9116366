//! The declaration of structs that have a shape.
//!
//! Invariant: what a struct becomes by itself is a table and calls; every algorithm is in functions that know no struct.

/// Declares a struct with a static [`Shape`](crate::Shape), [`Wire`](crate::Wire) and serde's two traits.
///
/// Each member gives its Rust name and type, its name in the model, and in braces what the type does not say:
/// `shape(&S)` a shape with constraints, `named("x")` another name in messages, `query_named("X")` another name in `ec2`
/// requests, `located(L)` a place outside the body, `token()` an idempotency token, `streaming()` a body of any length,
/// `attribute(N)` an attribute in XML. Members of type `Option<_>` are
/// optional, all others required (and must have a default). `(union)` after the model's name says that exactly one member
/// is present.
///
/// Serde goes through JSON keyed by the model's names, comparison and `Debug` (which shows JSON) through a
/// [`Value`](crate::Value), so that the code per struct is small.
///
/// ```
/// neargate_shape::shape! {
///     /// What a rule calls.
///     pub struct Target as "Target" {
///         id: String = "Id",
///         retry_attempts: Option<i32> = "RetryAttempts" { named("retries") },
///         more: Option<Vec<Target>> = "More",
///     }
/// }
/// let target: Target = serde_json::from_str(r#"{"Id":"a","More":[{"Id":"b"}]}"#).unwrap();
/// assert_eq!(serde_json::to_string(&target).unwrap(), r#"{"Id":"a","More":[{"Id":"b"}]}"#);
/// ```
#[macro_export]
macro_rules! shape {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $type:ident as $model:literal $(($trait:ident))? {
            $($(#[$field_meta:meta])* $field:ident : $field_type:ty = $name:literal
              $({ $($fact:ident ( $($argument:expr),* ))* })?),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Default)]
        $vis struct $type {
            $($(#[$field_meta])* pub $field: $field_type,)*
        }

        impl $crate::Wire for $type {
            fn shape() -> &'static $crate::Shape {
                static SHAPE: $crate::Shape = $crate::Shape::structure($model, &[$(
                    $crate::Member::new(
                        $name,
                        <$field_type as $crate::Wire>::shape,
                        <$field_type as $crate::Wire>::REQUIRED,
                    )$($(.$fact($($argument),*))*)?,
                )*])$(.$trait())?;
                &SHAPE
            }

            fn from_value(value: $crate::Value) -> ::core::result::Result<Self, $crate::ShapeError> {
                #[allow(unused_mut, reason = "structures may be empty")]
                let mut fields = $crate::Fields::of(value);
                let made = Self { $($field: fields.take($name),)* };
                fields.finish(made)
            }

            fn to_value(&self) -> $crate::Value {
                #[allow(unused_mut, reason = "structures may be empty")]
                let mut members = ::std::vec::Vec::new();
                $($crate::put(&mut members, $name, &self.$field);)*
                $crate::Value::Structure(members)
            }
        }

        impl ::core::cmp::PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                $crate::equal(<Self as $crate::Wire>::to_value(self), <Self as $crate::Wire>::to_value(other))
            }
        }

        impl ::core::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::debug(stringify!($type), <Self as $crate::Wire>::to_value(self), f)
            }
        }

        impl $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::serde::Serialize::serialize(&<Self as $crate::Wire>::to_value(self), serializer)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                let json = $crate::serde::Deserialize::deserialize(deserializer)?;
                let value = $crate::from_json(<Self as $crate::Wire>::shape(), json, &mut ::std::vec::Vec::new());
                value.and_then(<Self as $crate::Wire>::from_value).map_err($crate::serde::de::Error::custom)
            }
        }
    )*};
}
