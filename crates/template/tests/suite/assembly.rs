//! Cloud assemblies.

use expect_test::expect;
use neargate_template::Assembly;

const MANIFEST: &str = r#"{
  "version": "55.0.0",
  "artifacts": {
    "App.assets": {"type": "cdk:asset-manifest", "properties": {"file": "App.assets.json"}},
    "App": {
      "type": "aws:cloudformation:stack",
      "environment": "aws://123456789012/eu-west-1",
      "properties": {"templateFile": "App.template.json", "stackName": "app-prod", "tags": {"team": "etl"},
        "parameters": {"Size": "small"}},
      "dependencies": ["Net", "App.assets"],
      "displayName": "App"
    },
    "Net": {
      "type": "aws:cloudformation:stack",
      "environment": "aws://unknown-account/unknown-region",
      "properties": {"templateFile": "Net.template.json"}
    },
    "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    "assembly-Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
  },
  "missing": [{"key": "vpc-provider:account=1", "provider": "vpc-provider", "props": {}}]
}"#;

#[test]
fn stacks_come_in_the_order_of_their_dependence() {
    let assembly = Assembly::parse(MANIFEST, "cdk.out/manifest.json").unwrap();
    expect![[r#"
        Assembly {
            version: "55.0.0",
            stacks: [
                AssemblyStack {
                    id: "Net",
                    name: "Net",
                    display_name: "Net",
                    template_file: "Net.template.json",
                    account: None,
                    region: None,
                    dependencies: [],
                    assets_file: None,
                    parameters: {},
                    tags: {},
                },
                AssemblyStack {
                    id: "App",
                    name: "app-prod",
                    display_name: "App",
                    template_file: "App.template.json",
                    account: Some(
                        "123456789012",
                    ),
                    region: Some(
                        "eu-west-1",
                    ),
                    dependencies: [
                        "Net",
                    ],
                    assets_file: Some(
                        "App.assets.json",
                    ),
                    parameters: {
                        "Size": "small",
                    },
                    tags: {
                        "team": "etl",
                    },
                },
            ],
            nested: [
                "assembly-Prod",
            ],
            missing: [
                MissingContext {
                    provider: "vpc-provider",
                    key: "vpc-provider:account=1",
                    props: Object {},
                },
            ],
        }
    "#]]
    .assert_debug_eq(&assembly);
}

#[test]
fn what_is_no_assembly_is_refused() {
    let refused = |text: &str| Assembly::parse(text, "manifest.json").unwrap_err().to_string();
    expect![[r#"
        error[NG-T0020]: the manifest is not readable as JSON: EOF while parsing an object at line 1 column 1
          at manifest.json:1:1

        hint: make it again with `cdk synth` or `neargate synth`"#]]
    .assert_eq(&refused("{"));
    expect![[r#"
        error[NG-T0020]: not the manifest of a cloud assembly: expected `version` and `artifacts`
          at manifest.json"#]]
    .assert_eq(&refused("{}"));
    expect![[r#"
        error[NG-T0020]: the stack `A` names no `templateFile`
          at manifest.json"#]]
    .assert_eq(&refused(
        r#"{"version": "1", "artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {}}}}"#,
    ));
    expect![[r#"
        error[NG-T0020]: these stacks depend on each other: `A` → `B` → `A`
          at manifest.json"#]]
    .assert_eq(&refused(
        r#"{"version": "1", "artifacts": {
            "A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a"}, "dependencies": ["B"]},
            "B": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "b"}, "dependencies": ["A"]}}}"#,
    ));
}
