//! What an app lacks is told at once, before anything is made; what the configuration provides is enough.

use expect_test::expect;
use neargate_testkit::needs::needs;
use serde_json::{Value as Json, json};

use crate::harness::{GREETER, Place, fixture};
use crate::running::Running;

/// A stack with a task that asks for an image, and more resources.
fn stack(image: &Json, more: &Json) -> Json {
    let mut resources = json!({ "Job": { "Type": "AWS::ECS::TaskDefinition", "Properties": {
        "Family": "job", "Cpu": "256", "Memory": "512", "NetworkMode": "awsvpc", "RequiresCompatibilities": ["FARGATE"],
        "ContainerDefinitions": [{ "Name": "main", "Image": image }],
    } } });
    for (id, resource) in more.as_object().unwrap() {
        resources[id] = resource.clone();
    }
    json!({ "Resources": resources })
}

/// An assembly with stacks of these names.
fn assembly(place: &Place, stacks: &[(&str, Json)]) {
    let mut artifacts = json!({});
    for (name, template) in stacks {
        place.write(&format!("cdk.out/{name}.template.json"), &format!("{template:#}"));
        artifacts[*name] = json!({ "type": "aws:cloudformation:stack", "dependencies": [format!("{name}.assets")],
            "properties": { "templateFile": format!("{name}.template.json"), "stackName": name } });
        artifacts[format!("{name}.assets")] = json!({ "type": "cdk:asset-manifest",
            "properties": { "file": format!("{name}.assets.json") } });
        if !place.path(&format!("cdk.out/{name}.assets.json")).exists() {
            place.write(&format!("cdk.out/{name}.assets.json"), "{}");
        }
    }
    place.write("cdk.out/manifest.json", &json!({ "version": "55.0.0", "artifacts": artifacts }).to_string());
}

