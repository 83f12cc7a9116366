//! A thousand schedules due in one minute of service time: the clock is turned over it, every one starts a container.
//!
//! Once the clock waits for the containers of one fire before it comes to the next, once it does not. What is counted is the
//! engine's own processor time; the containers and their shims are processes of their own.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use neargate_base::Timestamp;
use serde_json::{Value as Json, json};

use super::client::Client;
use super::stack::{build_image, compile, deploy};
use super::start::Engine;

const SCHEDULES: usize = 1000;
const HOUR_MS: i64 = 3_600_000;
const PATIENCE: Duration = Duration::from_secs(300);

/// Prints the table.
pub(super) fn run(neargate: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let data_dir = folder.path().join("data");
    fs::create_dir_all(&data_dir).map_err(|error| error.to_string())?;
    build_image(neargate, &data_dir, &compile(folder.path())?)?;
    let engine = Engine::spawn(neargate, &data_dir)?;
    let mut client = engine.client()?;
    deploy(&mut client)?;
    let due = due(&mut client)?;
    put_rules(&mut client, due)?;
    crate::say(&format!("\n{SCHEDULES} schedules due in one minute of service time, each starts a container"));
    for (waits, name) in [(true, "one after the other"), (false, "all at once")] {
        let day = if waits { 0 } else { 24 * HOUR_MS };
        let heard = last_notice(&mut client)?;
        let (before_ms, began) = (cpu_ms(&engine)?, Instant::now());
        turn(&mut client, due.plus_ms(day), waits)?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu_ms = cpu_ms(&engine)? - before_ms;
        let fired = fired(&mut client, heard)?;
        let in_order = fired.windows(2).all(|pair| pair.first() <= pair.last());
        if fired.len() != SCHEDULES || !in_order {
            engine.stop();
            return Err(format!("{} of {SCHEDULES} fired, in order: {in_order}", fired.len()));
        }
        crate::say(&format!(
            "  {name:20} all fired, in order; {seconds:5.1} s; engine CPU {:.2} ms a fire",
            cpu_ms / SCHEDULES as f64
        ));
    }
    engine.stop();
    Ok(())
}

/// A full hour in service time that is yet to come.
fn due(client: &mut Client) -> Result<Timestamp, String> {
    let now: Timestamp = service_time(&client.control("GET", "status", &Json::Null)?)?;
    Ok(Timestamp((now.millis().div_euclid(HOUR_MS) + 2) * HOUR_MS))
}

fn service_time(status: &Json) -> Result<Timestamp, String> {
    status.get("service_time").and_then(Json::as_str).unwrap_or_default().parse()
}

/// Rules with the target that the stack's own rule has.
fn put_rules(client: &mut Client, due: Timestamp) -> Result<(), String> {
    let rules = client.call("events", "AWSEvents.ListRules", &json!({}))?;
    let own = rules.pointer("/Rules/0/Name").cloned().unwrap_or_default();
    let listed = client.call("events", "AWSEvents.ListTargetsByRule", &json!({ "Rule": own }))?;
    let targets = listed.get("Targets").cloned().unwrap_or_default();
    let expression = format!("cron(0 {} * * ? *)", due.millis().div_euclid(HOUR_MS).rem_euclid(24));
    for number in 0..SCHEDULES {
        let name = format!("fire-{number:04}");
        client.call("events", "AWSEvents.PutRule", &json!({ "Name": name, "ScheduleExpression": expression }))?;
        client.call("events", "AWSEvents.PutTargets", &json!({ "Rule": name, "Targets": targets }))?;
    }
    Ok(())
}

/// Turns the clock and waits until it is there and nothing is under way.
fn turn(client: &mut Client, to: Timestamp, waits: bool) -> Result<(), String> {
    client.control("POST", "clock", &json!({ "to": to.to_string(), "wait": waits }))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = client.control("GET", "status", &Json::Null)?;
        let is_turning = status.get("turning").and_then(Json::as_bool).unwrap_or(true);
        let unfinished = status.get("unfinished_effects").and_then(Json::as_u64).unwrap_or(1);
        if !is_turning && unfinished == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("waited too long for the clock: {status}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn notices(client: &mut Client, after: u64) -> Result<Vec<Json>, String> {
    let answer = client.control("GET", &format!("notices?after={after}"), &Json::Null)?;
    Ok(answer.get("notices").and_then(Json::as_array).cloned().unwrap_or_default())
}

fn last_notice(client: &mut Client) -> Result<u64, String> {
    let newest = notices(client, 0)?.pop();
    Ok(newest.and_then(|notice| notice.get("number")?.as_u64()).unwrap_or(0))
}

/// The rules whose targets were invoked since a notice, in the order in which they were.
fn fired(client: &mut Client, after: u64) -> Result<Vec<String>, String> {
    let notices = notices(client, after)?;
    let subjects = notices.iter().filter_map(|notice| notice.get("subject")?.as_str());
    Ok(subjects.filter_map(|subject| Some(subject.split_once(":rule/fire-")?.1.to_owned())).collect())
}

/// Processor time of the engine's threads; that of its children is not in it.
fn cpu_ms(engine: &Engine) -> Result<f64, String> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", engine.pid())).map_err(|error| error.to_string())?;
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
    // The kernel counts in hundredths of a second for programs.
    Ok((ticks(11) + ticks(12)) * 10.0)
}
