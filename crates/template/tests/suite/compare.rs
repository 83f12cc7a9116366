//! What differs between templates, and what a change set would do.

use std::collections::BTreeMap;

use expect_test::expect;
use neargate_template::{Evaluator, Template, plan, plan_evaluated, resolve_parameters, semantic_diff};

use crate::fake::{Fake, sound};

fn differences(first: &str, second: &str) -> String {
    let found = semantic_diff(&sound(first), &sound(second));
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_makes_no_difference() {
    let hash = "0123456789abcdef".repeat(4);
    let first = format!(
        "{{\"Description\": \"one\", \"Conditions\": {{\"CDKMetadataAvailable\": {{\"Fn::Equals\": [1, 1]}}}}, \"Resources\": {{
            \"CDKMetadata\": {{\"Type\": \"AWS::CDK::Metadata\", \"Condition\": \"CDKMetadataAvailable\"}},
            \"A\": {{\"Type\": \"T::T::T\", \"DependsOn\": \"B\", \"Metadata\": {{\"x\": 1}}, \"Properties\": {{
                \"Tags\": [{{\"Key\": \"a\", \"Value\": \"1\"}}, {{\"Value\": \"2\", \"Key\": \"b\"}}],
                \"Arn\": {{\"Fn::GetAtt\": \"B.Arn\"}}, \"Key\": \"{hash}.zip\"}}}},
            \"B\": {{\"Type\": \"T::T::T\", \"Properties\": {{}}}}}}}}"
    );
    let other = "fedcba9876543210".repeat(4);
    let second = format!(
        "Outputs: {{}}
Resources:
  B: {{Type: T::T::T}}
  A:
    Type: T::T::T
    Properties:
      Key: {other}.zip
      Arn: !GetAtt B.Arn
      Tags: [{{Key: b, Value: '2'}}, {{Key: a, Value: '1'}}]
    DependsOn: [B]
"
    );
    assert_eq!(differences(&first, &second), "");
}

#[test]
fn what_makes_one() {
    let first = "Resources:\n  A: {Type: T::T::T, Properties: {Cpu: '256', Command: [a, b], Subnets: [x, y]}}\n  B: {Type: T::T::T}\n";
    let second = "Resources:\n  A: {Type: T::T::T, Properties: {Cpu: 256, Command: [b, a], Subnets: [z, x], New: 1}}\n";
    expect![[r#"
        Resources.A.Properties.Cpu: "256" ≠ 256
        Resources.A.Properties.Command[0]: "a" ≠ "b"
        Resources.A.Properties.Command[1]: "b" ≠ "a"
        Resources.A.Properties.Subnets[0]: "y" ≠ "z"
        Resources.A.Properties.New: only in the second: 1
        Resources.B: only in the first: {"Type":"T::T::T"}"#]]
    .assert_eq(&differences(first, second));
}

const OLD: &str = "
Parameters: {Size: {Type: String, Default: small}}
Conditions: {Big: !Equals [!Ref Size, big]}
Resources:
  Role: {Type: T::Role::T, Properties: {Name: r, Path: /}}
  Task: {Type: T::Task::T, DeletionPolicy: Retain, Properties: {Role: !Ref Role, Cpu: !If [Big, 1024, 256]}}
  Old: {Type: T::T::T, DependsOn: Task}
  Cache: {Type: T::T::T, Condition: Big}
";

#[test]
fn a_plan_by_text() {
    let new = "
Resources:
  Task: {Type: T::Task::T, Properties: {Role: !Ref Role, Cpu: 512, Memory: 1024}}
  Role: {Type: T::Role::T, Properties: {Name: r}}
  New: {Type: T::T::T}
";
    let changes = plan(&sound(OLD), &sound(new));
    let shown: Vec<String> =
        changes.iter().map(|change| format!("{} {:?}", change.logical_id, change.action)).collect();
    expect![[r#"
        Role Modify { properties: ["Path"], attributes: [] }
        Task Modify { properties: ["Cpu", "Memory"], attributes: ["DeletionPolicy"] }
        New Add
        Cache Remove
        Old Remove"#]]
    .assert_eq(&shown.join("\n"));
    assert_eq!(plan(&sound(OLD), &sound(OLD)), []);
}

#[test]
fn a_plan_by_values() {
    let template = sound(OLD);
    let environment = Fake::default();
    let with = |size: &str| {
        let given = BTreeMap::from([("Size".to_owned(), size.to_owned())]);
        resolve_parameters(&template, &given, &environment).0
    };
    let (small, big) = (with("small"), with("big"));
    let old = Evaluator::new(&template, &small, &environment).unwrap();
    let new = Evaluator::new(&template, &big, &environment).unwrap();
    let shown = |from: &Evaluator<'_>, to: &Evaluator<'_>| {
        let changes = plan_evaluated(from, to).unwrap();
        changes.iter().map(|change| format!("{} {:?}", change.logical_id, change.action)).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        Task Modify { properties: ["Cpu"], attributes: [] }
        Cache Add"#]]
    .assert_eq(&shown(&old, &new));
    expect![[r#"
        Task Modify { properties: ["Cpu"], attributes: [] }
        Cache Remove"#]]
    .assert_eq(&shown(&new, &old));
    assert_eq!(shown(&new, &new), "");
}

#[test]
fn the_two_seed_4_stacks_differ_in_their_overrides() {
    let read = |text: &str| Template::parse(text, "").0.unwrap();
    let (first, second) = (
        read(include_str!("../../../../oracle/seeds/seed4/TriggeredStatic.template.json")),
        read(include_str!("../../../../oracle/seeds/seed4/TriggeredDynamic.template.json")),
    );
    let found = semantic_diff(&first, &second);
    let paths: Vec<&str> = found.iter().map(|difference| difference.path.as_str()).collect();
    expect![[r#"
        Resources.Vpc8378EB38.Properties.Tags[0].Value
        Resources.VpcPublicSubnet1Subnet5C2D37C4.Properties.Tags[0].Value
        Resources.VpcPublicSubnet1RouteTable6C95E38E.Properties.Tags[0].Value
        Resources.VpcPublicSubnet1EIPD7E02669.Properties.Tags[0].Value
        Resources.VpcPublicSubnet1NATGateway4D7517AA.Properties.Tags[0].Value
        Resources.VpcPublicSubnet2Subnet691E08A3.Properties.Tags[0].Value
        Resources.VpcPublicSubnet2RouteTable94F7E489.Properties.Tags[0].Value
        Resources.VpcPublicSubnet2EIP3C605A87.Properties.Tags[0].Value
        Resources.VpcPublicSubnet2NATGateway9182C01D.Properties.Tags[0].Value
        Resources.VpcPrivateSubnet1Subnet536B997A.Properties.Tags[0].Value
        Resources.VpcPrivateSubnet1RouteTableB2C5B500.Properties.Tags[0].Value
        Resources.VpcPrivateSubnet2Subnet3788AAA1.Properties.Tags[0].Value
        Resources.VpcPrivateSubnet2RouteTableA678073B.Properties.Tags[0].Value
        Resources.VpcIGWD7BA715C.Properties.Tags[0].Value
        Resources.TaskSG7164C6FA.Properties.GroupDescription
        Resources.myprojManagementTriggerC7D7EE90.Properties.Targets[0].Arn.Fn::GetAtt[0]
        Resources.myprojManagementTriggerC7D7EE90.Properties.Targets[0].Input
        Resources.myprojManagementTriggerC7D7EE90.Properties.Targets[0].InputTransformer
        Resources.myprojManagementTaskTriggeredTaskDef6C06ACD0.Properties.ContainerDefinitions[0].Command[2]
        Resources.myprojManagementTaskTriggeredTaskDef6C06ACD0.Properties.Family
        Resources.myprojManagementTaskTriggeredTaskDefEventsRoleDefaultPolicyD959D05A.Properties.PolicyDocument.Statement[0].Condition.ArnEquals.ecs:cluster.Fn::GetAtt[0]
        Resources.myprojManagementTaskTriggeredTaskDefEventsRoleDefaultPolicyD959D05A.Properties.PolicyDocument.Statement[1].Resource.Fn::Join[1][5].Ref
        Resources.EcsDefaultClusterVpc95221ACA
        Resources.ClusterEB0386A7"#]].assert_eq(&paths.join("\n"));
}
