//! `neargate image`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use neargate_base::Diagnostic;
use neargate_runtime::images::{Image, ImageStore};
use serde_json::{Value as Json, json};

use crate::app::config::Build;
use crate::codes;
use crate::images::{familiar, recipe};
use crate::outcome::{Exit, Failure, Outcome};
use crate::places;
use crate::screen::Screen;

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Build an image from a directory, a static program, or programs of this machine
    Build(BuildArgs),
    /// Import an OCI layout or a docker archive
    Import(ImportArgs),
    /// List images
    Ls(StoreArgs),
    /// Remove images by name, and what only they needed
    Rm(RemoveArgs),
}

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The engine's data directory [default: `neargate` in the user's data directory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Arguments of `image build`.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The directory with the image's content
    directory: Option<PathBuf>,
    /// A statically linked program to be the image's content
    #[arg(long, value_name = "FILE", conflicts_with = "directory")]
    binary: Option<PathBuf>,
    /// The image's name, such as `corp/app:1.0`
    #[arg(short, long, value_name = "NAME")]
    tag: String,
    /// A program of this machine to add with its libraries; may be given again
    #[arg(long = "host-program", value_name = "PROGRAM")]
    host_programs: Vec<String>,
    /// A word of the entry point; may be given again
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    entrypoint: Vec<String>,
    /// A word of the command; may be given again
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    cmd: Vec<String>,
    /// A variable; may be given again
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The user, and after a colon the group, that the command runs as
    #[arg(long, default_value = "", hide_default_value = true)]
    user: String,
    /// The directory that the command starts in
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
    workdir: String,
}

/// Arguments of `image import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// An OCI layout or a docker archive: a directory or a tar
    path: PathBuf,
    /// The image's name [default: as the archive says]
    #[arg(short, long, value_name = "NAME")]
    tag: Option<String>,
}

/// Arguments of `image rm`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Names or digests
    #[arg(required = true)]
    images: Vec<String>,
}

impl StoreArgs {
    fn open(&self) -> Outcome<ImageStore> {
        let data_dir = match &self.data_dir {
            Some(given) => given.clone(),
            None => places::data_dir()?,
        };
        neargate_engine::claim(&data_dir)?;
        Ok(ImageStore::open(&data_dir.join("images"))?)
    }
}

/// Runs a subcommand.
pub(super) fn run(command: &ImageCommand, screen: &Screen) -> Outcome {
    match command {
        ImageCommand::Build(args) => build(args, screen),
        ImageCommand::Import(args) => import(args, screen),
        ImageCommand::Ls(args) => list(args, screen),
        ImageCommand::Rm(args) => remove(args, screen),
    }
}

fn build(args: &BuildArgs, screen: &Screen) -> Outcome {
    if args.directory.is_none() && args.binary.is_none() && args.host_programs.is_empty() {
        let message = "there is nothing to build from: got neither a directory nor `--binary` nor `--host-program`";
        return Err(Failure::usage(Diagnostic::error(codes::ARGUMENT, message)));
    }
    let variable = |pair: &String| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    if let Some(wrong) = args.env.iter().find(|pair| variable(pair).is_none()) {
        let message = format!("`--env` must be `NAME=VALUE`, got `{wrong}`");
        return Err(Failure::usage(Diagnostic::error(codes::ARGUMENT, message)));
    }
    let build = Build {
        directory: args.directory.clone(),
        binary: args.binary.clone(),
        host_programs: args.host_programs.clone(),
        entrypoint: args.entrypoint.clone(),
        cmd: args.cmd.clone(),
        env: args.env.iter().filter_map(variable).collect(),
        user: args.user.clone(),
        workdir: args.workdir.clone(),
    };
    let built = args.store.open()?.build(&recipe(&build, &places::absolute(".".as_ref())), &args.tag)?;
    built.warnings.iter().for_each(|warning| screen.diagnostic(warning));
    screen.step(if built.unchanged { "unchanged" } else { "built" }, &familiar(&built.reference));
    show(screen, &[(built.reference, Arc::new(built.image))]);
    Ok(Exit::Done)
}

fn import(args: &ImportArgs, screen: &Screen) -> Outcome {
    let imported = args.store.open()?.import(&args.path, args.tag.as_deref())?;
    let images: Vec<_> = imported.into_iter().map(|it| (it.reference, it.image)).collect();
    images.iter().for_each(|(name, _)| screen.step("imported", &familiar(name)));
    show(screen, &images);
    Ok(Exit::Done)
}

/// Digests of what was made.
fn show(screen: &Screen, images: &[(String, Arc<Image>)]) {
    if screen.is_json() {
        let rows = images.iter().map(|(name, image)| json!({ "name": name, "digest": image.digest.to_string() }));
        screen.json(&Json::Array(rows.collect()));
    } else {
        images.iter().for_each(|(_, image)| screen.data(&image.digest.to_string()));
    }
}

fn list(args: &StoreArgs, screen: &Screen) -> Outcome {
    let rows = args.open()?.list()?.into_iter().map(|row| {
        let size = row.image.as_ref().map(|image| image.layers.iter().map(|layer| layer.size_bytes).sum::<u64>());
        let size = size.map_or_else(|problem| problem.message.clone(), megabytes);
        vec![familiar(&row.name), row.digest.to_string(), size]
    });
    screen.table(&["NAME", "DIGEST", "SIZE"], &rows.collect::<Vec<_>>());
    Ok(Exit::Done)
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn remove(args: &RemoveArgs, screen: &Screen) -> Outcome {
    let store = args.store.open()?;
    let mut missing = vec![];
    for name in &args.images {
        if store.remove(name)? {
            screen.step("removed", name);
        } else {
            let message = format!("there is no image `{name}`");
            missing.push(
                Diagnostic::error(codes::NOT_FOUND, message).hint("see which there are with `neargate image ls`"),
            );
        }
    }
    let collected = store.gc(&[])?;
    if screen.is_json() && missing.is_empty() {
        screen.json(&json!({ "blobs": collected.blobs, "bytes": collected.blob_bytes }));
    }
    if missing.is_empty() { Ok(Exit::Done) } else { Err(Failure { exit: Exit::Usage, diagnostics: missing }) }
}
