//! Static descriptions of values.
//!
//! Descriptors are written by `cargo xtask codegen` through the `const` builders below, and by [`shape!`](crate::shape).
//!
//! Invariant: everything here is `'static` and built at compile time; nothing is registered, nothing is looked up by name.

use std::fmt;

/// One shape of an AWS model.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The name in the model; empty for anonymous shapes such as those of `Vec<T>`.
    pub name: &'static str,
    /// What kind of value this is, and its parts.
    pub kind: Kind,
    /// What values are allowed.
    pub constraints: Constraints,
}

/// Kinds of shapes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// A float, of either width.
    Double,
    /// Text.
    String,
    /// Bytes.
    Blob,
    /// A point in time, with the format where it is not the protocol's usual one.
    Timestamp(Option<TimestampFormat>),
    /// Free-form JSON.
    Document,
    /// Values of one shape.
    List {
        /// The shape of the items.
        member: Link,
        /// What the XML and query protocols call an item.
        member_name: &'static str,
        /// Whether items follow each other without an element around them.
        flattened: bool,
    },
    /// Values of one shape by text.
    Map {
        /// The shape of the keys.
        key: Link,
        /// The shape of the values.
        value: Link,
        /// What the XML and query protocols call a key.
        key_name: &'static str,
        /// What the XML and query protocols call a value.
        value_name: &'static str,
        /// Whether entries follow each other without an element around them.
        flattened: bool,
    },
    /// Named members.
    Structure {
        /// The members in the model's order.
        members: &'static [Member],
    },
}

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2026-11-21T10:00:00Z`.
    Iso8601,
    /// Seconds since the epoch, with a fraction.
    UnixTimestamp,
    /// `Sat, 21 Nov 2026 10:00:00 GMT`.
    Rfc822,
}

/// What values of a shape are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Constraints {
    /// The values of an enum; empty where anything goes.
    pub one_of: &'static [&'static str],
    /// The least number, length in characters, bytes or items.
    pub min: Option<i64>,
    /// The greatest number, length in characters, bytes or items.
    pub max: Option<i64>,
    /// A regular expression that the whole text must match; empty where there is none.
    pub pattern: &'static str,
    /// Whether exactly one member of a structure is present.
    pub union: bool,
    /// Whether values must not be shown, in messages least of all.
    pub sensitive: bool,
}

impl Constraints {
    /// Anything goes.
    pub const NONE: Self = Self { one_of: &[], min: None, max: None, pattern: "", union: false, sensitive: false };
}

/// A link to another shape. Links through functions make recursive shapes possible.
#[derive(Clone, Copy)]
pub enum Link {
    /// A shape that has a name of its own.
    Static(&'static Shape),
    /// A shape found through a type.
    Lazy(fn() -> &'static Shape),
}

impl Link {
    /// The shape that is linked.
    pub fn get(self) -> &'static Shape {
        match self {
            Self::Static(shape) => shape,
            Self::Lazy(shape) => shape(),
        }
    }
}

/// Does not follow the link, for it may lead back here.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name in the model, by which values and structs know it.
    pub name: &'static str,
    /// The name in messages where it differs (`locationName` in the models).
    pub location_name: Option<&'static str>,
    /// The name in requests of the `ec2` protocol where it is not the capitalised location name (`queryName`).
    pub query_name: Option<&'static str>,
    /// The part of the HTTP message that carries it.
    pub location: Location,
    /// The shape of its values.
    pub shape: Link,
    /// Whether it must be present.
    pub required: bool,
    /// Whether clients fill it with a random token where the user gives none.
    pub idempotency_token: bool,
    /// Whether it is the whole body and may be too large for memory.
    pub streaming: bool,
    /// Of a member that XML writes as an attribute of its structure: the namespace of the attribute's prefix.
    pub attribute: Option<&'static str>,
}

/// The part of an HTTP message that carries a member. Everything but `Body` occurs in the rest protocols only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// The body.
    Body,
    /// The whole body, alone.
    Payload,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// All headers with a prefix.
    Headers,
    /// A segment of the path.
    Uri,
    /// The status code of the response.
    StatusCode,
}

impl Shape {
    const fn of(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, constraints: Constraints::NONE }
    }

    /// A boolean.
    pub const fn boolean(name: &'static str) -> Self {
        Self::of(name, Kind::Boolean)
    }

    /// A 32-bit integer.
    pub const fn integer(name: &'static str) -> Self {
        Self::of(name, Kind::Integer)
    }

    /// A 64-bit integer.
    pub const fn long(name: &'static str) -> Self {
        Self::of(name, Kind::Long)
    }

    /// A float.
    pub const fn double(name: &'static str) -> Self {
        Self::of(name, Kind::Double)
    }

    /// Text.
    pub const fn string(name: &'static str) -> Self {
        Self::of(name, Kind::String)
    }

    /// Bytes.
    pub const fn blob(name: &'static str) -> Self {
        Self::of(name, Kind::Blob)
    }

    /// A point in time in the protocol's usual format.
    pub const fn timestamp(name: &'static str) -> Self {
        Self::of(name, Kind::Timestamp(None))
    }

    /// A point in time in a format of its own.
    pub const fn timestamp_as(name: &'static str, format: TimestampFormat) -> Self {
        Self::of(name, Kind::Timestamp(Some(format)))
    }

    /// Free-form JSON.
    pub const fn document(name: &'static str) -> Self {
        Self::of(name, Kind::Document)
    }

    /// A list whose items XML and query call `member`.
    pub const fn list(name: &'static str, member: Link) -> Self {
        Self::list_of(name, member, "member", false)
    }

    /// A list with its own name for items, flattened or not.
    pub const fn list_of(name: &'static str, member: Link, member_name: &'static str, flattened: bool) -> Self {
        Self::of(name, Kind::List { member, member_name, flattened })
    }

    /// A map whose parts XML and query call `key` and `value`.
    pub const fn map(name: &'static str, key: Link, value: Link) -> Self {
        Self::map_of(name, key, value, ("key", "value"), false)
    }

    /// A map with its own names for keys and values, flattened or not.
    pub const fn map_of(
        name: &'static str,
        key: Link,
        value: Link,
        (key_name, value_name): (&'static str, &'static str),
        flattened: bool,
    ) -> Self {
        Self::of(name, Kind::Map { key, value, key_name, value_name, flattened })
    }

    /// A structure.
    pub const fn structure(name: &'static str, members: &'static [Member]) -> Self {
        Self::of(name, Kind::Structure { members })
    }

    /// With the values of an enum.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.constraints.one_of = values;
        self
    }

    /// With a least number or length.
    #[must_use]
    pub const fn min(mut self, min: i64) -> Self {
        self.constraints.min = Some(min);
        self
    }

    /// With a greatest number or length.
    #[must_use]
    pub const fn max(mut self, max: i64) -> Self {
        self.constraints.max = Some(max);
        self
    }

    /// With a regular expression.
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.constraints.pattern = pattern;
        self
    }

    /// With exactly one member present.
    #[must_use]
    pub const fn union(mut self) -> Self {
        self.constraints.union = true;
        self
    }

    /// With values that must not be shown.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.constraints.sensitive = true;
        self
    }

    /// The members of a structure; none for any other kind.
    pub fn members(&self) -> &'static [Member] {
        if let Kind::Structure { members } = self.kind { members } else { &[] }
    }

    /// The member of a structure by its name in the model.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members().iter().find(|member| member.name == name)
    }
}

impl Member {
    /// A member that lies in the body under its own name.
    pub const fn new(name: &'static str, shape: fn() -> &'static Shape, required: bool) -> Self {
        Self {
            name,
            location_name: None,
            query_name: None,
            location: Location::Body,
            shape: Link::Lazy(shape),
            required,
            idempotency_token: false,
            streaming: false,
            attribute: None,
        }
    }

    /// With a shape that says more than its Rust type.
    #[must_use]
    pub const fn shape(mut self, shape: &'static Shape) -> Self {
        self.shape = Link::Static(shape);
        self
    }

    /// With another name in messages.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.location_name = Some(name);
        self
    }

    /// With another name in `ec2` requests.
    #[must_use]
    pub const fn query_named(mut self, name: &'static str) -> Self {
        self.query_name = Some(name);
        self
    }

    /// In another part of the HTTP message.
    #[must_use]
    pub const fn located(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// Filled by clients with a random token.
    #[must_use]
    pub const fn token(mut self) -> Self {
        self.idempotency_token = true;
        self
    }

    /// The whole body, of any length.
    #[must_use]
    pub const fn streaming(mut self) -> Self {
        self.streaming = true;
        self
    }

    /// An attribute in XML, whose prefix stands for this namespace.
    #[must_use]
    pub const fn attribute(mut self, namespace: &'static str) -> Self {
        self.attribute = Some(namespace);
        self
    }

    /// The name in JSON and XML messages.
    pub const fn message_name(&self) -> &'static str {
        match self.location_name {
            Some(name) => name,
            None => self.name,
        }
    }
}
