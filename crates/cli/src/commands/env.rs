//! `neargate env`.

use clap::Args;
use serde_json::{Value as Json, json};

use super::EngineArgs;
use crate::endpoint::Endpoint;
use crate::outcome::{Exit, Outcome};
use crate::screen::Screen;

pub(super) const AFTER_HELP: &str = "\
For AWS clients in this shell:

  eval \"$(neargate env)\"";

/// Arguments of `env`.
#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    #[command(flatten)]
    engine: EngineArgs,
}

/// Writes the variables.
pub(super) fn run(args: &EnvArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    // Variables that lead nowhere would be of no use.
    endpoint.status()?;
    if screen.is_json() {
        let variables = variables(&endpoint, None, None).into_iter();
        screen.json(&Json::Object(variables.map(|(name, value)| (name.to_owned(), json!(value))).collect()));
    } else {
        screen.data(&exports(&endpoint, None, None));
    }
    Ok(Exit::Done)
}

/// The variables with which AWS clients find the engine, in this account and region or else as the environment says.
/// Of the region's two names, some clients read the one and some the other.
fn variables(endpoint: &Endpoint, account: Option<&str>, region: Option<&str>) -> [(&'static str, String); 5] {
    let region = region.unwrap_or_else(|| endpoint.region()).to_owned();
    let (access_key, secret) = endpoint.exports();
    [
        ("AWS_ENDPOINT_URL", format!("http://{}", endpoint.address())),
        ("AWS_ACCESS_KEY_ID", account.map_or(access_key, str::to_owned)),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
    ]
}

/// The line that sets the variables in a shell.
pub(crate) fn exports(endpoint: &Endpoint, account: Option<&str>, region: Option<&str>) -> String {
    let pairs = variables(endpoint, account, region).map(|(name, value)| format!("{name}={value}"));
    format!("export {}", pairs.join(" "))
}
