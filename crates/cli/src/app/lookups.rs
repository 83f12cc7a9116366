//! What an app looks up in its account while it makes its templates: the context providers of the CDK.
//!
//! Invariant: an answer is what is here, in the configuration or in the engine; none is made up. Made-up values are shown
//! as lines for `cdk.context.json`, for the user to take or to change.

use std::collections::BTreeMap;

use neargate_api::ec2;
use neargate_api::kms;
use neargate_api::ssm;
use neargate_base::Diagnostic;
use neargate_template::MissingContext;
use serde_json::{Map, Value as Json, json};

use super::App;
use super::fixtures::Part;
use crate::codes;
use crate::endpoint::{CallError, Endpoint};

/// What a value for a parameter that nobody knows is written as.
const UNKNOWN_TEXT: &str = "…";

/// The value that is looked up, where it is here.
pub(super) fn answer(
    app: &App,
    engine: Option<&Endpoint>,
    missing: &MissingContext,
) -> Result<Option<Json>, CallError> {
    let text = |name: &str| missing.props.get(name).and_then(Json::as_str);
    let engine = engine.map(|engine| engine.in_environment(text("account"), text("region")));
    match (missing.provider.as_str(), &engine) {
        ("availability-zones", _) => Ok(text("region").map(|region| neargate_base::zone_names(region).into())),
        ("ssm", _) => parameter(app, engine.as_ref(), text("parameterName").unwrap_or_default()),
        ("vpc-provider", Some(engine)) => vpc(engine, &missing.props),
        ("security-group", Some(engine)) => security_group(engine, &missing.props),
        ("key-provider", Some(engine)) => key(engine, text("aliasName").unwrap_or_default()),
        _ => Ok(None),
    }
}

