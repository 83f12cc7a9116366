use expect_test::expect;
use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Access, Action, Authorizer, Command, Core, Cx, Decision, Event, EventSink, Fault, Interface, InterfaceRequest,
    MemorySegments, Networks, Ports, Principal, Progress, Registry, Request, ResourceRequest, ResourceState, Store,
};
use neargate_shape::{Value, from_properties, to_json};
use serde_json::{Value as Json, json};

use crate::service;

/// The role `…/good` may be assumed, no other. The root may do everything, services nothing.
struct Ready;

impl Authorizer for Ready {
    fn authorize(&self, _store: &Store, principal: &Principal, _access: &Access) -> Decision {
        match principal {
            Principal::Root { .. } => Decision::Allowed,
            _ => Decision::ImplicitlyDenied { looked_at: vec![] },
        }
    }

    fn may_assume(
        &self,
        _store: &Store,
        role_arn: &str,
        service: &str,
        _: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
        if role_arn.ends_with("/good") { Ok(Principal::service(service)) } else { Err("why".to_owned()) }
    }
}

impl EventSink for Ready {
    fn publish(&self, _cx: &mut Cx<'_>, _event: Event) -> Result<(), Fault> {
        Ok(())
    }
}

impl Networks for Ready {
    fn attach(&self, _cx: &mut Cx<'_>, _request: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        Err(Fault::internal("no network here"))
    }

