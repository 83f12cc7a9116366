//! What a request means, who sends it, and what it is answered.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use neargate_base::{Region, Scope};
use neargate_kernel::{Notice, Principal, Reply, Request as CoreRequest};
use neargate_shape::{OperationShape, Protocol, ServiceShape};
use neargate_wire::sigv4::{self, Claim, Opened, SignatureError};
use neargate_wire::{Codec, Fault, Identified, Request, Response, codec, identify, is_of_aws, refuse_in_kind};
use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::bodies::{self, Bodies, BodyError, CONTROL_BYTES_MAX, Held};
use super::client::client;
use super::connections::{self, Connections};
use super::credentials::{self, Holder};
use super::guard::Guard;
use super::keys::RootKeys;
use super::{control, cors};
use crate::drivers::Shared;
use crate::notices::NoticeBoard;
use crate::wall;
use crate::writer::{Refused, Writer};

/// What an edge is made of.
#[derive(Debug)]
pub(crate) struct EdgeParts {
    /// The services that there are.
    pub(crate) services: Vec<&'static ServiceShape>,
    /// The way to the core.
    pub(crate) writer: Writer,
    /// What the user should hear.
    pub(crate) notices: Arc<NoticeBoard>,
    /// The engine's id.
    pub(crate) instance: String,
    /// Where the engine keeps everything.
    pub(crate) data_dir: PathBuf,
    /// What runs tasks.
    pub(crate) tasks: Arc<Shared>,
    /// Told when a client asks the engine to stop.
    pub(crate) stop: mpsc::Sender<()>,
    /// Who may speak here.
    pub(crate) guard: Guard,
    /// Who is root here.
    pub(crate) keys: RootKeys,
}

/// Everything the edge needs to answer.
#[derive(Debug)]
pub(crate) struct Edge {
    services: Vec<&'static ServiceShape>,
    pub(super) writer: Writer,
    pub(super) notices: Arc<NoticeBoard>,
    pub(super) instance: String,
    pub(super) data_dir: PathBuf,
    pub(super) tasks: Arc<Shared>,
    pub(super) stop: mpsc::Sender<()>,
    pub(super) connections: Arc<Connections>,
    guard: Guard,
    keys: RootKeys,
    bodies: Bodies,
}

/// Who sends a request, as far as its head tells.
#[derive(Debug)]
struct Caller {
    opened: Opened,
    holder: Holder,
}

/// A call, ready for the core.
struct Call {
    service: &'static ServiceShape,
    operation: &'static OperationShape,
    codec: &'static dyn Codec,
    request: CoreRequest,
    unknown: Vec<String>,
}

impl Edge {
    /// An edge of these parts.
    pub(crate) fn new(parts: EdgeParts) -> Self {
        let EdgeParts { services, writer, notices, instance, data_dir, tasks, stop, guard, keys } = parts;
        let connections = Connections::new(connections::affordable());
        let bodies = Bodies::default();
        Self { services, writer, notices, instance, data_dir, tasks, stop, connections, guard, keys, bodies }
    }

    /// What has come, for the status.
    pub(super) fn counts(&self) -> Json {
        let mut counts = self.guard.counts();
        if let Some(counts) = counts.as_object_mut() {
            counts.insert("connections".to_owned(), self.connections.count().into());
            counts.insert("auth".to_owned(), self.keys.file().is_some().into());
        }
        counts
    }

    /// Answers one request.
    pub(super) async fn answer(&self, parts: &Parts, body: Incoming, peer: IpAddr) -> Response {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let head = Request { method: parts.method.as_str(), path, query, headers: &headers, body: &[] };
        let page = match self.guard.check(parts) {
            Ok(admitted) => admitted.page,
            Err(refusal) => {
                bodies::read_over(body);
                return self.turn_away(&head, refusal.status(), "AccessDenied", &refusal.to_string());
            }
        };
        let Some(page) = page else { return self.attend(&head, body, peer).await };
        let mut response = match cors::preflight(parts) {
            Some(response) => response,
            None => self.attend(&head, body, peer).await,
        };
        cors::show_to(&page, &mut response);
        response
    }

