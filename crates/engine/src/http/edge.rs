//! What a request means, who sends it, and what it is answered.

use std::path::PathBuf;
use std::sync::Arc;

use neargate_base::Scope;
use neargate_kernel::{Notice, Reply, Request as CoreRequest};
use neargate_shape::{OperationShape, Protocol, ServiceShape};
use neargate_wire::sigv4::{self, Claim};
use neargate_wire::{Codec, Fault, Identified, Request, Response, codec, identify};
use tokio::sync::mpsc;

use super::{control, credentials};
use crate::notices::NoticeBoard;
use crate::wall;
use crate::writer::{Refused, Writer};

/// Everything the edge needs to answer.
#[derive(Debug)]
pub(crate) struct Edge {
    services: Vec<&'static ServiceShape>,
    pub(super) writer: Writer,
    pub(super) notices: Arc<NoticeBoard>,
    pub(super) instance: String,
    pub(super) data_dir: PathBuf,
    pub(super) stop: mpsc::Sender<()>,
}

impl Edge {
    /// An edge for these services.
    pub(crate) fn new(
        services: Vec<&'static ServiceShape>,
        writer: Writer,
        notices: Arc<NoticeBoard>,
        instance: String,
        data_dir: PathBuf,
        stop: mpsc::Sender<()>,
    ) -> Self {
        Self { services, writer, notices, instance, data_dir, stop }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: &Request<'_>) -> Response {
        if let Some(path) = request.path.strip_prefix("/_neargate/") {
            return control::answer(self, path, request).await;
        }
        let request_id = fresh_request_id();
        let json = codec(Protocol::AwsJson11);
        match identify(&self.services, request) {
            Identified::Operation(service, operation) => match codec(service.protocol) {
                Some(codec) => self.call(service, operation, codec, request, request_id).await,
                None => plain(501, &format!("Neargate does not speak the protocol of `{}`", service.name)),
            },
            Identified::Unimplemented(service, name) => {
                let text = format!("Neargate does not implement {}:{name}", service.name);
                refuse(service, &Fault::sender("NotImplemented", text).with_status(501), &request_id)
            }
            Identified::UnknownOperation(service, name) => {
                let (code, text) = match service.protocol {
                    Protocol::Query => ("InvalidAction", format!("Could not find operation {name}")),
                    Protocol::Ec2 => ("InvalidAction", format!("The action {name} is not valid for this web service.")),
                    _ => ("UnknownOperationException", format!("{name} is no operation of {}", service.name)),
                };
                refuse(service, &Fault::sender(code, text), &request_id)
            }
            Identified::UnknownService(name) => {
                let text = format!("Neargate does not have the service `{name}`");
                let fault = Fault::sender("NotImplemented", text).with_status(501);
                match (json, self.services.first()) {
                    (Some(codec), Some(service)) => codec.encode_error(service, &fault, &request_id),
                    _ => plain(501, &fault.message),
                }
            }
            Identified::NoApi => {
                plain(404, "This is Neargate's AWS endpoint: call it with an AWS client, or see `neargate --help`.")
            }
        }
    }

    async fn call(
        &self,
        service: &'static ServiceShape,
        operation: &'static OperationShape,
        codec: &'static dyn Codec,
        request: &Request<'_>,
        request_id: String,
    ) -> Response {
        let (scope, principal) = match self.authenticate(request) {
            Ok(caller) => caller,
            Err(error) => return codec.encode_error(service, &error.fault(service.protocol), &request_id),
        };
        let decoded = match codec.decode_request(operation, request) {
            Ok(decoded) => decoded,
            Err(error) => return codec.encode_error(service, &codec.refusal(&error), &request_id),
        };
        let call = CoreRequest {
            scope,
            principal,
            service: service.name.to_owned(),
            operation: operation.name.to_owned(),
            input: decoded.value,
            request_id: request_id.clone(),
        };
        let (reply, notices) = match self.writer.call(call).await {
            Ok(answered) => answered,
            Err(refused) => (Err(refusal(refused, service.protocol)), vec![]),
        };
        let unknown =
            decoded.unknown.iter().map(|path| format!("{}:{} {path}: unknown member", service.name, operation.name));
        let silent: Vec<_> =
            unknown.chain(notices.iter().map(|it: &Notice| format!("{}: {}", it.subject, it.text))).collect();
        encode(service, operation, codec, reply, &request_id, &silent)
    }

    fn authenticate(
        &self,
        request: &Request<'_>,
    ) -> Result<(Scope, neargate_kernel::Principal), sigv4::SignatureError> {
        let now = wall::now();
        let holder = std::cell::OnceCell::new();
        let secret = |claim: &Claim| {
            let found = credentials::holder(self.writer.snapshot(), claim, now)?;
            Some(holder.get_or_init(|| found).secret.clone())
        };
        let verified = sigv4::verify(request, Some(now), &secret)?;
        let holder = holder.into_inner().ok_or(sigv4::SignatureError::UnknownKey)?;
        Ok((Scope::new(holder.account.as_str(), &verified.claim.region), holder.principal))
    }
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
            response.headers.extend(fault.hint.map(|hint| ("x-neargate-hint", header_text(&hint))));
            response
        }
    };
    if !silent.is_empty() {
        response.headers.push(("x-neargate-not-simulated", header_text(&silent.join("; "))));
    }
    response
}

/// Why a call did not reach the core, in the protocol's words.
fn refusal(refused: Refused, protocol: Protocol) -> neargate_kernel::Fault {
    let busy = match (refused, protocol) {
        (Refused::Stopping, _) => return neargate_kernel::Fault::unavailable("the engine is stopping"),
        (Refused::Busy, Protocol::Query | Protocol::RestXml) => "Throttling",
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
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Response { status, headers, body: format!("{text}\n").into_bytes() }
}

fn fresh_request_id() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | (low >> 48) & 0x3fff, low & 0xffff_ffff_ffff)
}
