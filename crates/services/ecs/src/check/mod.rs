//! What `RegisterTaskDefinition` refuses, in AWS's words as far as they are known.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html> and, for Fargate,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>.
//!
//! Invariant: pure; what Amazon ECS takes and this engine cannot run is not refused here but told by `lacks`.

mod containers;
mod dependencies;
mod fargate;
mod logging;
mod roles;
mod volumes;

use crate::api::{ContainerDefinition, RegisterTaskDefinitionInput};
use crate::errors::EcsError;

pub(crate) use roles::is_ecr_image;

/// Checks everything; answers whether Fargate could run it.
pub(crate) fn check(input: &RegisterTaskDefinitionInput) -> Result<bool, EcsError> {
    check_family(&input.family)?;
    roles::check(input)?;
    containers::check(input)?;
    dependencies::check(&input.container_definitions)?;
    volumes::check(input)?;
    let wants_fargate = input.requires_compatibilities.iter().flatten().any(|it| it == "FARGATE");
    let is_fargate = match fargate::check(input) {
        Err(error) if wants_fargate => return Err(error),
        verdict => verdict.is_ok(),
    };
    logging::check(input)?;
    Ok(is_fargate)
}

fn check_family(family: &str) -> Result<(), EcsError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=255).contains(&family.len()) && family.chars().all(fits) {
        return Ok(());
    }
    client(
        "Family should not be longer than 255 characters and can only contain letters, numbers, hyphens and underscores.",
    )
}

fn client<T>(text: impl Into<String>) -> Result<T, EcsError> {
    Err(EcsError::Client(text.into()))
}

/// A container's name, for texts.
fn name(container: &ContainerDefinition) -> &str {
    container.name.as_deref().unwrap_or_default()
}

/// `Err` where the number is given and outside the range.
fn check_range(
    container: &ContainerDefinition,
    what: &str,
    number: Option<i32>,
    from: i32,
    to: i32,
) -> Result<(), EcsError> {
    match number {
        Some(number) if !(from..=to).contains(&number) => client(format!(
            "Invalid setting for container '{}'. {what} must be between {from} and {to}, got {number}.",
            name(container)
        )),
        _ => Ok(()),
    }
}

fn is_awsvpc(input: &RegisterTaskDefinitionInput) -> bool {
    input.network_mode.as_deref() == Some("awsvpc")
}
