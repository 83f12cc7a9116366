//! Who may speak to the endpoint at all: programs, not pages in somebody's browser.
//!
//! A page can make the browser send requests to this machine, and knows the endpoint's well-known keys. What tells its requests
//! from a program's: the `Host` that its own name stands in, where that name was pointed at this machine (DNS rebinding); the
//! `Origin`; the fetch metadata (`Sec-Fetch-*`), which no page can leave out or change; and where a browser sends none of these,
//! that it says it is a browser.
//!
//! Invariant: decided on the request's head alone, before signature, route and body are looked at, the same for every protocol
//! and the control endpoint.
//!
//! Invariant: what is not known to be harmless is refused: an origin, a site, a mode that nobody has heard of.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Method;
use hyper::header::{HOST, HeaderMap, ORIGIN, USER_AGENT};
use hyper::http::request::Parts;
use neargate_wire::form_value;
use serde_json::{Value as Json, json};

use super::names::{Authority, HostPattern, Origin};

/// What of a browser's address line is shown in an answer.
const SHOWN_MAX: usize = 200;

/// The rules of one endpoint, and what they have done.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    hosts: Vec<HostPattern>,
    origins: Vec<Origin>,
    arrived: AtomicU64,
    of_browsers: AtomicU64,
    refused: [AtomicU64; 3],
}

/// A request that may go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    /// The page that sent it, where a page of an origin that was allowed by name did.
    pub(super) page: Option<String>,
}

/// Why a request is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no `Host`, or more than one, or one that names no host.
    NoHost(String),
    /// The `Host` is none of ours.
    ForeignHost(String),
    /// The request's target is another host's.
    ForeignTarget(String),
    /// A page of another origin.
    ForeignOrigin(String),
    /// A page of another site, as the browser's fetch metadata say.
    ForeignSite(String),
    /// A browser's address line, or a link from outside the browser, that would do more than read.
    ByHand,
}

impl Guard {
    /// A guard that lets these through beside what is this machine's own.
    pub(super) fn new(hosts: Vec<HostPattern>, origins: Vec<Origin>) -> Self {
        Self { hosts, origins, ..Self::default() }
    }

