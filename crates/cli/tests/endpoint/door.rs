//! Who is let in: each protocol, and the control endpoint, called by a program and in the ways of a web page.

use neargate_testkit::needs::needs;
use neargate_wire::Request;

use crate::engine::{Answer, Engine, bytes, signed};

const FORM: &str = "application/x-www-form-urlencoded";

/// A call that makes something named `NAME`, or shows something.
struct Call {
    protocol: &'static str,
    service: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// The code of a refusal in this protocol.
    refused: &'static str,
}

const CALLS: &[Call] = &[
    Call {
        protocol: "query",
        service: "cloudformation",
        method: "POST",
        path: "/",
        headers: &[("content-type", FORM)],
        body: "Action=CreateStack&Version=2010-05-15&StackName=NAME&TemplateBody=%7B%22Resources%22%3A%7B%22R%22%3A%7B\
               %22Type%22%3A%22AWS%3A%3AECS%3A%3ACluster%22%7D%7D%7D",
        refused: "<Code>AccessDenied</Code>",
    },
    Call {
        protocol: "ec2",
        service: "ec2",
        method: "POST",
        path: "/",
        headers: &[("content-type", FORM)],
        body: "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.99.0.0%2F16",
        refused: "<Code>AccessDenied</Code>",
    },
    Call {
        protocol: "json 1.1",
        service: "ecs",
        method: "POST",
        path: "/",
        headers: &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.CreateCluster"),
        ],
        body: r#"{"clusterName":"NAME"}"#,
        refused: r#""__type":"AccessDeniedException""#,
    },
    Call {
        protocol: "json 1.0",
        service: "events",
        method: "POST",
        path: "/",
        headers: &[("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AWSEvents.PutRule")],
        body: r#"{"Name":"NAME","ScheduleExpression":"rate(1 day)"}"#,
        refused: r#""__type":"AccessDeniedException""#,
    },
    Call {
        protocol: "rest-json",
        service: "lambda",
        method: "GET",
        path: "/2015-03-31/functions",
        headers: &[],
        body: "",
        refused: "x-amzn-errortype: AccessDeniedException",
    },
    Call {
        protocol: "control",
        service: "",
        method: "POST",
        path: "/_neargate/clock",
        headers: &[("x-neargate-client", "page"), ("content-type", "application/json")],
        body: r#"{"advance_ms":86400000}"#,
        refused: "content-type: text/plain",
    },
];

/// What a page's browser adds or changes; `HOST` is the endpoint's own.
const PAGES: &[(&str, &[(&str, &str)])] = &[
    ("HOST", &[("origin", "http://evil.test")]),
    ("HOST", &[("origin", "null")]),
    ("HOST", &[("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")]),
    ("HOST", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
    ("HOST", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")]),
    ("evil.test", &[]),
    ("evil.test", &[("origin", "http://evil.test"), ("sec-fetch-site", "same-origin")]),
    ("localhost.evil.test:80", &[("x-neargate-client", "page")]),
    ("0.0.0.0", &[]),
];

impl Call {
    /// The call as somebody who knows the keys signs it, for that host.
    fn bytes(&self, name: &str, host: &str, more: &[(&str, &str)]) -> Vec<u8> {
        let body = self.body.replace("NAME", name);
        let mut headers = vec![("host", host)];
        headers.extend(self.headers);
        let (method, path) = (self.method, self.path);
        let request = Request { method, path, query: "", headers: &headers, body: body.as_bytes() };
        let signature = if self.service.is_empty() { vec![] } else { signed(&request, self.service) };
        headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        headers.extend(more);
        bytes(self.method, self.path, &headers, body.as_bytes())
    }
}

/// What there is, told by the services themselves.
fn state(engine: &Engine) -> [String; 5] {
    let ask = |service: &'static str, headers: &[(&str, &str)], body: &str| {
        let host = engine.host();
        let mut headers = [&[("host", host.as_str())], headers].concat();
        let request = Request { method: "POST", path: "/", query: "", headers: &headers, body: body.as_bytes() };
        let signature = signed(&request, service);
        headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = engine.send(&bytes("POST", "/", &headers, body.as_bytes()));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let json = |service, target: &str| {
        ask(service, &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)], "{}")
    };
    let form = |service, body: &str| ask(service, &[("content-type", FORM)], body);
    let day = engine.status()["service_time"].as_str().unwrap().split('T').next().unwrap().to_owned();
    [
        form("cloudformation", "Action=DescribeStacks&Version=2010-05-15"),
        form("ec2", "Action=DescribeVpcs&Version=2016-11-15"),
        json("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters"),
        json("events", "AWSEvents.ListRules"),
        day,
    ]
    .map(|text| without_request_id(&text))
}

fn without_request_id(text: &str) -> String {
    let (start, end) = (text.to_lowercase().find("<requestid>"), text.to_lowercase().find("</requestid>"));
    start.zip(end).map_or(text.to_owned(), |(start, end)| format!("{}{}", &text[..start], &text[end..]))
}

