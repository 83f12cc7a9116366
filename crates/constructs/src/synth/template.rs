//! One stack's template.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::Diagnostic;
use neargate_l1::{Json, TagStyle, Value};
use serde_json::{Map, Value as Plain, json};

use super::resolve::Resolver;
use crate::tree::codes;
use crate::tree::node::Element;
use crate::tree::node::Scope;
use crate::tree::node::Stack;
use crate::tree::resource::CfnResource;
use crate::tree::stack::QUALIFIER;
use crate::tree::tag::tags_for;

/// The least version of the bootstrap stack that the assembly's roles and bucket belong to.
pub(super) const BOOTSTRAP_VERSION_MIN: i64 = 6;

/// All sections but what other stacks' references add afterwards ([`publish`]).
pub(super) fn render(stack: &Stack, scopes: &[Scope], depends_on: &BTreeMap<u32, BTreeSet<u32>>) -> Map<String, Plain> {
    let mut sections: BTreeMap<&str, Map<String, Plain>> = BTreeMap::new();
    for scope in scopes {
        let Some(element) = scope.tree.with(scope.node, |node| node.element.clone()) else { continue };
        let id = scope.logical_id();
        let (section, body) = match element {
            Element::Other(section, body) => {
                let body = body.borrow().clone();
                (section, Resolver { stack, scope }.resolve(&body))
            }
            Element::Resource(_) => match scope.construct::<CfnResource>() {
                Some(resource) => ("Resources", render_resource(stack, &resource, depends_on.get(&scope.node))),
                None => continue,
            },
        };
        if sections.values().any(|known| known.contains_key(&id)) {
            scope.report(
                Diagnostic::error(
                    codes::DUPLICATE_LOGICAL_ID,
                    format!("the logical id `{id}` is taken in stack `{}`", stack.name()),
                )
                .hint("give the construct another id, or its resource another logical id"),
            );
        }
        sections.entry(section).or_default().insert(id, body);
    }
    let mut template = Map::new();
    if let Some(description) = &stack.state.props.description {
        template.insert("Description".to_owned(), Plain::from(description.as_str()));
    }
    for (section, body) in sections {
        template.insert(section.to_owned(), Plain::Object(body));
    }
    template.entry("Resources").or_insert_with(|| json!({}));
    add_bootstrap_check(&mut template);
    template
}

/// Adds the outputs that other stacks read.
pub(super) fn publish(stack: &Stack, template: &mut Map<String, Plain>) {
    let published = stack.state.published.borrow();
    if published.is_empty() {
        return;
    }
    if let Some(Plain::Object(outputs)) = template.get_mut("Outputs") {
        outputs.extend(published.iter().map(|(id, value)| (id.clone(), json!({ "Value": value }))));
    } else {
        let outputs = published.iter().map(|(id, value)| (id.clone(), json!({ "Value": value }))).collect();
        template.insert("Outputs".to_owned(), Plain::Object(outputs));
    }
}

fn render_resource(stack: &Stack, resource: &CfnResource, depends_on: Option<&BTreeSet<u32>>) -> Plain {
    let resolver = Resolver { stack, scope: resource };
    let shape = resource.produce();
    let mut missing = Vec::new();
    let mut properties = shape.to_json(&mut missing);
    for property in missing {
        resource.error(codes::MISSING_PROPERTY, format!("`{}` needs `{property}`", shape.cfn_type()));
    }
    add_tags(resource, shape.cfn_type(), shape.tag_style(), &mut properties);

    let mut body = Map::new();
    body.insert("Type".to_owned(), Plain::from(shape.cfn_type()));
    let properties = resolver.resolve(&properties);
    if properties.as_object().is_some_and(|properties| !properties.is_empty()) {
        body.insert("Properties".to_owned(), drop_empty(properties));
    }
    let mut names: Vec<String> = depends_on.into_iter().flatten().map(|node| resource.at(*node).logical_id()).collect();
    names.sort();
    if !names.is_empty() {
        body.insert("DependsOn".to_owned(), Plain::from(names));
    }
    let state = resource.state();
    if let Some((deletion, replacement)) = state.removal.get() {
        body.insert("UpdateReplacePolicy".to_owned(), Plain::from(replacement.as_cfn().1));
        body.insert("DeletionPolicy".to_owned(), Plain::from(deletion.as_cfn().0));
    }
    let mut metadata = Map::new();
    metadata.insert("aws:cdk:path".to_owned(), Plain::from(resource.path()));
    for (key, value) in state.metadata.borrow().iter() {
        metadata.insert(key.clone(), resolver.resolve(value));
    }
    body.insert("Metadata".to_owned(), Plain::Object(metadata));
    if let Some(condition) = state.condition.borrow().as_ref() {
        body.insert("Condition".to_owned(), resolver.resolve(&condition.name()));
    }
    let mut body = Plain::Object(body);
    for (path, value) in state.overrides.borrow().iter() {
        let value = value.as_ref().map(|value| resolver.resolve(value));
        set_path(&mut body, path, value);
    }
    body
}

/// Top-level properties that are empty lists or objects are as good as absent.
fn drop_empty(properties: Plain) -> Plain {
    let Plain::Object(mut map) = properties else { return properties };
    map.retain(|_, value| match value {
        Plain::Array(items) => !items.is_empty(),
        Plain::Object(entries) => !entries.is_empty(),
        _ => true,
    });
    Plain::Object(map)
}

