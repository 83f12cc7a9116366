//! Which images an app's tasks ask for, and which of them the app would have built.
//!
//! Invariant: pure but for [`Asset::is_of`], which compares files; an image that cannot be told before the stacks are
//! there is not among those that are asked for, and [`Images::is_complete`] says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use neargate_runtime::images::Reference;
use neargate_template::{Evaluator, Partial, resolve_parameters};
use serde_json::Value as Json;

use super::App;
use super::known::{Known, home};
use super::synth::{Stack, Synthesized, called};
use crate::outcome::Outcome;
use crate::places::read_text;

/// Files of a directory that are compared.
const FILES_MAX: usize = 10_000;
/// Directories in directories that are compared.
const DEPTH_MAX: usize = 64;
/// What the CDK calls the construct of an image in a container's scope.
const CONSTRUCT: &str = "/AssetImage";

/// The images of an app.
#[derive(Debug, Default)]
pub(crate) struct Images {
    /// By the names under which they are asked for: who asks.
    pub(crate) wanted: BTreeMap<String, Vec<Use>>,
    /// Whether these are all.
    pub(crate) is_complete: bool,
    /// What the app would have built.
    pub(crate) assets: Vec<Asset>,
}

/// Who asks for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// A construct path or logical id.
    pub(crate) by: String,
    pub(crate) container: String,
}

/// An image that the app brings as a directory with a Dockerfile.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    /// The stack that brings it.
    pub(crate) stack: String,
    /// Its path below the stack.
    pub(crate) display_name: Option<String>,
    /// The directory as the manifest has it.
    pub(crate) source: String,
    directory: PathBuf,
    tags: Vec<String>,
}

impl Images {
    /// Reads the templates and the manifests of assets.
    pub(crate) fn of(app: &App, made: &Synthesized) -> Outcome<Self> {
        let mut images = Self { is_complete: true, ..Self::default() };
        for stack in &made.stacks {
            images.take_wanted(app, stack);
            images.assets.extend(assets(stack)?);
        }
        Ok(images)
    }

    fn take_wanted(&mut self, app: &App, stack: &Stack) {
        let environment = Known::of(stack, &home(stack), &app.config.fixtures);
        let (values, _) = resolve_parameters(&stack.template, &stack.parameters, &environment);
        // A template that cannot be evaluated is refused when it is deployed, with the reason.
        let Ok(evaluator) = Evaluator::new(&stack.template, &values, &environment) else {
            self.is_complete = false;
            return;
        };
        let resources = stack.template.resources.iter();
        for (id, resource) in resources.filter(|(_, it)| it.resource_type == "AWS::ECS::TaskDefinition") {
            if evaluator.includes(id) == Some(false) {
                continue;
            }
            let properties = evaluator.partial(&resource.properties).ok().flatten();
            let containers = properties.as_ref().and_then(|it| it.get("ContainerDefinitions")?.as_list());
            self.is_complete &= containers.is_some();
            for container in containers.unwrap_or_default() {
                let text = |key: &str| container.get(key).and_then(Partial::as_str);
                let Some(image) = text("Image") else {
                    self.is_complete = false;
                    continue;
                };
                let by = called(&stack.template, id);
                let container = text("Name").unwrap_or("?").to_owned();
                self.wanted.entry(image.to_owned()).or_default().push(Use { by, container });
            }
        }
    }

    /// The asset that a name stands for.
    pub(crate) fn asset_of(&self, image: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.is_called(image))
    }

    /// The names that a key of `[images]` means: those of the asset whose path or directory it is, or else itself.
    /// `None` where it is neither such nor an image's name.
    pub(crate) fn meant_by(&self, key: &str, directories: &[&Path]) -> Option<Vec<String>> {
        let is_name = Reference::parse(key).is_ok();
        if is_name && self.is_asked_for(key) {
            return Some(vec![key.to_owned()]);
        }
        let assets: Vec<&Asset> = self.assets.iter().filter(|asset| asset.is_meant_by(key, directories)).collect();
        if assets.is_empty() {
            return is_name.then(|| vec![key.to_owned()]);
        }
        let of_assets = |name: &&String| assets.iter().any(|asset| asset.is_called(name));
        Some(self.wanted.keys().filter(of_assets).cloned().collect())
    }

    /// Whether a task asks for an image of this name, however it is spelt.
    pub(crate) fn is_asked_for(&self, name: &str) -> bool {
        let same = |other: &String| other == name || familiar(other).is_some_and(|it| Some(it) == familiar(name));
        self.wanted.keys().any(same)
    }
}

