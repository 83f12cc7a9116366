//! Requests whose meaning is not plain.

use neargate_shape::ServiceShape;
use neargate_testkit::needs::needs;
use neargate_wire::{Identified, Request, identify};

fn meaning(headers: &[(&str, &str)], method: &str, target: &str, body: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match identify(&crate::services(), &Request { method, path, query, headers, body: body.as_bytes() }) {
        Identified::Operation(service, operation) => format!("{} {}", service.name, operation.name),
        Identified::Unimplemented(service, name) => format!("{} lacks {name}", service.name),
        Identified::UnknownOperation(service, name) => format!("{} knows no {name}", service.name),
        Identified::UnknownService(name) => format!("no service {name}"),
        Identified::NoApi => "no api".to_owned(),
    }
}

fn scope(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AK/20261121/eu-west-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
    )
}

#[needs()]
fn targets_name_service_and_operation() {
    let target = |target: &str| meaning(&[("X-Amz-Target", target)], "POST", "/", "{}");
    assert_eq!(target("AmazonEC2ContainerServiceV20141113.RunTask"), "ecs RunTask");
    assert_eq!(target("AmazonEC2ContainerServiceV20141113.UpdateCapacityProvider"), "ecs lacks UpdateCapacityProvider");
    assert_eq!(target("AmazonEC2ContainerServiceV20141113.Nonsense"), "ecs knows no Nonsense");
    assert_eq!(target("DynamoDB_20120810.GetItem"), "no service DynamoDB_20120810");
    assert_eq!(target("nothing"), "no service ");
}

#[needs()]
fn actions_are_told_apart_by_scope_then_version() {
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    assert_eq!(meaning(&[form], "POST", "/", "Action=DescribeVpcs&Version=2016-11-15"), "ec2 DescribeVpcs");
    assert_eq!(meaning(&[form], "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15"), "sts GetCallerIdentity");
    assert_eq!(meaning(&[], "GET", "/?Action=ListRoles&Version=2010-05-08", ""), "iam ListRoles");
    let signed = |service: &str, body: &str| meaning(&[form, ("authorization", &scope(service))], "POST", "/", body);
    assert_eq!(signed("iam", "Action=ListRoles&Version=1999-01-01"), "iam ListRoles");
    assert_eq!(signed("iam", "Action=CreateUser&Version=2010-05-08"), "iam lacks CreateUser");
    assert_eq!(signed("rds", "Action=DescribeDBInstances&Version=2014-10-31"), "no service rds");
    assert_eq!(meaning(&[form], "POST", "/", "Action=ListRoles&Version=2000-01-01"), "no service ");
    assert_eq!(meaning(&[], "POST", "/", "Action=ListRoles&Version=2010-05-08"), "iam ListRoles");
    assert_eq!(meaning(&[], "PUT", "/bucket/key", "Action=ListRoles&Version=2010-05-08"), "s3 PutObject");
}

#[needs()]
fn paths_name_operations_of_rest_services() {
    let authorization = scope("lambda");
    let signed = [("authorization", authorization.as_str())];
    assert_eq!(meaning(&signed, "GET", "/2015-03-31/functions/f%3A1", ""), "lambda GetFunction");
    assert_eq!(meaning(&signed, "GET", "/2015-03-31/functions/", ""), "lambda ListFunctions");
    assert_eq!(meaning(&[], "GET", "/2015-03-31/functions/?MaxItems=1", ""), "lambda ListFunctions");
    assert_eq!(meaning(&signed, "PUT", "/elsewhere", ""), "lambda knows no PUT /elsewhere");
    assert_eq!(meaning(&[], "GET", "/2013-04-01/hostedzone/Z1", ""), "route53 GetHostedZone");
    let without_paths = |service: &&ServiceShape| service.name != "s3";
    let services: Vec<_> = crate::services().into_iter().filter(without_paths).collect();
    let request = Request { method: "GET", path: "/favicon.ico", query: "", headers: &[], body: b"" };
    assert!(matches!(identify(&services, &request), Identified::NoApi));
}