fn add_tags(resource: &CfnResource, cfn_type: &str, style: TagStyle, properties: &mut Json) {
    let Json::Map(entries) = properties else { return };
    let at = entries.iter().position(|(key, _)| key == "Tags");
    let own = match (style, at.and_then(|at| entries.get(at)).map(|(_, tags)| tags)) {
        (TagStyle::None, _) | (_, Some(Json::Token(_))) => return,
        (TagStyle::List, Some(Json::List(tags))) => {
            let text = |tag: &Json, key| tag.get(key).and_then(as_text);
            tags.iter().filter_map(|tag| Some((text(tag, "Key")?.to_string(), text(tag, "Value")?))).collect()
        }
        (TagStyle::Map, Some(Json::Map(tags))) => {
            tags.iter().filter_map(|(key, value)| Some((key.clone(), as_text(value)?))).collect()
        }
        _ => vec![],
    };
    let tags = tags_for(resource, cfn_type, own);
    let tags = match style {
        _ if tags.is_empty() => Json::Null,
        TagStyle::Map => Json::map(tags.into_iter().map(|(key, value)| (key, Json::from(value)))),
        _ => Json::list(
            tags.into_iter().map(|(key, value)| Json::map([("Key", Json::from(key)), ("Value", Json::from(value))])),
        ),
    };
    match at.and_then(|at| entries.get_mut(at)) {
        Some((_, old)) => *old = tags,
        None => entries.push(("Tags".to_owned(), tags)),
    }
}

fn as_text(json: &Json) -> Option<Value<String>> {
    match json {
        Json::Text(text) => Some(Value::Literal(text.clone())),
        Json::Token(token) => Some(Value::Token(token.clone())),
        _ => None,
    }
}

/// Sets or deletes what a path leads to; objects and lists on the way are made where they are missing.
fn set_path(at: &mut Plain, path: &[String], value: Option<Plain>) {
    let Some((first, rest)) = path.split_first() else {
        *at = value.unwrap_or(Plain::Null);
        return;
    };
    let index = first.parse::<usize>().ok();
    if let (Plain::Array(items), Some(index)) = (&mut *at, index) {
        if rest.is_empty() && value.is_none() {
            if index < items.len() {
                items.remove(index);
            }
            return;
        }
        while items.len() <= index {
            items.push(Plain::Null);
        }
        if let Some(item) = items.get_mut(index) {
            set_path(item, rest, value);
        }
        return;
    }
    if !at.is_object() {
        if index.is_some() && !at.is_array() {
            *at = json!([]);
            return set_path(at, path, value);
        }
        *at = json!({});
    }
    let Plain::Object(entries) = at else { return };
    if rest.is_empty() && value.is_none() {
        entries.remove(first);
        return;
    }
    set_path(entries.entry(first.clone()).or_insert(Plain::Null), rest, value);
}

fn add_bootstrap_check(template: &mut Map<String, Plain>) {
    let parameter = json!({
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": format!("/cdk-bootstrap/{QUALIFIER}/version"),
        "Description": "Version of the CDK Bootstrap resources in this environment, automatically retrieved from SSM Parameter Store. [cdk:skip]",
    });
    if let Some(parameters) = template.entry("Parameters").or_insert_with(|| json!({})).as_object_mut() {
        parameters.insert("BootstrapVersion".to_owned(), parameter);
    }
    let too_old: Vec<String> = (1..BOOTSTRAP_VERSION_MIN).map(|version| version.to_string()).collect();
    let rule = json!({"Assertions": [{
        "Assert": {"Fn::Not": [{"Fn::Contains": [too_old, {"Ref": "BootstrapVersion"}]}]},
        "AssertDescription": format!(
            "CDK bootstrap stack version {BOOTSTRAP_VERSION_MIN} required. Please run 'cdk bootstrap' with a recent version of the CDK CLI."
        ),
    }]});
    if let Some(rules) = template.entry("Rules").or_insert_with(|| json!({})).as_object_mut() {
        rules.insert("CheckBootstrapVersion".to_owned(), rule);
    }
}

#[cfg(test)]
mod tests {
    use super::set_path;
    use serde_json::{Value, json};

    fn check(path: &str, value: Option<Value>, expected: Value) {
        let mut at = json!({"A": [{"B": 1}], "C": "x"});
        set_path(&mut at, &path.split('.').map(str::to_owned).collect::<Vec<_>>(), value);
        assert_eq!(at, expected);
    }

    #[test]
    fn overrides_set_make_and_delete() {
        check("A.0.B", Some(json!(2)), json!({"A": [{"B": 2}], "C": "x"}));
        check("A.1.B", Some(json!(2)), json!({"A": [{"B": 1}, {"B": 2}], "C": "x"}));
        check("D.E.0", Some(json!(true)), json!({"A": [{"B": 1}], "C": "x", "D": {"E": [true]}}));
        check("A.0", None, json!({"A": [], "C": "x"}));
        check("C", None, json!({"A": [{"B": 1}]}));
        check("C.D", Some(json!(1)), json!({"A": [{"B": 1}], "C": {"D": 1}}));
    }
}