fn parameter(app: &App, engine: Option<&Endpoint>, name: &str) -> Result<Option<Json>, CallError> {
    let fixture = app.config.fixtures.ssm.get(name).filter(|it| !it.is_secure).map(|it| &it.value);
    if let Some(Part::Given(Json::String(text))) = fixture {
        return Ok(Some(text.as_str().into()));
    }
    let Some(engine) = engine else { return Ok(None) };
    let input = ssm::GetParameterInput { name: name.to_owned(), with_decryption: Some(false) };
    let answer: Result<ssm::GetParameterOutput, CallError> = engine.call(&ssm::SERVICE, &ssm::GET_PARAMETER, input);
    match answer {
        Ok(found) => Ok(found.parameter.and_then(|it| it.value).map(Json::from)),
        Err(CallError::Fault { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The one VPC that the filter means, as the CDK describes it.
fn vpc(engine: &Endpoint, props: &Json) -> Result<Option<Json>, CallError> {
    let filter = props.get("filter").and_then(Json::as_object).into_iter().flatten();
    let filters: Vec<_> = filter.filter_map(|(name, value)| Some(one_of(name, value.as_str()?))).collect();
    let input = ec2::DescribeVpcsInput { filters: Some(filters), ..ec2::DescribeVpcsInput::default() };
    let found: ec2::DescribeVpcsOutput = engine.call(&ec2::SERVICE, &ec2::DESCRIBE_VPCS, input)?;
    let mut found = found.vpcs.into_iter().flatten();
    let (Some(vpc), None) = (found.next(), found.next()) else { return Ok(None) };
    let id = vpc.vpc_id.unwrap_or_default();
    let name_tag = props.get("subnetGroupNameTag").and_then(Json::as_str).unwrap_or("aws-cdk:subnet-name");
    Ok(Some(json!({
        "vpcId": id, "vpcCidrBlock": vpc.cidr_block, "ownerAccountId": vpc.owner_id, "availabilityZones": [],
        "subnetGroups": subnet_groups(engine, &id, name_tag)?,
    })))
}

fn one_of(name: &str, value: &str) -> ec2::Filter {
    ec2::Filter { name: Some(name.to_owned()), values: Some(vec![value.to_owned()]) }
}

fn subnet_groups(engine: &Endpoint, vpc: &str, name_tag: &str) -> Result<Json, CallError> {
    let filters = || Some(vec![one_of("vpc-id", vpc)]);
    let input = ec2::DescribeSubnetsInput { filters: filters(), ..ec2::DescribeSubnetsInput::default() };
    let subnets: ec2::DescribeSubnetsOutput = engine.call(&ec2::SERVICE, &ec2::DESCRIBE_SUBNETS, input)?;
    let input = ec2::DescribeRouteTablesInput { filters: filters(), ..ec2::DescribeRouteTablesInput::default() };
    let tables: ec2::DescribeRouteTablesOutput = engine.call(&ec2::SERVICE, &ec2::DESCRIBE_ROUTE_TABLES, input)?;
    let tables: Vec<_> = tables.route_tables.into_iter().flatten().collect();
    let mut subnets: Vec<_> = subnets.subnets.into_iter().flatten().collect();
    subnets.sort_by(|a, b| (&a.availability_zone, &a.cidr_block).cmp(&(&b.availability_zone, &b.cidr_block)));
    let mut groups: BTreeMap<(String, String), Vec<Json>> = BTreeMap::new();
    for subnet in subnets {
        let table = table_of(&tables, subnet.subnet_id.as_deref());
        let kind = tag(&subnet, "aws-cdk:subnet-type").unwrap_or_else(|| kind(&subnet, table).to_owned());
        let name = tag(&subnet, name_tag).unwrap_or_else(|| kind.clone());
        groups.entry((kind, name)).or_default().push(json!({
            "subnetId": subnet.subnet_id, "cidr": subnet.cidr_block, "availabilityZone": subnet.availability_zone,
            "routeTableId": table.and_then(|it| it.route_table_id.clone()),
        }));
    }
    let group = |((kind, name), subnets)| json!({ "type": kind, "name": name, "subnets": subnets });
    Ok(Json::Array(groups.into_iter().map(group).collect()))
}

fn tag(subnet: &ec2::Subnet, key: &str) -> Option<String> {
    subnet.tags.iter().flatten().find(|tag| tag.key.as_deref() == Some(key)).and_then(|tag| tag.value.clone())
}

/// The table that a subnet is associated with, or else the VPC's main one.
fn table_of<'t>(tables: &'t [ec2::RouteTable], subnet: Option<&str>) -> Option<&'t ec2::RouteTable> {
    let has = |table: &&ec2::RouteTable, is_meant: &dyn Fn(&ec2::RouteTableAssociation) -> bool| {
        table.associations.iter().flatten().any(is_meant)
    };
    let own = tables.iter().find(|table| has(table, &|it| it.subnet_id.is_some() && it.subnet_id.as_deref() == subnet));
    own.or_else(|| tables.iter().find(|table| has(table, &|it| it.main == Some(true))))
}

fn kind(subnet: &ec2::Subnet, table: Option<&ec2::RouteTable>) -> &'static str {
    let leads =
        |is_meant: &dyn Fn(&ec2::Route) -> bool| table.is_some_and(|it| it.routes.iter().flatten().any(is_meant));
    let is_open = leads(&|route| route.gateway_id.as_deref().is_some_and(|id| id.starts_with("igw-")));
    let has_way_out = leads(&|route| route.nat_gateway_id.is_some());
    match () {
        () if subnet.map_public_ip_on_launch == Some(true) || is_open => "Public",
        () if has_way_out => "Private",
        () => "Isolated",
    }
}

fn security_group(engine: &Endpoint, props: &Json) -> Result<Option<Json>, CallError> {
    let text = |name: &str| props.get(name).and_then(Json::as_str);
    let filters = [("group-id", "securityGroupId"), ("group-name", "securityGroupName"), ("vpc-id", "vpcId")];
    let filters: Vec<_> = filters.iter().filter_map(|(name, prop)| Some(one_of(name, text(prop)?))).collect();
    let input =
        ec2::DescribeSecurityGroupsInput { filters: Some(filters), ..ec2::DescribeSecurityGroupsInput::default() };
    let found: ec2::DescribeSecurityGroupsOutput = engine.call(&ec2::SERVICE, &ec2::DESCRIBE_SECURITY_GROUPS, input)?;
    let mut found = found.security_groups.into_iter().flatten();
    let (Some(group), None) = (found.next(), found.next()) else { return Ok(None) };
    let is_any = |rule: &ec2::IpPermission| {
        rule.ip_protocol.as_deref() == Some("-1")
            && rule.ip_ranges.iter().flatten().any(|range| range.cidr_ip.as_deref() == Some("0.0.0.0/0"))
    };
    let is_open = group.ip_permissions_egress.iter().flatten().any(is_any);
    Ok(Some(json!({ "securityGroupId": group.group_id, "allowAllOutbound": is_open })))
}

/// The key of an alias.
fn key(engine: &Endpoint, alias: &str) -> Result<Option<Json>, CallError> {
    let mut marker = None;
    loop {
        let input = kms::ListAliasesInput { marker, ..kms::ListAliasesInput::default() };
        let page: kms::ListAliasesOutput = engine.call(&kms::SERVICE, &kms::LIST_ALIASES, input)?;
        let found = page.aliases.into_iter().flatten().find(|it| it.alias_name.as_deref() == Some(alias));
        if let Some(id) = found.and_then(|it| it.target_key_id) {
            return Ok(Some(json!({ "keyId": id })));
        }
        marker = page.next_marker;
        if marker.is_none() {
            return Ok(None);
        }
    }
}

/// What is to be said of lookups that nobody here can answer, with lines for `cdk.context.json` that may be changed.
pub(super) fn unanswered(all: &[MissingContext], values: &Map<String, Json>) -> Vec<Diagnostic> {
    let mut findings: Vec<Diagnostic> = all
        .iter()
        .map(|missing| {
            let message = format!("the app looks up `{}`, and nothing here answers that", missing.key);
            Diagnostic::error(codes::CDK_JSON, message)
                .detail(format!("by the context provider `{}`", missing.provider))
        })
        .collect();
    let lines: Map<String, Json> = all
        .iter()
        .map(|missing| {
            let value = values.get(&missing.key).cloned().unwrap_or_else(|| placeholder(missing));
            (missing.key.clone(), value)
        })
        .collect();
    if let Some(last) = findings.last_mut() {
        let lines = serde_json::to_string_pretty(&lines).unwrap_or_default();
        last.hints.push(format!("add to `cdk.context.json`, with the values that you mean:\n\n{lines}"));
    }
    findings
}

/// A value of the right form, as the CDK itself has for a first run.
fn placeholder(missing: &MissingContext) -> Json {
    let text = |name: &str| missing.props.get(name).and_then(Json::as_str);
    let region = text("region").unwrap_or("us-east-1");
    match missing.provider.as_str() {
        "availability-zones" => neargate_base::zone_names(region).into(),
        "ssm" => UNKNOWN_TEXT.into(),
        "vpc-provider" => placeholder_vpc(region),
        "security-group" => json!({ "securityGroupId": "sg-12345678", "allowAllOutbound": true }),
        "hosted-zone" => json!({ "Id": "/hostedzone/DUMMY", "Name": text("domainName") }),
        "load-balancer" => json!({
            "vpcId": "vpc-12345", "ipAddressType": "ipv4", "loadBalancerDnsName": "my-load-balancer.example.com",
            "loadBalancerCanonicalHostedZoneId": "Z3DZXE0EXAMPLE", "securityGroupIds": ["sg-12345678"],
            "loadBalancerArn":
                format!("arn:aws:elasticloadbalancing:{region}:123456789012:loadbalancer/application/my-load-balancer/50dc6c495c0c9188"),
        }),
        "load-balancer-listener" => json!({
            "listenerPort": 80, "securityGroupIds": ["sg-12345678"],
            "listenerArn":
                format!("arn:aws:elasticloadbalancing:{region}:123456789012:listener/application/my-load-balancer/50dc6c495c0c9188/f2f7dc8efc522ab2"),
        }),
        "key-provider" => json!({ "keyId": "1234abcd-12ab-34cd-56ef-1234567890ab" }),
        "ami" => "ami-12345678".into(),
        _ => Json::Null,
    }
}

fn placeholder_vpc(region: &str) -> Json {
    let group = |kind: &str, number: usize| {
        let subnet = |(at, zone): (usize, String)| {
            json!({
                "subnetId": format!("subnet-{kind}{at}"), "cidr": format!("10.0.{}.0/24", number * 10 + at),
                "availabilityZone": zone, "routeTableId": format!("rtb-{kind}{at}"),
            })
        };
        let subnets: Vec<_> = neargate_base::zone_names(region).into_iter().take(2).enumerate().map(subnet).collect();
        json!({ "type": kind, "name": kind, "subnets": subnets })
    };
    json!({
        "vpcId": "vpc-12345", "vpcCidrBlock": "10.0.0.0/16", "ownerAccountId": "123456789012", "availabilityZones": [],
        "subnetGroups": [group("Public", 0), group("Private", 1)],
    })
}
