//! Log groups.

use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, logs as l1};

use super::retention::RetentionDays;
use crate::iam::{self, Grantable};
use crate::kms::Key;
use crate::{CfnResource, RemovalPolicy, Scope, codes, construct};

/// What a log group can do, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogGroupClass {
    /// Everything.
    Standard,
    /// Less for less: no subscriptions, no live tail.
    InfrequentAccess,
    /// Only delivery elsewhere.
    Delivery,
}

/// Properties of a [`LogGroup`].
#[derive(Clone, Debug, Default)]
pub struct LogGroupProps {
    /// Its name. Default: CloudFormation's choice.
    pub log_group_name: Option<String>,
    /// How long events are kept. Default: two years; for ever in the class `Delivery`, which CloudWatch Logs decides itself.
    pub retention: Option<RetentionDays>,
    /// The customer key that encrypts it. Default: CloudWatch Logs' own key.
    ///
    /// The key policy gets the statement without which CloudWatch Logs refuses the key. That of a key that was only taken in stays as
    /// it is, and must have one already.
    pub encryption_key: Option<Key>,
    /// Default: standard.
    pub log_group_class: Option<LogGroupClass>,
    /// Whether it refuses to be deleted. Default: no.
    pub deletion_protection_enabled: Option<bool>,
    /// What happens when it leaves the stack. Default: it stays.
    pub removal_policy: Option<RemovalPolicy>,
}

/// A log group: streams of log events with one retention and one key.
///
/// ```
/// use neargate_constructs::{App, RemovalPolicy, Stack, StackProps, logs::{LogGroup, LogGroupProps, RetentionDays}};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// LogGroup::new(&stack, "Log", LogGroupProps {
///     retention: Some(RetentionDays::OneWeek),
///     removal_policy: Some(RemovalPolicy::Destroy),
///     ..Default::default()
/// });
/// let template = &app.assemble().unwrap().stacks[0].template;
/// let id = neargate_constructs::unique_id(&["Log", "Resource"]);
/// assert_eq!(template["Resources"][id]["Properties"]["RetentionInDays"], 7);
/// ```
#[derive(Clone)]
pub struct LogGroup(Rc<State>);

construct!(LogGroup);

struct State {
    scope: Scope,
    name: Value<String>,
    arn: Value<String>,
}

impl LogGroup {
    /// Declares a log group.
    pub fn new(scope: &Scope, id: &str, props: LogGroupProps) -> Self {
        let scope = scope.child(id);
        let retention = props.retention.unwrap_or(match props.log_group_class {
            Some(LogGroupClass::Delivery) => RetentionDays::Infinite,
            _ => RetentionDays::TwoYears,
        });
        if let Some(nearest) = retention.nearest() {
            let days = retention.days().unwrap_or_default();
            let message = format!("events cannot be kept for {days} days");
            let hint = format!("the nearest that CloudWatch Logs has is {nearest}: `RetentionDays::Days({nearest})`");
            scope.report(Diagnostic::error(codes::LOG_GROUP, message).hint(hint));
        }
        if let Some(key) = &props.encryption_key {
            key.allow_cloudwatch_logs(&scope.stack(), props.log_group_name.as_deref());
        }
        let class = props.log_group_class.map(|class| match class {
            LogGroupClass::Standard => "STANDARD",
            LogGroupClass::InfrequentAccess => "INFREQUENT_ACCESS",
            LogGroupClass::Delivery => "DELIVERY",
        });
        let resource = CfnResource::new(
            &scope,
            "Resource",
            l1::LogGroup {
                deletion_protection_enabled: props.deletion_protection_enabled.map(Value::Literal),
                kms_key_id: props.encryption_key.as_ref().map(Key::key_arn),
                log_group_class: class.map(Value::from),
                log_group_name: props.log_group_name.map(Value::Literal),
                retention_in_days: retention.days().map(Value::Literal),
                ..Default::default()
            },
        );
        resource.apply_removal_policy(props.removal_policy.unwrap_or(RemovalPolicy::Retain));
        Self::of(scope, resource.reference(), resource.attribute("Arn"))
    }

    /// Takes in a log group that exists in the stack's account and region.
    pub fn from_log_group_name(scope: &Scope, id: &str, name: &str) -> Self {
        let scope = scope.child(id);
        let arn = scope.stack().format_arn("logs", &format!("log-group:{name}:*"));
        Self::of(scope, name.into(), arn)
    }

    fn of(scope: Scope, name: Value<String>, arn: Value<String>) -> Self {
        let group = Self(Rc::new(State { scope, name, arn }));
        group.register("neargate.logs.LogGroup", &group);
        group
    }

    /// The name.
    pub fn log_group_name(&self) -> Value<String> {
        self.0.name.clone()
    }

    /// The ARN, with `:*` at its end: it means the group's streams.
    pub fn log_group_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// Lets a role write events.
    pub fn grant_write(&self, grantee: &dyn Grantable) {
        iam::grant(grantee, &["logs:CreateLogStream", "logs:PutLogEvents"], vec![self.log_group_arn()]);
    }

    /// Lets a role read events.
    pub fn grant_read(&self, grantee: &dyn Grantable) {
        let actions = [
            "logs:FilterLogEvents",
            "logs:GetLogEvents",
            "logs:GetLogGroupFields",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
        ];
        iam::grant(grantee, &actions, vec![self.log_group_arn()]);
    }
}
