//! Synthesis beside the AWS CDK: the same three stacks, from the start of the process to the files, and from an edit to the files.
//!
//! Ours is the example `three_stacks` of `neargate-patterns`; the CDK's app is
//! `oracle/seeds/seed0`, or another that `SYNTH_ORACLE` names. npm installs the CDK below the target directory. Runs alternate, so that
//! a drifting machine harms both alike; each starts with an empty output directory. CPU time is what `wait4` says of the process and
//! its children: on a shared machine it says more than the wall's.
//!
//! Invariant: what both sides wrote is compared in the same run, and a difference that nobody decided on fails the benchmark.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use neargate_template::{Template, semantic_diff};
use serde_json::Value as Json;

use super::stats::Summary;
use crate::root;

#[path = "../../../crates/patterns/tests/cdk/deliberate.rs"]
mod deliberate;

const LIBRARY: [(&str, &str); 2] = [("aws-cdk-lib", "2.276.0"), ("constructs", "10.8.1")];
const COMMAND_LINE: (&str, &str) = ("aws-cdk", "2.1148.1");
const PAIRS: usize = 30;
const EDITS: usize = 10;

/// What the sources have, in the CDK's words and in ours, and the days that it means.
const ORIGINAL: (&str, &str, u32) = ("logs.RetentionDays.ONE_YEAR", "RetentionDays::OneYear", 365);
/// What it is edited to, and back.
const EDITED: (&str, &str, u32) = ("logs.RetentionDays.ONE_MONTH", "RetentionDays::OneMonth", 30);

/// Each stack, with the key of its log group, and whether its account and region are known.
const STACKS: [(&str, Option<(&str, bool)>); 3] = [
    ("NetworkStack", None),
    ("FargateTasksStack", Some(("FargateTasksFargateKeyCE8984F3", false))),
    ("SharedClusterTasksStack", Some(("FargateTasksFargateKeyCE8984F3", true))),
];

/// Runs a program and prints its milliseconds of CPU time and of wall time: Python's `wait4` is the libc's.
const MEASURE: &str = r#"
import os, sys, time
begin = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - begin
print((usage.ru_utime + usage.ru_stime) * 1000, wall * 1000)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"#;

/// Prints both tables.
pub(super) fn run() -> Result<(), String> {
    let folder = target().join("bench-synth");
    let cdk = Cdk::install(&folder)?;
    from_process_start(&folder, &cdk)?;
    from_an_edit(&folder, &cdk)
}

/// What one run took, in milliseconds.
struct Taken {
    cpu: f64,
    wall: f64,
}

/// A row of a table.
struct Row {
    name: &'static str,
    taken: Vec<Taken>,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self { name, taken: vec![] }
    }

    fn cpu(&self) -> Summary {
        Summary::of(self.taken.iter().map(|taken| taken.cpu).collect())
    }

    fn wall(&self) -> Summary {
        Summary::of(self.taken.iter().map(|taken| taken.wall).collect())
    }
}

fn from_process_start(folder: &Path, cdk: &Cdk) -> Result<(), String> {
    let mut build = cargo();
    build.current_dir(root()).args(["build", "--release", "--quiet", "--package", "neargate-patterns"]);
    succeed(build.args(["--example", "three_stacks"]))?;
    let ours = [target().join("release/examples/three_stacks")];
    let (our_files, cdk_files) = (folder.join("ours.out"), folder.join("cdk.out"));
    let mut rows = [Row::new("neargate, release binary"), Row::new("node app.js, validator off")];
    for pair in 0..=PAIRS {
        let taken = [
            cdk.run(&ours, &our_files, Some("false")).measure()?,
            cdk.run(&cdk.node(), &cdk_files, Some("false")).measure()?,
        ];
        // The first pair warms caches on both sides and is not counted.
        if pair > 0 {
            rows.iter_mut().zip(taken).for_each(|(row, taken)| row.taken.push(taken));
        }
    }
    compare(&our_files, &cdk_files)?;
    crate::say("\nsynthesis of three stacks, process start to files, ms (promise: CPU time at most 1/50)");
    say(&rows);
    crate::say("  the templates are equal, but for what docs/seed-decisions.md lists");
    Ok(())
}

