//! `cargo xtask codegen l1`: resource structs for `crates/l1`, from the CloudFormation schemas inside cfn-lint's wheel.
//!
//! The wheel is pinned, so the same input always writes the same files. A type enters by a line in [`TYPES`]; its module is the
//! namespace in the middle of its name, and so is its Cargo feature.
//!
//! Invariant: names, types and which properties are required or read-only; no descriptions.

mod schema;
mod wheel;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::Generated;
use schema::{Field, Resource, Shape};

/// The resource types that `crates/l1` has, sorted.
const TYPES: &[&str] = &[
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
];

/// Types that stacks can hold beside those, sorted.
const OTHER_TYPES: &[&str] = &[
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::Events::EventBus",
    "AWS::IAM::RolePolicy",
    "AWS::Logs::LogStream",
    "AWS::SecretsManager::ResourcePolicy",
];

/// The tables that CloudFormation goes by.
fn tables(schemas: &wheel::Schemas) -> Result<Generated, String> {
    let mut types: BTreeSet<&str> = TYPES.iter().copied().collect();
    types.extend(OTHER_TYPES);
    let mut text = format!(
        "//! The properties of the resource types that run here.\n//!\n//! Invariant: written by `cargo xtask codegen l1` \
         from {}; edit the generator, not this file.\n// @generated\n\nuse neargate_shape::ResourceShape;\n\n\
         /// The type's description.\npub fn find(name: &str) -> Option<&'static ResourceShape> {{\n    \
         TYPES.binary_search_by_key(&name, |it| it.name).ok().and_then(|at| TYPES.get(at).copied())\n}}\n\n\
         /// Every type, sorted by name.\n#[rustfmt::skip]\npub static TYPES: &[&ResourceShape] = &[\n{}];\n",
        wheel::PINNED,
        types.iter().map(|name| format!("    &{},\n", constant(name))).collect::<String>(),
    );
    for name in types {
        let resource = schema::read(name, &schemas.read(name)?)?;
        let _ = writeln!(
            text,
            "\n/// `{name}`.\n#[rustfmt::skip]\npub static {}: ResourceShape = ResourceShape {{\n    name: {name:?},\n    shapes: &[",
            constant(name)
        );
        let shapes = || std::iter::once(&resource.shape).chain(&resource.shapes).enumerate();
        let name_of = |at: usize, shape: &Shape| if at == 0 { String::new() } else { shape.name.clone() };
        for (at, shape) in shapes() {
            let _ = write!(text, "        ({:?}, &[", name_of(at, shape));
            for field in &shape.fields {
                let _ = write!(text, "({:?}, {:?}), ", field.wire_name, below(&field.ty));
            }
            text.push_str("]),\n");
        }
        let required: Vec<_> = shapes()
            .filter(|(_, shape)| !shape.required.is_empty())
            .map(|(at, shape)| format!("({:?}, &{:?})", name_of(at, shape), shape.required))
            .collect();
        let _ = writeln!(
            text,
            "    ],\n    required: &[{}],\n    create_only: &{:?},\n    read_only: &{:?},\n    primary_id: &{:?},\n    tags: {:?},\n}};",
            required.join(", "),
            resource.create_only,
            resource.read_only,
            resource.primary_id,
            resource.tag_property,
        );
    }
    Ok(Generated { path: PathBuf::from("crates/api/src/resources.rs"), text })
}

/// `ECS_TASK_DEFINITION` of `AWS::ECS::TaskDefinition`.
fn constant(type_name: &str) -> String {
    let mut parts = type_name.split("::").skip(1);
    let (namespace, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{namespace}_{}", schema::snake(name)).to_uppercase()
}

/// The shape below a property: its name, with `*` before it where a map lies between; empty where any name goes.
fn below(ty: &str) -> String {
    let Some((before, after)) = ty.split_once('@') else { return String::new() };
    let name: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
    if before.contains("BTreeMap<") { format!("*{name}") } else { name }
}

/// The files of `crates/l1/src`, one per namespace, and the tables that CloudFormation goes by.
pub(super) fn generate() -> Result<Vec<Generated>, String> {
    let schemas = wheel::Schemas::open()?;
    let mut namespaces: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
    for name in TYPES {
        let resource = schema::read(name, &schemas.read(name)?)?;
        namespaces.entry(resource.namespace.clone()).or_default().push(resource);
    }
    let mut files = vec![tables(&schemas)?];
    files.extend(namespaces.iter().map(|(namespace, resources)| Generated {
        path: PathBuf::from(format!("crates/l1/src/{namespace}.rs")),
        text: module(namespace, resources),
    }));
    Ok(files)
}

fn module(namespace: &str, resources: &[Resource]) -> String {
    let mut text = format!(
        "//! `{}` resources.\n//!\n//! Invariant: written by `cargo xtask codegen l1` from {}; edit the generator, not this file.\n\n",
        resources.first().map_or(namespace, |resource| resource.prefix()),
        wheel::PINNED
    );
    imports(&mut text, "", &resources.iter().map(|resource| &resource.shape).collect::<Vec<_>>());
    for resource in resources {
        let _ = writeln!(text, "crate::resource! {{\n    {} {:?} {{", resource.shape.name, resource.type_name);
        fields(&mut text, "        ", &resource.shape, &format!("{}::", resource.module));
        let _ = writeln!(
            text,
            "    }}\n    required {:?}\n    attributes {:?}\n    tags {}\n}}\n",
            resource.shape.required, resource.attributes, resource.tags
        );
        if resource.shapes.is_empty() {
            continue;
        }
        let _ = writeln!(text, "/// Property types of [`{}`].\npub mod {} {{", resource.shape.name, resource.module);
        imports(&mut text, "    ", &resource.shapes.iter().collect::<Vec<_>>());
        for shape in &resource.shapes {
            let _ = writeln!(text, "    crate::shape! {{\n        {} {{", shape.name);
            fields(&mut text, "            ", shape, "");
            let _ = writeln!(text, "        }}\n        required {:?}\n    }}\n", shape.required);
        }
        text.push_str("}\n\n");
    }
    text
}

/// `use` lines for the value types that the shapes mention.
fn imports(text: &mut String, indent: &str, shapes: &[&Shape]) {
    let types: Vec<&str> = shapes.iter().flat_map(|shape| shape.fields.iter().map(|field| field.ty.as_str())).collect();
    if types.iter().any(|ty| ty.contains("BTreeMap<")) {
        let _ = writeln!(text, "{indent}use std::collections::BTreeMap;\n");
    }
    let names: BTreeSet<&str> =
        ["Json", "Value"].into_iter().filter(|name| types.iter().any(|ty| mentions(ty, name))).collect();
    match names.iter().copied().collect::<Vec<_>>().as_slice() {
        [] => {}
        [one] => {
            let _ = writeln!(text, "{indent}use crate::{one};\n");
        }
        many => {
            let _ = writeln!(text, "{indent}use crate::{{{}}};\n", many.join(", "));
        }
    }
}

fn mentions(ty: &str, name: &str) -> bool {
    ty.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == name)
}

fn fields(text: &mut String, indent: &str, shape: &Shape, module: &str) {
    for Field { rust_name, wire_name, ty } in &shape.fields {
        let _ = writeln!(text, "{indent}{rust_name} {wire_name:?} {},", ty.replace('@', module));
    }
}
