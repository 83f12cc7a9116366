//! Roles and what needs one.

use neargate_base::{Account, Arn};

use super::client;
use crate::api::RegisterTaskDefinitionInput;
use crate::errors::EcsError;

/// Both roles are ARNs of roles; secrets are fetched as the execution role.
pub(super) fn check(input: &RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let roles = [&input.task_role_arn, &input.execution_role_arn].into_iter().flatten();
    if let Some(role) = roles.into_iter().find(|role| !is_role(role)) {
        return Err(EcsError::InvalidRole(role.clone()));
    }
    let containers = &input.container_definitions;
    let has_secrets = containers.iter().any(|it| it.secrets.as_ref().is_some_and(|secrets| !secrets.is_empty()));
    if has_secrets && input.execution_role_arn.is_none() {
        return client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        );
    }
    Ok(())
}

fn is_role(text: &str) -> bool {
    text.parse::<Arn>().is_ok_and(|arn| {
        let name = arn.resource.strip_prefix("role/").unwrap_or_default();
        arn.service == "iam" && Account::is_valid(&arn.account) && !arn.resource_name().is_empty() && !name.is_empty()
    })
}

/// Whether an image lies in a private repository of Amazon ECR.
pub(crate) fn is_ecr_image(image: &str) -> bool {
    let registry = image.split('/').next().unwrap_or_default();
    let mut labels = registry.split('.');
    let account = labels.next().unwrap_or_default();
    let rest: Vec<&str> = labels.collect();
    Account::is_valid(account)
        && matches!(
            rest.as_slice(),
            ["dkr", "ecr" | "ecr-fips", _, "amazonaws", ..] | ["dkr-ecr" | "dkr-ecr-fips", _, "on", "aws"]
        )
}

#[cfg(test)]
mod tests {
    use super::{is_ecr_image, is_role};

    #[test]
    fn roles_are_told_by_their_arns() {
        for role in ["arn:aws:iam::000000000000:role/exec", "arn:aws-cn:iam::123456789012:role/path/exec"] {
            assert!(is_role(role), "{role}");
        }
        for other in [
            "",
            "REPLACE_ME",
            "exec",
            "arn:aws:s3:::bucket",
            "arn:aws:iam::000000000000:user/exec",
            "arn:aws:iam::000000000000:role/",
            "arn:aws:iam::ACCOUNT:role/exec",
        ] {
            assert!(!is_role(other), "{other}");
        }
    }

    #[test]
    fn images_of_ecr_are_told_by_their_registries() {
        for image in [
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app",
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/app",
            "123456789012.dkr-ecr.eu-west-1.on.aws/app",
        ] {
            assert!(is_ecr_image(image), "{image}");
        }
        for image in ["public.ecr.aws/nginx/nginx", "nginx", "corp/app:1", "12345.dkr.ecr.us-east-1.amazonaws.com/app"]
        {
            assert!(!is_ecr_image(image), "{image}");
        }
    }
}
