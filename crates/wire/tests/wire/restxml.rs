//! What is special in rest-xml and S3, by example: names, namespaces, attributes, errors, bodies that are kept elsewhere.

use std::collections::BTreeMap;

use neargate_base::{BlobRef, Digest};
use neargate_shape::{OperationShape, ServiceShape, Stored, StreamingBlob, Value, Wire as _, to_json};
use neargate_testkit::needs::needs;
use neargate_wire::{Answer, Body, Codec, DecodeError, Fault, Request, Response, codec};

use crate::apis::{route53, s3};
use crate::roundtrip::answered;

fn codec_of(service: &ServiceShape) -> &'static dyn Codec {
    codec(service.protocol).unwrap()
}

fn text(response: &Response) -> String {
    let body = String::from_utf8(response.body.whole().unwrap().to_vec()).unwrap();
    body.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "")
}

fn written(service: &ServiceShape, operation: &OperationShape, output: Value) -> Response {
    codec_of(service).encode_response(service, operation, &output, "id")
}

fn request<'a>(path: &'a str, query: &'a str, headers: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Request<'a> {
    Request { method: "PUT", path, query, headers, body }
}

#[needs()]
fn root_elements_have_their_services_namespace() {
    let listed = s3::ListObjectsV2Output { name: Some("b".to_owned()), key_count: Some(0), ..Default::default() };
    let response = written(&s3::SERVICE, &s3::LIST_OBJECTS_V2, listed.into_value());
    assert_eq!(
        text(&response),
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><KeyCount>0</KeyCount></ListBucketResult>"
    );
    assert_eq!(response.header("content-type"), Some("application/xml"));
    assert_eq!(response.header("x-amz-request-id"), Some("id"));
    let copied = s3::CopyObjectResult { e_tag: Some("\"e\"".to_owned()), ..Default::default() };
    let output = s3::CopyObjectOutput { copy_object_result: Some(copied), ..Default::default() };
    assert!(
        text(&written(&s3::SERVICE, &s3::COPY_OBJECT, output.into_value())).starts_with("<CopyObjectResult xmlns=")
    );
    let response = written(&route53::SERVICE, &route53::GET_CHANGE, Value::Structure(vec![]));
    let namespace = "https://route53.amazonaws.com/doc/2013-04-01/";
    assert_eq!(text(&response), format!("<GetChangeResponse xmlns=\"{namespace}\"></GetChangeResponse>"));
    assert_eq!(response.header("x-amzn-requestid"), Some("id"));
}

#[needs()]
fn an_answer_without_a_body_has_no_type() {
    let output = s3::PutObjectOutput { e_tag: Some("\"e\"".to_owned()), ..Default::default() };
    let response = written(&s3::SERVICE, &s3::PUT_OBJECT, output.into_value());
    assert_eq!((response.body.clone(), response.header("content-type")), (Body::default(), None));
    assert_eq!(response.header("etag"), Some("\"e\""));
}

#[needs()]
fn the_location_of_a_bucket_is_the_root_itself() {
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    for (constraint, inside) in [(Some("eu-west-1"), "eu-west-1"), (None, "")] {
        let output = s3::GetBucketLocationOutput { location_constraint: constraint.map(str::to_owned) };
        let response = written(&s3::SERVICE, &s3::GET_BUCKET_LOCATION, output.clone().into_value());
        assert_eq!(text(&response), format!("<LocationConstraint xmlns=\"{namespace}\">{inside}</LocationConstraint>"));
        let headers = answered(&response);
        let answer = Answer { status: 200, headers: &headers, body: response.body.whole().unwrap() };
        let read = codec_of(&s3::SERVICE).decode_response(&s3::GET_BUCKET_LOCATION, &answer).unwrap();
        assert_eq!(s3::GetBucketLocationOutput::from_value(read).unwrap(), output);
    }
}

