//! From an app to stacks: templates read and checked, in the order in which they go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use neargate_base::{Diagnostic, Severity};
use neargate_template::{Assembly, AssemblyStack, MissingContext, Template};
use serde_json::{Map, Value as Json};

use super::{App, Source, lookups, program};
use crate::codes;
use crate::endpoint::{self, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};
use crate::places::{absolute, read_text};
use crate::screen::Screen;

/// How often an app may ask for more than it was told before.
const RUNS_MAX: usize = 8;
/// Stages within stages.
const NESTING_MAX: usize = 8;

/// What an app came to.
#[derive(Debug)]
pub(crate) struct Synthesized {
    /// The assembly's directory, or that of the template.
    pub(crate) directory: PathBuf,
    /// Stacks, each after those it depends on.
    pub(crate) stacks: Vec<Stack>,
    /// What the user should know; no errors among it.
    pub(crate) warnings: Vec<Diagnostic>,
    /// Whether stacks of the app were left out.
    pub(crate) is_part: bool,
}

/// One stack to be.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// What the construct tree calls it.
    pub(crate) display_name: String,
    pub(crate) file: PathBuf,
    pub(crate) body: String,
    pub(crate) template: Template,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The manifest of its assets.
    pub(crate) assets_file: Option<PathBuf>,
    /// What the assembly calls it, and those it depends on.
    id: String,
    dependencies: Vec<String>,
}

impl Stack {
    /// A stack of a template alone.
    pub(crate) fn new(name: &str, display_name: &str, file: &Path, body: String, template: Template) -> Self {
        Self {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            file: file.to_owned(),
            body,
            template,
            account: None,
            region: None,
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            assets_file: None,
            id: name.to_owned(),
            dependencies: vec![],
        }
    }
}

impl Synthesized {
    /// Leaves only the stacks of these names, with those they depend on.
    pub(crate) fn keep(&mut self, names: &[String]) -> Outcome<()> {
        let is_called = |stack: &Stack, name: &String| stack.name == *name || stack.display_name == *name;
        if let Some(unknown) = names.iter().find(|name| !self.stacks.iter().any(|stack| is_called(stack, name))) {
            let all: Vec<_> = self.stacks.iter().map(|stack| format!("`{}`", stack.display_name)).collect();
            let diagnostic = Diagnostic::error(codes::NO_APP, format!("the app has no stack `{unknown}`"));
            return Err(Failure::usage(diagnostic.hint(format!("there are {}", all.join(", ")))));
        }
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        // Each stack comes after those it depends on.
        for stack in self.stacks.iter().rev() {
            if wanted.contains(&stack.id) || names.iter().any(|name| is_called(stack, name)) {
                wanted.insert(stack.id.clone());
                wanted.extend(stack.dependencies.iter().cloned());
            }
        }
        let before = self.stacks.len();
        self.stacks.retain(|stack| wanted.contains(&stack.id));
        self.is_part |= self.stacks.len() < before;
        Ok(())
    }
}

impl Synthesized {
    /// Gives parameters of the command line to the stacks that have them.
    pub(crate) fn give(&mut self, parameters: &[(&str, &str)]) -> Outcome<()> {
        for (name, value) in parameters {
            let mut is_known = false;
            for stack in self.stacks.iter_mut().filter(|stack| stack.template.parameters.contains_key(*name)) {
                stack.parameters.insert((*name).to_owned(), (*value).to_owned());
                is_known = true;
            }
            if !is_known {
                let diagnostic = Diagnostic::error(codes::ARGUMENT, format!("no stack has a parameter `{name}`"));
                return Err(Failure::usage(like_a_parameter(&self.stacks, name, diagnostic)));
            }
        }
        Ok(())
    }
}

/// Adds what may have been meant.
fn like_a_parameter(stacks: &[Stack], name: &str, diagnostic: Diagnostic) -> Diagnostic {
    let known = stacks.iter().flat_map(|stack| stack.template.parameters.keys().map(String::as_str));
    match neargate_template::nearest(name, known) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// Where an app's command writes where nobody says: its own `cdk.out`.
pub(crate) fn usual_out_dir(app: &App) -> Option<PathBuf> {
    match &app.source {
        Source::Command { directory, cdk, .. } => {
            Some(directory.join(cdk.output.clone().unwrap_or_else(|| PathBuf::from("cdk.out"))))
        }
        _ => None,
    }
}

/// Runs the app, if it is a program, into `out`, and reads what there is. What the app looks up is answered from the
/// configuration and, where one runs, from the engine.
pub(crate) fn synth(screen: &Screen, app: &App, engine: Option<&Endpoint>, out: Option<&Path>) -> Outcome<Synthesized> {
    let mut findings = vec![];
    let (directory, mut stacks) = match &app.source {
        Source::Template(file) => {
            let directory = file.parent().map(Path::to_owned).unwrap_or_default();
            let name = stack_name(file);
            (directory, read_stack(file, &name, &name, &mut findings)?.into_iter().collect())
        }
        Source::Assembly(directory) => {
            let mut read = Read::default();
            read_assembly(directory, &mut read, 0)?;
            let mut values = Map::new();
            for missing in &read.missing {
                values.extend(lookups::answer(app, engine, missing)?.map(|value| (missing.key.clone(), value)));
            }
            findings.extend(read.findings);
            findings.extend(lookups::unanswered(&read.missing, &values));
            (directory.clone(), read.stacks)
        }
        Source::Command { .. } => {
            let usual = usual_out_dir(app).unwrap_or_default();
            let out = absolute(out.unwrap_or(&usual));
            let read = run_until_all_is_found(screen, app, engine, &out)?;
            findings.extend(read.findings);
            (out, read.stacks)
        }
    };
    settle_account(&mut stacks);
    findings.extend(give_parameters(app, &mut stacks));
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Failure { exit: Exit::Usage, diagnostics: findings });
    }
    Ok(Synthesized { directory, stacks, warnings: findings, is_part: false })
}

