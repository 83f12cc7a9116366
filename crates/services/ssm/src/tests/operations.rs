use expect_test::expect;
use serde_json::json;

use super::World;

#[test]
fn a_parameter_has_versions() {
    let calls = r#"
        PutParameter {"Name": "/app/url", "Value": "a", "Type": "String", "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]}
        PutParameter {"Name": "/app/url", "Value": "b"}
        PutParameter {"Name": "/app/url", "Value": "b", "Overwrite": true}
        GetParameter {"Name": "/app/url"}
        GetParameter {"Name": "/app/url:1", "WithDecryption": true}
        GetParameter {"Name": "arn:aws:ssm:us-east-1:000000000000:parameter/app/url:2"}
        GetParameter {"Name": "/app/url:3"}
        GetParameter {"Name": "/app/url:prod"}
        GetParameterHistory {"Name": "/app/url", "MaxResults": 1}
        GetParameterHistory {"Name": "/app/url", "NextToken": "1"}
        GetParameters {"Names": ["/app/url:1", "/app/none", "/app/url"]}
        DeleteParameter {"Name": "/app/url"}
        GetParameter {"Name": "/app/url"}
        GetParameter {"Name": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"}
        ! PutParameter {"Name": "/app/url", "Value": "c", "Type": "StringList"}
        GetParameterHistory {"Name": "/app/url"}
    "#;
    expect![[r#"
        PutParameter {"Name": "/app/url", "Value": "a", "Type": "String", "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]}
          {"Version":1,"Tier":"Standard"}
        PutParameter {"Name": "/app/url", "Value": "b"}
          400 ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true.
        PutParameter {"Name": "/app/url", "Value": "b", "Overwrite": true}
          {"Version":2,"Tier":"Standard"}
        GetParameter {"Name": "/app/url"}
          {"Parameter":{"Name":"/app/url","Type":"String","Value":"b","Version":2,"LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/app/url","DataType":"text"}}
        GetParameter {"Name": "/app/url:1", "WithDecryption": true}
          {"Parameter":{"Name":"/app/url","Type":"String","Value":"a","Version":1,"Selector":":1","LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/app/url","DataType":"text"}}
        GetParameter {"Name": "arn:aws:ssm:us-east-1:000000000000:parameter/app/url:2"}
          {"Parameter":{"Name":"/app/url","Type":"String","Value":"b","Version":2,"Selector":":2","LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/app/url","DataType":"text"}}
        GetParameter {"Name": "/app/url:3"}
          400 ParameterVersionNotFound: Systems Manager could not find version 3 of /app/url. Verify the version and try again.
        GetParameter {"Name": "/app/url:prod"}
          400 ParameterVersionNotFound: Systems Manager could not find the label prod for /app/url. Verify the label and try again.
        GetParameterHistory {"Name": "/app/url", "MaxResults": 1}
          {"Parameters":[{"Name":"/app/url","Type":"String","LastModifiedDate":1800000000,"LastModifiedUser":"arn:aws:iam::000000000000:root","Description":"d","Value":"a","Version":1,"Labels":[],"Tier":"Standard","DataType":"text"}],"NextToken":"1"}
        GetParameterHistory {"Name": "/app/url", "NextToken": "1"}
          {"Parameters":[{"Name":"/app/url","Type":"String","LastModifiedDate":1800000000,"LastModifiedUser":"arn:aws:iam::000000000000:root","Description":"d","Value":"b","Version":2,"Labels":[],"Tier":"Standard","DataType":"text"}]}
        GetParameters {"Names": ["/app/url:1", "/app/none", "/app/url"]}
          {"Parameters":[{"Name":"/app/url","Type":"String","Value":"a","Version":1,"Selector":":1","LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/app/url","DataType":"text"},{"Name":"/app/url","Type":"String","Value":"b","Version":2,"LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/app/url","DataType":"text"}],"InvalidParameters":["/app/none"]}
        DeleteParameter {"Name": "/app/url"}
          {}
        GetParameter {"Name": "/app/url"}
          400 ParameterNotFound: 
          hint: no parameter `/app/url` in this account and region
        GetParameter {"Name": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"}
          400 ParameterNotFound: 
          hint: `/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended` is a public parameter of AWS; Neargate has those that `[fixtures.ssm]` provides
        GetParameterHistory {"Name": "/app/url"}
          {"Parameters":[{"Name":"/app/url","Type":"StringList","LastModifiedDate":1800000000,"LastModifiedUser":"arn:aws:iam::000000000000:root","Value":"c","Version":1,"Labels":[],"Tier":"Standard","DataType":"text"}]}
    "#]].assert_eq(&World::new().play(calls));
}

#[test]
fn what_put_parameter_refuses() {
    let calls = r#"
        PutParameter {"Name": "a/b", "Value": "a", "Type": "String"}
        PutParameter {"Name": "/aws/x", "Value": "a", "Type": "String"}
        PutParameter {"Name": "ssm-x", "Value": "a", "Type": "String"}
        PutParameter {"Name": "a b", "Value": "a", "Type": "String"}
        PutParameter {"Name": "a", "Value": "", "Type": "String"}
        PutParameter {"Name": "a", "Value": "a"}
        PutParameter {"Name": "a", "Value": "a", "Type": "Text"}
        PutParameter {"Name": "a", "Value": "a", "Type": "String", "KeyId": "alias/aws/ssm"}
        PutParameter {"Name": "a", "Value": "a", "Type": "String", "DataType": "Text"}
        PutParameter {"Name": "a", "Value": "a", "Type": "String", "Overwrite": true, "Tags": [{"Key": "k", "Value": "v"}]}
        ! PutParameter {"Name": "a", "Value": "a", "Type": "String"}
        PutParameter {"Name": "a", "Value": "a", "Type": "StringList", "Overwrite": true}
        PutParameter {"Name": "/x/forbidden", "Value": "a", "Type": "String"}
        GetParametersByPath {"Path": "x"}
        GetParametersByPath {"Path": "/", "ParameterFilters": [{"Key": "Name", "Values": ["a"]}]}
        DescribeParameters {"ParameterFilters": [{"Key": "Size", "Values": ["a"]}]}
        DescribeParameters {"ParameterFilters": [{"Key": "Type", "Option": "Contains", "Values": ["a"]}]}
        DescribeParameters {"NextToken": "x"}
        AddTagsToResource {"ResourceType": "Document", "ResourceId": "a", "Tags": []}
        AddTagsToResource {"ResourceType": "Parameter", "ResourceId": "b", "Tags": []}
    "#;
    expect![[r#"
        PutParameter {"Name": "a/b", "Value": "a", "Type": "String"}
          400 ValidationException: Parameter name must be a fully qualified name.
        PutParameter {"Name": "/aws/x", "Value": "a", "Type": "String"}
          400 AccessDeniedException: No access to reserved parameter name: /aws/x.
        PutParameter {"Name": "ssm-x", "Value": "a", "Type": "String"}
          400 ValidationException: Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).
        PutParameter {"Name": "a b", "Value": "a", "Type": "String"}
          400 ValidationException: Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_
        PutParameter {"Name": "a", "Value": "", "Type": "String"}
          400 ValidationException: 1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.
        PutParameter {"Name": "a", "Value": "a"}
          400 ValidationException: A parameter type is required when you create a parameter.
        PutParameter {"Name": "a", "Value": "a", "Type": "Text"}
          400 ValidationException: 1 validation error detected: Value 'Text' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [String, StringList, SecureString]
        PutParameter {"Name": "a", "Value": "a", "Type": "String", "KeyId": "alias/aws/ssm"}
          400 ValidationException: KeyId is required for SecureString type parameter only.
        PutParameter {"Name": "a", "Value": "a", "Type": "String", "DataType": "Text"}
          400 ValidationException: The following data type is not supported: Text (Data type names are all lowercase.)
        PutParameter {"Name": "a", "Value": "a", "Type": "String", "Overwrite": true, "Tags": [{"Key": "k", "Value": "v"}]}
          400 ValidationException: Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.
        PutParameter {"Name": "a", "Value": "a", "Type": "StringList", "Overwrite": true}
          400 HierarchyTypeMismatchException: The parameter type can't be changed from String to StringList. Create a new parameter with a unique name.
        PutParameter {"Name": "/x/forbidden", "Value": "a", "Type": "String"}
          400 AccessDeniedException: User: arn:aws:iam::000000000000:root is not authorized to perform: ssm:PutParameter on resource: arn:aws:ssm:us-east-1:000000000000:parameter/x/forbidden because no identity-based policy allows the ssm:PutParameter action
          hint: no identity-based policy allows it
        GetParametersByPath {"Path": "x"}
          400 ValidationException: The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.
        GetParametersByPath {"Path": "/", "ParameterFilters": [{"Key": "Name", "Values": ["a"]}]}
          400 InvalidFilterKey: The filter key Name is not valid here.
        DescribeParameters {"ParameterFilters": [{"Key": "Size", "Values": ["a"]}]}
          400 ValidationException: 1 validation error detected: Value 'Size' at 'parameterFilters.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType)$
        DescribeParameters {"ParameterFilters": [{"Key": "Type", "Option": "Contains", "Values": ["a"]}]}
          400 InvalidFilterOption: The filter option Contains is not valid.
        DescribeParameters {"NextToken": "x"}
          400 InvalidNextToken: The specified token isn't valid.
        AddTagsToResource {"ResourceType": "Document", "ResourceId": "a", "Tags": []}
          501 NotImplemented: Neargate does not implement ssm:AddTagsToResource with ResourceType Document
        AddTagsToResource {"ResourceType": "Parameter", "ResourceId": "b", "Tags": []}
          400 InvalidResourceId: The resource ID is not valid. Verify that you entered the correct ID and try again.
    "#]].assert_eq(&World::new().play(calls));
}

#[test]
fn sizes_choose_tiers() {
    let world = &mut World::new();
    let mut put = |size: usize, tier: Option<&str>| {
        let input = json!({"Name": "a", "Value": "x".repeat(size), "Type": "String", "Overwrite": true, "Tier": tier});
        world.call("PutParameter", &input).map_or_else(|fault| fault.message, |answer| answer["Tier"].to_string())
    };
    assert_eq!(put(4096, None), "\"Standard\"");
    assert!(put(4097, None).starts_with("Standard tier parameters support"));
    assert_eq!(put(4097, Some("Intelligent-Tiering")), "\"Advanced\"");
    assert_eq!(put(1, None), "\"Advanced\"");
    assert!(put(1, Some("Standard")).contains("can't downgrade"));
    assert!(put(8193, Some("Advanced")).starts_with("Advanced tier parameters support"));
}

#[test]
fn a_hundred_versions_are_kept() {
    let world = &mut World::new();
    for round in 1..=103 {
        let input = json!({"Name": "a", "Value": round.to_string(), "Type": "String", "Overwrite": true});
        assert_eq!(world.call("PutParameter", &input).unwrap()["Version"], round);
    }
    let mut versions = vec![];
    for token in [None, Some("50")] {
        let page = world.call("GetParameterHistory", &json!({"Name": "a", "NextToken": token})).unwrap();
        versions.extend(page["Parameters"].as_array().unwrap().iter().map(|p| p["Version"].as_i64().unwrap()));
    }
    assert_eq!(versions, (4..=103).collect::<Vec<_>>());
    assert_eq!(world.call("GetParameter", &json!({"Name": "a:3"})).unwrap_err().code, "ParameterVersionNotFound");
    assert_eq!(world.call("GetParameter", &json!({"Name": "a:4"})).unwrap()["Parameter"]["Value"], "4");
}

#[test]
fn paths_and_filters_find_parameters() {
    let calls = r#"
        ! PutParameter {"Name": "plain", "Value": "1", "Type": "String"}
        ! PutParameter {"Name": "/a", "Value": "2", "Type": "StringList", "Tags": [{"Key": "stage", "Value": "dev"}]}
        ! PutParameter {"Name": "/a/b", "Value": "3", "Type": "String", "AllowedPattern": "^\\d$", "Policies": "[]", "Tier": "Advanced"}
        ! PutParameter {"Name": "/a/c", "Value": "4", "Type": "StringList", "DataType": "aws:ec2:image"}
        ! PutParameter {"Name": "/a/b/d", "Value": "5", "Type": "String"}
    "#;
    let world = &mut World::new();
    world.play(calls);
    let mut names = |operation: &str, input: serde_json::Value| {
        let answer = world.call(operation, &input).unwrap();
        let names: Vec<_> =
            answer["Parameters"].as_array().unwrap().iter().map(|p| p["Name"].as_str().unwrap()).collect();
        names.join(" ") + answer["NextToken"].as_str().map_or("", |_| " …")
    };
    let by_path = "GetParametersByPath";
    assert_eq!(names(by_path, json!({"Path": "/"})), "/a plain");
    assert_eq!(names(by_path, json!({"Path": "/a"})), "/a/b /a/c");
    assert_eq!(names(by_path, json!({"Path": "/a", "Recursive": true, "MaxResults": 2})), "/a/b /a/b/d …");
    assert_eq!(names(by_path, json!({"Path": "/a", "Recursive": true, "MaxResults": 2, "NextToken": "2"})), "/a/c");
    let lists = json!([{"Key": "Type", "Values": ["StringList"]}]);
    assert_eq!(names(by_path, json!({"Path": "/", "Recursive": true, "ParameterFilters": lists})), "/a /a/c");
    for (filter, expected) in [
        (json!({"Key": "Name", "Values": ["a"]}), "/a"),
        (json!({"Key": "Name", "Option": "BeginsWith", "Values": ["/a/b", "pl"]}), "/a/b /a/b/d plain"),
        (json!({"Key": "Name", "Option": "Contains", "Values": ["ai"]}), "plain"),
        (json!({"Key": "Path", "Values": ["/a"]}), "/a/b /a/c"),
        (json!({"Key": "Path", "Option": "Recursive", "Values": ["/a/b"]}), "/a/b/d"),
        (json!({"Key": "Tier", "Values": ["Advanced"]}), "/a/b"),
        (json!({"Key": "DataType", "Values": ["aws:ec2:image"]}), "/a/c"),
        (json!({"Key": "tag:stage"}), "/a"),
        (json!({"Key": "tag:stage", "Values": ["prod"]}), ""),
    ] {
        assert_eq!(names("DescribeParameters", json!({"ParameterFilters": [filter]})), expected, "{filter}");
    }
    assert_eq!(
        names("DescribeParameters", json!({"Filters": [{"Key": "Name", "Values": ["/a"]}]})),
        "/a /a/b /a/b/d /a/c"
    );
    assert_eq!(names("DescribeParameters", json!({"Shared": true})), "");
    expect![[r#"
        `AllowedPattern` is recorded; values are not checked against it
        `Policies` are recorded; parameters do not expire
        data type `aws:ec2:image` is recorded; values are not checked"#]]
    .assert_eq(&world.notices.join("\n"));
}

#[test]
fn tags_and_deletions_in_bulk() {
    let calls = r#"
        ! PutParameter {"Name": "a", "Value": "1", "Type": "String", "Tags": [{"Key": "x", "Value": "1"}]}
        ! AddTagsToResource {"ResourceType": "Parameter", "ResourceId": "a", "Tags": [{"Key": "x", "Value": "2"}, {"Key": "y", "Value": "3"}]}
        ! RemoveTagsFromResource {"ResourceType": "Parameter", "ResourceId": "a", "TagKeys": ["y", "z"]}
        ListTagsForResource {"ResourceType": "Parameter", "ResourceId": "a"}
        DeleteParameters {"Names": ["a", "b"]}
        DescribeParameters {}
    "#;
    expect![[r#"
        ListTagsForResource {"ResourceType": "Parameter", "ResourceId": "a"}
          {"TagList":[{"Key":"x","Value":"2"}]}
        DeleteParameters {"Names": ["a", "b"]}
          {"DeletedParameters":["a"],"InvalidParameters":["b"]}
        DescribeParameters {}
          {"Parameters":[]}
    "#]]
    .assert_eq(&World::new().play(calls));
}

#[test]
fn a_name_of_one_level_is_the_same_with_a_slash_and_without() {
    let calls = r#"
        PutParameter {"Name": "np", "Value": "a", "Type": "String"}
        PutParameter {"Name": "/np", "Value": "b", "Type": "String"}
        GetParameter {"Name": "/np"}
        PutParameter {"Name": "/np", "Value": "b", "Overwrite": true}
        GetParameter {"Name": "np"}
        GetParameter {"Name": "arn:aws:ssm:us-east-1:000000000000:parameter/np"}
        DeleteParameter {"Name": "/np"}
        GetParameter {"Name": "np"}
        PutParameter {"Name": "/a/b", "Value": "a", "Type": "String"}
        GetParameter {"Name": "a/b"}
    "#;
    expect![[r#"
        PutParameter {"Name": "np", "Value": "a", "Type": "String"}
          {"Version":1,"Tier":"Standard"}
        PutParameter {"Name": "/np", "Value": "b", "Type": "String"}
          400 ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true.
        GetParameter {"Name": "/np"}
          {"Parameter":{"Name":"np","Type":"String","Value":"a","Version":1,"LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/np","DataType":"text"}}
        PutParameter {"Name": "/np", "Value": "b", "Overwrite": true}
          {"Version":2,"Tier":"Standard"}
        GetParameter {"Name": "np"}
          {"Parameter":{"Name":"np","Type":"String","Value":"b","Version":2,"LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/np","DataType":"text"}}
        GetParameter {"Name": "arn:aws:ssm:us-east-1:000000000000:parameter/np"}
          {"Parameter":{"Name":"np","Type":"String","Value":"b","Version":2,"LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/np","DataType":"text"}}
        DeleteParameter {"Name": "/np"}
          {}
        GetParameter {"Name": "np"}
          400 ParameterNotFound: 
          hint: no parameter `np` in this account and region
        PutParameter {"Name": "/a/b", "Value": "a", "Type": "String"}
          {"Version":1,"Tier":"Standard"}
        GetParameter {"Name": "a/b"}
          400 ParameterNotFound: 
          hint: no parameter `a/b` in this account and region
    "#]].assert_eq(&World::new().play(calls));
}
