//! The engine's endpoint, seen from a client.
//!
//! Invariant: whatever an AWS client could not do either goes through [`control`] and nowhere else.

pub(crate) mod control;
mod http;
mod key;

use std::fmt;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neargate_base::{Account, DEFAULT_ACCOUNT, DEFAULT_REGION, Diagnostic};
use neargate_engine::EndpointKey;
use neargate_shape::{OperationShape, ServiceShape, Value, Wire};
use neargate_wire::sigv4::{Credentials, Signing, sign};
use neargate_wire::{Answer, Request, codec};

use key::Keys;

use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::signals;

/// The port of an engine where nobody names another.
pub(crate) const DEFAULT_PORT: u16 = 4566;
/// How long an answer may take; the engine answers at once, but for what it was asked to wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// An endpoint, and who calls it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    keys: Keys,
    region: String,
    /// Set once the user breaks off: no call goes out any more.
    interrupt: Arc<AtomicBool>,
}

/// Why a call has no answer.
#[derive(Clone, Debug)]
pub(crate) enum CallError {
    /// The user has broken off.
    Interrupted,
    /// Nobody answers.
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: String,
    },
    /// Somebody answers who is no engine of ours.
    NotNeargate {
        /// Where.
        address: SocketAddr,
    },
    /// The engine wants its own key, and its file cannot be read.
    KeyNeeded {
        /// Where.
        address: SocketAddr,
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// The engine refuses.
    Fault {
        /// `events:PutEvents`.
        call: String,
        /// AWS's code.
        code: String,
        /// AWS's text.
        message: String,
        /// The way out, where the engine knows one.
        hint: Option<String>,
    },
    /// The answer is not what the operation answers.
    Unreadable {
        /// `events:PutEvents`.
        call: String,
        /// Why.
        cause: String,
    },
}

impl Endpoint {
    /// The endpoint on a port of this machine, called as the environment says: `AWS_ACCESS_KEY_ID`, `AWS_REGION` and their kin.
    pub(crate) fn on_port(port: u16) -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// The endpoint at an address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, keys: Keys::of_environment(), region: region(), interrupt: Arc::default() }
    }

    /// The same endpoint, of an engine that this process has started, with a key of its own or without.
    pub(crate) fn with_key(mut self, key: Option<&EndpointKey>) -> Self {
        self.keys = self.keys.of_engine(key);
        self
    }

    /// The same endpoint, called for a stack that names its account or region.
    pub(crate) fn in_environment(&self, account: Option<&str>, region: Option<&str>) -> Self {
        let mut endpoint = self.clone();
        if let Some(region) = region {
            region.clone_into(&mut endpoint.region);
        }
        if let Some(account) = account.filter(|account| *account != DEFAULT_ACCOUNT) {
            endpoint.keys = self.keys.of_account(account);
        }
        endpoint
    }

    /// The same endpoint, whose calls fail once this is set.
    pub(crate) fn until(mut self, interrupt: &Arc<AtomicBool>) -> Self {
        self.interrupt = Arc::clone(interrupt);
        self
    }

    /// Whether the user has broken off.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Acquire)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The region of calls.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The account of calls.
    pub(crate) fn account(&self) -> &str {
        self.keys.account()
    }

    /// Access key id and secret with which other clients are root here.
    pub(crate) fn exports(&self) -> (String, String) {
        self.keys.exports()
    }

    /// One call.
    pub(crate) fn call<I: Wire, O: Wire>(
        &self,
        service: &'static ServiceShape,
        operation: &'static OperationShape,
        input: I,
    ) -> Result<O, CallError> {
        let output = self.call_value(service, operation, &input.into_value())?;
        O::from_value(output).map_err(|error| unreadable(service, operation, &error))
    }

    fn call_value(
        &self,
        service: &'static ServiceShape,
        operation: &'static OperationShape,
        input: &Value,
    ) -> Result<Value, CallError> {
        if self.is_interrupted() {
            return Err(CallError::Interrupted);
        }
        let codec = codec(service.protocol)
            .ok_or_else(|| unreadable(service, operation, &"its protocol is not spoken here"))?;
        let outgoing = codec.encode_request(service, operation, input);
        let host = self.address.to_string();
        let headers = outgoing.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<_> = headers.chain([("host", host.as_str())]).collect();
        let request = Request {
            method: outgoing.method,
            path: &outgoing.path,
            query: &outgoing.query,
            headers: &headers,
            body: &outgoing.body,
        };
        let response = self.exchange(&request, service.signing_name, PATIENCE, || Some(self.keys.for_service()))?;
        let headers: Vec<_> = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = Answer { status: response.status, headers: &headers, body: &response.body };
        if !(200..300).contains(&response.status) {
            let fault = codec.decode_error(&answer);
            let hint = answer.header("x-neargate-hint").map(str::to_owned);
            let call = format!("{}:{}", service.name, operation.name);
            return Err(CallError::Fault { call, code: fault.code, message: fault.message, hint });
        }
        codec.decode_response(operation, &answer).map_err(|error| unreadable(service, operation, &error))
    }

    /// Sends a request, signed where there is something to sign with; once more where the engine wants its own key.
    fn exchange(
        &self,
        request: &Request<'_>,
        service: &str,
        patience: Duration,
        credentials: impl Fn() -> Option<Credentials>,
    ) -> Result<http::Received, CallError> {
        loop {
            let signature = credentials().map(|credentials| {
                let now = neargate_engine::now();
                sign(request, &Signing { credentials: &credentials, region: &self.region, service, now })
            });
            let signature = signature.unwrap_or_default();
            let signature = signature.iter().map(|(name, value)| (*name, value.as_str()));
            let headers: Vec<_> = request.headers.iter().copied().chain(signature).collect();
            let response = self.send(&Request { headers: &headers, ..*request }, patience)?;
            let Some(file) = response.header("x-neargate-key-file") else { return Ok(response) };
            match self.keys.learn(Path::new(file)) {
                Ok(true) => {}
                Ok(false) => return Ok(response),
                Err(_) if !self.keys.are_known() => return Ok(response),
                Err(cause) => {
                    let (address, file, cause) = (self.address, file.to_owned(), cause.to_string());
                    return Err(CallError::KeyNeeded { address, file, cause });
                }
            }
        }
    }

    fn send(&self, request: &Request<'_>, patience: Duration) -> Result<http::Received, CallError> {
        let address = self.address;
        let response = http::send(address, request, patience).map_err(|cause| match cause.kind() {
            ErrorKind::InvalidData => CallError::NotNeargate { address },
            _ => CallError::Unreachable { address, cause: cause.to_string() },
        })?;
        match response.header("server") {
            Some(server) if server.starts_with("Neargate") => Ok(response),
            _ => Err(CallError::NotNeargate { address }),
        }
    }
}

