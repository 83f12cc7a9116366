//! Who may call the endpoint of an engine that is started.

use clap::Args;
use neargate_engine::EndpointConfig;

/// Arguments of `up` for the endpoint's door.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Who may call the endpoint")]
pub(crate) struct DoorArgs {
    /// Generate a key that root's calls and this program need, for machines with other users: without it whoever has an
    /// account on the machine is the engine's root
    #[arg(long)]
    auth: bool,
    /// Also answer to this name or address beside 127.0.0.1, [::1] and localhost; `*.NAME` for all names below it
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Let web pages of this origin call AWS services, such as `http://localhost:3000`
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
}

impl DoorArgs {
    /// As the engine takes it.
    pub(crate) fn config(&self) -> EndpointConfig {
        EndpointConfig {
            allowed_hosts: self.allow_host.clone(),
            allowed_origins: self.allow_origin.clone(),
            auth: self.auth,
        }
    }

    /// The same arguments for a program that starts the engine.
    pub(crate) fn words(&self) -> Vec<String> {
        let hosts = self.allow_host.iter().map(|host| format!("--allow-host={host}"));
        let origins = self.allow_origin.iter().map(|origin| format!("--allow-origin={origin}"));
        hosts.chain(origins).chain(self.auth.then(|| "--auth".to_owned())).collect()
    }

    /// The first of the arguments that are given: they come too late for an engine that runs.
    pub(crate) fn given(&self) -> Option<&'static str> {
        match self {
            Self { auth: true, .. } => Some("--auth"),
            Self { allow_host, .. } if !allow_host.is_empty() => Some("--allow-host"),
            Self { allow_origin, .. } if !allow_origin.is_empty() => Some("--allow-origin"),
            Self { .. } => None,
        }
    }
}
