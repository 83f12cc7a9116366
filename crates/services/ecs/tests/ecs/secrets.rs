//! Secrets of containers: what reaches the driver, and what stands in its way.

use expect_test::{Expect, expect};
use neargate_kernel::{Ports, Service};
use neargate_testkit::{Harness, OnePool, Silence};
use serde_json::{Value as Json, json};

const ROLE: &str = "arn:aws:iam::000000000000:role/execution";

fn services() -> Vec<Service> {
    vec![
        neargate_ecs::service(),
        neargate_iam::service(),
        neargate_kms::service(),
        neargate_secretsmanager::service(),
        neargate_ssm::service(),
    ]
}

/// A world with a secret under a key of its own, a parameter, and a task definition that takes parts of both.
struct World {
    harness: Harness,
    secret: String,
    key: String,
}

impl World {
    fn new(value: &str) -> Self {
        let ports = Ports { authorizer: &neargate_iam::Iam, events: &Silence, networks: &OnePool };
        let mut harness = Harness::new(services, ports).unwrap();
        harness.call("ecs", "CreateCluster", json!({})).unwrap();
        let key = harness.call("kms", "CreateKey", json!({})).unwrap();
        let key = key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
        let input = json!({ "Name": "app/creds", "SecretString": value, "KmsKeyId": key });
        let secret = harness.call("secretsmanager", "CreateSecret", input).unwrap();
        let secret = secret["ARN"].as_str().unwrap().to_owned();
        let input = json!({ "Name": "/app/host", "Value": "db.example", "Type": "String" });
        harness.call("ssm", "PutParameter", input).unwrap();
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "ecs-tasks.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
        let input = json!({ "RoleName": "execution", "AssumeRolePolicyDocument": trust.to_string() });
        harness.call("iam", "CreateRole", input).unwrap();
        let mut world = Self { harness, secret, key };
        world.allow(&world.statements());
        world
    }

