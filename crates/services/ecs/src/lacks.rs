//! What a task definition may say and this engine cannot run.
//!
//! Registered through the API such a task definition is taken, as on AWS, and said; a template that has one is refused before
//! anything is made of it; a task of one is not started.
//!
//! Invariant: one list for all three, so that none of them promises what another refuses.

use neargate_kernel::{Cx, Lack};
use serde_json::Value as Json;

use crate::api::TaskDefinition;

/// What of a container cannot be run: a property's name in templates, and what is said of it.
const OF_CONTAINERS: [(&str, &str); 5] = [
    ("EnvironmentFiles", "environment files are not read"),
    ("MountPoints", "volumes are not mounted"),
    ("VolumesFrom", "volumes are not mounted"),
    ("FirelensConfiguration", "logs are not routed by FireLens"),
    ("RestartPolicy", "containers are not restarted"),
];

/// What cannot be run of a task definition in a template; parts that are not known yet are null.
pub(crate) fn of_template(properties: &Json) -> Vec<Lack> {
    let mut lacks = vec![];
    if let Some(family) = windows(properties) {
        let text = format!("there are no Windows containers here, got `{family}`");
        lacks.push(Lack { path: "RuntimePlatform.OperatingSystemFamily".to_owned(), text });
    }
    let containers = properties.get("ContainerDefinitions").and_then(Json::as_array);
    for (at, container) in containers.into_iter().flatten().enumerate() {
        let name = container.get("Name").and_then(Json::as_str).unwrap_or_default();
        let mut add = |member: &str, text: &str| {
            let path = format!("ContainerDefinitions[{at}].{member}");
            lacks.push(Lack { path, text: format!("{text} (container `{name}`)") });
        };
        for (member, text) in OF_CONTAINERS {
            if container.get(member).is_some_and(|value| says_something(member, value)) {
                add(member, text);
            }
        }
        let driver = container.pointer("/LogConfiguration/LogDriver").and_then(Json::as_str);
        if let Some(driver) = driver.filter(|driver| *driver != "awslogs") {
            add("LogConfiguration.LogDriver", &format!("the log driver `{driver}` is not run, only `awslogs` is"));
        }
    }
    lacks
}

fn windows(properties: &Json) -> Option<&str> {
    let family = properties.pointer("/RuntimePlatform/OperatingSystemFamily")?.as_str()?;
    family.starts_with("WINDOWS").then_some(family)
}

/// Empty lists and what is switched off ask for nothing.
fn says_something(member: &str, value: &Json) -> bool {
    match value {
        Json::Array(items) => !items.is_empty(),
        Json::Object(members) if member == "RestartPolicy" => {
            members.get("Enabled").is_some_and(|enabled| enabled == true || enabled == "true")
        }
        other => !other.is_null(),
    }
}

/// What cannot be run of a task definition that is registered, with paths as the API has them.
pub(crate) fn of_definition(view: &TaskDefinition) -> Vec<Lack> {
    let json = neargate_shape::to_json(&neargate_shape::Wire::into_value(view.clone()));
    let lacks = of_template(&in_template_case(json));
    lacks.into_iter().map(|lack| Lack { path: in_api_case(&lack.path), text: lack.text }).collect()
}

/// Says at once what a task of this definition would be refused for later.
pub(crate) fn tell(cx: &mut Cx<'_>, view: &TaskDefinition) {
    let family = view.family.clone().unwrap_or_default();
    for lack in of_definition(view) {
        let text = format!("recorded; tasks of this task definition cannot be run here: {}", lack.text);
        cx.not_simulated(format!("{family} {}", lack.path), text);
    }
    let architecture = view.runtime_platform.as_ref().and_then(|it| it.cpu_architecture.as_deref());
    let here = std::env::consts::ARCH;
    let is_foreign = match architecture {
        Some("ARM64") => here != "aarch64",
        Some("X86_64") => here != "x86_64",
        _ => false,
    };
    if let Some(architecture) = architecture.filter(|_| is_foreign) {
        let text = format!("recorded; this machine is {here} and does not start tasks for {architecture}");
        cx.not_simulated(format!("{family} runtimePlatform.cpuArchitecture"), text);
    }
}

/// `mountPoints` is `MountPoints` in templates. Keys of maps change too, which no property above looks at.
fn in_template_case(json: Json) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.into_iter().map(in_template_case).collect()),
        Json::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (with_first(&name, char::to_ascii_uppercase), in_template_case(value)));
            Json::Object(members.collect())
        }
        other => other,
    }
}

fn in_api_case(path: &str) -> String {
    path.split('.').map(|part| with_first(part, char::to_ascii_lowercase)).collect::<Vec<_>>().join(".")
}

fn with_first(text: &str, change: fn(&char) -> char) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| change(&first)).into_iter().chain(letters).collect()
}
