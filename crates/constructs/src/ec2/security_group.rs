//! Security groups: packet filters that tasks carry.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, ec2 as l1};

use super::peer::{Kind, Peer, Rule, Rules, SecurityGroup, State};
use super::port::Port;
use super::vpc::Vpc;
use crate::{CfnResource, Scope, codes};

/// Properties of a [`SecurityGroup`].
#[derive(Clone, Debug, Default)]
pub struct SecurityGroupProps {
    /// The network it belongs to; required.
    pub vpc: Option<Vpc>,
    /// Description. Default: the path.
    pub description: Option<String>,
    /// Its name. Default: CloudFormation's choice.
    pub security_group_name: Option<String>,
    /// Whether everything may be reached over IPv4. Default: yes.
    pub allow_all_outbound: Option<bool>,
    /// Whether everything may be reached over IPv6. Default: no.
    pub allow_all_ipv6_outbound: bool,
    /// Whether every rule is a resource of its own. Default: rules about fixed ranges stand inside the group.
    pub disable_inline_rules: bool,
}

/// How a security group that exists is taken in.
#[derive(Clone, Debug)]
pub struct FromSecurityGroupIdOptions {
    /// Whether it lets everything be reached, so that outbound rules are not needed. Default: yes.
    pub allow_all_outbound: bool,
    /// Whether rules may be added to it. Default: yes.
    pub mutable: bool,
}

impl Default for FromSecurityGroupIdOptions {
    fn default() -> Self {
        Self { allow_all_outbound: true, mutable: true }
    }
}

impl SecurityGroup {
    /// Declares a security group.
    pub fn new(scope: &Scope, id: &str, props: SecurityGroupProps) -> Self {
        let scope = scope.child(id);
        let Some(vpc) = &props.vpc else {
            scope.error(codes::MISSING_PROPERTY, "the security group has no `vpc`");
            return Self::of(scope, Value::default(), Kind::Imported { mutable: false }, true, false, Rc::default());
        };
        let rules: Rc<RefCell<Rules>> = Rc::default();
        let (vpc_id, shared) = (vpc.vpc_id(), Rc::clone(&rules));
        let description = props.description.clone().unwrap_or_else(|| scope.path());
        let name = props.security_group_name.clone();
        let resource = CfnResource::lazy(&scope, "Resource", move || {
            Box::new(l1::SecurityGroup {
                group_description: Some(description.clone().into()),
                group_name: name.clone().map(Value::Literal),
                security_group_egress: list(shared.borrow().egress.iter().map(inline_egress)),
                security_group_ingress: list(shared.borrow().ingress.iter().map(inline_ingress)),
                vpc_id: Some(vpc_id.clone()),
                ..Default::default()
            })
        });
        let kind = Kind::Owned { inline: !props.disable_inline_rules };
        let all = props.allow_all_outbound != Some(false);
        let group = Self::of(scope, resource.attribute("GroupId"), kind, all, props.allow_all_ipv6_outbound, rules);
        group.add_default_rules();
        group
    }

    /// Takes in a security group that exists.
    pub fn from_security_group_id(
        scope: &Scope,
        id: &str,
        group_id: impl Into<Value<String>>,
        options: FromSecurityGroupIdOptions,
    ) -> Self {
        let kind = Kind::Imported { mutable: options.mutable };
        Self::of(scope.child(id), group_id.into(), kind, options.allow_all_outbound, false, Rc::default())
    }

    fn of(
        scope: Scope,
        group_id: Value<String>,
        kind: Kind,
        all: bool,
        all_ipv6: bool,
        rules: Rc<RefCell<Rules>>,
    ) -> Self {
        let indirect_peers = Cell::new(0);
        let state = State {
            scope,
            group_id,
            allow_all_outbound: all,
            allow_all_ipv6_outbound: all_ipv6,
            kind,
            indirect_peers,
            rules,
        };
        let group = Self(Rc::new(state));
        group.register("neargate.ec2.SecurityGroup", &group);
        group
    }

    /// The id.
    pub fn security_group_id(&self) -> Value<String> {
        self.0.group_id.clone()
    }

    /// Whether everything may be reached over IPv4.
    pub fn allow_all_outbound(&self) -> bool {
        self.0.allow_all_outbound
    }

