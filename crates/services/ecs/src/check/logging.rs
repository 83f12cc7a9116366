//! Log drivers and their options.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html>.

use std::collections::BTreeMap;

use super::{client, name};
use crate::api::{ContainerDefinition, LogConfiguration, RegisterTaskDefinitionInput};
use crate::errors::EcsError;

/// What the driver `awslogs` understands.
const OPTIONS: [&str; 8] = [
    "awslogs-create-group",
    "awslogs-region",
    "awslogs-group",
    "awslogs-stream-prefix",
    "awslogs-datetime-format",
    "awslogs-multiline-pattern",
    "mode",
    "max-buffer-size",
];

pub(super) fn check(input: &RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let containers = &input.container_definitions;
    let has_router = containers.iter().any(|container| container.firelens_configuration.is_some());
    for container in containers {
        let Some(configuration) = &container.log_configuration else { continue };
        match configuration.log_driver.as_str() {
            "awslogs" => check_awslogs(container, configuration)?,
            "awsfirelens" if !has_router => {
                return client(
                    "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be \
                     specified.",
                );
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_awslogs(container: &ContainerDefinition, configuration: &LogConfiguration) -> Result<(), EcsError> {
    let none = BTreeMap::new();
    let options = configuration.options.as_ref().unwrap_or(&none);
    let foreign: Vec<&str> = options.keys().map(String::as_str).filter(|key| !OPTIONS.contains(key)).collect();
    if !foreign.is_empty() {
        return client(format!("Log driver awslogs disallows options: {}", foreign.join(", ")));
    }
    if options.get("awslogs-group").is_none_or(String::is_empty) {
        return client("Log driver awslogs option 'awslogs-group' should not be null or empty.");
    }
    if options.get("awslogs-region").is_none_or(String::is_empty) {
        return client("Log driver awslogs requires options: awslogs-region");
    }
    let option = |name: &str| options.get(name).map(String::as_str);
    let invalid = |what: &str| client(format!("Invalid setting for container '{}'. {what}", name(container)));
    if option("awslogs-create-group").is_some_and(|value| value != "true") {
        return invalid("Log driver awslogs option 'awslogs-create-group' must be 'true'.");
    }
    if option("awslogs-datetime-format").is_some() && option("awslogs-multiline-pattern").is_some() {
        return invalid(
            "Log driver awslogs options 'awslogs-datetime-format' and 'awslogs-multiline-pattern' cannot both be configured.",
        );
    }
    if option("mode").is_some_and(|mode| !["blocking", "non-blocking"].contains(&mode)) {
        return invalid("Log driver option 'mode' must be 'blocking' or 'non-blocking'.");
    }
    if option("max-buffer-size").is_some_and(|size| !is_size(size)) {
        return invalid("Log driver option 'max-buffer-size' must be a size such as '25m'.");
    }
    Ok(())
}

/// Digits and perhaps a unit, as Docker writes sizes: `1024`, `25m`, `1 GiB`.
fn is_size(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = text.get(digits..).unwrap_or_default().trim().to_ascii_lowercase();
    digits > 0 && ["", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib"].contains(&unit.as_str())
}
