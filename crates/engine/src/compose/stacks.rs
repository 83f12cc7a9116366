//! What holds for the resource types of all services together: stacks ask for every permission, and take nothing of others.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use neargate_kernel::{Principal, Row};
use neargate_testkit::Harness;
use serde_json::{Map, Value as Json, json};

use super::providers::{OF_LOG_RETENTION, OF_READER, OF_SDK_CALL, OF_WRITER, PROVIDERS};

/// One resource type, as a stack makes it and changes it.
pub(super) struct Case {
    pub(super) type_name: &'static str,
    /// The service whose permissions it needs.
    service: &'static str,
    pub(super) made: Json,
    pub(super) changed: Json,
    /// Whether its name, or what it is made for, can be taken already.
    is_named: bool,
}

/// Everything that the cases are made beside, in a stack of the account's root.
fn surroundings() -> Json {
    let mut all = plain_surroundings();
    let role = json!({"Fn::GetAtt": ["ProviderRole", "Arn"]});
    for id in PROVIDERS {
        all[id] = json!({"Type": "AWS::Lambda::Function", "Properties": {"Role": role, "Code": {"ZipFile": "x"}}});
    }
    all
}

fn plain_surroundings() -> Json {
    let trust = |service: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}]});
    json!({
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        "OtherSubnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}},
        "OtherVpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
        "ThirdVpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.4.0.0/16"}},
        "ThirdGateway": {"Type": "AWS::EC2::InternetGateway"},
        "FourthGateway": {"Type": "AWS::EC2::InternetGateway"},
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "OtherTable": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "Gateway": {"Type": "AWS::EC2::InternetGateway"},
        "OtherGateway": {"Type": "AWS::EC2::InternetGateway"},
        "Attached": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}}},
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}},
        "ProviderRole": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}},
        "Key": {"Type": "AWS::KMS::Key"},
        "OtherKey": {"Type": "AWS::KMS::Key"},
        "Logs": {"Type": "AWS::Logs::LogGroup"},
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "OtherCluster": {"Type": "AWS::ECS::Cluster"},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "s"}},
        "OtherSecret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "s"}},
    })
}

