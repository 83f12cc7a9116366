//! `DescribeParameters`: everything but the values.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::filter::Filter;
use crate::{api, name, state};

const ITEMS_DEFAULT: usize = 50;

pub(crate) struct DescribeParameters;

impl Operation for DescribeParameters {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_PARAMETERS;
    type Input = api::DescribeParametersInput;
    type Output = api::DescribeParametersOutput;

    fn access(cx: &Cx<'_>, _input: &Self::Input) -> Accesses {
        Access::new("ssm:DescribeParameters", cx.scope.arn("ssm", "*")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let new = input.parameter_filters.iter().flatten().map(Filter::of);
        let old = input.filters.iter().flatten().map(|filter| Ok(Filter::of_old(filter)));
        let filters: Vec<_> = new.chain(old).collect::<Result<_, _>>()?;
        let found = cx.scan::<state::ParameterRecord>("").map(|(_, record)| record);
        // Nothing is shared with other accounts here.
        let found = found.filter(|_| input.shared != Some(true));
        let found: Vec<_> = found.filter(|record| filters.iter().all(|filter| filter.passes(record))).collect();
        let (found, next_token) = page(found, input.next_token.as_deref(), input.max_results, ITEMS_DEFAULT)?;
        let shown = |record: &state::ParameterRecord| {
            let version = record.latest.clone();
            api::ParameterMetadata {
                arn: Some(name::arn(&cx.scope, &version.name)),
                policies: version.policies_shown().or_else(|| Some(vec![])),
                name: Some(version.name),
                r#type: Some(version.kind),
                key_id: version.key_id,
                last_modified_date: Some(version.modified),
                last_modified_user: Some(version.modified_by),
                description: version.description,
                allowed_pattern: version.allowed_pattern,
                version: Some(version.version),
                tier: Some(version.tier),
                data_type: Some(version.data_type),
            }
        };
        Ok(api::DescribeParametersOutput { parameters: Some(found.into_iter().map(shown).collect()), next_token })
    }
}
