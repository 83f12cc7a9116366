//! The operations, a file per noun.

mod aliases;
mod data_keys;
mod deletion;
mod encrypt;
mod grants;
mod keys;
mod page;
mod policy;
mod rotation;
mod tags;

use neargate_kernel::OperationEntry;

/// Every operation.
pub(crate) fn all() -> Vec<OperationEntry> {
    vec![
        OperationEntry::of::<deletion::CancelKeyDeletion>(),
        OperationEntry::of::<aliases::CreateAlias>(),
        OperationEntry::of::<grants::CreateGrant>(),
        OperationEntry::of::<keys::CreateKey>(),
        OperationEntry::of::<encrypt::Decrypt>(),
        OperationEntry::of::<aliases::DeleteAlias>(),
        OperationEntry::of::<keys::DescribeKey>(),
        OperationEntry::of::<keys::DisableKey>(),
        OperationEntry::of::<rotation::DisableKeyRotation>(),
        OperationEntry::of::<keys::EnableKey>(),
        OperationEntry::of::<rotation::EnableKeyRotation>(),
        OperationEntry::of::<encrypt::Encrypt>(),
        OperationEntry::of::<data_keys::GenerateDataKey>(),
        OperationEntry::of::<data_keys::GenerateDataKeyWithoutPlaintext>(),
        OperationEntry::of::<data_keys::GenerateRandom>(),
        OperationEntry::of::<policy::GetKeyPolicy>(),
        OperationEntry::of::<rotation::GetKeyRotationStatus>(),
        OperationEntry::of::<aliases::ListAliases>(),
        OperationEntry::of::<grants::ListGrants>(),
        OperationEntry::of::<policy::ListKeyPolicies>(),
        OperationEntry::of::<rotation::ListKeyRotations>(),
        OperationEntry::of::<keys::ListKeys>(),
        OperationEntry::of::<tags::ListResourceTags>(),
        OperationEntry::of::<grants::ListRetirableGrants>(),
        OperationEntry::of::<policy::PutKeyPolicy>(),
        OperationEntry::of::<encrypt::ReEncrypt>(),
        OperationEntry::of::<grants::RetireGrant>(),
        OperationEntry::of::<grants::RevokeGrant>(),
        OperationEntry::of::<rotation::RotateKeyOnDemand>(),
        OperationEntry::of::<deletion::ScheduleKeyDeletion>(),
        OperationEntry::of::<tags::TagResource>(),
        OperationEntry::of::<tags::UntagResource>(),
        OperationEntry::of::<aliases::UpdateAlias>(),
        OperationEntry::of::<keys::UpdateKeyDescription>(),
    ]
}
