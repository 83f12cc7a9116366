//! Whether everything a template refers to exists, and no circle is made.

use super::Template;
use crate::codes;
use crate::expr::{Expr, Function, Reader, Reference};
use crate::finding::{Finding, Refusal};
use crate::order::circle;

/// The pseudo parameters.
pub(crate) const PSEUDO: &[&str] = &[
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// The part of a template an expression stands in.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    Conditions,
    Rules,
    Resources,
    Outputs,
}

impl Block {
    fn name(self) -> &'static str {
        match self {
            Self::Conditions => "Conditions",
            Self::Rules => "Rules",
            Self::Resources => "Resources",
            Self::Outputs => "Outputs",
        }
    }
}

pub(super) fn check(reader: &mut Reader, template: &Template) {
    reader.key("Conditions", |reader| {
        for (name, condition) in &template.conditions {
            reader.key(name, |reader| expr(reader, template, condition, Block::Conditions));
        }
    });
    condition_circle(reader, template);
    reader.key("Rules", |reader| {
        for (name, rule) in &template.rules {
            reader.key(name, |reader| {
                let asserts = rule.assertions.iter().map(|assertion| &assertion.assert);
                rule.condition.iter().chain(asserts).for_each(|e| expr(reader, template, e, Block::Rules));
            });
        }
    });
    reader.key("Resources", |reader| {
        for (id, resource) in &template.resources {
            reader.key(id, |reader| {
                resource.condition.iter().for_each(|name| condition(reader, template, name, Block::Resources));
                for name in &resource.depends_on {
                    if !template.resources.contains_key(name) {
                        let message = format!("`{name}` is no resource of this template");
                        reader.key("DependsOn", |r| unresolved(r, template, name, Block::Resources, message));
                    }
                }
                reader.key("Properties", |reader| expr(reader, template, &resource.properties, Block::Resources));
                let policies = [&resource.creation_policy, &resource.update_policy];
                policies.into_iter().flatten().for_each(|e| expr(reader, template, e, Block::Resources));
            });
        }
    });
    reader.key("Outputs", |reader| {
        for (name, output) in &template.outputs {
            reader.key(name, |reader| {
                output.condition.iter().for_each(|name| condition(reader, template, name, Block::Outputs));
                reader.key("Value", |reader| expr(reader, template, &output.value, Block::Outputs));
                output.export.iter().for_each(|e| expr(reader, template, e, Block::Outputs));
            });
        }
    });
    resource_circle(reader, template);
}

/// Checks an expression; the path goes as deep as objects and lists go.
fn expr(reader: &mut Reader, template: &Template, node: &Expr, block: Block) {
    match node {
        Expr::Object(members) => {
            for (key, value) in members {
                reader.key(key, |reader| expr(reader, template, value, block));
            }
            return;
        }
        Expr::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let mark = reader.trail.mark();
                reader.trail.index(at);
                expr(reader, template, item, block);
                reader.trail.back(mark);
            }
            return;
        }
        Expr::Ref(name) => reference(reader, template, name, block),
        Expr::GetAtt { resource, .. } => attribute(reader, template, resource, block),
        Expr::If { condition: name, .. } | Expr::Condition(name) => condition(reader, template, name, block),
        Expr::Call(Function::FindInMap, arguments) => mapping(reader, template, arguments),
        _ => {}
    }
    node.children().for_each(|child| expr(reader, template, child, block));
}

fn reference(reader: &mut Reader, template: &Template, name: &str, block: Block) {
    if template.parameters.contains_key(name) || PSEUDO.contains(&name) {
        return;
    }
    if !template.resources.contains_key(name) {
        let message = format!("`{name}` is neither a resource nor a parameter of this template");
        return unresolved(reader, template, name, block, message);
    }
    if matches!(block, Block::Conditions | Block::Rules) {
        let block = block.name();
        let message = format!("`{name}` is a resource; `{block}` may only refer to parameters");
        let aws = format!(
            "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the {block} block \
             of the template"
        );
        reader.report(Finding::error(codes::REFERENCE, message, aws));
    }
}

