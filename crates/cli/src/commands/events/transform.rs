//! `neargate events transform`: what a target receives for an event.

use clap::Args;
use neargate_base::{DEFAULT_ACCOUNT, DEFAULT_REGION, Diagnostic};
use neargate_event_transform::{Context, Event, InputTransformer, NotDelivered, Rendered, TargetInput, TransformError};

use crate::codes;
use crate::given::Given;
use crate::lines::{self, Answer, Members, Memo};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// Said after the help.
pub(super) const AFTER_HELP: &str = "\
Without --input-path and --template the target receives the whole event. What is written is what the target receives: a
string keeps its quotes. With --format json: `{\"type\": \"json|text|put_targets_error|not_delivered\", \"value\": …}`.
Exit codes: 0 delivered, 1 nothing is delivered, 2 `PutTargets` refuses the target, or the event is not valid.

With --stdin a line is `{\"id\": …, \"event\": …, \"input_path\": …, \"input_paths\": {…}, \"template\": …, \"context\": {\"rule_arn\": …,
\"rule_name\": …, \"ingestion_time\": …}}`; its answer has `id`, `type`, `value` and, where nothing is delivered, `why`.

Example:
  neargate events transform --event @event.json --input-paths '{\"c\": \"$.detail.command\"}' --template '{\"run\": <c>}'";

/// `PutTargets`' message names the target, and here is none.
const TARGET_ID: &str = "<target-id>";

/// Arguments of `events transform`.
#[derive(Debug, Args)]
pub(crate) struct TransformArgs {
    /// The event as rules see it: JSON, or `@FILE`
    #[arg(long, value_name = "JSON", required_unless_present = "stdin")]
    event: Option<String>,
    /// `InputPath`: the part of the event to deliver, such as `$.detail`
    #[arg(long, value_name = "PATH")]
    input_path: Option<String>,
    /// `InputPathsMap`: a JSON object from names to paths, or `@FILE`
    #[arg(long, value_name = "JSON", requires = "template")]
    input_paths: Option<String>,
    /// `InputTemplate`: JSON or a quoted text with `<name>` for what is put in, or `@FILE`
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// The rule's ARN, for `<aws.events.rule-arn>` [default: a rule `rule` where the event comes from]
    #[arg(long, value_name = "ARN")]
    rule_arn: Option<String>,
    /// For `<aws.events.event.ingestion-time>` [default: the event's time]
    #[arg(long, value_name = "TIME")]
    ingestion_time: Option<String>,
    /// Answer each line of stdin, a JSON object, with a line on stdout
    #[arg(long, conflicts_with_all = ["event", "input_path", "input_paths", "template", "rule_arn", "ingestion_time"])]
    stdin: bool,
}

/// What becomes of an event on its way to a target.
enum Delivery {
    Rendered(Rendered),
    Refused(TransformError),
    Dropped(NotDelivered),
}

/// Transforms an event, or many.
pub(super) fn run(args: &TransformArgs, screen: &Screen) -> Outcome {
    match &args.event {
        Some(event) => one(args, &Given::read("--event", event)?, screen),
        None => {
            let mut memo = Memo::new();
            lines::answer_all(screen, |members, answer| line(members, &mut memo, answer))
        }
    }
}

fn one(args: &TransformArgs, event: &Given, screen: &Screen) -> Outcome {
    let given = |option, value: &Option<String>| value.as_deref().map(|it| Given::read(option, it)).transpose();
    let (template, paths) = (given("--template", &args.template)?, given("--input-paths", &args.input_paths)?);
    if let Some(paths) = &paths {
        paths.json("`--input-paths`")?;
    }
    let text = |given: &Option<Given>| given.as_ref().map(|it| it.text.clone());
    let input = target_input(args.input_path.as_deref(), text(&paths).as_deref(), text(&template).as_deref())
        .map_err(|error| Failure::usage(Diagnostic::error(codes::ARGUMENT, error)))?;
    let event_text = event.json("the event")?;
    let wrong = |error: String| Failure::usage(Diagnostic::error(codes::EVENT, error).at(event.name.clone()));
    let members = Members::read(event_text).map_err(|error| wrong(format!("the event: {error}")))?;
    let parsed = Event::parse(event_text).map_err(|error| wrong(error.to_string()))?;
    let envelope = |name: &str| members.text(name).ok().flatten();
    let (account, region) = (envelope("account"), envelope("region"));
    let rule_arn = args.rule_arn.clone().unwrap_or_else(|| {
        let (account, region) = (account.as_deref().unwrap_or(DEFAULT_ACCOUNT), region.as_deref());
        format!("arn:aws:events:{}:{account}:rule/rule", region.unwrap_or(DEFAULT_REGION))
    });
    let time = envelope("time").unwrap_or_default();
    let context = Context {
        rule_arn: &rule_arn,
        rule_name: rule_arn.rsplit('/').next().unwrap_or_default(),
        ingestion_time: args.ingestion_time.as_deref().unwrap_or(&time),
    };
    let delivery = deliver(input.as_ref(), &parsed, &context);
    if screen.is_json() {
        let mut answer = Answer::new();
        write(&delivery, &mut answer);
        screen.data(&answer.end());
    }
    Ok(match &delivery {
        Delivery::Rendered(rendered) => {
            if !screen.is_json() {
                screen.data(&rendered.text);
            }
            Exit::Done
        }
        Delivery::Refused(error) => {
            let told = format!("`PutTargets` answers `ValidationException`: {}", error.aws_message(TARGET_ID));
            screen.diagnostic(&Diagnostic::error(codes::TARGET_INPUT, error.to_string()).detail(told));
            Exit::Usage
        }
        Delivery::Dropped(reason) => {
            let mut diagnostic = Diagnostic::error(codes::NOT_DELIVERED, reason.to_string());
            if let NotDelivered::NotJson { text, .. } = reason {
                diagnostic = diagnostic.detail(format!("the filled template: {}", text.replace(['\n', '\r'], " ")));
            }
            screen.diagnostic(&diagnostic);
            Exit::Failed
        }
    })
}

