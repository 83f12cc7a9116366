//! Amazon Resource Names, taken apart.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.

use std::fmt;
use std::str::FromStr;

/// `arn:partition:service:region:account:resource`; the resource keeps its own colons and slashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The service's ARN namespace, such as `ecs`.
    pub service: String,
    /// The region, empty for global services.
    pub region: String,
    /// The account, empty for some resources such as buckets and AWS-managed policies (`aws`).
    pub account: String,
    /// Everything after the account.
    pub resource: String,
}

/// The text has fewer than six parts or does not begin with `arn:`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ARN: expected `arn:partition:service:region:account:resource`")]
pub struct ArnParseError(pub String);

impl FromStr for Arn {
    type Err = ArnParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().map(str::to_owned).ok_or_else(|| ArnParseError(text.to_owned()));
        if next()? != "arn" {
            return Err(ArnParseError(text.to_owned()));
        }
        Ok(Self { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? })
    }
}

impl Arn {
    /// The resource after its type: `name` of both `type/name` and `type:name`; the whole resource where it has no type.
    pub fn resource_name(&self) -> &str {
        self.resource.split_once(['/', ':']).map_or(self.resource.as_str(), |(_, name)| name)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn parsing_and_printing_are_inverse() {
        for text in [
            "arn:aws:ecs:eu-west-1:000000000000:task/c/1",
            "arn:aws:s3:::b/k:v",
            "arn:aws:iam::aws:policy/service-role/X",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn too_few_parts_are_refused() {
        assert!("arn:aws:ecs".parse::<Arn>().is_err());
        assert!("urn:aws:ecs:r:a:x".parse::<Arn>().is_err());
    }
}