/// A case for every type. `$X` stands for the physical id of a resource in the surroundings, `$X.A` for an attribute.
#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let document = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]});
    let on_secret = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": action, "Resource": "*"}]});
    let tags = json!([{"Key": "k", "Value": "v"}]);
    let case = |type_name: &'static str, service, made: Json, change: Json, is_named| {
        let mut changed = made.clone();
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Case { type_name, service, made, changed, is_named }
    };
    let arn = |id: &str| format!("${id}.Arn");
    let rule = json!({"GroupId": "$Group", "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"});
    vec![
        case("AWS::EC2::EIP", "ec2", json!({"Domain": "vpc"}), json!({"Tags": tags}), false),
        case("AWS::EC2::InternetGateway", "ec2", json!({}), json!({"Tags": tags}), false),
        case(
            "AWS::EC2::NatGateway",
            "ec2",
            json!({"SubnetId": "$Subnet", "AllocationId": "$Address.AllocationId"}),
            json!({"Tags": tags}),
            false,
        ),
        case(
            "AWS::EC2::Route",
            "ec2",
            json!({"RouteTableId": "$Table", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "$Gateway"}),
            json!({"DestinationCidrBlock": "172.16.0.0/12"}),
            true,
        ),
        case("AWS::EC2::RouteTable", "ec2", json!({"VpcId": "$Vpc"}), json!({"Tags": tags}), false),
        case(
            "AWS::EC2::SecurityGroup",
            "ec2",
            json!({"GroupName": "taken", "GroupDescription": "d", "VpcId": "$Vpc"}),
            json!({"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIp": "10.0.0.0/8"}]}),
            true,
        ),
        case("AWS::EC2::SecurityGroupIngress", "ec2", rule.clone(), json!({"Description": "d"}), true),
        case("AWS::EC2::SecurityGroupEgress", "ec2", rule, json!({"Description": "d"}), true),
        case(
            "AWS::EC2::Subnet",
            "ec2",
            json!({"VpcId": "$Vpc", "CidrBlock": "10.0.9.0/24"}),
            json!({"Tags": tags}),
            true,
        ),
        case(
            "AWS::EC2::SubnetRouteTableAssociation",
            "ec2",
            json!({"SubnetId": "$Subnet", "RouteTableId": "$Table"}),
            json!({"RouteTableId": "$OtherTable"}),
            true,
        ),
        case("AWS::EC2::VPC", "ec2", json!({"CidrBlock": "10.2.0.0/16"}), json!({"Tags": tags}), false),
        case(
            "AWS::EC2::VPCGatewayAttachment",
            "ec2",
            json!({"VpcId": "$OtherVpc", "InternetGatewayId": "$OtherGateway"}),
            json!({"InternetGatewayId": "$ThirdGateway"}),
            true,
        ),
        case(
            "Custom::VpcRestrictDefaultSG",
            "ec2",
            json!({"ServiceToken": "t", "Account": "000000000000", "DefaultSecurityGroupId": "$Vpc.DefaultSecurityGroup"}),
            json!({"DefaultSecurityGroupId": "$OtherVpc.DefaultSecurityGroup"}),
            false,
        ),
        case(
            "AWS::ECS::Cluster",
            "ecs",
            json!({"ClusterName": "taken"}),
            json!({"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]}),
            true,
        ),
        case(
            "AWS::ECS::ClusterCapacityProviderAssociations",
            "ecs",
            json!({"Cluster": "$Cluster", "CapacityProviders": ["FARGATE"], "DefaultCapacityProviderStrategy": []}),
            json!({"CapacityProviders": ["FARGATE", "FARGATE_SPOT"]}),
            true,
        ),
        case(
            "AWS::ECS::TaskDefinition",
            "ecs",
            json!({"Family": "f", "ContainerDefinitions": [{"Name": "c", "Image": "i", "Memory": 8}]}),
            json!({"Tags": tags}),
            false,
        ),
        case("AWS::Events::EventBus", "events", json!({"Name": "taken"}), json!({"Description": "d"}), true),
        case(
            "AWS::Events::Rule",
            "events",
            json!({"Name": "taken", "EventPattern": {"source": ["a"]}}),
            json!({"Description": "d"}),
            true,
        ),
        case(
            "AWS::IAM::ManagedPolicy",
            "iam",
            json!({"ManagedPolicyName": "taken", "PolicyDocument": document("s3:GetObject")}),
            json!({"PolicyDocument": document("s3:PutObject")}),
            true,
        ),
        case(
            "AWS::IAM::Policy",
            "iam",
            json!({"PolicyName": "taken", "PolicyDocument": document("s3:GetObject"), "Roles": ["$Role"]}),
            json!({"PolicyDocument": document("s3:PutObject")}),
            true,
        ),
        case(
            "AWS::IAM::Role",
            "iam",
            json!({"RoleName": "taken", "AssumeRolePolicyDocument": trust}),
            json!({"Description": "d"}),
            true,
        ),
        case(
            "AWS::IAM::RolePolicy",
            "iam",
            json!({"PolicyName": "taken", "RoleName": "$Role", "PolicyDocument": document("s3:GetObject")}),
            json!({"PolicyDocument": document("s3:PutObject")}),
            true,
        ),
        case(
            "AWS::KMS::Alias",
            "kms",
            json!({"AliasName": "alias/taken", "TargetKeyId": "$Key"}),
            json!({"TargetKeyId": "$OtherKey"}),
            true,
        ),
        case("AWS::KMS::Key", "kms", json!({}), json!({"Description": "d"}), false),
        case(
            "AWS::Lambda::Function",
            "lambda",
            json!({"FunctionName": "taken", "Role": "$Role.Arn", "Code": {"ZipFile": "x"}}),
            json!({"Description": "d"}),
            true,
        ),
        // Whoever makes the stack invokes the function; what that does, its role does.
        case(
            "Custom::CrossRegionExportWriter",
            "lambda",
            json!({"ServiceToken": arn(OF_WRITER), "WriterProps": {"region": "us-west-2", "exports": {"/cdk/exports/S/a": "1"}}}),
            json!({"WriterProps": {"region": "us-west-2", "exports": {"/cdk/exports/S/b": "2"}}}),
            false,
        ),
        case(
            "Custom::CrossRegionExportReader",
            "lambda",
            json!({"ServiceToken": arn(OF_READER), "ReaderProps": {"region": "eu-west-1", "prefix": "S", "imports": {}}}),
            json!({"ReaderProps": {"region": "eu-west-1", "prefix": "T", "imports": {}}}),
            false,
        ),
        case(
            "Custom::LogRetention",
            "lambda",
            json!({"ServiceToken": arn(OF_LOG_RETENTION), "LogGroupName": "kept", "RetentionInDays": 3}),
            json!({"RetentionInDays": 7}),
            false,
        ),
        case(
            "Custom::AWS",
            "lambda",
            json!({"ServiceToken": arn(OF_SDK_CALL), "InstallLatestAwsSdk": false, "Create": call_of_ssm("a")}),
            json!({"Update": call_of_ssm("b")}),
            false,
        ),
        case("AWS::Logs::LogGroup", "logs", json!({"LogGroupName": "taken"}), json!({"RetentionInDays": 7}), true),
        case(
            "AWS::Logs::LogStream",
            "logs",
            json!({"LogGroupName": "$Logs", "LogStreamName": "taken"}),
            json!({"LogStreamName": "other"}),
            true,
        ),
        case(
            "AWS::SecretsManager::ResourcePolicy",
            "secretsmanager",
            json!({"SecretId": "$Secret", "ResourcePolicy": on_secret("secretsmanager:GetSecretValue")}),
            json!({"ResourcePolicy": on_secret("secretsmanager:DescribeSecret")}),
            true,
        ),
        case(
            "AWS::SecretsManager::Secret",
            "secretsmanager",
            json!({"Name": "taken", "SecretString": "s"}),
            json!({"Description": "d"}),
            true,
        ),
        case(
            "AWS::SSM::Parameter",
            "ssm",
            json!({"Name": "taken", "Type": "String", "Value": "v"}),
            json!({"Value": "w"}),
            true,
        ),
    ]
}

