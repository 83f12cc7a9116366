//! Values that are never shown.

use neargate_kernel::Row;
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

use crate::{call, status};

const SECRET: &str = "correct-horse-battery";

fn make(harness: &mut Harness, template: &Json) {
    call(harness, "CreateStack", json!({ "StackName": "s", "TemplateBody": template.to_string() }));
    harness.pass(1000);
}

fn toy(value: Json) -> Json {
    json!({ "Type": "Toy::Box::Thing", "Properties": { "Value": value } })
}

fn harness() -> Harness {
    let services = || {
        vec![
            neargate_cloudformation::service(),
            neargate_kms::service(),
            neargate_secretsmanager::service(),
            neargate_ssm::service(),
            crate::toys::toys(),
        ]
    };
    Harness::new(services, open_ports()).unwrap()
}

/// The tables whose rows hold a text, but for those that stand for the world outside of CloudFormation.
fn tables_with(harness: &mut Harness, text: &str) -> Vec<String> {
    let holds = |row: &Row| row.body.windows(text.len()).any(|part| part == text.as_bytes());
    let outside = |table: &str| table.starts_with("toy.") || table.starts_with("ssm.");
    let mut tables: Vec<_> = harness.rows().into_iter().filter(holds).map(|row| row.table).collect();
    tables.retain(|table| !outside(table));
    tables.sort();
    tables.dedup();
    tables
}

/// What a stack's caller sees of it, but for its outputs: AWS shows those as they are.
fn everything_shown(harness: &mut Harness, stack: &str) -> String {
    let by_name = json!({ "StackName": stack });
    let mut stacks = call(harness, "DescribeStacks", by_name.clone());
    stacks["Stacks"][0]["Outputs"] = Json::Null;
    let answers = ["DescribeStackEvents", "DescribeStackResources", "ListStackResources", "GetTemplate"]
        .map(|operation| call(harness, operation, by_name.clone()).to_string());
    let notices: Vec<_> = harness.notices.iter().map(|notice| format!("{notice:?}")).collect();
    format!("{stacks}\n{}\n{}", answers.join("\n"), notices.join("\n"))
}

/// A template whose properties hold the parameter in every way there is.
fn template(fail: &str) -> Json {
    let password = json!({ "Ref": "Password" });
    json!({
        "Parameters": { "Password": { "Type": "String", "NoEcho": true }, "Open": { "Type": "String", "Default": "seen" } },
        "Conditions": { "Is": { "Fn::Equals": [password, SECRET.len()] }, "IsGiven": { "Fn::Not": [{ "Fn::Equals": [password, ""] }] } },
        "Resources": {
            "Plain": toy(password.clone()),
            "Sub": toy(json!({ "Fn::Sub": "postgres://admin:${Password}@db/${Open}" })),
            "Base64": toy(json!({ "Fn::Base64": password })),
            "Join": toy(json!({ "Fn::Join": [":", ["a", password, "b"]] })),
            "Part": toy(json!({ "Fn::Select": [1, { "Fn::Split": ["-", password] }] })),
            "Chosen": toy(json!({ "Fn::If": ["IsGiven", { "Ref": "Open" }, "no"] })),
            "Bad": { "Type": "Toy::Box::Thing", "DependsOn": "Plain", "Properties": { "Value": password, "Fail": fail, "Loud": password } },
        },
        "Outputs": { "Shown": { "Value": password } },
    })
}

fn given() -> Json {
    json!([{ "ParameterKey": "Password", "ParameterValue": SECRET }])
}

