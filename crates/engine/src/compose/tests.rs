//! What holds for the operations of all services together.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use neargate_kernel::{Access, Authorizer, Decision, Fault, Ports, Principal, Store};
use neargate_shape::{Kind, Shape};
use neargate_testkit::Harness;
use serde_json::{Map, Value as Json, json};

/// The smallest input that a shape's constraints let pass: required members, and as few items as may be.
fn least(name: &str, shape: &Shape) -> Json {
    let least_items = usize::try_from(shape.constraints.min.unwrap_or(0)).unwrap();
    match shape.kind {
        Kind::Boolean => json!(false),
        Kind::Integer | Kind::Long | Kind::Double => json!(shape.constraints.min.unwrap_or(1)),
        Kind::Blob => json!("AAAA"),
        Kind::Timestamp(_) => json!(1_800_000_000),
        Kind::List { member, .. } => json!(vec![least(name, member.get()); least_items]),
        Kind::Structure { members } => {
            let required = members.iter().filter(|member| member.required);
            let members: Map<_, _> = required.map(|it| (it.name.to_owned(), least(it.name, it.shape.get()))).collect();
            Json::Object(members)
        }
        Kind::String => json!(text(name, shape, least_items)),
        Kind::Map { .. } => json!({"a": "a"}),
        _ => json!({}),
    }
}

fn text(name: &str, shape: &Shape, least_length: usize) -> String {
    if let Some(first) = shape.constraints.one_of.first() {
        return (*first).to_owned();
    }
    let name = name.to_lowercase();
    if name == "resource" {
        return "arn:aws:lambda:eu-west-1:000000000000:function:a".to_owned();
    }
    if name == "role" || name.ends_with("arn") || name == "resourceidentifier" || name == "resourcename" {
        return "arn:aws:iam::000000000000:role/other".to_owned();
    }
    if name == "versionid" {
        return "v1".to_owned();
    }
    "a".repeat(least_length.max(1))
}

/// Calls every operation as a session of a role that no policy speaks for.
fn refusals(least_privileged: &mut Harness) -> Vec<(String, Result<Json, Fault>)> {
    let all: Vec<_> = super::services()
        .into_iter()
        .flat_map(|service| service.operations.into_iter().map(move |it| (service.shape.name, it.shape)))
        .collect();
    let call = |(service, operation): (&str, &neargate_shape::OperationShape)| {
        let input = least("", (operation.input)());
        (format!("{service}:{}", operation.name), least_privileged.call(service, operation.name, input))
    };
    all.into_iter().map(call).collect()
}

#[test]
fn a_role_without_policies_may_do_nothing_but_ask_who_it_is() {
    let mut harness = Harness::new(super::services, super::ports()).unwrap();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]});
    let role = json!({"RoleName": "nothing", "AssumeRolePolicyDocument": trust.to_string()});
    harness.call("iam", "CreateRole", role).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let account = harness.scope.account.clone();
    harness.principal = Principal::role(&account, "nothing", "s");
    let is_denial =
        |fault: &Fault| fault.status == 403 || matches!(fault.code, "AccessDeniedException" | "UnauthorizedOperation");
    let let_in: Vec<_> = refusals(&mut harness)
        .into_iter()
        .filter(|(_, answer)| !answer.as_ref().is_err_and(is_denial))
        .map(|(operation, answer)| match answer {
            Ok(_) => operation,
            Err(fault) => format!("{operation}: {}: {}", fault.code, fault.message),
        })
        .collect();
    assert_eq!(let_in, ["kms:Decrypt: ValidationException: CiphertextBlob is required.", "sts:GetCallerIdentity"]);
}

/// The operations that may be answered outside the writer.
const READS: [&str; 5] =
    ["ecs:DescribeClusters", "ecs:DescribeTasks", "ecs:ListClusters", "ecs:ListTasks", "sts:GetCallerIdentity"];

/// A harness with a cluster, a task that runs in it, and a role that may list clusters in one region.
fn with_something_to_read() -> Harness {
    let mut harness = Harness::new(super::services, super::ports()).unwrap();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:DescribeClusters", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/secret": "yes"}}}]});
    for role in ["nothing", "reader"] {
        let role = json!({"RoleName": role, "AssumeRolePolicyDocument": trust.to_string()});
        harness.call("iam", "CreateRole", role).unwrap();
    }
    let managed = json!({"PolicyName": "reads", "PolicyDocument": policy.to_string()});
    let arn = harness.call("iam", "CreatePolicy", managed).unwrap()["Policy"]["Arn"].clone();
    harness.call("iam", "AttachRolePolicy", json!({"RoleName": "reader", "PolicyArn": arn})).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let tags = json!([{"key": "secret", "value": "yes"}]);
    harness.call("ecs", "CreateCluster", json!({"clusterName": "other", "tags": tags})).unwrap();
    harness
}