/// Runs the app's command, looks up what it asks for, and runs it again with that, as the CDK command line does.
fn run_until_all_is_found(screen: &Screen, app: &App, engine: Option<&Endpoint>, out: &Path) -> Outcome<Read> {
    let Source::Command { line, directory, cdk } = &app.source else { return Ok(Read::default()) };
    let mut found = Map::new();
    for _ in 0..RUNS_MAX {
        screen.step("synth", line);
        program::run(screen, line, directory, cdk, &found, out)?;
        if !out.join("manifest.json").is_file() {
            let message =
                format!("the app's command `{line}` ended well but wrote no cloud assembly to `{}`", out.display());
            let hint = "it must write to the directory in `CDK_OUTDIR`: does the app call `synth()` at its end?";
            return Err(Failure::failed(Diagnostic::error(codes::APP_FAILED, message).hint(hint)));
        }
        let mut read = Read::default();
        read_assembly(out, &mut read, 0)?;
        let known = found.len();
        for missing in &read.missing {
            if let Some(value) = lookups::answer(app, engine, missing)?.filter(|_| !found.contains_key(&missing.key)) {
                screen.step("lookup", &missing.key);
                found.insert(missing.key.clone(), value);
            }
        }
        read.missing.retain(|missing| !found.contains_key(&missing.key));
        // With an answer that is not here it would only ask again.
        if !read.missing.is_empty() || found.len() == known {
            read.findings.extend(lookups::unanswered(&read.missing, &found));
            return Ok(read);
        }
    }
    let message = format!("the app's command `{line}` looks up something new each time, {RUNS_MAX} times over");
    Err(Failure::failed(Diagnostic::error(codes::CDK_JSON, message)))
}

/// What an assembly's files have.
#[derive(Debug, Default)]
struct Read {
    stacks: Vec<Stack>,
    missing: Vec<MissingContext>,
    findings: Vec<Diagnostic>,
}

/// A stack that leaves its account open goes into the one that the app's other stacks name, if they all name one: there can be
/// only one that a user's credentials are for. Its region stays that of the user's environment, as on AWS.
fn settle_account(stacks: &mut [Stack]) {
    let named: BTreeSet<String> = stacks.iter().filter_map(|stack| stack.account.clone()).collect();
    let mut named = endpoint::given_account().into_iter().chain(named);
    let (Some(account), None) = (named.next(), named.next()) else { return };
    for stack in stacks.iter_mut().filter(|stack| stack.account.is_none()) {
        stack.account = Some(account.clone());
    }
}

/// Gives the configuration's parameters to the stacks that have them.
fn give_parameters(app: &App, stacks: &mut [Stack]) -> Vec<Diagnostic> {
    let mut findings = vec![];
    for (name, value) in &app.config.parameters {
        let mut is_known = false;
        for stack in stacks.iter_mut().filter(|stack| stack.template.parameters.contains_key(name)) {
            stack.parameters.insert(name.clone(), value.clone());
            is_known = true;
        }
        if !is_known {
            let message = format!("no stack has the parameter `{name}` to which `[parameters]` gives a value");
            findings.push(like_a_parameter(stacks, name, Diagnostic::warning(codes::CONFIG, message)));
        }
    }
    findings
}

fn read_assembly(directory: &Path, read: &mut Read, depth: usize) -> Outcome<()> {
    let file = directory.join("manifest.json");
    let assembly = Assembly::parse(&read_text(&file)?, &file.display().to_string()).map_err(Failure::usage)?;
    read.missing.extend(assembly.missing);
    for entry in &assembly.stacks {
        let template = directory.join(&entry.template_file);
        if is_empty(&template)? {
            let message = format!("the stack `{}` has no resources and is left out", entry.display_name);
            read.findings.push(Diagnostic::warning(codes::STACK, message));
            continue;
        }
        if let Some(stack) = read_stack(&template, &entry.name, &entry.display_name, &mut read.findings)? {
            read.stacks.push(with_entry(stack, entry, directory));
        }
    }
    for nested in assembly.nested.iter().filter(|_| depth < NESTING_MAX) {
        read_assembly(&directory.join(nested), read, depth + 1)?;
    }
    Ok(())
}

