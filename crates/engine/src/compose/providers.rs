//! Custom resources of the CDK: what its provider functions do is done, as their roles.

use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

/// Logical ids of the functions that the CDK brings, as `aws-cdk-lib` 2.276.0 writes them.
pub(super) const OF_SDK_CALL: &str = "AWS679f53fac002430cb0da5b7982bd22872D164C4C";
pub(super) const OF_LOG_RETENTION: &str = "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8aFD4BFC8A";
pub(super) const OF_WRITER: &str = "CustomCrossRegionExportWriterCustomResourceProviderHandlerD8786E8A";
pub(super) const OF_READER: &str = "CustomCrossRegionExportReaderCustomResourceProviderHandler46647B68";
pub(super) const PROVIDERS: [&str; 4] = [OF_SDK_CALL, OF_LOG_RETENTION, OF_WRITER, OF_READER];

/// The logical id of the function that serves resources of a type; calls of the SDK have any type.
fn function_of(type_name: &str) -> &'static str {
    match type_name {
        "Custom::LogRetention" => OF_LOG_RETENTION,
        "Custom::CrossRegionExportWriter" => OF_WRITER,
        "Custom::CrossRegionExportReader" => OF_READER,
        _ => OF_SDK_CALL,
    }
}

/// A function of this logical id and its role, which may do this.
fn provider(actions: &[&str], function: &str) -> Json {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let allow =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    json!({
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": "Inline", "PolicyDocument": allow}]}},
        function: {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": "x"}}},
    })
}

/// A stack with a provider, and a custom resource that it serves; its outputs are the attributes that are asked for.
fn template(actions: &[&str], type_name: &str, properties: &Json, attributes: &[&str]) -> String {
    template_with(function_of(type_name), actions, type_name, properties, attributes)
}

/// The same with a function of another logical id.
fn template_with(function: &str, actions: &[&str], type_name: &str, properties: &Json, attributes: &[&str]) -> String {
    let mut resources = provider(actions, function);
    let mut properties = properties.clone();
    properties["ServiceToken"] = json!({"Fn::GetAtt": [function, "Arn"]});
    resources["It"] = json!({"Type": type_name, "Properties": properties});
    let output = |(at, name): (usize, &&str)| (format!("A{at}"), json!({"Value": {"Fn::GetAtt": ["It", name]}}));
    let mut outputs: serde_json::Map<String, Json> = attributes.iter().enumerate().map(output).collect();
    outputs.insert("Id".to_owned(), json!({"Value": {"Ref": "It"}}));
    json!({"Resources": resources, "Outputs": outputs}).to_string()
}

fn engine() -> Harness {
    Harness::new(super::services, super::ports()).unwrap()
}

/// Makes or changes the stack `s`; answers its status, the first reason of a failure and its outputs.
fn deploy(harness: &mut Harness, operation: &str, template: &str) -> (String, String, Vec<String>) {
    let input = json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
    harness.call("cloudformation", operation, input).unwrap();
    harness.pass(10_000);
    let stack =
        harness.call("cloudformation", "DescribeStacks", json!({"StackName": "s"})).unwrap()["Stacks"][0].clone();
    let events = harness.call("cloudformation", "DescribeStackEvents", json!({"StackName": "s"})).unwrap();
    let failed = events["StackEvents"].as_array().unwrap().iter().rfind(|event| {
        event["ResourceStatus"].as_str().unwrap().ends_with("_FAILED") && event["LogicalResourceId"] == "It"
    });
    let reason = failed.and_then(|event| event["ResourceStatusReason"].as_str()).unwrap_or_default().to_owned();
    let outputs = stack["Outputs"].as_array().cloned().unwrap_or_default();
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    (text(&stack["StackStatus"]), reason, outputs.iter().map(|output| text(&output["OutputValue"])).collect())
}

fn delete(harness: &mut Harness) {
    harness.call("cloudformation", "DeleteStack", json!({"StackName": "s"})).unwrap();
    harness.pass(10_000);
    assert!(harness.call("cloudformation", "DescribeStacks", json!({"StackName": "s"})).is_err());
}

/// The values of parameters in a region; one that is not there is absent.
fn parameters(harness: &mut Harness, region: &str, names: &[&str]) -> Vec<String> {
    let before = harness.scope.clone();
    harness.scope = neargate_base::Scope::new(before.account.as_str(), region);
    let found = harness.call("ssm", "GetParameters", json!({"Names": names})).unwrap();
    harness.scope = before;
    let found = found["Parameters"].as_array().cloned().unwrap_or_default();
    found.iter().map(|it| format!("{}={}", it["Name"].as_str().unwrap(), it["Value"].as_str().unwrap())).collect()
}

#[test]
fn exports_are_written_to_the_other_region_and_gone_with_their_stack() {
    let mut harness = engine();
    let actions = ["ssm:PutParameter", "ssm:DeleteParameters", "ssm:GetParameters"];
    let with = |exports: Json| {
        let properties = json!({"WriterProps": {"region": "us-west-2", "exports": exports}});
        template(&actions, "Custom::CrossRegionExportWriter", &properties, &[])
    };
    let all = ["/cdk/exports/S/a", "/cdk/exports/S/b", "/cdk/exports/S/c"];
    let (status, reason, _) =
        deploy(&mut harness, "CreateStack", &with(json!({"/cdk/exports/S/a": "1", "/cdk/exports/S/b": 2})));
    assert_eq!(status, "CREATE_COMPLETE", "{reason}");
    assert_eq!(parameters(&mut harness, "us-west-2", &all), ["/cdk/exports/S/a=1", "/cdk/exports/S/b=2"]);
    let own = harness.scope.region.to_string();
    assert_eq!(parameters(&mut harness, &own, &all), Vec::<String>::new());
    let (status, reason, _) =
        deploy(&mut harness, "UpdateStack", &with(json!({"/cdk/exports/S/b": "2", "/cdk/exports/S/c": "3"})));
    assert_eq!(status, "UPDATE_COMPLETE", "{reason}");
    assert_eq!(parameters(&mut harness, "us-west-2", &all), ["/cdk/exports/S/b=2", "/cdk/exports/S/c=3"]);
    delete(&mut harness);
    assert_eq!(parameters(&mut harness, "us-west-2", &all), Vec::<String>::new());
}

#[test]
fn a_provider_does_only_what_its_role_may() {
    let mut harness = engine();
    let properties = json!({"WriterProps": {"region": "us-west-2", "exports": {"/cdk/exports/S/a": "1"}}});
    let denied = template(&["ssm:GetParameters"], "Custom::CrossRegionExportWriter", &properties, &[]);
    let (status, reason, _) = deploy(&mut harness, "CreateStack", &denied);
    assert_eq!(status, "ROLLBACK_COMPLETE");
    assert!(reason.contains("assumed-role/s-Role-") && reason.contains("ssm:PutParameter"), "{reason}");
    // One that is no function here does nothing.
    let mut template: Json = serde_json::from_str(&denied).unwrap();
    template["Resources"]["It"]["Properties"]["ServiceToken"] = json!("arn:aws:sns:eu-west-1:000000000000:topic");
    delete(&mut harness);
    let (status, reason, _) = deploy(&mut harness, "CreateStack", &template.to_string());
    assert!(status == "ROLLBACK_COMPLETE" && reason.contains("Function not found"), "{status} {reason}");
}

/// Properties with which a resource of each type would make the parameter or the log group `/by/it`.
fn that_make_something() -> [(&'static str, Json); 5] {
    let call = call("SSM", "putParameter", json!({"Name": "/by/it", "Value": "v", "Type": "String"}), json!({}));
    let call = json!({"Create": call, "InstallLatestAwsSdk": false});
    [
        ("Custom::AWS", call.clone()),
        ("Custom::OfMine", call),
        ("Custom::LogRetention", json!({"LogGroupName": "/by/it", "RetentionInDays": 3})),
        (
            "Custom::CrossRegionExportWriter",
            json!({"WriterProps": {"region": "eu-west-1", "exports": {"/by/it": "v"}}}),
        ),
        (
            "Custom::CrossRegionExportReader",
            json!({"ReaderProps": {"region": "eu-west-1", "prefix": "S", "imports": {"/by/it": "v"}}}),
        ),
    ]
}

#[test]
fn the_role_of_another_function_is_not_acted_as() {
    let mut harness = engine();
    harness.scope = neargate_base::Scope::new(harness.scope.account.as_str(), "eu-west-1");
    let put = json!({"Name": "/by/nobody", "Value": "v", "Type": "String"});
    harness.call("ssm", "PutParameter", put).unwrap();
    let mut check = |type_name: &str, template: &str| {
        let before = (parameters(&mut harness, "eu-west-1", &["/by/it", "/by/nobody"]), groups(&mut harness));
        let (status, reason, _) = deploy(&mut harness, "CreateStack", template);
        assert_eq!(status, "ROLLBACK_COMPLETE", "{type_name}");
        let not_served = "nothing serves this custom resource: arn:aws:lambda:eu-west-1:000000000000:function:";
        assert!(reason.contains(not_served), "{type_name}: {reason}");
        let after = (parameters(&mut harness, "eu-west-1", &["/by/it", "/by/nobody"]), groups(&mut harness));
        assert_eq!(after, before, "{type_name}");
        delete(&mut harness);
    };
    for (type_name, properties) in that_make_something() {
        let others = PROVIDERS.into_iter().filter(|id| *id != function_of(type_name));
        for function in others.chain(["Function", "SeedDb", "AWS679f53fac0", "LogRetention"]) {
            check(type_name, &template_with(function, &["*"], type_name, &properties, &[]));
        }
        // A caller's tag does not make it one of the CDK's, nor do its properties.
        let mut tagged: Json =
            serde_json::from_str(&template_with("SeedDb", &["*"], type_name, &properties, &[])).unwrap();
        let id = function_of(type_name);
        tagged["Resources"]["SeedDb"]["Properties"]["FunctionName"] = json!("seed-db");
        tagged["Resources"]["SeedDb"]["Properties"]["Handler"] = json!(id);
        tagged["Resources"]["SeedDb"]["Properties"]["Tags"] = json!([{"Key": "logical-id", "Value": id}]);
        check(type_name, &tagged.to_string());
    }
}

#[test]
fn a_function_that_a_caller_made_is_not_acted_as() {
    let mut harness = engine();
    harness.scope = neargate_base::Scope::new(harness.scope.account.as_str(), "eu-west-1");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let role = json!({"RoleName": "admin", "AssumeRolePolicyDocument": trust.to_string()});
    harness.call("iam", "CreateRole", role).unwrap();
    let policy = json!({"RoleName": "admin", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    harness.call("iam", "AttachRolePolicy", policy).unwrap();
    let function = json!({"FunctionName": "seed-db", "Role": "arn:aws:iam::000000000000:role/admin",
        "Runtime": "nodejs22.x", "Handler": "index.handler", "Code": {"ZipFile": "eA=="}});
    harness.call("lambda", "CreateFunction", function).unwrap();
    for (type_name, mut properties) in that_make_something() {
        properties["ServiceToken"] = json!("arn:aws:lambda:eu-west-1:000000000000:function:seed-db");
        let template = json!({"Resources": {"It": {"Type": type_name, "Properties": properties}}}).to_string();
        let (status, reason, _) = deploy(&mut harness, "CreateStack", &template);
        assert_eq!(status, "ROLLBACK_COMPLETE", "{type_name}");
        assert!(reason.contains("function:seed-db is not the function of the CDK"), "{type_name}: {reason}");
        assert_eq!(parameters(&mut harness, "eu-west-1", &["/by/it"]), Vec::<String>::new(), "{type_name}");
        delete(&mut harness);
    }
}

#[test]
fn imports_are_marked_answered_and_released() {
    let mut harness = engine();
    let put = json!({"Name": "/cdk/exports/S/a", "Value": "v", "Type": "String"});
    harness.call("ssm", "PutParameter", put).unwrap();
    let region = harness.scope.region.to_string();
    let properties = json!({"ReaderProps": {"region": region, "prefix": "S",
        "imports": {"/cdk/exports/S/a": "{{resolve:ssm:/cdk/exports/S/a}}"}}});
    let actions = ["ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"];
    let template = template(&actions, "Custom::CrossRegionExportReader", &properties, &["/cdk/exports/S/a"]);
    let (status, reason, outputs) = deploy(&mut harness, "CreateStack", &template);
    assert_eq!((status.as_str(), outputs.first().map(String::as_str)), ("CREATE_COMPLETE", Some("v")), "{reason}");
    let tags = |harness: &mut Harness| {
        let asked = json!({"ResourceType": "Parameter", "ResourceId": "/cdk/exports/S/a"});
        harness.call("ssm", "ListTagsForResource", asked).unwrap()["TagList"].clone()
    };
    assert_eq!(tags(&mut harness), json!([{"Key": "aws-cdk:strong-ref:S", "Value": "true"}]));
    delete(&mut harness);
    assert_eq!(tags(&mut harness).as_array().map_or(0, Vec::len), 0);
}

/// The log groups, and for how many days they are kept.
fn groups(harness: &mut Harness) -> Vec<(String, Option<i64>)> {
    let groups = harness.call("logs", "DescribeLogGroups", json!({})).unwrap()["logGroups"].clone();
    let days = |group: &Json| (group["logGroupName"].as_str().unwrap().to_owned(), group["retentionInDays"].as_i64());
    groups.as_array().unwrap().iter().map(days).collect()
}

#[test]
fn log_groups_are_kept_for_as_long_as_is_said() {
    let mut harness = engine();
    let actions =
        ["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy", "logs:DeleteLogGroup"];
    let with = |more: Json| {
        let mut properties = json!({"LogGroupName": "/kept"});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        template(&actions, "Custom::LogRetention", &properties, &["LogGroupName"])
    };
    let (status, reason, outputs) = deploy(&mut harness, "CreateStack", &with(json!({"RetentionInDays": 3})));
    assert_eq!((status.as_str(), outputs.join(" ").as_str()), ("CREATE_COMPLETE", "/kept /kept"), "{reason}");
    let made = groups(&mut harness);
    assert!(made.iter().any(|it| it.0.starts_with("/aws/lambda/s-LogRetentionaae0") && it.1 == Some(1)), "{made:?}");
    assert!(made.contains(&("/kept".to_owned(), Some(3))), "{made:?}");
    let (status, reason, _) = deploy(&mut harness, "UpdateStack", &with(json!({"RemovalPolicy": "destroy"})));
    assert_eq!(status, "UPDATE_COMPLETE", "{reason}");
    assert!(groups(&mut harness).contains(&("/kept".to_owned(), None)));
    delete(&mut harness);
    assert!(!groups(&mut harness).iter().any(|it| it.0 == "/kept"));
}

fn call(service: &str, action: &str, parameters: Json, more: Json) -> String {
    let mut call = json!({"service": service, "action": action, "parameters": parameters});
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call.to_string()
}

#[test]
fn calls_of_the_sdk_are_made() {
    let mut harness = engine();
    let actions = ["ssm:PutParameter", "ssm:GetParameter", "ssm:DeleteParameter", "logs:DeleteLogGroup"];
    let name = json!({"Name": "/by/call"});
    let put = |value: &str| {
        let parameters = json!({"Name": "/by/call", "Value": value, "Type": "String", "Overwrite": "true"});
        call("SSM", "putParameter", parameters, json!({"physicalResourceId": {"responsePath": "Tier"}}))
    };
    let get = call(
        "@aws-sdk/client-ssm",
        "GetParameterCommand",
        name.clone(),
        json!({"outputPaths": ["Parameter.V"], "region": "eu-west-1"}),
    );
    let gone = call("SSM", "deleteParameter", name, json!({}));
    harness.scope = neargate_base::Scope::new(harness.scope.account.as_str(), "eu-west-1");
    let with = |create: &str, update: &str, attributes: &[&str]| {
        let properties = json!({"Create": create, "Update": update, "Delete": gone, "InstallLatestAwsSdk": false});
        // Under a name of its user's own it is one all the same.
        template(&actions, "Custom::OfMine", &properties, attributes)
    };
    let (status, reason, outputs) = deploy(&mut harness, "CreateStack", &with(&put("1"), "", &["Version", "region"]));
    assert_eq!((status.as_str(), outputs.join(" ").as_str()), ("CREATE_COMPLETE", "1 eu-west-1 Standard"), "{reason}");
    assert_eq!(parameters(&mut harness, "eu-west-1", &["/by/call"]), ["/by/call=1"]);
    let (status, reason, _) = deploy(&mut harness, "UpdateStack", &with(&put("1"), &put("2"), &[]));
    assert_eq!(status, "UPDATE_COMPLETE", "{reason}");
    assert_eq!(parameters(&mut harness, "eu-west-1", &["/by/call"]), ["/by/call=2"]);
    let (status, reason, outputs) =
        deploy(&mut harness, "UpdateStack", &with(&put("1"), &get, &["Parameter.Value", "Parameter.Version"]));
    assert_eq!((status.as_str(), outputs.join(" ").as_str()), ("UPDATE_COMPLETE", "2 2 Standard"), "{reason}");
    delete(&mut harness);
    assert_eq!(parameters(&mut harness, "eu-west-1", &["/by/call"]), Vec::<String>::new());
    // What fails fails the resource, or not where it was to be expected.
    for (pattern, expected) in [("^ParameterNot", "CREATE_COMPLETE"), ("Other$", "ROLLBACK_COMPLETE")] {
        let more = json!({"ignoreErrorCodesMatching": pattern, "physicalResourceId": {"id": "call-3"}});
        let properties =
            json!({"Create": call("SSM", "getParameter", json!({"Name": "none"}), more), "InstallLatestAwsSdk": true});
        let (status, reason, _) =
            deploy(&mut harness, "CreateStack", &template(&actions, "Custom::AWS", &properties, &[]));
        assert_eq!(status, expected, "{pattern}: {reason}");
        delete(&mut harness);
    }
}

#[test]
fn what_nothing_serves_is_refused_before_anything_is_made() {
    let mut harness = engine();
    let before = harness.rows().len();
    let mut check = |type_name: &str, properties: Json, expected: &str| {
        let template = template(&["s3:*"], type_name, &properties, &[]);
        let input = json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
        let fault = harness.call("cloudformation", "CreateStack", input).unwrap_err();
        let told = format!("{} {}", fault.message, fault.hint.unwrap_or_default());
        assert!(told.contains(expected), "{type_name}: {told}");
        assert_eq!(harness.rows().len(), before, "{type_name}");
    };
    let not_served = "functions are not run, so nothing serves this custom resource";
    for type_name in ["Custom::S3AutoDeleteObjects", "Custom::OfMine", "AWS::CloudFormation::CustomResource"] {
        check(type_name, json!({"BucketName": "b"}), not_served);
    }
    let call = |text: Json| json!({"Create": text, "InstallLatestAwsSdk": false});
    let whole = json!(r#"{"service":"S3","action":"putObject","parameters":{}}"#);
    check("Custom::AWS", call(whole.clone()), "calls `putObject` of `S3`, which is not here");
    check("Custom::OfMine", call(whole), "calls `putObject` of `S3`, which is not here");
    let joined = json!({"Fn::Join": ["", [r#"{"service":"SSM","action":"noSuchThing","parameters":{"Name":""#, {"Ref": "Role"}, r#""}}"#]]});
    check("Custom::AWS", call(joined), "calls `noSuchThing` of `SSM`, which is not here");
    let other =
        json!(r#"{"service":"SSM","action":"getParameter","assumedRoleArn":"arn:aws:iam::000000000000:role/r"}"#);
    check("Custom::AWS", call(other), "calls with another role are not made");
}