    /// Answers a request that may be looked at.
    async fn attend(&self, head: &Request<'_>, body: Incoming, peer: IpAddr) -> Response {
        if let Some(path) = head.path.strip_prefix("/_neargate/") {
            return self.attend_control(path, head, body).await;
        }
        let request_id = fresh_request_id();
        let caller = match self.open(head, &request_id) {
            Ok(caller) => caller,
            Err(response) => {
                bodies::read_over(body);
                return *response;
            }
        };
        let bytes_max = bodies::bytes_max(self.service_of(head).map(|service| service.protocol));
        let Held { bytes, room } = match self.bodies.read(body, bytes_max).await {
            Ok(held) => held,
            Err(error) => return self.no_body(head, error),
        };
        let call = self.read(&Request { body: &bytes, ..*head }, caller, peer, &request_id);
        drop(bytes);
        let response = match call {
            Ok(call) => self.call(call).await,
            Err(response) => *response,
        };
        drop(room);
        response
    }

    async fn attend_control(&self, path: &str, head: &Request<'_>, body: Incoming) -> Response {
        let caller = match self.open_control(head) {
            Ok(caller) => caller,
            Err(error) => {
                bodies::read_over(body);
                return self.no_key(&error);
            }
        };
        let held = match self.bodies.read(body, CONTROL_BYTES_MAX).await {
            Ok(held) => held,
            Err(error) => return self.no_body(head, error),
        };
        let request = Request { body: &held.bytes, ..*head };
        match caller.map(|caller| caller.opened.close(&request)) {
            Some(Err(error)) => self.no_key(&error),
            _ => control::answer(self, path, &request).await,
        }
    }

    /// What can be said before the body is read: that the request is none, or that it is signed by somebody.
    fn open(&self, head: &Request<'_>, request_id: &str) -> Result<Caller, Box<Response>> {
        match identify(&self.services, head) {
            found @ (Identified::Unimplemented(..) | Identified::UnknownOperation(..)) => {
                return Err(Box::new(self.no_operation(head, found, request_id)));
            }
            // A form may be for a service that is here, though its scope's name is nobody's.
            Identified::UnknownService(name)
                if !self.services.iter().any(|it| it.signing_name == name) && (!is_form(head) || is_of_aws(&name)) =>
            {
                return Err(Box::new(self.no_operation(head, Identified::UnknownService(name), request_id)));
            }
            Identified::NoApi if !is_form(head) => {
                return Err(Box::new(self.no_operation(head, Identified::NoApi, request_id)));
            }
            Identified::Operation(service, _) => {
                let claimed = sigv4::claim(head);
                scoped(service, claimed.as_ref()).map_err(|error| refuse_signature(service, &error, request_id))?;
            }
            _ => {}
        }
        self.signed(head).map_err(|error| Box::new(self.refuse_signature(head, &error, request_id)))
    }

    /// Whoever has a generated key may use the control endpoint; where there is none, whoever the guard lets through.
    fn open_control(&self, head: &Request<'_>) -> Result<Option<Caller>, SignatureError> {
        if self.keys.file().is_none() {
            return Ok(None);
        }
        let caller = self.signed(head)?;
        match caller.holder.principal {
            Principal::Root { .. } => Ok(Some(caller)),
            _ => Err(SignatureError::UnknownKey),
        }
    }

    /// Reads a whole request.
    fn read(
        &self,
        request: &Request<'_>,
        caller: Caller,
        peer: IpAddr,
        request_id: &str,
    ) -> Result<Call, Box<Response>> {
        let Caller { opened, holder } = caller;
        let verified =
            opened.close(request).map_err(|error| Box::new(self.refuse_signature(request, &error, request_id)))?;
        let (service, operation) = match identify(&self.services, request) {
            Identified::Operation(service, operation) => {
                // Of a form only the body says which service it is for.
                scoped(service, Some(&verified.claim))
                    .map_err(|error| refuse_signature(service, &error, request_id))?;
                (service, operation)
            }
            other => return Err(Box::new(self.no_operation(request, other, request_id))),
        };
        let Some(codec) = codec(service.protocol) else {
            let text = format!("Neargate does not speak the protocol of `{}`", service.name);
            return Err(Box::new(plain(501, &text)));
        };
        let decoded = codec
            .decode_request(operation, request)
            .map_err(|error| Box::new(codec.encode_error(service, &codec.refusal(&error), request_id)))?;
        let request = CoreRequest {
            scope: Scope::new(holder.account.as_str(), &verified.claim.region),
            principal: holder.principal,
            service: service.name.to_owned(),
            operation: operation.name.to_owned(),
            input: decoded.value,
            request_id: request_id.to_owned(),
            client: Some(client(peer, request.headers)),
        };
        Ok(Call { service, operation, codec, request, unknown: decoded.unknown })
    }

