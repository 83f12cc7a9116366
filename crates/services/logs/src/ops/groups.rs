//! Log groups.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{cut, invalid};
use crate::access::{on_group, with_request_tags};
use crate::api;
use crate::data_key;
use crate::errors::LogsError;
use crate::expire::forget_stream;
use crate::state::{LogGroup, LogStream, group, group_arn, group_name, stream_arn, stream_key};

/// `CreateLogGroup` makes a group, with a key of the customer's where one is named.
pub(crate) struct CreateLogGroup;

impl Operation for CreateLogGroup {
    const SHAPE: &'static OperationShape = &api::CREATE_LOG_GROUP;
    type Input = api::CreateLogGroupInput;
    type Output = api::CreateLogGroupOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let name = input.log_group_name.as_str();
        let create = Access::new("logs:CreateLogGroup", stream_arn(cx, name, "")).with_resource_tags(None, []);
        match &input.tags {
            None => create.with_request_tags([]).into(),
            Some(tags) => {
                let tag = Access::new("logs:TagResource", group_arn(cx, name)).with_resource_tags(None, []);
                Accesses::new(with_request_tags(create, tags)).and([with_request_tags(tag, tags)])
            }
        }
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = input.log_group_name;
        if cx.get::<LogGroup>(&name).is_some() {
            return Err(LogsError::GroupExists.into());
        }
        if name.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws/")) {
            return Err(invalid("Log groups starting with AWS/ are reserved for AWS.").into());
        }
        let kms_key = input.kms_key_id.map(|key| data_key::check(cx, &name, &key)).transpose()?;
        let class = input.log_group_class.unwrap_or_else(|| "STANDARD".to_owned());
        if class != "STANDARD" {
            cx.not_simulated(
                "logs:CreateLogGroup logGroupClass",
                format!("`{class}` is recorded; the group behaves as STANDARD"),
            );
        }
        let group = LogGroup {
            name: name.clone(),
            created_at: cx.time(),
            retention_days: None,
            tags: input.tags.unwrap_or_default(),
            class,
            deletion_protection: input.deletion_protection_enabled.unwrap_or(false),
            kms_key,
        };
        cx.put(&name, group);
        Ok(api::CreateLogGroupOutput::default())
    }
}

/// `DeleteLogGroup` deletes a group with its streams and their events.
pub(crate) struct DeleteLogGroup;

impl Operation for DeleteLogGroup {
    const SHAPE: &'static OperationShape = &api::DELETE_LOG_GROUP;
    type Input = api::DeleteLogGroupInput;
    type Output = api::DeleteLogGroupOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_group(cx, "logs:DeleteLogGroup", &input.log_group_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = input.log_group_name;
        if group(cx, &name)?.deletion_protection {
            return Err(LogsError::GroupProtected.into());
        }
        let streams: Vec<_> = cx.scan::<LogStream>(&stream_key(&name, "")).map(|(_, stream)| stream.clone()).collect();
        for stream in streams {
            forget_stream(cx, &name, &stream);
        }
        cx.delete::<LogGroup>(&name);
        Ok(api::DeleteLogGroupOutput::default())
    }
}

/// `PutLogGroupDeletionProtection` protects a group from deletion, or does so no more.
pub(crate) struct PutLogGroupDeletionProtection;

impl Operation for PutLogGroupDeletionProtection {
    const SHAPE: &'static OperationShape = &api::PUT_LOG_GROUP_DELETION_PROTECTION;
    type Input = api::PutLogGroupDeletionProtectionInput;
    type Output = api::PutLogGroupDeletionProtectionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_group(cx, "logs:PutLogGroupDeletionProtection", &group_name(cx, &input.log_group_identifier)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let protected = input.deletion_protection_enabled;
        let name = group_name(cx, &input.log_group_identifier);
        let changed = cx.update::<LogGroup, _>(&name, |group| group.deletion_protection = protected);
        changed.ok_or(LogsError::GroupNotFound)?;
        Ok(api::PutLogGroupDeletionProtectionOutput::default())
    }
}

/// `DescribeLogGroups` lists groups by name. A page's token is the last name on it.
pub(crate) struct DescribeLogGroups;

impl Operation for DescribeLogGroups {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_LOG_GROUPS;
    type Input = api::DescribeLogGroupsInput;
    type Output = api::DescribeLogGroupsOutput;

    fn access(cx: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("logs:DescribeLogGroups", stream_arn(cx, "", "")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
            return Err(
                invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.").into()
            );
        }
        if input.include_linked_accounts == Some(true) {
            cx.not_simulated("logs:DescribeLogGroups includeLinkedAccounts", "accepted; there are no linked accounts");
        }
        let names: Option<Vec<_>> =
            input.log_group_identifiers.as_ref().map(|ids| ids.iter().map(|id| group_name(cx, id)).collect());
        let is_wanted = |group: &LogGroup| {
            let name = group.name.as_str();
            input.log_group_name_pattern.as_ref().is_none_or(|pattern| name.contains(pattern.as_str()))
                && input.log_group_class.as_ref().is_none_or(|class| *class == group.class)
                && names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
                && input.next_token.as_ref().is_none_or(|token| name > token.as_str())
        };
        let prefix = input.log_group_name_prefix.as_deref().unwrap_or_default();
        let groups = cx.scan::<LogGroup>(prefix).map(|(_, group)| group).filter(|group| is_wanted(group));
        let (groups, has_more) = cut(groups, input.limit);
        let next_token = groups.last().filter(|_| has_more).map(|group| group.name.clone());
        let log_groups = groups.into_iter().map(|group| group.to_api(cx)).collect();
        Ok(api::DescribeLogGroupsOutput { log_groups: Some(log_groups), next_token })
    }
}

impl LogGroup {
    fn to_api(&self, cx: &Cx<'_>) -> api::LogGroup {
        let arn = group_arn(cx, &self.name);
        let stored_bytes: u64 =
            cx.scan::<LogStream>(&stream_key(&self.name, "")).map(|(_, stream)| stream.stored_bytes).sum();
        api::LogGroup {
            log_group_name: Some(self.name.clone()),
            creation_time: Some(self.created_at.millis()),
            retention_in_days: self.retention_days,
            metric_filter_count: Some(0),
            arn: Some(format!("{arn}:*")),
            stored_bytes: i64::try_from(stored_bytes).ok(),
            kms_key_id: self.kms_key.clone(),
            log_group_class: Some(self.class.clone()),
            log_group_arn: Some(arn),
            deletion_protection_enabled: Some(self.deletion_protection),
            ..Default::default()
        }
    }
}
