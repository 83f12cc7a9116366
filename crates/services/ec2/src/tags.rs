//! Tags: read, checked, written; what tag specifications do at creation.

use std::collections::BTreeMap;

use neargate_kernel::Cx;

use crate::api;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::state::{SecurityGroup, TagSet};

const TAGS_MAX: usize = 50;

/// The tags of a thing, by key.
pub(crate) fn tags(cx: &Cx<'_>, id: &str) -> BTreeMap<String, String> {
    cx.get::<TagSet>(id).map(|tags| tags.0.clone()).unwrap_or_default()
}

/// The tags of a thing, as the API shows them.
pub(crate) fn view(cx: &Cx<'_>, id: &str) -> Option<Vec<api::Tag>> {
    let tags = cx.get::<TagSet>(id).into_iter().flat_map(|tags| tags.0.iter());
    Some(tags.map(|(key, value)| api::Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect())
}

/// Adds tags that a caller gave.
pub(crate) fn add(cx: &mut Cx<'_>, id: &str, given: &[api::Tag]) -> Result<(), Ec2Error> {
    let mut all = tags(cx, id);
    for tag in given {
        let key = tag.key.clone().ok_or_else(|| Ec2Error::MissingParameter("Tag.Key".to_owned()))?;
        check(&key, tag.value.as_deref().unwrap_or_default())?;
        all.insert(key, tag.value.clone().unwrap_or_default());
    }
    if all.keys().filter(|key| !key.starts_with("aws:")).count() > TAGS_MAX {
        return Err(Ec2Error::TagLimit(id.to_owned()));
    }
    put(cx, id, all);
    Ok(())
}

/// Replaces the tags of a thing; none leaves no record.
pub(crate) fn put(cx: &mut Cx<'_>, id: &str, tags: BTreeMap<String, String>) {
    if tags.is_empty() {
        cx.delete::<TagSet>(id);
    } else {
        cx.put(id, TagSet(tags));
    }
}

/// Gives a new thing the tags that its specification names, and those that CloudFormation puts on what it makes.
pub(crate) fn specify(
    cx: &mut Cx<'_>,
    kind: Kind,
    id: &str,
    specifications: Option<&Vec<api::TagSpecification>>,
) -> Result<(), Ec2Error> {
    for specification in specifications.into_iter().flatten() {
        let named = specification.resource_type.as_deref().unwrap_or_default();
        if named != kind.type_name() {
            let text = format!("'{named}' is not a valid taggable resource type for this operation.");
            return Err(Ec2Error::InvalidValue(text));
        }
        add(cx, id, specification.tags.as_deref().unwrap_or_default())?;
    }
    if kind != Kind::SecurityGroupRule && !cx.system_tags().is_empty() {
        let mut all = tags(cx, id);
        all.extend(cx.system_tags().clone());
        put(cx, id, all);
    }
    Ok(())
}

fn check(key: &str, value: &str) -> Result<(), Ec2Error> {
    if key.is_empty() || key.chars().count() > 127 {
        let text = format!("Tag key exceeds the maximum length of 127 characters or is empty: '{key}'");
        return Err(Ec2Error::InvalidValue(text));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        let text = "Tag keys starting with 'aws:' are reserved for internal use".to_owned();
        return Err(Ec2Error::InvalidValue(text));
    }
    if value.chars().count() > 255 {
        let text = format!("Tag value exceeds the maximum length of 255 characters: '{value}'");
        return Err(Ec2Error::InvalidValue(text));
    }
    Ok(())
}

/// Forgets the tags of a group's rules.
pub(crate) fn forget_rules(cx: &mut Cx<'_>, group: &str) {
    let rules: Vec<_> =
        cx.get::<SecurityGroup>(group).into_iter().flat_map(|group| &group.rules).map(|rule| rule.id.clone()).collect();
    for rule in rules {
        cx.delete::<TagSet>(&rule);
    }
}
