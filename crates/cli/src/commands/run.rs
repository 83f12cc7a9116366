//! `neargate run`.

use std::time::Duration;

use clap::Args;
use neargate_api::cloudformation as cfn;
use neargate_api::ecs;
use neargate_api::events;
use neargate_base::Diagnostic;
use serde_json::{Value as Json, json};

use super::EngineArgs;
use super::backend_args::BackendArgs;
use crate::codes;
use crate::deploy::stacks;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};
use crate::panics;
use crate::preflight;
use crate::screen::{Paint, Screen};
use crate::signals::{self, Hangup};
use crate::tasks::{self, Tail, short, short_id};

const PAUSE: Duration = Duration::from_millis(50);

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    backend: BackendArgs,
    /// The task: a task definition's family, or its logical id or construct path in a stack
    task: String,
    /// The cluster [default: that of a rule that runs the task, or of its stack]
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// A subnet; may be given again [default: those of a rule that runs the task, or of its stack]
    #[arg(long = "subnet", value_name = "ID")]
    subnets: Vec<String>,
    /// A security group; may be given again
    #[arg(long = "security-group", value_name = "ID")]
    security_groups: Vec<String>,
    /// Give the task a public address
    #[arg(long)]
    assign_public_ip: bool,
    /// The container that `--env` and `--command` are for [default: the first]
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// A variable; may be given again
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Show the output, and end with the container's exit code; ctrl-c stops the task, a second one leaves it running
    #[arg(long)]
    wait: bool,
    /// The container's command, in place of the task definition's: all that follows
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Where a task runs.
#[derive(Debug, Default)]
struct Place {
    cluster: Option<String>,
    subnets: Vec<String>,
    security_groups: Vec<String>,
    assign_public_ip: Option<String>,
}

/// Runs the task. What fails and is no container's end has exit codes of its own.
pub(super) fn run(args: &RunArgs, screen: &Screen) -> Outcome {
    panics::catch(|| run_task(args, screen)).map_err(Failure::beside_containers)
}

fn run_task(args: &RunArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    if let Some(status) = endpoint.status_if_there()? {
        args.backend.require_of_engine(&status)?;
        preflight::require_of_engine(&status)?;
    }
    let (definition, stack) = find_definition(&endpoint, &args.task)?;
    let place = find_place(&endpoint, args, &definition, stack.as_deref())?;
    let overrides = overrides(args, &definition)?;
    let input = ecs::RunTaskInput {
        cluster: place.cluster,
        task_definition: definition.task_definition_arn.clone().unwrap_or_default(),
        launch_type: Some("FARGATE".to_owned()),
        network_configuration: Some(ecs::NetworkConfiguration {
            awsvpc_configuration: Some(ecs::AwsVpcConfiguration {
                subnets: place.subnets,
                security_groups: (!place.security_groups.is_empty()).then_some(place.security_groups),
                assign_public_ip: place.assign_public_ip,
            }),
        }),
        overrides,
        started_by: Some("neargate run".to_owned()),
        ..ecs::RunTaskInput::default()
    };
    if args.wait {
        // From before the task is there, so that none is left behind.
        signals::watch(Hangup::Ends)?;
    }
    let answer: ecs::RunTaskOutput = endpoint.call(&ecs::SERVICE, &ecs::RUN_TASK, input)?;
    let Some(task) = answer.tasks.into_iter().flatten().next() else {
        let reason =
            answer.failures.into_iter().flatten().filter_map(|failure| failure.reason).collect::<Vec<_>>().join(", ");
        return Err(Failure::failed(Diagnostic::error(codes::TASK, format!("the task was not started: {reason}"))));
    };
    screen
        .step("task", &format!("{}  {}", short(task.task_arn.as_deref()), short(task.task_definition_arn.as_deref())));
    if args.wait {
        return wait(screen, &endpoint, task);
    }
    if screen.is_json() {
        screen.json(&tasks::to_json(&task))
    } else {
        screen.data(short(task.task_arn.as_deref()))
    }
    Ok(Exit::Done)
}

fn wait(screen: &Screen, endpoint: &Endpoint, mut task: ecs::Task) -> Outcome {
    let streams = tasks::streams(endpoint, &task)?;
    let mut tail = Tail::default();
    let (mut lines, mut is_stopping) = (vec![], false);
    loop {
        if signals::count() > u32::from(is_stopping) {
            if is_stopping {
                return Err(left_running(&task));
            }
            is_stopping = true;
            stop(screen, endpoint, &task)?;
        }
        let was_stopped = tasks::is_stopped(&task);
        let mut is_read = true;
        for stream in &streams {
            let read = tail.read(endpoint, stream)?;
            is_read &= read.is_all;
            for (_, line) in read.lines {
                if screen.is_json() {
                    lines.push(json!({ "container": stream.container, "message": line }));
                } else {
                    screen.container_line(&stream.container, &line);
                }
            }
        }
        if was_stopped && is_read {
            break;
        }
        if is_read {
            std::thread::sleep(PAUSE);
        }
        let (cluster, arn) = (task.cluster_arn.clone().unwrap_or_default(), task.task_arn.clone().unwrap_or_default());
        task = tasks::describe(endpoint, &cluster, &[arn])?.into_iter().next().unwrap_or(task);
    }
    screen.step("stopped", &tasks::ending(&task));
    let exit = match is_stopping {
        true => signals::failure().exit,
        false => tasks::exit(&task),
    };
    if screen.is_json() {
        screen.json(&json!({ "exit_code": exit.number(), "task": tasks::to_json(&task), "log": lines }));
    }
    Ok(exit)
}

