//! What containers wait for.

use std::collections::BTreeMap;

use super::{client, name};
use crate::api::ContainerDefinition;
use crate::errors::EcsError;

/// Each dependency can come about, and none waits for itself in the end.
pub(super) fn check(containers: &[ContainerDefinition]) -> Result<(), EcsError> {
    let by_name: BTreeMap<&str, &ContainerDefinition> = containers.iter().map(|it| (name(it), it)).collect();
    for container in containers {
        for dependency in container.depends_on.iter().flatten() {
            let Some(other) = by_name.get(dependency.container_name.as_str()) else {
                return client(format!(
                    "Cannot depend on container {} because it does not exist.",
                    dependency.container_name
                ));
            };
            match dependency.condition.as_str() {
                "SUCCESS" | "COMPLETE" if other.essential != Some(false) => {
                    return client(
                        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container.",
                    );
                }
                "HEALTHY" if other.health_check.is_none() => {
                    return client("A dependency container with HEALTHY condition must have health check configured.");
                }
                _ => {}
            }
        }
    }
    match circle(containers) {
        Some(circle) => client(format!("Cyclic dependency between containers: {}.", circle.join(" -> "))),
        None => Ok(()),
    }
}

/// A circle of dependencies, where there is one. Containers without an unfinished dependency are put aside until none is left.
fn circle(containers: &[ContainerDefinition]) -> Option<Vec<String>> {
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for container in containers {
        let others = container.depends_on.iter().flatten().map(|it| it.container_name.as_str());
        waiting.entry(name(container)).or_default().extend(others);
    }
    loop {
        let free = waiting.iter().find(|(_, others)| !others.iter().any(|other| waiting.contains_key(other)));
        let Some(free) = free.map(|(name, _)| *name) else { break };
        waiting.remove(free);
    }
    let mut path: Vec<&str> = vec![waiting.keys().next()?];
    loop {
        let next = *waiting.get(path.last()?)?.iter().find(|other| waiting.contains_key(*other))?;
        if let Some(start) = path.iter().position(|other| *other == next) {
            let circle = path.get(start..).unwrap_or_default().iter().chain([&next]);
            return Some(circle.map(|name| (*name).to_owned()).collect());
        }
        path.push(next);
    }
}