fn unresolved(reader: &mut Reader, template: &Template, name: &str, block: Block, message: String) {
    let mut finding = Finding::error(codes::REFERENCE, message, "");
    finding.refusal = match block {
        Block::Resources | Block::Outputs => Refusal::Unresolved { name: name.to_owned(), block: block.name() },
        Block::Conditions | Block::Rules => Refusal::Text(format!(
            "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the {} block of \
             the template",
            block.name()
        )),
    };
    let known = template.resources.keys().chain(template.parameters.keys()).map(String::as_str);
    reader.report(finding.nearest(name, known.chain(PSEUDO.iter().copied())));
}

fn attribute(reader: &mut Reader, template: &Template, resource: &str, block: Block) {
    if block == Block::Resources || block == Block::Outputs {
        if !template.resources.contains_key(resource) {
            let message = format!("`{resource}` is no resource of this template");
            let aws = format!("Template error: instance of Fn::GetAtt references undefined resource {resource}");
            let known = template.resources.keys().map(String::as_str);
            reader.report(Finding::error(codes::REFERENCE, message, aws).nearest(resource, known));
        }
    } else {
        let message = format!("`Fn::GetAtt` is not allowed in `{}`", block.name());
        let aws = "Template error: Fn::GetAtt is not supported in the Conditions block of the template";
        reader.report(Finding::error(codes::FUNCTION, message, aws));
    }
}

fn condition(reader: &mut Reader, template: &Template, name: &str, block: Block) {
    if !template.conditions.contains_key(name) {
        let message = format!("`{name}` is no condition of this template");
        let aws = format!(
            "Template format error: Unresolved condition dependency {name} in the {} block of the template",
            block.name()
        );
        let known = template.conditions.keys().map(String::as_str);
        reader.report(Finding::error(codes::CONDITION, message, aws).nearest(name, known));
    }
}

fn mapping(reader: &mut Reader, template: &Template, arguments: &[Expr]) {
    let [map, rest @ ..] = arguments else { return };
    let Some(name) = map.as_str() else { return };
    if !template.mappings.contains_key(name) && rest.len() < 3 {
        let message = format!("`{name}` is no mapping of this template");
        let aws =
            format!("Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.");
        let known = template.mappings.keys().map(String::as_str);
        reader.report(Finding::error(codes::MAPPING, message, aws).nearest(name, known));
    }
}

fn condition_circle(reader: &mut Reader, template: &Template) {
    let edges: Vec<Vec<usize>> = template
        .conditions
        .values()
        .map(|condition| {
            let mut to = vec![];
            condition.references(&|_| None, &mut |reference| {
                if let Reference::Condition(name) = reference {
                    to.extend(template.conditions.get_index_of(name));
                }
            });
            to
        })
        .collect();
    if let Some(circle) = circle(&edges) {
        let names: Vec<&str> =
            circle.iter().filter_map(|at| template.conditions.get_index(*at)).map(|(name, _)| name.as_str()).collect();
        let message = format!("these conditions depend on each other: {}", shown(&names));
        let aws = format!("Template format error: Circular dependency between conditions: [{}]", names.join(", "));
        reader.key("Conditions", |reader| reader.report(Finding::error(codes::CYCLE, message, aws)));
    }
}

fn resource_circle(reader: &mut Reader, template: &Template) {
    if let Some(circle) = template.graph().circle() {
        let message = format!("these resources depend on each other: {}", shown(&circle));
        let mut sorted = circle.clone();
        sorted.sort_unstable();
        let aws = format!("Circular dependency between resources: [{}]", sorted.join(", "));
        let finding = Finding::error(codes::CYCLE, message, aws);
        let finding = finding.hint("cut one edge: a separate resource (a rule, a policy, an attachment) often can");
        reader.key("Resources", |reader| {
            reader.key(circle.first().copied().unwrap_or_default(), |reader| reader.report(finding));
        });
    }
}

/// `` `a` → `b` → `a` ``.
fn shown(names: &[&str]) -> String {
    let round: Vec<String> = names.iter().chain(names.first()).map(|name| format!("`{name}`")).collect();
    round.join(" → ")
}
