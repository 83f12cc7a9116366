//! `GetParametersByPath`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::get_parameter::with_own_tags;
use super::page::page;
use crate::errors::SsmError;
use crate::filter::Filter;
use crate::name::{self, Selector, check_path, is_under};
use crate::{api, state};

const ITEMS_DEFAULT: usize = 10;

pub(crate) struct GetParametersByPath;

impl Operation for GetParametersByPath {
    const SHAPE: &'static OperationShape = &api::GET_PARAMETERS_BY_PATH;
    type Input = api::GetParametersByPathInput;
    type Output = api::GetParametersByPathOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let path = input.path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&input.path);
        let access = with_own_tags(Access::new("ssm:GetParametersByPath", name::arn(&cx.scope, path)), &[]);
        access.with("ssm:Recursive", (input.recursive == Some(true)).to_string()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let prefix = check_path(&input.path)?;
        let filters = input.parameter_filters.unwrap_or_default();
        if let Some(filter) = filters.iter().find(|filter| !matches!(filter.key.as_str(), "Type" | "KeyId" | "Label")) {
            return Err(SsmError::FilterKey(filter.key.clone()).into());
        }
        let filters: Vec<_> = filters.iter().map(Filter::of).collect::<Result<_, _>>()?;
        let recursive = input.recursive == Some(true);
        let found = cx.scan::<state::ParameterRecord>("").map(|(_, record)| record);
        let found = found.filter(|record| is_under(&record.latest.name, &prefix, recursive));
        let found: Vec<_> = found.filter(|record| filters.iter().all(|filter| filter.passes(record))).collect();
        let (found, next_token) = page(found, input.next_token.as_deref(), input.max_results, ITEMS_DEFAULT)?;
        let found: Vec<_> = found.into_iter().map(|record| record.latest.clone()).collect();
        let shown = |version: state::Version| {
            let version = version.decrypted(cx, input.with_decryption)?;
            Ok(version.shown(&cx.scope, &Selector::Latest))
        };
        let parameters = found.into_iter().map(shown).collect::<Result<_, Fault>>()?;
        Ok(api::GetParametersByPathOutput { parameters: Some(parameters), next_token })
    }
}
