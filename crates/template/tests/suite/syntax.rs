//! What is said of texts that cannot be read, and how YAML is read.

use expect_test::expect;
use neargate_template::Template;

use crate::said::check;

#[test]
fn broken_json() {
    check(
        "{\n  \"Resources\": {\n    \"A\" {}\n  }\n}",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as JSON: expected `:`
          at t.yaml:3:9
        aws: Template format error: JSON not well-formed. (line 3, column 9)"#]],
    );
}

#[test]
fn broken_yaml() {
    check(
        "Resources:\n  A: [1, 2\n  B: x\n",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as YAML: illegal placement of ':' indicator
          at t.yaml:3:4
        aws: Template format error: YAML not well-formed. (line 3, column 4)"#]],
    );
}

#[test]
fn json_that_only_yaml_could_read() {
    check(
        "{Resources: {A: {Type: AWS::SNS::Topic}}}",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as JSON: key must be a string
          at t.yaml:1:2
        aws: Template format error: JSON not well-formed. (line 1, column 2)"#]],
    );
    check(
        "{\"Resources\": {},}",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as JSON: trailing comma
          at t.yaml:1:18
        aws: Template format error: JSON not well-formed. (line 1, column 18)"#]],
    );
}

#[test]
fn nothing_at_all() {
    check(
        "",
        expect![[r#"
        error[NG-T0002]: a template is an object with `Resources`, got nothing
          at t.yaml
        aws: Template format error: unsupported structure."#]],
    );
    check(
        "just text",
        expect![[r#"
        error[NG-T0002]: a template is an object with `Resources`, got `"just text"`
          at t.yaml
        aws: Template format error: unsupported structure."#]],
    );
    check(
        "Resources: {}",
        expect![[r#"
        error[NG-T0002]: a template needs at least one resource in `Resources`
          t.yaml:1:1
        aws: Template format error: At least one Resources member must be defined."#]],
    );
}

#[test]
fn aliases_and_merge_keys() {
    check(
        "Metadata: &a {x: 1}\nResources: *a\n",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as YAML: aliases (`*name`) are not supported by CloudFormation; write the value out
          at t.yaml:2:12
        aws: Template format error: YAML not well-formed. (line 2, column 12)"#]],
    );
    check(
        "Resources:\n  A:\n    <<: {Type: X}\n",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as YAML: merge keys (`<<`) are not supported by CloudFormation
          at t.yaml:3:5
        aws: Template format error: YAML not well-formed. (line 3, column 5)"#]],
    );
}

#[test]
fn a_second_document() {
    check(
        "Resources: {}\n---\nResources: {}\n",
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as YAML: a template is one YAML document, got a second one
          at t.yaml:3:1
        aws: Template format error: YAML not well-formed. (line 3, column 1)"#]],
    );
}

#[test]
fn keys_given_twice() {
    check(
        "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Type: AWS::SQS::Queue\n",
        expect![[r#"
        warning[NG-T0012]: `Type` is given twice here; the last one counts
          at t.yaml:4:5
        aws: accepted"#]],
    );
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{{\"Resources\": {}1{}}}", "[".repeat(110), "]".repeat(110));
    check(
        &deep,
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as JSON: nested more than 100 levels deep
          at t.yaml:1:1
        aws: Template format error: JSON not well-formed. (line 1, column 1)"#]],
    );
    check(
        &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as JSON: recursion limit exceeded
          at t.yaml:1:128
        aws: Template format error: JSON not well-formed. (line 1, column 128)"#]],
    );
    check(
        &format!("A: {}", "- ".repeat(5_000)),
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as YAML: block sequence entries are not allowed in this context
          at t.yaml:1:4
        aws: Template format error: YAML not well-formed. (line 1, column 4)"#]],
    );
    check(
        &format!("Resources:\n  A: {}x", "!Not [".repeat(200)),
        expect![[r#"
        error[NG-T0001]: `t.yaml` is not readable as YAML: nested more than 100 levels deep
          at t.yaml:2:300
        aws: Template format error: YAML not well-formed. (line 2, column 300)"#]],
    );
}

#[test]
fn yaml_as_people_write_it() {
    let text = include_str!("../data/handwritten.yaml");
    check(text, expect!["aws: accepted"]);
    let (template, _) = Template::parse(text, "t.yaml");
    let properties = &template.unwrap().document["Resources"]["Role"]["Properties"];
    let lines: Vec<String> =
        properties.as_object().unwrap().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    expect![[r#"
        AssumeRolePolicyDocument: {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"]},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}}]}
        ManagedPolicyArns: [{"Fn::If":["Both",{"Fn::Sub":"arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"},{"Ref":"AWS::NoValue"}]}]
        Description: {"Fn::Sub":["runs ${What}\nat ${!night}\n",{"What":{"Fn::Join":[" ",["the",{"Fn::Select":[0,{"Fn::Split":[",","task,x"]}]}]]}}]}"#]].assert_eq(&lines.join("\n"));
}
