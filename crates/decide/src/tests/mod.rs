//! Tables of documents and questions, and a second, naive evaluator to agree with.

mod conditions;
mod differential;
mod documents;
mod patterns;
mod seed4;
mod unknown;

use super::{Caller, Context, Document, Kind, Policy, Question, decide, explain};

/// A question by a role session of account 000000000000.
fn ask(document: &str, action: &str, resource: &str, context: &Context) -> String {
    let document = Document::parse(document, Kind::Identity).unwrap();
    let caller = Caller {
        account: Some("000000000000".to_owned()),
        role_arn: Some("arn:aws:iam::000000000000:role/r".to_owned()),
        ..Caller::default()
    };
    let question = Question { caller: &caller, action, resource, context };
    let policies = [Policy { name: "p", document: &document }];
    format!("{:?}: {}", decide(&policies, &question), explain(&policies, &question).join("; "))
}