fn familiar(name: &str) -> Option<String> {
    Reference::parse(name).ok().map(|reference| reference.familiar())
}

impl Asset {
    /// How a key of `[images]` names it, other than by its directory.
    pub(crate) fn key(&self) -> Option<&str> {
        self.display_name.as_deref().map(|name| name.strip_suffix(CONSTRUCT).unwrap_or(name))
    }

    /// Whether an image's name is that under which the app would have pushed it.
    fn is_called(&self, image: &str) -> bool {
        self.tags.iter().any(|tag| image.rsplit_once(':').is_some_and(|(_, own)| own == tag))
    }

    fn is_meant_by(&self, key: &str, directories: &[&Path]) -> bool {
        self.display_name.as_deref() == Some(key)
            || self.key() == Some(key)
            || self.source == key
            || directories.iter().any(|directory| self.is_of(&directory.join(key)))
    }

    /// Whether it was made of this directory: what was taken of it is in it as it was.
    fn is_of(&self, directory: &Path) -> bool {
        let mut files_left = FILES_MAX;
        directory.is_dir() && is_part(&self.directory, directory, DEPTH_MAX, &mut files_left) == Some(true)
    }
}

/// Whether everything in `part` is in `whole` with the same content; `None` where it is too much to look at.
fn is_part(part: &Path, whole: &Path, depth_left: usize, files_left: &mut usize) -> Option<bool> {
    let mut is_any = false;
    for entry in fs::read_dir(part).ok()? {
        let entry = entry.ok()?;
        *files_left = files_left.checked_sub(1)?;
        let (own, other) = (entry.path(), whole.join(entry.file_name()));
        let kind = entry.file_type().ok()?;
        let is_same = match kind {
            kind if kind.is_dir() => {
                let is_empty = fs::read_dir(&own).ok()?.next().is_none();
                other.is_dir() && (is_empty || is_part(&own, &other, depth_left.checked_sub(1)?, files_left)?)
            }
            kind if kind.is_symlink() => fs::read_link(&own).ok() == fs::read_link(&other).ok(),
            _ => is_same_file(&own, &other)?,
        };
        if !is_same {
            return Some(false);
        }
        is_any = true;
    }
    Some(is_any)
}

fn is_same_file(own: &Path, other: &Path) -> Option<bool> {
    let length = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|it| it.len());
    if length(own) != length(other) {
        return Some(false);
    }
    Some(fs::read(own).ok()? == fs::read(other).ok()?)
}

/// The images that a stack's manifest of assets has.
fn assets(stack: &Stack) -> Outcome<Vec<Asset>> {
    let Some(file) = &stack.assets_file else { return Ok(vec![]) };
    let manifest: Json = serde_json::from_str(&read_text(file)?).unwrap_or_default();
    let entries = manifest.get("dockerImages").and_then(Json::as_object).into_iter().flatten();
    let asset = |(id, image): (&String, &Json)| {
        let source = image.pointer("/source/directory").and_then(Json::as_str).unwrap_or(id).to_owned();
        let destinations = image.get("destinations").and_then(Json::as_object).into_iter().flatten();
        let tags = destinations.filter_map(|(_, it)| it.get("imageTag")?.as_str().map(str::to_owned));
        Asset {
            stack: stack.display_name.clone(),
            display_name: image.get("displayName").and_then(Json::as_str).map(str::to_owned),
            directory: file.parent().unwrap_or(Path::new("")).join(&source),
            source,
            tags: tags.collect(),
        }
    };
    Ok(entries.map(asset).collect())
}
