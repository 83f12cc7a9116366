//! Whether the command an image is to run is in it and can be loaded there.
//!
//! Invariant: a doubt is no finding; only what certainly fails to start is reported.

use neargate_base::Diagnostic;

use super::super::codes;
use super::Recipe;
use super::programs::interpreter_line;
use super::tree::{Node, Tree};

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the command turned out to be.
pub(super) struct Command {
    /// The architecture of its executable, where it has one.
    pub(super) architecture: Option<&'static str>,
    /// Why it will not start.
    pub(super) warnings: Vec<Diagnostic>,
}

/// Looks the recipe's command up in the tree.
pub(super) fn inspect(tree: &Tree, recipe: &Recipe) -> Command {
    let mut command = Command { architecture: None, warnings: vec![] };
    let Some(program) = recipe.entrypoint.first().or(recipe.cmd.first()) else { return command };
    let found = candidates(recipe, program).into_iter().find_map(|path| tree.inspect(path.as_bytes()));
    let Some((head, elf)) = found else {
        command.warnings.push(
            Diagnostic::warning(codes::NO_COMMAND, format!("the image's command `{program}` is not in the image"))
                .hint("add it with `files` or `host_programs`, or correct `entrypoint`"),
        );
        return command;
    };
    if let Some(elf) = elf {
        command.architecture = elf.architecture();
        if let Some(loader) = elf.interpreter.filter(|loader| !exists(tree, loader)) {
            command.warnings.push(missing(program, "dynamic loader", &loader));
        }
    } else if let Some(interpreter) = interpreter_line(&head).and_then(|words| words.into_iter().next()) {
        match tree.inspect(interpreter.as_bytes()) {
            Some((_, elf)) => command.architecture = elf.and_then(|elf| elf.architecture()),
            None => command.warnings.push(missing(program, "interpreter", &interpreter)),
        }
    }
    command
}

/// Where a program of this name is looked for.
fn candidates(recipe: &Recipe, program: &str) -> Vec<String> {
    if program.starts_with('/') {
        return vec![program.to_owned()];
    }
    if program.contains('/') {
        return vec![format!("{}/{program}", recipe.working_dir)];
    }
    let path = recipe.env.iter().find_map(|pair| pair.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    path.split(':').map(|directory| format!("{directory}/{program}")).collect()
}

fn exists(tree: &Tree, path: &str) -> bool {
    tree.resolve(path.as_bytes())
        .is_some_and(|path| matches!(tree.get(&path), Some(Node::File { .. } | Node::HardLink { .. })))
}

fn missing(program: &str, role: &str, path: &str) -> Diagnostic {
    Diagnostic::warning(codes::NO_COMMAND, format!("`{program}` needs the {role} `{path}`, which is not in the image"))
        .detail("it will fail to start with `no such file or directory`")
        .hint("link the program statically, or add what it needs to the image")
}
