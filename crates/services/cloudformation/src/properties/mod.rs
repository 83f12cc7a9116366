//! Whether the properties of a template's resources are those that their types have, before anything is made.
//!
//! Names count with their case: CloudFormation's are its own, not those of the API that a type calls.
//!
//! Invariant: what depends on conditions is checked in every branch; what is no object in the template is not looked into.

use neargate_api::resources::find;
use neargate_kernel::Fault;
use neargate_shape::ResourceShape;
use neargate_template::{Expr, Template, locate, nearest};

use crate::errors::CloudFormationError;

/// Whether the properties of a type are known.
pub fn knows_properties_of(type_name: &str) -> bool {
    find(type_name).is_some()
}

/// Something that is wrong with an object among the properties.
struct Finding<'t> {
    /// In the template: `Resources.X.Properties.A[0].B`; where a property is missing, the object.
    path: String,
    /// The object, as AWS writes it: `#/A/0`.
    pointer: String,
    what: What<'t>,
}

enum What<'t> {
    /// A property that the type does not have, and the one that may be meant.
    Extraneous(&'t str, Option<&'static str>),
    /// A property that the type must have.
    Missing(&'static str),
}

impl Finding<'_> {
    /// In AWS's words.
    fn refusal(&self) -> String {
        match self.what {
            What::Extraneous(name, _) => format!("{}: extraneous key [{name}] is not permitted", self.pointer),
            What::Missing(name) => format!("{}: required key [{name}] not found", self.pointer),
        }
    }

    fn hint(&self, text: &str, type_name: &str) -> String {
        let at = locate(text, &self.path).map_or_else(String::new, |(line, column)| format!("line {line}:{column}, "));
        match self.what {
            What::Extraneous(_, near) => {
                let near = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
                format!("{at}`{}` is no property of {type_name}{near}", self.path)
            }
            What::Missing(name) => format!("{at}`{}` must have `{name}`", self.path),
        }
    }
}

/// Refuses a template with properties that their types do not have, or without those that they must have, in AWS's words; the
/// hint names each with its line.
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
        let keys: Vec<_> = found.iter().map(Finding::refusal).collect();
        refusals.push(format!(
            "Properties validation failed for resource {logical_id} with message:\n[{}]",
            keys.join(", ")
        ));
        hints.extend(found.iter().map(|it| it.hint(text, &resource.resource_type)));
    }
    if refusals.is_empty() {
        return Ok(());
    }
    let fault: Fault = CloudFormationError::Validation(refusals.join("\n")).into();
    Err(fault.with_hint(hints.join("; ")))
}

fn look<'t>(
    known: &ResourceShape,
    shape: &str,
    expr: &'t Expr,
    path: &str,
    pointer: &str,
    found: &mut Vec<Finding<'t>>,
) {
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
            let Some(properties) = known.properties(shape) else { return };
            let missing = known.required(shape).iter().filter(|name| members.get(**name).is_none_or(is_no_value));
            found.extend(missing.map(|name| Finding {
                path: path.to_owned(),
                pointer: pointer.to_owned(),
                what: What::Missing(name),
            }));
            for (name, member) in members {
                let path = format!("{path}.{name}");
                match properties.iter().find(|(property, _)| property == name) {
                    Some((_, "")) => {}
                    Some((_, below)) => look(known, below, member, &path, &format!("{pointer}/{name}"), found),
                    None => {
                        let what = What::Extraneous(name, near(name, properties));
                        found.push(Finding { path, pointer: pointer.to_owned(), what });
                    }
                }
            }
        }
        _ => {}
    }
}

/// Whether a property is as good as left out.
fn is_no_value(expr: &Expr) -> bool {
    matches!(expr, Expr::Ref(name) if name == "AWS::NoValue")
}

/// The property that was meant: one that differs by case alone, or the nearest.
fn near(name: &str, properties: &'static [(&'static str, &'static str)]) -> Option<&'static str> {
    let names = || properties.iter().map(|(property, _)| *property);
    names().find(|property| property.eq_ignore_ascii_case(name)).or_else(|| nearest(name, names()))
}