/// A target's input from its three members, the paths as JSON text. The outer error is about the question itself.
fn target_input(
    path: Option<&str>,
    paths: Option<&str>,
    template: Option<&str>,
) -> Result<Result<TargetInput, TransformError>, String> {
    let paths = paths.map(Members::read).transpose().map_err(|error| format!("the input paths: {error}"))?;
    let paths = paths.map(|it| it.texts()).transpose().map_err(|error| format!("the input paths: {error}"))?;
    let Some(template) = template else {
        return match paths {
            Some(_) => Err("there are input paths, and no template to put what they find into".to_owned()),
            None => Ok(TargetInput::from_members(None, path, None)),
        };
    };
    let paths = paths.unwrap_or_default();
    let transformer = InputTransformer::parse(paths.iter().map(|(name, path)| (&**name, &**path)), template);
    Ok(transformer.and_then(|it| TargetInput::from_members(None, path, Some(it))))
}

fn deliver(input: Result<&TargetInput, &TransformError>, event: &Event, context: &Context<'_>) -> Delivery {
    match input.map(|input| input.render(event, context)) {
        Ok(Ok(rendered)) => Delivery::Rendered(rendered),
        Ok(Err(reason)) => Delivery::Dropped(reason),
        Err(error) => Delivery::Refused(error.clone()),
    }
}

fn write(delivery: &Delivery, answer: &mut Answer) {
    match delivery {
        Delivery::Rendered(rendered) => {
            answer.text("type", rendered.kind());
            if rendered.is_json {
                answer.raw("value", &rendered.text);
            } else {
                answer.text("value", &rendered.text);
            }
        }
        Delivery::Refused(error) => {
            answer.text("type", "put_targets_error");
            answer.raw("value", "null");
            answer.text("code", "ValidationException");
            answer.text("message", &error.aws_message(TARGET_ID));
            answer.text("why", &error.to_string());
        }
        Delivery::Dropped(reason) => {
            answer.text("type", "not_delivered");
            answer.raw("value", "null");
            answer.text("why", &reason.to_string());
        }
    }
}

type Input = Result<Result<TargetInput, TransformError>, String>;

fn line(members: &Members<'_>, memo: &mut Memo<Input>, answer: &mut Answer) -> Result<(), String> {
    let key = ["input_path", "input_paths", "template"].map(|name| members.get(name).unwrap_or_default()).join("\n");
    let (path, template) = (members.text("input_path")?, members.text("template")?);
    let input = memo.get(&key, || target_input(path.as_deref(), members.get("input_paths"), template.as_deref()));
    let input = input.as_ref().as_ref().map_err(Clone::clone)?;
    let event = Event::parse(&members.json("event")?).map_err(|error| error.to_string())?;
    let context =
        members.get("context").map(Members::read).transpose().map_err(|error| format!("`context`: {error}"))?;
    let of_context = |name: &str| match &context {
        Some(context) => Ok(context.text(name)?.unwrap_or_default()),
        None => Ok::<_, String>("".into()),
    };
    let (rule_arn, rule_name) = (of_context("rule_arn")?, of_context("rule_name")?);
    let ingestion_time = of_context("ingestion_time")?;
    let context = Context { rule_arn: &rule_arn, rule_name: &rule_name, ingestion_time: &ingestion_time };
    write(&deliver(input.as_ref(), &event, &context), answer);
    Ok(())
}
