//! Which resource comes after which.

use std::collections::BTreeMap;

use expect_test::expect;
use neargate_template::{Evaluator, Template, resolve_parameters};

use crate::fake::{Fake, sound};

const TEXT: &str = "
Parameters: {Stage: {Type: String, Default: dev}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Service: {Type: T::T::T, DependsOn: Listener, Properties: {Task: !Ref Task, Arn: !GetAtt Cluster.Arn}}
  Listener: {Type: T::T::T, Condition: Prod}
  Task: {Type: T::T::T, Properties: {Role: !Sub '${Role.Arn}', Logs: !If [Prod, !Ref Logs, none]}}
  Cluster: {Type: T::T::T}
  Role: {Type: T::T::T}
  Logs: {Type: T::T::T, Condition: Prod}
";

#[test]
fn conditions_prune_the_graph() {
    let template = sound(TEXT);
    let mut shown = vec![format!("{:?}", template.graph().levels())];
    for stage in ["dev", "prod"] {
        let environment = Fake::default();
        let given = BTreeMap::from([("Stage".to_owned(), stage.to_owned())]);
        let (parameters, _) = resolve_parameters(&template, &given, &environment);
        let evaluator = Evaluator::new(&template, &parameters, &environment).unwrap();
        let graph = evaluator.graph();
        shown.push(format!("{stage}: {:?}", graph.creation_order()));
        shown.push(format!("  back: {:?}", graph.deletion_order()));
        shown.push(format!("  Task is needed by {:?}", graph.needed_by("Task").collect::<Vec<_>>()));
        shown.push(format!("  Service needs {:?}", graph.needs("Service").collect::<Vec<_>>()));
        shown.push(format!("  dangling {:?}", graph.dangling()));
    }
    expect![[r#"
        [["Listener", "Cluster", "Role", "Logs"], ["Task"], ["Service"]]
        dev: ["Cluster", "Role", "Task", "Service"]
          back: ["Service", "Task", "Role", "Cluster"]
          Task is needed by ["Service"]
          Service needs [("Task", {Ref}), ("Cluster", {Attribute("Arn")})]
          dangling []
        prod: ["Listener", "Cluster", "Role", "Logs", "Task", "Service"]
          back: ["Service", "Task", "Logs", "Role", "Cluster", "Listener"]
          Task is needed by ["Service"]
          Service needs [("Listener", {DependsOn}), ("Task", {Ref}), ("Cluster", {Attribute("Arn")})]
          dangling []"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn a_reference_to_an_excluded_resource_dangles() {
    let text = "
Conditions: {Never: !Equals [a, b]}
Resources:
  A: {Type: T::T::T, DependsOn: C, Properties: {P: !Ref B}}
  B: {Type: T::T::T, Condition: Never}
  C: {Type: T::T::T, Condition: Never}
";
    let template = sound(text);
    let (environment, parameters) = (Fake::default(), Default::default());
    let evaluator = Evaluator::new(&template, &parameters, &environment).unwrap();
    assert_eq!(evaluator.graph().dangling(), [("A", "B")]);
}

#[test]
fn a_long_chain_is_ordered_without_recursion() {
    let mut text = "Resources:\n  R0: {Type: T::T::T}\nConditions:\n  C0: !Equals [a, a]\n".to_owned();
    let mut conditions = String::new();
    let mut resources = String::new();
    for at in 1..5_000 {
        resources.push_str(&format!("  R{at}: {{Type: T::T::T, DependsOn: R{}}}\n", at - 1));
        conditions.push_str(&format!("  C{at}: !Not [!Condition C{}]\n", at - 1));
    }
    text = text.replace("Conditions:\n", &format!("{resources}Conditions:\n")) + &conditions;
    let (template, diagnostics) = Template::parse(&text, "t.yaml");
    let template = template.unwrap();
    let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    expect![[r#"
        error[NG-T0002]: 5000 resources in one template, expected at most 500
          at Resources
          t.yaml:1:1

        hint: split it into several stacks"#]]
    .assert_eq(&shown.join("\n"));
    assert_eq!(template.graph().levels().len(), 5_000);
    let (environment, parameters) = (Fake::default(), Default::default());
    let evaluator = Evaluator::new(&template, &parameters, &environment).unwrap();
    assert_eq!(evaluator.condition("C4999"), Some(false));
}
