//! The example runs, and what it writes reads.

use neargate_template::{Assembly, Template};

#[test]
fn the_app_writes_an_assembly_that_reads() {
    let directory = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_fargate-tasks"))
        .env("CDK_OUTDIR", directory.path())
        .env_remove("CDK_CONTEXT_JSON")
        .status()
        .unwrap();
    assert!(status.success());
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let assembly = Assembly::parse(&read("manifest.json"), "manifest.json").unwrap();
    let [stack] = assembly.stacks.as_slice() else { panic!("{assembly:?}") };
    assert_eq!(stack.name, "FargateTasks");
    let (template, diagnostics) = Template::parse(&read(&stack.template_file), &stack.template_file);
    assert_eq!(diagnostics, vec![]);
    let template = template.unwrap();
    let count = |kind: &str| template.resources.iter().filter(|(_, resource)| resource.resource_type == kind).count();
    let kinds = ["AWS::Events::Rule", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::ECS::Service"];
    assert_eq!(kinds.map(count), [1, 1, 1, 0]);
}
