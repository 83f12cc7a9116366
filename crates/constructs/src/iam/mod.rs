//! AWS IAM: who may do what.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.

mod conditions;
mod document;
mod managed_policy;
mod owned_managed_policy;
mod policy;
mod principal;
mod role;

pub use conditions::Conditions;
pub use document::{Effect, PolicyDocument, PolicyStatement};
pub use managed_policy::ManagedPolicy;
pub use owned_managed_policy::ManagedPolicyProps;
pub use policy::{Policy, PolicyProps};
pub use principal::Principal;
pub use role::{FromRoleArnOptions, Role, RoleProps};

use neargate_l1::Value;

/// Whatever permissions can be given to: it has a role.
pub trait Grantable {
    /// The role whose policy a grant is added to.
    fn grant_role(&self) -> Role;
}

/// Allows actions on resources.
pub fn grant(grantee: &dyn Grantable, actions: &[&str], resources: Vec<Value<String>>) {
    grantee.grant_role().add_to_policy(PolicyStatement {
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        resources,
        ..PolicyStatement::default()
    });
}