/// A call as the CDK writes it.
fn call_of_ssm(name: &str) -> String {
    let parameters = json!({"Name": name, "Value": "v", "Type": "String"});
    json!({"service": "SSM", "action": "putParameter", "parameters": parameters, "physicalResourceId": {"id": name}})
        .to_string()
}

/// A stack's status, and every reason that its history gives for a failure.
pub(super) fn outcome(harness: &mut Harness, name: &str) -> (String, String) {
    let before = harness.principal.clone();
    harness.principal = Principal::root(&harness.scope.account);
    let events = harness.call("cloudformation", "DescribeStackEvents", json!({"StackName": name})).unwrap();
    harness.principal = before;
    let events = events["StackEvents"].as_array().unwrap().clone();
    let text = |event: &Json, member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let of_stack = |event: &&Json| event["ResourceType"] == "AWS::CloudFormation::Stack";
    let status = text(events.iter().find(of_stack).unwrap(), "ResourceStatus");
    let failed = events.iter().filter(|event| text(event, "ResourceStatus").ends_with("_FAILED"));
    (status, failed.map(|event| text(event, "ResourceStatusReason")).collect::<Vec<_>>().join("\n"))
}

pub(super) struct World {
    pub(super) harness: Harness,
    ids: BTreeMap<String, String>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut harness = Harness::new(super::services, super::ports()).unwrap();
        let mut template = json!({"Resources": surroundings()});
        let of_providers = PROVIDERS.map(|id| format!("{id}.Arn"));
        let outputs: Map<_, _> =
            ["Vpc.DefaultSecurityGroup", "OtherVpc.DefaultSecurityGroup", "Role.Arn", "Address.AllocationId"]
                .into_iter()
                .chain(of_providers.iter().map(String::as_str))
                .map(|path| {
                    (path.replace('.', ""), json!({"Value": {"Fn::GetAtt": path.split('.').collect::<Vec<_>>()}}))
                })
                .collect();
        template["Outputs"] = Json::Object(outputs);
        let input = json!({"StackName": "around", "TemplateBody": template.to_string(), "Capabilities": ["CAPABILITY_NAMED_IAM"]});
        harness.call("cloudformation", "CreateStack", input).unwrap();
        harness.pass(10_000);
        let (status, reasons) = outcome(&mut harness, "around");
        assert_eq!(status, "CREATE_COMPLETE", "{reasons}");
        let resources =
            harness.call("cloudformation", "DescribeStackResources", json!({"StackName": "around"})).unwrap();
        let text = |json: &Json| json.as_str().unwrap().to_owned();
        let mut ids: BTreeMap<String, String> = resources["StackResources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (text(&it["LogicalResourceId"]), text(&it["PhysicalResourceId"])))
            .collect();
        let stacks = harness.call("cloudformation", "DescribeStacks", json!({"StackName": "around"})).unwrap();
        for output in stacks["Stacks"][0]["Outputs"].as_array().unwrap() {
            ids.insert(text(&output["OutputKey"]), text(&output["OutputValue"]));
        }
        Self { harness, ids }
    }