#[test]
fn a_hidden_parameter_is_nowhere_but_in_the_resource_and_the_outputs() {
    for fail in ["never", "create"] {
        let mut harness = harness();
        let input = json!({ "StackName": "s", "TemplateBody": template(fail).to_string(), "Parameters": given() });
        call(&mut harness, "CreateStack", input);
        harness.pass(1000);
        let expected = if fail == "never" { "CREATE_COMPLETE" } else { "ROLLBACK_COMPLETE" };
        assert_eq!(status(&mut harness, "s"), expected);
        let shown = everything_shown(&mut harness, "s");
        for part in [SECRET, "horse", "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
        for text in ["****", "postgres://admin:****@db/seen", r#"\"Value\":\"seen\""#] {
            assert!(shown.contains(text), "{text} is not in {shown}");
        }
        assert_eq!(tables_with(&mut harness, SECRET), Vec::<String>::new());
        harness.restart().unwrap();
        assert_eq!(status(&mut harness, "s"), expected, "the sealed rows open again");
    }
}

#[test]
fn a_hidden_parameter_that_is_refused_is_not_in_the_refusal() {
    let mut harness = harness();
    let mut template = template("never");
    template["Parameters"]["Password"]["AllowedPattern"] = json!("[0-9]+");
    let input = json!({ "StackName": "s", "TemplateBody": template.to_string(), "Parameters": given() });
    let fault = harness.call("cloudformation", "CreateStack", input).unwrap_err();
    let shown = format!("{fault} {:?}", fault.hint);
    assert!(shown.contains("Password") && !shown.contains(SECRET), "{shown}");
}

fn with_secret(reference: &str) -> Json {
    json!({ "Resources": { "A": toy(json!(reference)) } })
}

fn put_secret(harness: &mut Harness, text: &str) {
    let made = harness.call("secretsmanager", "CreateSecret", json!({ "Name": "app/db", "SecretString": text }));
    made.unwrap();
}

/// What the toy in the world was given.
fn value_of_toy(harness: &mut Harness) -> Json {
    let rows = harness.rows();
    let toy = rows.iter().find(|row| row.table == "toy.thing").unwrap();
    serde_json::from_slice::<Json>(&toy.body).unwrap()["properties"]["Value"].clone()
}

#[test]
fn secrets_that_properties_refer_to_reach_the_resource_alone() {
    let whole = format!(r#"{{"user":"app","password":"{SECRET}","port":5432}}"#);
    let cases = [
        ("{{resolve:secretsmanager:app/db}}", whole.clone()),
        ("{{resolve:secretsmanager:app/db:SecretString:password}}", SECRET.to_owned()),
        ("{{resolve:secretsmanager:app/db:SecretString:port}}", "5432".to_owned()),
        (
            "db://{{resolve:secretsmanager:app/db:SecretString:user:AWSCURRENT}}:{{resolve:secretsmanager:app/db:SecretString:password::}}@h",
            format!("db://app:{SECRET}@h"),
        ),
    ];
    for (reference, expected) in cases {
        let mut harness = harness();
        put_secret(&mut harness, &whole);
        make(&mut harness, &with_secret(reference));
        assert_eq!(status(&mut harness, "s"), "CREATE_COMPLETE", "{reference}");
        assert_eq!(value_of_toy(&mut harness), json!(expected));
        let shown = everything_shown(&mut harness, "s");
        assert!(!shown.contains(SECRET), "{shown}");
        assert_eq!(tables_with(&mut harness, SECRET), Vec::<String>::new());
    }
}

#[test]
fn secrets_that_are_not_there_fail_the_resource() {
    let cases = [
        ("{{resolve:secretsmanager:none}}", "Secrets Manager can't find the specified secret."),
        ("{{resolve:secretsmanager:app/db:SecretString:key}}", "Could not parse SecretString JSON"),
        ("{{resolve:ssm-secure:/p:1}}", "SSM Secure reference is not supported in: [Toy::Box::Thing/Properties/Value]"),
    ];
    for (reference, text) in cases {
        let mut harness = harness();
        put_secret(&mut harness, SECRET);
        make(&mut harness, &with_secret(reference));
        assert_eq!(status(&mut harness, "s"), "ROLLBACK_COMPLETE");
        let shown = everything_shown(&mut harness, "s");
        assert!(shown.contains(text) && !shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_summary_shows_no_default_of_a_hidden_parameter() {
    let mut harness = harness();
    let mut template = template("never");
    template["Parameters"]["Password"]["Default"] = json!(SECRET);
    let summary = call(&mut harness, "GetTemplateSummary", json!({ "TemplateBody": template.to_string() }));
    assert!(!summary.to_string().contains(SECRET), "{summary}");
    assert_eq!(summary["Parameters"][0]["DefaultValue"], "****");
    assert_eq!(summary["Parameters"][0]["ParameterType"], "String");
    assert_eq!(summary["ResourceTypes"], json!(["Toy::Box::Thing"]));
}