    /// Lets a peer reach a port. The description defaults to `from <peer>:<port>`.
    pub fn add_ingress_rule(&self, peer: &Peer, port: &Port, description: Option<&str>) {
        self.check(peer);
        let rule = self.rule(peer, port, description, "from");
        match self.0.kind {
            Kind::Imported { mutable: false } => {}
            Kind::Owned { inline: true } if peer.can_be_inline() => {
                let mut rules = self.0.rules.borrow_mut();
                if !rules.ingress.iter().any(|known| known.is_same(&rule)) {
                    rules.ingress.push(rule);
                }
            }
            _ => self.add_ingress_resource(&rule),
        }
    }

    /// Lets a port of a peer be reached, where not everything is let through anyway.
    pub fn add_egress_rule(&self, peer: &Peer, port: &Port, description: Option<&str>) {
        self.check(peer);
        let over_ipv6 = matches!(peer, Peer::Ipv6(_));
        let allowed = if over_ipv6 { self.0.allow_all_ipv6_outbound } else { self.0.allow_all_outbound };
        if allowed {
            if matches!(self.0.kind, Kind::Owned { .. }) {
                let message =
                    format!("the outbound rule to `{}` changes nothing: everything is let out", peer.unique_id());
                let hint = "set `allow_all_outbound` to `Some(false)` to choose what is let out";
                self.report(Diagnostic::warning(codes::SECURITY_GROUP, message).hint(hint));
            }
            return;
        }
        let rule = self.rule(peer, port, description, "from");
        match self.0.kind {
            Kind::Imported { mutable: false } => {}
            Kind::Owned { inline: true } if peer.can_be_inline() => {
                if rule.port.protocol == "-1" && [Peer::any_ipv4(), Peer::any_ipv6()].contains(peer) {
                    let hint = "set `allow_all_outbound` or `allow_all_ipv6_outbound` instead";
                    self.report(
                        Diagnostic::error(codes::SECURITY_GROUP, "an outbound rule lets everything out").hint(hint),
                    );
                }
                let mut rules = self.0.rules.borrow_mut();
                if !over_ipv6 {
                    rules.egress.retain(|known| !known.is_same(&no_traffic()));
                }
                if !rules.egress.iter().any(|known| known.is_same(&rule)) {
                    rules.egress.push(rule);
                }
            }
            _ => {
                self.0.rules.borrow_mut().egress.retain(|known| over_ipv6 || !known.is_same(&no_traffic()));
                self.add_egress_resource(&self.rule(peer, port, description, "to"));
            }
        }
    }

    fn check(&self, peer: &Peer) {
        if let Some(problem) = peer.problem() {
            self.error(codes::SECURITY_GROUP, problem);
        }
    }

    fn rule(&self, peer: &Peer, port: &Port, description: Option<&str>, direction: &str) -> Rule {
        let description = description.map_or_else(|| format!("{direction} {}:{port}", peer.unique_id()), str::to_owned);
        Rule { peer: peer.clone(), port: port.clone(), description }
    }

    fn add_default_rules(&self) {
        let everything = Rule {
            peer: Peer::any_ipv4(),
            port: Port::all_traffic(),
            description: "Allow all outbound traffic by default".to_owned(),
        };
        let inline = self.0.kind == Kind::Owned { inline: true };
        let mut rules = vec![if self.0.allow_all_outbound { everything } else { no_traffic() }];
        if self.0.allow_all_ipv6_outbound {
            rules.push(Rule {
                peer: Peer::any_ipv6(),
                port: Port::all_traffic(),
                description: "Allow all outbound ipv6 traffic by default".to_owned(),
            });
        }
        for rule in rules {
            if inline {
                self.0.rules.borrow_mut().egress.push(rule);
            } else {
                self.add_egress_resource(&rule);
            }
        }
    }

    /// The id of a rule that is a resource of its own.
    fn rule_id(&self, rule: &Rule, direction: &str) -> String {
        let peer = rule.peer.unique_id();
        let peer = match peer.known() {
            Some(text) => text.to_owned(),
            None => {
                let count = self.0.indirect_peers.get();
                self.0.indirect_peers.set(count + 1);
                if count == 0 { "{IndirectPeer}".to_owned() } else { format!("'{{IndirectPeer{}}}'", count + 1) }
            }
        };
        format!("{direction} {peer}:{}", rule.port).replacen('/', "_", 1)
    }