#[needs()]
fn a_grantees_type_is_an_attribute() {
    let grantee = s3::Grantee { r#type: "Canonical\"User".to_owned(), id: Some("1".to_owned()), ..Default::default() };
    let grant = s3::Grant { grantee: Some(grantee), permission: Some("READ".to_owned()) };
    let output = s3::GetBucketAclOutput { grants: Some(vec![grant]), owner: None };
    let response = written(&s3::SERVICE, &s3::GET_BUCKET_ACL, output.clone().into_value());
    let expected = "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Canonical&quot;User\"><ID>1</ID></Grantee>";
    assert!(text(&response).contains(expected), "{}", text(&response));
}

#[needs()]
fn errors_are_bare_in_s3_and_wrapped_elsewhere() {
    let fault = Fault::sender("NoSuchKey", "no <such> key").with_status(404);
    let response = codec_of(&s3::SERVICE).encode_error(&s3::SERVICE, &fault, "id");
    let bare = "<Error><Code>NoSuchKey</Code><Message>no &lt;such&gt; key</Message><RequestId>id</RequestId></Error>";
    assert_eq!(text(&response), bare);
    let response = codec_of(&route53::SERVICE).encode_error(&route53::SERVICE, &fault, "id");
    assert_eq!(
        text(&response),
        "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type><Code>NoSuchKey</Code>\
         <Message>no &lt;such&gt; key</Message></Error><RequestId>id</RequestId></ErrorResponse>"
    );
}

#[needs()]
fn an_error_after_the_status_of_a_success_is_one_in_s3() {
    let codec = codec_of(&s3::SERVICE);
    let fault = Fault::sender("InternalError", "try again").with_status(200);
    let response = codec.encode_error(&s3::SERVICE, &fault, "id");
    assert_eq!(response.status, 200);
    let headers = answered(&response);
    let answer = Answer { status: 200, headers: &headers, body: response.body.whole().unwrap() };
    assert_eq!(codec.late_error(&answer), Some(fault));
    let listed = Answer { body: b"<ListPartsResult><Error>x</Error></ListPartsResult>", ..answer };
    assert_eq!(codec.late_error(&listed), None);
    assert_eq!(codec_of(&route53::SERVICE).late_error(&answer), None);
}

#[needs()]
fn elements_and_parameters_that_nobody_knows_are_reported() {
    let body = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value><Colour/></Tag></TagSet><More><A/></More></Tagging>";
    let request = request("/b", "tagging&x-id=PutBucketTagging&other=1&X-Amz-Date=x", &[], body);
    let decoded = codec_of(&s3::SERVICE).decode_request(&s3::PUT_BUCKET_TAGGING, &request).unwrap();
    assert_eq!(decoded.unknown, ["TagSet[0].Colour", "More", "other"]);
    let expected = r#"{"Tagging":{"TagSet":[{"Key":"k","Value":"v"}]},"Bucket":"b"}"#;
    assert_eq!(to_json(&decoded.value).to_string(), expected);
}

#[needs()]
fn malformed_xml_is_refused_in_s3s_words() {
    let codec = codec_of(&s3::SERVICE);
    for body in [&b"<Tagging>"[..], b"x", b"\xff", &b"<a/>".repeat(200_000)] {
        let error = codec.decode_request(&s3::PUT_BUCKET_TAGGING, &request("/b", "tagging", &[], body)).unwrap_err();
        assert_eq!(codec.refusal(&error).code, "MalformedXML");
    }
}

fn blob() -> BlobRef {
    BlobRef { digest: Digest::new([7; 32]), length: 5 << 20 }
}

#[needs()]
fn a_stored_body_is_a_reference_in_the_request_and_in_the_answer() {
    let codec = codec_of(&s3::SERVICE);
    let headers = [("x-amz-meta-Colour", "red"), ("content-type", "text/plain")];
    let head = request("/b/a%20b//", "", &headers, b"");
    let decoded = codec.decode_stored(&s3::PUT_OBJECT, &head, blob()).unwrap();
    let input = s3::PutObjectInput::from_value(decoded.value).unwrap();
    assert_eq!((input.key.as_str(), input.content_type.as_deref()), ("a b//", Some("text/plain")));
    assert_eq!(input.metadata, Some(BTreeMap::from([("Colour".to_owned(), "red".to_owned())])));
    assert_eq!(input.body, Some(StreamingBlob::Stored(blob().into())));

    let part = Stored { blob: blob(), range: 10..20 };
    let output = s3::GetObjectOutput { body: Some(StreamingBlob::Stored(part.clone())), ..Default::default() };
    let response = written(&s3::SERVICE, &s3::GET_OBJECT, output.into_value());
    assert_eq!(response.body, Body::Stored(part));
}

#[needs()]
fn an_operation_that_reads_its_body_as_a_whole_takes_none_that_is_stored() {
    for (service, operation) in [
        (&s3::SERVICE, &s3::PUT_BUCKET_TAGGING),
        (&s3::SERVICE, &s3::GET_OBJECT),
        (&route53::SERVICE, &route53::CREATE_HOSTED_ZONE),
        (&neargate_api::ecs::SERVICE, &neargate_api::ecs::RUN_TASK),
        (&neargate_api::lambda::SERVICE, &neargate_api::lambda::CREATE_FUNCTION),
    ] {
        let codec = codec_of(service);
        let error = codec.decode_stored(operation, &request("/b", "", &[], b""), blob()).unwrap_err();
        assert_eq!((&error, codec.refusal(&error).status), (&DecodeError::NotStreaming, 413), "{}", operation.name);
    }
}

/// What a caller sends never becomes a reference: nobody reads the bytes of another by naming their digest.
#[needs()]
fn no_message_names_stored_bytes() {
    let reference = serde_json::to_string(&blob()).unwrap();
    for body in [reference.as_str(), "{\"$stored\":1}"] {
        let json = serde_json::from_str(body).unwrap();
        assert!(neargate_shape::from_json(StreamingBlob::shape(), json, &mut Vec::new()).is_err());
        let request = request("/b/k", "", &[], body.as_bytes());
        let decoded = codec_of(&s3::SERVICE).decode_request(&s3::PUT_OBJECT, &request).unwrap();
        assert_eq!(decoded.value.get("Body"), Some(&Value::Blob(body.as_bytes().to_vec())));
    }
}
