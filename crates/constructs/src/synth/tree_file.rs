//! `tree.json`: the construct tree, as tools that show it expect it.

use serde_json::{Map, Value as Plain, json};

use crate::tree::app::App;
use crate::tree::node::Scope;
use crate::tree::resource::CfnResource;

pub(super) fn render(app: &App) -> Plain {
    json!({"version": "tree-0.1", "tree": node(app)})
}

fn node(scope: &Scope) -> Plain {
    let mut out = Map::new();
    let id = scope.id();
    out.insert("id".to_owned(), Plain::from(if id.is_empty() { "App".to_owned() } else { id }));
    out.insert("path".to_owned(), Plain::from(scope.path()));
    let kind = scope.tree.with(scope.node, |node| node.kind);
    out.insert("constructInfo".to_owned(), json!({"fqn": kind, "version": env!("CARGO_PKG_VERSION")}));
    if let Some(resource) = scope.construct::<CfnResource>() {
        let attributes = json!({
            "aws:cdk:cloudformation:type": resource.produce().cfn_type(),
            "aws:cdk:cloudformation:logicalId": scope.logical_id(),
        });
        out.insert("attributes".to_owned(), attributes);
    }
    let children: Map<String, Plain> = scope.children().iter().map(|child| (child.id(), node(child))).collect();
    if !children.is_empty() {
        out.insert("children".to_owned(), Plain::Object(children));
    }
    Plain::Object(out)
}