    /// Decides on a request, and counts it.
    pub(super) fn check(&self, head: &Parts) -> Result<Admitted, Refusal> {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        if ["origin", "sec-fetch-site"].iter().any(|name| head.headers.contains_key(*name)) || is_browser(head) {
            self.of_browsers.fetch_add(1, Ordering::Relaxed);
        }
        self.decide(head).inspect_err(|refusal| {
            if let Some(count) = self.refused.get(refusal.kind()) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// How many requests have come, how many of them from browsers, and how many were refused here, and why.
    pub(super) fn counts(&self) -> Json {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let [host, origin, metadata] = self.refused.each_ref().map(read);
        json!({
            "arrived": read(&self.arrived),
            "of_browsers": read(&self.of_browsers),
            "refused": { "host": host, "origin": origin, "fetch_metadata": metadata },
        })
    }

    fn decide(&self, head: &Parts) -> Result<Admitted, Refusal> {
        let host = self.host(head)?;
        let page = self.page(head, &host)?;
        self.site(head, page.is_some())?;
        Ok(Admitted { page })
    }

    /// The one host that the request is for.
    fn host(&self, head: &Parts) -> Result<Authority, Refusal> {
        let mut hosts = head.headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host,
            (None, _) => return Err(Refusal::NoHost("the request has no `Host`".to_owned())),
            _ => return Err(Refusal::NoHost("the request has more than one `Host`".to_owned())),
        };
        let shown = || shown(host.as_bytes());
        let authority = host.to_str().ok().and_then(Authority::parse);
        let authority = authority.ok_or_else(|| Refusal::NoHost(format!("`{}` is no host", shown())))?;
        if !authority.host.is_loopback() && !self.hosts.iter().any(|pattern| pattern.fits(&authority.host)) {
            return Err(Refusal::ForeignHost(shown()));
        }
        if let Some(target) = head.uri.authority() {
            let is_plain = head.uri.scheme_str() == Some("http") && head.method != Method::CONNECT;
            if !is_plain || Authority::parse(target.as_str()).as_ref() != Some(&authority) {
                return Err(Refusal::ForeignTarget(self::shown(target.as_str().as_bytes())));
            }
        }
        Ok(authority)
    }

    /// The page of an allowed origin that sends this; none where a program does, or a page of the endpoint's own.
    fn page(&self, head: &Parts, host: &Authority) -> Result<Option<String>, Refusal> {
        let mut page = None;
        for value in head.headers.get_all(ORIGIN) {
            let text = shown(value.as_bytes());
            match Origin::parse(&text) {
                Some(origin) if origin.is_plain_of(host) => {}
                Some(origin) if self.origins.contains(&origin) && !is_control(head) => page = Some(text),
                _ => return Err(Refusal::ForeignOrigin(text)),
            }
        }
        Ok(page)
    }

    /// What the browser says of where the request comes from.
    fn site(&self, head: &Parts, of_allowed_page: bool) -> Result<(), Refusal> {
        let (sites, modes) = (texts(&head.headers, "sec-fetch-site"), texts(&head.headers, "sec-fetch-mode"));
        let refused = |name: &str, text: &str| Err(Refusal::ForeignSite(format!("{name}: {text}")));
        for site in &sites {
            match site.as_str() {
                "same-origin" => {}
                "none" if !is_call(head) => {}
                "none" => return Err(Refusal::ByHand),
                _ if of_allowed_page => {}
                other => return refused("Sec-Fetch-Site", other),
            }
        }
        for mode in &modes {
            let is_known = match mode.as_str() {
                // Clients that are no browsers send this, and only this: Node's `fetch`.
                "cors" => true,
                "same-origin" | "no-cors" | "navigate" => !sites.is_empty(),
                _ => false,
            };
            if !is_known {
                return refused("Sec-Fetch-Mode", mode);
            }
        }
        // Safari sends no fetch metadata over plain HTTP, and no `Origin` with a link or an image.
        let says_nothing = sites.is_empty() && !head.headers.contains_key(ORIGIN);
        if is_browser(head) && says_nothing && is_call(head) {
            return Err(Refusal::ByHand);
        }
        Ok(())
    }
}

/// Whether the request may do more than read.
fn is_call(head: &Parts) -> bool {
    let reads = head.method == Method::GET || head.method == Method::HEAD;
    !reads || head.uri.query().is_some_and(|query| form_value(query.as_bytes(), "Action").is_some())
}

/// Whether the client says that it is a browser; a page cannot make its browser say anything else.
fn is_browser(head: &Parts) -> bool {
    texts(&head.headers, USER_AGENT.as_str()).iter().any(|agent| agent.starts_with("Mozilla/"))
}

fn is_control(head: &Parts) -> bool {
    head.uri.path().starts_with("/_neargate")
}

fn texts(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| shown(value.as_bytes())).collect()
}

/// A header's text, fit to be shown and compared: what is no visible ASCII becomes a question mark.
fn shown(bytes: &[u8]) -> String {
    let visible = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '?' };
    bytes.iter().take(SHOWN_MAX).map(visible).collect()
}

