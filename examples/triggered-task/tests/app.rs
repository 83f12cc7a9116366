//! The example runs, and what it writes reads.

use neargate_template::{Assembly, Template};

#[test]
fn the_app_writes_an_assembly_that_reads() {
    let directory = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_triggered-task"))
        .env("CDK_OUTDIR", directory.path())
        .env_remove("CDK_CONTEXT_JSON")
        .status()
        .unwrap();
    assert!(status.success());
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let assembly = Assembly::parse(&read("manifest.json"), "manifest.json").unwrap();
    let [stack] = assembly.stacks.as_slice() else { panic!("{assembly:?}") };
    assert_eq!(stack.name, "TriggeredTask");
    let (template, diagnostics) = Template::parse(&read(&stack.template_file), &stack.template_file);
    assert_eq!(diagnostics, vec![]);
    let rule = template
        .unwrap()
        .resources
        .iter()
        .filter(|(_, resource)| resource.resource_type == "AWS::Events::Rule")
        .count();
    assert_eq!(rule, 1);
}
