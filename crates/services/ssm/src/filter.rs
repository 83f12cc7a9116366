//! Filters of `DescribeParameters` and `GetParametersByPath`.

use crate::api::{ParameterStringFilter, ParametersFilter};
use crate::errors::SsmError;
use crate::name::{check_path, is_under};
use crate::state::ParameterRecord;

/// One filter, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filter {
    /// A filter of the newer form.
    pub(crate) fn of(filter: &ParameterStringFilter) -> Result<Self, SsmError> {
        let is_tag = filter.key.starts_with("tag:");
        let known = ["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType"];
        if !is_tag && !known.contains(&filter.key.as_str()) {
            return Err(SsmError::FilterKey(filter.key.clone()));
        }
        let default = if filter.key == "Path" { "OneLevel" } else { "Equals" };
        let option = filter.option.as_deref().unwrap_or(default);
        let fits = match filter.key.as_str() {
            "Path" => matches!(option, "OneLevel" | "Recursive"),
            "Name" => matches!(option, "Equals" | "BeginsWith" | "Contains"),
            _ => matches!(option, "Equals" | "BeginsWith"),
        };
        if !fits {
            return Err(SsmError::FilterOption(option.to_owned()));
        }
        let mut values = filter.values.clone().unwrap_or_default();
        if filter.key == "Path" {
            values = values.iter().map(|path| check_path(path)).collect::<Result<_, _>>()?;
        }
        Ok(Self { key: filter.key.clone(), option: option.to_owned(), values })
    }

    /// A filter of the older form.
    pub(crate) fn of_old(filter: &ParametersFilter) -> Self {
        let option = if filter.key == "Name" { "BeginsWith" } else { "Equals" };
        Self { key: filter.key.clone(), option: option.to_owned(), values: filter.values.clone() }
    }

    /// Whether a parameter passes: by any of the filter's values, or by having the tag at all where there are none.
    pub(crate) fn passes(&self, record: &ParameterRecord) -> bool {
        let latest = &record.latest;
        let own = match self.key.as_str() {
            "Path" => {
                let recursive = self.option == "Recursive";
                return self.values.iter().any(|prefix| is_under(&latest.name, prefix, recursive));
            }
            "Name" => &latest.name,
            "Type" => &latest.kind,
            "Tier" => &latest.tier,
            "DataType" => &latest.data_type,
            "KeyId" => match &latest.key_id {
                Some(key_id) => key_id,
                None => return false,
            },
            key => {
                let tag = key.strip_prefix("tag:").and_then(|key| record.tags.iter().find(|tag| tag.key == key));
                let Some(tag) = tag else { return false };
                if self.values.is_empty() {
                    return true;
                }
                &tag.value
            }
        };
        let is_name = self.key == "Name";
        self.values.iter().any(|value| match self.option.as_str() {
            "BeginsWith" if is_name => bare(own).starts_with(bare(value)),
            "BeginsWith" => own.starts_with(value.as_str()),
            "Contains" => own.contains(value.as_str()),
            _ if is_name => bare(own) == bare(value),
            _ => own == value,
        })
    }
}

/// A name without its leading slash, which name filters do not look at.
fn bare(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}
