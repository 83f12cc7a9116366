//! The lines that an app's `neargate.toml` lacks.

use std::collections::BTreeSet;

use crate::app::App;
use crate::app::fixtures::is_complete_arn;
use crate::app::imports::Thing;

/// The lines that are missing from `neargate.toml`.
#[derive(Debug, Default)]
pub(super) struct Lines {
    parameters: BTreeSet<String>,
    images: BTreeSet<String>,
    exports: BTreeSet<String>,
    secrets: BTreeSet<String>,
    ssm: BTreeSet<String>,
}

impl Lines {
    /// A parameter of a template that has no value.
    pub(super) fn add_parameter(&mut self, name: &str) {
        self.parameters.insert(format!("{} = \"…\"", toml_key(name)));
    }

    /// An image that somebody must provide.
    pub(super) fn add_image(&mut self, key: &str) {
        self.images.insert(format!("\"{key}\" = {{ build = \"DIR\" }}"));
    }

    /// A secret, parameter or export that somebody must provide.
    pub(super) fn add(&mut self, thing: &Thing, is_home: bool, keys: &BTreeSet<String>) {
        match thing {
            Thing::Secret(id) => {
                // A fixture by name is made where the stacks are; its ARN gets six characters of its own.
                let (name, is_complete) = (thing.names().into_iter().next().unwrap_or_default(), is_complete_arn(id));
                let name = match (is_complete, is_home) {
                    (true, _) => id.clone(),
                    (false, true) => name,
                    (false, false) => format!("{id}-AbCdEf"),
                };
                let keys: Vec<_> = keys.iter().map(|key| format!("{} = {{ random = 32 }}", toml_key(key))).collect();
                let value = match keys.is_empty() {
                    true => "{ random = 32 }".to_owned(),
                    false => format!("{{ json = {{ {} }} }}", keys.join(", ")),
                };
                self.secrets.insert(format!("\"{name}\" = {value}"));
            }
            Thing::Parameter { is_secure, .. } => {
                let name = shown(thing, "");
                let value = if *is_secure { "{ secure = { random = 32 } }" } else { "\"…\"" };
                self.ssm.insert(format!("\"{name}\" = {value}"));
            }
            Thing::Export(name) => drop(self.exports.insert(format!("\"{name}\" = \"…\""))),
        }
    }

    /// All of them, under the sections that they belong to; nothing where nothing is missing.
    pub(super) fn hint(&self, app: &App) -> Option<String> {
        let config = &app.config;
        let sections = [
            ("parameters", &self.parameters, config.parameters.is_empty()),
            ("images", &self.images, config.images.is_empty()),
            ("fixtures.exports", &self.exports, config.fixtures.exports.is_empty()),
            ("fixtures.secrets", &self.secrets, config.fixtures.secrets.is_empty()),
            ("fixtures.ssm", &self.ssm, config.fixtures.ssm.is_empty()),
        ];
        let wanted = || sections.iter().filter(|(_, lines, _)| !lines.is_empty());
        wanted().next()?;
        let mut text = String::from("add to `neargate.toml`");
        let has_section = wanted().any(|(_, _, is_new)| !is_new);
        text.push_str(if has_section { ", below the section that is there:" } else { ":" });
        for (name, lines, _) in wanted() {
            text.push_str(&format!("\n\n[{name}]"));
            lines.iter().for_each(|line| text.push_str(&format!("\n{line}")));
        }
        Some(text)
    }
}

/// How a person calls it: by name, unless the very ARN matters.
pub(super) fn shown(thing: &Thing, id: &str) -> String {
    if is_complete_arn(id) { id.to_owned() } else { thing.names().into_iter().next_back().unwrap_or_default() }
}

/// A key as TOML writes it.
pub(super) fn toml_key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { key.to_owned() } else { format!("\"{key}\"") }
}