    async fn call(&self, call: Call) -> Response {
        let Call { service, operation, codec, request, unknown } = call;
        let request_id = request.request_id.clone();
        let (reply, notices) = match self.writer.call(request).await {
            Ok(answered) => answered,
            Err(refused) => (Err(refusal(refused, service.protocol)), vec![]),
        };
        let unknown = unknown.iter().map(|path| format!("{}:{} {path}: unknown member", service.name, operation.name));
        let silent: Vec<_> =
            unknown.chain(notices.iter().map(|it: &Notice| format!("{}: {}", it.subject, it.text))).collect();
        encode(service, operation, codec, reply, &request_id, &silent)
    }

    fn signed(&self, head: &Request<'_>) -> Result<Caller, SignatureError> {
        let now = wall::now();
        let holder = std::cell::OnceCell::new();
        let secret = |claim: &Claim| {
            let found = credentials::holder(&self.keys, self.writer.snapshot(), claim, now)?;
            Some(holder.get_or_init(|| found).secret.clone())
        };
        let opened = sigv4::open(head, Some(now), &secret)?;
        let holder = holder.into_inner().ok_or(SignatureError::UnknownKey)?;
        // There is no endpoint of a region that there is not.
        if !Region::exists(opened.region()) {
            return Err(SignatureError::UnknownRegion(opened.region().to_owned()));
        }
        Ok(Caller { opened, holder })
    }

    fn no_operation(&self, head: &Request<'_>, found: Identified, request_id: &str) -> Response {
        match found {
            Identified::Operation(service, _) => refuse(service, &not_implemented(service.name), request_id),
            Identified::Unimplemented(service, name) => {
                refuse(service, &not_implemented(&format!("{}:{name}", service.name)), request_id)
            }
            Identified::UnknownOperation(service, name) => {
                let (code, text) = match service.protocol {
                    Protocol::Query => ("InvalidAction", format!("Could not find operation {name}")),
                    Protocol::Ec2 => ("InvalidAction", format!("The action {name} is not valid for this web service.")),
                    _ => ("UnknownOperationException", format!("{name} is no operation of {}", service.name)),
                };
                refuse(service, &Fault::sender(code, text), request_id)
            }
            Identified::UnknownService(name) => refuse_in_kind(head, &not_implemented_service(&name), request_id),
            Identified::NoApi => {
                plain(404, "This is Neargate's AWS endpoint: call it with an AWS client, or see `neargate --help`.")
            }
        }
    }

