//! Define AWS infrastructure in Rust: the construct tree, synthesis, and the L2 constructs.
//!
//! An [`App`] holds [`Stack`]s, a stack holds constructs; [`App::synth`] turns the tree into a cloud assembly that Neargate and the
//! stock `cdk` command line both read. The vocabulary is the AWS CDK's: the same constructs, properties, defaults and logical ids,
//! so that a definition here and one there make the same template. `docs/seed-decisions.md` lists where we differ on purpose.
//!
//! How a construct is made: `Type::new(&scope, "Id", TypeProps { .., ..Default::default() })`. Every construct is a cheap handle
//! (clone it freely) and dereferences to its [`Scope`]; `Type::from_…` takes in what exists already. Constructors do not fail: what
//! is wrong is reported, and synthesis answers with everything at once.
//!
//! - [`ec2`], [`ecr`], [`ecs`], [`events`], [`events_targets`], [`iam`], [`kms`], [`logs`],
//!   [`secretsmanager`]: the L2 constructs, a folder per AWS service;
//! - [`CfnResource`] with a struct of `neargate_l1`: any resource, any property;
//! - [`Tags`], [`Aspects`], [`CfnResource::modify`] and overrides: to change what constructs made;
//! - [`Value`] and [`intrinsic`]: values that only deployment knows. `format!` works on them.
//!
//! Invariant: no tokio, no HTTP, nothing of the engine; the same program always makes the same bytes.
//!
//! Invariant: reads the environment only in [`App::new`], and writes files only in [`App::synth`].

mod synth;
mod tree;

pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod events;
pub mod events_targets;
pub mod iam;
pub mod kms;
pub mod logs;
pub mod secretsmanager;

pub use neargate_base::{Code, Diagnostic, Severity};
pub use neargate_l1::{Json, Token, Value};
pub use synth::{Assembly, CloudAssembly, StackArtifact};
pub use tree::app::{App, AppProps};
pub use tree::aspect::Aspects;
pub use tree::duration::Duration;
pub use tree::element::{CfnOutput, CfnOutputProps, CfnParameter, CfnParameterProps};
pub use tree::logical_id::unique_id;
pub use tree::node::{Aspect, CfnCondition, Environment, Scope, Stack, StackProps, TagOptions};
pub use tree::resource::{CfnResource, UntypedResource};
pub use tree::tag::Tags;
pub use tree::{RemovalPolicy, codes, intrinsic};

pub(crate) use tree::scope::construct;
