//! What is refused before anything is made.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::toys::deeds;
use crate::{call, check, create, harness, refused, status, template, with};

#[test]
fn unknown_types_are_refused_by_name_before_anything_is_made() {
    let mut harness = harness();
    let template = json!({
        "Conditions": { "Never": { "Fn::Equals": ["a", "b"] } },
        "Resources": {
            "A": { "Type": "Toy::Box::Thing" }, "Q": { "Type": "AWS::SQS::Queue" }, "P": { "Type": "AWS::SQS::Queue" },
            "B": { "Type": "AWS::S3::Bucket", "Condition": "Never" }, "C": { "Type": "Custom::Thing" },
        },
    });
    let fault = harness.call("cloudformation", "CreateStack", with("s", &template, json!({}))).unwrap_err();
    check(
        &format!("{fault}\nhint: {}\n", fault.hint.clone().unwrap_or_default()),
        expect![[r#"
        ValidationError: Template format error: Unrecognized resource types: [AWS::S3::Bucket, AWS::SQS::Queue, Custom::Thing]
        hint: Neargate does not run these resources yet, and made none: `Q` (AWS::SQS::Queue), `P` (AWS::SQS::Queue), `B` (AWS::S3::Bucket), `C` (Custom::Thing)
    "#]],
    );
    assert_eq!(deeds(&harness), [""; 0]);
    assert_eq!(call(&mut harness, "ListStacks", json!({}))["StackSummaries"], json!([]));
}

#[test]
fn what_cannot_be_run_is_refused_with_its_line_before_anything_is_made() {
    let mut harness = harness();
    let text = "Parameters: {P: {Type: String, Default: x}}
Conditions: {Never: !Equals [a, b]}
Resources:
  A:
    Type: Toy::Box::Thing
    Properties:
      Cannot:
        - !Sub 'a ${P}'
        - !GetAtt C.Arn
  B: {Type: Toy::Box::Thing, Condition: Never, Properties: {Cannot: [b]}}
  C: {Type: Toy::Box::Other, Properties: {Cannot: !If [Never, [c], []]}}
";
    let input = json!({ "StackName": "s", "TemplateBody": text });
    let fault = harness.call("cloudformation", "CreateStack", input).unwrap_err();
    assert_eq!(fault.status, 501);
    check(
        &format!("{fault}\nhint: {}\n", fault.hint.clone().unwrap_or_default()),
        expect![[r#"
        NotImplemented: Neargate cannot run this template: Resources.A.Properties.Cannot[0] (template:8:11): no "a x" here; Resources.A.Properties.Cannot[1] (template:9:11): no null here
        hint: nothing was made; leave it out to try the rest, for instance with a condition that is false here
    "#]],
    );
    assert_eq!(deeds(&harness), [""; 0]);
    assert_eq!(call(&mut harness, "ListStacks", json!({}))["StackSummaries"], json!([]));
}

#[test]
fn a_template_is_no_larger_than_awss_limits() {
    let mut harness = harness();
    let small = template(json!({ "A": {} })).to_string();
    let padded = |bytes: usize| format!("{small}{}", " ".repeat(bytes - small.len()));
    let mut create = |name: &str, input: Json| {
        let mut all = json!({ "StackName": name });
        all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        harness.call("cloudformation", "CreateStack", all).map(drop).map_err(|fault| fault.to_string())
    };
    assert_eq!(create("a", json!({ "TemplateBody": padded(51_200) })), Ok(()));
    let fault = create("b", json!({ "TemplateBody": padded(51_201) })).unwrap_err();
    check(
        &fault,
        expect![
            "ValidationError: 1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200"
        ],
    );
    let keep = |harness: &mut neargate_testkit::Harness, text: String| {
        harness.perform(|cx| neargate_cloudformation::uploads::keep(cx, text)).unwrap()
    };
    let url = keep(&mut harness, padded(1_000_000));
    let by_url = |url: &str| json!({ "StackName": "c", "TemplateURL": url });
    harness.call("cloudformation", "CreateStack", by_url(&url)).unwrap();
    assert_eq!(status(&mut harness, "c"), "CREATE_COMPLETE");
    let fault =
        harness.call("cloudformation", "CreateStack", json!({ "StackName": "d", "TemplateURL": url })).unwrap_err();
    assert_eq!(fault.status, 501, "a template is handed over for one call");
    let url = keep(&mut harness, padded(1_000_001));
    let input = json!({ "StackName": "e", "TemplateURL": url });
    let fault = harness.call("cloudformation", "CreateStack", input).unwrap_err();
    check(&fault.to_string(), expect!["ValidationError: Template may not exceed 1000000 bytes in size."]);
    for _ in 0..40 {
        keep(&mut harness, small.clone());
    }
    let uploads = harness.rows().iter().filter(|row| row.table == "cloudformation.upload").count();
    assert_eq!(uploads, 16, "what nobody names does not pile up");
}

#[test]
fn roles_need_a_capability() {
    let mut harness = harness();
    let role = template(json!({ "R": { "Type": "AWS::IAM::Role", "AssumeRolePolicyDocument": {} } }));
    let named = template(json!({ "R": { "Type": "AWS::IAM::Role", "RoleName": "r", "AssumeRolePolicyDocument": {} } }));
    check(
        &refused(&mut harness, "CreateStack", with("s", &role, json!({}))),
        expect!["InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]"],
    );
    let iam = json!({ "Capabilities": ["CAPABILITY_IAM"] });
    check(
        &refused(&mut harness, "CreateStack", with("s", &named, iam)),
        expect!["InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]"],
    );
    let both = json!({ "Capabilities": ["CAPABILITY_NAMED_IAM"] });
    call(&mut harness, "CreateStack", with("s", &role, both));
    assert_eq!(status(&mut harness, "s"), "CREATE_COMPLETE");
    let valid = call(&mut harness, "ValidateTemplate", json!({ "TemplateBody": named.to_string() }));
    check(
        &format!("{} {}", valid["Capabilities"], valid["CapabilitiesReason"]),
        expect![[r#"["CAPABILITY_NAMED_IAM"] "The following resource(s) require capabilities: [AWS::IAM::Role]""#]],
    );
}

#[test]
fn calls_that_make_no_sense_are_refused_in_awss_words() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": {} }));
    let thing = template(json!({ "A": {} }));
    let mut lines = String::new();
    for (operation, input) in [
        ("CreateStack", with("s", &thing, json!({}))),
        ("CreateStack", with("1", &thing, json!({}))),
        ("CreateStack", json!({ "StackName": "t" })),
        ("CreateStack", json!({ "StackName": "t", "TemplateBody": "Resources: {}" })),
        ("CreateStack", with("t", &thing, json!({ "Parameters": [{ "ParameterKey": "P", "ParameterValue": "1" }] }))),
        (
            "CreateStack",
            with(
                "t",
                &json!({ "Parameters": { "P": { "Type": "String" } }, "Resources": thing["Resources"] }),
                json!({}),
            ),
        ),
        ("CreateStack", with("t", &template(json!({ "A": { "Refs": ["B"] } })), json!({}))),
        ("UpdateStack", with("none", &thing, json!({}))),
        ("UpdateStack", with("s", &template(json!({ "A": { "Type": "Toy::Box::Other" } })), json!({}))),
        ("DescribeStacks", json!({ "StackName": "none" })),
        ("DescribeStackEvents", json!({ "StackName": "none" })),
        ("DescribeStackResources", json!({ "StackName": "none" })),
        ("DescribeStackResource", json!({ "StackName": "none", "LogicalResourceId": "A" })),
        ("DescribeStackResource", json!({ "StackName": "s", "LogicalResourceId": "B" })),
        ("GetTemplate", json!({ "StackName": "none" })),
        ("ListStackResources", json!({ "StackName": "none" })),
    ] {
        lines.push_str(&format!("{operation}: {}\n", refused(&mut harness, operation, input)));
    }
    check(
        &lines,
        expect![[r#"
        CreateStack: AlreadyExistsException: Stack [s] already exists
        CreateStack: ValidationError: 1 validation error detected: Value '1' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*
        CreateStack: ValidationError: Either Template URL or Template Body must be specified.
        CreateStack: ValidationError: Template format error: At least one Resources member must be defined.
        CreateStack: ValidationError: Parameters: [P] do not exist in the template
        CreateStack: ValidationError: Parameters: [P] must have values
        CreateStack: ValidationError: Template format error: Unresolved resource dependencies [B] in the Resources block of the template
        UpdateStack: ValidationError: Stack [none] does not exist
        UpdateStack: ValidationError: Update of resource type is not permitted. The new template modifies resource type of the following resources: [A]
        DescribeStacks: ValidationError: Stack with id none does not exist
        DescribeStackEvents: ValidationError: Stack [none] does not exist
        DescribeStackResources: ValidationError: Stack with id none does not exist
        DescribeStackResource: ValidationError: Stack 'none' does not exist
        DescribeStackResource: ValidationError: Resource B does not exist for stack s
        GetTemplate: ValidationError: Stack with id none does not exist
        ListStackResources: ValidationError: Stack with id none does not exist
    "#]],
    );
    assert_eq!(deeds(&harness), ["make A-1"]);
    call(&mut harness, "DeleteStack", json!({ "StackName": "none" }));
}

#[test]
fn what_is_not_acted_on_is_said() {
    let mut harness = harness();
    let more = json!({ "TimeoutInMinutes": 5, "Tags": [{ "Key": "k", "Value": "v" }] });
    call(&mut harness, "CreateStack", with("s", &template(json!({ "A": { "Idle": 1 } })), more));
    let said: Vec<_> = harness.notices.iter().map(|it| format!("{} {}", it.subject, it.text)).collect();
    check(
        &said.join("\n"),
        expect![[r#"
        cloudformation:CreateStack TimeoutInMinutes recorded; not acted on
        cloudformation:CreateStack Tags recorded; not acted on
        A Toy::Box::Thing `Idle` is recorded"#]],
    );
}
