//! Values given for parameters.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use neargate_base::Scope;
use neargate_template::{Undeployed, missing_ssm_parameters, resolve_parameters, validation_error};

use crate::fake::{Fake, sound};

fn check(declaration: &str, given: &[(&str, &str)], expected: Expect) {
    let template = sound(&format!("Parameters:\n  P: {declaration}\nResources:\n  A: {{Type: AWS::SNS::Topic}}\n"));
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (values, findings) = resolve_parameters(&template, &given, &Fake::default());
    let mut shown: Vec<String> = findings.iter().map(|finding| finding.diagnostic.to_string()).collect();
    match validation_error(&findings) {
        Some(aws) => shown.push(format!("aws: {aws}")),
        None => shown.push(format!("{:?}", values.get("P").and_then(|value| value.value.clone()))),
    }
    expected.assert_eq(&shown.join("\n"));
}

#[test]
fn values_and_defaults() {
    check("{Type: String, Default: x}", &[], expect![[r#"Some(String("x"))"#]]);
    check("{Type: Number, Default: 8}", &[("P", "9")], expect![[r#"Some(String("9"))"#]]);
    check(
        "{Type: 'List<AWS::EC2::Subnet::Id>'}",
        &[("P", "subnet-1, subnet-2")],
        expect![[r#"Some(Array [String("subnet-1"), String("subnet-2")])"#]],
    );
    check("{Type: CommaDelimitedList, Default: ''}", &[], expect!["Some(Array [])"]);
    check(
        "{Type: 'AWS::SSM::Parameter::Value<List<String>>'}",
        &[("P", "/a,b")],
        expect![[r#"Some(Array [String("ssm:/a"), String("b")])"#]],
    );
}

#[test]
fn names() {
    check(
        "{Type: String}",
        &[],
        expect![[r#"
        error[NG-T0013]: the parameter `P` has no value
          at Parameters.P

        hint: give it a value, or a `Default` in the template
        aws: Parameters: [P] must have values"#]],
    );
    check(
        "{Type: String}",
        &[("Q", "x")],
        expect![[r#"
            error[NG-T0013]: the template has no parameter `Q`
            error[NG-T0013]: the parameter `P` has no value
              at Parameters.P

            hint: give it a value, or a `Default` in the template
            aws: Parameters: [Q] do not exist in the template"#]],
    );
}

#[test]
fn constraints() {
    check(
        "{Type: Number, MinValue: 1, MaxValue: 10}",
        &[("P", "11")],
        expect![[r#"
        error[NG-T0013]: `P` is `11`, expected at most `10`
          at Parameters.P
        aws: Parameter 'P' must be a number not greater than 10"#]],
    );
    check(
        "{Type: Number, MinValue: 1}",
        &[("P", "0")],
        expect![[r#"
        error[NG-T0013]: `P` is `0`, expected at least `1`
          at Parameters.P
        aws: Parameter 'P' must be a number not less than 1"#]],
    );
    check(
        "{Type: 'List<Number>'}",
        &[("P", "1,x")],
        expect![[r#"
        error[NG-T0013]: `P` is `1,x`, expected a number
          at Parameters.P
        aws: Parameter 'P' must be a number"#]],
    );
    check(
        "{Type: String, AllowedValues: [dev, prod]}",
        &[("P", "test")],
        expect![[r#"
        error[NG-T0013]: `P` is `test`, expected one of `dev`, `prod`
          at Parameters.P
        aws: Parameter 'P' must be one of AllowedValues"#]],
    );
}

#[test]
fn lengths_and_patterns() {
    check(
        "{Type: String, MinLength: 3}",
        &[("P", "ab")],
        expect![[r#"
        error[NG-T0013]: `P` is `ab`, expected at least 3 characters, not 2
          at Parameters.P
        aws: Parameter 'P' must contain at least 3 characters"#]],
    );
    check(
        "{Type: String, MaxLength: '3', NoEcho: true}",
        &[("P", "secret")],
        expect![[r#"
        error[NG-T0013]: `P` is `****`, expected at most 3 characters, not 6
          at Parameters.P
        aws: Parameter 'P' must contain at most 3 characters"#]],
    );
    check(
        "{Type: String, AllowedPattern: '[a-z]+'}",
        &[("P", "A1")],
        expect![[r#"
        error[NG-T0013]: `P` is `A1`, expected the pattern `[a-z]+`
          at Parameters.P
        aws: Parameter 'P' must match pattern [a-z]+"#]],
    );
    check(
        "{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower-case letters}",
        &[("P", "A1")],
        expect![[r#"
            error[NG-T0013]: `P` is `A1`, expected the pattern `[a-z]+`
              at Parameters.P

            hint: lower-case letters
            aws: Parameter P failed to satisfy constraint: lower-case letters"#]],
    );
    check(
        "{Type: String, AllowedPattern: '(?!x).*'}",
        &[("P", "A1")],
        expect![[r#"
        warning[NG-T0014]: `P` was not checked against the pattern `(?!x).*`, which is beyond what is supported here
          at Parameters.P
        Some(String("A1"))"#]],
    );
}

#[test]
fn an_ssm_parameter_that_does_not_exist() {
    let template = sound(
        "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /p}}\nResources: {A: {Type: T::T::T}}",
    );
    let environment = Undeployed { scope: Scope::default(), stack_name: "s".into() };
    let (values, findings) = resolve_parameters(&template, &BTreeMap::new(), &environment);
    assert_eq!(findings, []);
    expect!["Unable to fetch parameters [/p] from parameter store for this account."]
        .assert_eq(&missing_ssm_parameters(&values).unwrap());
}
