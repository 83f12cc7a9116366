//! A task that runs every six hours with a secret in its environment, and writes to a log group that its own key encrypts.
//!
//! The secret `app/creds` has a field `apiKey`; the container finds it in `$API_KEY`, prints its SHA-256 and ends.
//! `neargate try` and `neargate up` make the secret, as `neargate.toml` says. On AWS somebody makes it before:
//! `aws secretsmanager create-secret --name app/creds --secret-string '{"apiKey":"…"}'`.

use neargate::patterns::fargate_tasks::{
    CronScheduleConstructProps, FargateTasksConstruct, FargateTasksConstructProps,
};
use neargate::prelude::*;

/// The secret itself stays out of the log; its hash shows that the right one arrived.
const PRINT_HASH: &str = "printf %s \"$API_KEY\" | sha256sum";

fn main() -> neargate::ExitCode {
    neargate::app(|app| {
        let stack = Stack::new(app, "FargateTasks", StackProps::default());
        FargateTasksConstruct::new(
            &stack,
            "HashOfSecret",
            FargateTasksConstructProps {
                secret_name: Some("app/creds".into()),
                secret_key: Some("apiKey".into()),
                schedule: Some(CronScheduleConstructProps {
                    minute: Some("0".into()),
                    hour: Some("*/6".into()),
                    ..Default::default()
                }),
                image: Some(ecs::ContainerImage::from_registry("amazonlinux:2")),
                command: Some(vec!["sh".into(), "-c".into(), PRINT_HASH.into()]),
                log_retention_days: Some(logs::RetentionDays::OneWeek),
                cpu: Some(256.into()),
                memory_limit_mib: Some(512.into()),
                ..Default::default()
            },
        );
    })
}
