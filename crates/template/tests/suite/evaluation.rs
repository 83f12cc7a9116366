//! What expressions come to.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use neargate_base::Scope;
use neargate_template::{Environment, Evaluated, Evaluator, Template, Undeployed, resolve_parameters};

use crate::fake::{Fake, sound};

const HEAD: &str = "
Parameters:
  Name: {Type: String, Default: app}
  Ports: {Type: CommaDelimitedList, Default: '80, 443'}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}
Mappings:
  Sizes: {eu-west-1: {small: 256, zones: [a, b]}}
Conditions:
  Is: !Equals [!Ref Name, app]
  Never: !Not [!Condition Is]
  Eu: !And [!Condition Is, !Equals [!Ref 'AWS::Region', eu-west-1], !Or [!Condition Never, !Equals [1, '1']]]
Resources:
  Other: {Type: AWS::SNS::Topic}
  Excluded: {Type: AWS::SNS::Topic, Condition: Never}
  A:
    Type: AWS::SNS::Topic
    Properties:
      P: ";

fn evaluate(yaml: &str, environment: &dyn Environment) -> String {
    let template = sound(&format!("{HEAD}{yaml}\n"));
    let (parameters, findings) = resolve_parameters(&template, &BTreeMap::new(), environment);
    assert_eq!(findings, []);
    let evaluator = Evaluator::new(&template, &parameters, environment).unwrap();
    match evaluator.evaluate(template.resources["A"].properties.get("P").unwrap()) {
        Ok(Evaluated::Value(json)) => json.to_string(),
        Ok(Evaluated::NoValue) => "no value".to_owned(),
        Ok(Evaluated::Unknown(unknowns)) => {
            format!("unknown: {}", unknowns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Err(error) => format!("{}\naws: {}", error.diagnostic(), error.refusal()),
    }
}

fn check(rows: &[&str], expected: Expect) {
    let shown: Vec<String> =
        rows.iter().map(|yaml| format!("{yaml}\n  {}", evaluate(yaml, &Fake::default()))).collect();
    expected.assert_eq(&shown.join("\n"));
}

#[test]
fn references() {
    check(
        &[
            "!Ref Name",
            "!Ref Ports",
            "!Ref Image",
            "!Ref Other",
            "!GetAtt Other.Arn",
            "!GetAtt [Other, Outputs.X]",
            "!Ref AWS::Region",
            "!Ref AWS::Partition",
            "!Ref AWS::URLSuffix",
            "!Ref AWS::NoValue",
            "!Ref Excluded",
            "[a, !Ref AWS::NoValue, b]",
            "{x: !Ref AWS::NoValue, y: 1}",
        ],
        expect![[r#"
            !Ref Name
              "app"
            !Ref Ports
              ["80","443"]
            !Ref Image
              "ssm:/image"
            !Ref Other
              "Other-id"
            !GetAtt Other.Arn
              "Other/Arn"
            !GetAtt [Other, Outputs.X]
              "Other/Outputs.X"
            !Ref AWS::Region
              "eu-west-1"
            !Ref AWS::Partition
              "aws"
            !Ref AWS::URLSuffix
              "amazonaws.com"
            !Ref AWS::NoValue
              no value
            !Ref Excluded
              unknown: `Excluded`, which its condition excludes
            [a, !Ref AWS::NoValue, b]
              ["a","b"]
            {x: !Ref AWS::NoValue, y: 1}
              {"y":1}"#]],
    );
}

#[test]
fn texts() {
    check(
        &[
            "!Sub '${Name}-${AWS::Region}-${Other.Arn}-${!Literal}'",
            "!Sub ['${a}${b}', {a: !Ref Name, b: 1}]",
            "!Sub 'plain $ {x} $'",
            "!Sub '${Ports}'",
            "!Join ['-', [a, 1, true, !Ref Name]]",
            "!Join [',', !Ref Ports]",
            "!Join ['', [[a]]]",
            "!Split [',', 'a,b,,c']",
            "!Split ['', 'a']",
            "!Select [1, !Ref Ports]",
            "!Select ['0', [x]]",
            "!Select [2, [x]]",
            "!Base64 'Hello, Fargate'",
            "!Base64 'ab'",
            "!Base64 ''",
            "!ToJsonString {a: [1, !Ref Name]}",
            "!Length [1, 2, 3]",
            "{'Fn::Length': !Ref Ports}",
        ],
        expect![[r#"
            !Sub '${Name}-${AWS::Region}-${Other.Arn}-${!Literal}'
              "app-eu-west-1-Other/Arn-${Literal}"
            !Sub ['${a}${b}', {a: !Ref Name, b: 1}]
              "app1"
            !Sub 'plain $ {x} $'
              "plain $ {x} $"
            !Sub '${Ports}'
              error[NG-T0007]: `Fn::Sub` needs texts, got a list or an object
            aws: Template error: every value in an Fn::Sub must be a string
            !Join ['-', [a, 1, true, !Ref Name]]
              "a-1-true-app"
            !Join [',', !Ref Ports]
              "80,443"
            !Join ['', [[a]]]
              error[NG-T0007]: `Fn::Join` needs a list of texts
            aws: Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.
            !Split [',', 'a,b,,c']
              ["a","b","","c"]
            !Split ['', 'a']
              error[NG-T0007]: `Fn::Split` needs a delimiter that is not empty
            aws: Template error: Fn::Split requires a delimiter that is not empty
            !Select [1, !Ref Ports]
              "443"
            !Select ['0', [x]]
              "x"
            !Select [2, [x]]
              error[NG-T0007]: `Fn::Select` cannot take element `2` of a list of 1
            aws: Template error: Fn::Select cannot select nonexistent value at index 2
            !Base64 'Hello, Fargate'
              "SGVsbG8sIEZhcmdhdGU="
            !Base64 'ab'
              "YWI="
            !Base64 ''
              ""
            !ToJsonString {a: [1, !Ref Name]}
              "{\"a\":[1,\"app\"]}"
            !Length [1, 2, 3]
              3
            {'Fn::Length': !Ref Ports}
              2"#]],
    );
}

#[test]
fn choices() {
    check(
        &[
            "!If [Is, a, b]",
            "!If [Never, a, b]",
            "!If [Eu, !Ref Name, !Ref Excluded]",
            "!If [Never, a, !Ref AWS::NoValue]",
            "!FindInMap [Sizes, !Ref AWS::Region, small]",
            "!FindInMap [Sizes, eu-west-1, zones]",
            "!FindInMap [Sizes, us-east-1, small]",
            "!FindInMap [Sizes, us-east-1, small, {DefaultValue: 512}]",
        ],
        expect![[r#"
            !If [Is, a, b]
              "a"
            !If [Never, a, b]
              "b"
            !If [Eu, !Ref Name, !Ref Excluded]
              "app"
            !If [Never, a, !Ref AWS::NoValue]
              no value
            !FindInMap [Sizes, !Ref AWS::Region, small]
              256
            !FindInMap [Sizes, eu-west-1, zones]
              ["a","b"]
            !FindInMap [Sizes, us-east-1, small]
              error[NG-T0010]: the mapping `Sizes` has nothing at `us-east-1`, `small`
            aws: Template error: Unable to get mapping for Sizes::us-east-1::small
            !FindInMap [Sizes, us-east-1, small, {DefaultValue: 512}]
              512"#]],
    );
}

#[test]
fn networks() {
    check(
        &[
            "!GetAZs ''",
            "!Select [0, !GetAZs us-east-1]",
            "!Cidr [10.0.0.0/16, 3, 8]",
            "!Cidr [10.1.2.3/24, 2, 6]",
            "!Cidr [10.0.0.0/24, 5, 6]",
            "!Cidr ['fd00::/56', 2, 64]",
            "!Cidr [x, 1, 8]",
            "!Cidr ['0.0.0.0/0', 2, 31]",
            "!Cidr ['::/0', 2, 127]",
        ],
        expect![[r#"
            !GetAZs ''
              ["eu-west-1a","eu-west-1b","eu-west-1c"]
            !Select [0, !GetAZs us-east-1]
              "us-east-1a"
            !Cidr [10.0.0.0/16, 3, 8]
              ["10.0.0.0/24","10.0.1.0/24","10.0.2.0/24"]
            !Cidr [10.1.2.3/24, 2, 6]
              ["10.1.2.0/26","10.1.2.64/26"]
            !Cidr [10.0.0.0/24, 5, 6]
              error[NG-T0007]: `Fn::Cidr` cannot make blocks of `10.0.0.0/24`, `5`, `6`
            aws: Template error: Fn::Cidr cannot be evaluated for block 10.0.0.0/24
            !Cidr ['fd00::/56', 2, 64]
              ["fd00::/64","fd00:0:0:1::/64"]
            !Cidr [x, 1, 8]
              error[NG-T0007]: `Fn::Cidr` cannot make blocks of `x`, `1`, `8`
            aws: Template error: Fn::Cidr cannot be evaluated for block x
            !Cidr ['0.0.0.0/0', 2, 31]
              ["0.0.0.0/1","128.0.0.0/1"]
            !Cidr ['::/0', 2, 127]
              ["::/1","8000::/1"]"#]],
    );
}

#[test]
fn elsewhere() {
    check(
        &[
            "{'Fn::ImportValue': !Sub '${Name}-vpc'}",
            "{'Fn::GetStackOutput': {StackName: Net, OutputName: Vpc, Region: eu-west-1}}",
            "'{{resolve:ssm:/a/b:3}}'",
            "!Sub 'x{{resolve:secretsmanager:${Name}:SecretString:user::}}y'",
            "'{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf}}'",
            "'{{resolve:ssm-secure:arn:aws:ssm:eu-west-1:123456789012:parameter/p}}'",
            "'{{resolve:other:x}}'",
            "'{{resolve:ssm:open'",
        ],
        expect![[r#"
            {'Fn::ImportValue': !Sub '${Name}-vpc'}
              "import:app-vpc"
            {'Fn::GetStackOutput': {StackName: Net, OutputName: Vpc, Region: eu-west-1}}
              "Net:Vpc"
            '{{resolve:ssm:/a/b:3}}'
              "<Ssm { name: \"/a/b\", version: Some(3) }>"
            !Sub 'x{{resolve:secretsmanager:${Name}:SecretString:user::}}y'
              "x<Secret { secret_id: \"app\", json_key: Some(\"user\"), version_stage: None, version_id: None }>y"
            '{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf}}'
              "<Secret { secret_id: \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf\", json_key: None, version_stage: None, version_id: None }>"
            '{{resolve:ssm-secure:arn:aws:ssm:eu-west-1:123456789012:parameter/p}}'
              "<SsmSecure { name: \"arn:aws:ssm:eu-west-1:123456789012:parameter/p\", version: None }>"
            '{{resolve:other:x}}'
              "{{resolve:other:x}}"
            '{{resolve:ssm:open'
              "{{resolve:ssm:open""#]],
    );
}

#[test]
fn what_is_not_there_yet_is_unknown() {
    let environment = Undeployed { scope: Scope::new("123456789012", "eu-west-1"), stack_name: "s".into() };
    let rows = [
        "!Sub '${Other}-${AWS::Region}'",
        "[!GetAtt Other.Arn, !ImportValue x]",
        "!Select [1, [!Ref Other, b]]",
        "!Length [!Ref Other]",
        "!Ref Image",
        "!GetAZs ''",
        "!Ref AWS::StackId",
        "'{{resolve:ssm:/a}}'",
        "{'Fn::GetStackOutput': {StackName: Net, OutputName: Vpc}}",
        "!If [Is, a, !Ref Other]",
    ];
    let shown: Vec<String> = rows.iter().map(|yaml| format!("{yaml}\n  {}", evaluate(yaml, &environment))).collect();
    expect![[r#"
        !Sub '${Other}-${AWS::Region}'
          unknown: `Other`
        [!GetAtt Other.Arn, !ImportValue x]
          unknown: `Other.Arn`, the export `x`
        !Select [1, [!Ref Other, b]]
          "b"
        !Length [!Ref Other]
          1
        !Ref Image
          unknown: the SSM parameter `/image`
        !GetAZs ''
          unknown: the availability zones of `eu-west-1`
        !Ref AWS::StackId
          unknown: `AWS::StackId`
        '{{resolve:ssm:/a}}'
          unknown: `{{resolve:ssm:/a}}`
        {'Fn::GetStackOutput': {StackName: Net, OutputName: Vpc}}
          unknown: the output `Vpc` of `Net`
        !If [Is, a, !Ref Other]
          "a""#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn an_unknown_condition_matters_only_where_branches_differ() {
    let text = "
Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /p}}
Conditions:
  Unknown: !Equals [!Ref P, x]
  Decided: !Or [!Condition Unknown, !Equals [a, a]]
Resources:
  A: {Type: AWS::SNS::Topic, Condition: Unknown, Properties: {Same: !If [Unknown, a, a], Other: !If [Unknown, a, b]}}
";
    let template = sound(text);
    let environment = Undeployed { scope: Scope::default(), stack_name: "s".into() };
    let (parameters, _) = resolve_parameters(&template, &BTreeMap::new(), &environment);
    let evaluator = Evaluator::new(&template, &parameters, &environment).unwrap();
    assert_eq!(evaluator.condition("Unknown"), None);
    assert_eq!(evaluator.condition("Decided"), Some(true));
    assert_eq!(evaluator.includes("A"), None);
    let properties = evaluator.partial(&template.resources["A"].properties).unwrap().unwrap();
    assert_eq!(properties.get("Same").unwrap().as_str(), Some("a"));
    assert_eq!(properties.get("Other").unwrap().as_str(), None);
}

#[test]
fn yaml_scalars_mean_what_cloudformation_takes_them_for() {
    let text = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {P: [1, -2, 1.5, '1', 012345678901, 1.4.0, \
                2012-10-17, yes, 'no', on, ~, null, 1e3, 18446744073709551615, 99999999999999999999, !!str 7, 0]}}}";
    let (template, _) = Template::parse(text, "t.yaml");
    expect![[r#"[1,-2,1.5,"1","012345678901","1.4.0","2012-10-17",true,"no",true,null,null,"1e3",18446744073709551615,"99999999999999999999","7",0]"#]].assert_eq(&template.unwrap().document["Resources"]["A"]["Properties"]["P"].to_string());
}

#[test]
fn a_text_that_doubles_at_each_level_is_refused() {
    let mut yaml = "x".to_owned();
    for _ in 0..30 {
        yaml = format!("{{'Fn::Sub': ['${{v}}${{v}}', {{v: {yaml}}}]}}");
    }
    expect![[r#"
        error[NG-T0007]: the value would be larger than 8388608 bytes
        aws: Template error: the value is too large"#]]
    .assert_eq(&evaluate(&yaml, &Fake::default()));
    let mut yaml = "'\"'".to_owned();
    for _ in 0..30 {
        yaml = format!("{{'Fn::ToJsonString': {yaml}}}");
    }
    expect![[r#"
        error[NG-T0007]: the value would be larger than 8388608 bytes
        aws: Template error: the value is too large"#]]
    .assert_eq(&evaluate(&yaml, &Fake::default()));
    let long = "d".repeat(100_000);
    let many = "a, ".repeat(10_000);
    expect![[r#"
        error[NG-T0007]: the value would be larger than 8388608 bytes
        aws: Template error: the value is too large"#]]
    .assert_eq(&evaluate(&format!("!Join ['{long}', [{many}]]"), &Fake::default()));
    let many = "${v}".repeat(10_000);
    expect![[r#"
        error[NG-T0007]: the value would be larger than 8388608 bytes
        aws: Template error: the value is too large"#]]
    .assert_eq(&evaluate(&format!("!Sub ['{many}', {{v: {long}}}]"), &Fake::default()));
}