fn from_an_edit(folder: &Path, cdk: &Cdk) -> Result<(), String> {
    let example = read(&root().join("crates/patterns/examples/three_stacks.rs"))?;
    let app = read(&cdk.oracle.join("app.js"))?;
    let ours = project(&folder.join("ours"))?;
    let files = folder.join("edit.out");
    let cargo_run = ["cargo", "run", "--quiet", "--offline"].map(PathBuf::from);
    let synth = [cdk.folder.join("node_modules/.bin/cdk"), "synth".into(), "--quiet".into(), "--no-notices".into()];
    let synth = [&synth[..], &["--output".into(), files.clone()]].concat();
    let mut ways = vec![
        (Row::new("neargate, cargo run"), cdk.run(&cargo_run, &files, None).inside(&ours)),
        (Row::new("node app.js, validator off"), cdk.run(&cdk.node(), &files, Some("false"))),
    ];
    if cdk.has_command_line {
        ways.push((Row::new("cdk synth, validator off"), cdk.run(&synth, &files, Some("false"))));
        ways.push((Row::new("cdk synth"), cdk.run(&synth, &files, None)));
    }
    for edit in 0..=EDITS {
        let (cdk_word, our_word, days) = if edit % 2 == 0 { EDITED } else { ORIGINAL };
        write(&ours.join("src/main.rs"), &replaced(&example, ORIGINAL.1, our_word)?)?;
        write(&cdk.folder.join("app.js"), &replaced(&app, ORIGINAL.0, cdk_word)?)?;
        for (row, run) in &mut ways {
            let taken = run.measure()?;
            let template = json(&files.join("SharedClusterTasksStack.template.json"))?.to_string();
            if !template.contains(&format!("\"RetentionInDays\":{days}")) {
                return Err(format!("{}: the edit is not in what was written", row.name));
            }
            if edit > 0 {
                row.taken.push(taken);
            }
        }
    }
    crate::say("\none property edited to files, ms (the retention of a log group)");
    say(&ways.into_iter().map(|(row, _)| row).collect::<Vec<_>>());
    if !cdk.has_command_line {
        crate::say("  `cdk synth` is not measured: its package does not install");
    }
    Ok(())
}

/// A table; the first row is ours, and every other says how much less it takes.
fn say(rows: &[Row]) {
    for (place, row) in rows.iter().enumerate() {
        for (what, of) in [("CPU", Row::cpu as fn(&Row) -> Summary), ("wall", Row::wall)] {
            let own = of(row);
            let ratio = match rows.first().filter(|_| place > 0) {
                Some(ours) => format!("   ours 1/{:.1}", own.median / of(ours).median),
                None => String::new(),
            };
            crate::say(&format!("  {:27} {what:5} {own}{ratio}", row.name));
        }
    }
}

/// The CDK's app, where npm has installed what it needs.
#[derive(Debug)]
struct Cdk {
    oracle: PathBuf,
    folder: PathBuf,
    /// The flags and the zones, as the command line would hand them to an app.
    context: String,
    has_command_line: bool,
}

impl Cdk {
    fn install(folder: &Path) -> Result<Self, String> {
        let named = std::env::var_os("SYNTH_ORACLE").map(PathBuf::from);
        let oracle = named.unwrap_or_else(|| root().join("oracle/seeds/seed0"));
        if !oracle.join("app.js").exists() {
            return Err(format!("no `app.js` in `{}`: name its directory with SYNTH_ORACLE", oracle.display()));
        }
        let folder = folder.join("cdk");
        for name in ["app.js", "cdk.json", "cdk.context.json"] {
            write(&folder.join(name), &read(&oracle.join(name))?)?;
        }
        npm(&folder, &LIBRARY)?;
        let has_command_line = npm(&folder, &[COMMAND_LINE]).is_ok();
        let mut context = json(&folder.join("cdk.json"))?.get("context").cloned().unwrap_or_default();
        if let (Json::Object(context), Json::Object(zones)) = (&mut context, json(&folder.join("cdk.context.json"))?) {
            context.extend(zones);
        }
        Ok(Self { oracle, folder, context: context.to_string(), has_command_line })
    }

    fn node(&self) -> [PathBuf; 2] {
        ["node".into(), self.folder.join("app.js")]
    }