/// Stops the task at the user's first signal, as a container engine's `run` does.
fn stop(screen: &Screen, endpoint: &Endpoint, task: &ecs::Task) -> Outcome<()> {
    let id = short_id(short(task.task_arn.as_deref()));
    screen.step_in(Paint::Yellow, "stopping", &format!("{id}  ctrl-c again leaves it running"));
    let input = ecs::StopTaskInput {
        cluster: task.cluster_arn.clone(),
        task: task.task_arn.clone().unwrap_or_default(),
        reason: Some("neargate run was interrupted".to_owned()),
    };
    let _: ecs::StopTaskOutput = endpoint.call(&ecs::SERVICE, &ecs::STOP_TASK, input)?;
    Ok(())
}

/// Nobody waits for the task any more.
fn left_running(task: &ecs::Task) -> Failure {
    let id = short_id(short(task.task_arn.as_deref()));
    let mut failure = signals::failure();
    for diagnostic in &mut failure.diagnostics {
        diagnostic.message.push_str(&format!("; task {id} may still run"));
        diagnostic.hints.push(format!("see `neargate task ls`, and stop it with `neargate task stop {id}`"));
    }
    failure
}

/// The definition that is meant, and the stack that it was found in by its name there.
fn find_definition(endpoint: &Endpoint, wanted: &str) -> Outcome<(ecs::TaskDefinition, Option<String>)> {
    if let Some(definition) = describe_definition(endpoint, wanted)? {
        return Ok((definition, None));
    }
    let mut known = vec![];
    for stack in stacks(endpoint)? {
        for resource in resources(endpoint, &stack.stack_name)? {
            let Some(physical) = resource.physical_resource_id else { continue };
            if resource.resource_type != "AWS::ECS::TaskDefinition" {
                continue;
            }
            let logical = resource.logical_resource_id;
            let path = construct_path(endpoint, &stack.stack_name, &logical);
            let path = path.as_deref().map(|path| path.trim_end_matches("/Resource"));
            let is_path = path
                .is_some_and(|path| path == wanted || path.rsplit_once('/').is_some_and(|(above, _)| above == wanted));
            if (logical == wanted || is_path)
                && let Some(definition) = describe_definition(endpoint, &physical)?
            {
                return Ok((definition, Some(stack.stack_name)));
            }
            known.push(path.map_or(logical, str::to_owned));
        }
    }
    let diagnostic = Diagnostic::error(codes::NOT_FOUND, format!("there is no task definition `{wanted}`"));
    Err(Failure::usage(if known.is_empty() {
        diagnostic
    } else {
        diagnostic.hint(format!("there are `{}`", known.join("`, `")))
    }))
}

