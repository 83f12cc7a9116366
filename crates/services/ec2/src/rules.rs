//! Security-group rules between the API's two forms: permissions, which gather peers, and rules, which have one each.
//!
//! Invariant: a permission expands to one rule per peer, in order, in canonical form (protocol by name, blocks
//! without host bits).

use neargate_kernel::Cx;

use crate::api;
use crate::cidr::{Cidr, ipv6_block};
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::state::{Peer, Rule, SecurityGroup, known};

/// What a rule's description and a group's may consist of, in EC2's words.
const ALLOWED: &str = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";

impl Rule {
    /// Whether both allow the same, whatever they are called.
    pub(crate) fn allows_as(&self, other: &Self) -> bool {
        self.egress == other.egress
            && self.protocol == other.protocol
            && self.range == other.range
            && self.peer == other.peer
    }

    /// As EC2 names a rule that is there already.
    pub(crate) fn in_words(&self) -> String {
        let peer = match &self.peer {
            Peer::Ipv4(cidr) => cidr.to_string(),
            Peer::Ipv6(text) | Peer::PrefixList(text) | Peer::Group(text) => text.clone(),
        };
        let protocol = if self.protocol == "-1" { "ALL".to_owned() } else { self.protocol.to_uppercase() };
        match (self.range, protocol.starts_with("ICMP")) {
            (None, _) => format!("peer: {peer}, {protocol}, ALLOW"),
            (Some((kind, code)), true) => format!("peer: {peer}, {protocol}, type: {kind}, code: {code}, ALLOW"),
            (Some((from, to)), false) => format!("peer: {peer}, {protocol}, from port: {from}, to port: {to}, ALLOW"),
        }
    }
}

/// A VPC's default group: in from itself, out to anywhere.
pub(crate) fn default_group(cx: &mut Cx<'_>, vpc: &str, id: &str) -> SecurityGroup {
    let rules = vec![everything(cx, false, Peer::Group(id.to_owned())), all_egress(cx)];
    let (name, description) = ("default".to_owned(), "default VPC security group".to_owned());
    SecurityGroup { vpc: vpc.to_owned(), name, description, rules }
}

/// The rules of a new group: out to anywhere.
pub(crate) fn all_egress(cx: &mut Cx<'_>) -> Rule {
    everything(cx, true, Peer::Ipv4(Cidr::ANYWHERE))
}

/// A rule for all protocols.
pub(crate) fn everything(cx: &mut Cx<'_>, egress: bool, peer: Peer) -> Rule {
    let id = Kind::SecurityGroupRule.id(cx);
    Rule { id, egress, protocol: "-1".to_owned(), range: None, peer, description: None }
}

