use expect_test::{Expect, expect};
use neargate_base::{Account, Scope, Timestamp};
use neargate_kernel::{
    Access, AssumedRole, Authorizer, Command, Core, Cx, Decision, Event, EventSink, Fault, Interface, InterfaceRequest,
    MemorySegments, Networks, Ports, Principal, Registry, Request, Store,
};
use neargate_shape::{Value, from_properties, to_json};
use serde_json::{Value as Json, json};

use crate::{credential, service};

/// One role, `tasks`, that trusts everyone who gives the external id `open`, and `ecs-tasks.amazonaws.com`.
struct OneRole;

const ARN: &str = "arn:aws:iam::000000000000:role/tasks";

impl Authorizer for OneRole {
    fn authorize(&self, _store: &Store, _principal: &Principal, _access: &Access) -> Decision {
        Decision::Allowed
    }

    fn may_assume(&self, _store: &Store, _role_arn: &str, _service: &str) -> Result<Principal, String> {
        Err("not asked here".to_owned())
    }

    fn user_id(&self, _store: &Store, principal: &Principal) -> Option<String> {
        match principal {
            Principal::Role { role_name, session_name, .. } if role_name == "tasks" => {
                Some(format!("AROA1:{session_name}"))
            }
            Principal::Role { .. } => None,
            Principal::Root { account } => Some(account.to_string()),
            Principal::Service { name } => Some(name.clone()),
        }
    }

    fn assume(
        &self,
        _store: &Store,
        caller: &Principal,
        role_arn: &str,
        context: &[(String, Vec<String>)],
    ) -> Result<AssumedRole, String> {
        let is_open = context.iter().any(|(key, values)| key == "sts:ExternalId" && values == &["open"]);
        let is_trusted = is_open || *caller == Principal::service("ecs-tasks.amazonaws.com");
        if role_arn != ARN || !is_trusted {
            return Err(format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn} (why)",
                caller.arn()
            ));
        }
        let (account, role_name, role_id) = (Account::new("000000000000"), "tasks".to_owned(), "AROA1".to_owned());
        Ok(AssumedRole { account, role_name, role_id, session_s_max: 7200 })
    }
}

impl EventSink for OneRole {
    fn publish(&self, _cx: &mut Cx<'_>, _event: Event) -> Result<(), Fault> {
        Ok(())
    }
}

impl Networks for OneRole {
    fn attach(&self, _cx: &mut Cx<'_>, _request: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        Err(Fault::internal("no network here"))
    }

