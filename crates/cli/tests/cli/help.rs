//! Help, and what clap says by itself.

use expect_test::expect;
use neargate_testkit::needs::needs;

use crate::harness::Place;

#[needs()]
fn the_command() {
    Place::new().check(&["--help"], expect![[r#"
        exit 0
        --- stdout
        Define, prove and run AWS Fargate workloads on this machine

        Usage: neargate [OPTIONS] <COMMAND>

        Commands:
          synth        Make an app's templates and check that they can be read; whether they come up is for `try`
          try          Start an app in a throw-away engine, fire it, wait for its tasks, show them, and tear everything down
          up           Start an engine, and an app's stacks in it
          down         Stop a running engine; stacks and state stay
          run          Run one task
          events       Put events, test patterns, show what targets receive
          schedule     Say when schedules fire, and let them fire
          task         List, read and stop tasks
          explain      Say how something came about
          logs         Read log groups
          image        Build, import, list and remove images
          clock        Show and turn the engine's clock
          doctor       Say what this machine can do, and what it lacks
          env          Write the variables with which AWS clients find the engine
          completions  Write a completion script for a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
              --format <FORMAT>
                  How data on stdout is written

                  Possible values:
                  - text: For people
                  - json: For programs

                  [default: text]

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        APP is a directory with `neargate.toml` or `cdk.json`, a cloud assembly (`cdk.out`) or a template (`.json`, `.yaml`).
        Exit codes: 0 done, 1 the check, stack or engine failed, 2 usage or bad input; 129, 130, 141 and 143 broken off by SIGHUP,
        SIGINT, a reader that went away (SIGPIPE) and SIGTERM. `try` and `run --wait` end with a container's own code, with 127 where
        its program was not found, 126 where it may not be run, and 125 for all else that failed before or beside it, wrong usage
        among it; `try` ends with 123 where an event matched no rule, or what was fired started no task.

        Planned, not implemented yet: check, diff, deploy, destroy, init, schema, mail, events tail, explain rule|event|request|schedule,
        task exec|forward|interrupt, logs query, image push.
    "#]]);
}

#[needs()]
fn its_subcommands() {
    let place = Place::new();
    place.check(
        &["try", "--help"],
        expect![[r#"
            exit 0
            --- stdout
            Start an app in a throw-away engine, fire it, wait for its tasks, show them, and tear everything down

            Usage: neargate try [OPTIONS] [APP]

            Arguments:
              [APP]
                      The app [default: the one in the current directory]

            Options:
                  --config <FILE>
                      A configuration for an app that has no `neargate.toml` of its own

                  --format <FORMAT>
                      How data on stdout is written

                      Possible values:
                      - text: For people
                      - json: For programs

                      [default: text]

                  --stack <NAME>
                      Only this stack and those it depends on; may be given again

                  --parameter <NAME=VALUE>
                      A value for a parameter of the templates, before `[parameters]`; may be given again

                  --fix-log-key
                      Let CloudWatch Logs use the customer keys of log groups, where the template's key policies do not

                  --backend <NAME>
                      What makes containers: `embedded` is this program, `oci` is `runc`, else `crun` [default: embedded]

                  --event <FILE>
                      A JSON file with the event or events to put, `-` for stdin [default: those of the configuration; without any, every schedule fires once]

                  --fire <NAME|all>
                      Turn the clock until the rule with this name, or every rule with a schedule, has fired once; after `--event`

              -v, --verbose
                      List everything that is recorded and not acted on

                  --timeout <SECONDS>
                      Give up on tasks that have not stopped after so many seconds

                      [default: 900]

              -h, --help
                      Print help (see a summary with '-h')
        "#]],
    );
    place.check(&["up", "-h"], expect![[r#"
        exit 0
        --- stdout
        Start an engine, and an app's stacks in it

        Usage: neargate up [OPTIONS] [APP]

        Arguments:
          [APP]  The app [default: the one in the current directory, if there is one]

        Options:
              --format <FORMAT>         How data on stdout is written [default: text] [possible values: text, json]
              --port <PORT>             The engine's port [default: that of AWS_ENDPOINT_URL on this machine, or else 4566]
              --config <FILE>           A configuration for an app that has no `neargate.toml` of its own
              --stack <NAME>            Only this stack and those it depends on; may be given again
              --parameter <NAME=VALUE>  A value for a parameter of the templates, before `[parameters]`; may be given again
              --fix-log-key             Let CloudWatch Logs use the customer keys of log groups, where the template's key policies do not
          -d, --detach                  Return when the stacks are up; the engine goes on
              --data-dir <DIR>          Where the engine keeps everything [default: `neargate` in the user's data directory]
              --clock <TIME>            Service time at the start: `system`, or a time such as `2026-12-01T04:00:00Z` [default: as it was]
              --no-logs                 Do not show what containers write
              --backend <NAME>          What makes containers: `embedded` is this program, `oci` is `runc`, else `crun` [default: embedded]
          -h, --help                    Print help (see more with '--help')

        Who may call the endpoint:
              --auth                   Generate a key that root's calls and this program need, for machines with other users: without it whoever has an account on the machine is the engine's root
              --allow-host <NAME>      Also answer to this name or address beside 127.0.0.1, [::1] and localhost; `*.NAME` for all names below it
              --allow-origin <ORIGIN>  Let web pages of this origin call AWS services, such as `http://localhost:3000`
    "#]]);
    place.check(&["run", "-h"], expect![[r#"
        exit 0
        --- stdout
        Run one task

        Usage: neargate run [OPTIONS] <TASK>

        Arguments:
          <TASK>  The task: a task definition's family, or its logical id or construct path in a stack

        Options:
              --format <FORMAT>      How data on stdout is written [default: text] [possible values: text, json]
              --port <PORT>          The engine's port [default: that of AWS_ENDPOINT_URL on this machine, or else 4566]
              --backend <NAME>       What makes containers: `embedded` is this program, `oci` is `runc`, else `crun` [default: embedded]
              --cluster <NAME>       The cluster [default: that of a rule that runs the task, or of its stack]
              --subnet <ID>          A subnet; may be given again [default: those of a rule that runs the task, or of its stack]
              --security-group <ID>  A security group; may be given again
              --assign-public-ip     Give the task a public address
              --container <NAME>     The container that `--env` and `--command` are for [default: the first]
              --env <NAME=VALUE>     A variable; may be given again
              --wait                 Show the output, and end with the container's exit code; ctrl-c stops the task, a second one leaves it running
              --command <WORD>...    The container's command, in place of the task definition's: all that follows
          -h, --help                 Print help (see more with '--help')
    "#]]);
    place.check(
        &["image", "build", "-h"],
        expect![[r#"
        exit 0
        --- stdout
        Build an image from a directory, a static program, or programs of this machine

        Usage: neargate image build [OPTIONS] --tag <NAME> [DIRECTORY]

        Arguments:
          [DIRECTORY]  The directory with the image's content

        Options:
              --data-dir <DIR>          The engine's data directory [default: `neargate` in the user's data directory]
              --format <FORMAT>         How data on stdout is written [default: text] [possible values: text, json]
              --binary <FILE>           A statically linked program to be the image's content
          -t, --tag <NAME>              The image's name, such as `corp/app:1.0`
              --host-program <PROGRAM>  A program of this machine to add with its libraries; may be given again
              --entrypoint <WORD>       A word of the entry point; may be given again
              --cmd <WORD>              A word of the command; may be given again
              --env <NAME=VALUE>        A variable; may be given again
              --user <USER>             The user, and after a colon the group, that the command runs as
              --workdir <DIR>           The directory that the command starts in
          -h, --help                    Print help (see more with '--help')
    "#]],
    );
    place.check(
        &["clock", "advance", "-h"],
        expect![[r#"
            exit 0
            --- stdout
            Turn the clock forward; what falls due on the way takes place, in order

            Usage: neargate clock advance [OPTIONS] <BY>

            Arguments:
              <BY>  How far, such as `90s`, `2h30m` or `31d`, or a time such as `2026-12-01T04:00:00Z`

            Options:
                  --format <FORMAT>  How data on stdout is written [default: text] [possible values: text, json]
                  --port <PORT>      The engine's port [default: that of AWS_ENDPOINT_URL on this machine, or else 4566]
                  --no-wait          Turn on while tasks that were started on the way still run, instead of waiting for each to end
              -h, --help             Print help (see more with '--help')
        "#]],
    );
}

#[needs()]
fn what_needs_no_engine() {
    let place = Place::new();
    place.check(
        &["events", "-h"],
        expect![[r#"
        exit 0
        --- stdout
        Put events, test patterns, show what targets receive

        Usage: neargate events [OPTIONS] <COMMAND>

        Commands:
          put        Put events on a bus, and write their ids
          test       Say whether an event pattern matches an event, and why not
          transform  Show what a target receives for an event
          help       Print this message or the help of the given subcommand(s)

        Options:
              --format <FORMAT>  How data on stdout is written [default: text] [possible values: text, json]
          -h, --help             Print help (see more with '--help')
    "#]],
    );
    place.check(&["events", "test", "-h"], expect![[r#"
        exit 0
        --- stdout
        Say whether an event pattern matches an event, and why not

        Usage: neargate events test [OPTIONS]

        Options:
              --format <FORMAT>  How data on stdout is written [default: text] [possible values: text, json]
              --pattern <JSON>   The event pattern: JSON, or `@FILE`
              --event <JSON>     The event as rules see it: JSON, or `@FILE`
              --stdin            Answer each line of stdin, a JSON object, with a line on stdout
          -h, --help             Print help (see more with '--help')

        Exit codes: 0 match, 1 no match, 2 the pattern or the event is not valid.

        With --stdin a line is `{"id": …, "pattern": …, "event": …}`, pattern and event as JSON or as strings of JSON text. Its
        answer is `{"id": …, "verdict": "match|no_match|invalid"}` and, but for a match, `why`; a line that is not readable has an
        `error` instead of a verdict. Then the exit code is 0 when every line has a verdict, or else 2.

        Example:
          neargate events test --pattern '{"detail": {"state": ["stopped"]}}' --event @event.json
    "#]]);
    place.check(&["events", "transform", "-h"], expect![[r#"
        exit 0
        --- stdout
        Show what a target receives for an event

        Usage: neargate events transform [OPTIONS]

        Options:
              --event <JSON>           The event as rules see it: JSON, or `@FILE`
              --format <FORMAT>        How data on stdout is written [default: text] [possible values: text, json]
              --input-path <PATH>      `InputPath`: the part of the event to deliver, such as `$.detail`
              --input-paths <JSON>     `InputPathsMap`: a JSON object from names to paths, or `@FILE`
              --template <TEMPLATE>    `InputTemplate`: JSON or a quoted text with `<name>` for what is put in, or `@FILE`
              --rule-arn <ARN>         The rule's ARN, for `<aws.events.rule-arn>` [default: a rule `rule` where the event comes from]
              --ingestion-time <TIME>  For `<aws.events.event.ingestion-time>` [default: the event's time]
              --stdin                  Answer each line of stdin, a JSON object, with a line on stdout
          -h, --help                   Print help (see more with '--help')

        Without --input-path and --template the target receives the whole event. What is written is what the target receives: a
        string keeps its quotes. With --format json: `{"type": "json|text|put_targets_error|not_delivered", "value": …}`.
        Exit codes: 0 delivered, 1 nothing is delivered, 2 `PutTargets` refuses the target, or the event is not valid.

        With --stdin a line is `{"id": …, "event": …, "input_path": …, "input_paths": {…}, "template": …, "context": {"rule_arn": …,
        "rule_name": …, "ingestion_time": …}}`; its answer has `id`, `type`, `value` and, where nothing is delivered, `why`.

        Example:
          neargate events transform --event @event.json --input-paths '{"c": "$.detail.command"}' --template '{"run": <c>}'
    "#]]);
    place.check(
        &["schedule", "-h"],
        expect![[r#"
        exit 0
        --- stdout
        Say when schedules fire, and let them fire

        Usage: neargate schedule [OPTIONS] <COMMAND>

        Commands:
          ls    List an engine's rules with a schedule, and when each fires next
          next  Say when a schedule expression fires
          fire  Let a rule with a schedule fire once, now; its schedule goes on as it was
          help  Print this message or the help of the given subcommand(s)

        Options:
              --format <FORMAT>  How data on stdout is written [default: text] [possible values: text, json]
          -h, --help             Print help (see more with '--help')
    "#]],
    );
    place.check(&["schedule", "next", "-h"], expect![[r#"
        exit 0
        --- stdout
        Say when a schedule expression fires

        Usage: neargate schedule next [OPTIONS] [EXPRESSION]

        Arguments:
          [EXPRESSION]  The schedule expression: `cron(…)`, `rate(…)` or `at(…)`

        Options:
              --expression <TEXT>  The same by name
              --format <FORMAT>    How data on stdout is written [default: text] [possible values: text, json]
              --timezone <ZONE>    The time zone of its times, such as `Europe/Berlin` [default: UTC]
              --after <TIME>       The moment after which it fires, such as `2026-12-01T04:00:00Z` [default: now, or `--start`]
              --start <TIME>       When the schedule begins; a rate counts from there [default: a rate counts from `--after`]
          -n, --count <NUMBER>     How many times to write [default: 10]
              --api <API>          Who is to take it [default: `scheduler` with a time zone, or else whichever does] [possible values: rule, scheduler]
              --stdin              Answer each line of stdin, a JSON object, with a line on stdout
          -h, --help               Print help (see more with '--help')

        Rules take `cron(…)` and `rate(…)` in UTC; EventBridge Scheduler also takes time zones and `at(…)`. Without --api and
        --timezone whatever either takes is valid, and stderr says which does.
        Exit codes: 0 it fires, 1 it never fires again, 2 the expression or the time zone is not valid.

        With --stdin a line is `{"id": …, "expression": …, "timezone": …, "after": …, "start": …, "api": "rule|scheduler"}`. Its answer
        has `id`, `next` (up to ten times in UTC, or `invalid`) and, where that is not all, `why`. Without `after` the times are
        those after `start`, or else after 1970-01-01T00:00:00Z.

        Example:
          neargate schedule next 'cron(30 2 * * ? *)' --timezone Europe/Berlin --after 2026-03-28T00:00:00Z -n 3
    "#]]);
}

#[needs()]
fn an_unknown_command() {
    Place::new().check(
        &["deploy"],
        expect![[r#"
        exit 2
        --- stderr
        error: unrecognized subcommand 'deploy'

        Usage: neargate [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]],
    );
    Place::new().check(
        &["tri"],
        expect![[r#"
        exit 2
        --- stderr
        error: unrecognized subcommand 'tri'

          tip: a similar subcommand exists: 'try'

        Usage: neargate [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]],
    );
}

#[needs()]
fn completions_name_the_commands() {
    let ran = Place::new().run(&["completions", "bash"]);
    assert_eq!(ran.code, 0);
    for command in ["synth", "try", "doctor", "completions"] {
        assert!(ran.stdout.contains(command), "`{command}` is missing");
    }
}