    /// Properties with the ids that `$` stands for.
    pub(super) fn fill(&self, properties: &Json) -> Json {
        match properties {
            Json::String(text) if text.starts_with('$') => json!(self.ids[&text[1..].replace('.', "")]),
            Json::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Json::Object(members) => {
                Json::Object(members.iter().map(|(name, it)| (name.clone(), self.fill(it))).collect())
            }
            other => other.clone(),
        }
    }

    fn stack(&mut self, operation: &str, name: &str, case: &Case, properties: &Json) -> (String, String) {
        let resource = json!({"Type": case.type_name, "Properties": self.fill(properties)});
        let template = json!({"Resources": {"It": resource}}).to_string();
        let input = json!({"StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
        self.harness.call("cloudformation", operation, input).unwrap();
        self.harness.pass(10_000);
        outcome(&mut self.harness, name)
    }

    pub(super) fn delete(&mut self, name: &str) -> (String, String) {
        let stacks = self.harness.call("cloudformation", "DescribeStacks", json!({"StackName": name})).unwrap();
        let id = stacks["Stacks"][0]["StackId"].as_str().unwrap().to_owned();
        self.harness.call("cloudformation", "DeleteStack", json!({"StackName": name})).unwrap();
        self.harness.pass(10_000);
        outcome(&mut self.harness, &id)
    }

    /// A session of a role that may do everything but what one service offers.
    fn denied(&mut self, service: &str) -> Principal {
        let name = format!("no-{service}");
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "000000000000"}}]});
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": format!("{service}:*"), "Resource": "*"},
        ]});
        let role = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
        self.harness.call("iam", "CreateRole", role).unwrap();
        let policy = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": policy.to_string()});
        self.harness.call("iam", "PutRolePolicy", policy).unwrap();
        let assume = json!({"RoleArn": format!("arn:aws:iam::000000000000:role/{name}"), "RoleSessionName": "session"});
        let assumed = self.harness.call("sts", "AssumeRole", assume).unwrap();
        let id = assumed["Credentials"]["AccessKeyId"].as_str().unwrap();
        neargate_sts::credential(self.harness.core().store(), id).unwrap().principal
    }

    /// Every durable row that is no stack's own.
    pub(super) fn rows(&mut self) -> Vec<Row> {
        let of_stacks = |row: &Row| row.table.starts_with("cloudformation.") || row.table.starts_with("kernel.");
        let mut rows: Vec<_> = self.harness.rows().into_iter().filter(|row| !of_stacks(row)).collect();
        rows.sort_by(|a, b| (&a.table, &a.key).cmp(&(&b.table, &b.key)));
        rows
    }
}