    fn detach(&self, _cx: &mut Cx<'_>, _interface_id: &str) {}
}

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn core() -> Core {
    let ports = Ports { authorizer: &Ready, events: &Ready, networks: &Ready };
    Core::open(Registry::new(ports, vec![service()]), vec![], Box::new(MemorySegments::default()), 1).unwrap()
}

fn root() -> Principal {
    Principal::root(&Scope::default().account)
}

fn call(core: &mut Core, operation: &str, input: &Json) -> Result<Json, Fault> {
    let shape = crate::api::SERVICE.operation(operation).unwrap();
    let request = Request {
        scope: Scope::default(),
        principal: root(),
        service: "lambda".to_owned(),
        operation: operation.to_owned(),
        input: from_properties((shape.input)(), input).unwrap(),
        request_id: "r".to_owned(),
        client: None,
    };
    core.apply(NOW, Command::Request(request)).reply.unwrap().map(|value: Value| to_json(&value))
}

fn step(
    core: &mut Core,
    principal: Principal,
    action: Action,
    properties: &Json,
    before: Option<(&Json, &ResourceState)>,
) -> Result<Progress, Fault> {
    let scope = Scope::default();
    let request = ResourceRequest {
        scope: &scope,
        stack_name: "TriggeredStatic",
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/TriggeredStatic/1",
        logical_id: "CustomVpcRestrictDefaultSGCustomResourceProviderHandlerDC833E5E",
        type_name: "AWS::Lambda::Function",
        properties,
        previous: before.map(|(properties, _)| properties),
        current: before.map(|(_, state)| state),
        callback: None,
    };
    let resource = core.registry().resource("AWS::Lambda::Function").unwrap();
    assert_eq!(resource.not_simulated(properties).as_deref(), Some("recorded; not run"));
    core.perform(NOW, &scope, principal, |cx| request.take(cx, resource, action)).0
}

fn made(progress: Progress) -> ResourceState {
    match progress {
        Progress::Done(state) => state,
        other => panic!("{other:?}"),
    }
}

/// As the CDK writes the function that empties a VPC's default security group.
fn handler() -> Json {
    json!({
        "Code": {"S3Bucket": "cdk-hnb659fds-assets-000000000000-us-east-1", "S3Key": "f178.zip"},
        "Timeout": 900, "MemorySize": 128, "Handler": "__entrypoint__.handler", "Runtime": "nodejs24.x",
        "Role": "arn:aws:iam::000000000000:role/good", "Description": "d"
    })
}

#[test]
fn a_function_is_recorded_answered_changed_and_deleted() {
    let core = &mut core();
    let old = handler();
    let state = made(step(core, root(), Action::Create, &old, None).unwrap());
    expect![[r#"{"physical_id":"TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1","attributes":{"Arn":"arn:aws:lambda:us-east-1:000000000000:function:TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1","SnapStartResponse":{"ApplyOn":"None","OptimizationStatus":"Off"},"SnapStartResponse.ApplyOn":"None","SnapStartResponse.OptimizationStatus":"Off"}}"#]].assert_eq(&serde_json::to_string(&state).unwrap());
    let name = state.physical_id.as_str();
    expect![[r#"{"Configuration":{"FunctionName":"TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1","Runtime":"nodejs24.x","Role":"arn:aws:iam::000000000000:role/good","Handler":"__entrypoint__.handler","Description":"d","Timeout":900,"MemorySize":128,"LastModified":"2027-01-15T08:00:00.000+0000","Version":"$LATEST","TracingConfig":{"Mode":"PassThrough"},"RevisionId":"1af76395-c664-48cd-a74a-c9505f9cd004","State":"Active","StateReason":"recorded; not run","LastUpdateStatus":"Successful","PackageType":"Zip","Architectures":["x86_64"],"EphemeralStorage":{"Size":512},"SnapStart":{"ApplyOn":"None","OptimizationStatus":"Off"},"LoggingConfig":{"LogFormat":"Text","LogGroup":"/aws/lambda/TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-OWAWV0LKDJA1"}},"Code":{"RepositoryType":"S3","ResolvedS3Object":{"S3Bucket":"cdk-hnb659fds-assets-000000000000-us-east-1","S3Key":"f178.zip"}}}"#]].assert_eq(&call(core, "GetFunction", &json!({"FunctionName": name})).unwrap().to_string());

    let mut new = old.clone();
    new["Environment"] = json!({"Variables": {"A": "b"}});
    new["Layers"] = json!(["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]);
    new["ReservedConcurrentExecutions"] = json!("2");
    new["Tags"] = json!([{"Key": "k", "Value": "v"}]);
    made(step(core, root(), Action::Update, &new, Some((&old, &state))).unwrap());
    for spelling in [
        format!("{name}:$LATEST"),
        format!("000000000000:function:{name}"),
        state.attributes["Arn"].as_str().unwrap().to_owned(),
    ] {
        let answer = call(core, "GetFunction", &json!({"FunctionName": spelling})).unwrap();
        assert_eq!(answer["Configuration"]["Environment"]["Variables"]["A"], "b");
        assert_eq!(answer["Configuration"]["Layers"][0]["Arn"], new["Layers"][0]);
        assert_eq!(
            (&answer["Concurrency"]["ReservedConcurrentExecutions"], &answer["Tags"]["k"]),
            (&json!(2), &json!("v"))
        );
    }
    let renamed = json!({"FunctionName": "x", "Code": {"ZipFile": "x"}, "Role": "arn:aws:iam::000000000000:role/good"});
    assert_eq!(step(core, root(), Action::Update, &renamed, Some((&new, &state))), Ok(Progress::Replace));
    for _ in 0..2 {
        step(core, root(), Action::Delete, &new, Some((&new, &state))).unwrap();
    }
    let fault = call(core, "GetFunction", &json!({"FunctionName": "x", "Qualifier": "1"})).unwrap_err();
    expect!["404 ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:x:1"]
        .assert_eq(&format!("{} {fault}", fault.status));
}

#[test]
fn what_cannot_be_recorded_says_why() {
    let core = &mut core();
    let mut check = |principal: Principal, change: &dyn Fn(&mut Json)| {
        let mut properties = handler();
        change(&mut properties);
        step(core, principal, Action::Create, &properties, None).unwrap_err().to_string()
    };
    expect!["InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda."]
        .assert_eq(&check(root(), &|p| p["Role"] = json!("arn:aws:iam::000000000000:role/bad")));
    expect!["ValidationException: `Environment.Vars` is not known here"]
        .assert_eq(&check(root(), &|p| p["Environment"] = json!({"Vars": {}})));
    expect!["InvalidParameterValueException: Please provide exactly one source for function code: an S3 bucket and key, an image or a zip file."]
        .assert_eq(&check(root(), &|p| p["Code"] = Json::Null));
    expect!["AccessDeniedException: User: x.amazonaws.com is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:TriggeredStatic-CustomVpcRestrictDefaultSGCustomRes-GEBQYJWWCKLK because no identity-based policy allows the lambda:CreateFunction action"].assert_eq(&check(Principal::service("x.amazonaws.com"), &|_| ()));
}

#[test]
fn functions_are_listed_in_pages() {
    let core = &mut core();
    for name in ["c", "a", "b"] {
        let mut properties = handler();
        properties["FunctionName"] = json!(name);
        properties["Code"] = json!({"ImageUri": "repository:tag"});
        made(step(core, root(), Action::Create, &properties, None).unwrap());
        assert_eq!(
            step(core, root(), Action::Create, &properties, None).unwrap_err().code,
            "ResourceConflictException"
        );
    }
    let first = call(core, "ListFunctions", &json!({"MaxItems": 2})).unwrap();
    assert_eq!((&first["NextMarker"], first["Functions"].as_array().unwrap().len()), (&json!("c"), 2));
    assert_eq!(first["Functions"][0]["PackageType"], "Image");
    let second = call(core, "ListFunctions", &json!({"Marker": "c"})).unwrap();
    assert_eq!((&second["NextMarker"], &second["Functions"][0]["FunctionName"]), (&Json::Null, &json!("c")));
}
