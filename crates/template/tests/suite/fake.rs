//! An environment in which everything exists.

use neargate_base::Scope;
use neargate_template::{DynamicReference, Environment, StackOutput, Template, pseudo};
use serde_json::{Value as Json, json};

/// Everything asked for has a name made of the question.
pub(crate) struct Fake {
    pub(crate) bootstrap: &'static str,
}

impl Default for Fake {
    fn default() -> Self {
        Self { bootstrap: "30" }
    }
}

impl Environment for Fake {
    fn pseudo(&self, name: &str) -> Option<Json> {
        pseudo(&Scope::new("123456789012", "eu-west-1"), "stack", Some("arn:aws:cloudformation:stack"), name)
    }

    fn reference(&self, logical_id: &str) -> Option<Json> {
        Some(format!("{logical_id}-id").into())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Json> {
        Some(match attribute {
            "CidrBlockAssociations" | "DnsEntries" | "Ipv6CidrBlocks" => json!([format!("{logical_id}/{attribute}")]),
            _ => format!("{logical_id}/{attribute}").into(),
        })
    }

    fn import(&self, export: &str) -> Option<Json> {
        Some(format!("import:{export}").into())
    }

    fn stack_output(&self, output: &StackOutput) -> Option<Json> {
        Some(format!("{}:{}", output.stack, output.output).into())
    }

    fn availability_zones(&self, region: &str) -> Option<Vec<String>> {
        Some(["a", "b", "c"].map(|zone| format!("{region}{zone}")).into())
    }

    fn ssm_parameter(&self, name: &str) -> Option<String> {
        Some(if name.starts_with("/cdk-bootstrap/") { self.bootstrap.to_owned() } else { format!("ssm:{name}") })
    }

    fn dynamic_reference(&self, reference: &DynamicReference) -> Option<String> {
        Some(format!("<{reference:?}>"))
    }
}

/// Parses a template that must be without findings.
pub(crate) fn sound(text: &str) -> Template {
    let (template, diagnostics) = Template::parse(text, "t.yaml");
    let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    template.unwrap()
}