#[test]
fn there_is_a_case_for_every_type() {
    let registry = super::registry();
    let cases = cases();
    let tried: Vec<_> = cases.iter().map(|case| case.type_name).collect();
    // They make nothing: the one here as on AWS, the other because it is refused.
    let makes_nothing = ["AWS::CDK::Metadata", "AWS::CloudFormation::CustomResource"];
    let untried = registry.resource_names().filter(|name| !tried.contains(name) && !makes_nothing.contains(name));
    assert_eq!(untried.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_properties_of_every_type_are_known() {
    let registry = super::registry();
    // A custom resource's are its function's.
    let others = ["AWS::CDK::Metadata", "AWS::CloudFormation::CustomResource"];
    let of_aws = |name: &&str| name.starts_with("AWS::") && !others.contains(name);
    let unknown =
        registry.resource_names().filter(of_aws).filter(|name| !neargate_cloudformation::knows_properties_of(name));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// The refusal of a template with one resource, with what its reader is told beside it.
fn refusal(harness: &mut Harness, type_name: &str, properties: &Json) -> String {
    let template = json!({"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}, "Resources": {"It": {"Type": type_name, "Properties": properties}}});
    let text = serde_json::to_string_pretty(&template).unwrap();
    let input = json!({"StackName": "s", "TemplateBody": text, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    let fault = harness.call("cloudformation", "CreateStack", input).unwrap_err();
    format!("{}\n{}", fault.message, fault.hint.unwrap_or_default())
}

#[test]
fn properties_that_a_type_does_not_have_are_refused_before_anything_is_made() {
    let mut harness = Harness::new(super::services, super::ports()).unwrap();
    let mut check = |type_name: &str, properties: Json, expected: Expect| {
        let before = harness.rows().len();
        expected.assert_eq(&refusal(&mut harness, type_name, &properties));
        assert_eq!(harness.rows().len(), before);
    };
    check(
        "AWS::ECS::Cluster",
        json!({"clusterName": "c", "Settings": []}),
        expect![[r#"
        Properties validation failed for resource It with message:
        [#: extraneous key [clusterName] is not permitted, #: extraneous key [Settings] is not permitted]
        line 14:9, `Resources.It.Properties.clusterName` is no property of AWS::ECS::Cluster: did you mean `ClusterName`?; line 15:9, `Resources.It.Properties.Settings` is no property of AWS::ECS::Cluster"#]],
    );
    check(
        "AWS::ECS::TaskDefinition",
        json!({"NetworkModes": "awsvpc"}),
        expect![[r#"
        Properties validation failed for resource It with message:
        [#: extraneous key [NetworkModes] is not permitted]
        line 14:9, `Resources.It.Properties.NetworkModes` is no property of AWS::ECS::TaskDefinition: did you mean `NetworkMode`?"#]],
    );
    let definition = json!({"ContainerDefinitions": [{"Name": "c", "Image": "i", "portMappings": []}]});
    check(
        "AWS::ECS::TaskDefinition",
        definition,
        expect![[r#"
        Properties validation failed for resource It with message:
        [#/ContainerDefinitions/0: extraneous key [portMappings] is not permitted]
        line 18:13, `Resources.It.Properties.ContainerDefinitions[0].portMappings` is no property of AWS::ECS::TaskDefinition: did you mean `PortMappings`?"#]],
    );
    check(
        "AWS::ECS::TaskDefinition",
        json!({"ContainerDefinitions": [{"Image": "i", "Secrets": [{"Name": {"Ref": "AWS::NoValue"}}]}]}),
        expect![[r#"
            Properties validation failed for resource It with message:
            [#/ContainerDefinitions/0: required key [Name] not found, #/ContainerDefinitions/0/Secrets/0: required key [Name] not found, #/ContainerDefinitions/0/Secrets/0: required key [ValueFrom] not found]
            line 15:11, `Resources.It.Properties.ContainerDefinitions[0]` must have `Name`; line 18:15, `Resources.It.Properties.ContainerDefinitions[0].Secrets[0]` must have `Name`; line 18:15, `Resources.It.Properties.ContainerDefinitions[0].Secrets[0]` must have `ValueFrom`"#]],
    );
    check(
        "AWS::IAM::Role",
        json!({"AssumeRolePolicyDocument": {}, "Rolename": "x"}),
        expect![[r#"
        Properties validation failed for resource It with message:
        [#: extraneous key [Rolename] is not permitted]
        line 15:9, `Resources.It.Properties.Rolename` is no property of AWS::IAM::Role: did you mean `RoleName`?"#]],
    );
    check(
        "AWS::Lambda::Function",
        json!({"Code": {}, "Memory": 1}),
        expect![[r#"
        Properties validation failed for resource It with message:
        [#: required key [Role] not found, #: extraneous key [Memory] is not permitted]
        line 13:7, `Resources.It.Properties` must have `Role`; line 15:9, `Resources.It.Properties.Memory` is no property of AWS::Lambda::Function"#]],
    );
    let chosen = json!({"Volumes": {"Fn::If": ["C", [{"EFSVolumeConfiguration": {"FileSystemId": "f"}}], {"Ref": "AWS::NoValue"}]}});
    check(
        "AWS::ECS::TaskDefinition",
        chosen,
        expect![[r#"
            Properties validation failed for resource It with message:
            [#/Volumes/0/EFSVolumeConfiguration: required key [FilesystemId] not found, #/Volumes/0/EFSVolumeConfiguration: extraneous key [FileSystemId] is not permitted]
            line 14:9, `Resources.It.Properties.Volumes[0].EFSVolumeConfiguration` must have `FilesystemId`; line 14:9, `Resources.It.Properties.Volumes[0].EFSVolumeConfiguration.FileSystemId` is no property of AWS::ECS::TaskDefinition: did you mean `FilesystemId`?"#]],
    );
}

/// A template with properties that operations name otherwise or do not take.
#[test]
fn names_of_cloudformation_reach_the_operations_under_theirs() {
    let mut world = World::new();
    let target = json!({"Id": "t", "Arn": "arn:aws:ecs:eu-west-1:000000000000:cluster/c", "RoleArn": "$Role.Arn", "EcsParameters": {
        "TaskDefinitionArn": "arn:aws:ecs:eu-west-1:000000000000:task-definition/f", "TagList": [{"Key": "k", "Value": "v"}],
        "LaunchType": "FARGATE", "NetworkConfiguration": {"AwsVpcConfiguration": {"Subnets": ["$Subnet"]}}}});
    let resources = world.fill(&json!({
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": "r", "EventPattern": {"source": ["a"]}, "Targets": [target]}},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "b", "Policy": {"Version": "2012-10-17", "Statement": []}}},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "s", "Type": "t"}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"MultiRegion": false}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": "$Vpc", "CidrBlock": "10.0.8.0/24", "EnableDns64": true}},
    }));
    let input = json!({"StackName": "names", "TemplateBody": json!({"Resources": resources}).to_string()});
    world.harness.call("cloudformation", "CreateStack", input).unwrap();
    world.harness.pass(10_000);
    let (status, reasons) = outcome(&mut world.harness, "names");
    assert_eq!(status, "CREATE_COMPLETE", "{reasons}");
    let targets = world.harness.call("events", "ListTargetsByRule", json!({"Rule": "r"})).unwrap();
    assert_eq!(targets["Targets"][0]["EcsParameters"]["Tags"], json!([{"Key": "k", "Value": "v"}]));
    let told = world.harness.notices.iter().filter(|it| it.text.contains("is recorded; not acted on"));
    let told: Vec<_> = told.map(|it| format!("{}: {}", it.subject, it.text)).collect();
    expect![[r#"
        Bus AWS::Events::EventBus: `Policy` is recorded; not acted on
        Secret AWS::SecretsManager::Secret: `Type` is recorded; not acted on
        Subnet AWS::EC2::Subnet: `EnableDns64` is recorded; not acted on"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn what_a_caller_is_denied_no_stack_does_for_them() {
    let mut world = World::new();
    let root = world.harness.principal.clone();
    let mut denied: BTreeMap<&str, Principal> = BTreeMap::new();
    for case in cases() {
        if !denied.contains_key(case.service) {
            let principal = world.denied(case.service);
            denied.insert(case.service, principal);
        }
        let nobody = denied[case.service].clone();
        let is_denied = |reasons: &str| reasons.contains("with an explicit deny") && reasons.contains(case.service);
        let name = case.type_name.replace("::", "-");

        world.harness.principal = nobody.clone();
        let before = world.rows();
        let (status, reasons) = world.stack("CreateStack", &format!("{name}-denied"), &case, &case.made);
        assert!(status == "ROLLBACK_COMPLETE" && is_denied(&reasons), "create {}: {status} {reasons}", case.type_name);
        assert_eq!(world.rows(), before, "create {}", case.type_name);

        world.harness.principal = root.clone();
        let (status, reasons) = world.stack("CreateStack", &name, &case, &case.made);
        assert_eq!(status, "CREATE_COMPLETE", "{}: {reasons}", case.type_name);

        world.harness.principal = nobody.clone();
        let before = world.rows();
        let (status, reasons) = world.stack("UpdateStack", &name, &case, &case.changed);
        assert!(is_denied(&reasons), "update {}: {status} {reasons}", case.type_name);
        assert_eq!(world.rows(), before, "update {}", case.type_name);

        world.harness.principal = root.clone();
        if status == "UPDATE_ROLLBACK_COMPLETE" {
            let (status, reasons) = world.stack("UpdateStack", &name, &case, &case.changed);
            assert_eq!(status, "UPDATE_COMPLETE", "{}: {reasons}", case.type_name);
        }

        world.harness.principal = nobody;
        let before = world.rows();
        let (status, reasons) = world.delete(&name);
        assert!(status == "DELETE_FAILED" && is_denied(&reasons), "delete {}: {status} {reasons}", case.type_name);
        assert_eq!(world.rows(), before, "delete {}", case.type_name);

        world.harness.principal = root.clone();
        let (status, reasons) = world.delete(&name);
        assert_eq!(status, "DELETE_COMPLETE", "{}: {reasons}", case.type_name);
    }
}

#[test]
fn a_stack_that_fails_leaves_what_others_made_as_it_is() {
    let mut world = World::new();
    for case in cases() {
        let name = case.type_name.replace("::", "-");
        let (status, reasons) = world.stack("CreateStack", &name, &case, &case.made);
        assert_eq!(status, "CREATE_COMPLETE", "{}: {reasons}", case.type_name);
        let before = world.rows();

        // The same once more, and something beside it that cannot be made.
        let resources = json!({
            "It": {"Type": case.type_name, "Properties": world.fill(&case.made)},
            "Bad": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "a name!"}, "DependsOn": "It"},
        });
        let template = json!({"Resources": resources}).to_string();
        let second = format!("{name}-second");
        let input = json!({"StackName": second, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
        world.harness.call("cloudformation", "CreateStack", input).unwrap();
        world.harness.pass(200_000);
        let (status, reasons) = outcome(&mut world.harness, &second);
        assert_eq!(status, "ROLLBACK_COMPLETE", "{}: {reasons}", case.type_name);
        if case.is_named {
            // What a subnet cannot have twice is a part of its VPC's addresses.
            let is_refused = ["AlreadyExists", "conflicts with another subnet"].iter().any(|why| reasons.contains(why));
            assert!(is_refused, "{}: {reasons}", case.type_name);
            assert_eq!(world.rows(), before, "{}", case.type_name);
        }
        let lost: Vec<_> = before.iter().filter(|row| !world.rows().contains(row)).map(|row| &row.key).collect();
        // What counts how often something was made counts on.
        let lost: Vec<_> = lost.into_iter().filter(|key| !key.ends_with("/f") || case.service != "ecs").collect();
        assert_eq!(lost, Vec::<&String>::new(), "{}", case.type_name);

        let (status, reasons) = world.delete(&name);
        assert_eq!(status, "DELETE_COMPLETE", "{}: {reasons}", case.type_name);
    }
}
