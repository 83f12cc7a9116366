//! `CreateFunction`.
//!
//! Follows <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::{OperationShape, Wire};

use super::{functions, name_and_qualifier, pass_role, say_not_run, with_parts};
use crate::api;
use crate::errors::LambdaError;
use crate::functions::Code;
use crate::state::{FunctionRecord, arn};

pub(crate) struct CreateFunction;

impl Operation for CreateFunction {
    const SHAPE: &'static OperationShape = &api::CREATE_FUNCTION;
    type Input = api::CreateFunctionInput;
    type Output = api::CreateFunctionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let (name, _) = name_and_qualifier(&input.function_name);
        let create = Access::new("lambda:CreateFunction", arn(&cx.scope, name))
            .with_resource_tags(None, [])
            .with_request_tags(input.tags.clone().unwrap_or_default())
            .with_option("lambda:CodeSigningConfigArn", input.code_signing_config_arn.as_deref());
        let create = with_parts(create, input.layers.as_deref(), input.vpc_config.as_ref());
        Accesses::new(create).and([pass_role(&input.role)])
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = name_and_qualifier(&input.function_name).0.to_owned();
        if cx.get::<FunctionRecord>(&name).is_some() {
            return Err(LambdaError::Exists(name).into());
        }
        functions::check_role(cx, &input.role, &arn(&cx.scope, &name))?;
        let code = Code {
            is_inline: input.code.zip_file.is_some(),
            bucket: input.code.s3_bucket.clone(),
            key: input.code.s3_key.clone(),
            object_version: input.code.s3_object_version.clone(),
            image_uri: input.code.image_uri.clone(),
        };
        let mut record = functions::blank(cx, &name, code.location()?)?;
        record.tags = input.tags.clone().unwrap_or_default();
        functions::configure(cx, &mut record, input.into_value())?;
        say_not_run(cx, "CreateFunction", &name);
        let configuration = record.configuration.clone();
        cx.put(&name, record);
        functions::answer(configuration)
    }
}
