//! Lists in pages, and tags.

use expect_test::expect;
use neargate_testkit::List;
use serde_json::{Value as Json, json};

use crate::world::{call, harness, refused, target};

const TOKEN: (&str, &str) = ("NextToken", "NextToken");

fn list(operation: &'static str, items: &'static str, input: Json) -> List<'static> {
    List { service: "events", operation, input, items, token: TOKEN }
}

#[test]
fn every_list_goes_page_by_page_and_refuses_foreign_tokens() {
    let mut harness = harness();
    for at in 0..5 {
        call(&mut harness, "CreateEventBus", json!({"Name": format!("bus{at}")}));
        call(&mut harness, "PutRule", json!({"Name": format!("rule{at}"), "EventPattern": r#"{"source":["app"]}"#}));
        let rule = format!("rule{at}");
        call(&mut harness, "PutTargets", json!({"Rule": rule, "Targets": [target(json!({}))]}));
        call(
            &mut harness,
            "PutTargets",
            json!({"Rule": "rule0", "Targets": [target(json!({"Id": format!("x{}", 9 - at)}))]}),
        );
        call(&mut harness, "RemoveTargets", json!({"Rule": "rule0", "Ids": ["t"]}));
    }
    let arn = "arn:aws:ecs:eu-west-1:000000000000:cluster/default";
    let lists = |limit: i32| {
        [
            list("ListEventBuses", "EventBuses", json!({"Limit": limit})),
            list("ListRules", "Rules", json!({"Limit": limit})),
            list("ListRuleNamesByTarget", "RuleNames", json!({"Limit": limit, "TargetArn": arn})),
            list("ListTargetsByRule", "Targets", json!({"Limit": limit, "Rule": "rule0"})),
        ]
    };
    let prefixed = list("ListRules", "Rules", json!({"Limit": 2, "NamePrefix": "rule"}));
    let mut tokens: Vec<String> = lists(2).iter().map(|list| list.second(&mut harness).unwrap()).collect();
    tokens.push(prefixed.second(&mut harness).unwrap());
    for (at, (small, whole)) in lists(2).iter().zip(lists(100)).enumerate() {
        let (small_pages, whole) = (small.pages(&mut harness).unwrap(), whole.pages(&mut harness).unwrap());
        assert_eq!(whole.len(), 1, "{}", small.operation);
        assert!(small_pages.len() > 2 && small_pages.concat() == whole[0], "{}", small.operation);
        let mut others = tokens.clone();
        others.remove(at);
        let refusals = small.refusals(&mut harness, &others).unwrap();
        assert_eq!(refusals, ["ValidationException: The NextToken that was given is not valid for this request."]);
    }
}

#[test]
fn tags_that_are_refused() {
    let mut harness = harness();
    call(&mut harness, "PutRule", json!({"Name": "r", "EventPattern": r#"{"source":["app"]}"#}));
    let arn = "arn:aws:events:eu-west-1:000000000000:rule/r";
    let mut tag = |tags: &[(&str, &str)]| {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        refused(&mut harness, "TagResource", json!({"ResourceARN": arn, "Tags": tags}))
    };
    expect!["ValidationException: aws: prefixed tag key names are not allowed for external use."]
        .assert_eq(&tag(&[("a", "1"), ("aws:x", "1")]));
    expect!["ValidationException: Duplicate tag key: a"].assert_eq(&tag(&[("a", "1"), ("a", "2")]));
    let many: Vec<String> = (0..51).map(|at| at.to_string()).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "v")).collect();
    expect!["LimitExceededException: A resource can have up to 50 tags."].assert_eq(&tag(&many));
    call(
        &mut harness,
        "TagResource",
        json!({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}),
    );
    call(&mut harness, "TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "3"}]}));
    expect![[r#"{"Tags":[{"Key":"a","Value":"3"},{"Key":"b","Value":"2"}]}"#]]
        .assert_eq(&call(&mut harness, "ListTagsForResource", json!({"ResourceARN": arn})).to_string());
    expect!["ResourceNotFoundException: Resource arn:aws:events:eu-west-1:000000000000:rule/x does not exist."]
        .assert_eq(&refused(
            &mut harness,
            "ListTagsForResource",
            json!({"ResourceARN": arn.replace("rule/r", "rule/x")}),
        ));
}
