//! Three stacks with scheduled tasks: one that makes everything itself, and one in the network and cluster of a third.
//!
//! The tests compare them with the AWS CDK's of the same system, and `cargo xtask bench synth` measures them beside those.

use neargate_constructs::ec2::{Peer, Port, Vpc, VpcProps};
use neargate_constructs::ecs::{Cluster, ClusterProps};
use neargate_constructs::logs::RetentionDays;
use neargate_constructs::{App, Diagnostic, Environment, Stack, StackProps};
use neargate_patterns::fargate_tasks::{
    CronScheduleConstructProps, FargateTasksConstruct, FargateTasksConstructProps, InboundRule,
};

const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf";

fn main() -> Result<(), Vec<Diagnostic>> {
    let app = App::new();
    define(&app);
    app.synth().map(drop)
}

/// Makes the stacks.
pub(crate) fn define(app: &App) {
    let alone = Stack::new(app, "FargateTasksStack", StackProps::default());
    FargateTasksConstruct::new(&alone, "FargateTasks", choices());
    let network = Stack::new(app, "NetworkStack", fixed());
    let vpc = Vpc::new(&network, "Vpc", VpcProps { max_azs: Some(2), nat_gateways: Some(1), ..Default::default() });
    let cluster = Cluster::new(&network, "Cluster", ClusterProps { vpc: Some(vpc.clone()), ..Default::default() });
    let shared = FargateTasksConstructProps {
        vpc: Some(vpc),
        cluster: Some(cluster),
        cpu: Some(512.into()),
        memory_limit_mib: Some(1024.into()),
        log_retention_days: Some(RetentionDays::OneYear),
        schedule: Some(CronScheduleConstructProps {
            minute: Some("30".to_owned()),
            hour: Some("4".to_owned()),
            ..Default::default()
        }),
        ..choices()
    };
    FargateTasksConstruct::new(&Stack::new(app, "SharedClusterTasksStack", fixed()), "FargateTasks", shared);
}

fn fixed() -> StackProps {
    let env = Environment { account: Some("123456789012".to_owned()), region: Some("eu-west-1".to_owned()) };
    StackProps { env, ..StackProps::default() }
}

/// What the CDK's example has and is not our default: a fixed alias, and port 443 open.
pub(crate) fn choices() -> FargateTasksConstructProps {
    let https = InboundRule {
        peer: Peer::any_ipv4(),
        port: Port::tcp(443),
        description: Some("Allow outbound HTTPS".to_owned()),
    };
    FargateTasksConstructProps {
        key_alias: Some("alias/fargate-key".to_owned()),
        inbound_rules: vec![https],
        secret_arn: Some(SECRET_ARN.into()),
        secret_key: Some("apiKey".to_owned()),
        ..Default::default()
    }
}
