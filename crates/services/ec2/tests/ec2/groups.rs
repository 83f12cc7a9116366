//! Security groups and their rules.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::world::World;

fn world() -> (World, String) {
    let mut world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let group = world.group(&vpc, "web");
    (world, group)
}

/// The group's rules, a line each.
fn rules(world: &mut World, group: &str) -> String {
    let filters = json!({ "Filters": [{ "Name": "group-id", "Values": [group] }] });
    let rules = world.call("DescribeSecurityGroupRules", filters).unwrap();
    let mut lines: Vec<_> = rules["SecurityGroupRules"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines.join("\n").replace(group, "GROUP")
}

fn line(rule: &Json) -> String {
    let peer = [&rule["CidrIpv4"], &rule["CidrIpv6"], &rule["PrefixListId"], &rule["ReferencedGroupInfo"]["GroupId"]];
    let peer = peer.into_iter().find_map(Json::as_str).unwrap();
    let direction = if rule["IsEgress"] == true { "to" } else { "from" };
    format!(
        "{} {}-{} {direction} {peer} {}",
        rule["IpProtocol"].as_str().unwrap(),
        rule["FromPort"],
        rule["ToPort"],
        rule["Description"]
    )
}

#[test]
fn permissions_become_rules_in_canonical_form() {
    let (mut world, group) = world();
    let input = json!({ "GroupId": group, "IpPermissions": [
        { "IpProtocol": "6", "FromPort": 443, "ToPort": 443,
          "IpRanges": [{ "CidrIp": "10.0.0.9/8", "Description": "inside" }, { "CidrIp": "0.0.0.0/0" }],
          "Ipv6Ranges": [{ "CidrIpv6": "::/0" }] },
        { "IpProtocol": "ICMP", "FromPort": 8, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] },
        { "IpProtocol": "all", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{ "GroupId": group }],
          "PrefixListIds": [{ "PrefixListId": "pl-1" }] },
    ] });
    let made = world.call("AuthorizeSecurityGroupIngress", input).unwrap();
    assert_eq!(made["SecurityGroupRules"].as_array().unwrap().len(), 6);
    expect!["ec2:AuthorizeSecurityGroupIngress: recorded; no packet is filtered yet"]
        .assert_eq(&world.notices.join("\n"));
    expect![[r#"
        -1 -1--1 from pl-1 null
        -1 -1--1 from GROUP null
        -1 -1--1 to 0.0.0.0/0 null
        icmp 8--1 from 0.0.0.0/0 null
        tcp 443-443 from 0.0.0.0/0 null
        tcp 443-443 from 10.0.0.0/8 "inside"
        tcp 443-443 from ::/0 null"#]]
    .assert_eq(&rules(&mut world, &group));
    let mut world = world.restarted();
    let shown = world.call("DescribeSecurityGroups", json!({ "GroupIds": [group] })).unwrap();
    let permissions = shown["SecurityGroups"][0]["IpPermissions"].as_array().unwrap();
    let shown: Vec<_> = permissions.iter().map(Json::to_string).collect();
    expect![[r#"
        {"IpProtocol":"tcp","FromPort":443,"ToPort":443,"UserIdGroupPairs":[],"IpRanges":[{"Description":"inside","CidrIp":"10.0.0.0/8"},{"CidrIp":"0.0.0.0/0"}],"Ipv6Ranges":[{"CidrIpv6":"::/0"}],"PrefixListIds":[]}
        {"IpProtocol":"icmp","FromPort":8,"ToPort":-1,"UserIdGroupPairs":[],"IpRanges":[{"CidrIp":"0.0.0.0/0"}],"Ipv6Ranges":[],"PrefixListIds":[]}
        {"IpProtocol":"-1","UserIdGroupPairs":[{"UserId":"123456789012","GroupId":"GROUP"}],"IpRanges":[],"Ipv6Ranges":[],"PrefixListIds":[{"PrefixListId":"pl-1"}]}"#]].assert_eq(&shown.join("\n").replace(&group, "GROUP"));
}

#[test]
fn a_rule_is_there_once_and_taken_away_once() {
    let (mut world, group) = world();
    let web = json!({ "GroupId": group, "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0" });
    let rule = world.make("AuthorizeSecurityGroupIngress", web.clone(), "/SecurityGroupRules/0/SecurityGroupRuleId");
    let mut said = vec![world.call("AuthorizeSecurityGroupIngress", web.clone()).unwrap_err()];
    let all = json!({ "GroupId": group, "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" });
    said.push(world.call("AuthorizeSecurityGroupEgress", all.clone()).unwrap_err());
    let revoked =
        world.make("RevokeSecurityGroupIngress", web.clone(), "/RevokedSecurityGroupRules/0/SecurityGroupRuleId");
    assert_eq!(revoked, rule);
    said.push(world.call("RevokeSecurityGroupIngress", web).unwrap_err());
    let by_id = json!({ "GroupId": group, "SecurityGroupRuleIds": [rule] });
    said.push(world.call("RevokeSecurityGroupIngress", by_id).unwrap_err());
    world.call("RevokeSecurityGroupEgress", all).unwrap();
    assert_eq!(rules(&mut world, &group), "");
    expect![[r#"
        InvalidPermission.Duplicate: the specified rule "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW" already exists
        InvalidPermission.Duplicate: the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists
        InvalidPermission.NotFound: The specified rule does not exist in this security group.
        InvalidSecurityGroupRuleId.NotFound: The security group rule ID 'RULE' does not exist"#]].assert_eq(&said.join("\n").replace(&rule, "RULE"));
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let (mut world, group) = world();
    let other_vpc = world.vpc("10.1.0.0/16");
    let far = world.group(&other_vpc, "far");
    let any = json!([{ "CidrIp": "0.0.0.0/0" }]);
    let permissions = [
        json!({ "IpRanges": any }),
        json!({ "IpProtocol": "http", "IpRanges": any }),
        json!({ "IpProtocol": "tcp", "IpRanges": any }),
        json!({ "IpProtocol": "tcp", "FromPort": 1, "ToPort": 70000, "IpRanges": any }),
        json!({ "IpProtocol": "udp", "FromPort": 90, "ToPort": 80, "IpRanges": any }),
        json!({ "IpProtocol": "-1" }),
        json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "10.0.0.0/33" }] }),
        json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "10.0.0.0/8" }, { "CidrIp": "10.1.0.0/8" }] }),
        json!({ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": "sg-1" }] }),
        json!({ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": far }] }),
        json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "10.0.0.0/8", "Description": "é" }] }),
    ];
    let mut said = vec![];
    for permission in permissions {
        let input = json!({ "GroupId": group, "IpPermissions": [permission] });
        said.push(world.call("AuthorizeSecurityGroupIngress", input).unwrap_err());
    }
    expect![[r#"
        MissingParameter: The request must contain the parameter ipProtocol
        InvalidParameterValue: Invalid value 'http' for IP protocol. Unknown protocol.
        InvalidParameterValue: Invalid value for portRange. Must specify both from and to ports with TCP/UDP.
        InvalidParameterValue: TCP/UDP port (70000) out of range
        InvalidParameterValue: Invalid TCP/UDP port range (90:80)
        MissingParameter: The request must contain the parameter ipPermissions[].ipRanges
        InvalidParameterValue: CIDR block 10.0.0.0/33 is malformed
        InvalidParameterValue: The same permission must not appear multiple times
        InvalidGroup.NotFound: The security group 'sg-1' does not exist
        InvalidGroup.NotFound: You have specified two resources that belong to different networks.
        InvalidParameterValue: Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"#]].assert_eq(&said.join("\n"));
}

#[test]
fn a_group_that_another_names_stays() {
    let (mut world, group) = world();
    let vpc = world.call("DescribeSecurityGroups", json!({ "GroupIds": [group] })).unwrap();
    let vpc = vpc["SecurityGroups"][0]["VpcId"].as_str().unwrap().to_owned();
    let other = world.group(&vpc, "database");
    let from = json!({ "GroupId": other, "IpPermissions": [
        { "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [{ "GroupId": group }] }] });
    world.call("AuthorizeSecurityGroupIngress", from.clone()).unwrap();
    let fault = world.call("DeleteSecurityGroup", json!({ "GroupId": group })).unwrap_err();
    assert_eq!(fault, format!("DependencyViolation: resource {group} has a dependent object"));
    world.call("RevokeSecurityGroupIngress", from).unwrap();
    world.call("DeleteSecurityGroup", json!({ "GroupId": group })).unwrap();
}

#[test]
fn a_direction_has_sixty_rules() {
    let (mut world, group) = world();
    let ranges: Vec<_> = (0..61).map(|at| json!({ "CidrIp": format!("10.0.{at}.0/24") })).collect();
    let input =
        |ranges: &[Json]| json!({ "GroupId": group, "IpPermissions": [{ "IpProtocol": "-1", "IpRanges": ranges }] });
    let fault = world.call("AuthorizeSecurityGroupIngress", input(&ranges)).unwrap_err();
    assert_eq!(
        fault,
        "RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached."
    );
    world.call("AuthorizeSecurityGroupIngress", input(&ranges[..60])).unwrap();
}
