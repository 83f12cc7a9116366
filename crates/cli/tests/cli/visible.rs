//! Events in the form that rules see, at an engine's control endpoint.

use neargate_testkit::needs::needs;
use serde_json::{Value as Json, json};

use crate::client::tell;
use crate::running::Running;

const TEMPLATE: &str = r#"Resources:
  Uploads:
    Type: AWS::Events::Rule
    Properties:
      Name: uploads
      EventPattern: { source: [aws.s3], detail-type: [Object Created] }
"#;

#[needs(containers)]
fn an_event_of_a_service_meets_its_rule_and_what_is_none_is_refused() {
    let engine = Running::start(TEMPLATE, "template = \"task.yaml\"\n");
    let event = |source: &str| json!({ "source": source, "detail-type": "Object Created", "detail": {} });
    let (status, answer) = tell(&engine.port, "events", &json!([event("aws.s3"), event("aws.ecr")]));
    assert_eq!(status, 200, "{answer}");
    let answer: Json = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["events"][0]["matched"][0]["rule"], "uploads");
    assert_eq!(answer["events"][1]["matched"], json!([]));
    let (status, answer) = tell(&engine.port, "events?region=eu-west-1", &json!([event("aws.s3")]));
    assert_eq!((status, answer.contains(r#""matched":[]"#)), (200, true), "{answer}");
    let list = crate::client::call(&engine.port, "mars-1", &neargate_api::events::SERVICE, "ListRules", json!({}));
    assert_eq!(
        list.unwrap_err(),
        "InvalidSignatureException: Credential should be scoped to a valid region, not 'mars-1'."
    );
    let refused = [
        tell(&engine.port, "events", &json!([{ "source": "aws.s3" }])),
        tell(&engine.port, "events?bus=none", &json!([event("aws.s3")])),
        tell(&engine.port, "events?account=me", &json!([event("aws.s3")])),
    ];
    let expected = [
        (400, "event 1: `detail-type` is missing\n"),
        (404, "Event bus none does not exist.\n"),
        (400, "`me` is no account, expected twelve digits\n"),
    ];
    assert_eq!(refused, expected.map(|(status, text)| (status, text.to_owned())));
}
