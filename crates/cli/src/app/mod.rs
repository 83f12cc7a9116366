//! What the user calls an app: a directory with `neargate.toml`, `cdk.json` or a Rust package, a cloud assembly, or a template.
//!
//! Invariant: finding an app runs nothing; only [`synth`] does.

mod cargo;
mod cdk;
pub(crate) mod config;
pub(crate) mod event;
pub(crate) mod fixtures;
pub(crate) mod image_names;
pub(crate) mod imports;
pub(crate) mod known;
pub(crate) mod log_key;
mod lookups;
mod program;
mod reader;
pub(crate) mod synth;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::places::absolute;
use cdk::CdkJson;
use config::{Config, FILE_NAME};

/// An app.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// As the user called it.
    pub(crate) name: String,
    /// Where its templates come from.
    pub(crate) source: Source,
    /// What it needs around it.
    pub(crate) config: Config,
    /// Where the configuration's relative paths start.
    pub(crate) config_dir: PathBuf,
}

/// Where templates come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A command that writes a cloud assembly.
    Command {
        /// For `sh -c`.
        line: String,
        /// Where it runs.
        directory: PathBuf,
        /// What `cdk.json` adds.
        cdk: CdkJson,
    },
    /// A cloud assembly's directory.
    Assembly(PathBuf),
    /// One template.
    Template(PathBuf),
}

/// The app at a path, with the configuration of another file where one is given. Without a path, the app in the
/// current directory, if there is one.
pub(crate) fn find(path: Option<&Path>, config: Option<&Path>) -> Outcome<Option<App>> {
    let given = match config {
        Some(file) => Some((config::load(file)?, absolute(file))),
        None => None,
    };
    let Some(path) = path else {
        // A configuration that says what the app is needs no further path.
        if let Some((config, file)) = given {
            let directory = parent(&file);
            if config.app.is_some() || config.template.is_some() {
                return in_directory(&directory, &file.display().to_string(), Some((config, file))).map(Some);
            }
            return in_directory(&absolute(Path::new(".")), ".", Some((config, file))).map(Some);
        }
        let here = absolute(Path::new("."));
        let is_app = [FILE_NAME, "cdk.json", "manifest.json"].iter().any(|name| here.join(name).is_file());
        return if is_app || cargo::is_app(&here)? { in_directory(&here, ".", None).map(Some) } else { Ok(None) };
    };
    let (name, at) = (path.display().to_string(), absolute(path));
    if at.is_dir() {
        return in_directory(&at, &name, given).map(Some);
    }
    if !at.exists() {
        let message = format!("there is no app at `{name}`: no such file or directory");
        return Err(Failure::usage(Diagnostic::error(codes::NO_APP, message)));
    }
    if at.file_name().is_some_and(|it| it == FILE_NAME) && given.is_none() {
        return in_directory(&parent(&at), &name, None).map(Some);
    }
    let extension = at.extension().and_then(|it| it.to_str()).unwrap_or_default();
    if !matches!(extension, "json" | "yaml" | "yml" | "template") {
        let message = format!("`{name}` is no app: expected a directory or a template (`.json`, `.yaml`)");
        return Err(Failure::usage(Diagnostic::error(codes::NO_APP, message)));
    }
    let source = match at.file_name().and_then(|it| it.to_str()) {
        Some("manifest.json") => Source::Assembly(parent(&at)),
        Some("cdk.json") => command(&parent(&at), None)?.ok_or_else(|| nothing_in(&name))?,
        _ => Source::Template(at.clone()),
    };
    let (config, config_dir) = match given {
        Some((config, file)) => (config, parent(&file)),
        None => (Config::default(), parent(&at)),
    };
    Ok(Some(App { name, source, config, config_dir }))
}

/// As [`find`], where there must be one.
pub(crate) fn require(path: Option<&Path>, config: Option<&Path>) -> Outcome<App> {
    find(path, config)?.ok_or_else(|| {
        let message = "there is no app here: neither `neargate.toml` nor `cdk.json` nor `manifest.json`";
        let hint = "name one: a directory, a cloud assembly (`cdk.out`) or a template";
        Failure::usage(Diagnostic::error(codes::NO_APP, message).hint(hint))
    })
}

fn in_directory(directory: &Path, name: &str, given: Option<(Config, PathBuf)>) -> Outcome<App> {
    let own = directory.join(FILE_NAME);
    let found = match given {
        Some(given) => Some(given),
        None => config::beside(directory)?.map(|config| (config, own.clone())),
    };
    let (config, file) = found.unwrap_or_else(|| (Config::default(), own));
    let config_dir = parent(&file);
    let name = name.to_owned();
    if let Some(template) = &config.template {
        let source = Source::Template(config_dir.join(template));
        return Ok(App { name, source, config, config_dir });
    }
    if let Some(source) = command(directory, config.app.clone())? {
        return Ok(App { name, source, config, config_dir });
    }
    if directory.join("manifest.json").is_file() {
        return Ok(App { name, source: Source::Assembly(directory.to_owned()), config, config_dir });
    }
    if cargo::is_app(directory)? {
        let source = command(directory, Some(cargo::COMMAND.to_owned()))?.ok_or_else(|| nothing_in(&name))?;
        return Ok(App { name, source, config, config_dir });
    }
    Err(if file.is_file() { config::no_source(&file) } else { nothing_in(&name) })
}

/// The command of `neargate.toml`, or else that of `cdk.json`; context is from `cdk.json` either way.
fn command(directory: &Path, line: Option<String>) -> Outcome<Option<Source>> {
    let cdk = cdk::read(directory)?;
    let Some(line) = line.or_else(|| cdk.app.clone()) else { return Ok(None) };
    Ok(Some(Source::Command { line, directory: directory.to_owned(), cdk }))
}

fn nothing_in(name: &str) -> Failure {
    let message = format!("there is no app in `{name}`: neither `neargate.toml` nor `cdk.json` nor `manifest.json`");
    let hint = "name the command that writes the cloud assembly in `neargate.toml`: `app = \"…\"`; a Rust package that depends on \
                `neargate` needs none";
    Failure::usage(Diagnostic::error(codes::NO_APP, message).hint(hint))
}

fn parent(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}
