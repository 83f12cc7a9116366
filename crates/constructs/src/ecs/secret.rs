//! Secrets that a container finds in its environment.

use neargate_l1::Value;

use crate::iam::{self, Role};

/// A secret value: where it is, and what reading it takes. The execution role is given just that.
///
/// ```
/// use neargate_constructs::ecs::Secret;
///
/// let whole = Secret::from_secret_complete_arn("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", None);
/// let field = Secret::from_secret_complete_arn("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", Some("password"));
/// ```
#[derive(Clone, Debug)]
pub struct Secret {
    pub(super) value_from: Value<String>,
    grants: Vec<(Vec<&'static str>, Value<String>)>,
}

impl Secret {
    /// A secret of any kind: what `ValueFrom` says, and the actions and resources that the execution role needs.
    pub fn new(value_from: Value<String>, grants: Vec<(Vec<&'static str>, Value<String>)>) -> Self {
        Self { value_from, grants }
    }

    /// A secret of AWS Secrets Manager by its full ARN, or one field of its JSON.
    pub fn from_secret_complete_arn(arn: impl Into<Value<String>>, field: Option<&str>) -> Self {
        let arn = arn.into();
        let value_from = field.map_or_else(|| arn.clone(), |field| format!("{arn}:{field}::").into());
        Self::new(value_from, vec![(vec!["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], arn)])
    }

    /// A parameter of AWS Systems Manager Parameter Store, by its ARN.
    pub fn from_ssm_parameter_arn(arn: impl Into<Value<String>>) -> Self {
        let arn = arn.into();
        let actions =
            vec!["ssm:DescribeParameters", "ssm:GetParameters", "ssm:GetParameter", "ssm:GetParameterHistory"];
        Self::new(arn.clone(), vec![(actions, arn)])
    }

    /// Lets a role read it.
    pub fn grant_read(&self, role: &Role) {
        for (actions, resource) in &self.grants {
            iam::grant(role, actions, vec![resource.clone()]);
        }
    }
}
