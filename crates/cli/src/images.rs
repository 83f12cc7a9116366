//! Putting an app's images into an engine's store, under the names by which its templates ask for them.

use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use neargate_runtime::images::{BuildBase, ImageStore, ImageStores, Recipe, Reference};

use crate::app::App;
use crate::app::config::{Build, ImageSource};
use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::places::ThrowAway;
use crate::screen::Screen;
use crate::signals;

/// Builds or imports every image that the app's configuration names. `behind` are stores to find further images in.
pub(crate) fn provide(screen: &Screen, app: &App, store: &Path, behind: &[PathBuf]) -> Outcome<()> {
    if app.config.images.is_empty() {
        return Ok(());
    }
    let stores = ImageStores::open(store, behind)?;
    // Names of other images come last: they may stand for one that is built here.
    let (aliases, made): (Vec<_>, Vec<_>) =
        app.config.images.iter().partition(|(_, source)| matches!(source, ImageSource::Image(_)));
    for (name, source) in made.into_iter().chain(aliases) {
        signals::check()?;
        let from = provide_one(screen, &stores, behind, &app.config_dir, name, source)?;
        screen.step("image", &format!("{name}  {from}"));
    }
    Ok(())
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