/// The region as AWS clients take it from the environment.
pub(crate) fn region() -> String {
    variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).unwrap_or_else(|| DEFAULT_REGION.to_owned())
}

/// The account whose number the environment has for an access key, as the engine takes it.
pub(crate) fn given_account() -> Option<String> {
    variable("AWS_ACCESS_KEY_ID").filter(|key| Account::is_valid(key))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The port in `AWS_ENDPOINT_URL`; what leads to no engine of this machine is an error, not another engine.
pub(crate) fn port_of_environment() -> Outcome<Option<u16>> {
    let Some(url) = variable("AWS_ENDPOINT_URL") else { return Ok(None) };
    let port = port_of(&url).ok_or_else(|| {
        let message = format!("`AWS_ENDPOINT_URL` is `{url}`, expected `http://127.0.0.1:PORT`");
        Failure::usage(
            Diagnostic::error(codes::ARGUMENT, message).hint("set it, unset it, or name the engine with `--port`"),
        )
    })?;
    Ok(Some(port))
}

fn port_of(url: &str) -> Option<u16> {
    let authority = url.strip_prefix("http://")?.trim_end_matches('/');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port != 0)?),
        _ => (authority, 80),
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]").then_some(port)
}

fn unreadable(service: &ServiceShape, operation: &OperationShape, cause: &dyn fmt::Display) -> CallError {
    CallError::Unreadable { call: format!("{}:{}", service.name, operation.name), cause: cause.to_string() }
}

impl CallError {
    /// Whether it is AWS's error of this code.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Fault { code, .. } if code == wanted)
    }

    /// As the user reads it.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Interrupted => Diagnostic::error(codes::INTERRUPTED, "broken off"),
            Self::Unreachable { address, cause } => {
                Diagnostic::error(codes::NO_ENGINE, format!("no engine answers at `{address}`: {cause}"))
                    .hint("start one with `neargate up`, or say where it is with `--port`")
            }
            Self::NotNeargate { address } => {
                Diagnostic::error(codes::NOT_NEARGATE, format!("what answers at `{address}` is no Neargate engine"))
                    .hint("start one on another port with `neargate up --port PORT`, or say where it is with `--port`")
            }
            Self::KeyNeeded { address, file, cause } => {
                let message =
                    format!("the engine at `{address}` was started with `--auth`, and its key cannot be read: {cause}");
                Diagnostic::error(codes::KEY, message).at(file.clone()).hint(
                    "run this as the user who started the engine, or set the variables that its `neargate up` printed",
                )
            }
            Self::Fault { call, code, message, hint } => {
                let diagnostic = Diagnostic::error(codes::REFUSED, format!("`{call}` was refused: {code}: {message}"));
                hint.iter().fold(diagnostic, |diagnostic, hint| diagnostic.hint(hint))
            }
            Self::Unreadable { call, cause } => {
                Diagnostic::error(codes::REFUSED, format!("cannot read the answer to `{call}`: {cause}"))
                    .hint("is the engine of the same version as this program? see `neargate --version`")
            }
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Interrupted => signals::failure(),
            error => Self::failed(error.diagnostic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn ports_of_endpoint_urls() {
        for (url, port) in [
            ("http://127.0.0.1:4566", Some(4566)),
            ("http://localhost:4567/", Some(4567)),
            ("http://[::1]:4566", Some(4566)),
            ("http://localhost", Some(80)),
            ("http://[::1]", Some(80)),
            ("garbage", None),
            ("http://", None),
            ("http://127.0.0.1:", None),
            ("http://127.0.0.1:x", None),
            ("http://127.0.0.1:0", None),
            ("http://127.0.0.1:65536", None),
            ("https://127.0.0.1:4566", None),
            ("127.0.0.1:4566", None),
            ("http://127.0.0.1:4566/path", None),
            ("http://ecs.eu-west-1.amazonaws.com:4566", None),
        ] {
            assert_eq!(port_of(url), port, "{url}");
        }
    }
}
