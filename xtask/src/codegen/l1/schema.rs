//! From a CloudFormation resource schema to the shapes that are written.

use std::collections::BTreeSet;

use serde_json::Value;

/// A resource type and the property types below it.
pub(super) struct Resource {
    pub(super) type_name: String,
    /// `ec2` of `AWS::EC2::VPC`.
    pub(super) namespace: String,
    /// The module of its property types: `task_definition`.
    pub(super) module: String,
    pub(super) shape: Shape,
    pub(super) shapes: Vec<Shape>,
    /// What `Fn::GetAtt` answers to.
    pub(super) attributes: Vec<String>,
    /// `List`, `Map` or `None`.
    pub(super) tags: &'static str,
    /// The property that holds the tags.
    pub(super) tag_property: Option<String>,
    /// What cannot be changed.
    pub(super) create_only: Vec<String>,
    /// What only the service sets.
    pub(super) read_only: Vec<String>,
    pub(super) primary_id: Vec<String>,
}

impl Resource {
    /// `AWS::EC2` of `AWS::EC2::VPC`.
    pub(super) fn prefix(&self) -> &str {
        self.type_name.rsplit_once("::").map_or(&self.type_name, |(prefix, _)| prefix)
    }
}

/// A struct.
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) required: Vec<String>,
}

/// A property; in `ty`, `@` stands before names of property types.
pub(super) struct Field {
    pub(super) rust_name: String,
    pub(super) wire_name: String,
    pub(super) ty: String,
}

/// Reads one schema.
pub(super) fn read(type_name: &str, schema: &Value) -> Result<Resource, String> {
    let mut parts = type_name.split("::").skip(1);
    let (Some(namespace), Some(name)) = (parts.next(), parts.next()) else {
        return Err(format!("`{type_name}` is no resource type"));
    };
    let mut reader = Reader { schema, shapes: vec![], seen: BTreeSet::new() };
    let shape = reader.shape(name, schema, "/properties")?;
    let tags = match schema.pointer("/tagging/taggable").and_then(Value::as_bool) {
        Some(true) if reader.is_map(schema.pointer("/properties/Tags")) => "Map",
        Some(true) => "List",
        _ => "None",
    };
    reader.shapes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Resource {
        type_name: type_name.to_owned(),
        namespace: namespace.to_lowercase(),
        module: snake(name),
        shapes: reader.shapes,
        shape: Shape { name: pascal(name), ..shape },
        attributes: pointers(schema, "readOnlyProperties").iter().map(|path| path.replace('/', ".")).collect(),
        tags,
        tag_property: (tags != "None").then(|| {
            let path = schema.pointer("/tagging/tagProperty").and_then(Value::as_str);
            path.and_then(|path| path.strip_prefix("/properties/")).unwrap_or("Tags").to_owned()
        }),
        create_only: sorted(pointers(schema, "createOnlyProperties")),
        read_only: sorted(pointers(schema, "readOnlyProperties")),
        primary_id: pointers(schema, "primaryIdentifier"),
    })
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// The entries of a list of `/properties/A/B` pointers, as `A/B`.
fn pointers(schema: &Value, key: &str) -> Vec<String> {
    let all = schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    all.filter_map(|path| path.strip_prefix("/properties/")).map(str::to_owned).collect()
}

struct Reader<'a> {
    schema: &'a Value,
    shapes: Vec<Shape>,
    seen: BTreeSet<String>,
}