/// The path is a bucket or a key; query string and headers say which of the operations on it is meant.
#[needs()]
fn s3_is_told_apart_by_query_string_and_headers() {
    let copy = ("x-amz-copy-source", "a/b");
    for (headers, method, target, expected) in [
        (&[][..], "GET", "/", "ListBuckets"),
        (&[], "GET", "/b", "ListObjects"),
        (&[], "GET", "/b/?list-type=2&prefix=x", "ListObjectsV2"),
        (&[], "GET", "/b?list-type=1", "ListObjects"),
        (&[], "GET", "/b?versions", "ListObjectVersions"),
        (&[], "GET", "/b?uploads=", "ListMultipartUploads"),
        (&[], "GET", "/b?location", "GetBucketLocation"),
        (&[], "HEAD", "/b/", "HeadBucket"),
        (&[], "PUT", "/b", "CreateBucket"),
        (&[], "PUT", "/b?acl", "PutBucketAcl"),
        (&[], "POST", "/b?delete", "DeleteObjects"),
        (&[], "GET", "/b/k", "GetObject"),
        (&[], "GET", "/b/k/?x-id=GetObject", "GetObject"),
        (&[], "GET", "/b//", "GetObject"),
        (&[], "GET", "/b/k?tagging", "GetObjectTagging"),
        (&[], "GET", "/b/k?uploadId=u&max-parts=3", "ListParts"),
        (&[], "PUT", "/b/k", "PutObject"),
        (&[copy], "PUT", "/b/k", "CopyObject"),
        (&[], "PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        (&[copy], "PUT", "/b/k?partNumber=1&uploadId=u", "UploadPartCopy"),
        (&[], "POST", "/b/k?uploads", "CreateMultipartUpload"),
        (&[], "POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
        (&[], "DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
        (&[], "DELETE", "/b/k?versionId=v", "DeleteObject"),
    ] {
        assert_eq!(meaning(headers, method, target, ""), format!("s3 {expected}"), "{method} {target}");
    }
}

#[needs()]
fn the_path_of_rpc_v2_names_service_and_operation() {
    let speaks = ("Smithy-Protocol", "rpc-v2-cbor");
    let path = |path: &str| meaning(&[speaks], "POST", path, "");
    let service = "/service/GraniteServiceVersion20100801/operation";
    assert_eq!(path(&format!("{service}/PutMetricData")), "cloudwatch PutMetricData");
    assert_eq!(path(&format!("/prefix{service}/PutMetricData")), "cloudwatch PutMetricData");
    assert_eq!(path(&format!("{service}/StopMetricStreams")), "cloudwatch lacks StopMetricStreams");
    assert_eq!(path(&format!("{service}/Nonsense")), "cloudwatch knows no Nonsense");
    assert_eq!(path("/service/Other/operation/PutMetricData"), "no service Other");
    assert_eq!(path("/"), "no service ");
}

#[needs()]
fn what_fits_no_service_of_its_scope_is_for_the_one_that_it_fits() {
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let signed = |service: &str, body: &str| meaning(&[form, ("authorization", &scope(service))], "POST", "/", body);
    for service in ["sts", "ecs", "sqs", "no-service"] {
        assert_eq!(signed(service, "Action=ListRoles&Version=2010-05-08"), "iam ListRoles", "{service}");
    }
    // What fits none is for that of its scope.
    assert_eq!(signed("sts", "Action=Nonsense&Version=2010-05-08"), "sts knows no Nonsense");
    assert_eq!(signed("sts", "Action=GetCallerIdentity&Version=1999-01-01"), "sts GetCallerIdentity");
    assert_eq!(signed("sqs", "Action=ListQueues&Version=2012-11-05"), "no service sqs");
    let on_path = |service: &str| meaning(&[("authorization", &scope(service))], "GET", "/2015-03-31/functions/f", "");
    assert_eq!(on_path("ecs"), "lambda GetFunction");
    assert_eq!(on_path("no-service"), "lambda GetFunction");
    // Another service of AWS's may have paths like these.
    assert_eq!(on_path("batch"), "no service batch");
    let presigned = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20261121%2Feu-west-1%2Fecs%2Faws4_request\
                     &X-Amz-SignedHeaders=host&X-Amz-Signature=00&Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(meaning(&[], "GET", presigned, ""), "sts GetCallerIdentity");
}
