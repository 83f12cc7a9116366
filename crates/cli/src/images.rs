//! Putting an app's images into an engine's store, under the names by which its templates ask for them.

use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use neargate_runtime::images::{BuildBase, ImageStore, ImageStores, Recipe, Reference};
use neargate_template::nearest;

use crate::app::App;
use crate::app::config::{Build, ImageSource};
use crate::app::image_names::{Asset, Images, Use};
use crate::app::synth::Synthesized;
use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::places::ThrowAway;
use crate::screen::Screen;
use crate::signals;

/// The stores that an engine looks into.
#[derive(Clone, Debug)]
pub(crate) struct Stores {
    /// The engine's own.
    pub(crate) front: PathBuf,
    /// Further ones, which are only read.
    pub(crate) behind: Vec<PathBuf>,
}

/// Builds or imports every image that the app's configuration names, under the names by which its tasks ask for them.
pub(crate) fn provide(screen: &Screen, app: &App, made: &Synthesized, stores: &Stores) -> Outcome<()> {
    if app.config.images.is_empty() {
        return Ok(());
    }
    let images = Images::of(app, made)?;
    let directories = [app.config_dir.as_path()];
    let mut named = vec![];
    for (key, source) in &app.config.images {
        let Some(names) = images.meant_by(key, &directories) else { return Err(no_image(key, &images)) };
        named.push((key, source, names));
    }
    warn_of_unused(screen, app, made, &images, &named);
    // Names of other images come last: they may stand for one that is built here.
    let (aliases, built): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(_, source, _)| matches!(source, ImageSource::Image(_)));
    let opened = ImageStores::open(&stores.front, &stores.behind)?;
    for (key, source, names) in built.into_iter().chain(aliases) {
        for name in &names {
            signals::check()?;
            let from = provide_one(screen, &opened, &stores.behind, &app.config_dir, name, source)?;
            screen.step("image", &format!("{key}  {from}"));
        }
    }
    Ok(())
}

/// What is named is neither an image nor one that the app would have built.
fn no_image(key: &str, images: &Images) -> Failure {
    let problem = Reference::parse(key).err().map(|problem| problem.message).unwrap_or_default();
    let diagnostic = Diagnostic::error(codes::CONFIG, format!("{problem}, nor one that the app builds"));
    let keys: Vec<_> = images.assets.iter().filter_map(Asset::key).map(|key| format!("`{key}`")).collect();
    Failure::usage(match keys.is_empty() {
        true => diagnostic.hint("under `[images]` write `repository:tag`, for example `corp/my-proj:1.0`"),
        false => diagnostic.hint(format!("the app builds {}", keys.join(", "))),
    })
}

/// A key of `[images]`, the image's origin, and the names under which tasks ask for it.
type Named<'a> = (&'a String, &'a ImageSource, Vec<String>);

/// Says which images nobody asks for; where that cannot be told, nothing.
fn warn_of_unused(screen: &Screen, app: &App, made: &Synthesized, images: &Images, named: &[Named<'_>]) {
    if made.is_part || !images.is_complete {
        return;
    }
    let is_origin = |key: &str| {
        let origins = app.config.images.values().filter_map(|source| match source {
            ImageSource::Image(other) => Some(familiar(other)),
            _ => None,
        });
        origins.into_iter().any(|other| other == familiar(key))
    };
    let is_unused = |(key, _, names): &&Named<'_>| !names.iter().any(|it| images.is_asked_for(it)) && !is_origin(key);
    for (key, ..) in named.iter().filter(is_unused) {
        let diagnostic =
            Diagnostic::warning(codes::CONFIG, format!("no task asks for the image `{key}` of `[images]`"));
        let asked = images.wanted.keys().map(String::as_str);
        screen.diagnostic(&match (nearest(key, asked.clone()), images.wanted.is_empty()) {
            (Some(near), _) => diagnostic.hint(format!("did you mean `{near}`?")),
            (None, true) => diagnostic,
            (None, false) => diagnostic
                .hint(format!("tasks ask for {}", asked.map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", "))),
        });
    }
}

/// The images that tasks ask for and no store has.
pub(crate) fn missing<'i>(images: &'i Images, stores: &Stores) -> Vec<(&'i String, &'i Vec<Use>)> {
    let stores: Vec<_> =
        std::iter::once(&stores.front).chain(&stores.behind).map(|dir| ImageStore::read_only(dir)).collect();
    // One that cannot be read is told when the task is to start.
    let is_missing = |name: &str| stores.iter().all(|store| matches!(store.resolve(name), Ok(None)));
    images.wanted.iter().filter(|(name, _)| is_missing(name)).collect()
}

/// Answers where the image came from, for people.
fn provide_one(
    screen: &Screen,
    stores: &ImageStores,
    behind: &[PathBuf],
    directory: &Path,
    name: &str,
    source: &ImageSource,
) -> Outcome<String> {
    let import = |path: &Path| {
        stores.front().import(&directory.join(path), Some(name)).map(|_| format!("imported from `{}`", path.display()))
    };
    Ok(match source {
        ImageSource::Archive(path) | ImageSource::Layout(path) => import(path)?,
        ImageSource::Image(other) => {
            take_over(stores.front(), behind, other, name)?;
            format!("is `{other}`")
        }
        ImageSource::Build(build) => {
            let built = stores.front().build(&recipe(build, directory), name)?;
            for warning in &built.warnings {
                screen.diagnostic(warning);
            }
            let from = [build.directory.as_ref(), build.binary.as_ref()];
            let from = from.into_iter().flatten().map(|path| format!("`{}`", path.display()));
            let from: Vec<_> = from.chain(build.host_programs.iter().cloned()).collect();
            format!("{} from {}", if built.unchanged { "unchanged," } else { "built" }, from.join(", "))
        }
    })
}

/// Gives another image the name, copying it from a store behind where need be.
fn take_over(front: &ImageStore, behind: &[PathBuf], other: &str, name: &str) -> Outcome<()> {
    if front.resolve(other)?.is_some() {
        return Ok(front.tag(other, name)?);
    }
    for store in behind.iter().map(|dir| ImageStore::read_only(dir)) {
        if store.resolve(other)?.is_some() {
            let copy = ThrowAway::new("image")?;
            let layout = copy.path().join("layout");
            store.export(other, &layout)?;
            front.import(&layout, Some(name))?;
            return copy.remove();
        }
    }
    let message = format!("the image `{name}` is to be `{other}`, which no store has");
    let hint = format!(
        "import it with `neargate image import ARCHIVE --tag {other}`, or build it: `\"{name}\" = {{ build = \"DIR\" }}`"
    );
    Err(Failure::usage(Diagnostic::error(codes::ASSET, message).hint(hint)))
}

/// The recipe for a build; relative paths start in `directory`.
pub(crate) fn recipe(build: &Build, directory: &Path) -> Recipe {
    let base = match (&build.directory, &build.binary) {
        (Some(content), _) => BuildBase::Directory(directory.join(content)),
        (None, Some(binary)) => BuildBase::StaticBinary(directory.join(binary)),
        (None, None) => BuildBase::Empty,
    };
    Recipe {
        base,
        host_programs: build.host_programs.clone(),
        entrypoint: build.entrypoint.clone(),
        cmd: build.cmd.clone(),
        env: build.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        user: build.user.clone(),
        working_dir: build.workdir.clone(),
        ..Recipe::default()
    }
}

/// How people write an image's name.
pub(crate) fn familiar(name: &str) -> String {
    Reference::parse(name).map_or_else(|_| name.to_owned(), |reference| reference.familiar())
}
