//! `[fixtures]`: what is there before the stacks, and what is missing.

use expect_test::{Expect, expect};
use neargate_api::secretsmanager::SERVICE as SECRETS;
use neargate_api::ssm::SERVICE as SSM;
use neargate_testkit::needs::needs;
use serde_json::{Value as Json, json};

use crate::client::call;
use crate::harness::Place;
use crate::running::Running;

/// A task that takes in secrets and parameters in every way there is.
const IMPORTS: &str = r"
Parameters:
  Image:
    Type: AWS::SSM::Parameter::Value<String>
    Default: /corp/image
  Version:
    Type: AWS::SSM::Parameter::Value<String>
    Default: /cdk-bootstrap/hnb659fds/version
Resources:
  Own:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: own, SecretString: x}
  OwnParameter:
    Type: AWS::SSM::Parameter
    Properties: {Name: /own, Type: String, Value: x}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: '{{resolve:ssm:/corp/team:3}} {{resolve:ssm:/own}}'
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
  Task:
    Type: AWS::ECS::TaskDefinition
    Metadata: {'aws:cdk:path': App/Job/TaskDef/Resource}
    Properties:
      Cpu: '256'
      Memory: '512'
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ExecutionRoleArn: !GetAtt Role.Arn
      ContainerDefinitions:
        - Name: main
          Image: !Ref Image
          Secrets:
            - {Name: MADE, ValueFrom: !Ref Own}
            - {Name: OWN, ValueFrom: !Sub 'arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:own'}
            - Name: API_KEY
              ValueFrom: !Join ['', ['arn:', !Ref AWS::Partition, ':secretsmanager:', !Ref AWS::Region, ':', !Ref AWS::AccountId, ':secret:app/creds:apiKey::']]
            - Name: USER
              ValueFrom: !Join ['', ['arn:', !Ref AWS::Partition, ':secretsmanager:', !Ref AWS::Region, ':', !Ref AWS::AccountId, ':secret:app/creds:user.name::']]
            - {Name: TOKEN, ValueFrom: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/token-AbCdEf'}
            - {Name: PASSWORD, ValueFrom: /corp/password}
            - {Name: HOST, ValueFrom: !Sub 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/corp/host'}
            - {Name: PORT, ValueFrom: !Sub 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/port'}
            - {Name: OWN_PARAMETER, ValueFrom: !Sub 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/own'}
  Never:
    Type: AWS::ECS::TaskDefinition
    Condition: Nowhere
    Properties:
      ContainerDefinitions: [{Name: main, Image: x, Secrets: [{Name: A, ValueFrom: /never}]}]
Conditions:
  Nowhere: !Equals [a, b]
";

#[needs(containers)]
fn what_is_missing_is_named_before_anything_is_made() {
    let place = Place::new();
    place.write("app.yaml", IMPORTS);
    place.check(&["try", "app.yaml"], expect![[r#"
        exit 125
        --- stderr
        error[NG-P0203]: `App/Job/TaskDef` takes in the secret `app/creds`, which neither the app nor the engine has
          for `API_KEY` in container `main`
          for `USER` in container `main`

        error[NG-P0203]: `app` takes in the parameter `/corp/image`, which neither the app nor the engine has
          for parameter `Image` of the template

        error[NG-P0203]: `App/Job/TaskDef` takes in the parameter `/corp/password`, which neither the app nor the engine has
          for `PASSWORD` in container `main`

        error[NG-P0203]: `Role` takes in the parameter `/corp/team`, which neither the app nor the engine has
          for `{{resolve:ssm:/corp/team:3}}`

        error[NG-P0203]: `App/Job/TaskDef` takes in the parameter `/corp/host`, which neither the app nor the engine has
          for `HOST` in container `main`

        error[NG-P0203]: `App/Job/TaskDef` takes in the parameter `port`, which neither the app nor the engine has
          for `PORT` in container `main`

        error[NG-P0203]: `App/Job/TaskDef` takes in the secret `arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/token-AbCdEf`, which neither the app nor the engine has
          for `TOKEN` in container `main`

        hint: add to `neargate.toml`:

        [fixtures.secrets]
        "app/creds" = { json = { apiKey = { random = 32 }, "user.name" = { random = 32 } } }
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/token-AbCdEf" = { random = 32 }

        [fixtures.ssm]
        "/corp/host" = { secure = { random = 32 } }
        "/corp/image" = "…"
        "/corp/password" = { secure = { random = 32 } }
        "/corp/team" = "…"
        "port" = { secure = { random = 32 } }
    "#]]);
    // The lines of the hint are all there is to do.
    let stderr = place.run(&["try", "app.yaml"]).stderr;
    let lines = stderr.split_once("add to `neargate.toml`:").unwrap().1;
    place.write("app/neargate.toml", &format!("template = \"../app.yaml\"\n{lines}"));
    let ran = place.run(&["try", "app"]);
    assert!(!ran.stderr.contains("NG-P0203"), "{}", ran.stderr);
    for name in ["secret app/creds", "ssm /corp/host", "ssm port"] {
        assert!(ran.stderr.contains(&format!("fixture {name}\n")), "{name}: {}", ran.stderr);
    }
}

/// All fixtures that `IMPORTS` asks for, but for this one.
fn with_creds(creds: &str) -> Place {
    let place = Place::new();
    place.write("app.yaml", IMPORTS).write(
        "neargate.toml",
        &format!(
            r#"
template = "app.yaml"
[fixtures.ssm]
"/corp/image" = "No image"
"/corp/host" = "a"
"port" = "a"
"/corp/password" = {{ secure = "a" }}
"/corp/team" = "a"
[fixtures.secrets]
"app/creds" = {creds}
"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/token-AbCdEf" = {{ random = 9 }}
"#
        ),
    );
    place
}

#[needs(containers)]
fn a_key_that_a_fixture_lacks() {
    let lacks = |creds: &str, expected: Expect| {
        let ran = with_creds(creds).run(&["try"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (125, ""));
        expected.assert_eq(&ran.stderr);
    };
    lacks(
        r#"{ json = { apiKey = "a" } }"#,
        expect![[r#"
            error[NG-P0203]: the fixture `app/creds` has no key `user.name`
              for `USER` in container `main` of `App/Job/TaskDef`

            hint: give it one: `"app/creds" = { json = { "user.name" = … } }`
        "#]],
    );
    // A text is an object where it spells one out.
    lacks(
        r#"'{"apiKey":"a"}'"#,
        expect![[r#"
            error[NG-P0203]: the fixture `app/creds` has no key `user.name`
              for `USER` in container `main` of `App/Job/TaskDef`

            hint: give it one: `"app/creds" = { json = { "user.name" = … } }`
        "#]],
    );
    lacks(
        r#"'["apiKey", "user.name"]'"#,
        expect![[r#"
            error[NG-P0203]: the fixture `app/creds` is a text, and its key `apiKey` is asked for
              for `API_KEY` in container `main` of `App/Job/TaskDef`

            hint: give it one: `"app/creds" = { json = { apiKey = … } }`

            error[NG-P0203]: the fixture `app/creds` is a text, and its key `user.name` is asked for
              for `USER` in container `main` of `App/Job/TaskDef`

            hint: give it one: `"app/creds" = { json = { "user.name" = … } }`
        "#]],
    );
    let ran = with_creds(r#"'{"apiKey":"a","user.name":"b"}'"#).run(&["try"]);
    assert!(!ran.stderr.contains("NG-P0203") && ran.stderr.contains("fixture secret app/creds"), "{}", ran.stderr);
}

const CONFIG: &str = r#"
template = "task.yaml"
[fixtures.ssm]
"/corp/plain" = "PLAIN"
"/corp/random" = { secure = { random = 20 } }
"/corp/secure" = { secure = "SECURE" }
[fixtures.secrets]
"app/creds" = { json = { apiKey = { random = 32 }, user = "USER", list = [1, { random = 2 }] } }
"app/token" = { random = 40 }
"app/text" = "TEXT"
"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf" = { json = { key = { random = 8 } } }
"#;

const EMPTY: &str = "Resources: {Cluster: {Type: 'AWS::ECS::Cluster'}}";

#[needs(containers)]
fn random_secrets_stay_and_others_follow_the_file() {
    let engine = Running::start(EMPTY, CONFIG);
    let secret = |name: &str| {
        let answer = call(&engine.port, "us-east-1", &SECRETS, "GetSecretValue", json!({ "SecretId": name })).unwrap();
        answer["SecretString"].as_str().unwrap().to_owned()
    };
    let creds = |name: &str| serde_json::from_str::<Json>(&secret(name)).unwrap();
    let (before, token) = (creds("app/creds"), secret("app/token"));
    let key = before["apiKey"].as_str().unwrap();
    assert!(key.len() == 32 && key.chars().all(|c| c.is_ascii_alphanumeric()), "{key}");
    assert_eq!((before["user"].as_str(), before["list"][0].as_i64()), (Some("USER"), Some(1)));
    assert_eq!((before["list"][1].as_str().unwrap().len(), token.len()), (2, 40));
    assert_eq!(secret("app/text"), "TEXT");
    let parameter = |name: &str| {
        let input = json!({ "Name": name, "WithDecryption": true });
        let answer = call(&engine.port, "us-east-1", &SSM, "GetParameter", input).unwrap();
        let text = |member: &str| answer["Parameter"][member].as_str().unwrap().to_owned();
        (text("Type"), text("Value"))
    };
    let random = parameter("/corp/random");
    assert_eq!((random.0.as_str(), random.1.len()), ("SecureString", 20));
    assert_eq!(parameter("/corp/secure"), ("SecureString".to_owned(), "SECURE".to_owned()));
    // A secret by complete ARN is at that ARN, in its own account and region.
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf";
    let elsewhere = call(&engine.port, "eu-west-1", &SECRETS, "DescribeSecret", json!({ "SecretId": "app/creds" }));
    assert!(elsewhere.unwrap_err().contains("ResourceNotFoundException"));

    // Again, the same; then with another value, another key and one key less.
    let (_, _, stderr) = engine.run(&["up", "app"]);
    assert_eq!(told(&stderr), expect_unchanged(arn));
    assert_eq!((creds("app/creds"), secret("app/token")), (before.clone(), token));
    assert_eq!(parameter("/corp/random"), random);
    let changed = CONFIG.replace("\"USER\", list = [1, { random = 2 }]", "\"OTHER\"").replace("PLAIN", "OTHER");
    engine.place.write("app/neargate.toml", &changed);
    let (_, stdout, stderr) = engine.run(&["up", "app", "--format", "json"]);
    assert!(told(&stderr).contains("fixture secret app/creds  changed"), "{stderr}");
    assert_eq!(creds("app/creds"), json!({ "apiKey": key, "user": "OTHER" }));
    assert_eq!(parameter("/corp/plain"), ("String".to_owned(), "OTHER".to_owned()));
    // Names are said, values are not.
    for value in ["PLAIN", "SECURE", "TEXT", "USER", "OTHER", key, &random.1] {
        assert!(!stdout.contains(value) && !stderr.contains(value), "{value}: {stdout}{stderr}");
    }
}

/// A stack in the account and region of a secret that has both its name and its ARN in the file.
#[needs(containers)]
fn a_secret_by_its_name_and_by_its_arn() {
    let place = Place::new();
    let manifest = json!({
        "version": "36.0.0",
        "artifacts": { "Task": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://123456789012/eu-west-1",
            "properties": { "templateFile": "Task.template.json" },
        } },
    });
    place.write("out/manifest.json", &manifest.to_string()).write(
        "out/Task.template.json",
        r"
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Cpu: '256'
      Memory: '512'
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ExecutionRoleArn: arn:aws:iam::123456789012:role/other
      ContainerDefinitions:
        - Name: main
          Image: x
          Secrets: [{Name: KEY, ValueFrom: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds:key::'}]
",
    );
    let config =
        CONFIG.replace("template = \"task.yaml\"", "app = 'mkdir -p \"$CDK_OUTDIR\"; cp ../out/* \"$CDK_OUTDIR\"'");
    let engine = Running::start_in(place, &config);
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf";
    let (_, _, stderr) = engine.run(&["up", "app"]);
    assert_eq!(told(&stderr), expect_unchanged(arn).replace("fixture secret app/creds  unchanged\n", ""));
}

#[needs(containers)]
fn a_parameter_that_becomes_secure() {
    let config = |value: &str| format!("template = \"task.yaml\"\n[fixtures.ssm]\n\"/a\" = {value}\n");
    let engine = Running::start(EMPTY, &config("'PLAIN'"));
    let up = |value: &str| {
        engine.place.write("app/neargate.toml", &config(value));
        engine.ok(&["up", "app"]);
        let input = json!({ "Name": "/a", "WithDecryption": true });
        let parameter = call(&engine.port, "us-east-1", &SSM, "GetParameter", input).unwrap()["Parameter"].take();
        (parameter["Type"].as_str().unwrap().to_owned(), parameter["Value"].as_str().unwrap().to_owned())
    };
    assert_eq!(up("{ secure = 'SECURE' }"), ("SecureString".to_owned(), "SECURE".to_owned()));
    assert_eq!(up("'PLAIN'"), ("String".to_owned(), "PLAIN".to_owned()));
    // What was there in plain text is no random text.
    let (kind, value) = up("{ secure = { random = 20 } }");
    assert_eq!((kind.as_str(), value.len()), ("SecureString", 20), "{value}");
    assert_eq!(up("{ secure = { random = 20 } }").1, value);
}

fn told(stderr: &str) -> String {
    stderr.lines().filter(|line| line.contains("fixture")).map(|line| format!("{}\n", line.trim())).collect()
}

fn expect_unchanged(arn: &str) -> String {
    let names = [
        &format!("secret {arn}"),
        "secret app/creds",
        "secret app/text",
        "secret app/token",
        "ssm /corp/plain",
        "ssm /corp/random",
        "ssm /corp/secure",
    ];
    names.iter().map(|name| format!("fixture {name}  unchanged\n")).collect()
}

#[needs(containers)]
fn a_fixture_that_is_refused_is_named() {
    let place = Place::new();
    let template = "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: b}}}";
    place.write("app/task.yaml", template);
    place.write("app/neargate.toml", "template = \"task.yaml\"\n[fixtures.ssm]\n\"/a b\" = \"x\"\n");
    let ran = place.run(&["try", "app"]);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    for part in ["ssm:PutParameter", "ValidationException", "for `/a b` under `[fixtures.ssm]`"] {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
}
