//! The stock `aws` command line against the endpoint: no option but the endpoint's address, no file but the template.
//!
//! Ignored where there is no `aws`, unless `NEARGATE_REQUIRE_ORACLES=1`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod secrets;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use neargate_testkit::needs::{Need, missing_program, needs};
use serde_json::{Value, json};

/// An engine of the test's own, stopped when the test ends.
struct Engine {
    child: Child,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Engine {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_neargate"))
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .args(["up", "--port", &port.to_string(), "--data-dir"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the engine does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, endpoint: format!("http://127.0.0.1:{port}"), folder }
    }

    /// Runs `aws` and answers its output as JSON; it must succeed.
    fn aws(&self, words: &[&str]) -> Value {
        let output = self.command(words).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "aws {}: {stderr}", words.join(" "));
        if stdout.trim().is_empty() { Value::Null } else { serde_json::from_str(&stdout).unwrap() }
    }

    /// Runs `aws`, which must fail, and answers what it says.
    fn refused(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(!output.status.success(), "aws {} succeeded", words.join(" "));
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("aws");
        command
            .args(words)
            .args(["--output", "json"])
            .current_dir(self.folder.path())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("AWS_PAGER", "")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_MAX_ATTEMPTS", "1");
        command
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        format!("file://{}", path.display())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The part of the triggered task's stack that needs no container.
const TEMPLATE: &str = include_str!("template.json");

#[needs(aws)]
fn the_aws_command_line_makes_and_reads_everything_by_itself() {
    let engine = Engine::start();
    assert_eq!(engine.aws(&["sts", "get-caller-identity"])["Account"], "000000000000");
    clusters_and_definitions(&engine);
    parameters(&engine);
    logs(&engine);
    let key = secrets::keys(&engine);
    secrets::secrets(&engine, &key);
    secrets::secure_strings(&engine);
    let template = engine.write("template.json", TEMPLATE);
    stack(&engine, &template);
    network_and_roles(&engine);
    rules(&engine);
    tasks(&engine);
    engine.aws(&["cloudformation", "delete-stack", "--stack-name", "stock"]);
    engine.aws(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", "stock"]);
    let gone = engine.refused(&["cloudformation", "describe-stacks", "--stack-name", "stock"]);
    let own_vpcs = ["ec2", "describe-vpcs", "--filters", "Name=is-default,Values=false"];
    assert!(gone.contains("(ValidationError)") && gone.contains("Stack with id stock does not exist"), "{gone}");
    assert_eq!(engine.aws(&own_vpcs)["Vpcs"], json!([]));
}

fn clusters_and_definitions(engine: &Engine) {
    let made = engine.aws(&["ecs", "create-cluster", "--cluster-name", "own"]);
    assert_eq!(made["cluster"]["status"], "ACTIVE");
    assert_eq!(engine.aws(&["ecs", "list-clusters"])["clusterArns"], json!([made["cluster"]["clusterArn"]]));
    let described = engine.aws(&["ecs", "describe-clusters", "--clusters", "own", "none"]);
    assert_eq!(described["failures"][0]["reason"], "MISSING");
    let containers = json!([{ "name": "app", "image": "app", "command": ["true"] }]).to_string();
    let register = [
        "ecs",
        "register-task-definition",
        "--family",
        "own",
        "--cpu",
        "256",
        "--memory",
        "512",
        "--network-mode",
        "awsvpc",
        "--requires-compatibilities",
        "FARGATE",
        "--container-definitions",
        &containers,
    ];
    assert_eq!(engine.aws(&register)["taskDefinition"]["revision"], 1);
    assert_eq!(engine.aws(&register)["taskDefinition"]["revision"], 2);
    let latest = engine.aws(&["ecs", "describe-task-definition", "--task-definition", "own"]);
    assert_eq!(latest["taskDefinition"]["revision"], 2);
    let refused = engine.refused(&[
        "ecs",
        "register-task-definition",
        "--family",
        "own",
        "--cpu",
        "256",
        "--memory",
        "4096",
        "--network-mode",
        "awsvpc",
        "--requires-compatibilities",
        "FARGATE",
        "--container-definitions",
        &containers,
    ]);
    assert!(refused.contains("No Fargate configuration exists for given values."), "{refused}");
    let refused = engine.refused(&["ecs", "create-service", "--service-name", "x"]);
    assert!(refused.contains("(NotImplemented)") && refused.contains("ecs:CreateService"), "{refused}");
}

fn parameters(engine: &Engine) {
    engine.aws(&["ssm", "put-parameter", "--name", "/stock/a", "--value", "1", "--type", "String"]);
    assert_eq!(engine.aws(&["ssm", "get-parameter", "--name", "/stock/a"])["Parameter"]["Value"], "1");
    let all = engine.aws(&["ssm", "get-parameters-by-path", "--path", "/stock"]);
    assert_eq!(all["Parameters"].as_array().unwrap().len(), 1);
}

fn logs(engine: &Engine) {
    engine.aws(&["logs", "create-log-group", "--log-group-name", "own"]);
    engine.aws(&["logs", "create-log-stream", "--log-group-name", "own", "--log-stream-name", "s"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let events = json!([{ "timestamp": u64::try_from(now).unwrap(), "message": "häl\"lo\n" }]).to_string();
    engine.aws(&[
        "logs",
        "put-log-events",
        "--log-group-name",
        "own",
        "--log-stream-name",
        "s",
        "--log-events",
        &events,
    ]);
    let got = engine.aws(&["logs", "get-log-events", "--log-group-name", "own", "--log-stream-name", "s"]);
    assert_eq!(got["events"][0]["message"], "häl\"lo\n");
    let found = engine.aws(&["logs", "filter-log-events", "--log-group-name", "own", "--filter-pattern", "hello -häl"]);
    assert_eq!(found["events"], json!([]));
    assert_eq!(
        engine.aws(&["logs", "describe-log-streams", "--log-group-name", "own"])["logStreams"][0]["logStreamName"],
        "s"
    );
}

fn stack(engine: &Engine, template: &str) {
    let refused =
        engine.refused(&["cloudformation", "create-stack", "--stack-name", "stock", "--template-body", template]);
    assert!(refused.contains("(InsufficientCapabilitiesException)"), "{refused}");
    let create = [
        "cloudformation",
        "create-stack",
        "--stack-name",
        "stock",
        "--template-body",
        template,
        "--capabilities",
        "CAPABILITY_IAM",
    ];
    engine.aws(&create);
    engine.aws(&["cloudformation", "wait", "stack-create-complete", "--stack-name", "stock"]);
    let described = engine.aws(&["cloudformation", "describe-stacks", "--stack-name", "stock"]);
    assert_eq!(described["Stacks"][0]["StackStatus"], "CREATE_COMPLETE");
    let events = engine.aws(&["cloudformation", "describe-stack-events", "--stack-name", "stock"]);
    let statuses: Vec<_> =
        events["StackEvents"].as_array().unwrap().iter().map(|event| event["ResourceStatus"].clone()).collect();
    assert_eq!(
        (statuses.first(), statuses.last()),
        (Some(&json!("CREATE_COMPLETE")), Some(&json!("CREATE_IN_PROGRESS")))
    );
}

fn network_and_roles(engine: &Engine) {
    let vpcs = engine.aws(&["ec2", "describe-vpcs", "--filters", "Name=is-default,Values=false"]);
    let vpc = vpcs["Vpcs"][0]["VpcId"].as_str().unwrap();
    let subnets = engine.aws(&["ec2", "describe-subnets", "--filters", &format!("Name=vpc-id,Values={vpc}")]);
    assert_eq!(subnets["Subnets"][0]["AvailableIpAddressCount"], 251);
    let groups = engine.aws(&["ec2", "describe-security-groups", "--filters", &format!("Name=vpc-id,Values={vpc}")]);
    assert_eq!(groups["SecurityGroups"].as_array().unwrap().len(), 2);
    let role = output(engine, "Role");
    assert_eq!(engine.aws(&["iam", "get-role", "--role-name", &role])["Role"]["RoleName"], json!(role));
    let missing = engine.refused(&["iam", "get-role", "--role-name", "none"]);
    assert!(missing.contains("(NoSuchEntity)"), "{missing}");
}

fn rules(engine: &Engine) {
    engine.aws(&["events", "put-rule", "--name", "own", "--event-pattern", r#"{"source":["own"]}"#]);
    let cluster = engine.aws(&["ecs", "list-clusters"])["clusterArns"][0].clone();
    let refused = engine.refused(&[
        "events",
        "put-targets",
        "--rule",
        "own",
        "--targets",
        &json!([{ "Id": "1", "Arn": cluster }]).to_string(),
    ]);
    assert!(refused.contains("(ValidationException)"), "{refused}");
    let names = engine.aws(&["events", "list-rules", "--name-prefix", "own"]);
    assert_eq!(names["Rules"][0]["State"], "ENABLED");
    let rule = output(engine, "Rule");
    let targets = engine.aws(&["events", "list-targets-by-rule", "--rule", &rule]);
    assert_eq!(targets["Targets"][0]["Id"], "task");
    let entries = json!([{ "Source": "nobody", "DetailType": "x", "Detail": "{}" }, { "Source": "aws.x", "DetailType": "x", "Detail": "{}" }]);
    let put = engine.aws(&["events", "put-events", "--entries", &entries.to_string()]);
    assert_eq!(
        (&put["FailedEntryCount"], &put["Entries"][1]["ErrorCode"]),
        (&json!(1), &json!("NotAuthorizedForSourceException"))
    );
}

/// A task whose image is not there: it must stop with AWS's reason, and `aws ecs wait` must see it.
fn tasks(engine: &Engine) {
    let (cluster, subnet) = (output(engine, "Cluster"), output(engine, "Subnet"));
    let network = format!("awsvpcConfiguration={{subnets=[{subnet}]}}");
    let run = engine.aws(&[
        "ecs",
        "run-task",
        "--cluster",
        &cluster,
        "--task-definition",
        "own",
        "--launch-type",
        "FARGATE",
        "--network-configuration",
        &network,
    ]);
    let task = run["tasks"][0]["taskArn"].as_str().unwrap();
    assert_eq!(run["tasks"][0]["lastStatus"], "PROVISIONING");
    engine.aws(&["ecs", "wait", "tasks-stopped", "--cluster", &cluster, "--tasks", task]);
    let described = engine.aws(&["ecs", "describe-tasks", "--cluster", &cluster, "--tasks", task]);
    let reason = described["tasks"][0]["stoppedReason"].as_str().unwrap();
    assert!(
        reason.starts_with("CannotPullContainerError: ") && reason.ends_with("docker.io/library/app:latest: not found"),
        "{reason}"
    );
    assert_eq!(described["tasks"][0]["stopCode"], "TaskFailedToStart");
    let stopped = engine.aws(&["ecs", "list-tasks", "--cluster", &cluster, "--desired-status", "STOPPED"]);
    assert_eq!(stopped["taskArns"], json!([task]));
    let again = engine.aws(&["ecs", "stop-task", "--cluster", &cluster, "--task", task]);
    assert_eq!(again["task"]["lastStatus"], "STOPPED");
}

fn output(engine: &Engine, key: &str) -> String {
    let described = engine.aws(&["cloudformation", "describe-stacks", "--stack-name", "stock"]);
    let outputs = described["Stacks"][0]["Outputs"].as_array().unwrap();
    outputs.iter().find(|output| output["OutputKey"] == key).unwrap()["OutputValue"].as_str().unwrap().to_owned()
}

#[needs(aws)]
fn a_wrong_secret_and_an_unknown_key_are_refused() {
    let engine = Engine::start();
    let mut command = engine.command(&["ecs", "list-clusters"]);
    let output = command.env("AWS_SECRET_ACCESS_KEY", "wrong").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("(InvalidSignatureException)"), "{output:?}");
    let mut command = engine.command(&["ecs", "list-clusters"]);
    let output = command.env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("(UnrecognizedClientException)"), "{output:?}");
    assert!(Path::new(engine.folder.path()).exists());
}

fn main() -> std::process::ExitCode {
    neargate_testkit::needs::run(&[Need {
        name: "aws",
        required_by: "NEARGATE_REQUIRE_ORACLES",
        missing: || missing_program("aws"),
    }])
}