#[needs(containers)]
fn everything_that_stacks_lack_is_told_before_the_first_is_made() {
    let place = Place::new();
    let import = json!({ "Type": "AWS::SSM::Parameter",
        "Properties": { "Type": "String", "Value": { "Fn::Join": ["", [{ "Fn::ImportValue": "other:Name" }, "!"]] } } });
    let secret = json!({ "Type": "AWS::SSM::Parameter",
        "Properties": { "Type": "String", "Value": "{{resolve:ssm:/corp/team}}" } });
    let read = json!({ "Type": "AWS::SSM::Parameter",
        "Properties": { "Type": "String", "Value": "{{resolve:ssm:/cdk/exports/Two/One}}" } });
    let writer = json!({ "Type": "Custom::CrossRegionExportWriter",
        "Properties": { "WriterProps": { "region": "eu-west-1", "exports": { "/cdk/exports/Two/One": "1" } } } });
    assembly(
        &place,
        &[
            ("One", stack(&json!("corp/one:1"), &json!({ "Q": { "Type": "AWS::SQS::Queue" }, "Writer": writer }))),
            (
                "Two",
                stack(
                    &json!({ "Fn::Sub": "corp/two:${AWS::Region}" }),
                    &json!({ "Import": import, "Secret": secret, "Read": read,
            "P": { "Type": "AWS::SQS::Queue" }, "Typo": { "Type": "AWS::Log::LogGroup" } }),
                ),
            ),
            ("Empty", json!({})),
        ],
    );
    let text = expect![[r#"
        exit 125
        --- stderr
        warning[NG-P0201]: the stack `Empty` has no resources and is left out
        error[NG-P0204]: unrecognized resource type `AWS::Log::LogGroup`
          `Typo` of stack `Two` at Two.template.json:57:5

        hint: did you mean `AWS::Logs::LogGroup`?

        error[NG-P0204]: unrecognized resource type `AWS::SQS::Queue`: Neargate does not run it
          `Q` of stack `One` at One.template.json:21:5
          `P` of stack `Two` at Two.template.json:54:5

        error[NG-P0203]: `Import` takes in the export `other:Name`, which neither the app nor the engine has
          for `Fn::ImportValue`

        error[NG-P0203]: `Secret` takes in the parameter `/corp/team`, which neither the app nor the engine has
          for `{{resolve:ssm:/corp/team}}`

        error[NG-P0203]: `Job` asks for the image `corp/one:1`, which no store has
          for container `main`

        error[NG-P0203]: `Job` asks for the image `corp/two:us-east-1`, which no store has
          for container `main`

        hint: add to `neargate.toml`:

        [images]
        "corp/one:1" = { build = "DIR" }
        "corp/two:us-east-1" = { build = "DIR" }

        [fixtures.exports]
        "other:Name" = "…"

        [fixtures.ssm]
        "/corp/team" = "…"
    "#]];
    place.check(&["try", "cdk.out"], text);
    assert_eq!(place.left_over(), Vec::<String>::new());
}

#[needs(containers)]
fn parameters_have_values_of_the_command_line_or_lines_to_add() {
    let place = Place::new();
    let bus = "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: !Ref Stage}}}";
    let kinds =
        "Parameters:\n  Stage: {Type: String, AllowedValues: [dev, prod]}\n  Team: {Type: String, Default: x}\n";
    place.write("app.yaml", &format!("{kinds}{bus}\n"));
    place.check(
        &["try", "app.yaml"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-T0013]: the parameter `Stage` has no value
              at app.yaml:2:3 (stack `app`)

            hint: give it a value, or a `Default` in the template
            hint: add to `neargate.toml`:

            [parameters]
            Stage = "…"
        "#]],
    );
    place.check(
        &["try", "app.yaml", "--parameter", "Stage=test"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-T0013]: `Stage` is `test`, expected one of `dev`, `prod`
              at app.yaml:2:3 (stack `app`)
        "#]],
    );
    place.check(
        &["try", "app.yaml", "--parameter", "Stag=dev"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-E0209]: no stack has a parameter `Stag`

            hint: did you mean `Stage`?
        "#]],
    );
    place.check(
        &["try", "app.yaml", "--parameter", "Stage"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-E0209]: `--parameter` must be `NAME=VALUE`, got `Stage`
        "#]],
    );
    let ran = place.run(&["try", "app.yaml", "--parameter", "Stage=dev", "--parameter", "Team=a=b"]);
    assert!(ran.stderr.contains("CREATE_COMPLETE"), "{}", ran.stderr);
}

#[needs(containers)]
fn outputs_are_shown() {
    let place = Place::new();
    let template = "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: b}}}\n\
                    Outputs: {BusName: {Value: !Ref Bus}, ExportsOutputRefBus: {Value: !Ref Bus}}\n";
    place.write("app.yaml", template);
    let ran = place.run(&["try", "app.yaml"]);
    assert!(ran.stderr.contains("output BusName  b\n") && !ran.stderr.contains("ExportsOutput"), "{}", ran.stderr);
}

#[needs()]
fn an_app_may_have_nothing_but_empty_stacks() {
    let place = Place::new();
    assembly(&place, &[("Empty", json!({})), ("None", json!({ "Resources": {} }))]);
    place.check(
        &["synth", "cdk.out"],
        expect![[r#"
        exit 0
        --- stderr
        warning[NG-P0201]: the stack `Empty` has no resources and is left out
        warning[NG-P0201]: the stack `None` has no resources and is left out
    "#]],
    );
}

#[needs(containers)]
fn the_transform_of_a_serverless_template_comes_first() {
    let place = Place::new();
    place.write("sam.yaml", "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: 3}}\nResources:\n  F: {Type: AWS::Serverless::Function}\n");
    place.check(
        &["try", "sam.yaml"],
        expect![[r#"
            exit 125
            --- stderr
            error[NG-T0005]: the transform `AWS::Serverless-2016-10-31` is not implemented
              at Transform
              [PLACE]/sam.yaml:1:1

            hint: give the template as the transform leaves it (`cdk synth`, `sam build`)
        "#]],
    );
}

#[needs(containers)]
fn exports_and_public_parameters_are_provided() {
    let template = json!({
        "Parameters": { "Ami": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/aws/service/corp/ami" } },
        "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String",
            "Value": { "Fn::Sub": ["${Vpc} ${Ami}", { "Vpc": { "Fn::ImportValue": "net:Vpc" } }] } } } },
        "Outputs": { "Text": { "Value": { "Fn::GetAtt": ["P", "Value"] } } },
    });
    let config = "template = \"task.yaml\"\n[fixtures.exports]\n\"net:Vpc\" = \"vpc-1\"\n[fixtures.ssm]\n\"/aws/service/corp/ami\" = \"ami-1\"\n";
    let engine = Running::start(&template.to_string(), config);
    let output = || {
        let document: Json = serde_json::from_str(&engine.ok(&["up", "app", "--format", "json"])).unwrap();
        document["stacks"][0]["outputs"]["Text"].clone()
    };
    assert_eq!(output(), "vpc-1 ami-1");
    engine.place.write("app/neargate.toml", &config.replace("ami-1", "ami-2"));
    assert_eq!(output(), "vpc-1 ami-2");
    // An export that is imported cannot change, as on AWS.
    engine.place.write("app/neargate.toml", &config.replace("vpc-1", "vpc-2"));
    let (code, _, stderr) = engine.run(&["up", "app"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("net:Vpc") && stderr.contains("in use"), "{stderr}");
}

#[needs(containers)]
fn an_engine_warns_of_an_image_that_is_not_there() {
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let without = GREETER.lines().filter(|line| !line.contains("host_programs")).collect::<Vec<_>>().join("\n");
    let engine = Running::start(&template, &without);
    let (code, _, stderr) = engine.run(&["up", "app"]);
    assert_eq!(code, 0);
    let warning = "warning[NG-P0203]: `Task` asks for the image `test/greeter:1`, which no store has";
    assert!(stderr.contains(warning) && stderr.contains("\"test/greeter:1\" = { build = \"DIR\" }"), "{stderr}");
}

#[needs(containers)]
fn an_image_that_nobody_asks_for_is_told() {
    let place = Place::new();
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    place.write("app/task.yaml", &template);
    place.write("app/neargate.toml", &GREETER.replace("\"test/greeter:1\" = {", "\"test/greter:1\" = {"));
    let ran = place.run(&["try", "app"]);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    let warning = "warning[NG-E0205]: no task asks for the image `test/greter:1` of `[images]`\n\nhint: did you mean `test/greeter:1`?";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
}

#[needs(containers)]
fn an_image_pinned_by_digest_has_a_stand_in() {
    let place = Place::new();
    let name = format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter@sha256:{}", "6b".repeat(32));
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    place.write("app/task.yaml", &template).write("app/neargate.toml", &GREETER.replace("test/greeter:1", &name));
    let ran = place.run(&["try", "app", "--fire", "Monthly"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "        main │ nobody, schedule\n"), "{}", ran.stderr);
}

/// The test's template as an assembly whose image the app would build from `job`.
fn with_asset() -> Place {
    let place = Place::new();
    let hash = "a1".repeat(32);
    let name = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/cdk-hnb659fds-container-assets-${AWS::AccountId}-${AWS::Region}";
    let template = std::fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let template = template.replace("Image: !Ref Image", &format!("Image: !Sub '{name}:{hash}'"));
    let (_, resources) = template.split_once("Resources:").unwrap();
    place.write("app/cdk.out/One.template.json", &format!("Resources:{}", resources.replace("!Ref Greeting", "hello")));
    place.write(
        "app/cdk.out/manifest.json",
        &json!({ "version": "55.0.0", "artifacts": {
        "One": { "type": "aws:cloudformation:stack", "dependencies": ["One.assets"],
            "properties": { "templateFile": "One.template.json", "stackName": "one" } },
        "One.assets": { "type": "cdk:asset-manifest", "properties": { "file": "One.assets.json" } } } })
        .to_string(),
    );
    place.write(
        "app/cdk.out/One.assets.json",
        &json!({ "dockerImages": { &hash: {
        "displayName": "Job/web/AssetImage", "source": { "directory": format!("asset.{hash}") },
        "destinations": { "current_account-current_region": { "repositoryName": "cdk", "imageTag": &hash } } } } })
        .to_string(),
    );
    for directory in ["job".to_owned(), format!("cdk.out/asset.{hash}"), "other".to_owned()] {
        let text = if directory == "other" { "another" } else { "the same" };
        place.write(&format!("app/{directory}/Dockerfile"), "FROM scratch\n");
        place.write(&format!("app/{directory}/src/main.txt"), text);
    }
    place.write("app/job/.git/HEAD", "not taken");
    place
}

#[needs(containers)]
fn what_no_stack_can_be_run_with_is_told_before_the_first_is_made() {
    let place = Place::new();
    let file = json!([{ "Type": "s3", "Value": "arn:aws:s3:::b/a.env" }]);
    let job = |container: Json| {
        let mut all = json!({ "Name": "main", "Image": "corp/one:1" });
        all.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
        json!({ "Job": { "Type": "AWS::ECS::TaskDefinition", "Properties": {
            "Family": "job", "Cpu": "256", "Memory": "512", "NetworkMode": "awsvpc", "Volumes": [{ "Name": "v" }],
            "ContainerDefinitions": [all],
        } } })
    };
    let mount = json!({ "MountPoints": [{ "SourceVolume": "v", "ContainerPath": "/v" }] });
    let stack = |resources: Json| json!({ "Resources": resources });
    assembly(
        &place,
        &[
            ("One", stack(job(json!({ "MountPoints": [] })))),
            ("Two", stack(job(mount))),
            ("Three", stack(job(json!({ "EnvironmentFiles": file, "LogConfiguration": { "LogDriver": "splunk" } })))),
        ],
    );
    place.write("images.toml", "[images]\n\"corp/one:1\" = { host_programs = [\"sh\"] }\n");
    let ran = place.run(&["up", "cdk.out", "--config", "images.toml", "--detach"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    expect![[r#"
        [NG-P0201]: Neargate cannot run what stack `Two` asks for
          `Job` at Two.template.json:19:13: `ContainerDefinitions[0].MountPoints`: volumes are not mounted (container `main`)

        error[NG-P0201]: Neargate cannot run what stack `Three` asks for
          `Job` at Three.template.json:19:13: `ContainerDefinitions[0].EnvironmentFiles`: environment files are not read (container `main`)
          `Job` at Three.template.json:26:15: `ContainerDefinitions[0].LogConfiguration.LogDriver`: the log driver `splunk` is not run, only `awslogs` is (container `main`)
    "#]].assert_eq(ran.stderr.split_once("error").map_or("", |(_, rest)| rest));
}

#[needs(containers)]
fn an_image_that_the_app_builds_is_named_by_path_or_directory() {
    let place = with_asset();
    let ran = place.run(&["try", "app/cdk.out", "--fire", "Monthly"]);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    for part in ["NG-P0203", "which no store has", "Neargate runs no Dockerfile", "\"Job/web\" = { build = \"DIR\" }"] {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
    for key in ["other", "./nowhere"] {
        place.write("app/neargate.toml", &format!("[images]\n\"{key}\" = {{ host_programs = [\"sh\"] }}\n"));
        let ran = place.run(&["try", "app/cdk.out", "--config", "app/neargate.toml", "--fire", "Monthly"]);
        assert_eq!(ran.code, 125, "{key}: {}", ran.stderr);
    }
    for key in ["job", "./job", "Job/web", "Job/web/AssetImage"] {
        place.write("app/neargate.toml", &format!("[images]\n\"{key}\" = {{ host_programs = [\"sh\"] }}\n"));
        let ran = place.run(&["try", "app/cdk.out", "--config", "app/neargate.toml", "--fire", "Monthly"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "        main │ hello, schedule\n"), "{key}: {}", ran.stderr);
        assert!(!ran.stderr.contains("Dockerfile") && !ran.stderr.contains("NG-E0205"), "{}", ran.stderr);
    }
}
