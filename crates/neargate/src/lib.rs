//! Define AWS Fargate workloads in Rust.
//!
//! A program of a few lines is an app; `neargate up` runs it here, `cdk deploy --app cdk.out` ships it:
//!
//! ```no_run
//! use neargate::prelude::*;
//!
//! fn main() -> neargate::ExitCode {
//!     neargate::app(|app| {
//!         let stack = Stack::new(app, "Jobs", StackProps::default());
//!         let vpc = ec2::Vpc::new(&stack, "Vpc", ec2::VpcProps { max_azs: Some(2), ..Default::default() });
//!         ecs::Cluster::new(&stack, "Cluster", ecs::ClusterProps { vpc: Some(vpc), ..Default::default() });
//!     })
//! }
//! ```
//!
//! - [`constructs`]: the construct tree and the L2 constructs, re-exported here module by module ([`ec2`], [`ecs`], [`events`] …);
//! - [`patterns`]: whole workloads in one construct;
//! - [`l1`]: every property of every resource type.

use std::io::Write as _;

pub use neargate_constructs as constructs;
pub use neargate_constructs::{
    App, AppProps, Aspect, Aspects, Assembly, CfnCondition, CfnOutput, CfnOutputProps, CfnParameter, CfnParameterProps,
    CfnResource, CloudAssembly, Diagnostic, Duration, Environment, Json, RemovalPolicy, Scope, Stack, StackProps,
    TagOptions, Tags, Token, Value, ec2, ecr, ecs, events, events_targets, iam, intrinsic, kms, logs, secretsmanager,
};
pub use neargate_l1 as l1;
pub use neargate_patterns as patterns;
pub use serde_json::json;
pub use std::process::ExitCode;

/// What most programs need.
pub mod prelude {
    pub use crate::{
        App, CfnOutput, CfnOutputProps, Duration, Environment, RemovalPolicy, Scope, Stack, StackProps, Tags, Value,
        ec2, ecr, ecs, events, events_targets, iam, json, kms, logs, patterns, secretsmanager,
    };
}

/// Runs an app: `define` makes its stacks, then the cloud assembly is written to `CDK_OUTDIR`, or else `cdk.out`.
///
/// Whatever is wrong goes to standard error, all of it at once. Answers 0 when the assembly was written, else 1.
pub fn app(define: impl FnOnce(&App)) -> ExitCode {
    let app = App::new();
    define(&app);
    match app.synth() {
        Ok(cloud_assembly) => {
            tell(&cloud_assembly.assembly.diagnostics);
            ExitCode::SUCCESS
        }
        Err(diagnostics) => {
            tell(&diagnostics);
            ExitCode::FAILURE
        }
    }
}

fn tell(diagnostics: &[Diagnostic]) {
    let mut stderr = std::io::stderr().lock();
    for diagnostic in diagnostics {
        // Where standard error is closed there is nobody left to tell; the exit code still says it.
        let _ = writeln!(stderr, "{diagnostic}\n");
    }
}
