//! Secrets that a container finds in its environment.

use neargate_l1::Value;

use crate::iam::{self, Role};
use crate::secretsmanager;

/// Which version of a secret is meant. Default: the current one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretVersionInfo {
    /// The version's id. Default: whichever the stage means.
    pub version_id: Option<String>,
    /// The version's stage, such as `AWSPREVIOUS`. Default: `AWSCURRENT`.
    pub version_stage: Option<String>,
}

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
    secret: Option<secretsmanager::Secret>,
    /// What Amazon ECS would not understand.
    pub(super) problem: Option<String>,
}

impl Secret {
    /// A secret of any kind: what `ValueFrom` says, and the actions and resources that the execution role needs.
    pub fn new(value_from: Value<String>, grants: Vec<(Vec<&'static str>, Value<String>)>) -> Self {
        Self { value_from, grants, secret: None, problem: None }
    }

    /// A secret of AWS Secrets Manager, or one field of its JSON.
    pub fn from_secrets_manager(secret: &secretsmanager::Secret, field: Option<&str>) -> Self {
        let arn = secret.secret_arn();
        let field = field.filter(|field| !field.is_empty());
        let value_from = field.map_or_else(|| arn.clone(), |field| format!("{arn}:{field}::").into());
        Self { value_from, grants: vec![], secret: Some(secret.clone()), problem: field.and_then(no_field) }
    }

    /// A version of a secret of AWS Secrets Manager, or one field of its JSON.
    pub fn from_secrets_manager_version(
        secret: &secretsmanager::Secret,
        version: SecretVersionInfo,
        field: Option<&str>,
    ) -> Self {
        let SecretVersionInfo { version_id, version_stage } = version;
        let (stage, id) = (version_stage.unwrap_or_default(), version_id.unwrap_or_default());
        let value_from = format!("{}:{}:{stage}:{id}", secret.secret_arn(), field.unwrap_or_default()).into();
        Self { value_from, grants: vec![], secret: Some(secret.clone()), problem: field.and_then(no_field) }
    }

    /// A secret of AWS Secrets Manager by its full ARN, or one field of its JSON.
    pub fn from_secret_complete_arn(arn: impl Into<Value<String>>, field: Option<&str>) -> Self {
        let arn = arn.into();
        let value_from = field.map_or_else(|| arn.clone(), |field| format!("{arn}:{field}::").into());
        let actions = vec!["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"];
        Self { problem: field.and_then(no_field), ..Self::new(value_from, vec![(actions, arn)]) }
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
        if let Some(secret) = &self.secret {
            secret.grant_read(role);
        }
    }
}

/// Colons part a reference: `<arn>:<field>:<stage>:<version id>`.
fn no_field(field: &str) -> Option<String> {
    let colon = Value::from(field).known().is_some_and(|field| field.contains(':'));
    colon.then(|| format!("`{field}` cannot be picked from a secret: expected a field without `:`"))
}
