//! The operations, a file per noun.

mod batch;
mod deletion;
mod list;
mod page;
mod policy;
mod random;
mod secret;
mod stages;
mod tags;
mod value;

use neargate_kernel::OperationEntry;

pub(crate) use secret::import;

/// Every operation.
pub(crate) fn all() -> Vec<OperationEntry> {
    vec![
        OperationEntry::of::<batch::BatchGetSecretValue>(),
        OperationEntry::of::<secret::CreateSecret>(),
        OperationEntry::of::<policy::DeleteResourcePolicy>(),
        OperationEntry::of::<deletion::DeleteSecret>(),
        OperationEntry::of::<secret::DescribeSecret>(),
        OperationEntry::of::<random::GetRandomPassword>(),
        OperationEntry::of::<policy::GetResourcePolicy>(),
        OperationEntry::of::<value::GetSecretValue>(),
        OperationEntry::of::<stages::ListSecretVersionIds>(),
        OperationEntry::of::<list::ListSecrets>(),
        OperationEntry::of::<policy::PutResourcePolicy>(),
        OperationEntry::of::<value::PutSecretValue>(),
        OperationEntry::of::<deletion::RestoreSecret>(),
        OperationEntry::of::<tags::TagResource>(),
        OperationEntry::of::<tags::UntagResource>(),
        OperationEntry::of::<secret::UpdateSecret>(),
        OperationEntry::of::<stages::UpdateSecretVersionStage>(),
        OperationEntry::of::<policy::ValidateResourcePolicy>(),
    ]
}
