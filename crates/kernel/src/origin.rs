//! Where a call comes from, as the condition keys of every request see it.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> and, for services that call in
//! their caller's name, <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>.
//!
//! Invariant: a call that a service makes as itself, or as a role that it has assumed, has no chain of services: `aws:CalledVia` and
//! its like are absent, `aws:ViaAWSService` is false.

use crate::{Access, Client};

/// What a call came by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin<'a> {
    /// The services that called each other in the caller's name, by their short names, the first that the caller asked first.
    pub(crate) via: &'a [&'static str],
    /// The client, where one sent the call itself.
    pub(crate) client: Option<&'a Client>,
    /// The ARN of the resource that a service makes the call for as itself.
    pub(crate) source: Option<&'a str>,
}

impl Origin<'_> {
    /// The access with the condition keys of its origin.
    pub(crate) fn keys(self, access: Access) -> Access {
        let is_encrypted = self.client.is_none_or(|client| client.is_encrypted);
        let mut access = access
            .with("aws:SecureTransport", is_encrypted.to_string())
            .with("aws:ViaAWSService", (!self.via.is_empty()).to_string());
        access = match (self.via, self.client) {
            ([first, ..], _) => {
                let principal = |service: &str| format!("{service}.amazonaws.com");
                let last = self.via.last().unwrap_or(first);
                access
                    .with_all("aws:CalledVia", self.via.iter().map(|service| principal(service)).collect())
                    .with("aws:CalledViaFirst", principal(first))
                    .with("aws:CalledViaLast", principal(last))
                    .complete("aws:Referer")
            }
            ([], Some(client)) => access
                .with_option("aws:SourceIp", client.address.map(|address| address.to_string()))
                .with_option("aws:UserAgent", client.user_agent.as_deref())
                .with_option("aws:Referer", client.referer.as_deref()),
            // What a service sends from is not known.
            ([], None) => access.complete("aws:Referer"),
        };
        match self.source {
            Some(source) => access
                .with("aws:SourceArn", source)
                .with("aws:SourceAccount", source.split(':').nth(4).unwrap_or_default()),
            None => access,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(origin: Origin<'_>) -> Vec<String> {
        let access = origin.keys(Access::new("a:B", "*"));
        access.context.iter().map(|(key, values)| format!("{key}={}", values.join(","))).collect()
    }

    #[test]
    fn a_chain_of_services_is_seen_in_order() {
        let client = Client { address: None, user_agent: Some("x".to_owned()), referer: None, is_encrypted: false };
        let direct = Origin { client: Some(&client), ..Origin::default() };
        assert_eq!(keys(direct), ["aws:SecureTransport=false", "aws:ViaAWSService=false", "aws:UserAgent=x"]);
        for (via, chain) in [
            (&["cloudformation"][..], ["cloudformation.amazonaws.com"; 3]),
            (
                &["cloudformation", "secretsmanager"],
                [
                    "cloudformation.amazonaws.com,secretsmanager.amazonaws.com",
                    "cloudformation.amazonaws.com",
                    "secretsmanager.amazonaws.com",
                ],
            ),
        ] {
            let [all, first, last] = chain;
            let expected = [
                "aws:SecureTransport=true".to_owned(),
                "aws:ViaAWSService=true".to_owned(),
                format!("aws:CalledVia={all}"),
                format!("aws:CalledViaFirst={first}"),
                format!("aws:CalledViaLast={last}"),
            ];
            assert_eq!(keys(Origin { via, ..Origin::default() }), expected);
        }
        let source = Some("arn:aws:events:eu-west-1:111122223333:rule/r");
        let expected = [
            "aws:SecureTransport=true",
            "aws:ViaAWSService=false",
            "aws:SourceArn=arn:aws:events:eu-west-1:111122223333:rule/r",
            "aws:SourceAccount=111122223333",
        ];
        assert_eq!(keys(Origin { source, ..Origin::default() }), expected);
    }
}
