//! Calls with a role's credentials beside calls as root: sixteen clients at once, in turns.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use neargate_wire::sigv4::Credentials;
use serde_json::json;

use super::client::Client;
use super::start::Engine;
use super::stats::Summary;

const CLIENTS: usize = 16;
const CALLS: usize = 100;
const ROUNDS: usize = 9;

/// Prints the table.
pub(super) fn run(neargate: &Path) -> Result<(), String> {
    crate::say(&format!("\n{CLIENTS} clients calling PutParameter, calls a second"));
    measure(neargate, "neargate")?;
    match std::env::var_os("NEARGATE_BASELINE") {
        Some(baseline) => measure(Path::new(&baseline), "baseline"),
        None => Ok(()),
    }
}

fn measure(neargate: &Path, name: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let engine = Engine::spawn(neargate, folder.path())?;
    let outcome = rounds(&engine);
    engine.stop();
    let (root, role) = outcome?;
    let ratio = role.median / root.median;
    crate::say(&format!("  {name:10} root  {root}"));
    crate::say(&format!("  {name:10} role  {role}"));
    crate::say(&format!("  {name:10} ratio of medians {ratio:.2} (promise: at least 0.9)"));
    Ok(())
}

fn rounds(engine: &Engine) -> Result<(Summary, Summary), String> {
    let role = assume(&mut engine.client()?)?;
    let (mut as_root, mut as_role) = (vec![], vec![]);
    for round in 0..=ROUNDS {
        let (root, role) = (rate(engine.address, None)?, rate(engine.address, Some(&role))?);
        // The first round warms both and is not counted.
        if round > 0 {
            as_root.push(root);
            as_role.push(role);
        }
    }
    Ok((Summary::of(as_root), Summary::of(as_role)))
}

/// The credentials of a role that may do anything with parameters.
fn assume(client: &mut Client) -> Result<Credentials, String> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "arn:aws:iam::000000000000:root" } }],
    });
    let policy =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "ssm:*", "Resource": "*" }] });
    let iam = |client: &mut Client, pairs: &[(&str, &str)]| {
        let all: Vec<_> = [("Version", "2010-05-08"), ("RoleName", "bench")].iter().chain(pairs).copied().collect();
        let request = client.query("iam", &all);
        client.send(&request)
    };
    iam(client, &[("Action", "CreateRole"), ("AssumeRolePolicyDocument", &trust.to_string())])?;
    let policy = policy.to_string();
    iam(client, &[("Action", "PutRolePolicy"), ("PolicyName", "bench"), ("PolicyDocument", &policy)])?;
    let pairs = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::000000000000:role/bench"),
        ("RoleSessionName", "bench"),
    ];
    let answer = String::from_utf8_lossy(&client.send(&client.query("sts", &pairs))?).into_owned();
    let text = |name: &str| {
        let rest = answer.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
        let found = rest.and_then(|rest| rest.split_once('<')).map(|(text, _)| text.to_owned());
        found.ok_or_else(|| format!("no {name}: {answer}"))
    };
    Ok(Credentials {
        access_key: text("AccessKeyId")?,
        secret_key: text("SecretAccessKey")?,
        session_token: Some(text("SessionToken")?),
    })
}

fn rate(address: SocketAddr, credentials: Option<&Credentials>) -> Result<f64, String> {
    let begin = Instant::now();
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|number| scope.spawn(move || call(address, number, credentials)));
        // All are there before the first is waited for.
        let clients: Vec<_> = clients.collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| Err("a client panicked".to_owned())))
            .collect()
    });
    outcomes.into_iter().collect::<Result<(), String>>()?;
    Ok((CLIENTS * CALLS) as f64 / begin.elapsed().as_secs_f64())
}

fn call(address: SocketAddr, number: usize, credentials: Option<&Credentials>) -> Result<(), String> {
    let mut client = Client::connect(address).map_err(|error| error.to_string())?;
    if let Some(credentials) = credentials {
        client = client.with(credentials.clone());
    }
    let input = json!({ "Name": format!("/bench/{number}"), "Value": "value", "Type": "String", "Overwrite": true });
    for _ in 0..CALLS {
        client.call("ssm", "AmazonSSM.PutParameter", &input)?;
    }
    Ok(())
}
