//! Requests, policies and what AWS decides, as data: a case a line, each with the page of AWS's documentation that says so.
//!
//! A context is open: a key that is in neither `context` nor `absent` is unknown where AWS fills it.

#![cfg(test)]

mod rules;

use neargate_decide::{
    Caller, Context, Document, Identity, Kind, Layer, Outcome, Policy, Question, Request, ResourcePolicy, authorize,
};
use serde_json::Value as Json;

const TABLES: &[(&str, &str)] = &[
    ("operators", include_str!("operators.json")),
    ("missing", include_str!("missing.json")),
    ("sets", include_str!("sets.json")),
    ("variables", include_str!("variables.json")),
    ("elements", include_str!("elements.json")),
    ("boundaries", include_str!("boundaries.json")),
    ("sessions", include_str!("sessions.json")),
    ("resources", include_str!("resources.json")),
    ("cross-account", include_str!("cross-account.json")),
    ("trust", include_str!("trust.json")),
    ("pass-role", include_str!("pass-role.json")),
    ("kms", include_str!("kms.json")),
    ("not-principal", include_str!("not-principal.json")),
    ("unknown", include_str!("unknown.json")),
];

fn texts(value: &Json) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn text(value: &Json) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A session of the role `dev`, or who the case says.
fn caller(case: &Json) -> Caller {
    let account = "111122223333";
    if case["caller"] == "me" {
        return Caller {
            account: Some(account.to_owned()),
            role_arn: Some(format!("arn:aws:iam::{account}:role/dev")),
            role_id: Some("AROAEXAMPLEID0000001".to_owned()),
            session_arn: Some(format!("arn:aws:sts::{account}:assumed-role/dev/ana")),
            service: None,
            has_boundary: case.get("boundary").is_some(),
        };
    }
    let part = |name: &str| text(&case["caller"][name]);
    Caller { account: part("account"), service: part("service"), ..Caller::default() }
}

fn context(case: &Json, action: &str, resource: &str) -> Context {
    let mut context = Context::open(action, resource);
    for (key, values) in case["context"].as_object().into_iter().flatten() {
        context = context.with(key, texts(values));
    }
    texts(&case["absent"]).iter().fold(context, |context, key| context.complete(key))
}

fn documents(case: &Json, name: &str) -> Option<Vec<Document>> {
    let list = case.get(name)?.as_array().unwrap();
    Some(list.iter().map(|document| Document::parse(&document.to_string(), Kind::Inline).unwrap()).collect())
}

fn named(documents: &[Document]) -> Vec<Policy<'_>> {
    documents.iter().map(|document| Policy { name: "p", document }).collect()
}

fn decided(table: &str, case: &Json) -> String {
    let (action, resource) = (case["action"].as_str().unwrap(), case["resource"].as_str().unwrap());
    let (caller, context) = (caller(case), context(case, action, resource));
    let question = Question { caller: &caller, action, resource, context: &context };
    let own = documents(case, "identity").unwrap_or_default();
    let (boundary, session) = (documents(case, "boundary"), documents(case, "session"));
    let (own, boundary) = (named(&own), boundary.as_deref().map(named));
    let session = session.as_deref().map(named);
    let identity = match (&caller.service, &caller.role_arn) {
        (Some(_), _) => Identity::Service,
        (None, None) => Identity::Root,
        _ => Identity::Role { policies: &own, boundary: boundary.as_deref(), session: session.as_deref() },
    };
    let kind = if table == "trust" { Kind::Trust } else { Kind::Resource };
    let policy = case.get("policy").map(|policy| Document::parse(&policy.to_string(), kind).unwrap());
    let governs = case["governs"] == true;
    let resource_policy =
        policy.as_ref().map(|document| ResourcePolicy { policy: Policy { name: "r", document }, governs });
    let is_own = case["elsewhere"] != true;
    let name = |layer: Layer| match layer {
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
        Layer::Resource => "resource",
    };
    match authorize(&Request { question: &question, identity, resource: resource_policy, is_own }) {
        Outcome::Allowed => "allowed".to_owned(),
        Outcome::Denied { layer, .. } => format!("denied by {}", name(layer)),
        Outcome::NotAllowed { layer: Layer::Boundary, .. } => "no boundary".to_owned(),
        Outcome::NotAllowed { layer, .. } => format!("no {} policy", name(layer)),
    }
}

#[test]
fn requests_are_decided_as_aws_documents() {
    let (mut cases, mut wrong) = (0, vec![]);
    for (table, text) in TABLES {
        let list: Vec<Json> = serde_json::from_str(text).unwrap();
        for case in &list {
            cases += 1;
            let page = case["page"].as_str().unwrap();
            assert!(page.starts_with("https://docs.aws.amazon.com/"), "{table}: {case}");
            let (decided, expected) = (decided(table, case), case["expected"].as_str().unwrap());
            if decided != expected {
                wrong.push(format!("{table}: {}: expected {expected}, got {decided} ({page})", case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 300, "{cases}");
}
