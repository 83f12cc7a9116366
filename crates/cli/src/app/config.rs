//! `neargate.toml`: what runs an app, and what it needs around it. `docs/neargate-toml.md` describes it for users.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use neargate_runtime::images::Reference;
use toml::de::{DeTable, DeValue};

use super::event::EventEntry;
use super::fixtures::{self, Fixtures};
use super::reader::{Reader, Value, json, object};
use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};
use crate::places::read_text;

/// The file's name.
pub(crate) const FILE_NAME: &str = "neargate.toml";

/// Everything in a `neargate.toml`. Paths are as they are written, relative to the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Config {
    /// The command that writes the cloud assembly.
    pub(crate) app: Option<String>,
    /// The template, where there is no command.
    pub(crate) template: Option<PathBuf>,
    /// Values for parameters of the templates.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Images by the names under which the templates ask for them.
    pub(crate) images: BTreeMap<String, ImageSource>,
    /// What is there before the stacks are.
    pub(crate) fixtures: Fixtures,
    /// Events that `try` puts.
    pub(crate) events: Vec<EventEntry>,
    /// Files with further events.
    pub(crate) event_files: Vec<PathBuf>,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ImageSource {
    /// Built from files of this machine.
    Build(Box<Build>),
    /// In a docker archive or the tar of an OCI layout.
    Archive(PathBuf),
    /// In the directory of an OCI layout.
    Layout(PathBuf),
    /// Another image under a further name.
    Image(String),
}

/// How an image is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Build {
    /// The directory with its content.
    pub(crate) directory: Option<PathBuf>,
    /// The static program that is its content.
    pub(crate) binary: Option<PathBuf>,
    /// Programs of this machine to add.
    pub(crate) host_programs: Vec<String>,
    /// First part of the command line.
    pub(crate) entrypoint: Vec<String>,
    /// Second part of the command line.
    pub(crate) cmd: Vec<String>,
    /// Variables.
    pub(crate) env: BTreeMap<String, String>,
    /// `user[:group]`.
    pub(crate) user: String,
    /// Directory to start in.
    pub(crate) workdir: String,
}

const KEYS: &[&str] = &["app", "event", "fixtures", "images", "parameters", "template"];
const SOURCES: &[&str] = &["build", "binary", "archive", "layout", "image"];
const BUILD_KEYS: &[&str] = &["host_programs", "entrypoint", "cmd", "env", "user", "workdir"];
const EVENT_KEYS: &[&str] = &["source", "detail-type", "detail", "bus", "resources"];

/// Reads the file.
pub(crate) fn load(path: &Path) -> Outcome<Config> {
    let text = read_text(path)?;
    let (config, findings) = parse(&text, &path.display().to_string());
    if findings.is_empty() { Ok(config) } else { Err(Failure { exit: Exit::Usage, diagnostics: findings }) }
}

/// Reads the text; `file` is for messages. Everything wrong comes back at once.
pub(crate) fn parse(text: &str, file: &str) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader::new(text, file);
    let Some(table) = reader.document() else { return (Config::default(), reader.findings) };
    reader.only(&table, "", KEYS);
    let mut config = Config {
        app: reader.text(&table, "app"),
        template: reader.text(&table, "template").map(PathBuf::from),
        parameters: reader.text_map(&table, "parameters"),
        ..Config::default()
    };
    if let (Some(_), Some(_), Some(template)) = (&config.app, &config.template, table.get("template")) {
        reader.wrong(&template.span(), "got `app` and `template`, exactly one is expected");
    }
    if let Some(images) = reader.table(&table, "images") {
        config.images = read_images(&mut reader, images);
    }
    if let Some(table) = reader.table(&table, "fixtures") {
        config.fixtures = fixtures::read(&mut reader, table);
    }
    if let Some(event) = table.get("event") {
        read_events(&mut reader, event, &mut config);
    }
    (config, reader.findings)
}

fn read_images(reader: &mut Reader<'_>, images: &DeTable<'_>) -> BTreeMap<String, ImageSource> {
    let mut found = BTreeMap::new();
    for (name, value) in images {
        // What looks like a path may name an image that the app builds; that is known once the app has run.
        if let (Err(problem), false) = (Reference::parse(name.get_ref()), name.get_ref().contains('/')) {
            let finding = reader.wrong(&name.span(), problem.message);
            finding.hints = problem.hints;
        }
        let Some(table) = reader.table(images, name.get_ref()) else { continue };
        if let Some(source) = read_image(reader, name.get_ref(), table, value) {
            found.insert(name.get_ref().to_string(), source);
        }
    }
    found
}