/// The call at the core, and from a copy of what is published, as the edge makes it.
fn both_ways(
    harness: &mut Harness,
    operation: &str,
    input: Json,
) -> (Result<Json, Fault>, Option<Result<Json, Fault>>) {
    let (service, operation) = operation.split_once(':').unwrap();
    let shape = (harness.core().registry().operation(service, operation).unwrap().shape.input)();
    let request = neargate_kernel::Request {
        scope: harness.scope.clone(),
        principal: harness.principal.clone(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        input: neargate_shape::from_json(shape, input.clone(), &mut vec![]).unwrap(),
        request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        client: None,
    };
    let mut published = harness.core().store().published();
    let before = format!("{published:?}");
    let read = harness.core().reads().answer(&mut published, harness.now, &request);
    assert_eq!(format!("{published:?}"), before, "the copy is left as it was found");
    let read = read.map(|reply| reply.map(|output| neargate_shape::to_json(&output)));
    (harness.send(service, operation, input), read)
}

#[test]
fn what_is_read_outside_the_writer_is_what_the_writer_answers() {
    let mut harness = with_something_to_read();
    let account = harness.scope.account.clone();
    let inputs = [
        ("ecs:ListClusters", json!({})),
        ("ecs:ListClusters", json!({"maxResults": 1})),
        ("ecs:ListClusters", json!({"maxResults": 1000})),
        ("ecs:DescribeClusters", json!({})),
        ("ecs:DescribeClusters", json!({"clusters": ["default", "other", "none"], "include": ["TAGS"]})),
        ("ecs:ListTasks", json!({})),
        ("ecs:ListTasks", json!({"cluster": "none"})),
        ("ecs:DescribeTasks", json!({"tasks": ["00000000000000000000000000000000"]})),
        ("ecs:DescribeTasks", json!({"cluster": "none", "tasks": ["x"]})),
        ("ecs:DescribeTasks", json!({"tasks": []})),
        ("sts:GetCallerIdentity", json!({})),
    ];
    let mut refused = 0;
    for principal in [
        Principal::root(&account),
        Principal::role(&account, "reader", "s"),
        Principal::role(&account, "nothing", "s"),
        Principal::role(&account, "gone", "s"),
    ] {
        harness.principal = principal;
        for region in ["eu-west-1", "us-east-1"] {
            harness.scope = neargate_base::Scope::new(account.as_str(), region);
            for (operation, input) in &inputs {
                let (written, read) = both_ways(&mut harness, operation, input.clone());
                assert_eq!(Some(&written), read.as_ref(), "{operation} {input} {:?}", harness.principal);
                refused += usize::from(written.is_err_and(|fault| fault.code == "AccessDeniedException"));
            }
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn only_operations_that_read_are_answered_outside_the_writer() {
    let mut harness = with_something_to_read();
    let all: Vec<_> = super::services()
        .into_iter()
        .flat_map(|service| service.operations.into_iter().map(move |it| (service.shape.name, it.shape)))
        .collect();
    let mut answered = vec![];
    for (service, shape) in all {
        let operation = format!("{service}:{}", shape.name);
        let (_, read) = both_ways(&mut harness, &operation, least("", (shape.input)()));
        answered.extend(read.map(|_| operation));
    }
    answered.sort();
    assert_eq!(answered, READS);
}

/// Allows everything and remembers what it was asked.
struct Recorder;

thread_local! {
    static ASKED: RefCell<Vec<Access>> = const { RefCell::new(vec![]) };
}

impl Authorizer for Recorder {
    fn authorize(&self, _: &Store, _: &Principal, access: &Access) -> Decision {
        // IAM adds the tags of a role that is passed itself.
        let is_passed = access.action == "iam:PassRole";
        let access = access.clone();
        let access = if is_passed { access.with_resource_tags(Some("iam:ResourceTag/"), []) } else { access };
        ASKED.with_borrow_mut(|asked| asked.push(access));
        Decision::Allowed
    }

    fn may_assume(
        &self,
        store: &Store,
        role_arn: &str,
        service: &str,
        context: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
        neargate_iam::Iam.may_assume(store, role_arn, service, context)
    }
}

/// The condition keys that AWS fills for an access and that have neither a value nor the word that they are absent.
fn unknown_keys(access: &Access) -> Vec<&'static str> {
    let (service, action) = access.action.split_once(':').unwrap();
    let rows = neargate_decide::keys_of_action(service, action).map(|known| known.rows).unwrap_or_default();
    let keys = rows.iter().filter(|row| row.is_for(&access.resource)).flat_map(|row| row.keys);
    let is_given = |key: &str| {
        let values = access.context.iter().any(|(given, _)| given.eq_ignore_ascii_case(key));
        let (key, begins) = (key.to_lowercase(), |given: &String| given.ends_with(['/', ':']));
        let is_complete = |given: &String| {
            let given = given.to_lowercase();
            key == given || (begins(&given) && key.starts_with(&given))
        };
        values || access.complete.iter().any(is_complete)
    };
    keys.copied().filter(|key| !is_given(key)).collect()
}

#[test]
fn the_page_on_iam_lists_every_key_that_is_not_filled() {
    let mut harness = Harness::new(super::services, Ports { authorizer: &Recorder, ..super::ports() }).unwrap();
    drop(refusals(&mut harness));
    let mut unknown: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    for access in ASKED.take() {
        let (service, action) = access.action.split_once(':').unwrap();
        for key in unknown_keys(&access) {
            unknown.entry((service.to_owned(), key)).or_default().insert(action.to_owned());
        }
    }
    let lines: Vec<_> = unknown
        .iter()
        .map(|((service, key), actions)| {
            let actions: Vec<_> = actions.iter().map(String::as_str).collect();
            format!("| {service} | `{key}` | {} |", actions.join(", "))
        })
        .collect();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/iam.md")).unwrap_or_default();
    let listed: Vec<_> = page.lines().filter(|line| line.split(" | ").count() == 3 && line.contains(" | `")).collect();
    assert_eq!(listed.join("\n"), lines.join("\n"));
}
