use expect_test::{Expect, expect};
use neargate_base::{Account, Scope, Timestamp};
use neargate_kernel::{
    Access, AssumedRole, Authorizer, Command, Core, CoreError, Cx, Decision, Delta, Event, EventSink, Fault, Interface,
    InterfaceRequest, Journal, MemoryJournal, MemorySegments, Networks, Ports, Principal, Registry, Request, Row,
    Session, SessionPolicy, Store,
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

    fn may_assume(
        &self,
        _store: &Store,
        _role_arn: &str,
        _service: &str,
        _: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
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
        asked: &[Access],
    ) -> Result<AssumedRole, String> {
        let is_open = asked
            .iter()
            .flat_map(|access| &access.context)
            .any(|(key, values)| key == "sts:ExternalId" && values == &["open"]);
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
    let core = over(vec![]).unwrap();
    core.with_vault(neargate_testkit::vault(1)).unwrap()
}

fn over(rows: Vec<Row>) -> Result<Core, CoreError> {
    let ports = Ports { authorizer: &OneRole, events: &OneRole, networks: &OneRole };
    Core::open(Registry::new(ports, vec![service()]), rows, Box::new(MemorySegments::default()), 1)
}

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn root() -> Principal {
    Principal::root(&Account::new("000000000000"))
}

fn session(role: &str) -> Principal {
    Principal::role(&Account::new("000000000000"), role, "s")
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
        client: None,
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
            "SecretAccessKey": "qIg9xwLHxNmaKhAoAd0aZ46Hj6ufxdvvgGwXIReu",
            "SessionToken": "NeargateSessione+IshQhoQkB3H3UX/xwcEXKuZCVdxguXnClJc1MFfcAe95McvpWi93K5UlRHvb6ExeSic2CnhK1oSF2z7hQF7qHnLbORkAkk+kAzAqwgqxcRLy0USp/fa5KaVd6XRIn7CD2X75lGaAISFVMO2/OnZ3yl3j7d+uUN",
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
fn no_row_shows_a_secret_and_each_opens_at_its_own_place_alone() {
    let mut core = core();
    let input = json!({"RoleArn": ARN, "RoleSessionName": "cli", "ExternalId": "open"});
    let mut deltas = vec![];
    let mut assume = || {
        let request = Request {
            scope: Scope::default(),
            principal: root(),
            service: "sts".to_owned(),
            operation: "AssumeRole".to_owned(),
            input: from_properties((crate::api::SERVICE.operation("AssumeRole").unwrap().input)(), &input).unwrap(),
            request_id: "r".to_owned(),
            client: None,
        };
        let applied = core.apply(NOW, Command::Request(request));
        deltas.extend(applied.deltas);
        to_json(&applied.reply.unwrap().unwrap())["Credentials"].clone()
    };
    let (one, two) = (assume(), assume());
    let mut journal = MemoryJournal::default();
    let sequence = journal.append(deltas).unwrap();
    journal.durable(sequence).unwrap();
    let rows = journal.load().unwrap();
    for secret in [&one["SecretAccessKey"], &one["SessionToken"], &two["SecretAccessKey"], &two["SessionToken"]] {
        let secret = secret.as_str().unwrap().as_bytes();
        let holds = |row: &&Row| row.body.windows(secret.len()).any(|part| part == secret);
        assert_eq!(rows.iter().find(holds), None);
    }
    let reopened = over(rows.clone()).unwrap().with_vault(neargate_testkit::vault(2)).unwrap();
    let kept = credential(reopened.store(), one["AccessKeyId"].as_str().unwrap()).unwrap();
    assert_eq!(kept.secret_access_key, one["SecretAccessKey"]);

    let sealed: Vec<_> = (0..rows.len()).filter(|at| rows[*at].table == "sts.credential").collect();
    let mut exchanged = rows.clone();
    (exchanged[sealed[0]].body, exchanged[sealed[1]].body) =
        (rows[sealed[1]].body.clone(), rows[sealed[0]].body.clone());
    let refused = over(exchanged).unwrap().with_vault(neargate_testkit::vault(2)).unwrap_err();
    assert!(refused.0.contains("does not open"), "{refused}");
}

#[test]
fn rows_from_before_they_were_sealed_are_sealed_by_the_next_command() {
    let clear = json!({
        "access_key_id": "ASIA1", "secret_access_key": "in clear", "session_token": "t", "expiration": NOW,
        "principal": {"Root": {"account": "000000000000"}},
    });
    let body = clear.to_string().into_bytes();
    let row = Row { table: "sts.credential".into(), key: "-/-/ASIA1".into(), version: 1, body };
    let mut core = over(vec![row]).unwrap().with_vault(neargate_testkit::vault(1)).unwrap();
    assert_eq!(credential(core.store(), "ASIA1").unwrap().secret_access_key, "in clear");
    let mut bodies = || {
        let applied = core.apply(NOW, Command::SetClock { to: NOW });
        applied
            .deltas
            .into_iter()
            .filter_map(|delta| match delta {
                Delta::Put(row) if row.table == "sts.credential" => Some(row.body),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let first = bodies();
    assert_eq!(first.len(), 1);
    assert!(!String::from_utf8_lossy(&first[0]).contains("in clear"));
    assert_eq!(bodies(), Vec::<Vec<u8>>::new(), "once");
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

/// The session that an answer's credentials stand for.
fn made(core: &Core, answer: &Json) -> Session {
    let id = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
    match credential(core.store(), id).unwrap().principal {
        Principal::Role { session, .. } => *session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_keeps_what_it_was_made_with() {
    let core = &mut core();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let input = json!({"RoleArn": ARN, "RoleSessionName": "aa", "ExternalId": "open", "Policy": policy,
        "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}], "SourceIdentity": "ana",
        "Tags": [{"Key": "Project", "Value": "x"}, {"Key": "team", "Value": "y"}], "TransitiveTagKeys": ["Project"]});
    let (answer, notices) = call(core, root(), "AssumeRole", &input);
    let answer = answer.unwrap();
    assert_eq!((notices.len(), answer["SourceIdentity"].as_str()), (0, Some("ana")));
    let session = made(core, &answer);
    assert_eq!(session.role_id.as_deref(), Some("AROA1"));
    assert_eq!(session.issued, Some(NOW));
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
    assert_eq!(session.policies, [SessionPolicy::Managed(arn), SessionPolicy::Document(policy.to_owned())]);
    assert_eq!(format!("{:?} {:?}", session.tags, session.transitive), r#"{"Project": "x", "team": "y"} {"Project"}"#);

    // A chained session takes over the transitive tags and the source identity, and no policy.
    let chained = Principal::Role {
        account: Account::new("000000000000"),
        role_name: "tasks".to_owned(),
        session_name: "a".to_owned(),
        session: Box::new(session),
    };
    let next = |more: Json| {
        let mut input = json!({"RoleArn": ARN, "RoleSessionName": "bb", "ExternalId": "open"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let answer = call(core, chained.clone(), "AssumeRole", &next(json!({}))).0.unwrap();
    let session = made(core, &answer);
    assert_eq!(format!("{:?} {:?}", session.tags, session.policies), r#"{"Project": "x"} []"#);
    assert_eq!(session.source_identity.as_deref(), Some("ana"));
    let mut check = |more: Json, expected: Expect| {
        expected.assert_eq(&told(core, chained.clone(), "AssumeRole", &next(more)));
    };
    check(
        json!({"Tags": [{"Key": "project", "Value": "z"}]}),
        expect![
            "400 InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session. | "
        ],
    );
    check(
        json!({"SourceIdentity": "bob"}),
        expect![
            "403 AccessDenied: User: arn:aws:sts::000000000000:assumed-role/tasks/a is not authorized to perform: sts:SetSourceIdentity on resource: arn:aws:iam::000000000000:role/tasks | the session's source identity is `ana` and stays so"
        ],
    );
    check(
        json!({"Tags": [{"Key": "a", "Value": "z"}, {"Key": "A", "Value": "z"}]}),
        expect![
            "400 InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are case insensitive. | "
        ],
    );
    check(
        json!({"TransitiveTagKeys": ["a"]}),
        expect![
            "400 InvalidParameterValue: The specified transitive tag key must be included in the requested tags. | "
        ],
    );
    check(
        json!({"Policy": "{}"}),
        expect![
            "400 MalformedPolicyDocument: Syntax errors in policy. | `Statement` must be an object or a list of objects"
        ],
    );
    check(
        json!({"RoleArn": "arn:a::::x/y"}),
        expect![
            "400 ValidationError: 1 validation error detected: Value 'arn:a::::x/y' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20 | "
        ],
    );
}

#[test]
fn a_service_assumes_for_a_task() {
    let core = &mut core();
    let service = Principal::service("ecs-tasks.amazonaws.com");
    let input = json!({"RoleArn": ARN, "RoleSessionName": "0123", "DurationSeconds": 7200});
    let (answer, _) = call(core, service, "AssumeRole", &input);
    assert_eq!(answer.unwrap()["AssumedRoleUser"]["AssumedRoleId"], "AROA1:0123");
}
