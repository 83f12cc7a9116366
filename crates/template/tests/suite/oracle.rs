//! Every template that the real CDK made of the five systems is read, ordered and evaluated to the last property.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use neargate_template::{Evaluated, Evaluator, ParameterType, Template, resolve_parameters, semantic_diff};

use crate::fake::Fake;

fn templates_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            templates_under(&path, found);
        } else if path.to_string_lossy().ends_with(".template.json") {
            found.push(path);
        }
    }
    found.sort();
}

fn evaluate_all(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.display().to_string();
    let (template, diagnostics) = Template::parse(&text, &name);
    assert_eq!(diagnostics, [], "{name}");
    let template = template.unwrap();

    let environment = Fake::default();
    let given: BTreeMap<String, String> = template
        .parameters
        .iter()
        .filter(|(_, parameter)| parameter.default.is_none())
        .map(|(name, parameter)| {
            let value = if parameter.parameter_type == ParameterType::Number { "1" } else { "given" };
            (name.clone(), value.to_owned())
        })
        .collect();
    let (parameters, findings) = resolve_parameters(&template, &given, &environment);
    assert_eq!(findings, [], "{name}");
    let evaluator = Evaluator::new(&template, &parameters, &environment).unwrap();
    assert_eq!(evaluator.rules().unwrap(), [], "{name}");

    let graph = evaluator.graph();
    assert_eq!(graph.dangling(), [], "{name}");
    let order = graph.creation_order();
    let included = template.resources.keys().filter(|id| evaluator.includes(id) == Some(true)).count();
    assert_eq!(order.len(), included, "{name}");
    for (at, id) in order.iter().enumerate() {
        for (needed, _) in graph.needs(id) {
            assert!(order[..at].contains(&needed), "{name}: {needed} before {id}");
        }
        match evaluator.properties(id).unwrap() {
            Evaluated::Value(properties) => {
                assert!(!properties.to_string().contains("\"Fn::"), "{name}: {id}: {properties}");
            }
            other => panic!("{name}: {id}: {other:?}"),
        }
    }
    for (output, value) in evaluator.outputs().unwrap() {
        assert!(matches!(value.value, Evaluated::Value(_)), "{name}: {output}: {value:?}");
    }
    assert_eq!(semantic_diff(&template, &template), [], "{name}");
}

#[test]
fn every_template_evaluates() {
    let mut paths = vec![];
    templates_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../oracle"), &mut paths);
    assert!(paths.len() >= 18, "{paths:?}");
    paths.iter().for_each(|path| evaluate_all(path));
}

#[test]
fn an_old_bootstrap_stack_breaks_the_rule() {
    let text = include_str!("../../../../oracle/seeds/seed4/TriggeredStatic.template.json");
    let (template, _) = Template::parse(text, "seed4");
    let template = template.unwrap();
    let environment = Fake { bootstrap: "5" };
    let (parameters, _) = resolve_parameters(&template, &BTreeMap::new(), &environment);
    let findings = Evaluator::new(&template, &parameters, &environment).unwrap().rules().unwrap();
    let shown: Vec<String> = findings.iter().map(|finding| finding.diagnostic.to_string()).collect();
    expect_test::expect![[r#"
        error[NG-T0015]: the rule `CheckBootstrapVersion` does not hold: CDK bootstrap stack version 6 required. Please run 'cdk bootstrap' with a recent version of the CDK CLI.
          at Rules.CheckBootstrapVersion"#]].assert_eq(&shown.join("\n"));
}
