//! A real browser whose pages try to reach the endpoint: from a foreign site, from another port of this machine, and from a
//! name that is pointed at this machine once its page is loaded (DNS rebinding).
//!
//! Invariant: a try counts only where the endpoint itself has seen and refused it; a browser that keeps a request back proves
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use neargate_testkit::needs::needs;
use neargate_wire::{Request, parse_form};
use serde_json::{Value as Json, json};

use crate::engine::{Engine, bytes, presigned, signed};
use crate::pages::{Outcome, Pages, config, tries};
use crate::unguarded::Unguarded;

const FORM: &str = "application/x-www-form-urlencoded";

/// Features by which a browser keeps requests to this machine back by itself.
const OFF: &str = "LocalNetworkAccessChecks,LocalNetworkAccessChecksWarn,BlockInsecurePrivateNetworkRequests,\
                   PrivateNetworkAccessSendPreflights,PrivateNetworkAccessRespectPreflightResults,\
                   PrivateNetworkAccessForNavigations,PrivateNetworkAccessForWorkers,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable";

/// A browser, ended when this is dropped.
struct Browser(Child);

impl Browser {
    fn open(folder: &Path, url: &str) -> Self {
        let child = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-popup-blocking"])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .arg("--host-resolver-rules=MAP evil.test 127.0.0.1, MAP rebound.test 127.0.0.2")
            .arg(format!("--disable-features={OFF}"))
            .arg(url)
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

/// One call that a page is given, and the same as a program would send it.
struct Signed {
    name: &'static str,
    json: Json,
    program: Vec<u8>,
    /// What it makes: a VPC's addresses or a cluster's name.
    makes: String,
}

/// A call for each try, signed under the keys that everybody knows for a host; each would make a VPC of its own.
fn calls(engine: &Engine, host: &str, block: &mut u32) -> Vec<Signed> {
    let names = tries().filter(|name| !name.starts_with("control_") && *name != "web_socket");
    names
        .map(|name| {
            call(engine, host, name, {
                *block += 1;
                *block
            })
        })
        .collect()
}

fn call(engine: &Engine, host: &str, name: &'static str, block: u32) -> Signed {
    let own = engine.host();
    if name.starts_with("json_") {
        let headers = |host| {
            [
                ("host", host),
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "AmazonEC2ContainerServiceV20141113.CreateCluster"),
            ]
        };
        let makes = format!("c{block}");
        let body = json!({ "clusterName": makes }).to_string();
        let sign = |host| {
            let headers = headers(host);
            let request = Request { method: "POST", path: "/", query: "", headers: &headers, body: body.as_bytes() };
            let signature = signed(&request, "ecs");
            let all = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            all.chain(signature).collect::<Vec<_>>()
        };
        let of_page: serde_json::Map<_, _> = sign(host)
            .into_iter()
            .filter(|(name, _)| name != "host")
            .map(|(name, value)| (name, value.into()))
            .collect();
        let of_program = sign(&own);
        let of_program: Vec<_> = of_program.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let program = bytes("POST", "/", &of_program, body.as_bytes());
        return Signed { name, json: json!({ "body": body, "headers": of_page }), program, makes };
    }
    let makes = format!("10.{}.{}.0/24", block / 256, block % 256);
    let action = format!("Action=CreateVpc&Version=2016-11-15&CidrBlock={}", makes.replace('/', "%2F"));
    let posts = ["form_post", "form_text", "form_parts", "form_of_nowhere", "beacon", "ping"];
    let method = if posts.contains(&name) || name.starts_with("fetch_") { "POST" } else { "GET" };
    // A form has the call in its body, everything else in the query string.
    let (query, body) = if name == "form_post" { ("", action.as_str()) } else { (action.as_str(), "") };
    let sign = |host| {
        let headers = [("host", host)];
        presigned(&Request { method, path: "/", query, headers: &headers, body: body.as_bytes() }, "ec2")
    };
    let fields = parse_form(body.as_bytes());
    let json = json!({ "url": format!("http://{host}/?{}", sign(host)), "fields": fields });
    let headers = [("host", own.as_str()), ("content-type", FORM)];
    let program = bytes(method, &format!("/?{}", sign(&own)), &headers, body.as_bytes());
    Signed { name, json, program, makes }
}

/// How many VPCs and clusters the endpoint has.
fn made(engine: &Engine) -> usize {
    resources(engine).len()
}

/// The addresses of VPCs, and the names of clusters.
fn resources(engine: &Engine) -> BTreeSet<String> {
    let host = engine.host();
    let ask = |service: &str, headers: &[(&str, &str)], body: &str| {
        let mut headers = [&[("host", host.as_str())], headers].concat();
        let request = Request { method: "POST", path: "/", query: "", headers: &headers, body: body.as_bytes() };
        let signature = signed(&request, service);
        headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        engine.send(&bytes("POST", "/", &headers, body.as_bytes())).body
    };
    let vpcs = ask("ec2", &[("content-type", FORM)], "Action=DescribeVpcs&Version=2016-11-15");
    let target = ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters");
    let clusters = ask("ecs", &[("content-type", "application/x-amz-json-1.1"), target], "{}");
    let vpcs = vpcs.split("<cidrBlock>").skip(1).filter_map(|rest| rest.split('<').next());
    let clusters = clusters.split(":cluster/").skip(1).filter_map(|rest| rest.split('"').next());
    vpcs.chain(clusters).map(str::to_owned).collect()
}

/// What pages in five contexts called, and what came of each try.
struct Visit {
    contexts: Vec<&'static str>,
    outcomes: BTreeMap<String, Outcome>,
    calls: Vec<Signed>,
}

/// Shows a browser a page for each way to come from elsewhere, which tries everything on whoever listens on the port.
fn visit(engine: &Engine, pages: &Arc<Pages>, port: u16) -> Visit {
    let folder = tempfile::tempdir().unwrap();
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    let rebound = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let (other, here) = (foreign.local_addr().unwrap().port(), format!("127.0.0.1:{port}"));
    // Where the page comes from, and whom it calls: another site, another port of this machine under both of its names, and
    // the page's own name.
    let contexts = [
        ("cross-site", format!("http://evil.test:{other}"), here.clone()),
        ("cross-site-by-name", format!("http://evil.test:{other}"), format!("localhost:{port}")),
        ("same-site", format!("http://127.0.0.1:{other}"), here),
        ("same-site-by-name", format!("http://localhost:{other}"), format!("localhost:{port}")),
        ("rebound", format!("http://rebound.test:{port}"), format!("rebound.test:{port}")),
    ];
    let (own, mut block, mut all) = (format!("http://127.0.0.1:{other}"), 0, vec![]);
    let urls: Vec<String> = contexts.iter().map(|(name, origin, _)| format!("{origin}/{name}.html")).collect();
    for (index, (name, _, host)) in contexts.iter().enumerate() {
        let calls = calls(engine, host, &mut block);
        let given: serde_json::Map<_, _> = calls.iter().map(|it| (it.name.to_owned(), it.json.clone())).collect();
        let done = format!("{own}/done");
        let next = urls.get(index + 1).unwrap_or(&done);
        pages.put(&format!("/{name}.html"), config(name, &format!("http://{host}"), &own, given.into(), next));
        all.extend(calls);
    }
    pages.serve(foreign);
    pages.serve_rebound(rebound);
    let browser = Browser::open(folder.path(), &urls[0]);
    let (outcomes, failures) = pages.outcomes();
    drop(browser);
    assert_eq!(failures, Vec::<String>::new());
    Visit { contexts: contexts.iter().map(|(name, _, _)| *name).collect(), outcomes, calls: all }
}

#[needs(chromium)]
fn no_page_of_a_real_browser_gets_anything_done() {
    let engine = Engine::start(&[]);
    let (before, pid, time) = (made(&engine), engine.status()["pid"].clone(), engine.status()["service_time"].clone());
    let Visit { contexts, outcomes, calls } = visit(&engine, &Pages::new(*engine), engine.port);
    for context in &contexts {
        for name in tries() {
            let outcome = outcomes.get(&format!("{context} {name}")).copied().unwrap_or_default();
            assert!(outcome.refused >= 1, "{context} {name} did not arrive");
            assert_eq!(outcome.arrived, outcome.refused, "{context} {name}");
        }
    }
    let status = engine.status();
    println!("{} tries of pages: {}", outcomes.len(), status["endpoint"]["refused"]);
    for reason in ["host", "origin", "fetch_metadata"] {
        assert!(status["endpoint"]["refused"][reason].as_u64().unwrap() > 0, "{status}");
    }
    assert_eq!(made(&engine), before);
    assert_eq!(status["pid"], pid);
    assert!(status["service_time"].as_str().unwrap()[..10] <= time.as_str().unwrap()[..10] || near_midnight(&time));
    // The very calls do what they say once a program sends them: the pages were refused, not mistaken.
    for call in &calls {
        let answer = engine.send(&call.program);
        assert_eq!(answer.status, 200, "{}: {answer:?}", call.name);
    }
    assert_eq!(made(&engine), before + calls.len());
}

/// Tries that no endpoint would act on: what the browser makes of their bodies or headers is not what was signed.
const HARMLESS: [&str; 3] = ["form_parts", "json_no_cors", "ping"];

/// The same pages where nobody looks at what tells a page from a program: what the test above says is not for want of trying.
#[needs(chromium)]
fn without_the_guard_the_same_pages_get_it_done() {
    let engine = Engine::start(&["--allow-host", "rebound.test"]);
    let before = made(&engine);
    let open = Unguarded::before(*engine);
    let count = Arc::clone(&open);
    let pages = Pages::counted_by(open.port, Box::new(move || (count.arrived(), count.arrived())));
    let Visit { contexts, outcomes, calls } = visit(&engine, &pages, open.port);
    for context in &contexts {
        for name in tries() {
            let outcome = outcomes.get(&format!("{context} {name}")).copied().unwrap_or_default();
            assert!(outcome.arrived >= 1, "{context} {name} did not arrive");
        }
    }
    let there = resources(&engine);
    let acted = |call: &&Signed| there.contains(&call.makes);
    let harmless: BTreeSet<_> = calls.iter().filter(|call| !acted(call)).map(|call| call.name).collect();
    println!("{} of {} calls of pages acted", calls.iter().filter(acted).count(), calls.len());
    assert_eq!(harmless, BTreeSet::from(HARMLESS));
    assert!(made(&engine) > before);
}

/// Whether the day may have changed while the pages tried to turn the clock by one.
fn near_midnight(time: &Json) -> bool {
    time.as_str().unwrap().contains("T23:5")
}