    /// The service that a request is for, as far as its head tells; what is a form and says nothing else is for any that takes forms.
    fn service_of(&self, head: &Request<'_>) -> Option<&'static ServiceShape> {
        let services = &self.services;
        match identify(services, head) {
            Identified::Operation(service, _)
            | Identified::Unimplemented(service, _)
            | Identified::UnknownOperation(service, _) => Some(service),
            Identified::UnknownService(name) => services.iter().find(|it| it.signing_name == name).copied(),
            Identified::NoApi => services.iter().find(|it| is_form(head) && it.protocol == Protocol::Query).copied(),
        }
    }

    fn refuse_signature(&self, head: &Request<'_>, error: &SignatureError, request_id: &str) -> Response {
        let mut response = match self.service_of(head) {
            Some(service) => refuse(service, &error.fault(service.protocol), request_id),
            None => plain(403, &error.fault(Protocol::Query).message),
        };
        if matches!(error, SignatureError::UnknownRegion(_)) {
            let hint = "name a region that AWS has in AWS_REGION or AWS_DEFAULT_REGION, such as us-east-1";
            response.headers.push(("x-neargate-hint".into(), hint.to_owned()));
            return response;
        }
        self.say_where_the_key_is(&mut response);
        response
    }

    /// The control endpoint's answer to who does not have the key.
    fn no_key(&self, error: &SignatureError) -> Response {
        let text = error.fault(Protocol::Query).message;
        let mut response = plain(401, &format!("the engine was started with `--auth`: {text}"));
        self.say_where_the_key_is(&mut response);
        response
    }

    fn say_where_the_key_is(&self, response: &mut Response) {
        let Some(file) = self.keys.file() else { return };
        let file = header_text(&file.display().to_string());
        let hint = format!(
            "the engine was started with `--auth`: use the variables that `neargate up` printed; the key is in `{file}`"
        );
        response.headers.extend([("x-neargate-hint".into(), hint), ("x-neargate-key-file".into(), file)]);
    }

    fn no_body(&self, head: &Request<'_>, error: BodyError) -> Response {
        let (status, code) = error.status();
        self.turn_away(head, status, code, &error.to_string())
    }

    /// An answer to what is not looked at, in the protocol that the request's head speaks; the connection ends with it.
    fn turn_away(&self, head: &Request<'_>, status: u16, code: &str, text: &str) -> Response {
        let is_control = head.path.starts_with("/_neargate/");
        let mut response = match self.service_of(head).filter(|_| !is_control) {
            Some(service) => {
                let is_json =
                    !matches!(service.protocol, Protocol::Query | Protocol::Ec2 | Protocol::RestXml | Protocol::S3);
                let code = if is_json && code == "AccessDenied" { "AccessDeniedException" } else { code };
                refuse(service, &Fault::sender(code, text).with_status(status), &fresh_request_id())
            }
            None => plain(status, text),
        };
        response.headers.push(("connection".into(), "close".to_owned()));
        response
    }
}

/// Whether a signature is for the called service, as far as there is one.
fn scoped(service: &ServiceShape, claim: Option<&Claim>) -> Result<(), SignatureError> {
    match claim {
        Some(claim) if claim.service != service.signing_name => {
            Err(SignatureError::WrongService(service.signing_name.to_owned()))
        }
        _ => Ok(()),
    }
}

fn refuse_signature(service: &ServiceShape, error: &SignatureError, request_id: &str) -> Box<Response> {
    Box::new(refuse(service, &error.fault(service.protocol), request_id))
}

fn not_implemented_service(name: &str) -> Fault {
    let text = format!("Neargate does not have the service `{name}`");
    Fault::sender("NotImplemented", text).with_status(501)
}

fn not_implemented(what: &str) -> Fault {
    Fault::sender("NotImplemented", format!("Neargate does not implement {what}")).with_status(501)
}

/// Whether a request's operation may be named in its body.
fn is_form(head: &Request<'_>) -> bool {
    let content_type = head.header("content-type").unwrap_or_default();
    let is_untyped = content_type.is_empty() && head.method == "POST" && head.path == "/";
    is_untyped || content_type.starts_with("application/x-www-form-urlencoded")
}

fn encode(
    service: &ServiceShape,
    operation: &OperationShape,
    codec: &dyn Codec,
    reply: Reply,
    request_id: &str,
    silent: &[String],
) -> Response {
    let mut response = match reply {
        Ok(output) => codec.encode_response(service, operation, &output, request_id),
        Err(fault) => {
            let wire = Fault { code: fault.code.to_owned(), message: fault.message, status: fault.status };
            let mut response = codec.encode_error(service, &wire, request_id);
            response.headers.extend(fault.hint.map(|hint| ("x-neargate-hint".into(), header_text(&hint))));
            response
        }
    };
    if !silent.is_empty() {
        response.headers.push(("x-neargate-not-simulated".into(), header_text(&silent.join("; "))));
    }
    response
}

/// Why a call did not reach the core, in the protocol's words.
fn refusal(refused: Refused, protocol: Protocol) -> neargate_kernel::Fault {
    let busy = match (refused, protocol) {
        (Refused::Stopping, _) => return neargate_kernel::Fault::unavailable("the engine is stopping"),
        (Refused::Busy, Protocol::Query | Protocol::RestXml) => "Throttling",
        (Refused::Busy, Protocol::S3) => "SlowDown",
        (Refused::Busy, Protocol::Ec2) => "RequestLimitExceeded",
        (Refused::Busy, _) => "ThrottlingException",
    };
    let fault = neargate_kernel::Fault::sender(busy, "Rate exceeded").with_status(503);
    fault.with_hint("more calls wait than the engine takes in: AWS's clients call again by themselves")
}

/// Header values are visible ASCII.
fn header_text(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(4096).collect()
}

fn refuse(service: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
    match codec(service.protocol) {
        Some(codec) => codec.encode_error(service, fault, request_id),
        None => plain(fault.status, &fault.message),
    }
}

/// An answer in plain text.
pub(super) fn plain(status: u16, text: &str) -> Response {
    let headers = vec![("content-type".into(), "text/plain; charset=utf-8".to_owned())];
    Response { status, headers, body: format!("{text}\n").into_bytes().into() }
}

fn fresh_request_id() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | (low >> 48) & 0x3fff, low & 0xffff_ffff_ffff)
}
