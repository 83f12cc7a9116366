//! Which services there are. A new service is one line in each list.

use neargate_kernel::{Ports, Registry, Service};

/// Every service, joined by the ports.
pub(crate) fn registry() -> Registry {
    Registry::new(ports(), services())
}

fn ports() -> Ports {
    Ports { authorizer: &neargate_iam::Iam, events: &neargate_events::Bus, networks: &neargate_ec2::Interfaces }
}

fn services() -> Vec<Service> {
    vec![
        neargate_cloudformation::service(),
        neargate_ec2::service(),
        neargate_ecs::service(),
        neargate_events::service(),
        neargate_iam::service(),
        neargate_kms::service(),
        neargate_lambda::service(),
        neargate_logs::service(),
        neargate_secretsmanager::service(),
        neargate_ssm::service(),
        neargate_sts::service(),
    ]
}

#[cfg(test)]
mod clock;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod stacks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transitions;
