//! A real browser whose pages try to reach the endpoint: from a foreign site, from another port of this machine, and from a
//! name that is pointed at this machine once its page is loaded (DNS rebinding).
//!
//! Invariant: a try counts only where the endpoint itself has seen and refused it; a browser that keeps a request back proves
//! nothing.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use neargate_testkit::needs::needs;
use neargate_wire::{Request, parse_form};
use serde_json::{Value as Json, json};

use crate::engine::{Engine, bytes, presigned, signed};
use crate::pages::{Pages, config, tries};

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
        let body = json!({ "clusterName": format!("c{block}") }).to_string();
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
        return Signed { name, json: json!({ "body": body, "headers": of_page }), program };
    }
    let action = format!("Action=CreateVpc&Version=2016-11-15&CidrBlock=10.{}.{}.0%2F24", block / 256, block % 256);
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
    Signed { name, json, program }
}

/// What the endpoint has that it did not have at the start: VPCs and clusters.
fn made(engine: &Engine) -> usize {
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
    vpcs.matches("<vpcId>").count() + clusters.matches(":cluster/").count()
}

#[needs(chromium)]
fn no_page_of_a_real_browser_gets_anything_done() {
    let engine = Engine::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (before, pid, time) = (made(&engine), engine.status()["pid"].clone(), engine.status()["service_time"].clone());
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    let rebound = TcpListener::bind(("127.0.0.2", engine.port)).unwrap();
    let (port, here) = (foreign.local_addr().unwrap().port(), format!("127.0.0.1:{}", engine.port));
    // Where the page comes from, and whom it calls: another site, another port of this machine under both of its names, and
    // the page's own name.
    let contexts = [
        ("cross-site", format!("http://evil.test:{port}"), here.clone()),
        ("cross-site-by-name", format!("http://evil.test:{port}"), format!("localhost:{}", engine.port)),
        ("same-site", format!("http://127.0.0.1:{port}"), here),
        ("same-site-by-name", format!("http://localhost:{port}"), format!("localhost:{}", engine.port)),
        ("rebound", format!("http://rebound.test:{}", engine.port), format!("rebound.test:{}", engine.port)),
    ];
    let pages = Pages::new(*engine);
    let (own, mut block, mut replayed) = (format!("http://127.0.0.1:{port}"), 0, vec![]);
    let urls: Vec<String> = contexts.iter().map(|(name, origin, _)| format!("{origin}/{name}.html")).collect();
    for (index, (name, _, host)) in contexts.iter().enumerate() {
        let calls = calls(&engine, host, &mut block);
        let given: serde_json::Map<_, _> = calls.iter().map(|it| (it.name.to_owned(), it.json.clone())).collect();
        let done = format!("{own}/done");
        let next = urls.get(index + 1).unwrap_or(&done);
        pages.put(&format!("/{name}.html"), config(name, &format!("http://{host}"), &own, given.into(), next));
        replayed.extend(calls);
    }
    pages.serve(foreign);
    pages.serve_rebound(rebound);
    let browser = Browser::open(folder.path(), &urls[0]);
    let (outcomes, failures) = pages.outcomes();
    drop(browser);
    assert_eq!(failures, Vec::<String>::new());
    for (context, _, _) in &contexts {
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
    for call in &replayed {
        let answer = engine.send(&call.program);
        assert_eq!(answer.status, 200, "{}: {answer:?}", call.name);
    }
    assert_eq!(made(&engine), before + replayed.len());
}

/// Whether the day may have changed while the pages tried to turn the clock by one.
fn near_midnight(time: &Json) -> bool {
    time.as_str().unwrap().contains("T23:5")
}