    fn run(&self, words: &[PathBuf], files: &Path, validation: Option<&'static str>) -> Run {
        let (words, files) = (words.to_vec(), files.to_path_buf());
        Run { words, files, validation, context: self.context.clone(), directory: self.folder.clone() }
    }
}

fn npm(folder: &Path, packages: &[(&str, &str)]) -> Result<(), String> {
    let is_there = |(name, version): &(&str, &str)| {
        let manifest = json(&folder.join("node_modules").join(name).join("package.json")).unwrap_or_default();
        manifest.get("version").and_then(Json::as_str) == Some(version)
    };
    if packages.iter().all(is_there) {
        return Ok(());
    }
    let names = packages.iter().map(|(name, version)| format!("{name}@{version}"));
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(folder).args(names);
    succeed(&mut install)
}

/// One program to measure.
#[derive(Debug)]
struct Run {
    words: Vec<PathBuf>,
    files: PathBuf,
    validation: Option<&'static str>,
    context: String,
    directory: PathBuf,
}

impl Run {
    fn inside(self, directory: &Path) -> Self {
        Self { directory: directory.to_path_buf(), ..self }
    }

    fn measure(&self) -> Result<Taken, String> {
        if self.files.exists() {
            fs::remove_dir_all(&self.files).map_err(|error| error.to_string())?;
        }
        let mut python = Command::new("python3");
        python.args(["-c", MEASURE]).args(&self.words).current_dir(&self.directory);
        python.env("CDK_OUTDIR", &self.files).env("CDK_CONTEXT_JSON", &self.context).env_remove("CDK_VALIDATION");
        python.envs(self.validation.map(|value| ("CDK_VALIDATION", value)));
        python.env("CARGO_TARGET_DIR", self.directory.join("target"));
        // The CDK's command line looks for credentials and news: without, it is measured at its best.
        python.env("AWS_EC2_METADATA_DISABLED", "true").env("CDK_DISABLE_CLI_TELEMETRY", "true");
        let output = python.output().map_err(|error| format!("cannot run python3: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{}: {text}{}", self.name(), String::from_utf8_lossy(&output.stderr)));
        }
        let mut numbers = text.lines().last().unwrap_or_default().split(' ').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(cpu)), Some(Ok(wall))) => Ok(Taken { cpu, wall }),
            _ => Err(format!("{}: no measurement in `{text}`", self.name())),
        }
    }

    fn name(&self) -> String {
        self.words.iter().map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// A package of a user's, apart from the checkout, with the example as its program.
fn project(folder: &Path) -> Result<PathBuf, String> {
    let crates = root().join("crates");
    let path = |name: &str| format!("neargate-{name} = {{ path = {:?} }}\n", crates.join(name).display().to_string());
    let package =
        "[package]\nname = \"edited\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n";
    write(&folder.join("Cargo.toml"), &format!("{package}{}{}", path("constructs"), path("patterns")))?;
    write(&folder.join("Cargo.lock"), &read(&root().join("Cargo.lock"))?)?;
    Ok(folder.to_path_buf())
}

fn compare(ours: &Path, cdk: &Path) -> Result<(), String> {
    for (stack, key) in STACKS {
        let name = format!("{stack}.template.json");
        let mut expected = json(&cdk.join(&name))?;
        if let Some((key, fixed)) = key
            && !deliberate::let_cloudwatch_logs_use(&mut expected, key, fixed)
        {
            return Err(format!("{stack}: the CDK's template has no key `{key}`"));
        }
        let parse = |text: &str| {
            let (template, diagnostics) = Template::parse(text, &name);
            template.ok_or_else(|| format!("{name}: {diagnostics:?}"))
        };
        let differences = semantic_diff(&parse(&expected.to_string())?, &parse(&read(&ours.join(&name))?)?);
        if !differences.is_empty() {
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            return Err(format!("{stack} differs, cdk → ours:\n{}", differences.join("\n")));
        }
    }
    Ok(())
}

fn replaced(text: &str, word: &str, by: &str) -> Result<String, String> {
    match text.contains(word) {
        true => Ok(text.replace(word, by)),
        false => Err(format!("there is no `{word}` to edit")),
    }
}

fn json(path: &Path) -> Result<Json, String> {
    serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("cannot run {command:?}: {error}")),
    }
}
