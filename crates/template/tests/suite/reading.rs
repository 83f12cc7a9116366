//! What is said of templates whose content is wrong, to our user and to an AWS client.

use expect_test::expect;

use crate::said::check;

/// A template with one resource whose property `P` is the given YAML.
fn property(yaml: &str) -> String {
    format!("Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      P: {yaml}\n")
}

#[test]
fn foreign_sections_and_members() {
    check(
        "Resource: {}\nParameters:\n  P: {Type: Strin, Defaul: x}\nResources:\n  A-b:\n    Type: AWS::SNS::Topic\n    \
         Property: {}\n    DeletionPolicy: retain\nOutputs:\n  O: {Valu: 1}\n",
        expect![[r#"
            error[NG-T0003]: a template has no section `Resource`
              at Resource
              t.yaml:1:1

            hint: did you mean `Resources`?
            error[NG-T0004]: a parameter has no `Defaul`
              at Parameters.P.Defaul
              t.yaml:3:20

            hint: did you mean `Default`?
            error[NG-T0002]: `Strin` is no parameter type
              at Parameters.P
              t.yaml:3:3

            hint: did you mean `String`?
            error[NG-T0002]: the logical id `A-b` has more than letters and digits
              at Resources.A-b
              t.yaml:5:3
            error[NG-T0004]: a resource has no `Property`
              at Resources.A-b.Property
              t.yaml:7:5
            error[NG-T0002]: `DeletionPolicy` is `retain`, expected `Delete`, `Retain`, `RetainExceptOnCreate`, `Snapshot`
              at Resources.A-b.DeletionPolicy
              t.yaml:8:5

            hint: did you mean `Retain`?
            error[NG-T0004]: an output has no `Valu`
              at Outputs.O.Valu
              t.yaml:10:7

            hint: did you mean `Value`?
            error[NG-T0002]: the output `O` has no `Value`
              at Outputs.O
              t.yaml:10:3
            aws: Template format error: Invalid template property or properties [Resource]"#]],
    );
}

#[test]
fn transforms() {
    check(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  A: {Type: AWS::SNS::Topic}\n",
        expect![[r#"
        error[NG-T0005]: the transform `AWS::Serverless-2016-10-31` is not implemented
          at Transform
          t.yaml:1:1

        hint: give the template as the transform leaves it (`cdk synth`, `sam build`)
        aws: Transform AWS::Serverless-2016-10-31 is not implemented."#]],
    );
    check("Transform: AWS::LanguageExtensions\nResources:\n  A: {Type: AWS::SNS::Topic}\n", expect!["aws: accepted"]);
    check(
        &property("{'Fn::Transform': {Name: X}}"),
        expect![[r#"
        error[NG-T0005]: `Fn::Transform` is not implemented: it needs a transform or macro to run
          at Resources.A.Properties.P.Fn::Transform
          t.yaml:5:11

        hint: give the template as the transform leaves it (`cdk synth`, `sam build`)
        aws: Template format error: Fn::Transform is not implemented."#]],
    );
}

#[test]
fn unknown_functions() {
    check(
        &property("!Jion ['', [a]]"),
        expect![[r#"
        error[NG-T0006]: `Fn::Jion` is no intrinsic function
          at Resources.A.Properties.P.Fn::Jion
          t.yaml:5:10

        hint: did you mean `Fn::Join`?
        aws: Template format error: Unrecognized intrinsic function: Fn::Jion"#]],
    );
    check(
        &property("[x, {'Fn::GetAz': ''}]"),
        expect![[r#"
        error[NG-T0006]: `Fn::GetAz` is no intrinsic function
          at Resources.A.Properties.P[1].Fn::GetAz
          t.yaml:5:15

        hint: did you mean `Fn::GetAZs`?
        aws: Template format error: Unrecognized intrinsic function: Fn::GetAz"#]],
    );
    check(
        &property("{'Fn::Base64': x, Other: y}"),
        expect![[r#"
        error[NG-T0006]: `Fn::Base64` must be the only key of its object, got `Fn::Base64`, `Other`
          at Resources.A.Properties.P
          t.yaml:5:7
        aws: Template format error: every Fn:: object must have exactly one key."#]],
    );
}

#[test]
fn misplaced_functions() {
    check(
        &property("!Equals [a, b]"),
        expect![[r#"
        error[NG-T0006]: `Fn::Equals` yields a condition; only `Conditions`, `Rules` and `Fn::If` take one
          at Resources.A.Properties.P.Fn::Equals
          t.yaml:5:10

        hint: name it under `Conditions` and use it with `Fn::If`
        aws: Template error: Fn::Equals is not supported at this place."#]],
    );
    check(
        &property("{'Fn::Contains': [[a], b]}"),
        expect![[r#"
        error[NG-T0006]: `Fn::Contains` is only allowed in `Rules`
          at Resources.A.Properties.P.Fn::Contains
          t.yaml:5:11
        aws: Template error: Fn::Contains is not supported at this place."#]],
    );
}

#[test]
fn malformed_arguments() {
    check(
        &property("!Join ['', a, b]"),
        expect![[r#"
        error[NG-T0007]: `Fn::Join` takes a list of 2, got a list of 3
          at Resources.A.Properties.P.Fn::Join
          t.yaml:5:10
        aws: Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."#]],
    );
    check(
        &property("{Ref: [A]}"),
        expect![[r#"
        error[NG-T0007]: `Ref` takes a name, got a list of 1
          at Resources.A.Properties.P.Ref
          t.yaml:5:11
        aws: Template format error: Every Ref object must have a single String value."#]],
    );
    check(
        &property("!GetAtt A"),
        expect![[r#"
        error[NG-T0007]: `Fn::GetAtt` takes a logical id and an attribute, got `"A"`
          at Resources.A.Properties.P.Fn::GetAtt
          t.yaml:5:10
        aws: Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"#]],
    );
    check(
        &property("!If [true, a, b]"),
        expect![[r#"
        error[NG-T0007]: `Fn::If` takes a condition's name and two values, got a list of 3
          at Resources.A.Properties.P.Fn::If
          t.yaml:5:10
        aws: Template error: Fn::If requires a list argument with three elements"#]],
    );
    check(
        &property("!Sub '${A B}'"),
        expect![[r#"
        error[NG-T0007]: `${A B}` in `Fn::Sub` is no name: expected letters, digits, `.`, `:`
          at Resources.A.Properties.P.Fn::Sub
          t.yaml:5:10

        hint: write `${!A B}` for the text `${A B}`
        aws: Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"#]],
    );
    check(
        &property("{'Fn::GetStackOutput': {StackName: s}}"),
        expect![[r#"
        error[NG-T0007]: `Fn::GetStackOutput` takes an object of `StackName`, `OutputName`, `Region`, `RoleArn`, got an object of `StackName`
          at Resources.A.Properties.P.Fn::GetStackOutput
          t.yaml:5:11
        aws: Template error: every Fn::GetStackOutput object requires an object of `StackName`, `OutputName`, `Region`, `RoleArn`."#]],
    );
}

#[test]
fn missing_references() {
    check(
        "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    DependsOn: [Queu, B]\n    Properties:\n      \
         N: !Sub '${Topc}-${AWS::Regon}'\n      M: !GetAtt Topi.Arn\n",
        expect![[r#"
            error[NG-T0008]: `Queu` is no resource of this template
              at Resources.Topic.DependsOn
              t.yaml:4:5
            error[NG-T0008]: `B` is no resource of this template
              at Resources.Topic.DependsOn
              t.yaml:4:5
            error[NG-T0008]: `Topc` is neither a resource nor a parameter of this template
              at Resources.Topic.Properties.N
              t.yaml:6:7

            hint: did you mean `Topic`?
            error[NG-T0008]: `AWS::Regon` is neither a resource nor a parameter of this template
              at Resources.Topic.Properties.N
              t.yaml:6:7

            hint: did you mean `AWS::Region`?
            error[NG-T0008]: `Topi` is no resource of this template
              at Resources.Topic.Properties.M
              t.yaml:7:7

            hint: did you mean `Topic`?
            aws: Template format error: Unresolved resource dependencies [AWS::Regon, B, Queu, Topc] in the Resources block of the template"#]],
    );
    check(
        "Resources:\n  A: {Type: AWS::SNS::Topic}\nOutputs:\n  O: {Value: !Ref Z}\n",
        expect![[r#"
            error[NG-T0008]: `Z` is neither a resource nor a parameter of this template
              at Outputs.O.Value
              t.yaml:4:7
            aws: Template format error: Unresolved resource dependencies [Z] in the Outputs block of the template"#]],
    );
}

#[test]
fn missing_conditions_and_mappings() {
    check(
        "Conditions:\n  Prod: !Equals [!Ref A, x]\nResources:\n  A:\n    Type: AWS::SNS::Topic\n    Condition: Prd\n    \
         Properties:\n      P: !If [Dev, a, b]\n      Q: !FindInMap [Map, a, b]\n",
        expect![[r#"
            error[NG-T0008]: `A` is a resource; `Conditions` may only refer to parameters
              at Conditions.Prod
              t.yaml:2:3
            error[NG-T0009]: `Prd` is no condition of this template
              at Resources.A
              t.yaml:4:3

            hint: did you mean `Prod`?
            error[NG-T0009]: `Dev` is no condition of this template
              at Resources.A.Properties.P
              t.yaml:8:7
            error[NG-T0010]: `Map` is no mapping of this template
              at Resources.A.Properties.Q
              t.yaml:9:7
            aws: Template format error: Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template"#]],
    );
}

#[test]
fn circles() {
    check(
        "Conditions:\n  X: !Not [!Condition Y]\n  Y: !Not [!Condition X]\nResources:\n  \
         A: {Type: AWS::SNS::Topic, Properties: {P: !Ref B}}\n  B: {Type: AWS::SNS::Topic, DependsOn: C}\n  \
         C: {Type: AWS::SNS::Topic, Properties: {P: !GetAtt A.Arn}}\n  D: {Type: AWS::SNS::Topic, DependsOn: A}\n",
        expect![[r#"
            error[NG-T0011]: these conditions depend on each other: `X` → `Y` → `X`
              at Conditions
              t.yaml:1:1
            error[NG-T0011]: these resources depend on each other: `A` → `B` → `C` → `A`
              at Resources.A
              t.yaml:5:3

            hint: cut one edge: a separate resource (a rule, a policy, an attachment) often can
            aws: Template format error: Circular dependency between conditions: [X, Y]"#]],
    );
    check(
        "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {P: !Ref A}}\n",
        expect![[r#"
        error[NG-T0011]: these resources depend on each other: `A` → `A`
          at Resources.A
          t.yaml:2:3

        hint: cut one edge: a separate resource (a rule, a policy, an attachment) often can
        aws: Circular dependency between resources: [A]"#]],
    );
}

#[test]
fn the_construct_is_named() {
    check(
        r#"{"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": {"P": {"Ref": "Missing"}},
            "Metadata": {"aws:cdk:path": "Stack/Topic/Resource"}}}}"#,
        expect![[r#"
            error[NG-T0008]: `Missing` is neither a resource nor a parameter of this template
              at Resources.A.Properties.P
              t.yaml:1:64
              made by the construct `Stack/Topic/Resource`
            aws: Template format error: Unresolved resource dependencies [Missing] in the Resources block of the template"#]],
    );
}
