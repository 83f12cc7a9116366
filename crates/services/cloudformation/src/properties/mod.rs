//! Whether the properties of a template's resources are those that their types have, before anything is made.
//!
//! Names count with their case: CloudFormation's are its own, not those of the API that a type calls.
//!
//! Invariant: what depends on conditions is checked in every branch; what is no object in the template is not looked into.

mod adapt;
mod names;

pub(crate) use adapt::adapted;
use neargate_kernel::Fault;
use neargate_template::{Expr, Template, locate, nearest};

use crate::errors::CloudFormationError;

/// A resource type: its property types by name, its own properties first, under no name. A property is its name and the
/// property type below it: none where any name goes, with `*` before it where a map's own keys lie between.
#[derive(Debug)]
struct Type {
    name: &'static str,
    shapes: &'static [(&'static str, &'static [(&'static str, &'static str)])],
}

impl Type {
    fn shape(&self, name: &str) -> Option<&'static [(&'static str, &'static str)]> {
        self.shapes.iter().find(|(shape, _)| *shape == name).map(|(_, properties)| *properties)
    }
}

/// Whether the properties of a type are known.
pub fn knows_properties_of(type_name: &str) -> bool {
    find(type_name).is_some()
}

fn find(type_name: &str) -> Option<&'static Type> {
    names::TYPES.iter().find(|known| known.name == type_name)
}

/// A property that its type does not have.
struct Extraneous<'t> {
    /// In the template: `Resources.X.Properties.A[0].B`.
    path: String,
    /// As AWS writes it: `#/A/0`.
    pointer: String,
    name: &'t str,
    near: Option<&'static str>,
}

/// Refuses a template with properties that their types do not have, in AWS's words; the hint names each with its line.
pub(crate) fn check(text: &str, template: &Template) -> Result<(), Fault> {
    let (mut refusals, mut hints) = (vec![], vec![]);
    for (logical_id, resource) in &template.resources {
        let Some(known) = find(&resource.resource_type) else { continue };
        let mut found = vec![];
        let path = format!("Resources.{logical_id}.Properties");
        look(known, "", &resource.properties, &path, "#", &mut found);
        if found.is_empty() {
            continue;
        }
        let keys: Vec<_> =
            found.iter().map(|it| format!("{}: extraneous key [{}] is not permitted", it.pointer, it.name)).collect();
        refusals.push(format!(
            "Properties validation failed for resource {logical_id} with message:\n[{}]",
            keys.join(", ")
        ));
        hints.extend(found.iter().map(|it| {
            let at =
                locate(text, &it.path).map_or_else(String::new, |(line, column)| format!("line {line}:{column}, "));
            let near = it.near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            format!("{at}`{}` is no property of {}{near}", it.path, resource.resource_type)
        }));
    }
    if refusals.is_empty() {
        return Ok(());
    }
    let fault: Fault = CloudFormationError::Validation(refusals.join("\n")).into();
    Err(fault.with_hint(hints.join("; ")))
}

fn look<'t>(known: &Type, shape: &str, expr: &'t Expr, path: &str, pointer: &str, found: &mut Vec<Extraneous<'t>>) {
    match expr {
        Expr::List(items) => {
            for (at, item) in items.iter().enumerate() {
                look(known, shape, item, &format!("{path}[{at}]"), &format!("{pointer}/{at}"), found);
            }
        }
        Expr::If { branches, .. } => {
            for branch in branches.iter() {
                look(known, shape, branch, path, pointer, found);
            }
        }
        Expr::Object(members) => {
            if let Some(of_values) = shape.strip_prefix('*') {
                for (key, member) in members {
                    look(known, of_values, member, &format!("{path}.{key}"), &format!("{pointer}/{key}"), found);
                }
                return;
            }
            let Some(properties) = known.shape(shape) else { return };
            for (name, member) in members {
                let path = format!("{path}.{name}");
                match properties.iter().find(|(property, _)| property == name) {
                    Some((_, "")) => {}
                    Some((_, below)) => look(known, below, member, &path, &format!("{pointer}/{name}"), found),
                    None => {
                        found.push(Extraneous { path, pointer: pointer.to_owned(), name, near: near(name, properties) })
                    }
                }
            }
        }
        _ => {}
    }
}

/// The property that was meant: one that differs by case alone, or the nearest.
fn near(name: &str, properties: &'static [(&'static str, &'static str)]) -> Option<&'static str> {
    let names = || properties.iter().map(|(property, _)| *property);
    names().find(|property| property.eq_ignore_ascii_case(name)).or_else(|| nearest(name, names()))
}
