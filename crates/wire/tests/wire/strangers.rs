//! Services of AWS's that are not here: their clients read why.

use neargate_shape::scalar;
use neargate_testkit::needs::needs;
use neargate_wire::{Fault, Request, is_of_aws, refuse_in_kind};
use serde_json::{Value as Json, json};

use crate::botocore::Sent;
use crate::oracle::Oracle;

/// Service, protocol, operation and its input, each as botocore's clients have them.
fn cases() -> Vec<(&'static str, &'static str, &'static str, Json)> {
    let object = json!({ "Bucket": "bucket", "Key": "a/b" });
    vec![
        ("s3", "rest-xml", "ListBuckets", json!({})),
        ("s3", "rest-xml", "GetObject", object.clone()),
        ("s3", "rest-xml", "PutObject", object),
        ("s3control", "rest-xml", "ListJobs", json!({ "AccountId": "000000000000" })),
        ("route53", "rest-xml", "ListHostedZones", json!({})),
        ("cloudfront", "rest-xml", "ListDistributions", json!({})),
        ("sqs", "json", "ListQueues", json!({})),
        ("sqs", "query", "ListQueues", json!({})),
        ("sns", "query", "ListTopics", json!({})),
        ("rds", "query", "DescribeDBInstances", json!({})),
        ("elbv2", "query", "DescribeLoadBalancers", json!({})),
        ("autoscaling", "query", "DescribeAutoScalingGroups", json!({})),
        ("cloudwatch", "query", "ListMetrics", json!({})),
        ("cloudwatch", "json", "ListMetrics", json!({})),
        ("cloudwatch", "smithy-rpc-v2-cbor", "ListMetrics", json!({})),
        ("ec2", "ec2", "DescribeInstances", json!({})),
        ("dynamodb", "json", "ListTables", json!({})),
        ("ecr", "json", "DescribeRepositories", json!({})),
        ("application-autoscaling", "json", "DescribeScalableTargets", json!({ "ServiceNamespace": "ecs" })),
        ("batch", "rest-json", "ListJobs", json!({ "jobQueue": "q" })),
        ("efs", "rest-json", "DescribeFileSystems", json!({})),
        ("scheduler", "rest-json", "GetSchedule", json!({ "Name": "s" })),
        ("sesv2", "rest-json", "ListEmailIdentities", json!({})),
        ("apigateway", "rest-json", "GetRestApis", json!({})),
    ]
}

#[needs(botocore)]
fn clients_of_services_that_are_not_here_read_why() {
    let mut oracle = Oracle::start();
    let fault = Fault { code: "NotImplemented".to_owned(), message: "not <here> & now".to_owned(), status: 501 };
    for (service, protocol, operation, value) in cases() {
        let context = format!("{service} {operation} in {protocol}");
        let ask = json!({"do": "serialize", "service": service, "operation": operation, "value": value, "protocol": protocol});
        let sent = Sent::from_json(&oracle.ask(&ask));
        let name = oracle.ask(&json!({"do": "signing_name", "service": service}))["name"].clone();
        let name = name.as_str().unwrap();
        assert!(is_of_aws(name), "{context}");
        let scope = format!("AK/20261121/eu-west-1/{name}/aws4_request");
        let header = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        let in_query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-SignedHeaders=host&X-Amz-Signature=00",
            scope.replace('/', "%2F")
        );
        for is_presigned in [false, true] {
            let response = sent.with(|request| {
                let mut headers = request.headers.to_vec();
                let query = format!("{}&{in_query}", request.query);
                if is_presigned {
                    return refuse_in_kind(&Request { query: &query, ..*request }, &fault, "request-1");
                }
                headers.push(("authorization", &header));
                refuse_in_kind(&Request { headers: &headers, ..*request }, &fault, "request-1")
            });
            let ask = json!({
                "do": "error", "service": service, "operation": operation, "protocol": protocol, "status": response.status,
                "headers": response.headers, "body": scalar::base64_encode(response.body.whole().unwrap()),
            });
            let error = oracle.ask(&ask);
            let read = (&error["code"], &error["message"], &error["request_id"]);
            assert_eq!(read, (&json!("NotImplemented"), &json!("not <here> & now"), &json!("request-1")), "{context}");
        }
    }
}

/// A client that signs for a name that AWS does not have, or nothing that can be read, is answered by what its request looks like.
#[needs()]
fn a_request_without_a_known_scope_is_answered_by_its_looks() {
    let fault = Fault { code: "NotImplemented".to_owned(), message: "m".to_owned(), status: 501 };
    let answer = |headers: &[(&str, &str)], query: &str| {
        let request = Request { method: "POST", path: "/x", query, headers, body: b"" };
        let response = refuse_in_kind(&request, &fault, "1");
        let (_, content_type) = response.headers.into_iter().find(|(name, _)| *name == "content-type").unwrap();
        content_type
    };
    assert_eq!(answer(&[], ""), "application/json");
    assert_eq!(answer(&[("content-type", "application/xml")], ""), "text/xml");
    assert_eq!(answer(&[("content-type", "application/x-www-form-urlencoded")], ""), "text/xml");
    assert_eq!(answer(&[], "Action=A&Version=1"), "text/xml");
    let json = ("content-type", "application/x-amz-json-1.0");
    assert_eq!(answer(&[("x-amz-target", "A.B"), json], ""), "application/x-amz-json-1.0");
    assert_eq!(answer(&[("x-amz-target", "A.B")], ""), "application/x-amz-json-1.1");
    assert_eq!(answer(&[("smithy-protocol", "rpc-v2-cbor")], ""), "application/cbor");
    assert!(!is_of_aws("no-service") && is_of_aws("s3") && is_of_aws("aps") && is_of_aws("xray"));
}
