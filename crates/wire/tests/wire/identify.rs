//! Requests whose meaning is not plain.

use neargate_testkit::needs::needs;
use neargate_wire::{Identified, Request, identify};

fn meaning(headers: &[(&str, &str)], method: &str, target: &str, body: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match identify(neargate_api::ALL, &Request { method, path, query, headers, body: body.as_bytes() }) {
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
    assert_eq!(meaning(&[], "PUT", "/bucket/key", "Action=ListRoles&Version=2010-05-08"), "no api");
}

#[needs()]
fn paths_name_operations_of_rest_services() {
    let authorization = scope("lambda");
    let signed = [("authorization", authorization.as_str())];
    assert_eq!(meaning(&signed, "GET", "/2015-03-31/functions/f%3A1", ""), "lambda GetFunction");
    assert_eq!(meaning(&signed, "GET", "/2015-03-31/functions/", ""), "lambda ListFunctions");
    assert_eq!(meaning(&[], "GET", "/2015-03-31/functions/?MaxItems=1", ""), "lambda ListFunctions");
    assert_eq!(meaning(&signed, "PUT", "/elsewhere", ""), "lambda knows no PUT /elsewhere");
    assert_eq!(meaning(&[], "GET", "/favicon.ico", ""), "no api");
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
