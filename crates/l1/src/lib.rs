//! CloudFormation resources as structs: every property of every allow-listed type, by name and type.
//!
//! A resource is a plain struct with `Default`; each property is an `Option` of a [`Value`]: a literal, or a [`Token`] that stands
//! for what only deployment knows. The struct of `AWS::ECS::TaskDefinition` is `ecs::TaskDefinition`, its property types live in
//! `ecs::task_definition`. One Cargo feature per AWS namespace.
//!
//! Invariant: knows nothing of construct trees. A token names a resource by an opaque [`ResourceId`]; whoever hands out the ids
//! resolves them.
//!
//! Invariant: the namespace modules are written by `cargo xtask codegen l1`.

mod json;
mod shape;
mod token;
mod value;

pub use shape::{Resource, Shape, ShapeWriter, TagStyle, ToJson, shape_to_json};
pub use token::{Json, Part, ResourceId, Target, Token, parts};
pub use value::Value;

#[cfg(feature = "ec2")]
pub mod ec2;
#[cfg(feature = "ecs")]
pub mod ecs;
#[cfg(feature = "events")]
pub mod events;
#[cfg(feature = "iam")]
pub mod iam;
#[cfg(feature = "kms")]
pub mod kms;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "logs")]
pub mod logs;
#[cfg(feature = "secretsmanager")]
pub mod secretsmanager;
#[cfg(feature = "ssm")]
pub mod ssm;
