//! What must be there before the stacks: the configuration's fixtures, and what `cdk bootstrap` leaves in an account.

use std::collections::{BTreeMap, BTreeSet};

use neargate_ssm::api as ssm;

use crate::app::App;
use crate::app::synth::Synthesized;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::Outcome;
use crate::screen::Screen;

/// The version of the bootstrap stack that templates of today's CDK ask for, and more.
const BOOTSTRAP_VERSION: &str = "31";

/// Puts what is missing.
pub(super) fn put(screen: &Screen, endpoint: &Endpoint, app: &App, made: &Synthesized) -> Outcome<()> {
    let bootstrap = bootstrap_parameters(made);
    let names: BTreeMap<&str, &str> =
        app.config.ssm.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, value) in names {
        put_parameter(endpoint, name, value, true)?;
        screen.step("fixture", &format!("ssm {name}"));
    }
    for name in bootstrap {
        put_parameter(endpoint, &name, BOOTSTRAP_VERSION, false)?;
    }
    Ok(())
}

/// The parameters in which the CDK looks for the version of its bootstrap stack.
fn bootstrap_parameters(made: &Synthesized) -> BTreeSet<String> {
    let parameters = made.stacks.iter().filter_map(|stack| stack.template.document.get("Parameters")?.as_object());
    let defaults = parameters.flatten().filter_map(|(_, parameter)| parameter.get("Default")?.as_str());
    defaults.filter(|name| name.starts_with("/cdk-bootstrap/")).map(str::to_owned).collect()
}

fn put_parameter(endpoint: &Endpoint, name: &str, value: &str, overwrite: bool) -> Outcome<()> {
    let input = ssm::PutParameterInput {
        name: name.to_owned(),
        value: value.to_owned(),
        r#type: Some("String".to_owned()),
        overwrite: Some(overwrite),
        ..ssm::PutParameterInput::default()
    };
    let answer: Result<ssm::PutParameterOutput, CallError> = endpoint.call(&ssm::SERVICE, &ssm::PUT_PARAMETER, input);
    match answer {
        Err(error) if error.is("ParameterAlreadyExists") && !overwrite => Ok(()),
        other => Ok(other.map(drop)?),
    }
}