/// The rules that permissions stand for, without ids, for a group of the VPC.
pub(crate) fn expand(
    cx: &Cx<'_>,
    vpc: &str,
    egress: bool,
    permissions: &[api::IpPermission],
) -> Result<Vec<Rule>, Ec2Error> {
    let mut rules: Vec<Rule> = vec![];
    for permission in permissions {
        let protocol = protocol(permission.ip_protocol.as_deref())?;
        let range = range(&protocol, permission.from_port, permission.to_port)?;
        for (peer, description) in peers(cx, vpc, permission)? {
            if let Some(description) = &description {
                check_description("rule", description)?;
            }
            let (id, protocol) = (String::new(), protocol.clone());
            let rule = Rule { id, egress, protocol, range, peer, description };
            if rules.iter().any(|other| other.allows_as(&rule)) {
                let text = "The same permission must not appear multiple times".to_owned();
                return Err(Ec2Error::InvalidValue(text));
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// Text that a description may be.
pub(crate) fn check_description(of: &str, text: &str) -> Result<(), Ec2Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-:/()#,@[]+=&;{}!$* ".contains(c);
    if text.len() <= 255 && text.chars().all(fits) {
        return Ok(());
    }
    let text = format!(
        "Invalid {of} description. Valid descriptions are strings less than 256 characters from the following set: {ALLOWED}"
    );
    Err(Ec2Error::InvalidValue(text))
}

fn protocol(given: Option<&str>) -> Result<String, Ec2Error> {
    let given = given.ok_or_else(|| Ec2Error::MissingParameter("ipProtocol".to_owned()))?;
    let name = match given.to_ascii_lowercase().as_str() {
        "-1" | "all" => "-1".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        name @ ("tcp" | "udp" | "icmp" | "icmpv6") => name.to_owned(),
        number if number.parse::<u8>().is_ok() => number.to_owned(),
        _ => {
            let text = format!("Invalid value '{given}' for IP protocol. Unknown protocol.");
            return Err(Ec2Error::InvalidValue(text));
        }
    };
    Ok(name)
}

fn range(protocol: &str, from: Option<i32>, to: Option<i32>) -> Result<Option<(i32, i32)>, Ec2Error> {
    match (protocol, from, to) {
        ("tcp" | "udp", Some(from), Some(to)) => {
            if let Some(wrong) = [from, to].into_iter().find(|port| !(0..=65535).contains(port)) {
                // All ports may be written `-1`.
                if (from, to) == (-1, -1) {
                    return Ok(Some((0, 65535)));
                }
                return Err(Ec2Error::InvalidValue(format!("TCP/UDP port ({wrong}) out of range")));
            }
            if from > to {
                return Err(Ec2Error::InvalidValue(format!("Invalid TCP/UDP port range ({from}:{to})")));
            }
            Ok(Some((from, to)))
        }
        ("tcp" | "udp", ..) => {
            let text = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.".to_owned();
            Err(Ec2Error::InvalidValue(text))
        }
        ("icmp" | "icmpv6", kind, code) => Ok(Some((kind.unwrap_or(-1), code.unwrap_or(-1)))),
        _ => Ok(None),
    }
}

type Described = (Peer, Option<String>);

fn peers(cx: &Cx<'_>, vpc: &str, permission: &api::IpPermission) -> Result<Vec<Described>, Ec2Error> {
    let malformed = |text: &str| Ec2Error::InvalidValue(format!("CIDR block {text} is malformed"));
    let mut peers = vec![];
    for it in permission.ip_ranges.iter().flatten() {
        let text = it.cidr_ip.as_deref().unwrap_or_default();
        peers.push((Peer::Ipv4(text.parse().map_err(|_| malformed(text))?), it.description.clone()));
    }
    for it in permission.ipv6_ranges.iter().flatten() {
        let text = it.cidr_ipv6.as_deref().unwrap_or_default();
        peers.push((Peer::Ipv6(ipv6_block(text).ok_or_else(|| malformed(text))?), it.description.clone()));
    }
    for it in permission.prefix_list_ids.iter().flatten() {
        let id = it.prefix_list_id.clone().unwrap_or_default();
        if !id.starts_with("pl-") {
            return Err(Ec2Error::InvalidValue(format!("Invalid id: \"{id}\" (expecting \"pl-...\")")));
        }
        peers.push((Peer::PrefixList(id), it.description.clone()));
    }
    for it in permission.user_id_group_pairs.iter().flatten() {
        peers.push((Peer::Group(group(cx, vpc, it)?), it.description.clone()));
    }
    if peers.is_empty() {
        return Err(Ec2Error::MissingParameter("ipPermissions[].ipRanges".to_owned()));
    }
    Ok(peers)
}

fn group(cx: &Cx<'_>, vpc: &str, pair: &api::UserIdGroupPair) -> Result<String, Ec2Error> {
    let by_name = |name: &str| {
        let mut groups = cx.scan::<SecurityGroup>("").filter(|(_, group)| group.vpc == vpc && group.name == name);
        groups.next().map(|(id, _)| id.to_owned()).ok_or_else(|| Kind::SecurityGroup.missing(name))
    };
    let id = match (&pair.group_id, &pair.group_name) {
        (Some(id), _) => id.clone(),
        (None, Some(name)) => by_name(name)?,
        (None, None) => return Err(Ec2Error::MissingParameter("groupId".to_owned())),
    };
    let id = id.as_str();
    if pair.user_id.as_deref().is_some_and(|user| user != cx.scope.account.as_str()) {
        return Err(Kind::SecurityGroup.missing(id));
    }
    let found = known::<SecurityGroup>(cx, id)?;
    if found.vpc == vpc { Ok(id.to_owned()) } else { Err(Ec2Error::OtherNetwork) }
}

/// Rules as permissions: those of one protocol and range together, in order.
pub(crate) fn gather<'r>(cx: &Cx<'_>, rules: impl Iterator<Item = &'r Rule>) -> Vec<api::IpPermission> {
    let mut permissions: Vec<api::IpPermission> = vec![];
    for rule in rules {
        let (from_port, to_port) = rule.range.unzip();
        let same = |it: &api::IpPermission| {
            it.ip_protocol.as_deref() == Some(&rule.protocol) && (it.from_port, it.to_port) == (from_port, to_port)
        };
        let at = permissions.iter().position(same).unwrap_or(permissions.len());
        if at == permissions.len() {
            permissions.push(api::IpPermission {
                ip_protocol: Some(rule.protocol.clone()),
                from_port,
                to_port,
                user_id_group_pairs: Some(vec![]),
                ip_ranges: Some(vec![]),
                ipv6_ranges: Some(vec![]),
                prefix_list_ids: Some(vec![]),
            });
        }
        if let Some(permission) = permissions.get_mut(at) {
            add_peer(cx, permission, rule);
        }
    }
    permissions
}

fn add_peer(cx: &Cx<'_>, permission: &mut api::IpPermission, rule: &Rule) {
    let description = rule.description.clone();
    match &rule.peer {
        Peer::Ipv4(cidr) => {
            let range = api::IpRange { description, cidr_ip: Some(cidr.to_string()) };
            permission.ip_ranges.get_or_insert_default().push(range);
        }
        Peer::Ipv6(cidr) => {
            let range = api::Ipv6Range { description, cidr_ipv6: Some(cidr.clone()) };
            permission.ipv6_ranges.get_or_insert_default().push(range);
        }
        Peer::PrefixList(id) => {
            let list = api::PrefixListId { description, prefix_list_id: Some(id.clone()) };
            permission.prefix_list_ids.get_or_insert_default().push(list);
        }
        Peer::Group(id) => {
            let (group_id, user_id) = (Some(id.clone()), Some(cx.scope.account.to_string()));
            let pair = api::UserIdGroupPair { description, group_id, user_id, ..api::UserIdGroupPair::default() };
            permission.user_id_group_pairs.get_or_insert_default().push(pair);
        }
    }
}