impl Refusal {
    /// Which counter it goes to.
    fn kind(&self) -> usize {
        match self {
            Self::NoHost(_) | Self::ForeignHost(_) | Self::ForeignTarget(_) => 0,
            Self::ForeignOrigin(_) => 1,
            Self::ForeignSite(_) | Self::ByHand => 2,
        }
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> u16 {
        if matches!(self, Self::NoHost(_)) { 400 } else { 403 }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost(text) => write!(f, "{text}: call the endpoint as `127.0.0.1` or `localhost`"),
            Self::ForeignHost(host) => write!(
                f,
                "the endpoint is not called `{host}`: call it as `127.0.0.1` or `localhost`, or start the engine with \
                 `--allow-host {}`",
                host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name)
            ),
            Self::ForeignTarget(target) => {
                write!(f, "the endpoint is no proxy: the request is for `{target}`, and its `Host` is another")
            }
            Self::ForeignOrigin(origin) if origin == "null" => f.write_str(
                "the endpoint serves programs of this machine, not web pages: the request's `Origin` is `null`",
            ),
            Self::ForeignOrigin(origin) => write!(
                f,
                "the endpoint serves programs of this machine, not web pages of `{origin}`: if that page is to call AWS \
                 services here, start the engine with `--allow-origin {origin}`"
            ),
            Self::ForeignSite(text) => {
                write!(f, "the endpoint serves programs of this machine, not web pages: the browser sent `{text}`")
            }
            Self::ByHand => {
                f.write_str("a browser can read here and do nothing else: call the endpoint with an AWS client")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use hyper::http::request::Parts;
    use serde_json::json;

    use super::Guard;
    use crate::EndpointConfig;

    const OWN: &str = "host: 127.0.0.1:4566";

    /// `GET /path`, then headers, a line each.
    fn head(text: &str) -> Parts {
        let mut lines = text.lines();
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn guard() -> Guard {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let config = EndpointConfig {
            allowed_hosts: texts(&["neargate.internal", "*.neargate.internal", "172.17.0.1"]),
            allowed_origins: texts(&["http://localhost:3000", "chrome-extension://abc"]),
            auth: false,
        };
        config.guard().unwrap()
    }

    /// `passes`, or the kind of refusal.
    fn verdict(text: &str) -> String {
        match guard().check(&head(text)) {
            Ok(admitted) => admitted.page.map_or("passes".to_owned(), |page| format!("passes for {page}")),
            Err(refusal) => format!("{refusal:?}").split(['(', ' ']).next().unwrap().to_owned(),
        }
    }

    #[test]
    fn programs_pass() {
        for text in [
            "POST /\nhost: 127.0.0.1:4566",
            "POST /\nhost: localhost:4566\nuser-agent: Boto3/1.40 md/Botocore#1.44.5",
            "PUT /bucket/key\nhost: bucket.s3.localhost:4566",
            "GET /?Action=ListUsers\nhost: [::1]:4566",
            "POST http://127.0.0.1:4566/\nhost: 127.0.0.1:4566",
            "POST /\nhost: neargate.internal:80",
            "POST /\nhost: s3.neargate.internal",
            "POST /\nhost: 172.17.0.1:4566",
            "OPTIONS *\nhost: 127.0.0.1:4566",
            // Node's `fetch`, which is no browser and sends the mode alone.
            "POST /\nhost: 127.0.0.1:4566\nuser-agent: node\nsec-fetch-mode: cors",
        ] {
            assert_eq!(verdict(text), "passes", "{text}");
        }
    }

    #[test]
    fn hosts_that_are_not_the_endpoints_are_refused() {
        for (text, expected) in [
            ("POST /", "NoHost"),
            ("POST /\nhost: 127.0.0.1:4566\nhost: 127.0.0.1:4566", "NoHost"),
            ("POST /\nhost: 127.0.0.1:4566\nhost: evil.test", "NoHost"),
            ("POST /\nhost: user@127.0.0.1", "NoHost"),
            ("POST /\nhost: evil.test:4566", "ForeignHost"),
            ("GET /_neargate/status\nhost: evil.test:4566", "ForeignHost"),
            ("POST /\nhost: localhost.evil.test", "ForeignHost"),
            ("POST /\nhost: 0.0.0.0:4566", "ForeignHost"),
            ("POST /\nhost: 172.17.0.2:4566", "ForeignHost"),
            ("POST http://evil.test/\nhost: 127.0.0.1:4566", "ForeignTarget"),
            ("POST http://localhost:4566/\nhost: 127.0.0.1:4566", "ForeignTarget"),
            ("POST http://127.0.0.1/\nhost: 127.0.0.1:4566", "ForeignTarget"),
            ("POST https://127.0.0.1:4566/\nhost: 127.0.0.1:4566", "ForeignTarget"),
            ("POST http://127.0.0.1:4566/\nhost: evil.test", "ForeignHost"),
            ("CONNECT 127.0.0.1:4566\nhost: 127.0.0.1:4566", "ForeignTarget"),
        ] {
            assert_eq!(verdict(text), expected, "{text}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        for (headers, expected) in [
            ("origin: http://127.0.0.1:4566", "passes"),
            ("origin: http://127.0.0.1:4566\nsec-fetch-site: same-origin\nsec-fetch-mode: cors", "passes"),
            ("origin: http://evil.test", "ForeignOrigin"),
            ("origin: null", "ForeignOrigin"),
            ("origin: ", "ForeignOrigin"),
            ("origin: file://", "ForeignOrigin"),
            ("origin: http://localhost:4566", "ForeignOrigin"),
            ("origin: http://127.0.0.1:8080", "ForeignOrigin"),
            ("origin: https://127.0.0.1:4566", "ForeignOrigin"),
            ("origin: http://127.0.0.1:4566\norigin: http://evil.test", "ForeignOrigin"),
            ("origin: http://localhost:3000", "passes for http://localhost:3000"),
            (
                "origin: http://localhost:3000\nsec-fetch-site: cross-site\nsec-fetch-mode: cors",
                "passes for http://localhost:3000",
            ),
            ("origin: chrome-extension://abc", "passes for chrome-extension://abc"),
            ("origin: chrome-extension://abd", "ForeignOrigin"),
        ] {
            for request in ["POST /", "GET /2015-03-31/functions", "GET /?Action=ListUsers", "OPTIONS /"] {
                assert_eq!(verdict(&format!("{request}\n{OWN}\n{headers}")), expected, "{request} {headers}");
            }
        }
        let control = format!("POST /_neargate/stop\n{OWN}\norigin: http://localhost:3000");
        assert_eq!(verdict(&control), "ForeignOrigin");
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let mozilla = "user-agent: Mozilla/5.0 (Macintosh) Version/17.0 Safari/605";
        for (headers, reads, calls) in [
            ("sec-fetch-site: same-origin\nsec-fetch-mode: navigate", "passes", "passes"),
            ("sec-fetch-site: same-origin\nsec-fetch-mode: websocket", "ForeignSite", "ForeignSite"),
            ("sec-fetch-site: same-site\nsec-fetch-mode: cors", "ForeignSite", "ForeignSite"),
            ("sec-fetch-site: cross-site\nsec-fetch-mode: no-cors", "ForeignSite", "ForeignSite"),
            ("sec-fetch-site: cross-site\nsec-fetch-mode: navigate", "ForeignSite", "ForeignSite"),
            ("sec-fetch-site: same-origin\nsec-fetch-site: cross-site", "ForeignSite", "ForeignSite"),
            ("sec-fetch-site: something", "ForeignSite", "ForeignSite"),
            ("sec-fetch-site: ", "ForeignSite", "ForeignSite"),
            ("sec-fetch-mode: navigate", "ForeignSite", "ForeignSite"),
            ("sec-fetch-mode: websocket", "ForeignSite", "ForeignSite"),
            // The address line, or a link from a mail.
            ("sec-fetch-site: none\nsec-fetch-mode: navigate", "passes", "ByHand"),
            (mozilla, "passes", "ByHand"),
        ] {
            for request in ["GET /_neargate/status", "GET /", "HEAD /bucket/key?X-Amz-Signature=0"] {
                assert_eq!(verdict(&format!("{request}\n{OWN}\n{headers}")), reads, "{request} {headers}");
            }
            for request in ["POST /", "PUT /bucket/key", "GET /?Action=DeleteStack", "GET /?%41ction=X&Version=1"] {
                assert_eq!(verdict(&format!("{request}\n{OWN}\n{headers}")), calls, "{request} {headers}");
            }
        }
        // Pages that the endpoint serves itself, in a browser without fetch metadata.
        assert_eq!(verdict(&format!("POST /\n{OWN}\n{mozilla}\norigin: http://127.0.0.1:4566")), "passes");
    }

    #[test]
    fn what_comes_and_what_is_refused_is_counted() {
        let guard = guard();
        for text in
            ["GET /\nhost: localhost", "GET /\nhost: evil.test", "GET /", "GET /\nhost: localhost\norigin: null"]
        {
            let _ = guard.check(&head(text));
        }
        let _ = guard.check(&head("GET /\nhost: localhost\nsec-fetch-site: cross-site"));
        let expected = json!({
            "arrived": 5, "of_browsers": 2, "refused": { "host": 2, "origin": 1, "fetch_metadata": 1 },
        });
        assert_eq!(guard.counts(), expected);
    }

    #[test]
    fn what_cannot_be_allowed_is_an_error() {
        for (host, origin) in [("http://a", ""), ("a:80", ""), ("", "null"), ("", "localhost:3000"), ("", "http://a/b")]
        {
            let list = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
            let config = EndpointConfig { allowed_hosts: list(host), allowed_origins: list(origin), auth: false };
            assert_eq!(config.guard().unwrap_err().code.0, "NG-E0110", "{host}{origin}");
        }
    }
}