/// Whether the template of a stack has no resource. No other template is written by hand like that.
fn is_empty(file: &Path) -> Outcome<bool> {
    let template: Json = serde_json::from_str(&read_text(file)?).unwrap_or_default();
    let resources = template.get("Resources").map_or(Some(0), |it| it.as_object().map(serde_json::Map::len));
    Ok(template.is_object() && resources == Some(0))
}

fn with_entry(stack: Stack, entry: &AssemblyStack, directory: &Path) -> Stack {
    Stack {
        account: entry.account.clone(),
        region: entry.region.clone(),
        parameters: entry.parameters.clone(),
        tags: entry.tags.clone(),
        assets_file: entry.assets_file.as_ref().map(|file| directory.join(file)),
        id: entry.id.clone(),
        dependencies: entry.dependencies.clone(),
        ..stack
    }
}

fn read_stack(file: &Path, name: &str, display_name: &str, findings: &mut Vec<Diagnostic>) -> Outcome<Option<Stack>> {
    let body = read_text(file)?;
    let (template, found) = Template::parse(&body, &file.display().to_string());
    findings.extend(found);
    Ok(template.map(|template| Stack::new(name, display_name, file, body, template)))
}

/// Where a resource stands in its stack's template: `file:line:column`.
pub(crate) fn place(stack: &Stack, logical_id: &str) -> Option<String> {
    place_of(stack, &format!("Resources.{logical_id}"))
}

/// Where a path such as `Parameters.Stage` stands in a stack's template.
pub(crate) fn place_of(stack: &Stack, path: &str) -> Option<String> {
    let (line, column) = neargate_template::locate(&stack.body, path)?;
    let file = stack.file.file_name().unwrap_or_default().to_string_lossy();
    Some(format!("{file}:{line}:{column}"))
}

/// How people call a resource: the path of its construct, or else its logical id.
pub(crate) fn called(template: &Template, logical_id: &str) -> String {
    let path = template.resources.get(logical_id).and_then(|resource| resource.construct_path());
    path.map_or(logical_id, |path| path.strip_suffix("/Resource").unwrap_or(path)).to_owned()
}

/// A stack's name after its template's file: letters, digits and hyphens, a letter first.
fn stack_name(file: &Path) -> String {
    let stem = file.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let clean: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(128).collect();
    let clean = clean.trim_matches('-').to_owned();
    if clean.starts_with(|c: char| c.is_ascii_alphabetic()) { clean } else { format!("Stack-{clean}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str, account: Option<&str>, dependencies: &[&str]) -> Stack {
        let template = Template::parse("Resources: {A: {Type: 'T::T::T'}}", name).0.unwrap();
        Stack {
            account: account.map(str::to_owned),
            region: account.map(|_| "eu-west-1".to_owned()),
            dependencies: dependencies.iter().map(|it| (*it).to_owned()).collect(),
            ..Stack::new(name, name, Path::new(name), String::new(), template)
        }
    }

    #[test]
    fn a_stack_without_an_account_goes_into_that_of_all_others() {
        let places = |mut stacks: Vec<Stack>| {
            settle_account(&mut stacks);
            stacks.into_iter().map(|it| it.account.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(places(vec![stack("a", None, &[]), stack("b", Some("1"), &[])]), ["1", "1"]);
        assert_eq!(places(vec![stack("a", None, &[])]), [""]);
        let several = vec![stack("a", None, &[]), stack("b", Some("1"), &[]), stack("c", Some("2"), &[])];
        assert_eq!(places(several), ["", "1", "2"]);
    }

    #[test]
    fn a_part_of_an_app_comes_with_what_it_depends_on() {
        let made = || Synthesized {
            directory: PathBuf::new(),
            stacks: vec![
                stack("net", None, &[]),
                stack("data", None, &["net"]),
                stack("app", None, &["data"]),
                stack("x", None, &[]),
            ],
            warnings: vec![],
            is_part: false,
        };
        let kept = |name: &str| {
            let mut made = made();
            made.keep(&[name.to_owned()]).map(|()| made.stacks.iter().map(|it| it.name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(kept("app").unwrap(), ["net", "data", "app"]);
        assert_eq!(kept("net").unwrap(), ["net"]);
        let refused = kept("nett").unwrap_err().diagnostics.remove(0);
        assert_eq!(refused.message, "the app has no stack `nett`");
        assert_eq!(refused.hints, ["there are `net`, `data`, `app`, `x`"]);
    }
}
