//! The example runs, and what it writes reads.

use neargate_template::{Assembly, Template, semantic_diff};

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

    // The tests of the command line run a copy.
    let directory = "crates/cli/tests/cli/templates";
    let file = format!("{}/../../{directory}/{}", env!("CARGO_MANIFEST_DIR"), stack.template_file);
    let (copy, diagnostics) = Template::parse(&std::fs::read_to_string(&file).unwrap(), &file);
    assert_eq!(diagnostics, vec![]);
    let differences: Vec<_> = semantic_diff(&template, &copy.unwrap()).iter().map(ToString::to_string).collect();
    assert!(
        differences.is_empty(),
        "{file} is no longer what the example (the first) writes:\n{}\nrenew it: \
         `CDK_OUTDIR=target/fargate-tasks cargo run --package fargate-tasks && cp target/fargate-tasks/{} {directory}/`",
        differences.join("\n"),
        stack.template_file
    );
}