impl Reader<'_> {
    fn shape(&mut self, name: &str, object: &Value, place: &str) -> Result<Shape, String> {
        let read_only = if place == "/properties" { pointers(self.schema, "readOnlyProperties") } else { vec![] };
        let empty = serde_json::Map::new();
        let properties = object.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let mut fields = Vec::new();
        for (wire_name, property) in properties.iter().filter(|(name, _)| !read_only.contains(name)) {
            let ty = self.ty(wire_name, property)?;
            fields.push(Field { rust_name: field_name(wire_name), wire_name: wire_name.clone(), ty });
        }
        fields.sort_by(|a, b| a.wire_name.cmp(&b.wire_name));
        let required = object.get("required").and_then(Value::as_array).into_iter().flatten();
        let mut required: Vec<String> = required.filter_map(Value::as_str).map(str::to_owned).collect();
        required.sort();
        Ok(Shape { name: pascal(name), fields, required })
    }

    /// The Rust type of a property; `name` names an object that has no name of its own.
    fn ty(&mut self, name: &str, property: &Value) -> Result<String, String> {
        if let Some(path) = property.get("$ref").and_then(Value::as_str) {
            let definition = path.strip_prefix("#/definitions/").ok_or(format!("`{path}` leads out of the schema"))?;
            let target = self.schema.pointer(&path.replacen('#', "", 1)).ok_or(format!("`{path}` leads nowhere"))?;
            return self.ty(definition, target);
        }
        Ok(match property.get("type") {
            Some(Value::String(ty)) => match ty.as_str() {
                "string" => "Value<String>".to_owned(),
                "integer" => "Value<i64>".to_owned(),
                "number" => "Value<f64>".to_owned(),
                "boolean" => "Value<bool>".to_owned(),
                "array" => {
                    let item = property.get("items").unwrap_or(&Value::Null);
                    format!("Value<Vec<{}>>", self.ty(name, item)?)
                }
                "object" if property.get("properties").is_some() => self.object(name, property)?,
                "object" if self.is_map(Some(property)) => {
                    let item = property
                        .get("patternProperties")
                        .and_then(Value::as_object)
                        .and_then(|map| map.values().next());
                    format!("Value<BTreeMap<String, {}>>", self.ty(name, item.unwrap_or(&Value::Null))?)
                }
                _ => "Json".to_owned(),
            },
            _ => "Json".to_owned(),
        })
    }

    fn object(&mut self, name: &str, object: &Value) -> Result<String, String> {
        if self.seen.insert(name.to_owned()) {
            let shape = self.shape(name, object, "")?;
            self.shapes.push(shape);
        }
        Ok(format!("Value<@{}>", pascal(name)))
    }

    fn is_map(&self, property: Option<&Value>) -> bool {
        property.is_some_and(|property| property.get("patternProperties").is_some())
    }
}

/// `VPCGatewayAttachment` → `VpcGatewayAttachment`: Rust's casing, with runs of capitals as one word.
fn pascal(name: &str) -> String {
    let word = |word: &String| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    words(name).iter().map(word).collect()
}

pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

fn field_name(name: &str) -> String {
    let name = snake(name);
    if matches!(name.as_str(), "type" | "ref" | "where" | "use" | "mod" | "match" | "loop") {
        format!("r#{name}")
    } else {
        name
    }
}

/// Lowercase words: a capital begins one unless it follows a capital and does not precede a small letter.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> =
        name.replace("iB", "ib").replace("IPs", "Ips").chars().filter(char::is_ascii_alphanumeric).collect();
    let mut words: Vec<String> = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase()
            && (before.is_none_or(|before| !before.is_ascii_uppercase())
                || after.is_some_and(char::is_ascii_lowercase));
        if begins || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{pascal, snake};

    #[test]
    fn names_are_cut_where_a_reader_would() {
        for (name, expected_snake, expected_pascal) in [
            ("VPCGatewayAttachment", "vpc_gateway_attachment", "VpcGatewayAttachment"),
            ("SizeInGiB", "size_in_gib", "SizeInGib"),
            ("EIP", "eip", "Eip"),
            ("Ipv6CidrBlock", "ipv6_cidr_block", "Ipv6CidrBlock"),
            ("EFSVolumeConfiguration", "efs_volume_configuration", "EfsVolumeConfiguration"),
            ("EnableECSManagedTags", "enable_ecs_managed_tags", "EnableEcsManagedTags"),
        ] {
            assert_eq!((snake(name).as_str(), pascal(name).as_str()), (expected_snake, expected_pascal));
        }
    }
}
