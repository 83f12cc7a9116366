//! Which key a group's events are encrypted with.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::invalid;
use crate::access::on_group;
use crate::errors::LogsError;
use crate::state::{LogGroup, group, group_arn, group_name};
use crate::{api, data_key};

/// `AssociateKmsKey` lets the events that come be encrypted with a key; those that are there stay as they are.
pub(crate) struct AssociateKmsKey;

impl Operation for AssociateKmsKey {
    const SHAPE: &'static OperationShape = &api::ASSOCIATE_KMS_KEY;
    type Input = api::AssociateKmsKeyInput;
    type Output = api::AssociateKmsKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let named = named(cx, input.log_group_name.as_deref(), input.resource_identifier.as_deref());
        on_group(cx, "logs:AssociateKmsKey", &named.unwrap_or_default()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = named(cx, input.log_group_name.as_deref(), input.resource_identifier.as_deref())?;
        group(cx, &name)?;
        let key = data_key::check(cx, &name, &input.kms_key_id)?;
        set(cx, &name, Some(key))?;
        Ok(api::AssociateKmsKeyOutput::default())
    }
}

/// `DisassociateKmsKey` lets the events that come be encrypted with the service's own key; those that are there still need theirs.
pub(crate) struct DisassociateKmsKey;

impl Operation for DisassociateKmsKey {
    const SHAPE: &'static OperationShape = &api::DISASSOCIATE_KMS_KEY;
    type Input = api::DisassociateKmsKeyInput;
    type Output = api::DisassociateKmsKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let named = named(cx, input.log_group_name.as_deref(), input.resource_identifier.as_deref());
        on_group(cx, "logs:DisassociateKmsKey", &named.unwrap_or_default()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = named(cx, input.log_group_name.as_deref(), input.resource_identifier.as_deref())?;
        set(cx, &name, None)?;
        Ok(api::DisassociateKmsKeyOutput::default())
    }
}

fn set(cx: &mut Cx<'_>, name: &str, key: Option<String>) -> Result<(), LogsError> {
    cx.update::<LogGroup, _>(name, |group| group.kms_key = key).ok_or(LogsError::GroupNotFound)
}

/// The group's name: by name, or by the ARN of the group. The other thing that an ARN may name is not here.
fn named(cx: &Cx<'_>, name: Option<&str>, resource: Option<&str>) -> Result<String, LogsError> {
    match (name, resource) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(resource)) if resource.starts_with(&group_arn(cx, "")) => Ok(group_name(cx, resource)),
        (None, Some(resource)) if resource.contains(":query-result:") => {
            Err(LogsError::NotImplemented("keys of query results (resourceIdentifier)"))
        }
        (None, Some(_)) => Err(invalid("The specified resourceIdentifier is invalid.")),
        (Some(_), Some(_)) => Err(invalid("Only one of logGroupName and resourceIdentifier can be specified.")),
        (None, None) => Err(invalid("One of logGroupName and resourceIdentifier must be specified.")),
    }
}
