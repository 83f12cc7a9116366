//! An engine in the foreground, and the shell beside it.

use neargate_testkit::needs::needs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use expect_test::expect;
use serde_json::Value as Json;

use crate::harness::{GREETER, Place, fixture};
use crate::running::Running;

/// An engine with the greeter, its stdout after the first line, and its port.
fn up(place: &Place, more: &[&str]) -> (Child, BufReader<ChildStdout>, String) {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let twice = template.replace("exit $CODE'", "echo again; exit $CODE'");
    place.write("app/task.yaml", &twice).write("app/neargate.toml", GREETER);
    let arguments = [&["up", "app", "--port", "0", "--data-dir", "data"], more].concat();
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let port = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (child, reader, port)
}

#[needs(containers)]
fn what_containers_print_is_shown_or_not() {
    for (more, lines) in [(&[][..], "        main │ nobody, schedule\n        main │ again\n"), (&["--no-logs"], "")]
    {
        let place = Place::new();
        let (mut child, reader, port) = up(&place, more);
        assert_eq!(place.run(&["schedule", "fire", "Monthly", "--port", &port]).code, 0);
        // Arrives once the task has stopped.
        assert_eq!(place.run(&["clock", "advance", "1s", "--port", &port]).code, 0);
        let mut shown = String::new();
        let mut rest = reader.lines();
        for _ in lines.lines() {
            shown.push_str(&format!("{}\n", rest.next().unwrap().unwrap()));
        }
        assert_eq!(place.run(&["down", "--purge", "--port", &port]).code, 0);
        rest.for_each(|line| shown.push_str(&line.unwrap()));
        assert_eq!(shown, lines);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[needs(containers)]
fn variables_for_clients() {
    let template = "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: b}}}";
    let engine = Running::start(template, "template = \"task.yaml\"");
    let ran = engine.place.run(&["env", "--port", &engine.port]);
    let line = ran.stdout.replace(&engine.port, "PORT");
    expect![[r#"
        export AWS_ENDPOINT_URL=http://127.0.0.1:PORT AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
    "#]].assert_eq(&line);
    // The line that `up` writes is the same.
    assert_eq!(engine.ok(&["up"]), ran.stdout);
    let ran = engine.place.run(&["env", "--port", &engine.port, "--format", "json"]);
    let variables: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(variables["AWS_DEFAULT_REGION"], "us-east-1");
    let ran = Place::new().run(&["env", "--port", "1"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
}

#[needs(containers)]
fn an_app_may_look_up_a_network_and_a_key_that_the_engine_has() {
    let network = r"
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16, Tags: [{Key: Name, Value: net}]}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.9.1.0/24, Tags: [{Key: 'aws-cdk:subnet-name', Value: inner}]}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: d, GroupName: g, VpcId: !Ref Vpc}}
  Key: {Type: AWS::KMS::Key}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/own, TargetKeyId: !Ref Key}}
";
    let engine = Running::start(network, "template = \"task.yaml\"");
    let app = r#"
mkdir -p "$CDK_OUTDIR"
printf '%s' "$CDK_CONTEXT_JSON" > context.json
ask='{"provider": "vpc-provider", "key": "vpc", "props": {"account": "000000000000", "region": "us-east-1", "filter": {"tag:Name": "net"}, "returnAsymmetricSubnets": true}},
     {"provider": "security-group", "key": "group", "props": {"account": "000000000000", "region": "us-east-1", "securityGroupName": "g"}},
     {"provider": "key-provider", "key": "key", "props": {"account": "000000000000", "region": "us-east-1", "aliasName": "alias/own"}}'
grep -q '"vpcId":"vpc-' context.json && ask=
printf '{"version": "55.0.0", "missing": [%s], "artifacts": {}}' "$ask" > "$CDK_OUTDIR/manifest.json"
"#;
    engine.place.write("looks/app.sh", app).write("looks/neargate.toml", "app = \"sh app.sh\"");
    engine.ok(&["up", "looks"]);
    let context: Json =
        serde_json::from_str(&std::fs::read_to_string(engine.place.path("looks/context.json")).unwrap()).unwrap();
    let vpc = &context["vpc"];
    assert_eq!((&vpc["vpcCidrBlock"], &vpc["ownerAccountId"]), (&"10.9.0.0/16".into(), &"000000000000".into()));
    let group = &vpc["subnetGroups"][0];
    assert_eq!((&group["type"], &group["name"]), (&"Isolated".into(), &"inner".into()));
    let subnet = &group["subnets"][0];
    assert_eq!((&subnet["cidr"], &subnet["availabilityZone"]), (&"10.9.1.0/24".into(), &"us-east-1a".into()));
    assert!(subnet["routeTableId"].as_str().unwrap().starts_with("rtb-"), "{vpc}");
    assert_eq!(context["group"]["allowAllOutbound"], true);
    assert_eq!(context["key"]["keyId"].as_str().unwrap().len(), 36, "{context}");
    // Without an engine there is no such network.
    let ran = engine.place.run(&["synth", "looks"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("NG-E0207") && ran.stderr.contains("\"vpcId\": \"vpc-12345\""), "{}", ran.stderr);
}

#[needs()]
fn a_rust_package_is_an_app_by_itself() {
    let place = Place::new();
    let cargo = "#!/bin/sh\necho \"cargo $*\"\nmkdir -p \"$CDK_OUTDIR\"\n\
                 echo '{\"version\": \"55.0.0\", \"artifacts\": {}}' > \"$CDK_OUTDIR/manifest.json\"\n";
    place
        .write("bin/cargo", cargo)
        .write("app/Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nneargate = \"0.1\"\n");
    place.write("other/Cargo.toml", "[package]\nname = \"other\"\n[dependencies]\nserde = \"1\"\n");
    std::fs::set_permissions(place.path("bin/cargo"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let run = |directory: &str| {
        let mut command = place.command(&["synth"]);
        let output = command.env("PATH", &path).current_dir(place.path(directory)).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run("app");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("cargo run --quiet --release"), "{stderr}");
    let (code, stderr) = run("other");
    assert_eq!(code, Some(2), "{stderr}");
    // A configuration that says something else of it does not make it another.
    place.write("app/neargate.toml", "[parameters]\n");
    assert_eq!(run("app").0, Some(0));
}

#[needs(containers)]
fn a_reader_that_goes_away_ends_what_it_read() {
    let place = Place::new();
    let (mut child, reader, port) = up(&place, &[]);
    let tail = || {
        let mut command = place.command(&["logs", "tail", "--follow", "task", "--port", &port]);
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let fire = || {
        assert_eq!(place.run(&["schedule", "fire", "Monthly", "--port", &port]).code, 0);
        place.run(&["clock", "advance", "1s", "--port", &port]);
    };
    fire();
    // Reads a line and goes, as `head` does; whoever writes the next one learns of it.
    let mut tail = tail();
    let mut line = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("nobody, schedule"), "{line}");
    drop(reader);
    fire();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(place.run(&["env", "--port", &port]).code, 1, "nobody answers there any more");
    // It has had a line to write, or else finds no engine.
    assert!(matches!(tail.wait().unwrap().code(), Some(141 | 1)));
    assert_eq!(place.run(&["down", "--purge", "--data-dir", "data", "--port", &port]).code, 0);
}

#[needs(containers)]
fn a_trial_whose_reader_goes_away_is_taken_down() {
    let place = Place::new();
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let endless = template.replace("exit $CODE'", "while :; do echo again; sleep 0.1; done'");
    place.write("app/task.yaml", &endless).write("app/neargate.toml", GREETER);
    let mut command = place.command(&["try", "app", "--fire", "Monthly"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "        main │ nobody, schedule\n");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(141), "{stderr}");
    assert!(stderr.contains("broken off by SIGPIPE: nobody reads the output any more"), "{stderr}");
    assert!(stderr.contains("everything that was started has been taken down"), "{stderr}");
    assert_eq!(place.left_over(), Vec::<String>::new());
}

#[needs(containers)]
fn what_is_not_acted_on_is_said_by_a_detached_up_too() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let place = Place::new();
    place.write("app/task.yaml", &template).write("app/neargate.toml", GREETER);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let said = |app: &str| {
        let ran = place.run(&["up", app, "--detach", "--port", &port]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let lines = ran.stderr.lines().filter_map(|line| line.trim().strip_prefix("not acted on "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let first = said("app");
    assert!(first.iter().any(|line| line.contains("no packet is filtered")), "{first:?}");
    // Once: nothing is new the second time; what another stack brings is.
    assert_eq!(said("app"), Vec::<String>::new());
    let group = "Resources: {Group: {Type: 'AWS::EC2::SecurityGroup', Properties: {GroupDescription: d}}}";
    place.write("more.yaml", group);
    let more = said("more.yaml");
    assert!(more.len() == 1 && more[0].contains("no packet is filtered"), "{more:?}");
    place.run(&["down", "--purge", "--port", &port]);
}
