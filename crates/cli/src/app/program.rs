//! Running an app: a command that writes a cloud assembly, given what the CDK command line would give it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use neargate_base::{DEFAULT_ACCOUNT, Diagnostic};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use serde_json::{Map, Value as Json};

use super::cdk::CdkJson;
use crate::codes;
use crate::endpoint;
use crate::outcome::{Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::signals;

/// Lines of a failed app that its diagnostic repeats.
const LAST_LINES: usize = 20;
/// How long an app is silent before that is shown.
const TICK: Duration = Duration::from_secs(1);
/// How soon a signal is seen.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an app that is broken off may take to end.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Runs the command; the assembly is in `out` then. `found` is context that was looked up for it.
pub(super) fn run(
    screen: &Screen,
    line: &str,
    directory: &Path,
    cdk: &CdkJson,
    found: &Map<String, Json>,
    out: &Path,
) -> Outcome<()> {
    let cannot = |error: std::io::Error| {
        let message = format!("cannot run the app's command `{line}`: {error}");
        Failure::failed(Diagnostic::error(codes::APP_FAILED, message).at(directory.display().to_string()))
    };
    let mut child = Command::new("sh")
        .args(["-c", line])
        .current_dir(directory)
        .env("CDK_OUTDIR", out)
        .env("CDK_CONTEXT_JSON", Json::Object(context(cdk, found)).to_string())
        .env("CDK_DEFAULT_ACCOUNT", DEFAULT_ACCOUNT)
        .env("CDK_DEFAULT_REGION", endpoint::region())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that all of it can be ended.
        .process_group(0)
        .spawn()
        .map_err(cannot)?;
    let (sender, lines) = mpsc::channel();
    let readers: Vec<_> = [child.stdout.take().map(boxed), child.stderr.take().map(boxed)]
        .into_iter()
        .flatten()
        .map(|stream| forward(stream, sender.clone()))
        .collect();
    drop(sender);
    let last = match show(screen, line, &lines) {
        Ok(last) => last,
        Err(broken_off) => {
            end(&mut child);
            return Err(broken_off);
        }
    };
    for reader in readers {
        // A reader has nothing to fail with.
        let _ = reader.join();
    }
    let status = child.wait().map_err(cannot)?;
    // What it has written is on the screen; a document has it once more.
    let last = if screen.is_json() { last } else { VecDeque::new() };
    if status.success() { Ok(()) } else { Err(failed(line, directory, status, last)) }
}

/// Ends the app and what it has started.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let send = |signal| group.map(|group| rustix::process::kill_process_group(group, signal));
    let deadline = Instant::now() + END_PATIENCE;
    let _ = send(Signal::TERM);
    // Looked at and not taken: until it is, the group's id is nobody else's.
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let runs = || group.is_some_and(|pid| rustix::process::waitid(WaitId::Pid(pid), how).is_ok_and(|it| it.is_none()));
    while runs() && Instant::now() < deadline {
        std::thread::sleep(PAUSE);
    }
    let _ = send(Signal::KILL);
    let _ = child.wait();
}

/// Shows what the app writes, and that it is still at work where it writes nothing. Answers its last lines.
fn show(screen: &Screen, command: &str, lines: &mpsc::Receiver<String>) -> Outcome<VecDeque<String>> {
    let (started, mut last, mut heard) = (Instant::now(), VecDeque::new(), Instant::now());
    loop {
        signals::check()?;
        match lines.recv_timeout(PAUSE) {
            Ok(line) => {
                heard = Instant::now();
                screen.say(&format!("             {}", screen.paint(Paint::Dim, &line)));
                last.push_back(line);
                if last.len() > LAST_LINES {
                    last.pop_front();
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) if heard.elapsed() < TICK => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                screen.live("synth", &format!("{command}  {} s", started.elapsed().as_secs()));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(last),
        }
    }
}

fn failed(line: &str, directory: &Path, status: ExitStatus, last: VecDeque<String>) -> Failure {
    let end = match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => status.to_string(),
    };
    let mut diagnostic = Diagnostic::error(codes::APP_FAILED, format!("the app's command `{line}` {end}"))
        .at(directory.display().to_string());
    if status.code() == Some(127) {
        diagnostic =
            diagnostic.hint("is what it needs installed? the command runs with `sh -c` in the app's directory");
    }
    diagnostic.details.extend(last);
    Failure::failed(diagnostic)
}

fn boxed(stream: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(stream)
}

fn forward(stream: Box<dyn Read + Send>, lines: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = vec![];
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            if lines.send(line).is_err() {
                return;
            }
            bytes.clear();
        }
    })
}

/// The app's own context and what the CDK command line adds to it.
fn context(cdk: &CdkJson, found: &Map<String, Json>) -> Map<String, Json> {
    let mut context = cdk.context.clone();
    for (key, value) in found {
        context.entry(key.clone()).or_insert_with(|| value.clone());
    }
    for key in ["aws:cdk:enable-path-metadata", "aws:cdk:enable-asset-metadata"] {
        context.insert(key.to_owned(), true.into());
    }
    context.insert("aws:cdk:bundling-stacks".to_owned(), serde_json::json!(["**"]));
    context
}
