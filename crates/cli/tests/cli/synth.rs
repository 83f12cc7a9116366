//! `neargate synth`: what an app is given, what it may be.

use expect_test::expect;
use neargate_testkit::needs::needs;

use crate::harness::Place;

/// An app in `sh` that writes an assembly with one stack, and what it was given.
const APP: &str = r#"
mkdir -p "$CDK_OUTDIR"
printf '%s' "$CDK_CONTEXT_JSON" > context.json
printf '%s %s' "$CDK_DEFAULT_ACCOUNT" "$CDK_DEFAULT_REGION" > environment
printf 'Resources:\n  Cluster:\n    Type: AWS::ECS::Cluster\n' > "$CDK_OUTDIR/One.template.yaml"
cat > "$CDK_OUTDIR/manifest.json" <<'END'
{"version": "55.0.0", "artifacts": {"One": {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/eu-west-1",
 "properties": {"templateFile": "One.template.yaml", "stackName": "one"}, "displayName": "Stage/One"}}}
END
echo "a word from the app" >&2
"#;

#[needs()]
fn a_program_writes_an_assembly() {
    let place = Place::new();
    place.write("app/neargate.toml", "app = \"sh app.sh\"").write("app/app.sh", APP);
    place.check(
        &["synth", "app"],
        expect![[r#"
            exit 0
            --- stdout
            [PLACE]/app/cdk.out/One.template.yaml
            --- stderr
                   synth sh app.sh
                         a word from the app
                   stack Stage/One  1 resource
        "#]],
    );
    place.check(
        &["synth", "app/cdk.out"],
        expect![[r#"
            exit 0
            --- stdout
            [PLACE]/app/cdk.out/One.template.yaml
            --- stderr
                   stack Stage/One  1 resource
        "#]],
    );
    place.check(
        &["synth", "app", "-o", "elsewhere", "--format", "json"],
        expect![[r#"
        exit 0
        --- stdout
        {
          "assembly": "[PLACE]/elsewhere",
          "stacks": [
            {
              "name": "one",
              "display_name": "Stage/One",
              "template": "[PLACE]/elsewhere/One.template.yaml",
              "account": null,
              "region": "eu-west-1",
              "resources": 1
            }
          ],
          "diagnostics": []
        }
        --- stderr
               synth sh app.sh
                     a word from the app
    "#]],
    );
}

#[needs()]
fn a_cdk_app_is_given_what_the_cdk_gives_it() {
    let place = Place::new();
    place.write("cdk.json", r#"{"app": "sh app.sh", "output": "made", "context": {"stage": "dev"}}"#);
    place.write("cdk.context.json", r#"{"looked-up": 1, "stage": "of the file"}"#).write("app.sh", APP);
    place.check(
        &["synth"],
        expect![[r#"
            exit 0
            --- stdout
            [PLACE]/made/One.template.yaml
            --- stderr
                   synth sh app.sh
                         a word from the app
                   stack Stage/One  1 resource
        "#]],
    );
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    expect![[r#"{"stage":"dev","looked-up":1,"aws:cdk:enable-path-metadata":true,"aws:cdk:enable-asset-metadata":true,"aws:cdk:bundling-stacks":["**"]}"#]].assert_eq(&read("context.json"));
    expect!["000000000000 us-east-1"].assert_eq(&read("environment"));
    assert!(place.path("made/manifest.json").is_file());
}

#[needs(containers)]
fn a_configuration_for_an_app_of_others() {
    let place = Place::new();
    place.write("theirs/app.sh", APP).write("mine/neargate.toml", "app = \"sh app.sh\"\n[parameters]\nNone = \"1\"\n");
    // The configuration's command runs in the app's directory; a directory without any app is one then.
    let mut command = place.command(&["try", "theirs", "--config", "mine/neargate.toml"]);
    let output = command.output().unwrap();
    let stderr = place.redact(&String::from_utf8_lossy(&output.stderr));
    assert!(stderr.contains("a word from the app"), "{stderr}");
    assert!(stderr.contains("no stack has the parameter `None`"), "{stderr}");
}

/// An app that looks up zones, then with these a parameter, and writes both into its template.
const LOOKS_UP: &str = r#"
mkdir -p "$CDK_OUTDIR"
missing=""
zones=$(printf '%s' "$CDK_CONTEXT_JSON" | grep -o '"availability-zones:account=000000000000:region=eu-west-1":[^]]*]')
if [ -z "$zones" ]; then
  missing='{"provider": "availability-zones", "key": "availability-zones:account=000000000000:region=eu-west-1",
            "props": {"account": "000000000000", "region": "eu-west-1"}}'
elif ! printf '%s' "$CDK_CONTEXT_JSON" | grep -q '"ssm:x":"of the fixture"'; then
  missing='{"provider": "ssm", "key": "ssm:x", "props": {"account": "000000000000", "region": "eu-west-1", "parameterName": "/x"}}'
fi
printf '%s' "$zones" > zones
printf 'Resources: {Cluster: {Type: AWS::ECS::Cluster}}' > "$CDK_OUTDIR/One.template.yaml"
cat > "$CDK_OUTDIR/manifest.json" <<END
{"version": "55.0.0", "missing": [$missing], "artifacts": {"One": {"type": "aws:cloudformation:stack",
 "properties": {"templateFile": "One.template.yaml", "stackName": "one"}}}}
END
"#;

#[needs()]
fn what_an_app_looks_up_is_answered_and_the_app_run_again() {
    let place = Place::new();
    place
        .write("app/app.sh", LOOKS_UP)
        .write("app/neargate.toml", "app = \"sh app.sh\"\nfixtures.ssm.\"/x\" = \"of the fixture\"");
    place.check(
        &["synth", "app"],
        expect![[r#"
        exit 0
        --- stdout
        [PLACE]/app/cdk.out/One.template.yaml
        --- stderr
               synth sh app.sh
              lookup availability-zones:account=000000000000:region=eu-west-1
               synth sh app.sh
              lookup ssm:x
               synth sh app.sh
               stack one  1 resource
    "#]],
    );
    let zones = std::fs::read_to_string(place.path("app/zones")).unwrap();
    assert!(zones.ends_with(r#"["eu-west-1a","eu-west-1b","eu-west-1c"]"#), "{zones}");
    // Nothing was written beside the app.
    assert!(!place.path("app/cdk.context.json").exists());
    place.write("app/neargate.toml", "app = \"sh app.sh\"");
    place.check(
        &["synth", "app"],
        expect![[r#"
        exit 2
        --- stderr
               synth sh app.sh
              lookup availability-zones:account=000000000000:region=eu-west-1
               synth sh app.sh
        error[NG-E0207]: the app looks up `ssm:x`, and nothing here answers that
          by the context provider `ssm`

        hint: add to `cdk.context.json`, with the values that you mean:

        {
          "ssm:x": "…"
        }
    "#]],
    );
}

#[needs()]
fn a_newer_assembly_is_refused() {
    let place = Place::new();
    place.write("cdk.out/manifest.json", r#"{"version": "99.0.0", "artifacts": {}}"#);
    place.check(&["synth", "cdk.out"], expect![[r#"
        exit 2
        --- stderr
        error[NG-T0020]: the cloud assembly has schema version 99.0.0, and versions up to 55.x.x are read: the CDK library of the app is newer than this program (major version 99)
          at [PLACE]/cdk.out/manifest.json

        hint: use an older `aws-cdk-lib`, or a newer Neargate
    "#]]);
    place.write("cdk.out/manifest.json", r#"{"version": "55.9.9", "artifacts": {}}"#);
    assert_eq!(place.run(&["synth", "cdk.out"]).code, 0);
}

#[needs()]
fn what_an_app_looks_up_is_missing() {
    let place = Place::new();
    place.write(
        "cdk.out/manifest.json",
        r#"{"version": "55.0.0", "missing": [{"provider": "vpc-provider", "key": "vpc-provider:account=1", "props": {"region": "eu-west-1"}}], "artifacts": {}}"#,
    );
    place.check(
        &["synth", "cdk.out"],
        expect![[r#"
            exit 2
            --- stderr
            error[NG-E0207]: the app looks up `vpc-provider:account=1`, and nothing here answers that
              by the context provider `vpc-provider`

            hint: add to `cdk.context.json`, with the values that you mean:

            {
              "vpc-provider:account=1": {
                "vpcId": "vpc-12345",
                "vpcCidrBlock": "10.0.0.0/16",
                "ownerAccountId": "123456789012",
                "availabilityZones": [],
                "subnetGroups": [
                  {
                    "type": "Public",
                    "name": "Public",
                    "subnets": [
                      {
                        "subnetId": "subnet-Public0",
                        "cidr": "10.0.0.0/24",
                        "availabilityZone": "eu-west-1a",
                        "routeTableId": "rtb-Public0"
                      },
                      {
                        "subnetId": "subnet-Public1",
                        "cidr": "10.0.1.0/24",
                        "availabilityZone": "eu-west-1b",
                        "routeTableId": "rtb-Public1"
                      }
                    ]
                  },
                  {
                    "type": "Private",
                    "name": "Private",
                    "subnets": [
                      {
                        "subnetId": "subnet-Private0",
                        "cidr": "10.0.10.0/24",
                        "availabilityZone": "eu-west-1a",
                        "routeTableId": "rtb-Private0"
                      },
                      {
                        "subnetId": "subnet-Private1",
                        "cidr": "10.0.11.0/24",
                        "availabilityZone": "eu-west-1b",
                        "routeTableId": "rtb-Private1"
                      }
                    ]
                  }
                ]
              }
            }
        "#]],
    );
}