    /// What the execution role needs.
    fn statements(&self) -> Vec<Json> {
        vec![
            json!({ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": self.secret }),
            json!({ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": self.key }),
            json!({ "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*" }),
        ]
    }

    fn allow(&mut self, statements: &[Json]) {
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let input = json!({ "RoleName": "execution", "PolicyName": "p", "PolicyDocument": document });
        self.harness.call("iam", "PutRolePolicy", input).unwrap();
    }

    /// Runs a task whose container has these variables, and fetches them as a driver would.
    fn fetch(&mut self, secrets: &[(&str, &str)]) -> Result<String, String> {
        let secrets: Vec<_> = secrets.iter().map(|(name, from)| json!({ "name": name, "valueFrom": from })).collect();
        let input = json!({
            "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "executionRoleArn": ROLE, "containerDefinitions": [{ "name": "app", "image": "app", "secrets": secrets }],
        });
        self.harness.call("ecs", "RegisterTaskDefinition", input).unwrap();
        let input = json!({
            "taskDefinition": "app", "launchType": "FARGATE",
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
        });
        let task = self.harness.call("ecs", "RunTask", input).unwrap();
        let task = task["tasks"][0]["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let found = self.harness.perform(|cx| neargate_ecs::fetch_secrets(cx, &task));
        let shown = |(name, value): &(String, zeroize::Zeroizing<String>)| format!("{name}={}", value.as_str());
        match found {
            Ok(found) => Ok(found.values().flatten().map(shown).collect::<Vec<_>>().join(" ")),
            // Ids of tasks and requests are random.
            Err(fault) => {
                let text = fault.message.replace(&task, "TASK");
                Err(text.split("request id:").next().unwrap().trim_end().to_owned())
            }
        }
    }
}

fn refused(world: &mut World, from: &str, expected: Expect) {
    let secret = world.secret.clone();
    let text = world.fetch(&[("S", &from.replace("SECRET", &secret))]).unwrap_err();
    let text = text.strip_prefix("ResourceInitializationError: unable to pull secrets or registry auth: ").unwrap();
    expected.assert_eq(&text.replace(&secret, "SECRET"));
}

#[test]
fn secrets_come_whole_by_field_by_version_and_from_parameter_store() {
    let mut world = World::new(r#"{"user":"u","port":3306}"#);
    let secret = world.secret.clone();
    let put = json!({ "SecretId": secret, "SecretString": r#"{"user":"v"}"# });
    world.harness.call("secretsmanager", "PutSecretValue", put).unwrap();
    let (whole, field) = (secret.clone(), format!("{secret}:user::"));
    let previous = format!("{secret}:port:AWSPREVIOUS:");
    let parameter = "arn:aws:ssm:eu-west-1:000000000000:parameter/app/host";
    let secrets = [("W", whole.as_str()), ("F", &field), ("P", &previous), ("H", "/app/host"), ("A", parameter)];
    assert_eq!(world.fetch(&secrets).unwrap(), r#"W={"user":"v"} F=v P=3306 H=db.example A=db.example"#);
    assert_eq!(world.fetch(&[]).unwrap(), "");
}

#[test]
fn a_parameter_of_one_level_is_found_by_its_own_arn() {
    let mut world = World::new("x");
    for name in ["/slash", "plain"] {
        let put = json!({ "Name": name, "Value": name.to_uppercase(), "Type": "String" });
        world.harness.call("ssm", "PutParameter", put).unwrap();
    }
    let arn = |name: &str| format!("arn:aws:ssm:eu-west-1:000000000000:parameter/{name}");
    let (slash, plain) = (arn("slash"), arn("plain"));
    assert_eq!(world.fetch(&[("A", &slash), ("B", &plain)]).unwrap(), "A=/SLASH B=PLAIN");
    assert_eq!(world.fetch(&[("A", "/slash"), ("B", "plain")]).unwrap(), "A=/SLASH B=PLAIN");
}

#[test]
fn each_statement_of_the_execution_role_that_is_missing_stops_the_step_that_needs_it() {
    let mut world = World::new(r#"{"user":"u"}"#);
    let all = world.statements();
    let without = |at: usize| {
        let mut some = all.clone();
        some.remove(at);
        some
    };
    world.allow(&without(0));
    refused(
        &mut world,
        "SECRET:user::",
        expect![
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret SECRET from secrets manager: AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/execution/TASK is not authorized to perform: secretsmanager:GetSecretValue on resource: SECRET because no identity-based policy allows the secretsmanager:GetSecretValue action status code: 400,"
        ],
    );
    world.allow(&without(1));
    refused(
        &mut world,
        "SECRET:user::",
        expect![
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret SECRET from secrets manager: AccessDeniedException: Access to KMS is not allowed status code: 400,"
        ],
    );
    world.allow(&without(2));
    refused(
        &mut world,
        "/app/host",
        expect![
            "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/execution/TASK is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:000000000000:parameter/app/host because no identity-based policy allows the ssm:GetParameters action status code: 400,"
        ],
    );
}

#[test]
fn what_is_not_there_or_not_json_is_said_in_fargates_words() {
    let mut world = World::new("hunter2");
    refused(
        &mut world,
        "SECRET:user::",
        expect![
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): invalid character 'h' looking for beginning of value"
        ],
    );
    let json = json!({ "SecretId": world.secret, "SecretString": "{}" });
    world.harness.call("secretsmanager", "PutSecretValue", json).unwrap();
    refused(
        &mut world,
        "SECRET:user::",
        expect![
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key user"
        ],
    );
    refused(
        &mut world,
        "/app/nothing",
        expect![
            "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /app/nothing"
        ],
    );
    world.harness.call("kms", "DisableKey", json!({ "KeyId": world.key })).unwrap();
    refused(
        &mut world,
        "SECRET",
        expect![
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret SECRET from secrets manager: DecryptionFailure: Secrets Manager can't decrypt the protected secret text using the provided KMS key. status code: 400,"
        ],
    );
    let delete = json!({ "SecretId": world.secret, "RecoveryWindowInDays": 7 });
    world.harness.call("secretsmanager", "DeleteSecret", delete).unwrap();
    refused(
        &mut world,
        "SECRET",
        expect![
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret SECRET from secrets manager: InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion. status code: 400,"
        ],
    );
}

#[test]
fn no_value_is_in_any_row_of_the_journal() {
    let mut world = World::new(r#"{"user":"a-value-to-look-for"}"#);
    let field = format!("{}:user::", world.secret);
    assert_eq!(world.fetch(&[("S", &field)]).unwrap(), "S=a-value-to-look-for");
    let text: String = world.harness.rows().iter().map(|row| String::from_utf8_lossy(&row.body).into_owned()).collect();
    assert!(text.contains("app/creds") && !text.contains("a-value-to-look-for"));
}
