//! The app: the root of the tree, and where synthesis starts.

use std::ops::Deref;
use std::path::PathBuf;

use neargate_base::Diagnostic;
use serde_json::Value as Plain;

use super::node::Scope;

/// The root of a construct tree.
#[derive(Clone, Debug)]
pub struct App {
    scope: Scope,
    pub(crate) out_dir: PathBuf,
}

/// Properties of an [`App`].
#[derive(Clone, Debug, Default)]
pub struct AppProps {
    /// Where the cloud assembly is written. Default: `CDK_OUTDIR`, or else `cdk.out`.
    pub out_dir: Option<PathBuf>,
    /// Context values. Default: the JSON object in `CDK_CONTEXT_JSON`, or else none.
    pub context: Option<serde_json::Map<String, Plain>>,
}

impl App {
    /// An app that takes its context and its output directory from the environment, as the CDK command line gives them.
    #[expect(clippy::new_without_default, reason = "an app reads the environment, which `default` would hide")]
    pub fn new() -> Self {
        Self::with_props(AppProps::default())
    }

    /// An app with properties of its own.
    pub fn with_props(props: AppProps) -> Self {
        let scope = Scope::root();
        let out_dir = props.out_dir.or_else(|| std::env::var_os("CDK_OUTDIR").map(PathBuf::from));
        let context = props.context.or_else(|| {
            std::env::var("CDK_CONTEXT_JSON").ok().and_then(|text| match serde_json::from_str(&text) {
                Ok(Plain::Object(context)) => Some(context),
                _ => {
                    let message = "`CDK_CONTEXT_JSON` is no JSON object";
                    scope.report(
                        Diagnostic::warning(super::codes::ASSET, message).hint("it is ignored; unset it or correct it"),
                    );
                    None
                }
            })
        });
        for (key, value) in context.unwrap_or_default() {
            scope.set_context(&key, value);
        }
        let app = Self { scope, out_dir: out_dir.unwrap_or_else(|| PathBuf::from("cdk.out")) };
        app.register("neargate.App", &app);
        app
    }
}

impl Deref for App {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}
