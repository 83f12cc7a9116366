//! Where a container's output goes.

use std::collections::BTreeMap;

use neargate_base::Diagnostic;
use neargate_l1::{Value, ecs::task_definition as l1};

use crate::Scope;
use crate::codes;
use crate::iam;
use crate::logs::{LogGroup, LogGroupProps, RetentionDays};

/// What happens when CloudWatch Logs takes output more slowly than the container writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsLogDriverMode {
    /// The container waits.
    Blocking,
    /// Output beyond the buffer is lost.
    NonBlocking,
}

/// Properties of the `awslogs` driver.
#[derive(Clone, Debug, Default)]
pub struct AwsLogDriverProps {
    /// What stream names begin with: `<prefix>/<container>/<task id>`; required.
    pub stream_prefix: String,
    /// The log group. Default: a new one, which stays when it leaves the stack.
    pub log_group: Option<LogGroup>,
    /// How long the new log group keeps events. Default: for ever.
    pub log_retention: Option<RetentionDays>,
    /// Default: the account's setting.
    pub mode: Option<AwsLogDriverMode>,
    /// How many bytes are buffered; `NonBlocking` only. Default: 10 MiB.
    pub max_buffer_size_bytes: Option<i64>,
    /// A Python `strftime` pattern at which an event begins. Default: every line is an event.
    pub datetime_format: Option<String>,
    /// A regular expression at which an event begins. Default: every line is an event.
    pub multiline_pattern: Option<String>,
}

/// Where a container's output goes.
#[derive(Clone, Debug)]
pub enum LogDriver {
    /// To CloudWatch Logs.
    AwsLogs(AwsLogDriverProps),
    /// Elsewhere: `awsfirelens` or `splunk`, with the driver's own options.
    Other {
        /// The driver's name.
        driver: String,
        /// Its options.
        options: BTreeMap<String, Value<String>>,
    },
}

impl LogDriver {
    /// To CloudWatch Logs, into a new log group; stream names begin with the prefix.
    pub fn aws_logs(stream_prefix: &str) -> Self {
        Self::AwsLogs(AwsLogDriverProps { stream_prefix: stream_prefix.to_owned(), ..AwsLogDriverProps::default() })
    }

    /// Makes what the driver needs, and gives what the container definition says of it.
    pub(super) fn bind(&self, container: &Scope, role: &iam::Role) -> (l1::LogConfiguration, Option<LogGroup>) {
        let (driver, options, group) = match self {
            Self::AwsLogs(props) => {
                let (options, group) = bind_aws_logs(props, container, role);
                ("awslogs", options, Some(group))
            }
            Self::Other { driver, options } => (driver.as_str(), options.clone(), None),
        };
        let options = (!options.is_empty()).then(|| options.into());
        (l1::LogConfiguration { log_driver: Some(driver.into()), options, ..Default::default() }, group)
    }
}

fn bind_aws_logs(
    props: &AwsLogDriverProps,
    container: &Scope,
    role: &iam::Role,
) -> (BTreeMap<String, Value<String>>, LogGroup) {
    let error = |message: &str, hint: &str| {
        container.report(Diagnostic::error(codes::CONTAINER, message.to_owned()).hint(hint.to_owned()));
    };
    if props.log_group.is_some() && props.log_retention.is_some() {
        error("`log_group` and `log_retention` are both given", "set the retention where the log group is made");
    }
    if props.max_buffer_size_bytes.is_some() && props.mode != Some(AwsLogDriverMode::NonBlocking) {
        error("`max_buffer_size_bytes` is given for a blocking log driver", "set `mode` to `NonBlocking`");
    }
    let prefix = Value::from(props.stream_prefix.as_str());
    if prefix.known().is_some_and(|prefix| prefix.is_empty() || prefix.contains([':', '*'])) {
        error(
            &format!("`{prefix}` cannot begin the names of log streams"),
            "Fargate needs a `stream_prefix`, without `:` and `*`: take a word such as the task's",
        );
    }
    let group = props.log_group.clone().unwrap_or_else(|| {
        let retention = props.log_retention.unwrap_or(RetentionDays::Infinite);
        LogGroup::new(container, "LogGroup", LogGroupProps { retention: Some(retention), ..LogGroupProps::default() })
    });
    iam::grant(role, &["logs:CreateLogStream", "logs:PutLogEvents"], vec![group.log_group_arn()]);
    let mode = props.mode.map(|mode| match mode {
        AwsLogDriverMode::Blocking => Value::from("blocking"),
        AwsLogDriverMode::NonBlocking => Value::from("non-blocking"),
    });
    let options = [
        ("awslogs-group", Some(group.log_group_name())),
        ("awslogs-stream-prefix", Some(props.stream_prefix.as_str().into())),
        ("awslogs-region", Some(group.stack().region())),
        ("awslogs-datetime-format", props.datetime_format.as_deref().map(Value::from)),
        ("awslogs-multiline-pattern", props.multiline_pattern.as_deref().map(Value::from)),
        ("mode", mode),
        ("max-buffer-size", props.max_buffer_size_bytes.map(|bytes| format!("{bytes}b").into())),
    ];
    (options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(), group)
}