    fn add_ingress_resource(&self, rule: &Rule) {
        let id = self.rule_id(rule, "from");
        if self.try_find_child(&id).is_some() {
            return;
        }
        let mut resource = l1::SecurityGroupIngress {
            description: Some(rule.description.as_str().into()),
            from_port: rule.port.from.map(Value::Literal),
            group_id: Some(self.security_group_id()),
            ip_protocol: Some(rule.port.protocol.into()),
            to_port: rule.port.to.map(Value::Literal),
            ..Default::default()
        };
        match &rule.peer {
            Peer::Ipv4(cidr) => resource.cidr_ip = Some(cidr.clone()),
            Peer::Ipv6(cidr) => resource.cidr_ipv6 = Some(cidr.clone()),
            Peer::PrefixList(id) => resource.source_prefix_list_id = Some(id.clone()),
            Peer::SecurityGroup(group) => resource.source_security_group_id = Some(group.security_group_id()),
            Peer::SecurityGroupId(id) => resource.source_security_group_id = Some(id.clone()),
        }
        CfnResource::new(self, &id, resource);
    }

    fn add_egress_resource(&self, rule: &Rule) {
        let id = self.rule_id(rule, "to");
        if self.try_find_child(&id).is_some() {
            return;
        }
        let mut resource = l1::SecurityGroupEgress {
            description: Some(rule.description.as_str().into()),
            from_port: rule.port.from.map(Value::Literal),
            group_id: Some(self.security_group_id()),
            ip_protocol: Some(rule.port.protocol.into()),
            to_port: rule.port.to.map(Value::Literal),
            ..Default::default()
        };
        match &rule.peer {
            Peer::Ipv4(cidr) => resource.cidr_ip = Some(cidr.clone()),
            Peer::Ipv6(cidr) => resource.cidr_ipv6 = Some(cidr.clone()),
            Peer::PrefixList(id) => resource.destination_prefix_list_id = Some(id.clone()),
            Peer::SecurityGroup(group) => resource.destination_security_group_id = Some(group.security_group_id()),
            Peer::SecurityGroupId(id) => resource.destination_security_group_id = Some(id.clone()),
        }
        CfnResource::new(self, &id, resource);
    }
}

/// A group without outbound rules lets everything out, so one that lets nothing out has a rule that matches nothing.
fn no_traffic() -> Rule {
    Rule {
        peer: Peer::ipv4("255.255.255.255/32"),
        port: Port::icmp_type_and_code(252, 86),
        description: "Disallow all traffic".to_owned(),
    }
}

fn list<T>(items: impl Iterator<Item = T>) -> Option<Value<Vec<Value<T>>>> {
    let items: Vec<Value<T>> = items.map(Value::Literal).collect();
    (!items.is_empty()).then(|| items.into())
}

fn inline_ingress(rule: &Rule) -> l1::security_group::Ingress {
    let InlinePeer { cidr_ip, cidr_ipv6, group_id } = inline_peer(&rule.peer);
    l1::security_group::Ingress {
        cidr_ip,
        cidr_ipv6,
        description: Some(rule.description.as_str().into()),
        from_port: rule.port.from.map(Value::Literal),
        ip_protocol: Some(rule.port.protocol.into()),
        source_security_group_id: group_id,
        to_port: rule.port.to.map(Value::Literal),
        ..Default::default()
    }
}

fn inline_egress(rule: &Rule) -> l1::security_group::Egress {
    let InlinePeer { cidr_ip, cidr_ipv6, group_id } = inline_peer(&rule.peer);
    l1::security_group::Egress {
        cidr_ip,
        cidr_ipv6,
        description: Some(rule.description.as_str().into()),
        destination_security_group_id: group_id,
        from_port: rule.port.from.map(Value::Literal),
        ip_protocol: Some(rule.port.protocol.into()),
        to_port: rule.port.to.map(Value::Literal),
        ..Default::default()
    }
}

#[derive(Default)]
struct InlinePeer {
    cidr_ip: Option<Value<String>>,
    cidr_ipv6: Option<Value<String>>,
    group_id: Option<Value<String>>,
}

/// A peer that may stand inside the group.
fn inline_peer(peer: &Peer) -> InlinePeer {
    match peer {
        Peer::Ipv4(cidr) => InlinePeer { cidr_ip: Some(cidr.clone()), ..InlinePeer::default() },
        Peer::Ipv6(cidr) => InlinePeer { cidr_ipv6: Some(cidr.clone()), ..InlinePeer::default() },
        Peer::SecurityGroupId(id) => InlinePeer { group_id: Some(id.clone()), ..InlinePeer::default() },
        Peer::PrefixList(_) | Peer::SecurityGroup(_) => InlinePeer::default(),
    }
}
