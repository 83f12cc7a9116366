//! The operations, a file per noun.

mod attachment;
mod boundary;
mod inline_policy;
mod managed_policy;
mod page;
mod policy_version;
mod role;
mod role_tags;
mod trust;

use neargate_kernel::OperationEntry;

/// Every operation.
pub(crate) fn all() -> Vec<OperationEntry> {
    vec![
        OperationEntry::of::<attachment::AttachRolePolicy>(),
        OperationEntry::of::<attachment::DetachRolePolicy>(),
        OperationEntry::of::<attachment::ListAttachedRolePolicies>(),
        OperationEntry::of::<boundary::DeleteRolePermissionsBoundary>(),
        OperationEntry::of::<boundary::PutRolePermissionsBoundary>(),
        OperationEntry::of::<inline_policy::DeleteRolePolicy>(),
        OperationEntry::of::<inline_policy::GetRolePolicy>(),
        OperationEntry::of::<inline_policy::ListRolePolicies>(),
        OperationEntry::of::<inline_policy::PutRolePolicy>(),
        OperationEntry::of::<managed_policy::CreatePolicy>(),
        OperationEntry::of::<managed_policy::DeletePolicy>(),
        OperationEntry::of::<managed_policy::GetPolicy>(),
        OperationEntry::of::<managed_policy::ListPolicies>(),
        OperationEntry::of::<policy_version::CreatePolicyVersion>(),
        OperationEntry::of::<policy_version::DeletePolicyVersion>(),
        OperationEntry::of::<policy_version::GetPolicyVersion>(),
        OperationEntry::of::<policy_version::ListPolicyVersions>(),
        OperationEntry::of::<policy_version::SetDefaultPolicyVersion>(),
        OperationEntry::of::<role::CreateRole>(),
        OperationEntry::of::<role::DeleteRole>(),
        OperationEntry::of::<role::GetRole>(),
        OperationEntry::of::<role::ListInstanceProfilesForRole>(),
        OperationEntry::of::<role::ListRoles>(),
        OperationEntry::of::<role::UpdateRole>(),
        OperationEntry::of::<role_tags::ListRoleTags>(),
        OperationEntry::of::<role_tags::TagRole>(),
        OperationEntry::of::<role_tags::UntagRole>(),
        OperationEntry::of::<trust::UpdateAssumeRolePolicy>(),
    ]
}

/// A document as IAM's answers carry it: percent-encoded (RFC 3986).
fn encoded(document: &str) -> String {
    let mut text = String::with_capacity(document.len() * 3 / 2);
    for byte in document.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}