#[needs()]
fn a_page_is_refused_in_every_protocol_before_anything_happens() {
    let engine = Engine::start(&[]);
    let before = state(&engine);
    let (_, refused) = engine.counts();
    let mut sent = 0;
    for call in CALLS {
        for (host, headers) in PAGES {
            let host = host.replace("HOST", &engine.host());
            let answer = engine.send(&call.bytes("page", &host, headers));
            let context = format!("{} {host} {headers:?}: {answer:?}", call.protocol);
            assert_eq!(answer.status, 403, "{context}");
            let shown = format!("{}\n{}", answer.head, answer.body);
            assert!(shown.contains(call.refused), "{context}");
            assert!(!answer.head.contains("access-control-allow"), "{context}");
            sent += 1;
        }
    }
    assert_eq!(engine.counts().1 - refused, sent);
    assert_eq!(state(&engine), before);
    for call in CALLS {
        let answer = engine.send(&call.bytes("program", &engine.host(), &[]));
        assert_eq!(answer.status, 200, "{}: {answer:?}", call.protocol);
        let own_page = [("origin", format!("http://{}", engine.host()))];
        let own_page = own_page.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = engine.send(&call.bytes("own", &engine.host(), &own_page));
        assert_eq!(answer.status, 200, "{}: {answer:?}", call.protocol);
    }
    let after = state(&engine);
    after.iter().zip(&before).for_each(|(after, before)| assert_ne!(after, before));
}

#[needs()]
fn preflights_of_pages_get_no_leave() {
    let engine = Engine::start(&["--allow-origin", "http://localhost:3000"]);
    let preflight = |path: &str, origin: &str| {
        let host = engine.host();
        let asks = [
            ("host", host.as_str()),
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,x-amz-date,x-amz-target"),
        ];
        engine.send(&bytes("OPTIONS", path, &asks, b""))
    };
    for (path, origin) in [
        ("/", "http://evil.test"),
        ("/_neargate/stop", "http://evil.test"),
        ("/_neargate/stop", "http://localhost:3000"),
    ] {
        let answer = preflight(path, origin);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(!answer.head.contains("access-control-"), "{answer:?}");
    }
    let answer = preflight("/", "http://localhost:3000");
    assert_eq!(answer.status, 204, "{answer:?}");
    for line in [
        "access-control-allow-origin: http://localhost:3000",
        "access-control-allow-headers: authorization,x-amz-date,x-amz-target",
    ] {
        assert!(answer.head.contains(line), "{answer:?}");
    }
    let call = &CALLS[2];
    let answer = engine.send(&call.bytes("page", &engine.host(), &[("origin", "http://localhost:3000")]));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("access-control-allow-origin: http://localhost:3000"), "{answer:?}");
}

#[needs()]
fn a_host_is_allowed_by_name() {
    let engine = Engine::start(&["--allow-host", "neargate.internal", "--allow-host", "*.s3.neargate.internal"]);
    for (host, expected) in [
        ("neargate.internal:4566", 200),
        ("bucket.s3.neargate.internal", 200),
        ("s3.neargate.internal", 403),
        ("evil.test", 403),
        ("bucket.s3.localhost:4566", 200),
        ("[::1]:4566", 200),
        ("localhost", 200),
    ] {
        let answer = engine.send(&CALLS[4].bytes("", host, &[]));
        assert_eq!(answer.status, expected, "{host}: {answer:?}");
    }
    let answer = engine.send(&CALLS[4].bytes("", "evil.test:4566", &[]));
    assert!(answer.body.contains("`127.0.0.1` or `localhost`") && answer.body.contains("`--allow-host evil.test`"));
}

#[needs()]
fn a_request_has_one_host() {
    let engine = Engine::start(&[]);
    let host = engine.host();
    let status = |head: &str| engine.send(format!("{head}connection: close\r\n\r\n").as_bytes()).status;
    assert_eq!(status("GET /_neargate/status HTTP/1.1\r\n"), 400);
    assert_eq!(status("GET /_neargate/status HTTP/1.0\r\n"), 400);
    assert_eq!(status(&format!("GET /_neargate/status HTTP/1.1\r\nhost: {host}\r\nhost: {host}\r\n")), 400);
    assert_eq!(status(&format!("GET http://evil.test/_neargate/status HTTP/1.1\r\nhost: {host}\r\n")), 403);
    assert_eq!(status(&format!("GET http://{host}/_neargate/status HTTP/1.1\r\nhost: evil.test\r\n")), 403);
    assert_eq!(status(&format!("GET http://{host}/_neargate/status HTTP/1.1\r\nhost: {host}\r\n")), 200);
    assert_eq!(status(&format!("GET /_neargate/status HTTP/1.1\r\nhost: {host}\r\n")), 200);
}

/// A link in a mail opens in the browser as if its user had typed it: it may read.
#[needs()]
fn a_link_from_outside_the_browser_makes_nothing() {
    let engine = Engine::start(&[]);
    let host = engine.host();
    let query = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.98.0.0%2F16";
    let headers = [("host", host.as_str())];
    let request = Request { method: "GET", path: "/", query, headers: &headers, body: b"" };
    let target = format!("/?{}", crate::engine::presigned(&request, "ec2"));
    let open = |more: &[(&str, &str)]| -> Answer {
        engine.send(&bytes("GET", &target, &[&[("host", host.as_str())], more].concat(), b""))
    };
    assert_eq!(
        open(&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("user-agent", "Mozilla/5.0")]).status,
        403
    );
    assert_eq!(open(&[("user-agent", "Mozilla/5.0 (Macintosh) Safari/605")]).status, 403);
    assert_eq!(open(&[("user-agent", "curl/8")]).status, 200);
}
