//! Capacity providers through the API and through a template's resource.

use expect_test::{Expect, expect};
use neargate_kernel::{Action, Fault, Progress, ResourceRequest, ResourceState};
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

fn harness() -> Harness {
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let definition = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{ "name": "app", "image": "app" }],
    });
    harness.call("ecs", "RegisterTaskDefinition", definition).unwrap();
    harness
}

fn associate(harness: &mut Harness, providers: Json, strategy: Json) -> Result<Json, Fault> {
    let input =
        json!({ "cluster": "default", "capacityProviders": providers, "defaultCapacityProviderStrategy": strategy });
    harness.call("ecs", "PutClusterCapacityProviders", input)
}

/// The providers of the tasks that this starts, or why it starts none.
fn run(harness: &mut Harness, more: Json) -> String {
    let mut input = json!({
        "taskDefinition": "app", "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    match harness.call("ecs", "RunTask", input) {
        Ok(output) => {
            let tasks = output["tasks"].as_array().unwrap().iter();
            let name = |task: &Json| {
                format!(
                    "{}/{}",
                    task["launchType"].as_str().unwrap(),
                    task["capacityProviderName"].as_str().unwrap_or("-")
                )
            };
            tasks.map(name).collect::<Vec<_>>().join(" ")
        }
        Err(fault) => format!("{fault}\nhint: {}", fault.hint.as_deref().unwrap_or("-")),
    }
}

fn strategy(items: &[(&str, i32)]) -> Json {
    items.iter().map(|(name, weight)| json!({ "capacityProvider": name, "weight": weight })).collect()
}

#[test]
fn a_task_goes_to_providers_of_its_cluster_only() {
    let mut harness = harness();
    let spot = json!({ "capacityProviderStrategy": strategy(&[("FARGATE_SPOT", 1)]) });
    expect![[r#"
        InvalidParameterException: The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.
        hint: the cluster has no capacity provider; associate `FARGATE_SPOT` with `AWS::ECS::ClusterCapacityProviderAssociations` (CDK: `enableFargateCapacityProviders`) or PutClusterCapacityProviders"#]].assert_eq(&run(&mut harness, spot.clone()));
    associate(&mut harness, json!(["FARGATE"]), json!([])).unwrap();
    expect![[r#"
        InvalidParameterException: The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.
        hint: the cluster has `FARGATE`; associate `FARGATE_SPOT` with `AWS::ECS::ClusterCapacityProviderAssociations` (CDK: `enableFargateCapacityProviders`) or PutClusterCapacityProviders"#]].assert_eq(&run(&mut harness, spot.clone()));
    associate(&mut harness, json!(["FARGATE", "FARGATE_SPOT"]), json!([])).unwrap();
    assert_eq!(run(&mut harness, spot), "FARGATE/FARGATE_SPOT");
    let both = strategy(&[("FARGATE", 1), ("FARGATE_SPOT", 2)]);
    assert_eq!(
        run(&mut harness, json!({ "count": 3, "capacityProviderStrategy": both })),
        "FARGATE/FARGATE_SPOT FARGATE/FARGATE FARGATE/FARGATE_SPOT"
    );
    assert_eq!(run(&mut harness, json!({ "launchType": "FARGATE" })), "FARGATE/-");
    expect![[r#"
        InvalidParameterException: There are no capacity providers with a weight value greater than zero defined in the capacity provider strategy. At least one capacity provider must have a weight value greater than zero specified.
        hint: -"#]].assert_eq(&run(&mut harness, json!({ "capacityProviderStrategy": strategy(&[("FARGATE", 0)]) })));
    expect![[r#"
        InvalidParameterException: Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.
        hint: -"#]].assert_eq(&run(
        &mut harness,
        json!({ "launchType": "FARGATE", "capacityProviderStrategy": strategy(&[("FARGATE", 1)]) }),
    ));
}

#[test]
fn the_clusters_strategy_stands_in_where_the_call_names_nothing() {
    let mut harness = harness();
    let nothing = json!({});
    assert_eq!(
        run(&mut harness, nothing.clone()),
        "InvalidParameterException: No Container Instances were found in your cluster.\nhint: -"
    );
    associate(&mut harness, json!(["FARGATE_SPOT"]), strategy(&[("FARGATE_SPOT", 1)])).unwrap();
    assert_eq!(run(&mut harness, nothing), "FARGATE/FARGATE_SPOT");
    assert_eq!(
        run(&mut harness, json!({ "launchType": "EC2" })),
        "InvalidParameterException: No Container Instances were found in your cluster.\nhint: -"
    );
}

#[test]
fn what_a_cluster_cannot_have_is_refused() {
    let refused = |providers: Json, strategy: Json, expected: Expect| {
        let mut harness = harness();
        expected.assert_eq(&associate(&mut harness, providers.clone(), strategy.clone()).unwrap_err().to_string());
        let input = json!({ "clusterName": "other", "capacityProviders": providers, "defaultCapacityProviderStrategy": strategy });
        expected.assert_eq(&harness.call("ecs", "CreateCluster", input).unwrap_err().to_string());
    };
    refused(
        json!(["FARGATE", "mine"]),
        json!([]),
        expect![
            "InvalidParameterException: The specified capacity provider was not found. Specify a valid capacity provider and try again."
        ],
    );
    refused(
        json!(["FARGATE"]),
        strategy(&[("FARGATE_SPOT", 1)]),
        expect![
            "InvalidParameterException: The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
        ],
    );
    let bases =
        json!([{ "capacityProvider": "FARGATE", "base": 1 }, { "capacityProvider": "FARGATE_SPOT", "base": 1 }]);
    refused(
        json!(["FARGATE", "FARGATE_SPOT"]),
        bases,
        expect![
            "InvalidParameterException: A capacity provider strategy cannot contain more than one capacity provider with a base value."
        ],
    );
}

#[test]
fn a_provider_that_tasks_use_stays() {
    let mut harness = harness();
    associate(&mut harness, json!(["FARGATE", "FARGATE_SPOT"]), strategy(&[("FARGATE_SPOT", 1)])).unwrap();
    assert_eq!(run(&mut harness, json!({})), "FARGATE/FARGATE_SPOT");
    let fault = associate(&mut harness, json!(["FARGATE"]), json!([])).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "ResourceInUseException: The specified capacity provider is in use and cannot be removed."
    );
    associate(&mut harness, json!(["FARGATE_SPOT"]), json!([])).unwrap();
    let described = harness.call("ecs", "DescribeClusters", json!({})).unwrap();
    assert_eq!(described["clusters"][0]["capacityProviders"], json!(["FARGATE_SPOT"]));
}

#[test]
fn every_account_has_fargates_providers() {
    let mut harness = harness();
    let all = harness.call("ecs", "DescribeCapacityProviders", json!({})).unwrap();
    let names: Vec<_> = all["capacityProviders"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["FARGATE", "FARGATE_SPOT"]);
    let arn = "arn:aws:ecs:eu-west-1:000000000000:capacity-provider/FARGATE";
    let some = harness.call("ecs", "DescribeCapacityProviders", json!({ "capacityProviders": [arn, "mine"] })).unwrap();
    assert_eq!(some["capacityProviders"][0]["capacityProviderArn"], arn);
    assert_eq!(
        (some["capacityProviders"][0]["status"].clone(), some["failures"][0]["reason"].clone()),
        (json!("ACTIVE"), json!("MISSING"))
    );
}

#[test]
fn a_cluster_is_made_once_and_changed_by_its_own_calls() {
    let mut harness = harness();
    let cluster = |more: Json| {
        let mut input = json!({ "clusterName": "k", "capacityProviders": ["FARGATE"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    harness.call("ecs", "CreateCluster", cluster(json!({}))).unwrap();
    harness.call("ecs", "CreateCluster", cluster(json!({}))).unwrap();
    harness.call("ecs", "CreateCluster", json!({ "clusterName": "k" })).unwrap();
    let fault =
        harness.call("ecs", "CreateCluster", cluster(json!({ "capacityProviders": ["FARGATE_SPOT"] }))).unwrap_err();
    assert!(fault.to_string().contains("Arguments on this idempotent request are inconsistent"), "{fault}");
    let insights = |value: &str| json!([{ "name": "containerInsights", "value": value }]);
    let updated =
        harness.call("ecs", "UpdateCluster", json!({ "cluster": "k", "settings": insights("enhanced") })).unwrap();
    assert_eq!(updated["cluster"]["settings"], insights("enhanced"));
    let updated = harness
        .call("ecs", "UpdateClusterSettings", json!({ "cluster": "k", "settings": insights("enabled") }))
        .unwrap();
    assert_eq!(updated["cluster"]["settings"], insights("enabled"));
    assert_eq!(updated["cluster"]["capacityProviders"], json!(["FARGATE"]), "what is not named stays");
    for (operation, input) in [
        ("UpdateClusterSettings", json!({ "cluster": "k", "settings": insights("enhaced") })),
        ("CreateCluster", json!({ "clusterName": "l", "settings": insights("enhaced") })),
    ] {
        let fault = harness.call("ecs", operation, input).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterException");
    }
}

#[test]
fn a_template_associates_and_takes_back() {
    let mut harness = harness();
    let step = |harness: &mut Harness, action: Action, properties: Json, previous: Option<Json>| {
        let scope = harness.scope.clone();
        let current = ResourceState::new("default");
        harness.perform(|cx| {
            let resource = cx.registry.resource("AWS::ECS::ClusterCapacityProviderAssociations").unwrap();
            let request = ResourceRequest {
                scope: &scope,
                stack_name: "s",
                stack_id: "arn:aws:cloudformation:eu-west-1:000000000000:stack/s/1",
                logical_id: "A",
                type_name: "AWS::ECS::ClusterCapacityProviderAssociations",
                properties: &properties,
                previous: previous.as_ref(),
                current: (action != Action::Create).then_some(&current),
                callback: None,
            };
            request.take(cx, resource, action)
        })
    };
    let properties = |weight: Json| {
        json!({
            "Cluster": "default", "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "DefaultCapacityProviderStrategy": [{ "CapacityProvider": "FARGATE_SPOT", "Weight": weight, "Base": 1 }],
        })
    };
    let done = step(&mut harness, Action::Create, properties(json!("2")), None).unwrap();
    assert_eq!(done, Progress::Done(ResourceState::new("default")));
    let described = harness.call("ecs", "DescribeClusters", json!({})).unwrap();
    assert_eq!(
        described["clusters"][0]["defaultCapacityProviderStrategy"],
        json!([{ "capacityProvider": "FARGATE_SPOT", "weight": 2, "base": 1 }])
    );
    let elsewhere = json!({ "Cluster": "other", "CapacityProviders": [], "DefaultCapacityProviderStrategy": [] });
    let moved = step(&mut harness, Action::Update, elsewhere, Some(properties(json!(2)))).unwrap();
    assert_eq!(moved, Progress::Replace);
    let unknown = json!({ "Cluster": "default", "CapacityProviders": ["mine"], "DefaultCapacityProviderStrategy": [] });
    assert!(step(&mut harness, Action::Update, unknown, Some(properties(json!(2)))).is_err());
    step(&mut harness, Action::Delete, properties(json!(2)), None).unwrap();
    let described = harness.call("ecs", "DescribeClusters", json!({})).unwrap();
    assert_eq!(described["clusters"][0]["capacityProviders"], json!([]));
    harness.call("ecs", "DeleteCluster", json!({ "cluster": "default" })).unwrap();
    step(&mut harness, Action::Delete, properties(json!(2)), None).unwrap();
}
