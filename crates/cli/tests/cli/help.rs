//! Help, and what clap says by itself.

use expect_test::expect;

use crate::harness::Place;

#[test]
fn the_command() {
    Place::new().check(&["--help"], expect![[r#"
        exit 0
        --- stdout
        Define, prove and run AWS Fargate workloads on this machine

        Usage: neargate [OPTIONS] <COMMAND>

        Commands:
          synth        Make an app's templates and check that they can be read
          try          Start an app in a throw-away engine, fire it, wait for its tasks, show them, and tear everything down
          up           Start an engine, and an app's stacks in it
          down         Stop a running engine; stacks and state stay
          run          Run one task
          events       Put events
          task         List, read and stop tasks
          logs         Read log groups
          image        Build, import, list and remove images
          clock        Show and turn the engine's clock
          doctor       Say what this machine can do, and what it lacks
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
        Exit codes: 0 done, 1 the check, stack or engine failed, 2 usage or bad input; `try` and `run --wait` end with a
        container's own code where that is not 0.

        Planned, not implemented yet: check, diff, deploy, destroy, init, schema, explain, schedule, mail, events test|transform|tail,
        task exec|forward|interrupt, logs query, image push.
    "#]]);
}

#[test]
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

                  --event <FILE>
                      A JSON file with the event or events to put [default: those of the configuration]

                  --fire <NAME|all>
                      Turn the clock until the rule with this name, or every rule with a schedule, has fired once

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
              --format <FORMAT>  How data on stdout is written [default: text] [possible values: text, json]
              --port <PORT>      The engine's port [default: that of AWS_ENDPOINT_URL on this machine, or else 4566]
              --config <FILE>    A configuration for an app that has no `neargate.toml` of its own
          -d, --detach           Return when the stacks are up; the engine goes on
              --data-dir <DIR>   Where the engine keeps everything [default: `neargate` in the user's data directory]
              --clock <TIME>     Service time at the start: `system`, or a time such as `2026-12-01T04:00:00Z` [default: as it was]
          -h, --help             Print help (see more with '--help')
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
              --cluster <NAME>       The cluster [default: that of a rule that runs the task, or of its stack]
              --subnet <ID>          A subnet; may be given again [default: those of a rule that runs the task, or of its stack]
              --security-group <ID>  A security group; may be given again
              --assign-public-ip     Give the task a public address
              --container <NAME>     The container that `--env` and `--command` are for [default: the first]
              --env <NAME=VALUE>     A variable; may be given again
              --wait                 Show the output, and end with the container's exit code
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
              --no-wait          Do not stop on the way until tasks that were started have ended
          -h, --help             Print help (see more with '--help')
    "#]],
    );
}

#[test]
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

#[test]
fn completions_name_the_commands() {
    let ran = Place::new().run(&["completions", "bash"]);
    assert_eq!(ran.code, 0);
    for command in ["synth", "try", "doctor", "completions"] {
        assert!(ran.stdout.contains(command), "`{command}` is missing");
    }
}