    fn detach(&self, _cx: &mut Cx<'_>, _interface_id: &str) {}
}

fn core() -> Core {
    let ports = Ports { authorizer: &OneRole, events: &OneRole, networks: &OneRole };
    Core::open(Registry::new(ports, vec![service()]), vec![], Box::new(MemorySegments::default()), 1).unwrap()
}

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn root() -> Principal {
    Principal::root(&Account::new("000000000000"))
}

fn session(role: &str) -> Principal {
    Principal::Role { account: Account::new("000000000000"), role_name: role.to_owned(), session_name: "s".to_owned() }
}

fn call(core: &mut Core, principal: Principal, operation: &str, input: &Json) -> (Result<Json, Fault>, Vec<String>) {
    let shape = crate::api::SERVICE.operation(operation).unwrap();
    let request = Request {
        scope: Scope::default(),
        principal,
        service: "sts".to_owned(),
        operation: operation.to_owned(),
        input: from_properties((shape.input)(), input).unwrap(),
        request_id: "r".to_owned(),
    };
    let applied = core.apply(NOW, Command::Request(request));
    let notices = applied.notices.iter().map(|notice| format!("{}: {}", notice.subject, notice.text)).collect();
    (applied.reply.unwrap().map(|value: Value| to_json(&value)), notices)
}

fn told(core: &mut Core, principal: Principal, operation: &str, input: &Json) -> String {
    match call(core, principal, operation, input).0 {
        Ok(answer) => answer.to_string(),
        Err(fault) => format!("{} {fault} | {}", fault.status, fault.hint.as_deref().unwrap_or_default()),
    }
}

#[test]
fn everyone_learns_who_they_are() {
    let core = &mut core();
    let mut check = |principal: Principal, expected: Expect| {
        expected.assert_eq(&told(core, principal, "GetCallerIdentity", &json!({})));
    };
    check(
        root(),
        expect![[r#"{"UserId":"000000000000","Account":"000000000000","Arn":"arn:aws:iam::000000000000:root"}"#]],
    );
    check(
        session("tasks"),
        expect![[
            r#"{"UserId":"AROA1:s","Account":"000000000000","Arn":"arn:aws:sts::000000000000:assumed-role/tasks/s"}"#
        ]],
    );
    check(
        Principal::service("events.amazonaws.com"),
        expect![[r#"{"UserId":"events.amazonaws.com","Account":"000000000000","Arn":"events.amazonaws.com"}"#]],
    );
    check(
        session("gone"),
        expect![
            "403 InvalidClientTokenId: The security token included in the request is invalid. | the session's role was deleted"
        ],
    );
}

#[test]
fn a_credential_stands_for_its_session_until_it_expires() {
    let core = &mut core();
    let input = json!({"RoleArn": ARN, "RoleSessionName": "cli", "ExternalId": "open", "DurationSeconds": 900});
    let answer = call(core, root(), "AssumeRole", &input).0.unwrap();
    expect![[r#"
        {
          "Credentials": {
            "AccessKeyId": "ASIAOHOWAWV0LKDJA1GZ",
            "SecretAccessKey": "dd5d7937d3f835b3acaf626921611a05ae1cd720",
            "SessionToken": "NeargateSession84464653193838026e3ac0d8a133a341b2855908c80f301cc4c037cca187776ee8472290f36f782305f0d0374dc05e242e780a26ea063bb18f41c739136ee9afd8eb19a9e3a436ce016eae12f1e9e75c",
            "Expiration": 1800000900
          },
          "AssumedRoleUser": {
            "AssumedRoleId": "AROA1:cli",
            "Arn": "arn:aws:sts::000000000000:assumed-role/tasks/cli"
          }
        }"#]].assert_eq(&serde_json::to_string_pretty(&answer).unwrap());
    let id = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
    let kept = credential(core.store(), id).unwrap();
    assert_eq!(kept.secret_access_key, answer["Credentials"]["SecretAccessKey"]);
    assert_eq!(kept.session_token, answer["Credentials"]["SessionToken"]);
    assert_eq!(kept.principal.arn(), "arn:aws:sts::000000000000:assumed-role/tasks/cli");
    assert_eq!(credential(core.store(), "ASIA0"), None);

    core.apply(NOW, Command::SetClock { to: NOW.plus_ms(86_400_000) });
    assert!(core.run_due(NOW).is_none(), "turning the clock ends no session");
    assert_eq!(core.next_due(NOW), Some(kept.expiration));
    assert!(core.run_due(kept.expiration).is_some());
    assert_eq!(credential(core.store(), id), None);
}

#[test]
fn what_is_refused() {
    let core = &mut core();
    let mut check = |principal: Principal, input: Json, expected: Expect| {
        expected.assert_eq(&told(core, principal, "AssumeRole", &input));
    };
    let with = |name: &str, external_id: &str, duration: i32| json!({"RoleArn": ARN, "RoleSessionName": name, "ExternalId": external_id, "DurationSeconds": duration});
    check(
        root(),
        with("cli", "shut", 900),
        expect![
            "403 AccessDenied: User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/tasks | why"
        ],
    );
    check(
        root(),
        with("two words", "open", 900),
        expect![[
            r#"400 ValidationError: 1 validation error detected: Value 'two words' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]* | "#
        ]],
    );
    check(
        root(),
        with("cli", "open", 7201),
        expect![
            "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role. | "
        ],
    );
    check(
        session("other"),
        with("cli", "open", 3601),
        expect![
            "400 ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining | "
        ],
    );
    check(
        root(),
        with("cli", "open", 60),
        expect![
            "400 ValidationError: 1 validation error detected: Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900 | "
        ],
    );
    check(
        root(),
        json!({"RoleArn": "role/tasks-of-somebody", "RoleSessionName": "cli"}),
        expect!["400 ValidationError: role/tasks-of-somebody is invalid | "],
    );
}

#[test]
fn a_service_assumes_for_a_task_and_session_policies_are_reported() {
    let core = &mut core();
    let service = Principal::service("ecs-tasks.amazonaws.com");
    let input = json!({"RoleArn": ARN, "RoleSessionName": "0123", "Policy": "{}", "DurationSeconds": 7200});
    let (answer, notices) = call(core, service, "AssumeRole", &input);
    assert_eq!(answer.unwrap()["AssumedRoleUser"]["AssumedRoleId"], "AROA1:0123");
    expect!["sts:AssumeRole arn:aws:iam::000000000000:role/tasks: `Policy` is accepted and does not change what the session may do"].assert_eq(&notices.join("\n"));
}
