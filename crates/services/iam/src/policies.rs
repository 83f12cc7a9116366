//! Finding managed policies: the account's, and AWS's own.

use neargate_base::Account;
use neargate_kernel::{Cx, Store};

use crate::aws_managed;
use crate::errors::IamError;
use crate::state::{PolicyRecord, home};

/// A managed policy, the account's or one of AWS's own.
pub(crate) fn find_policy<'s>(store: &'s Store, account: &Account, arn: &str) -> Option<&'s PolicyRecord> {
    aws_managed::find(arn).or_else(|| store.get::<PolicyRecord>(&home(account), arn))
}

/// A copy of a managed policy.
pub(crate) fn policy(cx: &Cx<'_>, arn: &str) -> Result<PolicyRecord, IamError> {
    let policy = find_policy(cx.store(), &cx.scope.account, arn).cloned();
    policy.ok_or_else(|| IamError::PolicyNotFound(arn.to_owned()))
}

/// A copy of a managed policy that the account may change.
pub(crate) fn own_policy(cx: &Cx<'_>, arn: &str) -> Result<PolicyRecord, IamError> {
    if aws_managed::find(arn).is_some() { Err(IamError::AwsManaged) } else { policy(cx, arn) }
}
