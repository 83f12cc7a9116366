//! The role with which EventBridge runs a task, as the CDK writes it: every statement is needed.

use serde_json::{Value, json};

use super::super::{Caller, Context, Document, Kind, Policy, Question, Verdict, decide};

const CLUSTER: &str = "arn:aws:ecs:eu-west-1:123456789012:cluster/c";
const DEFINITION: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/f:1";
const TASK_ROLE: &str = "arn:aws:iam::123456789012:role/task";
const EXECUTION_ROLE: &str = "arn:aws:iam::123456789012:role/execution";
const LOG_GROUP: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:g:*";

fn policies() -> Value {
    json!([
        {"Action": "ecs:RunTask", "Condition": {"ArnEquals": {"ecs:cluster": CLUSTER}}, "Effect": "Allow", "Resource": DEFINITION},
        {"Action": "ecs:TagResource", "Effect": "Allow", "Resource": "arn:aws:ecs:eu-west-1:*:task/c/*"},
        {"Action": "iam:PassRole", "Effect": "Allow", "Resource": [TASK_ROLE, EXECUTION_ROLE]},
        {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Effect": "Allow", "Resource": LOG_GROUP},
    ])
}

/// What a run of the task asks for: the statement that must allow it, the action, the resource, the cluster.
const ASKED: &[(usize, &str, &str)] = &[
    (0, "ecs:RunTask", DEFINITION),
    (1, "ecs:TagResource", "arn:aws:ecs:eu-west-1:123456789012:task/c/0123"),
    (2, "iam:PassRole", TASK_ROLE),
    (2, "iam:PassRole", EXECUTION_ROLE),
    (3, "logs:CreateLogStream", "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:s"),
    (3, "logs:PutLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:s"),
];

fn is_allowed(statements: &Value, action: &str, resource: &str, cluster: &str) -> bool {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let document = Document::parse(&text, Kind::Identity).unwrap();
    let context = Context::default().with("ecs:cluster", vec![cluster.to_owned()]);
    let question = Question { caller: &Caller::default(), action, resource, context: &context };
    matches!(decide(&[Policy { name: "p", document: &document }], &question), Verdict::Allowed { .. })
}

#[test]
fn with_all_statements_the_task_runs_and_without_any_one_it_does_not() {
    for (statement, action, resource) in ASKED {
        assert!(is_allowed(&policies(), action, resource, CLUSTER), "{action} {resource}");
        for left_out in 0..4 {
            let mut statements = policies();
            statements.as_array_mut().unwrap().remove(left_out);
            let allowed = is_allowed(&statements, action, resource, CLUSTER);
            assert_eq!(allowed, left_out != *statement, "{action} {resource} without {left_out}");
        }
    }
}

#[test]
fn another_cluster_revision_or_role_is_not_allowed() {
    let other_cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/d";
    assert!(!is_allowed(&policies(), "ecs:RunTask", DEFINITION, other_cluster));
    assert!(!is_allowed(&policies(), "ecs:RunTask", "arn:aws:ecs:eu-west-1:123456789012:task-definition/f:2", CLUSTER));
    assert!(!is_allowed(&policies(), "ecs:TagResource", "arn:aws:ecs:eu-west-1:123456789012:task/d/1", CLUSTER));
    assert!(!is_allowed(&policies(), "iam:PassRole", "arn:aws:iam::123456789012:role/task2", CLUSTER));
}
