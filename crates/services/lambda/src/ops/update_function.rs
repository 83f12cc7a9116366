//! `UpdateFunctionCode`, `UpdateFunctionConfiguration` and `DeleteFunction`.
//!
//! Follows <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html> and its siblings.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::{OperationShape, Wire};

use super::{found, functions, name_and_qualifier, on, pass_role, with_parts};
use crate::api;
use crate::functions::Code;
use crate::state::{FunctionRecord, arn};

/// `UpdateFunctionCode` says where a function's code lies now.
pub(crate) struct UpdateFunctionCode;

impl Operation for UpdateFunctionCode {
    const SHAPE: &'static OperationShape = &api::UPDATE_FUNCTION_CODE;
    type Input = api::UpdateFunctionCodeInput;
    type Output = api::UpdateFunctionCodeOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "UpdateFunctionCode", &input.function_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, mut record) = found(cx, &input.function_name)?;
        let code = Code {
            is_inline: input.zip_file.is_some(),
            bucket: input.s3_bucket,
            key: input.s3_key,
            object_version: input.s3_object_version,
            image_uri: input.image_uri,
        };
        record.code = code.location()?;
        record.configuration.architectures = input.architectures.or(record.configuration.architectures);
        functions::touch(cx, &mut record);
        let configuration = record.configuration.clone();
        if input.dry_run != Some(true) {
            cx.put(&name, record);
        }
        functions::answer(configuration)
    }
}

/// `UpdateFunctionConfiguration` changes what it names; the rest stays.
pub(crate) struct UpdateFunctionConfiguration;

impl Operation for UpdateFunctionConfiguration {
    const SHAPE: &'static OperationShape = &api::UPDATE_FUNCTION_CONFIGURATION;
    type Input = api::UpdateFunctionConfigurationInput;
    type Output = api::UpdateFunctionConfigurationOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let update = on(cx, "UpdateFunctionConfiguration", &input.function_name);
        let update = with_parts(update, input.layers.as_deref(), input.vpc_config.as_ref());
        Accesses::new(update).and(input.role.as_deref().map(pass_role))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, mut record) = found(cx, &input.function_name)?;
        if let Some(role) = &input.role {
            functions::check_role(cx, role, &arn(&cx.scope, &name))?;
        }
        functions::configure(cx, &mut record, input.into_value())?;
        let configuration = record.configuration.clone();
        cx.put(&name, record);
        functions::answer(configuration)
    }
}

/// `DeleteFunction` deletes a function.
pub(crate) struct DeleteFunction;

impl Operation for DeleteFunction {
    const SHAPE: &'static OperationShape = &api::DELETE_FUNCTION;
    type Input = api::DeleteFunctionInput;
    type Output = api::DeleteFunctionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteFunction", &input.function_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.qualifier.is_some() || name_and_qualifier(&input.function_name).1.is_some() {
            return Err(Fault::not_implemented("lambda", "DeleteFunction of one version"));
        }
        let (name, _) = found(cx, &input.function_name)?;
        cx.delete::<FunctionRecord>(&name);
        Ok(api::DeleteFunctionOutput { status_code: Some(204) })
    }
}