fn describe_definition(endpoint: &Endpoint, name: &str) -> Outcome<Option<ecs::TaskDefinition>> {
    let input = ecs::DescribeTaskDefinitionInput { task_definition: name.to_owned(), include: None };
    let answer: Result<ecs::DescribeTaskDefinitionOutput, CallError> =
        endpoint.call(&ecs::SERVICE, &ecs::DESCRIBE_TASK_DEFINITION, input);
    match answer {
        Ok(answer) => Ok(answer.task_definition),
        Err(error) if error.is("ClientException") || error.is("InvalidParameterException") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn resources(endpoint: &Endpoint, stack: &str) -> Result<Vec<cfn::StackResource>, CallError> {
    let input = cfn::DescribeStackResourcesInput {
        stack_name: Some(stack.to_owned()),
        ..cfn::DescribeStackResourcesInput::default()
    };
    let answer: cfn::DescribeStackResourcesOutput =
        endpoint.call(&cfn::SERVICE, &cfn::DESCRIBE_STACK_RESOURCES, input)?;
    Ok(answer.stack_resources.unwrap_or_default())
}

/// The construct path that the CDK writes into a resource's metadata.
fn construct_path(endpoint: &Endpoint, stack: &str, logical: &str) -> Option<String> {
    let input =
        cfn::DescribeStackResourceInput { stack_name: stack.to_owned(), logical_resource_id: logical.to_owned() };
    let answer: cfn::DescribeStackResourceOutput =
        endpoint.call(&cfn::SERVICE, &cfn::DESCRIBE_STACK_RESOURCE, input).ok()?;
    let metadata: Json = serde_json::from_str(&answer.stack_resource_detail?.metadata?).ok()?;
    metadata.get("aws:cdk:path")?.as_str().map(str::to_owned)
}

fn find_place(
    endpoint: &Endpoint,
    args: &RunArgs,
    definition: &ecs::TaskDefinition,
    stack: Option<&str>,
) -> Outcome<Place> {
    let arn = definition.task_definition_arn.clone().unwrap_or_default();
    let mut place = match (place_of_rule(endpoint, &arn)?, stack) {
        (Some(place), _) => place,
        (None, Some(stack)) => place_of_stack(endpoint, stack)?,
        (None, None) => match stack_of(endpoint, &arn)? {
            Some(stack) => place_of_stack(endpoint, &stack)?,
            None => Place::default(),
        },
    };
    if args.cluster.is_some() {
        place.cluster.clone_from(&args.cluster);
    }
    if !args.subnets.is_empty() {
        place.subnets.clone_from(&args.subnets);
        place.security_groups = vec![];
    }
    if !args.security_groups.is_empty() {
        place.security_groups.clone_from(&args.security_groups);
    }
    if args.assign_public_ip {
        place.assign_public_ip = Some("ENABLED".to_owned());
    }
    if place.subnets.is_empty() {
        let message = format!("no subnet is known for `{}`: no rule runs it, and its stack has none", args.task);
        return Err(Failure::usage(Diagnostic::error(codes::NO_NETWORK, message).hint("name one with `--subnet`")));
    }
    Ok(place)
}

/// Where a rule runs this very definition.
fn place_of_rule(endpoint: &Endpoint, definition: &str) -> Outcome<Option<Place>> {
    let rules: events::ListRulesOutput =
        endpoint.call(&events::SERVICE, &events::LIST_RULES, events::ListRulesInput::default())?;
    for rule in rules.rules.into_iter().flatten().filter_map(|rule| rule.name) {
        let input = events::ListTargetsByRuleInput { rule, ..events::ListTargetsByRuleInput::default() };
        let answer: events::ListTargetsByRuleOutput =
            endpoint.call(&events::SERVICE, &events::LIST_TARGETS_BY_RULE, input)?;
        for target in answer.targets.into_iter().flatten() {
            let Some(parameters) = target.ecs_parameters.filter(|it| it.task_definition_arn == definition) else {
                continue;
            };
            let Some(network) = parameters.network_configuration.and_then(|it| it.awsvpc_configuration) else {
                continue;
            };
            return Ok(Some(Place {
                cluster: Some(target.arn),
                subnets: network.subnets,
                security_groups: network.security_groups.unwrap_or_default(),
                assign_public_ip: network.assign_public_ip,
            }));
        }
    }
    Ok(None)
}

fn stack_of(endpoint: &Endpoint, definition: &str) -> Outcome<Option<String>> {
    for stack in stacks(endpoint)? {
        let all = resources(endpoint, &stack.stack_name)?;
        if all.iter().any(|resource| resource.physical_resource_id.as_deref() == Some(definition)) {
            return Ok(Some(stack.stack_name));
        }
    }
    Ok(None)
}

fn place_of_stack(endpoint: &Endpoint, stack: &str) -> Outcome<Place> {
    let all = resources(endpoint, stack)?;
    let of = |kind: &str| {
        let those = all.iter().filter(|resource| resource.resource_type == kind);
        those.filter_map(|resource| resource.physical_resource_id.clone()).collect::<Vec<_>>()
    };
    Ok(Place {
        cluster: of("AWS::ECS::Cluster").into_iter().next(),
        subnets: of("AWS::EC2::Subnet"),
        security_groups: of("AWS::EC2::SecurityGroup"),
        assign_public_ip: None,
    })
}

fn overrides(args: &RunArgs, definition: &ecs::TaskDefinition) -> Outcome<Option<ecs::TaskOverride>> {
    if args.env.is_empty() && args.command.is_empty() {
        return Ok(None);
    }
    let mut names = definition.container_definitions.iter().flatten().filter_map(|container| container.name.clone());
    let environment = args.env.iter().map(|pair| match pair.split_once('=') {
        Some((name, value)) => Ok(ecs::KeyValuePair { name: Some(name.to_owned()), value: Some(value.to_owned()) }),
        None => {
            let message = format!("`--env` must be `NAME=VALUE`, got `{pair}`");
            Err(Failure::usage(Diagnostic::error(codes::ARGUMENT, message)))
        }
    });
    let environment: Vec<_> = environment.collect::<Result<_, _>>()?;
    let container = ecs::ContainerOverride {
        name: args.container.clone().or_else(|| names.next()),
        command: (!args.command.is_empty()).then(|| args.command.clone()),
        environment: (!environment.is_empty()).then_some(environment),
        ..ecs::ContainerOverride::default()
    };
    Ok(Some(ecs::TaskOverride { container_overrides: Some(vec![container]), ..ecs::TaskOverride::default() }))
}
