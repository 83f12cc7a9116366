//! Tags of anything that has an id.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, on, on_everything, real, with_request_tags};
use crate::api;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::list::{Field, page, select, text};
use crate::state::TagSet;
use crate::tags;

/// `CreateTags` adds or replaces tags by key.
pub(crate) struct CreateTags;

impl Operation for CreateTags {
    const SHAPE: &'static OperationShape = &api::CREATE_TAGS;
    type Input = api::CreateTagsInput;
    type Output = api::CreateTagsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let one = |access| with_request_tags(access, input.tags.iter());
        tagging(cx, "CreateTags", &input.resources).map(one)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        for id in &input.resources {
            require(cx, id)?;
            tags::add(cx, id, &input.tags)?;
        }
        Ok(api::CreateTagsOutput::default())
    }
}

/// `DeleteTags` takes tags away: by key, by key and value, or all.
pub(crate) struct DeleteTags;

impl Operation for DeleteTags {
    const SHAPE: &'static OperationShape = &api::DELETE_TAGS;
    type Input = api::DeleteTagsInput;
    type Output = api::DeleteTagsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        tagging(cx, "DeleteTags", &input.resources)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let named = input.tags.filter(|tags| !tags.is_empty());
        for id in &input.resources {
            require(cx, id)?;
            let mut left = tags::tags(cx, id);
            left.retain(|key, value| {
                let is_named = |tag: &api::Tag| {
                    tag.key.as_ref() == Some(key) && tag.value.as_ref().is_none_or(|wanted| wanted == value)
                };
                // What AWS put there itself stays.
                key.starts_with("aws:") || named.as_ref().is_some_and(|tags| !tags.iter().any(is_named))
            });
            tags::put(cx, id, left);
        }
        Ok(api::DeleteTagsOutput::default())
    }
}

fn tagging(cx: &Cx<'_>, action: &str, ids: &[String]) -> Accesses {
    let access = |id: &String| match Kind::of(id) {
        Some(kind) => on(cx, action, kind, id),
        None => on_everything(action),
    };
    Accesses::each(ids.iter().map(access), || on_everything(action))
}

fn require(cx: &Cx<'_>, id: &str) -> Result<(), Ec2Error> {
    match Kind::of(id) {
        None => Err(Ec2Error::InvalidId(id.to_owned())),
        Some(kind) if kind.exists(cx, id) => Ok(()),
        Some(kind) => Err(kind.missing(id)),
    }
}

/// `DescribeTags` lists the tags of everything.
pub(crate) struct DescribeTags;

impl Operation for DescribeTags {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_TAGS;
    type Input = api::DescribeTagsInput;
    type Output = api::DescribeTagsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeTags")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let all =
            cx.scan::<TagSet>("").flat_map(|(id, tags)| tags.0.iter().map(move |tag| Line::of(id, tag))).collect();
        let chosen = select(all, input.filters.as_deref(), FIELDS, |line| &line.tag)?;
        let (lines, next_token) = page(chosen, |line| &line.token, input.next_token.as_deref(), input.max_results);
        Ok(api::DescribeTagsOutput { next_token, tags: Some(lines.into_iter().map(|line| line.shown).collect()) })
    }
}

/// One tag of one thing.
struct Line {
    /// A page ends with any tag, so its token names thing and tag.
    token: String,
    tag: [api::Tag; 1],
    shown: api::TagDescription,
}

impl Line {
    fn of(id: &str, (key, value): (&String, &String)) -> Self {
        let tag = [api::Tag { key: Some(key.clone()), value: Some(value.clone()) }];
        let shown = api::TagDescription {
            key: Some(key.clone()),
            resource_id: Some(id.to_owned()),
            resource_type: Kind::of(id).map(|kind| kind.type_name().to_owned()),
            value: Some(value.clone()),
        };
        Self { token: format!("{id}/{key}"), tag, shown }
    }
}

const FIELDS: &[Field<Line>] = &[
    ("key", |it| text(&it.shown.key)),
    ("resource-id", |it| text(&it.shown.resource_id)),
    ("resource-type", |it| text(&it.shown.resource_type)),
    ("value", |it| text(&it.shown.value)),
];
