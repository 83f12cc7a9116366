//! Rules as templates write them, one peer each, as permissions of the API.

use neargate_kernel::{Cx, Fault};
use neargate_shape::Value;
use serde_json::{Map, Value as Json, json};

use super::plain;
use crate::api;

/// Out or in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    /// The property of a group that lists its rules.
    pub(super) fn property(self) -> &'static str {
        match self {
            Self::Ingress => "SecurityGroupIngress",
            Self::Egress => "SecurityGroupEgress",
        }
    }

    fn operation(self, verb: &str) -> String {
        format!("{verb}{}", self.property())
    }
}

/// Adds rules to a group.
pub(super) fn authorize(cx: &mut Cx<'_>, direction: Direction, group: &str, rules: &[Json]) -> Result<Value, Fault> {
    let permissions = rules.iter().map(|rule| permission(direction, rule)).collect::<Result<Vec<_>, _>>()?;
    let properties = json!({ "GroupId": group, "IpPermissions": permissions });
    let input = match direction {
        Direction::Ingress => plain::<api::AuthorizeSecurityGroupIngressInput>(&properties)?,
        Direction::Egress => plain::<api::AuthorizeSecurityGroupEgressInput>(&properties)?,
    };
    cx.call("ec2", &direction.operation("Authorize"), input)
}

/// Takes a rule from a group; one that is not there is no error. Answers whether it was.
pub(super) fn revoke(cx: &mut Cx<'_>, direction: Direction, group: &str, rule: &Json) -> Result<bool, Fault> {
    let properties = json!({ "GroupId": group, "IpPermissions": [permission(direction, rule)?] });
    let input = match direction {
        Direction::Ingress => plain::<api::RevokeSecurityGroupIngressInput>(&properties)?,
        Direction::Egress => plain::<api::RevokeSecurityGroupEgressInput>(&properties)?,
    };
    match cx.call("ec2", &direction.operation("Revoke"), input) {
        Ok(_) => Ok(true),
        Err(fault) if fault.code == "InvalidPermission.NotFound" => Ok(false),
        Err(fault) => Err(fault),
    }
}

fn permission(direction: Direction, rule: &Json) -> Result<Json, Fault> {
    let (mut permission, mut peer) = (Map::new(), Map::new());
    let mut peers = None;
    let empty = Map::new();
    for (property, value) in rule.as_object().unwrap_or(&empty) {
        let (list, member) = match (property.as_str(), direction) {
            ("IpProtocol" | "FromPort" | "ToPort", _) => {
                permission.insert(property.clone(), value.clone());
                continue;
            }
            ("Description", _) => (None, "Description"),
            ("CidrIp", _) => (Some("IpRanges"), "CidrIp"),
            ("CidrIpv6", _) => (Some("Ipv6Ranges"), "CidrIpv6"),
            ("SourcePrefixListId", Direction::Ingress) | ("DestinationPrefixListId", Direction::Egress) => {
                (Some("PrefixListIds"), "PrefixListId")
            }
            ("SourceSecurityGroupId", Direction::Ingress) | ("DestinationSecurityGroupId", Direction::Egress) => {
                (Some("UserIdGroupPairs"), "GroupId")
            }
            ("SourceSecurityGroupName", Direction::Ingress) => (Some("UserIdGroupPairs"), "GroupName"),
            ("SourceSecurityGroupOwnerId", Direction::Ingress) => (Some("UserIdGroupPairs"), "UserId"),
            _ => {
                let text = format!("unknown property `{property}` in `{}`", direction.property());
                return Err(Fault::validation(text));
            }
        };
        peer.insert(member.to_owned(), value.clone());
        if list.is_some() && peers.is_some() && list != peers {
            let text = format!(
                "`{}` has more than one peer: give one of `CidrIp`, `CidrIpv6`, a prefix list and a security group",
                direction.property()
            );
            return Err(Fault::validation(text));
        }
        peers = list.or(peers);
    }
    if let Some(list) = peers {
        permission.insert(list.to_owned(), json!([peer]));
    }
    Ok(Json::Object(permission))
}
