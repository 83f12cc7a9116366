//! The engine's endpoint, seen from a client.
//!
//! Invariant: whatever an AWS client could not do either goes through [`control`] and nowhere else.

pub(crate) mod control;
mod http;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neargate_base::{Account, DEFAULT_ACCOUNT, DEFAULT_REGION, Diagnostic};
use neargate_shape::{OperationShape, ServiceShape, Value, Wire};
use neargate_wire::sigv4::{Credentials, Signing, sign};
use neargate_wire::{Answer, Request, codec};

use crate::codes;
use crate::outcome::Failure;
use crate::signals;

/// The port of an engine where nobody names another.
pub(crate) const DEFAULT_PORT: u16 = 4566;
/// How long an answer may take; the engine answers at once, but for what it was asked to wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// An endpoint, and who calls it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    credentials: Credentials,
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
        let own = || Credentials { access_key: "test".to_owned(), secret_key: "test".to_owned(), session_token: None };
        let credentials = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key), Some(secret_key)) => {
                Credentials { access_key, secret_key, session_token: variable("AWS_SESSION_TOKEN") }
            }
            _ => own(),
        };
        Self { address, credentials, region: region(), interrupt: Arc::default() }
    }

    /// The same endpoint, called for a stack that names its account or region.
    pub(crate) fn in_environment(&self, account: Option<&str>, region: Option<&str>) -> Self {
        let mut endpoint = self.clone();
        if let Some(region) = region {
            region.clone_into(&mut endpoint.region);
        }
        // The engine takes an account's number for the access key of its root.
        if let Some(account) = account.filter(|account| *account != DEFAULT_ACCOUNT) {
            endpoint.credentials =
                Credentials { access_key: account.to_owned(), secret_key: "test".to_owned(), session_token: None };
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

    /// The access key of calls.
    pub(crate) fn access_key(&self) -> &str {
        &self.credentials.access_key
    }

    /// The account of calls: the engine takes an account's number for the access key of its root.
    pub(crate) fn account(&self) -> &str {
        let key = self.credentials.access_key.as_str();
        if key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit()) { key } else { DEFAULT_ACCOUNT }
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
        let signing = Signing {
            credentials: &self.credentials,
            region: &self.region,
            service: service.signing_name,
            now: neargate_engine::now(),
        };
        let signature = sign(&request, &signing);
        let headers: Vec<_> =
            headers.iter().copied().chain(signature.iter().map(|(name, value)| (*name, value.as_str()))).collect();
        let response = self.send(&Request { headers: &headers, ..request }, PATIENCE)?;
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

    fn send(&self, request: &Request<'_>, patience: Duration) -> Result<http::Received, CallError> {
        http::send(self.address, request, patience)
            .map_err(|cause| CallError::Unreachable { address: self.address, cause: cause.to_string() })
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

/// The port in `AWS_ENDPOINT_URL`, where that leads to this machine.
pub(crate) fn port_of_environment() -> Option<u16> {
    let url = std::env::var("AWS_ENDPOINT_URL").ok()?;
    let rest = url.strip_prefix("http://")?;
    let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
    matches!(host, "127.0.0.1" | "localhost" | "[::1]").then(|| port.parse().ok()).flatten()
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
