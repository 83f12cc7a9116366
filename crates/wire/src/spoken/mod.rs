//! The protocol in which a service is called that is not here, and refusals in it.
//!
//! Follows <https://smithy.io/2.0/aws/protocols/index.html>.
//!
//! Invariant: whatever the request is, its client can read the refusal as an error with a code and a message.

mod aws_services;

use aws_services::AWS_SERVICES;

use crate::form::form_value;
use crate::message::{Fault, Request, Response};
use crate::sigv4;
use crate::xml::Writer;

/// A protocol of AWS's, also those that no service here has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// `X-Amz-Target`, JSON 1.0.
    AwsJson10,
    /// `X-Amz-Target`, JSON 1.1.
    AwsJson11,
    /// Smithy's RPC v2.
    Cbor,
    /// Form in, XML out, in EC2's dialect.
    Ec2,
    /// Form in, XML out.
    Query,
    /// JSON bodies on paths.
    RestJson,
    /// XML bodies on paths.
    RestXml,
}

/// Whether AWS has services that are signed for under this name.
pub fn is_of_aws(signing_name: &str) -> bool {
    !protocols(signing_name).is_empty()
}

fn protocols(signing_name: &str) -> &'static [Spoken] {
    let found = AWS_SERVICES.binary_search_by_key(&signing_name, |(name, _)| name);
    found.ok().and_then(|at| AWS_SERVICES.get(at)).map_or(&[], |(_, protocols)| protocols)
}

/// A fault in the protocol that a request speaks, as far as its head tells: what it cannot mean otherwise first, then what services
/// of its credential scope's name speak.
pub fn refuse_in_kind(request: &Request<'_>, fault: &Fault, request_id: &str) -> Response {
    match spoken(request) {
        Spoken::AwsJson10 => json("application/x-amz-json-1.0", fault, request_id),
        Spoken::AwsJson11 => json("application/x-amz-json-1.1", fault, request_id),
        Spoken::RestJson => json("application/json", fault, request_id),
        Spoken::Cbor => cbor(fault, request_id),
        Spoken::Query => query(fault, request_id),
        Spoken::Ec2 => ec2(fault, request_id),
        Spoken::RestXml if is_of_s3(request) => s3(fault, request_id),
        Spoken::RestXml => query(fault, request_id),
    }
}

fn spoken(request: &Request<'_>) -> Spoken {
    let of_service = sigv4::claim(request).map_or(&[][..], |claim| protocols(&claim.service));
    let content_type = request.header("content-type").unwrap_or_default();
    if request.header("smithy-protocol") == Some("rpc-v2-cbor") {
        return Spoken::Cbor;
    }
    if request.header("x-amz-target").is_some() {
        return if content_type.starts_with("application/x-amz-json-1.0") {
            Spoken::AwsJson10
        } else {
            Spoken::AwsJson11
        };
    }
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    if is_form || form_value(request.query.as_bytes(), "Action").is_some() {
        return if of_service.contains(&Spoken::Ec2) { Spoken::Ec2 } else { Spoken::Query };
    }
    let is_on_paths = |it: &&Spoken| matches!(it, Spoken::RestJson | Spoken::RestXml);
    let mut on_paths = of_service.iter().filter(is_on_paths);
    match (on_paths.next(), on_paths.next(), of_service.first()) {
        (Some(one), None, _) | (None, None, Some(one)) => *one,
        _ if content_type.contains("xml") => Spoken::RestXml,
        _ => Spoken::RestJson,
    }
}

fn json(content_type: &str, fault: &Fault, request_id: &str) -> Response {
    let body = serde_json::json!({"__type": fault.code, "message": fault.message});
    let headers = vec![
        ("content-type".into(), content_type.to_owned()),
        ("x-amzn-errortype".into(), fault.code.clone()),
        ("x-amzn-requestid".into(), request_id.to_owned()),
    ];
    Response { status: fault.status, headers, body: body.to_string().into_bytes().into() }
}

fn cbor(fault: &Fault, request_id: &str) -> Response {
    let body = crate::cbor::error(&fault.code, &fault.message).into();
    let headers = vec![
        ("content-type".into(), "application/cbor".to_owned()),
        ("smithy-protocol".into(), "rpc-v2-cbor".to_owned()),
        ("x-amzn-requestid".into(), request_id.to_owned()),
    ];
    Response { status: fault.status, headers, body }
}

fn query(fault: &Fault, request_id: &str) -> Response {
    let mut writer = Writer::default();
    writer.open("ErrorResponse", "");
    writer.open("Error", "");
    writer.leaf("Type", if fault.is_sender() { "Sender" } else { "Receiver" });
    writer.leaf("Code", &fault.code);
    writer.leaf("Message", &fault.message);
    writer.close("Error");
    writer.leaf("RequestId", request_id);
    writer.close("ErrorResponse");
    xml(fault, writer, ("x-amzn-requestid", request_id))
}

fn ec2(fault: &Fault, request_id: &str) -> Response {
    let mut writer = Writer::default();
    writer.open("Response", "");
    writer.open("Errors", "");
    writer.open("Error", "");
    writer.leaf("Code", &fault.code);
    writer.leaf("Message", &fault.message);
    writer.close("Error");
    writer.close("Errors");
    writer.leaf("RequestID", request_id);
    writer.close("Response");
    xml(fault, writer, ("x-amzn-requestid", request_id))
}

/// Amazon S3 itself wraps its errors in nothing; its control plane, which is signed for alike, does as others do.
fn is_of_s3(request: &Request<'_>) -> bool {
    let is_signed_so = sigv4::claim(request).is_some_and(|claim| matches!(claim.service.as_str(), "s3" | "s3express"));
    is_signed_so && request.header("x-amz-account-id").is_none()
}

fn s3(fault: &Fault, request_id: &str) -> Response {
    let mut writer = Writer::default();
    writer.open("Error", "");
    writer.leaf("Code", &fault.code);
    writer.leaf("Message", &fault.message);
    writer.leaf("RequestId", request_id);
    writer.close("Error");
    xml(fault, writer, ("x-amz-request-id", request_id))
}

fn xml(fault: &Fault, writer: Writer, (header, request_id): (&'static str, &str)) -> Response {
    let headers = vec![("content-type".into(), "text/xml".to_owned()), (header.into(), request_id.to_owned())];
    Response { status: fault.status, headers, body: writer.finish().into() }
}

#[cfg(test)]
mod tests {
    use super::{AWS_SERVICES, is_of_aws};

    #[test]
    fn every_name_of_the_table_is_found() {
        assert!(AWS_SERVICES.len() > 300);
        assert!(AWS_SERVICES.iter().all(|(name, protocols)| is_of_aws(name) && !protocols.is_empty()));
    }
}
