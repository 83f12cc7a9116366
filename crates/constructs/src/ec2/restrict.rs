//! Takes all rules out of a VPC's default security group, which AWS makes open within itself and to the outside.
//!
//! CloudFormation cannot do it, so a custom resource does, with a small Lambda function of our own that the assembly carries as an
//! asset. All VPCs of a stack share the function.

use std::cell::RefCell;
use std::rc::Rc;

use neargate_l1::{Json, Resource, TagStyle, Value, iam, lambda};

use crate::synth::asset::AssetSource;
use crate::{CfnResource, RemovalPolicy, Stack, UntypedResource, intrinsic};

const HANDLER: &[(&str, &str)] = &[("__entrypoint__.js", include_str!("restrict_default_security_group.js"))];
const RESOURCE_TYPE: &str = "Custom::VpcRestrictDefaultSG";
const ACTIONS: [&str; 4] = [
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupEgress",
];

/// The function of a stack, and the groups it may touch.
#[derive(Clone)]
struct Provider {
    handler: CfnResource,
    groups: Rc<RefCell<Vec<Value<String>>>>,
}

pub(super) fn restrict_default_security_group(vpc: &CfnResource, scope: &crate::Scope) {
    let stack = scope.stack();
    let group = vpc.attribute("DefaultSecurityGroup");
    let provider = provider(&stack);
    provider.groups.borrow_mut().push(group.clone());
    let properties = Json::map([
        ("ServiceToken", Json::from(provider.handler.attribute("Arn"))),
        ("DefaultSecurityGroupId", Json::from(group)),
        ("Account", Json::from(stack.account())),
    ]);
    let custom = scope.child("RestrictDefaultSecurityGroupCustomResource");
    let resource = UntypedResource { r#type: RESOURCE_TYPE.to_owned(), properties, tag_style: TagStyle::None };
    CfnResource::new(&custom, "Default", resource).apply_removal_policy(RemovalPolicy::Destroy);
}

fn provider(stack: &Stack) -> Provider {
    let id = format!("{RESOURCE_TYPE}CustomResourceProvider");
    if let Some(provider) = stack.try_find_child(&id).and_then(|scope| scope.construct::<Provider>()) {
        return provider;
    }
    let scope = stack.child(&id);
    let groups: Rc<RefCell<Vec<Value<String>>>> = Rc::default();
    let (place, touched) = (stack.clone(), Rc::clone(&groups));
    let role = CfnResource::lazy(&scope, "Role", move || Box::new(untagged(&role(&place, &touched.borrow()))));
    let name = format!("{} Code", scope.path());
    let (asset, bucket, key) = stack.add_file_asset(name, AssetSource::Embedded(HANDLER));
    let code = lambda::function::Code { s3_bucket: Some(bucket), s3_key: Some(key), ..Default::default() };
    let handler = lambda::Function {
        code: Some(code.into()),
        description: Some(
            "Lambda function for removing all inbound/outbound rules from the VPC default security group".into(),
        ),
        handler: Some("__entrypoint__.handler".into()),
        memory_size: Some(128.into()),
        role: Some(role.attribute("Arn")),
        runtime: Some("nodejs24.x".into()),
        timeout: Some(900.into()),
        ..Default::default()
    };
    let handler = CfnResource::new(&scope, "Handler", untagged(&handler));
    handler.add_depends_on(&role);
    handler.add_metadata("aws:asset:path", Json::from(asset.directory()));
    handler.add_metadata("aws:asset:property", Json::from("Code"));
    let provider = Provider { handler, groups };
    scope.register("neargate.ec2.RestrictDefaultSecurityGroupProvider", &provider);
    provider
}

/// Tags of the stack stay off what all its VPCs share, as they do in the CDK.
fn untagged(resource: &dyn Resource) -> UntypedResource {
    let properties = resource.to_json(&mut Vec::new());
    UntypedResource { r#type: resource.cfn_type().to_owned(), properties, tag_style: TagStyle::None }
}

/// The function's role. Its documents are written out here: it is the same in every stack, down to the order.
fn role(stack: &Stack, groups: &[Value<String>]) -> iam::Role {
    let version = || ("Version", Json::from("2012-10-17"));
    let trust = Json::map([
        ("Action", Json::from("sts:AssumeRole")),
        ("Effect", Json::from("Allow")),
        ("Principal", Json::map([("Service", Json::from("lambda.amazonaws.com"))])),
    ]);
    let statements = groups.iter().map(|group| {
        let arn = stack.format_arn("ec2", &format!("security-group/{group}"));
        Json::map([
            ("Effect", Json::from("Allow")),
            ("Action", Json::list(ACTIONS.map(Json::from))),
            ("Resource", Json::list([Json::from(arn)])),
        ])
    });
    let document = Json::map([version(), ("Statement", Json::list(statements))]);
    let policy = iam::role::Policy { policy_name: Some("Inline".into()), policy_document: Some(document) };
    let basic = intrinsic::sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
    iam::Role {
        assume_role_policy_document: Some(Json::map([version(), ("Statement", Json::list([trust]))])),
        managed_policy_arns: Some(vec![basic].into()),
        policies: Some(vec![policy.into()].into()),
        ..Default::default()
    }
}