fn read_image(reader: &mut Reader<'_>, name: &str, table: &DeTable<'_>, whole: &Value<'_>) -> Option<ImageSource> {
    let section = format!("images.\"{name}\"");
    let known: Vec<&str> = SOURCES.iter().chain(BUILD_KEYS).copied().collect();
    reader.only(table, &section, &known);
    let given: Vec<&str> = SOURCES.iter().copied().filter(|key| table.contains_key(*key)).collect();
    let builds = |key: &str| matches!(key, "build" | "binary");
    let is_build = given.first().is_none_or(|key| builds(key));
    let is_programs = given.is_empty() && table.contains_key("host_programs");
    if given.len() != 1 && !is_programs {
        let got = if given.is_empty() { "no origin".to_owned() } else { format!("`{}`", given.join("` and `")) };
        let message = format!("`{section}` names {got}, exactly one of `{}` is expected", SOURCES.join("`, `"));
        reader.wrong(&whole.span(), message);
        return None;
    }
    if !is_build {
        for key in BUILD_KEYS.iter().filter(|key| table.contains_key(**key)) {
            let span = table.get(*key).map(toml::Spanned::span).unwrap_or_default();
            let with = given.first().copied().unwrap_or_default();
            reader
                .wrong(&span, format!("`{key}` does not go with `{with}`: the image has its own"))
                .hints
                .push(format!("leave it out, or use `build` in place of `{with}`"));
        }
    }
    let mut path = |key: &str| reader.text(table, key).map(PathBuf::from);
    Some(match given.first().copied() {
        Some("archive") => ImageSource::Archive(path("archive")?),
        Some("layout") => ImageSource::Layout(path("layout")?),
        Some("image") => ImageSource::Image(reader.text(table, "image")?),
        _ => ImageSource::Build(Box::new(Build {
            directory: path("build"),
            binary: path("binary"),
            host_programs: reader.texts(table, "host_programs").unwrap_or_default(),
            entrypoint: reader.texts(table, "entrypoint").unwrap_or_default(),
            cmd: reader.texts(table, "cmd").unwrap_or_default(),
            env: reader.text_map(table, "env"),
            user: reader.text(table, "user").unwrap_or_default(),
            workdir: reader.text(table, "workdir").unwrap_or_default(),
        })),
    })
}

fn read_events(reader: &mut Reader<'_>, event: &Value<'_>, config: &mut Config) {
    match event.get_ref() {
        DeValue::String(file) => config.event_files.push(PathBuf::from(file.as_ref())),
        DeValue::Table(table) => config.events.extend(read_event(reader, event, table)),
        DeValue::Array(items) => {
            for item in items.iter() {
                read_events(reader, item, config);
            }
        }
        _ => {
            reader.wrong(&event.span(), "`event` must be a table, a list of tables, or the name of a JSON file");
        }
    }
}

fn read_event(reader: &mut Reader<'_>, event: &Value<'_>, table: &DeTable<'_>) -> Option<EventEntry> {
    reader.only(table, "event", EVENT_KEYS);
    for key in ["source", "detail-type"] {
        if !table.contains_key(key) {
            reader.wrong(&event.span(), format!("`event` lacks `{key}`"));
        }
    }
    let detail = match table.get("detail").map(toml::Spanned::get_ref) {
        None => Some("{}".to_owned()),
        Some(DeValue::Table(detail)) => Some(serde_json::Value::Object(object(detail)).to_string()),
        Some(other) => {
            let span = table.get("detail").map(toml::Spanned::span).unwrap_or_default();
            reader.wrong(&span, format!("`detail` must be a table, got `{}`", json(other)));
            None
        }
    };
    let (source, detail_type) = (reader.text(table, "source"), reader.text(table, "detail-type"));
    let (bus, resources) = (reader.text(table, "bus"), reader.texts(table, "resources").unwrap_or_default());
    let (source, detail_type, detail) = (source?, detail_type?, detail?);
    Some(EventEntry { source, detail_type, detail, bus, resources, time: None, id: None, place: [None, None] })
}

/// The config of an app that has none.
pub(crate) fn beside(directory: &Path) -> Outcome<Option<Config>> {
    let file = directory.join(FILE_NAME);
    if file.is_file() { load(&file).map(Some) } else { Ok(None) }
}

/// There is nothing to synthesise from.
pub(crate) fn no_source(file: &Path) -> Failure {
    let message =
        format!("`{}` names neither `app` nor `template`, and there is no `cdk.json` beside it", file.display());
    Failure::usage(
        Diagnostic::error(codes::NO_APP, message).hint("add `app = \"…\"`, the command that writes the cloud assembly"),
    )
}
