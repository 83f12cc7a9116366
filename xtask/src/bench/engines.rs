//! The two pure engines beside their peers: patterns beside `quamina`, schedules beside `croner`.
//!
//! The measuring itself is in each crate's `benches/`, so that a crate can be taken and measured alone.

use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// Event patterns over the city-lots events: rule sets and the events' generator are in `xtask/bench/patterns`; others are named by
/// `EVENT_PATTERN_RULES` and `EVENT_PATTERN_EVENTS`.
pub(super) fn patterns() -> Result<(), String> {
    let data = root().join("xtask/bench/patterns");
    let named = |variable: &str, default: PathBuf| std::env::var_os(variable).map_or(default, PathBuf::from);
    let rules = named("EVENT_PATTERN_RULES", data.join("rules.json"));
    let events = named("EVENT_PATTERN_EVENTS", std::env::temp_dir().join("neargate-citylots.jsonl"));
    if !rules.exists() {
        return Err(format!("no rule sets at `{}`: EVENT_PATTERN_RULES names another file", rules.display()));
    }
    if !events.exists() {
        let status = Command::new("python3").arg(data.join("events.py")).arg(&events).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err("the events could not be generated: name them with EVENT_PATTERN_EVENTS".to_owned());
        }
    }
    bench("neargate-event-pattern", "patterns", &[rules, events])
}

/// Schedules and timers; then what as many rules with a schedule cost the engine, which keeps each one's next fire on disk.
pub(super) fn schedules() -> Result<(), String> {
    bench("neargate-schedule", "schedules", &[])?;
    bench("neargate-events", "schedules", &[])
}

fn bench(package: &str, name: &str, arguments: &[PathBuf]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["bench", "--quiet", "--package", package, "--bench", name, "--"]).args(arguments);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("the benchmark `{name}` failed")),
    }
}
