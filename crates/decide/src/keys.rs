//! Which condition keys AWS fills for an action: what a missing value means.
//!
//! Global keys follow <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>; the keys of services
//! come from the [Service Authorization Reference](https://docs.aws.amazon.com/service-authorization/latest/reference/), as a table
//! that `cargo xtask codegen keys` writes.
//!
//! Invariant: a key that this module does not know, of the action's own service or of AWS in general, counts as filled: what it
//! holds is then unknown, and never taken for absent.

mod tables;

/// The condition keys of one service's actions.
#[derive(Clone, Copy, Debug)]
pub struct ServiceKeys {
    /// The service's prefix in actions.
    pub service: &'static str,
    /// The page they come from.
    pub page: &'static str,
    /// Its actions, by name.
    pub actions: &'static [ActionKeys],
}

/// The condition keys of one action.
#[derive(Clone, Copy, Debug)]
pub struct ActionKeys {
    /// The action, without its service.
    pub action: &'static str,
    /// The keys of each of its resource types.
    pub rows: &'static [Row],
}

/// The condition keys of an action on one type of resource.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// How the last part of the resource's ARN begins; empty for keys of the action itself.
    pub resource: &'static str,
    /// The keys. One that ends with `/` or `:` stands for all that begin so.
    pub keys: &'static [&'static str],
}

/// Global keys that are absent from a request where the engine gives no value: what they speak of does not exist here.
const ABSENT: &[&str] = &[
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:SignInSessionArn",
    "aws:SourceIdentity",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TokenIssueTime",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:userid",
    "aws:username",
    // Keys of sessions that come from instances, functions and build jobs, which do not exist here.
    "codebuild:BuildArn",
    "codebuild:ProjectArn",
    "ec2:RoleDelivery",
    "ec2:SourceInstanceArn",
    "glue:CredentialIssuingService",
    "glue:RoleAssumedBy",
    "identitystore:UserId",
    "lambda:SourceFunctionArn",
    "ssm:SourceInstanceARN",
];

/// Global keys of tags: an action has them where its service's table says so.
const OF_ACTIONS: &[&str] = &["aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"];

/// The tables of all services.
pub fn services() -> &'static [ServiceKeys] {
    tables::SERVICES
}

/// Whether a key that may end with `/` or `:` means another.
pub(crate) fn means(pattern: &str, key: &str) -> bool {
    if pattern.ends_with(['/', ':']) {
        key.get(..pattern.len()).is_some_and(|start| start.eq_ignore_ascii_case(pattern))
    } else {
        pattern.eq_ignore_ascii_case(key)
    }
}

/// Whether AWS may fill a key for an action on a resource.
pub(crate) fn is_filled(action: &str, resource: &str, key: &str) -> bool {
    if ABSENT.iter().any(|absent| means(absent, key)) {
        return false;
    }
    let Some((service, name)) = action.split_once(':') else { return true };
    let is_of = |prefix: &str| key.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(prefix));
    let is_global = is_of("aws") && !OF_ACTIONS.iter().any(|of_action| means(of_action, key));
    if is_global {
        return true;
    }
    match of_action(service, name) {
        Some(known) => known.rows.iter().filter(|row| row.is_for(resource)).any(|row| row.has(key)),
        None => is_of("aws") || is_of(service),
    }
}

/// The table of an action, where there is one.
pub fn of_action(service: &str, action: &str) -> Option<&'static ActionKeys> {
    let known = services().iter().find(|known| known.service.eq_ignore_ascii_case(service))?;
    known.actions.iter().find(|known| known.action.eq_ignore_ascii_case(action))
}

impl Row {
    /// Whether the row speaks of a resource, by its ARN.
    pub fn is_for(&self, resource: &str) -> bool {
        let last_part = resource.splitn(6, ':').nth(5);
        self.resource.is_empty() || last_part.is_none_or(|part| part.starts_with(self.resource))
    }

    /// Whether the row has a key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|known| means(known, key))
    }
}
