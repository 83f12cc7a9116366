//! The operations, a file per noun.

mod delete_parameter;
mod describe_parameters;
mod get_parameter;
mod get_parameters_by_path;
mod page;
mod put_parameter;
mod tags;

use neargate_kernel::OperationEntry;

/// Every operation.
pub(crate) fn all() -> Vec<OperationEntry> {
    vec![
        OperationEntry::of::<tags::AddTagsToResource>(),
        OperationEntry::of::<delete_parameter::DeleteParameter>(),
        OperationEntry::of::<delete_parameter::DeleteParameters>(),
        OperationEntry::of::<describe_parameters::DescribeParameters>(),
        OperationEntry::of::<get_parameter::GetParameter>(),
        OperationEntry::of::<get_parameter::GetParameterHistory>(),
        OperationEntry::of::<get_parameter::GetParameters>(),
        OperationEntry::of::<get_parameters_by_path::GetParametersByPath>(),
        OperationEntry::of::<tags::ListTagsForResource>(),
        OperationEntry::of::<put_parameter::PutParameter>(),
        OperationEntry::of::<tags::RemoveTagsFromResource>(),
    ]
}
